"""Nearest chunks by comparing a question with all of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rag.store.arrays import RowReader
from rag.store.highest import floor
from rag.store.products import inner

Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_ROUNDING = 1e-4
"""More than two sums of some hundred products of unit vectors can differ in float32."""


class Exact:
    """The vectors of all chunks, read into memory by the first search."""

    def __init__(self, vectors: RowReader) -> None:
        """Search the chunk vectors in row order."""
        self._stored = vectors

    def __len__(self) -> int:
        """How many chunks."""
        return self._stored.shape[0]

    @cached_property
    def _vectors(self) -> Matrix:
        return self.block(0, len(self))

    @property
    def description(self) -> Mapping[str, str | int]:
        """What kind of index this is."""
        return {"kind": "exact"}

    def search(self, query: Matrix, k: int, allowed: Rows | None = None) -> tuple[Matrix, Rows]:
        """The `k` chunks nearest to one vector: inner products and rows, best first.

        Args:
            query: shape (d,).
            k: how many at most.
            allowed: rows that may be found; None allows all.
        """
        scores = inner(self._vectors, query)
        return self._best(scores if allowed is None else scores[allowed], query, k, allowed)

    def search_many(self, queries: Matrix, k: int) -> list[tuple[Matrix, Rows]]:
        """`search` for each row of `queries`, shape (n, d), as one matrix product."""
        scores = queries @ self._vectors.T
        return [self._best(own, query, k) for own, query in zip(scores, queries, strict=True)]

    def _best(
        self, scores: Matrix, query: Matrix, k: int, rows: Rows | None = None
    ) -> tuple[Matrix, Rows]:
        """The `k` best of these rows, which ascend; among equals the first.

        How a product rounds depends on its shape. So that a question finds the same alone and
        among others, whatever may be among the best is compared again row by row.

        Args:
            scores: of `rows`, off by rounding.
            query: shape (d,).
            k: how many at most.
            rows: None for all.
        """
        near = np.flatnonzero(scores >= floor(scores, k) - _ROUNDING)
        if k < len(near):
            own = scores[near]
            near = near[own >= np.partition(own, -k)[-k] - _ROUNDING]
        found = near if rows is None else rows[near]
        exact: Matrix = (self._vectors[found] * query).sum(axis=1)
        first = np.lexsort((found, -exact))[:k]
        return exact[first], found[first]

    def chunks(self, rows: Rows) -> Matrix:
        """Vectors, shape (len(rows), d)."""
        return self._vectors[rows]

    def block(self, first: int, last: int) -> Matrix:
        """Vectors of rows [first, last)."""
        vectors: Matrix = self._stored.read(first, last)
        return vectors
