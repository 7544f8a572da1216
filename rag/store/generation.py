"""Opening a generation, and everything that happens to whole generations: publish, collect."""

from __future__ import annotations

import logging
import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from rag.errors import IndexDamaged, IndexNotFound, UsageError
from rag.store.files import remove_folder, sync_file, sync_folder
from rag.store.lexical import Lexical
from rag.store.manifest import (
    Manifest,
    current_generation,
    describe_files,
    generations_folder,
    publish,
    read_manifest,
    verify,
    write_manifest,
)
from rag.store.tables import Tables
from rag.store.vectors import Vectors
from rag.types import Document

log = logging.getLogger(__name__)

CHECKED_AT_OPENING = 256_000_000
"""So many bytes are compared with their checksums whenever a generation is opened."""

_ID = re.compile(r"g(\d{6,})-\d{8}T\d{6}Z")
_LEFTOVER = re.compile(r"\.(?:building|deleted)-(g\d{6,}-\d{8}T\d{6}Z)")


class Generation:
    """A read-only snapshot of the index: what one answer is made from, start to end.

    Attributes:
        id: its name.
        folder: where it lies.
        manifest: its own description.
        tables: documents, chunks and sentences.
        vectors: embeddings of chunks and sentences.
        lexical: BM25.
    """

    def __init__(self, folder: Path, checked: int | None = CHECKED_AT_OPENING) -> None:
        """Open all files of a generation; they may be deleted afterwards while this lives.

        Args:
            folder: the generation.
            checked: how many bytes of its files, the smallest first, are compared with their
                checksums; None compares all. Existence and size are always compared.

        Raises:
            IndexDamaged: a file is missing or has the wrong size or content.
            IndexIncompatible: written by another version.
        """
        self.folder, self._process = folder, os.getpid()
        self.manifest = read_manifest(folder)
        self.id = self.manifest.generation
        verify(folder, self.manifest, checked)
        try:
            self.tables = Tables(folder / "documents.sqlite")
            try:
                self.vectors = Vectors(folder)
                self.lexical = Lexical(folder / "lexical")
            except BaseException:
                self.tables.close()
                raise
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
            raise IndexDamaged(
                f"{folder} cannot be opened ({reason}): run `rag build` for a new generation"
            ) from error

    def check_process(self) -> None:
        """Refuse to work in a process that was forked since this was opened.

        It has none of the threads that compute, and moves the places at which its parent reads in
        the same open files.

        Raises:
            UsageError: this is another process.
        """
        if os.getpid() != self._process:
            raise UsageError(
                "this index was opened before the process was forked: open it in the child process"
            )

    def document(self, document_id: str) -> Document | None:
        """A document with its canonical text, or None."""
        return self.tables.document(document_id)

    def close(self) -> None:
        """Free the database; memory maps go with the object."""
        self.tables.close()


def open_current(index: Path, *, deep: bool = False) -> Generation:
    """Open the published generation.

    Between reading the pointer and opening the files a build may publish a newer generation and
    collect this one; only an error that remains when the pointer stands still is real.

    Args:
        index: the index folder.
        deep: compare all files with their checksums, however large they are.

    Raises:
        IndexNotFound: nothing has been published.
        IndexDamaged: the published generation is not whole.
        IndexIncompatible: written by another version.
    """
    name = current_generation(index)
    while True:
        try:
            checked = None if deep else CHECKED_AT_OPENING
            return Generation(generations_folder(index) / name, checked)
        except IndexDamaged as error:
            newer = current_generation(index)
            if newer == name:
                raise with_way_back(index, name, error) from error
            name = newer


def with_way_back(index: Path, name: str, error: IndexDamaged) -> IndexDamaged:
    """The error about this generation, with the remedy that an older one offers."""
    older = previous_generation(index, name)
    hint = f", or `rag rollback` to answer from {older}" if older else ""
    return IndexDamaged(f"{error}{hint}")


def previous_generation(index: Path, generation: str) -> str | None:
    """Id of the newest generation on disk that is older than this one, or None."""
    older = [name for name in list_generations(index) if _number(name) < _number(generation)]
    return older[-1] if older else None


def list_generations(index: Path) -> list[str]:
    """Ids of the generations on disk, oldest first."""
    return sorted(filter(_ID.fullmatch, _names(index)), key=_number)


