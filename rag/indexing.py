"""Corpus folder → published generation. A rebuild costs what changed."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from rag.chunking import CHUNKING_VERSION, chunk_document
from rag.corpus import CorpusFile, scan
from rag.embedding import Embedder, vector_key
from rag.encoders import Encoder, load_encoder
from rag.errors import DocumentError, IndexDamaged, IndexIncompatible, IndexNotFound, RagError
from rag.loaders import LOADERS_VERSION, load
from rag.settings import Settings
from rag.store.files import sha256_of
from rag.store.generation import (
    Generation,
    building_folder,
    collect,
    complete,
    new_generation_id,
    open_current,
)
from rag.store.journal import Journal, clear_journal
from rag.store.lexical import write_lexical
from rag.store.lock import writer_lock
from rag.store.manifest import Manifest, generations_folder
from rag.store.tables import DocumentInfo, FileState, Tables, TableWriter
from rag.store.vectors import VectorWriter
from rag.tokens import count_llm_tokens
from rag.types import BuildReport, Problem

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with a stage ("reading" or "embedding"), how much of it is done, and its total."""

_WINDOW = 256
"""Chunks embedded between two commits of the journal."""


def build_index(
    settings: Settings, progress: Progress | None = None, encoder: Encoder | None = None
) -> BuildReport:
    """Build or update `settings.index` from `settings.corpus`.

    Documents whose file is unchanged are taken over from the published generation; chunks whose
    text is known are not embedded again. If nothing changed, nothing is published. Whenever this
    is interrupted, the published generation is still the one before.

    Args:
        settings: the effective settings.
        progress: told how far the build is.
        encoder: used instead of loading the one that the settings name.

    Raises:
        CorpusNotFound: there is no such folder.
        IndexLocked: another process is building.
        EncoderError: the encoder cannot be loaded.
        RagError: the index folder cannot be written.
    """
    started = time.perf_counter()
    found = scan(settings.corpus, max_bytes=settings.max_file_mb * 1_000_000)
    try:
        generations_folder(settings.index).mkdir(parents=True, exist_ok=True)
        with writer_lock(settings.index):
            # First, so that what a dead build left does not take the room of this one.
            collect(settings.index, settings.keep_generations)
            encoder = encoder or load_encoder(settings.encoder, settings.threads)
            outcome = _run(settings, encoder, found.files, progress or (lambda *_: None))
            collect(settings.index, settings.keep_generations)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise RagError(
            f"the index {settings.index} cannot be written: {reason} "
            "(the published generation, if there is one, is untouched)"
        ) from error
    return BuildReport(
        generation=outcome.generation,
        documents=outcome.documents,
        chunks=outcome.chunks,
        added=sorted(outcome.added),
        changed=sorted(outcome.changed),
        removed=sorted(outcome.removed),
        unchanged=outcome.unchanged,
        skipped=list(found.skipped),
        failed=outcome.failed,
        embedded=outcome.embedded,
        reused=outcome.chunks - outcome.embedded,
        seconds=round(time.perf_counter() - started, 3),
    )


def _run(
    settings: Settings, encoder: Encoder, files: Sequence[CorpusFile], progress: Progress
) -> _Outcome:
    """Build on the published generation, or without it where it turns out to be damaged."""
    previous = _open_previous(settings.index)
    if previous is not None:
        try:
            return _Build(settings, encoder, previous, progress).run(files)
        except IndexDamaged as error:
            log.warning("building from scratch: %s", error)
        finally:
            previous.close()
    return _Build(settings, encoder, None, progress).run(files)


def _open_previous(index: Path) -> Generation | None:
    """The published generation, or None where there is none that can be built on."""
    try:
        return open_current(index)
    except IndexNotFound:
        return None
    except (IndexDamaged, IndexIncompatible) as error:
        log.warning("building from scratch: %s", error)
        return None


@dataclass
class _Outcome:
    """What the report will say."""

    generation: str = ""
    documents: int = 0
    chunks: int = 0
    unchanged: int = 0
    embedded: int = 0
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[Problem] = field(default_factory=list)


