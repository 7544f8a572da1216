"""Vectors on disk: a FAISS index for chunks, a float16 matrix for sentences.

Besides the vectors there are `offsets.npy` (sentences of chunk i are rows offsets[i] to
offsets[i + 1]) and the first two moments of the chunk vectors, from which the mean and spread of
a question's cosine over all chunks follow without looking at any of them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
Rows = npt.NDArray[np.int64]


class VectorWriter:
    """Writes the vectors of a new generation in row order; none of them stays in memory."""

    def __init__(self, folder: Path, dimension: int, sentences: int) -> None:
        """Create the files for a known number of sentences."""
        self._folder, self._matrix = folder, folder / "sentences.npy"
        self._flat, self._dimension = folder / "chunks.faiss", dimension
        header = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(np.float16)),
            "fortran_order": False,
            "shape": (sentences, dimension),
        }
        # Rows are appended rather than mapped: a full disk is then an error, not a signal.
        with self._matrix.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
        self._offsets = [0]
        self._sum = np.zeros(dimension)
        self._outer = np.zeros((dimension, dimension))

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
        self._sum += chunks.sum(axis=0, dtype=np.float64)
        self._outer += chunks.T @ chunks
        self._offsets += (self._offsets[-1] + np.cumsum(counts)).tolist()
        with self._flat.open("ab") as file:
            if not file.tell():
                file.write(_flat_header(self._dimension, 0))
            file.write(np.ascontiguousarray(chunks, dtype=np.float32).data)
        with self._matrix.open("ab") as file:
            file.write(np.ascontiguousarray(sentences, dtype=np.float16).data)

    def close(self) -> None:
        """Write what is known only at the end.

        Raises:
            OSError: it cannot be written.
        """
        count = len(self._offsets) - 1
        with self._flat.open("r+b" if count else "wb") as file:
            file.write(_flat_header(self._dimension, count))
        np.save(self._folder / "offsets.npy", np.array(self._offsets, dtype=np.int64))
        mean = self._sum / max(count, 1)
        covariance = self._outer / max(count, 1) - np.outer(mean, mean)
        moments = np.vstack([mean, covariance]).astype(np.float32)
        np.save(self._folder / "moments.npy", moments)


def _flat_header(dimension: int, count: int) -> bytes:
    """What comes before the vectors in FAISS's file of a flat index.

    FAISS writes an index from memory only. Its file is a header that holds the number of vectors
    and, as its last field, of their numbers; then the vectors follow as they are. A test compares
    this with what FAISS writes.
    """
    header = bytearray(faiss.serialize_index(faiss.IndexFlatIP(dimension)).tobytes())
    struct.pack_into("<q", header, 8, count)
    struct.pack_into("<q", header, len(header) - 8, count * dimension)
    return bytes(header)


class Vectors:
    """Read-only, memory-mapped vectors of a generation."""

    def __init__(self, folder: Path) -> None:
        """Open what `VectorWriter` wrote."""
        self._index = faiss.read_index(str(folder / "chunks.faiss"), faiss.IO_FLAG_MMAP_IFC)
        self._sentences = np.load(folder / "sentences.npy", mmap_mode="r", allow_pickle=False)
        self._offsets = np.load(folder / "offsets.npy", mmap_mode="r", allow_pickle=False)
        self._moments = np.load(folder / "moments.npy", allow_pickle=False)

    def __len__(self) -> int:
        """How many chunks."""
        return int(self._index.ntotal)

    @property
    def sentence_count(self) -> int:
        """How many sentences."""
        return int(self._sentences.shape[0])

    def search(self, query: Matrix, k: int, allowed: Rows | None = None) -> tuple[Matrix, Rows]:
        """The `k` chunks nearest to one vector: inner products and rows, best first.

        Args:
            query: shape (d,).
            k: how many at most.
            allowed: rows that may be found; None allows all.
        """
        if allowed is None:
            scores, rows = self._index.search(query.reshape(1, -1), min(k, len(self)))
            return scores[0], rows[0]
        marks = np.zeros(len(self), dtype=bool)
        marks[allowed] = True
        # The stubs describe the C++ constructors, not those that Python has.
        library: Any = faiss
        selector = library.IDSelectorBitmap(np.packbits(marks, bitorder="little"))
        scores, rows = self._index.search(
            query.reshape(1, -1),
            min(k, len(allowed)),
            params=library.SearchParameters(sel=selector),
        )
        return scores[0], rows[0]

    def spread(self, query: Matrix) -> tuple[float, float]:
        """Mean and standard deviation of the inner products of `query` with all chunks."""
        mean, covariance = self._moments[0], self._moments[1:]
        return float(query @ mean), float(np.sqrt(max(query @ covariance @ query, 0.0)))

    def chunks(self, rows: Rows) -> Matrix:
        """Chunk vectors, shape (len(rows), dimension)."""
        vectors: Matrix = self._index.reconstruct_batch(rows)
        return vectors

    def sentences(self, start: int, end: int) -> Halves:
        """Sentence vectors of rows [start, end)."""
        vectors: Halves = self._sentences[start:end]
        return vectors

    def block(self, first: int, last: int) -> tuple[Matrix, Halves, list[int]]:
        """Chunks [first, last) as `VectorWriter.add_block` takes them."""
        offsets = self._offsets[first : last + 1]
        chunks: Matrix = self._index.reconstruct_n(first, last - first)
        return chunks, self._sentences[offsets[0] : offsets[-1]], np.diff(offsets).tolist()

    def sentences_of(self, rows: Rows) -> tuple[Matrix, Rows]:
        """The sentences of these chunks, one after the other, and where each chunk's begin.

        Returns:
            float32 vectors of shape (n, dimension), and int64 positions of shape
            (len(rows) + 1,): those of chunk i are [positions[i], positions[i + 1]).
        """
        first, last = self._offsets[rows], self._offsets[rows + 1]
        positions = np.concatenate([[0], np.cumsum(last - first)])
        picked = np.concatenate(
            [np.arange(a, b) for a, b in zip(first, last, strict=True)] or [np.arange(0)]
        )
        return np.asarray(self._sentences[picked], dtype=np.float32), positions
