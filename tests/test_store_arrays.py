"""Rows of a matrix on disk, read or mapped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.store import arrays
from rag.store.arrays import ArrayWriter, RowReader

MATRIX = np.arange(7 * 3, dtype=np.int16).reshape(7, 3)


@pytest.fixture(params=["read", "mapped"])
def reader(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RowReader:
    monkeypatch.setattr(arrays, "_MAPPED_UP_TO", 0 if request.param == "read" else 1_000)
    writer = ArrayWriter(tmp_path / "matrix.npy", np.int16, 3)
    writer.append(MATRIX[:5])
    writer.append(MATRIX[5:])
    writer.close()
    return RowReader.of_npy(tmp_path / "matrix.npy")


@pytest.mark.parametrize("rows", [[], [3], [0, 1, 2], [6, 0, 3, 4], [2, 2]])
def test_rows_come_in_the_order_asked_for(reader: RowReader, rows: list[int]) -> None:
    found = reader.rows(np.array(rows, dtype=np.int64))
    assert found.dtype == MATRIX.dtype
    assert found.tolist() == MATRIX[rows].tolist()


def test_pieces_stand_one_after_the_other(reader: RowReader) -> None:
    found = reader.pieces(np.array([4, 1, 2, 0]), np.array([7, 1, 3, 2]))
    assert found.tolist() == MATRIX[[4, 5, 6, 2, 0, 1]].tolist()


FIRST, LAST = np.array([0, 5]), np.array([5, 7])
"""All rows as two pieces."""


def test_what_is_read_whole_is_not_mapped(reader: RowReader) -> None:
    assert reader.read(0, 7).tolist() == MATRIX.tolist()
    assert "_mapped" not in vars(reader)


def test_what_was_read_is_a_copy(reader: RowReader) -> None:
    reader.read(0, 7)[:] = 0
    reader.pieces(FIRST, LAST)[:] = 0
    assert reader.pieces(FIRST, LAST).tolist() == MATRIX.tolist()
    assert reader.read(0, 7).tolist() == MATRIX.tolist()


def test_a_file_that_was_deleted_is_read_on(reader: RowReader, tmp_path: Path) -> None:
    (tmp_path / "matrix.npy").unlink()
    assert reader.pieces(FIRST, LAST).tolist() == MATRIX.tolist()
    assert reader.read(0, 7).tolist() == MATRIX.tolist()


def test_a_file_that_ends_too_early_is_an_error(reader: RowReader, tmp_path: Path) -> None:
    path = tmp_path / "matrix.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(OSError, match=r"matrix\.npy ends too early"):
        RowReader.of_npy(path).read(0, 7)
    with pytest.raises(OSError, match=r"matrix\.npy ends too early"):
        RowReader.of_npy(path).pieces(FIRST, LAST)
