"""Any other model, through sentence-transformers itself.

Some models want a prompt before a question, or before what may answer it, and say so in their
configuration.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
from sentence_transformers import SentenceTransformer
from transformers.utils import logging

from rag.encoders import Vectors
from rag.errors import EncoderError

_PATIENCE = 10.0
"""Seconds in which the hub has to be reached."""
_OF_TEXTS = ("document", "passage", "corpus")
"""Names of the prompt for texts, the first that a model has being meant."""


class TorchEncoder:
    """A sentence-transformers model by name or folder."""

    def __init__(self, name: str, threads: int = 0) -> None:
        """Load the model; one that is no folder and was not fetched before is fetched from its hub.

        Raises:
            EncoderError: the model cannot be loaded.
        """
        if threads:
            import torch

            torch.set_num_threads(threads)
        try:
            with _no_bar_without_a_terminal():
                self._model = _load(name)
        except Exception as error:  # Files, the hub and the model's own code raise anything.
            reason = (str(error).strip() or repr(error)).splitlines()[0]
            raise EncoderError(
                f"the encoder {name!r} cannot be loaded: {reason} "
                "(give the folder of a sentence-transformers model, or 'default')"
            ) from error
        self.name = name
        self.batch_invariant = False
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self._prompts = {name: text for name, text in self._model.prompts.items() if text}
        # Said to encode_document, which takes an empty one before that of the next name.
        self._prompt = next(
            (self._prompts[name] for name in _OF_TEXTS if name in self._prompts), ""
        )
        bare, prompted = self.count_tokens(["", self._prompt])
        self.window = int(self._model.max_seq_length or 512) - (prompted - bare)
        self.digest = f"st-{self._weights_digest()[:16]}"

    def _weights_digest(self) -> str:
        digest = hashlib.sha256(str(self._model).encode())
        if self._prompts:
            digest.update(json.dumps(self._prompts, sort_keys=True).encode())
        for key, tensor in sorted(self._model.state_dict().items()):
            digest.update(key.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in tokens of the model, special tokens included."""
        if not texts:
            return []
        encoded = self._model.tokenizer(list(texts), truncation=False, verbose=False)
        return [len(ids) for ids in encoded["input_ids"]]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts`: float32, shape (len(texts), dimension), L2-normalised."""
        return self._embed(partial(self._model.encode_document, prompt=self._prompt), texts)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """The same as questions: with the model's prompt for them, if it has one."""
        return self._embed(self._model.encode_query, texts)

    def _embed(self, encode: Callable[..., Any], texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        return np.asarray(
            encode(list(texts), normalize_embeddings=True, show_progress_bar=False),
            dtype=np.float32,
        )


@contextmanager
def _no_bar_without_a_terminal() -> Iterator[None]:
    """A log is not filled with the bars that show how far a model is loaded."""
    shown = logging.is_progress_bar_enabled() and not (sys.stderr and sys.stderr.isatty())
    if shown:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:  # Whoever imports this library may want them for models of their own.
            logging.enable_progress_bar()


def _load(name: str) -> SentenceTransformer:
    try:
        return SentenceTransformer(name, device="cpu", local_files_only=True)
    except Exception:
        if Path(name).exists():
            raise
    hub = huggingface_hub.constants.ENDPOINT
    try:
        # Without this look, each file of the model is asked for six times, in half a minute.
        huggingface_hub.get_session().head(hub, timeout=_PATIENCE)
    except Exception as error:
        raise ConnectionError(f"it is no folder, and {hub} cannot be reached ({error})") from error
    return SentenceTransformer(name, device="cpu")
