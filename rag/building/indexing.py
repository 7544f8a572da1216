"""Corpus folder → published generation. A rebuild costs what changed."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from rag.building.changes import KnownFiles
from rag.building.corpus import CorpusFile, Scan, scan
from rag.building.outcome import Outcome
from rag.building.reading import DocumentReader, Reading
from rag.building.rows import Rows
from rag.building.writing import SearchWriter
from rag.chunking import CHUNKING_VERSION
from rag.embedding import Progress
from rag.encoders import Encoder, load_encoder
from rag.errors import IndexDamaged, IndexIncompatible, IndexNotFound, RagError
from rag.loaders import LOADERS_VERSION
from rag.loaders.remarks import PROBLEM, UNREAD, remarks
from rag.settings import Settings
from rag.store.files import describe_with_file, synced_early
from rag.store.generation import (
    Generation,
    building_folder,
    collect,
    complete,
    new_generation_id,
    open_current,
    previous_generation,
)
from rag.store.history import restore_pointer
from rag.store.journal import clear_journal, journal_path
from rag.store.lock import writer_lock
from rag.store.manifest import Manifest, generations_folder
from rag.store.noted import note_corpus
from rag.store.table_writer import TableWriter
from rag.store.tables import Tables
from rag.types import BuildReport, Detail, Problem

log = logging.getLogger(__name__)


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
            encoder = encoder or load_encoder(
                settings.encoder, settings.threads, settings.precision
            )
            try:
                outcome = _run(settings, encoder, found, progress or (lambda *_: None), name)
            finally:
                # Also of this one, if it failed: the disk may be full of it.
                collect(settings.index, settings.keep_generations)
            note_corpus(settings.index, settings.corpus)
            outcome.warnings = [
                *_emptied(settings, outcome),
                *_warnings(settings.index, outcome.generation),
            ]
    except (OSError, sqlite3.Error) as error:
        raise RagError(
            f"the index {settings.index} cannot be written: {describe_with_file(error)} "
            "(the published generation, if there is one, is untouched)"
        ) from error
    outcome.details += [Detail(p.document, "skipped", p.reason) for p in found.skipped]
    return outcome.report(found.skipped, time.perf_counter() - started)


def _emptied(settings: Settings, outcome: Outcome) -> list[Problem]:
    """What to say of a corpus that has lost all its documents, like a disk that is not mounted."""
    if outcome.documents or not outcome.removed:
        return []
    older = previous_generation(settings.index, outcome.generation)
    way_back = f"`rag rollback` brings {older} back" if older else "put its documents back"
    reason = "has no document left that can be read, so the index is empty: if it should have some"
    return [Problem(str(settings.corpus), f"{reason}, {way_back}")]


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
    found: Scan,
    progress: Progress,
    name: str,
) -> Outcome:
    """Build on the published generation, or without it where it turns out to be damaged."""
    previous = _open_previous(settings.index)
    if previous is not None:
        try:
            return _Build(settings, encoder, previous, progress).run(found, name)
        except IndexDamaged as error:
            log.warning("building from scratch: %s", error)
        finally:
            previous.close()
        name = new_generation_id(settings.index)
    return _Build(settings, encoder, None, progress).run(found, name)


def _open_previous(index: Path) -> Generation | None:
    """The published generation, or None where there is none that can be built on."""
    try:
        restore_pointer(index)
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
        self._reader = DocumentReader(settings, encoder)
        self._known = KnownFiles(settings.index, previous, same_rules=self._same_chunks)
        self._known.retry(self._reader.outgrown)
        self._outcome = Outcome()

    def run(self, found: Scan, name: str) -> Outcome:
        """Write generation `name` and publish it, or find that nothing has changed."""
        outcome, index = self._outcome, self._settings.index
        with self._reader:
            if self._nothing_changed(found.files):
                self._keep_previous()
                return outcome
            outcome.generation = name
            folder = building_folder(index, name)
            folder.mkdir()
            known = self._previous if self._same_vectors else None
            before = self._previous.folder / "documents.sqlite" if self._previous else None
            journal = journal_path(index)
            with (
                synced_early(folder),
                SearchWriter(folder, self._encoder, known, journal, self._progress) as search,
            ):
                with closing(
                    TableWriter(folder / "documents.sqlite", before if self._same_chunks else None)
                ) as tables:
                    self._write_documents(Rows(tables, search), tables, found)
                self._progress("finishing", 0, tables.chunks)
                search.finish()
        outcome.documents, outcome.chunks = tables.documents, tables.chunks
        outcome.embedded = search.embedded
        complete(index, folder, self._manifest(tables.sentences))
        self._progress("finishing", tables.chunks, tables.chunks)
        clear_journal(journal_path(index))
        self._known.remember(name)
        return outcome

    def _nothing_changed(self, files: Sequence[CorpusFile]) -> bool:
        """True if every file is the one that the published generation saw.

        Those that could not be read fail again, if there was a reason to try them.
        """
        known = self._known
        if (
            self._previous is None
            or not self._same_chunks
            or len(files) != len(known.documents) + len(known.failures)
        ):
            return False
        again: list[CorpusFile] = []
        try:
            for file in files:
                if not known.is_unchanged(file):
                    if not known.may_fail_again(file):
                        return False
                    again.append(file)
        except OSError:
            return False  # A file has gone since the scan; it is reported when it is read.
        return all(map(self._fails_as_before, self._reader.read(again, known, lambda _: None)))

    def _fails_as_before(self, reading: Reading) -> bool:
        reason, state = self._known.failures[reading.file.id]
        return (reading.reason, reading.state.sha256) == (reason, state.sha256)

    def _keep_previous(self) -> None:
        if self._previous is None:
            return
        clear_journal(journal_path(self._settings.index))
        manifest, outcome = self._previous.manifest, self._outcome
        self._known.remember(manifest.generation)
        outcome.generation = manifest.generation
        outcome.documents = outcome.unchanged = manifest.documents
        outcome.chunks = manifest.chunks
        for name, (reason, _) in self._known.failures.items():
            self._outcome.note_failure(name, reason)

    def _write_documents(self, rows: Rows, tables: TableWriter, found: Scan) -> None:
        """Fill the rows: unchanged documents are copied, the others loaded and cut."""
        known, files = self._known, found.files
        skipped = {problem.document: problem.reason for problem in found.skipped}
        for name in known.documents.keys() - {file.id for file in files}:
            self._outcome.note_removal(name, known.documents[name], _why_gone(name, skipped))
        done, total = 0, sum(file.size for file in files if known.has_to_be_read(file))

        def tell(file: CorpusFile) -> None:
            nonlocal done
            if known.has_to_be_read(file):
                self._progress("reading", done, total)
                done += file.size

        for reading in self._reader.read(files, known, tell):
            self._note(rows, tables, reading)
        rows.flush()
        self._outcome.unchanged += rows.copied
        self._progress("reading", total, total)

    def _note(self, rows: Rows, tables: TableWriter, reading: Reading) -> None:
        """Take over what came of one file."""
        name, state = reading.file.id, reading.state
        before = self._known.documents.get(name)
        reason = reading.reason
        if reading.document is None and not reason and name in self._known.failures:
            reason = self._known.failures[name][0]
        if reason:
            self._outcome.note_failure(name, reason)
            if before is not None:
                self._outcome.note_removal(name, before, "cannot be read any more")
            tables.add_failure(name, reason, state)
        elif reading.document is not None:
            rows.add(reading.document, state, reading.chunks)
            self._outcome.note_read(reading, before, self._known.why_again(name))
        elif before is not None:
            rows.copy(name, before, state)

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


def _why_gone(name: str, skipped: Mapping[str, str]) -> str:
    """Why a document that is in the index is not among the files of the corpus."""
    if name in skipped:
        return skipped[name]
    for folder in PurePosixPath(name).parents:
        if f"{folder}/" in skipped:
            return f"its folder {folder}/ {skipped[f'{folder}/']}"
    return "is no longer in the folder"
