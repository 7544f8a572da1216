"""What computes the network of the default encoder. Two engines behind one small interface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from rag.encoders import Vectors

Ids = npt.NDArray[np.int64]
"""Token ids of texts of one length, shape (texts, tokens)."""

Network = Callable[[Ids], Vectors]
"""Embeds a batch; called from several threads at once."""


class Engine(Protocol):
    """A runtime at one precision."""

    @property
    def precision(self) -> Literal["fp32", "bf16"]:
        """Of the matrix products; part of the encoder's digest."""
        ...

    @property
    def tokens_together(self) -> int:
        """How many tokens a batch had best have."""
        ...

    def open(self, path: Path, threads: int) -> Network:
        """Load the graph, to be called by `threads` threads. Raises what the runtime raises."""
        ...


def feeds(ids: Ids) -> dict[str, Ids]:
    """The inputs of the graph for texts without padding."""
    return {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.zeros_like(ids),
    }
