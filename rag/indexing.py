"""Corpus folder → published generation. A rebuild costs what changed."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from rag.changes import KnownFiles, has_changed
from rag.chunking import CHUNKING_VERSION, chunk_document
from rag.corpus import CorpusFile, scan
from rag.embedding import Embedder, Progress, Run
from rag.encoders import Encoder, load_encoder
from rag.errors import DocumentError, IndexDamaged, IndexIncompatible, IndexNotFound, RagError
from rag.isolation import IsolatedReader, needs_isolation
from rag.loaders import LOADERS_VERSION, load
from rag.loaders.fields import PROBLEM, UNREAD, remarks
from rag.outcome import Outcome
from rag.rows import Rows
from rag.settings import Settings
from rag.store.files import describe_error
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
from rag.store.table_writer import TableWriter
from rag.store.tables import FileState, Tables
from rag.store.vectors import VectorWriter
from rag.types import BuildReport, Chunk, Detail, Document, Problem

log = logging.getLogger(__name__)

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
            # Before collecting: a number that has been seen is not used again.
            name = new_generation_id(settings.index)
            # Before writing: what a dead build left must not take the room of this one.
            collect(settings.index, settings.keep_generations)
            encoder = encoder or load_encoder(settings.encoder, settings.threads)
            outcome = _run(settings, encoder, found.files, progress or (lambda *_: None), name)
            outcome.warnings = _warnings(settings.index, outcome.generation)
            collect(settings.index, settings.keep_generations)
    except (OSError, sqlite3.Error) as error:
        raise RagError(
            f"the index {settings.index} cannot be written: {describe_error(error)} "
            "(the published generation, if there is one, is untouched)"
        ) from error
    outcome.details += [Detail(p.document, "skipped", p.reason) for p in found.skipped]
    return outcome.report(found.skipped, time.perf_counter() - started)


def _warnings(index: Path, generation: str) -> list[Problem]:
    """What could not be used of documents that are in the index."""
    tables = Tables(generations_folder(index) / generation / "documents.sqlite")
    try:
        noted = tables.with_metadata(PROBLEM, UNREAD)
    finally:
        tables.close()
    return [Problem(name, remark) for name, metadata in noted for remark in remarks(metadata)]


def _run(
    settings: Settings,
    encoder: Encoder,
    files: Sequence[CorpusFile],
    progress: Progress,
    name: str,
) -> Outcome:
    """Build on the published generation, or without it where it turns out to be damaged."""
    previous = _open_previous(settings.index)
    if previous is not None:
        try:
            return _Build(settings, encoder, previous, progress).run(files, name)
        except IndexDamaged as error:
            log.warning("building from scratch: %s", error)
        finally:
            previous.close()
        name = new_generation_id(settings.index)
    return _Build(settings, encoder, None, progress).run(files, name)


def _open_previous(index: Path) -> Generation | None:
    """The published generation, or None where there is none that can be built on."""
    try:
        return open_current(index, deep=True)
    except IndexNotFound:
        return None
    except (IndexDamaged, IndexIncompatible) as error:
        log.warning("building from scratch: %s", error)
        return None


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
        self._reader = IsolatedReader(
            settings.document_seconds, settings.document_memory_mb, ocr=settings.ocr == "auto"
        )
        self._known = KnownFiles(settings.index, previous)
        self._known.retry(self._reader.outgrown)
        self._outcome = Outcome()

    def run(self, files: Sequence[CorpusFile], name: str) -> Outcome:
        """Write generation `name` and publish it, or find that nothing has changed."""
        outcome = self._outcome
        if self._nothing_changed(files):
            self._keep_previous()
            return outcome
        index = self._settings.index
        outcome.generation = name
        folder = building_folder(index, name)
        folder.mkdir()
        before = self._previous.folder / "documents.sqlite" if self._previous else None
        tables = TableWriter(folder / "documents.sqlite", before if self._same_chunks else None)
        try:
            with self._reader:
                runs = self._write_documents(tables, files)
        finally:
            tables.close()
        outcome.documents, outcome.chunks = tables.documents, tables.chunks
        self._write_vectors(folder, runs, tables.sentences)
        complete(index, folder, self._manifest(tables.sentences))
        clear_journal(index / "journal.sqlite")
        self._known.forget()
        return outcome

    def _nothing_changed(self, files: Sequence[CorpusFile]) -> bool:
        """True if every file, readable or not, is the one that the published generation saw."""
        known = self._known
        try:
            return (
                self._previous is not None
                and self._same_chunks
                and len(files) == len(known.documents) + len(known.failures)
                and all(map(known.is_unchanged, files))
            )
        except OSError:
            return False  # A file has gone since the scan; it is reported when it is read.

    def _keep_previous(self) -> None:
        if self._previous is None:
            return
        clear_journal(self._settings.index / "journal.sqlite")
        self._known.remember()
        manifest, outcome = self._previous.manifest, self._outcome
        outcome.generation = manifest.generation
        outcome.documents = outcome.unchanged = manifest.documents
        outcome.chunks = manifest.chunks
        for name, (reason, _) in self._known.failures.items():
            self._outcome.note_failure(name, reason)

    def _write_documents(self, tables: TableWriter, files: Sequence[CorpusFile]) -> list[Run]:
        """Fill the tables: unchanged documents are copied, the others loaded and cut."""
        rows = Rows(tables)
        present = {file.id for file in files}
        for name in self._known.documents.keys() - present:
            self._outcome.note_removal(
                name, self._known.documents[name], "is no longer in the folder"
            )
        to_read = [f for f in files if not (self._same_chunks and self._known.looks_known(f))]
        done, total = 0, sum(file.size for file in to_read)
        reading = {file.id for file in to_read}
        for file in files:
            if file.id in reading:
                self._progress("reading", done, total)
                done += file.size
            state = None
            try:
                state = self._known.state(file)
                if not (self._same_chunks and self._known.is_unchanged(file)):
                    self._load(rows, file, state)
                elif file.id in self._known.failures:
                    self._fail(tables, file.id, self._known.failures[file.id][0], state)
                else:
                    rows.copy(file.id, self._known.documents[file.id], state)
            except DocumentError as error:
                self._fail(tables, file.id, str(error), state)
            except OSError as error:
                # Gone or forbidden since the scan: say so, and look again at the next build.
                self._fail(tables, file.id, f"cannot be read: {error.strerror or error}", None)
        rows.finish()
        self._outcome.unchanged += rows.copied
        self._progress("reading", total, total)
        return rows.runs

    def _load(self, rows: Rows, file: CorpusFile, state: FileState) -> None:
        started = time.perf_counter()
        document = self._read(file)
        if has_changed(file):
            state = replace(state, sha256="changed while it was read")
        chunks = self._cut(document)
        rows.add(document, state, chunks)
        seconds = round(time.perf_counter() - started, 3)
        before = self._known.documents.get(document.id)
        self._outcome.note_read(document, before, state, len(chunks), seconds)

    def _read(self, file: CorpusFile) -> Document:
        isolated = needs_isolation(file.id, file.size)
        document = (self._reader.load if isolated else load)(file.path, file.id)
        try:
            "\0".join([document.title, document.text, str(document.metadata)]).encode()
        except UnicodeEncodeError as error:
            reason = "holds characters that are not valid Unicode: save it again as UTF-8"
            raise DocumentError(reason) from error
        return document

    def _cut(self, document: Document) -> list[Chunk]:
        encoder = self._encoder
        deadline = time.monotonic() + self._settings.document_seconds

        def count_tokens(texts: Sequence[str]) -> list[int]:
            # Asked for every few sentences: the place to stop a document without end.
            if time.monotonic() > deadline:
                raise DocumentError(self._reader.too_long)
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

    def _fail(self, tables: TableWriter, name: str, reason: str, state: FileState | None) -> None:
        self._outcome.note_failure(name, reason)
        if name in self._known.documents:
            self._outcome.note_removal(name, self._known.documents[name], "cannot be read any more")
        if state is not None:
            tables.add_failure(name, reason, state)

    def _write_vectors(self, folder: Path, runs: Sequence[Run], sentences: int) -> None:
        """Write vectors and BM25 in row order: embed what is new, take over what is known."""
        encoder, previous = self._encoder, self._previous if self._same_vectors else None
        journal = Journal(
            self._settings.index / "journal.sqlite", encoder.digest, encoder.dimension
        )
        tables = Tables(folder / "documents.sqlite")
        embedder = Embedder(encoder, previous, journal)
        writer = VectorWriter(folder, encoder.dimension, sentences)
        try:
            windows = [window for run in runs for window in run.windows(_WINDOW)]
            embedder.write(windows, tables, writer, self._progress)
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
