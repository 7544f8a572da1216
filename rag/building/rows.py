"""The rows of a new generation in order: runs of documents taken over, and new ones between."""

from __future__ import annotations

from collections.abc import Sequence

from rag.building.writing import SearchWriter
from rag.embedding import vector_key
from rag.store.table_writer import TableWriter
from rag.store.tables import FileState, Seen
from rag.text.tokens import count_llm_tokens
from rag.types import Chunk, Document


class Rows:
    """Appends documents to the tables and to what is searched: row i of each is the same chunk.

    Unchanged neighbours are taken over in one step, so that a build costs what changed.

    Attributes:
        copied: how many documents were taken over.
    """

    def __init__(self, tables: TableWriter, search: SearchWriter) -> None:
        self._tables, self._search = tables, search
        self._first: Seen | None = None
        self._last: Seen | None = None
        self.copied = 0

    def copy(self, name: str, seen: Seen, state: FileState) -> None:
        """Take a document of the previous generation over."""
        if self._last is not None and seen.row != self._last.row + 1:
            self.flush()
        self._first, self._last = self._first or seen, seen
        self.copied += 1
        if state.mtime_ns != seen.file.mtime_ns:
            self.flush()
            self._tables.touch(name, state.mtime_ns)

    def add(self, document: Document, state: FileState, chunks: Sequence[Chunk]) -> None:
        """Append a document that was read."""
        self.flush()
        keys = [vector_key(chunk) for chunk in chunks]
        self._tables.add(document, state, chunks, keys, count_llm_tokens(document.text))
        self._search.add(chunks, keys)

    def flush(self) -> None:
        """Write what waits to be taken over."""
        if self._first is not None and self._last is not None:
            self._tables.copy(self._first, self._last)
            first, end = self._first.first_chunk, self._last.first_chunk + self._last.chunks
            self._search.copy(first, end)
        self._first = self._last = None
