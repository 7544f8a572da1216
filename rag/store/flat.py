"""Chunk vectors in a file of FAISS's flat index (`IndexFlatIP`), which `faiss.read_index` opens.

FAISS writes an index from memory only, and importing it costs a cold question more than searching:
so its file is written and read here. It is a header that holds the number of vectors and, as its
last field, that of their coordinates; then the vectors follow as they are. Tests compare the file
with what FAISS writes, and what is found in it with what FAISS finds.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from rag.store.arrays import ArrayWriter, RowReader

_HEADER = struct.Struct("<4siqqq?iq")
_KIND = b"IxFI"
_UNUSED = 1 << 20
_INNER_PRODUCT = 0


class FlatWriter(ArrayWriter):
    """Writes a flat index of unknown length."""

    def __init__(self, path: Path, dimension: int) -> None:
        """Create the file for vectors of this length."""
        super().__init__(path, np.float32, dimension)

    def _write_header(self, file: BinaryIO) -> None:
        (dimension,) = self._width
        file.write(
            _HEADER.pack(
                _KIND, dimension, self.count, _UNUSED, _UNUSED, True, _INNER_PRODUCT,
                self.count * dimension,
            )
        )  # fmt: skip


def open_flat(path: Path) -> RowReader:
    """The vectors of a flat index.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no flat index of inner products.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
    if len(header) < _HEADER.size:
        raise ValueError(f"{path.name} ends too early")
    kind, dimension, count, _, _, _, metric, size = _HEADER.unpack(header)
    if (kind, metric, size) != (_KIND, _INNER_PRODUCT, count * dimension):
        raise ValueError(f"{path.name} is not a flat index of inner products")
    return RowReader(path, np.float32, (count, dimension), _HEADER.size)
