"""Documents, chunks and sentences in one SQLite file. Row i of a table is the i-th of its kind.

`table_writer.py` writes it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import IndexDamaged, UsageError
from rag.text.markup import plain_lead
from rag.types import Block, Chunk, Document, Page, Sentence


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
        sha256: hex digest of the canonical text.
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
    sha256: str
    file: FileState


@dataclass(frozen=True, slots=True)
class Seen:
    """What a build has to know of an indexed document, to see that it is unchanged.

    Attributes:
        row: position in the generation.
        first_chunk: row of its first chunk.
        chunks: how many chunks it has.
        sha256: hex digest of the canonical text.
        file: its file at the time of the build.
    """

    row: int
    first_chunk: int
    chunks: int
    sha256: str
    file: FileState


def read_only_uri(path: Path) -> str:
    """The address that opens a database without locks: it never changes."""
    return f"{path.absolute().as_uri()}?mode=ro&immutable=1"


class Tables:
    """Read-only view of a generation's tables; safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Open the file without locks: it never changes.

        Raises:
            IndexDamaged: it is not there, or not a database; so do all methods if it turns out to
                be damaged. After `close` they raise UsageError.
        """
        self._path = path
        try:
            self._connection = sqlite3.connect(
                read_only_uri(path), uri=True, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise self._damaged(str(error)) from error
        try:
            self._query("SELECT count(*) FROM documents")
        except IndexDamaged:
            self.close()
            raise

    def _query(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.ProgrammingError as error:  # Our SQL being right, this is the one cause.
            raise UsageError("this index is closed: open it again") from error
        except sqlite3.Error as error:
            raise self._damaged(str(error)) from error

    def _json(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (TypeError, ValueError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, reason: str) -> IndexDamaged:
        return IndexDamaged(
            f"{self._path} cannot be read ({reason}): run `rag build` for a new generation"
        )

    def _row(self, sql: str, parameters: Sequence[object]) -> Any:
        """The first row, or None."""
        return next(iter(self._query(sql, parameters)), None)

    def close(self) -> None:
        """Free the file."""
        self._connection.close()

    def document(self, document_id: str) -> Document | None:
        """The document with this id, or None."""
        row = self._row(
            "SELECT id, title, text, blocks, pages, metadata, sha256 "
            "FROM documents JOIN texts USING (row) WHERE id = ?",
            (document_id,),
        )
        if row is None:
            return None
        name, title, text, blocks, pages, metadata, sha256 = row
        document = Document(
            id=name,
            title=title,
            text=text,
            blocks=tuple(Block(*block) for block in self._json(blocks)),
            pages=tuple(Page(*page) for page in self._json(pages)),
            metadata=self._json(metadata),
        )
        if document.sha256 != sha256:
            raise self._damaged(f"the text of {name} differs from its checksum")
        return document

    def documents(self) -> list[DocumentInfo]:
        """All documents in row order, which is the order of their ids."""
        rows = self._query(
            "SELECT row, id, title, metadata, first_chunk, chunks, characters, tokens, sha256, "
            "file_sha256, size, mtime_ns FROM documents ORDER BY row"
        )
        return [
            DocumentInfo(
                row=row[0],
                id=row[1],
                title=row[2],
                metadata=self._json(row[3]),
                first_chunk=row[4],
                chunks=row[5],
                characters=row[6],
                tokens=row[7],
                sha256=row[8],
                file=FileState(*row[9:]),
            )
            for row in rows
        ]

    def in_metadata(self, word: str) -> bool:
        """True if the metadata of a document hold this word anywhere."""
        return bool(
            self._query("SELECT 1 FROM documents WHERE instr(metadata, ?) LIMIT 1", (word,))
        )

    def seen(self) -> dict[str, Seen]:
        """What the last build saw of each document, by id, in row order."""
        rows = self._query(
            "SELECT id, row, first_chunk, chunks, sha256, file_sha256, size, mtime_ns "
            "FROM documents ORDER BY row"
        )
        return {
            name: Seen(row, first_chunk, chunks, sha256, FileState(*file))
            for name, row, first_chunk, chunks, sha256, *file in rows
        }

    def with_metadata(self, *keys: str) -> list[tuple[str, dict[str, Any]]]:
        """Id and metadata of the documents whose metadata have one of these keys."""
        found: dict[str, dict[str, Any]] = {}
        for key in keys:
            rows = self._query(
                "SELECT id, metadata FROM documents WHERE instr(metadata, ?)", (f'"{key}": ',)
            )
            found.update({row[0]: self._json(row[1]) for row in rows})
        return sorted(found.items())

    def page_counts(self) -> dict[str, int]:
        """How many pages each document has that has pages, by id."""
        return dict(
            self._query(
                "SELECT id, json_array_length(pages) FROM documents JOIN texts USING (row) "
                "WHERE pages <> '[]'"
            )
        )

    def failures(self) -> dict[str, tuple[str, FileState]]:
        """Documents that could not be read: id → reason and file."""
        rows = self._query("SELECT id, reason, file_sha256, size, mtime_ns FROM failures")
        return {row[0]: (row[1], FileState(*row[2:])) for row in rows}

    def chunks(self, rows: Sequence[int]) -> list[Chunk]:
        """The chunks at these rows, in this order."""
        stored = self._by_row(
            'SELECT row, document, start, "end", headings, page, enriched, sentences FROM chunks '
            "WHERE row IN (SELECT value FROM json_each(?))",
            set(rows),
        )
        documents = self._by_row(
            "SELECT row, id, title, text FROM documents JOIN texts USING (row) "
            "WHERE row IN (SELECT value FROM json_each(?))",
            {row[0] for row in stored.values()},
        )
        found = []
        for number in rows:
            if number not in stored:
                raise self._damaged(f"chunk {number} is missing")
            document, start, end, headings, page, enriched, sentences = stored[number]
            if document not in documents:
                raise self._damaged(f"document {document} of chunk {number} is missing")
            name, title, text = documents[document]
            found.append(
                Chunk(
                    document=name,
                    start=start,
                    end=end,
                    text=text[start:end],
                    title=title,
                    headings=tuple(self._json(headings)),
                    page=page,
                    sentences=_sentences(name, text, self._json(sentences)),
                    enriched=enriched,
                )
            )
        return found

    def _by_row(self, sql: str, rows: Collection[int]) -> dict[int, Any]:
        """Row → what is selected of it after the row itself; what is missing is left out.

        The rows are one parameter, for there may be more of them than SQLite takes parameters.
        """
        found = self._query(sql, (json.dumps(sorted(rows)),))
        return {row: columns for row, *columns in found}

    def find_vectors(self, key: bytes) -> tuple[int, int, int] | None:
        """Row of a chunk with this vector key and [first, end) of its sentence rows, or None."""
        found: tuple[int, int, int] | None = self._row(
            "SELECT row, first_sentence, first_sentence + json_array_length(sentences) "
            "FROM chunks WHERE key = ? LIMIT 1",
            (key,),
        )
        return found

    def integrity(self) -> str:
        """What SQLite finds wrong with its file, or nothing."""
        (found,) = self._query("PRAGMA integrity_check(1)")[0]
        return "" if found == "ok" else str(found)

    def enriched(self) -> Iterator[str]:
        """What was embedded, chunk by chunk in row order; for tests and benchmarks."""
        for (text,) in self._connection.execute("SELECT enriched FROM chunks ORDER BY row"):
            yield text


def _sentences(document: str, text: str, stored: list[Any]) -> tuple[Sentence, ...]:
    sentences = []
    for start, end, kind, lead, *more in stored:
        # Older generations have neither.
        above, marker = more or ((), "")
        span = tuple(lead) if lead else None
        lead_text = plain_lead(document, text[slice(*lead)], kind) if lead else ""
        leads = tuple(map(tuple, above))
        sentences.append(Sentence(start, end, kind, span, lead_text, leads, marker))
    return tuple(sentences)
