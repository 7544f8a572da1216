"""Nearest chunks among very many: inverted lists of int8 codes, and exact ranking of the best.

The chunks are put into lists by the nearest of some thousand centroids (k-means; Sivic and
Zisserman 2003). A question is compared with the codes in the lists nearest to it, from the first
on, until `COMPARED` chunks have been compared; the best of these are then ranked by their exact
vectors. Where a filter allows only some chunks, only these count, so that a narrow filter is a
comparison with all that it allows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.store.arrays import ArrayWriter, RowReader
from rag.store.codes import Codes, encode, lengths
from rag.store.products import inner

Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Lists = npt.NDArray[np.int32]

COMPARED = 80_000
"""How many chunks a question is compared with. Of the ten nearest among 1.2 million, .974 are found
with 50,000, .983 with 80,000 and .987 with 100,000, in 11, 16 and 21 ms."""

_RANKED_EXACTLY = 2
"""So many times the wanted number are ranked by their exact vectors."""
_BLOCK = 4_096
_TRAINED_ON, _ROUNDS, _SEED = 40, 8, 1
"""Vectors for each centroid, and passes over them, when centroids are trained."""


class Inverted:
    """Inverted lists, memory-mapped; exact vectors are read as they are needed.

    Attributes:
        centroids: unit vectors, shape (lists, d).
    """

    def __init__(self, folder: Path, exact: RowReader) -> None:
        """Open what `write_inverted` wrote.

        Args:
            folder: where its files lie.
            exact: the chunk vectors in row order.
        """
        self._exact = exact
        self.centroids: Matrix = np.load(folder / "centroids.npy", allow_pickle=False)
        self._starts: Rows = np.load(folder / "starts.npy", allow_pickle=False)
        self._unmapped = RowReader.of_npy(folder / "codes.npy")
        self._members, self._codes, self._lengths = (
            np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
            for name in ("members", "codes", "lengths")
        )

    def __len__(self) -> int:
        """How many chunks."""
        return len(self._members)

    @property
    def description(self) -> Mapping[str, str | int]:
        """What kind of index this is, and its parameters."""
        return {
            "kind": "inverted",
            "lists": len(self.centroids),
            "codes": "int8",
            "compared": COMPARED,
        }

    def lists(self) -> Lists:
        """The list of each chunk, shape (chunks,)."""
        lists = np.empty(len(self), dtype=np.int32)
        own = np.arange(len(self.centroids), dtype=np.int32)
        lists[self._members] = np.repeat(own, np.diff(self._starts))
        return lists

    def codes(self, rows: Rows) -> Codes:
        """Codes of these chunks, shape (len(rows), d), and no page of them stays mapped."""
        codes: Codes = self._unmapped.rows(self._places[rows])
        return codes

    @cached_property
    def _places(self) -> Rows:
        """Where each chunk's code lies."""
        places = np.empty(len(self), dtype=np.int64)
        places[self._members] = np.arange(len(self))
        return places

    def search(self, query: Matrix, k: int, allowed: Rows | None = None) -> tuple[Matrix, Rows]:
        """The `k` chunks nearest to one vector, or nearly: inner products and rows, best first.

        Args:
            query: shape (d,).
            k: how many at most.
            allowed: rows that may be found; None allows all.
        """
        order = np.argsort(-inner(self.centroids, query), kind="stable")
        found = None
        sizes = np.diff(self._starts)
        if allowed is not None:
            marks = np.zeros(len(self), dtype=bool)
            marks[allowed] = True
            found = marks[self._members]
            sizes = np.diff(np.concatenate([[0], np.cumsum(found)])[self._starts])
        enough = int(np.searchsorted(np.cumsum(sizes[order]), max(COMPARED, k))) + 1
        scores, members = [], []
        for number in order[:enough].tolist():
            own: slice | Rows = slice(self._starts[number], self._starts[number + 1])
            if found is not None:
                own = np.flatnonzero(found[own]) + self._starts[number]
            scores.append(inner(self._codes[own].astype(np.float32), query) / self._lengths[own])
            members.append(self._members[own])
        return self._rank_exactly(query, k, np.concatenate(scores), np.concatenate(members))

    def search_many(self, queries: Matrix, k: int) -> list[tuple[Matrix, Rows]]:
        """`search` for each row of `queries`, shape (n, d)."""
        return [self.search(query, k) for query in queries]

    def _rank_exactly(
        self, query: Matrix, k: int, scores: Matrix, members: npt.NDArray[np.int32]
    ) -> tuple[Matrix, Rows]:
        count = min(_RANKED_EXACTLY * k, len(scores))
        if count < len(scores):
            members = members[np.argpartition(scores, -count)[-count:]]
        rows = np.sort(members).astype(np.int64)
        exact: Matrix = (self.chunks(rows) * query).sum(axis=1)
        first = np.argsort(-exact, kind="stable")[:k]
        return exact[first], rows[first]

    def chunks(self, rows: Rows) -> Matrix:
        """Exact vectors, shape (len(rows), d)."""
        vectors: Matrix = self._exact.rows(rows)
        return vectors

    def block(self, first: int, last: int) -> Matrix:
        """Exact vectors of rows [first, last)."""
        vectors: Matrix = self._exact.read(first, last)
        return vectors


