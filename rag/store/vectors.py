"""Vectors on disk: of chunks exact, in a FAISS index, of sentences as int8 codes.

Besides the vectors there are `offsets.npy` (sentences of chunk i are rows offsets[i] to
offsets[i + 1]) and the first two moments of the chunk vectors, from which the mean and spread of
a question's cosine over all chunks follow without looking at any of them.

A question is compared with all chunks while that is fast; of more than `EXACT_UP_TO` there are
inverted lists beside the exact vectors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag.store.arrays import ArrayWriter, RowReader
from rag.store.codes import Codes, cosines, decode, encode
from rag.store.exact import Exact
from rag.store.flat import FlatWriter, open_flat
from rag.store.inverted import Inverted, write_inverted

Matrix = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
Rows = npt.NDArray[np.int64]

CHUNKS = "chunks.faiss"
EXACT_UP_TO = 50_000
"""So many chunks are compared one by one: some 8 ms, and twice that for twice as many."""

_COPIED, _WRITTEN = 4_096, 1_024
"""Chunks taken over at once, and written at once."""


class ChunkIndex(Protocol):
    """Finds the chunks nearest to a question."""

    def __len__(self) -> int:
        """How many chunks."""

    @property
    def description(self) -> Mapping[str, str | int]:
        """What kind of index this is, and its parameters."""

    def search(self, query: Matrix, k: int, allowed: Rows | None = None) -> tuple[Matrix, Rows]:
        """The `k` nearest, allowed chunks: inner products and rows, best first."""

    def search_many(self, queries: Matrix, k: int) -> list[tuple[Matrix, Rows]]:
        """The same for each row of `queries`, where all chunks are allowed."""

    def chunks(self, rows: Rows) -> Matrix:
        """Exact vectors, shape (len(rows), d)."""

    def block(self, first: int, last: int) -> Matrix:
        """Exact vectors of rows [first, last)."""


class VectorWriter:
    """Writes the vectors of a new generation in row order; none of them stays in memory."""

    def __init__(self, folder: Path, dimension: int, previous: Vectors | None = None) -> None:
        """Create the files. `copy` takes over chunks of `previous`."""
        self._folder, self._dimension, self._previous = folder, dimension, previous
        self._chunks = FlatWriter(folder / CHUNKS, dimension)
        self._sentences = ArrayWriter(folder / "sentences.npy", np.int8, dimension)
        self._offsets = [np.zeros(1, dtype=np.int64)]
        self._origins: list[Rows] = [np.zeros(0, dtype=np.int64)]
        self._sum = np.zeros(dimension)
        self._outer = np.zeros((dimension, dimension))
        self._waiting: list[tuple[Matrix, Codes]] = []
        self._waiting_chunks = 0

    def add(self, vectors: Sequence[tuple[Matrix, Halves]]) -> None:
        """Append chunks: for each its vector, shape (d,), and those of its sentences, (n, d)."""
        chunks = np.stack([chunk for chunk, _ in vectors])
        sentences = np.concatenate([own for _, own in vectors])
        self.add_block(chunks, sentences, [len(own) for _, own in vectors])

    def add_block(self, chunks: Matrix, sentences: Halves, counts: Sequence[int]) -> None:
        """Append n chunks.

        Args:
            chunks: their vectors, shape (n, d).
            sentences: those of all their sentences, one chunk after the other, shape (sum, d).
            counts: how many sentences each of them has, length n.
        """
        new = np.full(len(chunks), -1, dtype=np.int64)
        self._append(chunks, encode(sentences), np.asarray(counts, dtype=np.int64), new)

    def copy(self, first: int, last: int) -> None:
        """Append chunks [first, last) of `previous` as they are."""
        if self._previous is None:
            raise ValueError("there are no previous vectors to take over")
        for start in range(first, last, _COPIED):
            end = min(start + _COPIED, last)
            origins = np.arange(start, end, dtype=np.int64)
            self._append(*self._previous.stored(start, end), origins)

    def _append(
        self,
        chunks: Matrix,
        sentences: Codes,
        counts: npt.NDArray[np.int64],
        origins: Rows,
    ) -> None:
        self._offsets.append(self._offsets[-1][-1] + np.cumsum(counts))
        self._origins.append(origins)
        self._waiting.append((chunks, sentences))
        self._waiting_chunks += len(chunks)
        if self._waiting_chunks >= _WRITTEN:
            self._write()

    def _write(self) -> None:
        """Write what waits: single documents would be many small products and writes."""
        if not self._waiting:
            return
        chunks = np.concatenate([own for own, _ in self._waiting])
        self._sum += chunks.sum(axis=0, dtype=np.float64)
        self._outer += chunks.T @ chunks
        self._chunks.append(chunks)
        self._sentences.append(np.concatenate([own for _, own in self._waiting]))
        self._waiting, self._waiting_chunks = [], 0

    def close(self) -> None:
        """Write what is known only at the end.

        Raises:
            OSError: it cannot be written.
        """
        self._write()
        self._chunks.close()
        self._sentences.close()
        offsets, origins = np.concatenate(self._offsets), np.concatenate(self._origins)
        count = len(origins)
        np.save(self._folder / "offsets.npy", offsets)
        mean = self._sum / max(count, 1)
        covariance = self._outer / max(count, 1) - np.outer(mean, mean)
        moments = np.vstack([mean, covariance]).astype(np.float32)
        np.save(self._folder / "moments.npy", moments)
        if count > EXACT_UP_TO:
            exact = open_flat(self._folder / CHUNKS)
            known = self._previous.inverted if self._previous else None
            write_inverted(self._folder / "inverted", exact, origins, known)


class Vectors:
    """Read-only vectors of a generation."""

    def __init__(self, folder: Path) -> None:
        """Open what `VectorWriter` wrote."""
        self._sentences = RowReader.of_npy(folder / "sentences.npy")
        self._offsets = np.asarray(
            np.load(folder / "offsets.npy", mmap_mode="r", allow_pickle=False)
        )
        self._moments = np.load(folder / "moments.npy", allow_pickle=False)
        exact, lists = open_flat(folder / CHUNKS), folder / "inverted"
        self.inverted = Inverted(lists, exact) if lists.is_dir() else None
        self._index: ChunkIndex = self.inverted or Exact(exact)

    def __len__(self) -> int:
        """How many chunks."""
        return len(self._index)

    @property
    def sentence_count(self) -> int:
        """How many sentences."""
        return self._sentences.shape[0]

    @property
    def description(self) -> Mapping[str, str | int]:
        """How chunks are found: the kind of index, and its parameters."""
        return {**self._index.description, "exact_up_to": EXACT_UP_TO}

    def search(self, query: Matrix, k: int, allowed: Rows | None = None) -> tuple[Matrix, Rows]:
        """The `k` chunks nearest to one vector: inner products and rows, best first.

        Args:
            query: shape (d,).
            k: how many at most.
            allowed: rows that may be found; None allows all.
        """
        return self._index.search(query, k, allowed)

    def search_many(self, queries: Matrix, k: int) -> list[tuple[Matrix, Rows]]:
        """`search` for each row of `queries`, shape (n, d): the same rows, computed together."""
        return self._index.search_many(queries, k)

    def spread(self, query: Matrix) -> tuple[float, float]:
        """Mean and standard deviation of the inner products of `query` with all chunks."""
        mean, covariance = self._moments[0], self._moments[1:]
        return float(query @ mean), float(np.sqrt(max(query @ covariance @ query, 0.0)))

    def chunks(self, rows: Rows) -> Matrix:
        """Chunk vectors, shape (len(rows), dimension)."""
        return self._index.chunks(rows)

    def sentences(self, start: int, end: int) -> Halves:
        """Sentence vectors of rows [start, end)."""
        return decode(self._sentences.read(start, end)).astype(np.float16)

    def stored(self, first: int, last: int) -> tuple[Matrix, Codes, npt.NDArray[np.int64]]:
        """Vectors of chunks [first, last), codes of their sentences, and how many each has."""
        offsets = self._offsets[first : last + 1]
        codes: Codes = self._sentences.read(int(offsets[0]), int(offsets[-1]))
        return self._index.block(first, last), codes, np.diff(offsets)

    def block(self, first: int, last: int) -> tuple[Matrix, Halves, list[int]]:
        """Chunks [first, last) as `VectorWriter.add_block` takes them."""
        chunks, codes, counts = self.stored(first, last)
        return chunks, decode(codes).astype(np.float16), counts.tolist()

    def sentence_cosines(self, rows: Rows, query: Matrix) -> tuple[Matrix, Rows]:
        """Cosines of the sentences of these chunks with one vector.

        Args:
            rows: of the chunks.
            query: shape (d,).

        Returns:
            float32 of shape (n,), those of one chunk after the other, and int64 positions of
            shape (len(rows) + 1,): those of chunk i are [positions[i], positions[i + 1]).
        """
        first, last = self._offsets[rows], self._offsets[rows + 1]
        positions = np.concatenate([[0], np.cumsum(last - first)])
        return cosines(self._sentences.pieces(first, last), query), positions
