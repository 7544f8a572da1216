"""Inner products of many vectors with one, on one thread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

_NUMBERS = 400_000
"""Of 460,800 numbers on OpenBLAS uses several threads. For the small products of a question that
gains microseconds, and waiting for a thread whose core is busy costs milliseconds."""


def inner(vectors: Matrix, query: Matrix) -> Matrix:
    """Inner product of each row of `vectors`, shape (n, d), with `query`, shape (d,)."""
    rows = max(1, _NUMBERS // len(query))
    if len(vectors) <= rows:
        return vectors @ query
    return np.concatenate([vectors[i : i + rows] @ query for i in range(0, len(vectors), rows)])
