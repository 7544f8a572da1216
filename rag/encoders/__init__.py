"""Turning text into vectors. Two implementations behind one small interface.

`default` is all-MiniLM-L6-v2: the same vectors as sentence-transformers, several times faster,
without importing torch; for questions its weights are changed a little (`rag.encoders.adapter`).
Any other name is given to sentence-transformers itself. Its hub's library reads its environment
when it is imported, so its telemetry is switched off here, before that: else even a model that lies
here makes it ask the hub.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag.errors import IndexIncompatible
from rag.settings import Precision

os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

Vectors = npt.NDArray[np.float32]
DEFAULT = "default"


class Encoder(Protocol):
    """A sentence-embedding model.

    Attributes:
        name: as in the settings.
        digest: changes whenever vectors of `encode` may change; stored with every index.
        dimension: length of a vector.
        window: longest input in tokens, special tokens included; the rest would be ignored.
        batch_invariant: a text has the same vector, to the last bit, whatever it is encoded with.
    """

    name: str
    digest: str
    dimension: int
    window: int
    batch_invariant: bool

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts` into float32 vectors of shape (len(texts), dimension), L2-normalised."""
        ...

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """The same for questions, to be compared with vectors of the texts that may answer them."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in tokens of the model, special tokens included."""
        ...


def load_encoder(name: str, threads: int = 0, bulk: Precision | None = None) -> Encoder:
    """Load an encoder.

    Args:
        name: "default", or what sentence-transformers accepts: a model's name or folder.
        threads: for the matrix products; 0 takes all cores.
        bulk: for the many texts of a build, at this precision; None for a few questions, ready as
            soon as possible. Concerns the default encoder only.

    Raises:
        EncoderError: it cannot be loaded, or its weights are not the expected ones.
    """
    if name == DEFAULT:
        from rag.encoders.minilm import MiniLmEncoder, bulk_engine

        return MiniLmEncoder(threads, None if bulk is None else bulk_engine(bulk))
    from rag.encoders.torch import TorchEncoder

    return TorchEncoder(name, threads)


_PRECISION = re.compile("-(?:fp32|bf16)-")


def check_names(named: str, made_with: str) -> None:
    """Before anything is loaded or fetched: refuse an encoder that cannot be the index's own.

    Two names of other models may mean the same one; that is seen when it is loaded.

    Raises:
        IndexIncompatible: either the index or the settings have the default encoder, not both.
    """
    if named != made_with and DEFAULT in (named, made_with):
        raise IndexIncompatible(
            f"this index was made with encoder {made_with!r}, the settings name {named!r}: run "
            "`rag build`, or set the encoder back"
        )


def can_search(encoder: Encoder, digest: str) -> bool:
    """True if questions embedded by `encoder` can be compared with vectors that `digest` names.

    They may differ in precision: such vectors agree to a cosine of .9999. Within an index they are
    never mixed, there digests have to be equal.
    """
    return without_precision(encoder.digest) == without_precision(digest)


def without_precision(digest: str) -> str:
    """What an encoder's digest says of weights and vectors, but not at what precision."""
    return _PRECISION.sub("-", digest)