def _names(index: Path) -> list[str]:
    folder = generations_folder(index)
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def _number(name: str) -> int:
    match = _ID.fullmatch(name)
    return int(match[1]) if match else 0


def new_generation_id(index: Path) -> str:
    """An id never seen in this folder: a running number and the time in UTC."""
    seen = list_generations(index)
    seen += [found[1] for found in map(_LEFTOVER.fullmatch, _names(index)) if found]
    with suppress(IndexNotFound, IndexDamaged):
        seen.append(current_generation(index))
    number = max(map(_number, seen), default=0) + 1
    return f"g{number:06d}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"


def building_folder(index: Path, generation: str) -> Path:
    """Where a generation is written until it is whole; the name is known to the collector."""
    return generations_folder(index) / f".building-{generation}"


def collect(index: Path, keep: int) -> None:
    """Delete all but the newest `keep` generations, and what dead builds left behind.

    Call it with the writer lock held. The published generation always stays, and all of them
    where it is not known which one that is. Failures are logged and tried again at the next build.
    """
    keeping = set(names := list_generations(index))
    with suppress(IndexNotFound, IndexDamaged):
        published = current_generation(index)
        # Newer ones than the published never counted, or do no longer: they are not history.
        older = [name for name in names if _number(name) < _number(published)]
        keeping = {published, *older[max(0, len(older) - (keep - 1)) :]}
    for name in sorted(_names(index)):
        ours = _ID.fullmatch(name) or _LEFTOVER.fullmatch(name)
        if ours and name not in keeping:
            path = generations_folder(index) / name
            try:
                remove_folder(path)
            except OSError as error:
                log.warning("%s could not be removed, will try again: %s", path, error)


def complete(index: Path, folder: Path, manifest: Manifest) -> None:
    """Make a written folder durable, check it, give it its name, and publish it, in this order.

    Args:
        index: the index folder; the writer lock is held.
        folder: its `building_folder`, with all data files written.
        manifest: without `files`, which are measured here.

    Raises:
        IndexDamaged: the new generation does not fit together; the old one still answers.
        OSError: nothing was published.
    """
    chosen = Vectors(folder).description
    with ThreadPoolExecutor(1, "syncing") as pool:
        synced = pool.submit(_sync_all, folder)
        described = describe_files(folder)
        synced.result()
    write_manifest(folder, replace(manifest, files=described, vector_index=chosen))
    written = Generation(folder, checked=0)
    try:
        check_consistency(written)
    finally:
        written.close()
    final = generations_folder(index) / manifest.generation
    folder.rename(final)
    sync_folder(final.parent)
    publish(index, manifest.generation)


def _sync_all(folder: Path) -> None:
    for path in folder.rglob("*"):
        (sync_folder if path.is_dir() else sync_file)(path)


def check_consistency(generation: Generation) -> None:
    """Refuse a new generation that does not fit together, before it is published.

    Counts of all files agree, offsets lie inside their documents, and sampled chunks find
    themselves by their own vector.

    Raises:
        IndexDamaged: what does not agree.
    """
    manifest = generation.manifest
    counted = (
        len(generation.vectors),
        generation.vectors.sentence_count,
        len(generation.lexical),
    )
    if counted != (manifest.chunks, manifest.sentences, manifest.chunks):
        raise IndexDamaged(
            f"{generation.id}: {manifest.chunks} chunks and {manifest.sentences} sentences were "
            f"written, but {counted} vectors, sentence vectors and BM25 texts are there"
        )
    sample = np.unique(np.linspace(0, manifest.chunks - 1, 16, dtype=np.int64))
    if manifest.chunks == 0:
        return
    vectors = generation.vectors.chunks(sample)
    chunks = generation.tables.chunks(sample.tolist())
    for vector, chunk in zip(vectors, chunks, strict=True):
        inside = all(chunk.start <= s.start < s.end <= chunk.end for s in chunk.sentences)
        if not inside or len(chunk.text) != chunk.end - chunk.start:
            raise IndexDamaged(f"{generation.id}: offsets of {chunk.document} do not fit its text")
        best, _ = generation.vectors.search(vector, 1)
        if not float(vector @ vector) >= 0.99 or float(best[0]) < 0.99:
            raise IndexDamaged(f"{generation.id}: a chunk of {chunk.document} lost its vector")