class _Build:
    """One run of a build: what its steps share."""

    def __init__(
        self,
        settings: Settings,
        encoder: Encoder,
        previous: Generation | None,
        progress: Progress,
    ) -> None:
        self._settings, self._encoder, self._progress = settings, encoder, progress
        self._previous = previous
        self._chunking = (
            f"chunks-v{CHUNKING_VERSION}-loaders-v{LOADERS_VERSION}-{settings.chunk_tokens}"
        )
        made_with = previous.manifest if previous else None
        self._same_vectors = bool(made_with and made_with.encoder_digest == encoder.digest)
        # Chunks are measured with the encoder's tokenizer, so they depend on it as well.
        self._same_chunks = bool(
            self._same_vectors and made_with and made_with.chunking == self._chunking
        )
        self._known: Mapping[str, DocumentInfo] = {}
        self._failures: Mapping[str, tuple[str, FileState]] = {}
        if previous:
            self._known = {info.id: info for info in previous.tables.documents()}
            self._failures = previous.tables.failures()
        self._outcome = _Outcome()

    def run(self, files: Sequence[CorpusFile]) -> _Outcome:
        """Write a generation and publish it, or find that nothing has changed."""
        outcome = self._outcome
        if self._nothing_changed(files):
            self._keep_previous()
            return outcome
        index = self._settings.index
        outcome.generation = new_generation_id(index)
        folder = building_folder(index, outcome.generation)
        folder.mkdir()
        tables = TableWriter(folder / "documents.sqlite")
        try:
            self._write_documents(tables, files)
        finally:
            tables.close()
        outcome.documents, outcome.chunks = tables.documents, tables.chunks
        self._write_vectors(folder, tables.sentences)
        complete(index, folder, self._manifest(tables.sentences))
        clear_journal(index / "journal.sqlite")
        return outcome

    def _nothing_changed(self, files: Sequence[CorpusFile]) -> bool:
        """True if every file, readable or not, is the one that the published generation saw."""
        seen = {name: info.file for name, info in self._known.items()}
        seen.update({name: state for name, (_, state) in self._failures.items()})
        try:
            return (
                self._previous is not None
                and self._same_chunks
                and len(files) == len(seen)
                and all(
                    file.id in seen and _state(file, seen[file.id]).sha256 == seen[file.id].sha256
                    for file in files
                )
            )
        except OSError:
            return False  # A file has gone since the scan; it is reported when it is read.

    def _keep_previous(self) -> None:
        if self._previous is None:
            return
        clear_journal(self._settings.index / "journal.sqlite")
        manifest, outcome = self._previous.manifest, self._outcome
        outcome.generation = manifest.generation
        outcome.documents = outcome.unchanged = manifest.documents
        outcome.chunks = manifest.chunks
        outcome.failed = [Problem(name, reason) for name, (reason, _) in self._failures.items()]

    def _write_documents(self, tables: TableWriter, files: Sequence[CorpusFile]) -> None:
        """Fill the tables: unchanged documents are copied, the others loaded and cut."""
        self._outcome.removed = list(self._known.keys() - {file.id for file in files})
        for number, file in enumerate(files):
            self._progress("reading", number, len(files))
            state = None
            try:
                state = _state(file, self._seen(file.id))
                if self._same_chunks and state == self._seen(file.id):
                    self._copy(tables, file.id, state)
                else:
                    self._load(tables, file, state)
            except DocumentError as error:
                self._fail(tables, file.id, str(error), state)
            except OSError as error:
                # Gone or forbidden since the scan: say so, and look again at the next build.
                self._fail(tables, file.id, f"cannot be read: {error.strerror or error}", None)
        self._progress("reading", len(files), len(files))

    def _seen(self, name: str) -> FileState | None:
        """The file of a document as the published generation saw it."""
        if name in self._known:
            return self._known[name].file
        return self._failures[name][1] if name in self._failures else None

    def _copy(self, tables: TableWriter, name: str, state: FileState) -> None:
        if name in self._failures:
            raise DocumentError(self._failures[name][0])
        info, previous = self._known[name], self._previous
        document = previous.tables.document(name) if previous else None
        if previous is None or document is None:
            raise IndexDamaged(f"{name} is missing from the published generation")
        rows = range(info.first_chunk, info.first_chunk + info.chunks)
        keys = previous.tables.chunk_keys(info.first_chunk, info.chunks)
        tables.add(document, state, previous.tables.chunks(rows), keys, info.tokens)
        self._outcome.unchanged += 1

    def _load(self, tables: TableWriter, file: CorpusFile, state: FileState) -> None:
        document = load(file.path, file.id)
        stat = file.path.stat()
        if (stat.st_size, stat.st_mtime_ns) != (file.size, file.mtime_ns):
            state = replace(state, sha256="changed while it was read")
        encoder = self._encoder
        chunks = chunk_document(
            document, encoder.count_tokens, self._settings.chunk_tokens, encoder.window
        )
        keys = [vector_key(chunk) for chunk in chunks]
        tables.add(document, state, chunks, keys, count_llm_tokens(document.text))
        outcome = self._outcome
        if file.id not in self._known:
            outcome.added.append(file.id)
        elif self._known[file.id].file.sha256 != state.sha256:
            outcome.changed.append(file.id)
        else:
            outcome.unchanged += 1

    def _fail(self, tables: TableWriter, name: str, reason: str, state: FileState | None) -> None:
        self._outcome.failed.append(Problem(name, reason))
        if name in self._known:
            self._outcome.removed.append(name)
        if state is not None:
            tables.add_failure(name, reason, state)

    def _write_vectors(self, folder: Path, sentences: int) -> None:
        """Embed what is new and copy what is known, in row order, one window at a time."""
        encoder, total = self._encoder, self._outcome.chunks
        journal = Journal(
            self._settings.index / "journal.sqlite", encoder.digest, encoder.dimension
        )
        tables = Tables(folder / "documents.sqlite")
        embedder = Embedder(encoder, self._previous if self._same_vectors else None, journal)
        writer = VectorWriter(folder, encoder.dimension, sentences)
        try:
            for start in range(0, total, _WINDOW):
                self._progress("embedding", start, total)
                rows = range(start, min(start + _WINDOW, total))
                keys = tables.chunk_keys(start, len(rows))
                writer.add(embedder.vectors(tables.chunks(rows), keys))
            self._progress("embedding", total, total)
            writer.close()
            write_lexical(folder / "lexical", tables.enriched())
        finally:
            journal.close()
            tables.close()
        self._outcome.embedded = embedder.embedded

    def _manifest(self, sentences: int) -> Manifest:
        encoder, outcome = self._encoder, self._outcome
        return Manifest(
            generation=outcome.generation,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            encoder=encoder.name,
            encoder_digest=encoder.digest,
            dimension=encoder.dimension,
            chunking=self._chunking,
            documents=outcome.documents,
            chunks=outcome.chunks,
            sentences=sentences,
            files={},
        )


def _state(file: CorpusFile, before: FileState | None) -> FileState:
    """Hash the file, unless size and time say that it is the one we know."""
    if before is not None and (file.size, file.mtime_ns) == (before.size, before.mtime_ns):
        return before
    digest = sha256_of(file.path)
    if before is not None and digest == before.sha256:
        return before
    return FileState(digest, file.size, file.mtime_ns)
