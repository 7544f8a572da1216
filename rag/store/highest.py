"""The highest of very many scores, without sorting them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_BLOCK = 128


def floor(scores: npt.NDArray[np.float32], k: int) -> float:
    """A number that at least `k` scores reach, and seldom many more; -inf for few scores.

    The highest scores of `k` blocks are `k` scores.
    """
    blocks = len(scores) // _BLOCK
    if blocks < k:
        return -np.inf
    peaks = scores[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1)
    return float(np.partition(peaks, -k)[-k])
