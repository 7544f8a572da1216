"""Files → documents and their chunks, in order; documents that take time are read ahead."""

from __future__ import annotations

import json
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue

from rag.building.changes import KnownFiles, has_changed
from rag.building.corpus import CorpusFile
from rag.building.isolation import IsolatedReader, needs_isolation
from rag.chunking import chunk_document
from rag.encoders import Encoder
from rag.errors import DocumentError, RagError
from rag.loaders import Unopened, load
from rag.settings import Settings
from rag.store.tables import FileState
from rag.types import Chunk, Document

log = logging.getLogger(__name__)

_PROCESSES_AT_MOST = 4
_LOOK_AHEAD = 64
"""So many files on, a document that takes time is looked for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a file.

    Attributes:
        file: the file.
        state: how it looked.
        document: what it holds; None if it is as before, or cannot be read.
        chunks: of the document.
        reason: why it cannot be read, or "".
        seconds: how long it took.
    """

    file: CorpusFile
    state: FileState
    document: Document | None = None
    chunks: Sequence[Chunk] = ()
    reason: str = ""
    seconds: float = 0.0


class DocumentReader:
    """Reads documents, short plain ones here and all others in processes of their own.

    Used as a context: leaving it ends the processes, whatever they are doing.
    """

    def __init__(self, settings: Settings, encoder: Encoder) -> None:
        self._settings, self._encoder = settings, encoder
        threads = settings.threads or os.cpu_count() or 1
        # The other half of the processor embeds.
        count = min(max(1, threads // 2), _PROCESSES_AT_MOST)
        self._readers = [
            IsolatedReader(
                settings.document_seconds, settings.document_memory_mb, ocr=settings.ocr == "auto"
            )
            for _ in range(count)
        ]
        self._idle: SimpleQueue[IsolatedReader] = SimpleQueue()
        for reader in self._readers:
            self._idle.put(reader)
        self._pool = ThreadPoolExecutor(count, "reading")

    def outgrown(self, reason: str) -> bool:
        """True if a document failed for this reason under other limits than these."""
        return self._readers[0].outgrown(reason)

    def read(
        self,
        files: Iterable[CorpusFile],
        known: KnownFiles,
        progress: Callable[[CorpusFile], None],
    ) -> Iterator[Reading]:
        """Read and cut all that is not as it was.

        Args:
            files: in the order in which they are wanted.
            known: which of them need not be read.
            progress: told of each file when its turn comes.
        """
        waiting: deque[tuple[CorpusFile, Callable[[], Reading]]] = deque()
        ahead = 0
        source = iter(files)
        more = True
        while more or waiting:
            while more and ahead <= len(self._readers) and len(waiting) < _LOOK_AHEAD:
                file = next(source, None)
                if file is None:
                    more = False
                elif needs_isolation(file.id, file.size) and known.has_to_be_read(file):
                    ahead += 1
                    waiting.append((file, self._pool.submit(self._read, file, known).result))
                else:
                    waiting.append((file, partial(self._read, file, known)))
            if not waiting:
                return
            file, result = waiting.popleft()
            ahead -= not isinstance(result, partial)
            progress(file)
            yield self._cut(result())

    def __enter__(self) -> DocumentReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for reader in self._readers:
            reader.close()
        self._pool.shutdown()
        for reader in self._readers:  # One that was just being started.
            reader.close()

    def _read(self, file: CorpusFile, known: KnownFiles) -> Reading:
        started = time.perf_counter()
        try:
            state = known.state(file)
            if known.is_unchanged(file):
                return Reading(file, state)
            document = self._load(file)
            if has_changed(file):
                state = replace(state, sha256="changed while it was read")
        except DocumentError as error:
            if isinstance(error, Unopened):
                known.look_again(file)
            return Reading(file, state, reason=str(error))
        except OSError as error:
            # Gone or forbidden since the scan: say so, and look again at the next build.
            known.look_again(file)
            reason = f"cannot be read: {error.strerror or error}"
            return Reading(file, FileState("", *file.look), reason=reason)
        return Reading(file, state, document, seconds=time.perf_counter() - started)

    def _load(self, file: CorpusFile) -> Document:
        if needs_isolation(file.id, file.size):
            reader = self._idle.get()
            try:
                document = reader.load(file.path, file.id)
            finally:
                self._idle.put(reader)
        else:
            document = load(file.path, file.id)
        try:
            metadata = json.dumps(dict(document.metadata), ensure_ascii=False)
            "\0".join([document.title, document.text, metadata]).encode()
        except UnicodeEncodeError as error:
            reason = "holds characters that are not valid Unicode: save it again as UTF-8"
            raise DocumentError(reason) from error
        return document

    def _cut(self, reading: Reading) -> Reading:
        if reading.document is None:
            return reading
        started = time.perf_counter()
        try:
            chunks = self._chunks(reading.document)
        except DocumentError as error:
            return replace(reading, document=None, reason=str(error))
        seconds = reading.seconds + time.perf_counter() - started
        return replace(reading, chunks=chunks, seconds=seconds)

    def _chunks(self, document: Document) -> list[Chunk]:
        encoder, limit = self._encoder, self._settings.document_seconds
        deadline = time.monotonic() + limit

        def count_tokens(texts: Sequence[str]) -> list[int]:
            # Asked for every few sentences: the place to stop a document without end.
            if time.monotonic() > deadline:
                raise DocumentError(self._readers[0].too_long)
            return encoder.count_tokens(texts)

        try:
            return chunk_document(
                document, count_tokens, self._settings.chunk_tokens, encoder.window
            )
        except RagError:
            raise
        except Exception as error:
            # Whatever a hostile document brings about, it concerns this one document.
            log.debug("cutting %s", document.id, exc_info=True)
            raise DocumentError(
                f"cannot be cut into passages ({type(error).__name__}): please report this"
            ) from error
