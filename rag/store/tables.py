"""Documents, chunks and sentences in one SQLite file. Row i of a table is the i-th of its kind."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import IndexDamaged
from rag.types import Block, Chunk, Document, Page, Sentence

_SCHEMA = """
CREATE TABLE documents(
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, text TEXT NOT NULL,
    blocks TEXT NOT NULL, pages TEXT NOT NULL, metadata TEXT NOT NULL,
    file_sha256 TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    first_chunk INTEGER NOT NULL, chunks INTEGER NOT NULL, tokens INTEGER NOT NULL);
CREATE TABLE chunks(
    row INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL,
    "end" INTEGER NOT NULL, headings TEXT NOT NULL, page INTEGER, enriched TEXT NOT NULL,
    key BLOB NOT NULL, first_sentence INTEGER NOT NULL, sentences TEXT NOT NULL);
CREATE INDEX chunks_by_key ON chunks(key);
CREATE TABLE failures(
    id TEXT PRIMARY KEY, reason TEXT NOT NULL,
    file_sha256 TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class FileState:
    """How the file of a document looked when it was read: enough to know that it is unchanged."""

    sha256: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document without its text.

    Attributes:
        row: position in the generation.
        chunks: how many chunks it has; `first_chunk` is the row of the first.
        characters: length of the canonical text.
        tokens: the same in tokens of a language model.
        file: its file at the time of the build.
    """

    row: int
    id: str
    title: str
    metadata: dict[str, Any]
    first_chunk: int
    chunks: int
    characters: int
    tokens: int
    file: FileState


class TableWriter:
    """Writes the tables of a new generation, in row order."""

    def __init__(self, path: Path) -> None:
        """Create the file; it must not exist."""
        self._connection = sqlite3.connect(path, isolation_level=None)
        # Written aside and synced as a whole before it counts: no journal is needed.
        self._connection.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_SCHEMA} BEGIN;"
        )
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
            "INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                self.documents,
                document.id,
                document.title,
                document.text,
                json.dumps([[b.kind, b.start, b.end, b.level] for b in document.blocks]),
                json.dumps([[p.number, p.start, p.end] for p in document.pages]),
                json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True),
                file.sha256,
                file.size,
                file.mtime_ns,
                self.chunks,
                len(chunks),
                tokens,
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
                    json.dumps([[s.start, s.end, s.kind] for s in chunk.sentences]),
                ),
            )
            self.chunks += 1
            self.sentences += len(chunk.sentences)
        self.documents += 1

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
                self._connection.execute("COMMIT")
        finally:
            self._connection.close()


class Tables:
    """Read-only view of a generation's tables; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Open the file without locks: it never changes.

        Raises:
            IndexDamaged: it is not a database; so do all methods if it turns out to be damaged.
        """
        self._path = path
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        try:
            self._query("SELECT count(*) FROM documents")
        except IndexDamaged:
            self.close()
            raise

    def _query(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise IndexDamaged(
                f"{self._path} cannot be read ({error}): run `rag build` for a new generation"
            ) from error

    def _row(self, sql: str, parameters: Sequence[object]) -> Any:
        """The first row, or None."""
        return next(iter(self._query(sql, parameters)), None)

    def close(self) -> None:
        """Free the file."""
        self._connection.close()

    def document(self, document_id: str) -> Document | None:
        """The document with this id, or None."""
        row = self._row(
            "SELECT id, title, text, blocks, pages, metadata FROM documents WHERE id = ?",
            (document_id,),
        )
        if row is None:
            return None
        name, title, text, blocks, pages, metadata = row
        return Document(
            id=name,
            title=title,
            text=text,
            blocks=tuple(Block(*block) for block in json.loads(blocks)),
            pages=tuple(Page(*page) for page in json.loads(pages)),
            metadata=json.loads(metadata),
        )

    def documents(self) -> list[DocumentInfo]:
        """All documents in row order, which is the order of their ids."""
        rows = self._query(
            "SELECT row, id, title, metadata, first_chunk, chunks, length(text), tokens, "
            "file_sha256, size, mtime_ns FROM documents ORDER BY row"
        )
        return [
            DocumentInfo(
                row=row[0],
                id=row[1],
                title=row[2],
                metadata=json.loads(row[3]),
                first_chunk=row[4],
                chunks=row[5],
                characters=row[6],
                tokens=row[7],
                file=FileState(*row[8:]),
            )
            for row in rows
        ]

    def failures(self) -> dict[str, tuple[str, FileState]]:
        """Documents that could not be read: id → reason and file."""
        rows = self._query(
            "SELECT id, reason, file_sha256, size, mtime_ns FROM failures"
        )
        return {row[0]: (row[1], FileState(*row[2:])) for row in rows}

    def chunks(self, rows: Sequence[int]) -> list[Chunk]:
        """The chunks at these rows, in this order."""
        documents: dict[int, tuple[str, str, str]] = {}
        found = []
        for row in rows:
            document, start, end, headings, page, enriched, sentences = self._row(
                'SELECT document, start, "end", headings, page, enriched, sentences '
                "FROM chunks WHERE row = ?",
                (row,),
            )
            if document not in documents:
                documents[document] = self._row(
                    "SELECT id, title, text FROM documents WHERE row = ?", (document,)
                )
            name, title, text = documents[document]
            found.append(
                Chunk(
                    document=name,
                    start=start,
                    end=end,
                    text=text[start:end],
                    title=title,
                    headings=tuple(json.loads(headings)),
                    page=page,
                    sentences=tuple(Sentence(*s) for s in json.loads(sentences)),
                    enriched=enriched,
                )
            )
        return found

    def chunk_keys(self, first: int, count: int) -> list[bytes]:
        """The vector keys of `count` chunks from row `first` on."""
        rows = self._query(
            "SELECT key FROM chunks WHERE row >= ? AND row < ? ORDER BY row", (first, first + count)
        )
        return [row[0] for row in rows]

    def find_vectors(self, key: bytes) -> tuple[int, int, int] | None:
        """Row of a chunk with this vector key and [first, end) of its sentence rows, or None."""
        found: tuple[int, int, int] | None = self._row(
            "SELECT row, first_sentence, first_sentence + json_array_length(sentences) "
            "FROM chunks WHERE key = ? LIMIT 1",
            (key,),
        )
        return found

    def enriched(self) -> Iterator[str]:
        """What is searched, chunk by chunk in row order."""
        for (text,) in self._connection.execute("SELECT enriched FROM chunks ORDER BY row"):
            yield text
