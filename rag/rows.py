"""The rows of a new generation in order: runs of documents taken over, and new ones between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.embedding import Run, vector_key
from rag.store.table_writer import TableWriter
from rag.store.tables import FileState, Seen
from rag.tokens import count_llm_tokens
from rag.types import Chunk, Document


class Rows:
    """Appends documents to the tables, and notes which chunks came from where.

    Unchanged neighbours are taken over in one step, so that a build costs what changed.

    Attributes:
        runs: all chunks so far, in row order; complete after `finish`.
        copied: how many documents were taken over.
    """

    def __init__(self, tables: TableWriter) -> None:
        self._tables = tables
        self._waiting: list[Seen] = []
        self.runs: list[Run] = []
        self.copied = 0

    def copy(self, name: str, seen: Seen, state: FileState) -> None:
        """Take a document of the previous generation over."""
        if self._waiting and seen.row != self._waiting[-1].row + 1:
            self.finish()
        self._waiting.append(seen)
        if state.mtime_ns != seen.file.mtime_ns:
            self.finish()
            self._tables.touch(name, state.mtime_ns)

    def add(self, document: Document, state: FileState, chunks: Sequence[Chunk]) -> None:
        """Append a document that was read."""
        self.finish()
        start, keys = self._tables.chunks, [vector_key(chunk) for chunk in chunks]
        self._tables.add(document, state, chunks, keys, count_llm_tokens(document.text))
        self._note(Run(start, self._tables.chunks, None))

    def finish(self) -> None:
        """Write what waits to be taken over."""
        if not self._waiting:
            return
        start, first = self._tables.chunks, self._waiting[0]
        self._tables.copy(first, self._waiting[-1])
        self._note(Run(start, self._tables.chunks, first.first_chunk))
        self.copied += len(self._waiting)
        self._waiting = []

    def _note(self, run: Run) -> None:
        """Append a run, or lengthen the last one where it goes on."""
        last = self.runs[-1] if self.runs else None
        length = last.end - last.start if last else 0
        if last and run.old == (None if last.old is None else last.old + length):
            self.runs[-1] = replace(last, end=run.end)
        else:
            self.runs.append(run)
