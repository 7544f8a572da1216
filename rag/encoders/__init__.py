"""Turning text into vectors. Two implementations behind one small interface.

`default` is all-MiniLM-L6-v2 on ONNX Runtime: the same vectors as sentence-transformers, several
times faster, without importing torch. Any other name is given to sentence-transformers itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """A sentence-embedding model.

    Attributes:
        name: as in the settings.
        digest: changes whenever the vectors may change; stored with every index.
        dimension: length of a vector.
        window: longest input in tokens, special tokens included; the rest would be ignored.
    """

    name: str
    digest: str
    dimension: int
    window: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed `texts` into float32 vectors of shape (len(texts), dimension), L2-normalised."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Length of each text in tokens of the model, special tokens included."""
        ...


def load_encoder(name: str, threads: int = 0) -> Encoder:
    """Load an encoder.

    Args:
        name: "default", or what sentence-transformers accepts: a model's name or folder.
        threads: for the matrix products; 0 takes all cores.

    Raises:
        EncoderError: it cannot be loaded, or its weights are not the expected ones.
    """
    if name == "default":
        from rag.encoders.minilm import MiniLmEncoder

        return MiniLmEncoder(threads)
    from rag.encoders.torch import TorchEncoder

    return TorchEncoder(name, threads)
