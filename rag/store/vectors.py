"""Vectors on disk: a FAISS index for chunks, a float16 matrix for sentences.

Besides the vectors there are `offsets.npy` (sentences of chunk i are rows offsets[i] to
offsets[i + 1]) and the first two moments of the chunk vectors, from which the mean and spread of
a question's cosine over all chunks follow without looking at any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


class VectorWriter:
    """Collects the vectors of a new generation in row order."""

    def __init__(self, folder: Path, dimension: int, sentences: int) -> None:
        """Create the files for a known number of sentences."""
        self._folder, self._matrix = folder, folder / "sentences.npy"
        self._index = faiss.IndexFlatIP(dimension)
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

    def add(self, vectors: Sequence[tuple[Matrix, npt.NDArray[np.float16]]]) -> None:
        """Append chunks: for each its vector, shape (d,), and those of its sentences, (n, d)."""
        chunks = np.stack([chunk for chunk, _ in vectors])
        self._index.add(chunks)
        self._sum += chunks.sum(axis=0, dtype=np.float64)
        self._outer += chunks.T @ chunks
        with self._matrix.open("ab") as file:
            for _, sentences in vectors:
                self._offsets.append(self._offsets[-1] + len(sentences))
                file.write(np.ascontiguousarray(sentences, dtype=np.float16).tobytes())

    def close(self) -> None:
        """Write everything.

        Raises:
            OSError: it cannot be written.
        """
        path = self._folder / "chunks.faiss"
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(f"{path.name}: {error}") from error
        np.save(self._folder / "offsets.npy", np.array(self._offsets, dtype=np.int64))
        count = max(self._index.ntotal, 1)
        mean = self._sum / count
        covariance = self._outer / count - np.outer(mean, mean)
        moments = np.vstack([mean, covariance]).astype(np.float32)
        np.save(self._folder / "moments.npy", moments)


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

    def search(self, query: Matrix, k: int) -> tuple[Matrix, Rows]:
        """The `k` chunks nearest to one vector: inner products and rows, best first."""
        scores, rows = self._index.search(query.reshape(1, -1), min(k, len(self)))
        return scores[0], rows[0]

    def spread(self, query: Matrix) -> tuple[float, float]:
        """Mean and standard deviation of the inner products of `query` with all chunks."""
        mean, covariance = self._moments[0], self._moments[1:]
        return float(query @ mean), float(np.sqrt(max(query @ covariance @ query, 0.0)))

    def chunks(self, rows: Rows) -> Matrix:
        """Chunk vectors, shape (len(rows), dimension)."""
        vectors: Matrix = self._index.reconstruct_batch(rows)
        return vectors

    def sentences(self, start: int, end: int) -> npt.NDArray[np.float16]:
        """Sentence vectors of rows [start, end)."""
        vectors: npt.NDArray[np.float16] = self._sentences[start:end]
        return vectors

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
