"""Vectors of an unfinished build. A build that was killed goes on where it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]


def journal_path(index: Path) -> Path:
    """Where it lies in the index folder."""
    return index / "journal.sqlite"


class Journal:
    """A small database in the index folder, emptied when a generation is published."""

    def __init__(self, path: Path, encoder_digest: str, dimension: int) -> None:
        """Open or create it; vectors of another encoder, or a damaged file, are thrown away."""
        self._path, self._digest, self._dimension = path, encoder_digest, dimension
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError:
            clear_journal(path)
            self._connection = self._open()

    def _open(self) -> sqlite3.Connection:
        # One thread writes and another asks what is there: SQLite itself keeps them apart.
        connection = sqlite3.connect(self._path, check_same_thread=False)
        try:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors("
                "encoder TEXT, key BLOB, chunk BLOB, sentences BLOB, PRIMARY KEY(encoder, key))"
            )
            connection.execute("DELETE FROM vectors WHERE encoder <> ?", (self._digest,))
            connection.commit()
            if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                raise sqlite3.DatabaseError(f"{self._path} is damaged")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def find(self, key: bytes) -> tuple[Matrix, npt.NDArray[np.float16]] | None:
        """The vector of a chunk, shape (d,), and of its sentences, shape (n, d); or None."""
        row = self._connection.execute(
            "SELECT chunk, sentences FROM vectors WHERE encoder = ? AND key = ?",
            (self._digest, key),
        ).fetchone()
        if row is None:
            return None
        sentences = np.frombuffer(row[1], dtype=np.float16).reshape(-1, self._dimension)
        return np.frombuffer(row[0], dtype=np.float32), sentences

    def add(self, rows: Iterable[tuple[bytes, Matrix, npt.NDArray[np.float16]]]) -> None:
        """Remember (key, chunk vector, sentence vectors); they survive a killed process."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?,?,?,?)",
            ((self._digest, k, c.tobytes(), s.tobytes()) for k, c, s in rows),
        )
        self._connection.commit()

    def close(self) -> None:
        """Free the file."""
        self._connection.close()


def clear_journal(path: Path) -> None:
    """Forget everything: the published generation holds it now."""
    for leftover in (path, path.with_name(path.name + "-journal")):
        leftover.unlink(missing_ok=True)
