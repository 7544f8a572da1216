"""The file in which the chat keeps conversations and feedback: SQLite, one for a whole index.

It lies outside the index, so that neither a rebuild nor a new index touches what people asked.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock

from rag.errors import ConversationsUnusable
from rag.settings import Settings

FILE = "conversations.sqlite"
VERSION = 1
_WAIT = 10.0
"""Seconds to wait for another process that is writing."""

_SCHEMA = """
CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    filters TEXT NOT NULL DEFAULT '{}',
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    deleted TEXT
) STRICT;
CREATE INDEX conversations_of_owner ON conversations (owner, updated);
CREATE TABLE turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    asked TEXT NOT NULL,
    question TEXT NOT NULL,
    text TEXT NOT NULL,
    abstained INTEGER NOT NULL,
    generation TEXT NOT NULL,
    reply TEXT NOT NULL,
    copied INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX turns_of_conversation ON turns (conversation, asked);
CREATE TABLE feedback (
    turn INTEGER PRIMARY KEY REFERENCES turns (id) ON DELETE CASCADE,
    verdict TEXT NOT NULL CHECK (verdict IN ('up', 'down')),
    reason TEXT NOT NULL DEFAULT '',
    given TEXT NOT NULL
) STRICT;
"""


def folder_of(settings: Settings) -> Path | None:
    """Where conversations are kept; None if the settings say that none are."""
    chosen = settings.conversations.strip()
    if chosen.lower() == "off":
        return None
    if chosen.lower() in ("", "beside"):
        index = settings.index.absolute()
        return index.with_name(f"{index.name}-conversations")
    return Path(chosen)


def now() -> str:
    """This moment: UTC, ISO 8601, in a form that sorts."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Database:
    """One open file, shared by the threads of a process; other processes may use it as well.

    What `transaction` has returned from is kept even if the process dies at once; a power cut can
    take the last moments, but never leaves half of a change.
    """

    def __init__(self, folder: Path) -> None:
        """Open the file in a folder, making both if they are not there.

        Raises:
            ConversationsUnusable: that is not possible, or a newer version of rag wrote it.
        """
        self.path = folder / FILE
        self._lock = RLock()
        try:
            # Others on this machine have no business with what people asked.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self.path, timeout=_WAIT, check_same_thread=False, isolation_level=None
            )
            self.path.chmod(0o600)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        try:
            self._connection.row_factory = sqlite3.Row
            self._connection.create_function("folded", 1, folded, deterministic=True)
            self._connection.execute("PRAGMA journal_mode = WAL")
            for pragma in ("synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON"):
                self._connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        with self.transaction() as connection:
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            if found > VERSION:
                raise ConversationsUnusable(
                    f"{self.path} is of format {found}, this version of rag knows {VERSION}: get a "
                    "newer one, or set `conversations` to another folder"
                )
            if found == 0:
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is done inside, or nothing of it.

        Raises:
            ConversationsUnusable: the file cannot be read or written.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                except BaseException:
                    self._connection.rollback()
                    raise
                self._connection.commit()
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def forget(self) -> None:
        """Take what was deleted out of the journal as well, as far as nobody is reading it."""
        with self._lock:
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    def close(self) -> None:
        """Free the file."""
        with self._lock:
            self._connection.close()

    def _unusable(self, reason: Exception) -> ConversationsUnusable:
        return ConversationsUnusable(
            f"conversations cannot be kept in {self.path} ({reason}): make it readable and "
            "writable, set `conversations` to another folder, or to off"
        )


def folded(text: str) -> str:
    """Text for comparing, whatever its capitals and however its accents are encoded.

    SQLite's own comparison knows the capitals of ASCII only.
    """
    return unicodedata.normalize("NFC", text).casefold()