def lists_for(chunks: int) -> int:
    """How many lists: twice the square root of the number of chunks."""
    return max(1, round(2 * math.sqrt(chunks)))


def write_inverted(folder: Path, exact: RowReader, origins: Rows, known: Inverted | None) -> None:
    """Write the lists of the chunks in `exact`; what `known` has of a chunk is not computed again.

    Centroids are taken over while they are at most √2 times as many, or as few, as would be
    chosen now: until the number of chunks has doubled or halved.

    Args:
        folder: made here.
        exact: the chunk vectors in row order.
        origins: for each chunk its row in the generation before, or -1 if it is new.
        known: the index of the generation before.

    Raises:
        OSError: the files cannot be written.
    """
    folder.mkdir()
    if known is None:
        origins = np.full_like(origins, -1)
    wanted = lists_for(len(origins))
    lists = np.full(len(origins), -1, dtype=np.int32)
    if known is not None and 0.5 <= (len(known.centroids) / wanted) ** 2 <= 2:
        centroids, kept = known.centroids, origins >= 0
        lists[kept] = known.lists()[origins[kept]]
    else:
        centroids = _train(exact, wanted)
    lists = _assign(exact, centroids, lists)
    members = np.argsort(lists, kind="stable")
    codes = ArrayWriter(folder / "codes.npy", np.int8, exact.shape[1])
    norms = ArrayWriter(folder / "lengths.npy", np.float32)
    for start in range(0, len(members), _BLOCK):
        rows = members[start : start + _BLOCK]
        block = _codes(exact, rows, origins[rows], known)
        codes.append(block)
        norms.append(lengths(block.astype(np.float32)))
    codes.close()
    norms.close()
    sizes = np.bincount(lists, minlength=len(centroids))
    np.save(folder / "centroids.npy", centroids)
    np.save(folder / "members.npy", members.astype(np.int32))
    np.save(folder / "starts.npy", np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


def _codes(exact: RowReader, rows: Rows, origins: Rows, known: Inverted | None) -> Codes:
    """Codes of these chunks, as `known` has them or from their vectors."""
    codes = np.empty((len(rows), exact.shape[1]), dtype=np.int8)
    new = origins < 0
    codes[new] = encode(exact.rows(rows[new]))
    if known is not None:
        codes[~new] = known.codes(origins[~new])
    return codes


def _train(exact: RowReader, count: int) -> Matrix:
    """Centroids of an even sample of the chunks, shape (count, d)."""
    # Needed here only: importing it would cost a cold question a tenth of its time.
    import faiss

    chunks, dimension = exact.shape
    sample = np.unique(np.linspace(0, chunks - 1, _TRAINED_ON * count, dtype=np.int64))
    means = faiss.Kmeans(
        dimension,
        count,
        niter=_ROUNDS,
        seed=_SEED,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=_TRAINED_ON,
    )
    means.train(exact.rows(sample))
    return np.asarray(means.centroids, dtype=np.float32)


def _assign(exact: RowReader, centroids: Matrix, lists: Lists) -> Lists:
    """The same lists, and for each chunk without one that of its nearest centroid."""
    lists = lists.copy()
    new = np.flatnonzero(lists < 0)
    for start in range(0, len(new), _BLOCK):
        rows = new[start : start + _BLOCK]
        lists[rows] = (exact.rows(rows) @ centroids.T).argmax(axis=1)
    return lists
