"""Writing the tables of a generation: documents one by one, or runs of them taken over whole."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.errors import IndexDamaged
from rag.store.tables import FileState, Seen, read_only_uri
from rag.types import Chunk, Document, Sentence

# Texts lie apart, so that what is known about all documents is read without reading them.
_SCHEMA = """
CREATE TABLE documents(
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, metadata TEXT NOT NULL,
    file_sha256 TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    first_chunk INTEGER NOT NULL, chunks INTEGER NOT NULL, characters INTEGER NOT NULL,
    tokens INTEGER NOT NULL, sha256 TEXT NOT NULL);
CREATE TABLE texts(
    row INTEGER PRIMARY KEY, text TEXT NOT NULL, blocks TEXT NOT NULL, pages TEXT NOT NULL);
CREATE TABLE chunks(
    row INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, headings TEXT NOT NULL, page INTEGER, enriched TEXT NOT NULL,
    key BLOB NOT NULL, first_sentence INTEGER NOT NULL, sentences TEXT NOT NULL);
CREATE TABLE failures(
    id TEXT PRIMARY KEY, reason TEXT NOT NULL,
    file_sha256 TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL);
"""
_INDEX = "CREATE INDEX chunks_by_key ON chunks(key)"
"""Made when all rows are there: an index that grows with them costs several times as much."""

_COPY = (
    "INSERT INTO documents SELECT row + :documents, id, title, metadata, file_sha256, size, "
    "mtime_ns, first_chunk + :chunks, chunks, characters, tokens, sha256 "
    "FROM old.documents WHERE row >= :first AND row < :last ORDER BY row",
    "INSERT INTO texts SELECT row + :documents, text, blocks, pages "
    "FROM old.texts WHERE row >= :first AND row < :last ORDER BY row",
    'INSERT INTO chunks SELECT row + :chunks, document + :documents, start, "end", headings, page, '
    "enriched, key, first_sentence + :sentences, sentences "
    "FROM old.chunks WHERE row >= :first_chunk AND row < :last_chunk ORDER BY row",
)
"""Takes over a run of documents; all that changes is their position."""
_PRIMARY = 0xFF
"""Where an error of SQLite says of which kind it is; the rest is a detail."""
_UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
"""The last: our SQL being right, a table is missing or its JSON is broken. No room is another."""


def _stored(sentence: Sentence) -> list[Any]:
    """A sentence as `tables` reads it."""
    return [
        sentence.start, sentence.end, sentence.kind, sentence.lead, sentence.above,
        sentence.marker,
    ]  # fmt: skip


class TableWriter:
    """Writes the tables of a new generation, in row order."""

    def __init__(self, path: Path, previous: Path | None = None) -> None:
        """Create the file; it must not exist. `copy` takes over rows of `previous`."""
        address = path.absolute().as_uri()
        self._connection = sqlite3.connect(address, uri=True, isolation_level=None)
        # Written aside and synced as a whole before it counts: no journal is needed.
        self._connection.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_SCHEMA}"
        )
        if previous is not None:
            self._connection.execute("ATTACH ? AS old", (read_only_uri(previous),))
        self._connection.execute("BEGIN")
        self.documents = self.chunks = self.sentences = 0

    def add(
        self,
        document: Document,
        file: FileState,
        chunks: Sequence[Chunk],
        keys: Sequence[bytes],
        tokens: int,
    ) -> None:
        """Append a document and its chunks.

        Args:
            document: the document.
            file: the file it came from.
            chunks: its chunks in text order.
            keys: for each chunk, the digest under which its vectors are known.
            tokens: the document's size in tokens of a language model.
        """
        self._connection.execute(
            "INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                self.documents,
                document.id,
                document.title,
                json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True),
                file.sha256,
                file.size,
                file.mtime_ns,
                self.chunks,
                len(chunks),
                len(document.text),
                tokens,
                document.sha256,
            ),
        )
        self._connection.execute(
            "INSERT INTO texts VALUES (?,?,?,?)",
            (
                self.documents,
                document.text,
                json.dumps([[b.kind, b.start, b.end, b.level] for b in document.blocks]),
                json.dumps([[p.number, p.start, p.end] for p in document.pages]),
            ),
        )
        for chunk, key in zip(chunks, keys, strict=True):
            self._connection.execute(
                "INSERT INTO chunks VALUES (?,?,?,?,?,?,?,?,?,?)",
                (
                    self.chunks,
                    self.documents,
                    chunk.start,
                    chunk.end,
                    json.dumps(chunk.headings, ensure_ascii=False),
                    chunk.page,
                    chunk.enriched,
                    key,
                    self.sentences,
                    json.dumps(list(map(_stored, chunk.sentences))),
                ),
            )
            self.chunks += 1
            self.sentences += len(chunk.sentences)
        self.documents += 1

    def copy(self, first: Seen, last: Seen) -> None:
        """Append the documents from `first` to `last` of the previous generation, as they are.

        Raises:
            IndexDamaged: the previous generation cannot be read.
        """
        end = last.first_chunk + last.chunks
        try:
            start_sentence, end_sentence = map(self._sentences_before, (first.first_chunk, end))
            shift = {
                "documents": self.documents - first.row,
                "chunks": self.chunks - first.first_chunk,
                "sentences": self.sentences - start_sentence,
                "first": first.row,
                "last": last.row + 1,
                "first_chunk": first.first_chunk,
                "last_chunk": end,
            }
            for statement in _COPY:
                self._connection.execute(statement, shift)
        except sqlite3.DatabaseError as error:
            # An error of Python's own, such as use after closing, has no code.
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)
            if code & _PRIMARY in _UNREADABLE:
                raise IndexDamaged(f"the published generation cannot be read: {error}") from error
            raise
        self.documents += last.row + 1 - first.row
        self.chunks += end - first.first_chunk
        self.sentences += end_sentence - start_sentence

    def _sentences_before(self, chunk: int) -> int:
        """How many sentences the previous generation has before this chunk."""
        found = self._connection.execute(
            "SELECT first_sentence + json_array_length(sentences) FROM old.chunks WHERE row = ?",
            (chunk - 1,),
        ).fetchone()
        return int(found[0]) if found else 0

    def touch(self, document: str, mtime_ns: int) -> None:
        """Note a new time of change of a document that was copied."""
        self._connection.execute(
            "UPDATE documents SET mtime_ns = ? WHERE id = ?", (mtime_ns, document)
        )

    def add_failure(self, document: str, reason: str, file: FileState) -> None:
        """Remember a document that cannot be read, so that it is not tried again unchanged."""
        self._connection.execute(
            "INSERT INTO failures VALUES (?,?,?,?,?)",
            (document, reason, file.sha256, file.size, file.mtime_ns),
        )

    def close(self) -> None:
        """Commit and close; durable only once the file has been synced."""
        try:
            if self._connection.in_transaction:
                self._connection.execute(_INDEX)
                self._connection.execute("COMMIT")
        finally:
            self._connection.close()
