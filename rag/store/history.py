"""The generations that are kept: listed, verified, and published again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.errors import IndexDamaged, IndexIncompatible, IndexNotFound, RagError, UsageError
from rag.store.files import describe_with_file
from rag.store.generation import (
    Generation,
    check_consistency,
    list_generations,
    open_current,
    previous_generation,
    with_way_back,
)
from rag.store.lock import writer_lock
from rag.store.manifest import (
    POINTER,
    current_generation,
    generations_folder,
    publish,
    read_manifest,
    verify,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """A generation on disk, as its manifest describes it.

    Attributes:
        generation: its id.
        current: True for the one that answers.
        created: UTC, ISO 8601.
        documents: how many it holds.
        chunks: how many it holds.
        encoder: name of the embedding model.
        bytes: size of its files.
        problem: why it cannot be opened; None where existence and size of all files are right.
        incompatible: True where that is no damage: another version of this program wrote it.
    """

    generation: str
    current: bool
    created: str | None = None
    documents: int | None = None
    chunks: int | None = None
    encoder: str | None = None
    bytes: int | None = None
    problem: str | None = None
    incompatible: bool = False


def kept_generations(index: Path) -> list[Kept]:
    """All generations on disk, newest first. One that is damaged is listed with its problem.

    Raises:
        IndexNotFound: nothing has been built there.
    """
    published = _published(index)
    return [_describe(index, name, name == published) for name in reversed(list_generations(index))]


def _published(index: Path) -> str:
    """Id of the published generation; "" where there are some, but the pointer is lost or damaged.

    Raises:
        IndexNotFound: nothing has been built there.
    """
    try:
        return current_generation(index)
    except IndexDamaged:
        return ""
    except IndexNotFound:
        if list_generations(index):
            return ""
        raise


def _describe(index: Path, name: str, current: bool) -> Kept:
    folder = generations_folder(index) / name
    try:
        manifest = read_manifest(folder)
    except (IndexDamaged, IndexIncompatible) as error:
        outdated = isinstance(error, IndexIncompatible)
        return Kept(name, current, problem=str(error), incompatible=outdated)
    problem = None
    try:
        verify(folder, manifest, checked=0)
    except IndexDamaged as error:
        problem = str(error)
    return Kept(
        generation=name,
        current=current,
        created=manifest.created,
        documents=manifest.documents,
        chunks=manifest.chunks,
        encoder=manifest.encoder,
        bytes=sum(info.size for info in manifest.files.values()),
        problem=problem,
    )


def find_generation(index: Path, name: str) -> str:
    """The id that starts with `name`: "g000012" is enough.

    Raises:
        UsageError: no generation, or more than one, is meant.
    """
    names = list_generations(index)
    found = [name] if name in names else [full for full in names if full.startswith(name)]
    if len(found) != 1:
        what = f"{len(found)} generations begin with" if found else "there is no generation"
        raise UsageError(f"{what} {name} in {index}; there are: {', '.join(names) or 'none'}")
    return found[0]


def rollback(index: Path, to: str | None = None) -> str:
    """Publish an earlier generation again, after all of its files have been verified.

    Readers follow as after a build. The generation that was current stays on disk until the next
    build, which starts from the one published here.

    Args:
        index: the index folder.
        to: id of a generation or its beginning; None takes the newest whole one before the
            current.

    Returns:
        The id of the generation that answers now.

    Raises:
        IndexNotFound: nothing has been built there.
        IndexLocked: a build is running.
        IndexDamaged: the generation named by `to` is not whole.
        UsageError: `to` names none, or more than one.
        RagError: there is no earlier whole generation, or the index folder cannot be written.
    """
    now = _published(index)
    try:
        with writer_lock(index):
            name = _whole(index, now, to)
            publish(index, name)
    except OSError as error:
        raise RagError(
            f"the index {index} cannot be written: {describe_with_file(error)}"
        ) from error
    return name


def restore_pointer(index: Path) -> None:
    """Publish the newest whole generation again where the pointer is lost or damaged.

    Call it with the writer lock held. Where no generation is whole, nothing happens.

    Raises:
        IndexNotFound: nothing has been built there.
        OSError: the pointer cannot be written.
    """
    if _published(index):
        return
    try:
        name = _whole(index, "", None)
    except RagError:
        return
    publish(index, name)
    log.warning("%s was lost or damaged: going on from %s", index / POINTER, name)


def _whole(index: Path, now: str, to: str | None) -> str:
    """The generation to go back to, all of it verified."""
    if to is not None:
        name = find_generation(index, to)
        Generation(generations_folder(index) / name, checked=None).close()
        return name
    names = list_generations(index)
    # Without a readable pointer any whole generation is better than none.
    candidate = previous_generation(index, now) if now else next(reversed(names), None)
    while candidate is not None:
        try:
            Generation(generations_folder(index) / candidate, checked=None).close()
        except (IndexDamaged, IndexIncompatible) as error:
            log.warning("%s is passed over: %s", candidate, error)
            candidate = previous_generation(index, candidate)
        else:
            return candidate
    raise RagError(
        f"there is no whole generation before {now or 'the current one'} in {index}: "
        "run `rag build` for a new one"
    )


@dataclass(frozen=True)
class Checked:
    """What a check has found to be whole."""

    generation: str
    deep: bool
    documents: int
    chunks: int
    files: int
    bytes: int


def check(index: Path, name: str | None = None, *, deep: bool = False) -> Checked:
    """Verify a generation, by default the published one.

    Existence and size of every file, the checksums of the smaller ones, and that the parts fit
    together. With `deep` the checksums of all files, the structure of the database, the digest of
    every text, and the offsets of every chunk and sentence.

    Raises:
        IndexNotFound: nothing has been built there.
        IndexDamaged: what is wrong, in which file, and the remedy.
        IndexIncompatible: written by another version.
        UsageError: there is no generation `name`.
    """
    if name is None:
        generation = open_current(index, deep=deep)
    else:
        folder = generations_folder(index) / find_generation(index, name)
        generation = Generation(folder, checked=None) if deep else Generation(folder)
    try:
        check_consistency(generation)
        if deep:
            _check_rows(generation)
    except IndexDamaged as error:
        raise with_way_back(index, generation.id, error) from error
    finally:
        generation.close()
    manifest = generation.manifest
    return Checked(
        generation=generation.id,
        deep=deep,
        documents=manifest.documents,
        chunks=manifest.chunks,
        files=len(manifest.files),
        bytes=sum(info.size for info in manifest.files.values()),
    )


def _check_rows(generation: Generation) -> None:
    """Every row of every part."""
    tables, vectors = generation.tables, generation.vectors
    remedy = "run `rag build` for a new generation"
    fault = tables.integrity()
    if fault:
        path = generation.folder / "documents.sqlite"
        raise IndexDamaged(f"{path} is damaged ({fault}): {remedy}")
    row = sentence = 0
    for info in tables.documents():
        document = tables.document(info.id)  # compares the text with its digest
        chunks = tables.chunks(range(info.first_chunk, info.first_chunk + info.chunks))
        _, own, counts = vectors.block(row, row + len(chunks))
        fits = (
            document is not None
            and info.first_chunk == row
            and all(c.document == info.id for c in chunks)
            and all(
                document.text[c.start : c.end] == c.text and len(c.text) == c.end - c.start
                for c in chunks
            )
            and all(c.start <= s.start < s.end <= c.end for c in chunks for s in c.sentences)
            and counts == [len(c.sentences) for c in chunks]
            and bool(np.isfinite(own).all())
        )
        if not fits:
            raise IndexDamaged(
                f"{generation.folder}: the passages of {info.id} do not fit its text: {remedy}"
            )
        row += len(chunks)
        sentence += sum(counts)
    if (row, sentence) != (generation.manifest.chunks, generation.manifest.sentences):
        raise IndexDamaged(
            f"{generation.folder} holds {row} chunks and {sentence} sentences, but its manifest "
            f"says {generation.manifest.chunks} and {generation.manifest.sentences}: {remedy}"
        )
