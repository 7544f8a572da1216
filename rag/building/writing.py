"""What a generation is searched with, vectors and BM25, written while documents are being read.

Passages come in row order. A thread of its own embeds them, a window at a time: one reads on
while the other computes. Few windows wait, so memory does not grow with the corpus.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.embedding import Embedder, Progress
from rag.encoders import Encoder
from rag.store.generation import Generation
from rag.store.journal import Journal
from rag.store.postings import LexicalWriter
from rag.store.vectors import VectorWriter
from rag.types import Chunk

_WINDOW = 256
"""Chunks embedded between two commits of the journal."""
_AHEAD = 4
"""Windows that wait to be embedded at most."""
_LOOK_SECONDS = 0.1
"""So often the reading side, while it waits, looks how far the embedding is."""


@dataclass(frozen=True, slots=True)
class _Copied:
    """Rows [first, last) of the known generation."""

    first: int
    last: int


@dataclass(slots=True)
class _Window:
    """What is written at once: rows taken over, and a number of new chunks between them."""

    parts: list[_Copied | int] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    work: int = 0
    """Characters whose vectors are not known."""


class SearchWriter:
    """Writes vectors and BM25 of a new generation.

    Used as a context: leaving it ends the thread, and frees the files; what was not finished by
    then is lost.

    Attributes:
        embedded: chunks computed; complete after `finish`.
    """

    def __init__(
        self,
        folder: Path,
        encoder: Encoder,
        known: Generation | None,
        journal: Path,
        progress: Progress,
    ) -> None:
        """Begin an empty index.

        Args:
            folder: of the new generation.
            encoder: for the chunks whose vectors are not known.
            known: the published generation, or None if it was made with another encoder.
            journal: where vectors are kept until the generation is whole.
            progress: told of "embedding", by the thread that calls.
        """
        self._known, self._progress = known, progress
        self._vectors = VectorWriter(folder, encoder.dimension, known.vectors if known else None)
        self._lexical = LexicalWriter(folder / "lexical", known.lexical if known else None)
        self._journal = Journal(journal, encoder.digest, encoder.dimension)
        self._embedder = Embedder(encoder, known, self._journal)
        self._window = _Window()
        self._windows: queue.Queue[_Window | None] = queue.Queue(_AHEAD)
        self._done = self._total = 0
        self._failure: BaseException | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="embedding", daemon=True)
        self._thread.start()

    @property
    def embedded(self) -> int:
        """Chunks computed so far; the same text twice counts once."""
        return self._embedder.embedded

    def add(self, chunks: Sequence[Chunk], keys: Sequence[bytes]) -> None:
        """Append chunks whose `vector_key`s are `keys`; waits while much is to be embedded."""
        self._lexical.add(chunk.searched for chunk in chunks)
        start = 0
        while start < len(chunks):
            window = self._window
            end = min(len(chunks), start + _WINDOW - len(window.chunks))
            window.chunks += chunks[start:end]
            window.keys += keys[start:end]
            window.parts.append(end - start)
            work = sum(
                len(chunk.enriched)
                for chunk, key in zip(chunks[start:end], keys[start:end], strict=True)
                if not self._embedder.knows(key)
            )
            window.work += work
            self._total += work
            start = end
            if len(window.chunks) == _WINDOW:
                self._hand_over()

    def copy(self, first: int, last: int) -> None:
        """Append rows [first, last) of the known generation as they are."""
        self._lexical.copy(first, last)
        self._window.parts.append(_Copied(first, last))

    def finish(self) -> None:
        """Wait until everything is embedded, and complete the files."""
        self._hand_over()
        self._wait_to(lambda: self._windows.put(None, timeout=_LOOK_SECONDS))
        self._lexical.close()
        while self._thread.is_alive():
            self._thread.join(_LOOK_SECONDS)
            self._tell()
        self._check()
        self._vectors.close()
        self._tell()

    def __enter__(self) -> SearchWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        while self._thread.is_alive():
            try:
                self._windows.put(None, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            self._thread.join()
        self._journal.close()

    def _hand_over(self) -> None:
        window, self._window = self._window, _Window()
        self._tell()
        self._wait_to(lambda: self._windows.put(window, timeout=_LOOK_SECONDS))

    def _wait_to(self, put: Callable[[], None]) -> None:
        while True:
            self._check()
            try:
                return put()
            except queue.Full:
                self._tell()

    def _tell(self) -> None:
        self._progress("embedding", self._done, self._total)

    def _check(self) -> None:
        """Raise here what was raised in the thread."""
        if self._failure is not None:
            raise self._failure

    # The thread that embeds

    def _work(self) -> None:
        try:
            while (window := self._windows.get()) is not None and not self._stopped:
                self._write(window)
                self._done += window.work
        except BaseException as error:  # noqa: BLE001 - raised again by `_check`
            self._failure = error

    def _write(self, window: _Window) -> None:
        computed = iter(self._embedder.vectors(window.chunks, window.keys))
        for part in window.parts:
            if isinstance(part, int):
                self._vectors.add([next(computed) for _ in range(part)])
                continue
            self._vectors.copy(part.first, part.last)
