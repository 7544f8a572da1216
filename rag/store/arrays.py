"""Arrays on disk that do not fit into memory: written piece by piece, read row by row."""

from __future__ import annotations

import os
import threading
import weakref
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]


class ArrayWriter:
    """Writes an `.npy` file of unknown length.

    Rows are appended rather than mapped: a full disk is then an error, not a signal.
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike, *width: int) -> None:
        """Create the file for rows of this shape; no width means that a row is one number."""
        self._path, self._dtype, self._width = path, np.dtype(dtype), width
        self.count = 0
        with path.open("wb") as file:
            self._write_header(file)

    def append(self, rows: Array) -> None:
        """Append rows, shape (n, *width).

        Raises:
            OSError: they cannot be written.
        """
        with self._path.open("ab") as file:
            file.write(np.ascontiguousarray(rows, dtype=self._dtype).data)
        self.count += len(rows)

    def close(self) -> None:
        """Write how many rows there are.

        Raises:
            OSError: it cannot be written.
        """
        with self._path.open("r+b") as file:
            self._write_header(file)

    def _write_header(self, file: BinaryIO) -> None:
        # NumPy pads the header so that its length does not change with the number of rows.
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self.count, *self._width),
        }
        np.lib.format.write_array_header_1_0(file, header)


_MAPPED_UP_TO = 64 * 2**20
"""Bytes of a matrix that is mapped for scattered rows: a question's thousand rows are then one
copy, not hundreds of reads."""


class RowReader:
    """Reads rows of a matrix on disk; safe to share between threads.

    A large one is not mapped: every page of a mapped file that was ever touched counts as memory of
    the process. What is read stays in the cache of the system, which gives it up when others need
    the room.
    """

    def __init__(
        self, path: Path, dtype: npt.DTypeLike, shape: tuple[int, int], start: int
    ) -> None:
        """Open a file in which a matrix of this shape begins at byte `start`."""
        self._path, self._dtype, self._start = path, np.dtype(dtype), start
        self.shape = shape
        self._lock = threading.Lock()
        self._file = path.open("rb", buffering=0)
        weakref.finalize(self, self._file.close)

    @classmethod
    def of_npy(cls, path: Path) -> RowReader:
        """Open a matrix in an `.npy` file.

        Raises:
            ValueError: it is not one.
        """
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
            if len(shape) != 2 or by_column or dtype.hasobject:
                raise ValueError(f"{path.name} is not a matrix of numbers, row by row")
            return cls(path, dtype, shape, file.tell())

    @cached_property
    def _mapped(self) -> Array | None:
        size = self.shape[0] * self.shape[1] * self._dtype.itemsize
        if not 0 < size <= _MAPPED_UP_TO:
            return None
        with self._lock:
            # Of the open file: its generation may have been deleted meanwhile.
            if self._start + size > os.fstat(self._file.fileno()).st_size:
                raise OSError(f"{self._path} ends too early")
            mapped = np.memmap(self._file, self._dtype, "r", self._start, self.shape)
        # As a plain array: each index into a memmap object would cost a microsecond.
        return np.asarray(mapped)

    def read(self, first: int, last: int) -> Array:
        """Rows [first, last), shape (last - first, width)."""
        return self.pieces(np.array([first]), np.array([last]))

    def rows(self, rows: Rows) -> Array:
        """These rows in this order, shape (len(rows), width)."""
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        first = rows[np.concatenate([[0], breaks])] if len(rows) else rows
        last = rows[np.concatenate([breaks - 1, [-1]])] + 1 if len(rows) else rows
        return self.pieces(first, last)

    def pieces(self, first: Rows, last: Rows) -> Array:
        """Rows [first[i], last[i]) of every piece, one piece after the other.

        Raises:
            OSError: the file cannot be read, or ends too early.
        """
        # One piece is one read; mapped, what is read whole would be in memory twice.
        if len(first) > 1 and self._mapped is not None:
            counts = last - first
            places = np.arange(counts.sum()) + np.repeat(last - np.cumsum(counts), counts)
            found: Array = self._mapped[places]
            return found
        width = self.shape[1]
        ends = np.cumsum(last - first).tolist()
        matrix = np.empty((ends[-1] if ends else 0, width), dtype=self._dtype)
        if not matrix.size:
            return matrix
        place, size, file = 0, self._dtype.itemsize * width, self._file
        with self._lock, matrix.data.cast("B") as view:
            for row, end in zip(first.tolist(), ends, strict=True):
                file.seek(self._start + row * size)
                while place < end * size:
                    got = file.readinto(view[place : end * size])
                    if not got:
                        raise OSError(f"{self._path} ends too early")
                    place += got
        return matrix
