"""What the library holds: every document of the index and of the folder, and its state."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.building.changes import KnownFiles
from rag.building.corpus import CorpusFile, Scan, scan
from rag.catalogue.filters import values
from rag.chat.library_names import split_name
from rag.errors import CorpusNotFound
from rag.store.manifest import generations_folder
from rag.store.tables import DocumentInfo, Tables
from rag.text import wording

State = Literal["indexed", "waiting", "failed", "skipped"]
Column = Literal[
    "title", "collection", "published", "effective_date", "review_date", "pages", "size", "state"
]
STATES: tuple[State, ...] = ("indexed", "waiting", "failed", "skipped")
_ORDER = {"failed": 0, "waiting": 1, "skipped": 2, "indexed": 3}
_NEW = "new, not in the index yet"
_CHANGED = "changed since it was read"
_DELETED = "deleted, answers until the next rebuild"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the library.

    Attributes:
        id: path in the corpus.
        title: of the document; the file's name where it was not read.
        collection: as filters know it; "" if it is in none.
        published: ISO date, or ""; so are the two others.
        effective_date: when it comes into force.
        review_date: when it is to be looked at again.
        pages: how many; 0 if its format has none or it was not read.
        size: bytes of the file; 0 if that is not known.
        state: whether it answers.
        why: what the state does not say by itself.
        readable: whether the index holds its text.
        on_disk: whether its file is there.
        searched: what a search looks at, case folded.
    """

    id: str
    title: str
    collection: str
    published: str
    effective_date: str
    review_date: str
    pages: int
    size: int
    state: State
    why: str
    readable: bool
    on_disk: bool
    searched: str


@dataclass(frozen=True)
class Listing:
    """All rows, and what is to be said of them as a whole.

    Attributes:
        rows: ordered by id.
        generation: what they were compared with.
        new: how many documents wait because they are new.
        changed: because they have changed.
        deleted: because they were deleted.
        problem: why the folder could not be compared; "" if it could.
    """

    rows: tuple[Row, ...]
    generation: str
    new: int = 0
    changed: int = 0
    deleted: int = 0
    problem: str = ""


def counted(rows: Iterable[Row]) -> str:
    """How many documents answer, and apart from them how many files are none."""
    rows = list(rows)
    states = Counter(row.state for row in rows)
    failed, skipped = states["failed"], states["skipped"]
    parts = [
        wording.counted(sum(row.readable for row in rows), "document"),
        f"{wording.counted(failed, 'file')} not read" if failed else "",
        f"{wording.counted(skipped, 'file')} left out" if skipped else "",
    ]
    return ", ".join(filter(None, parts))


@dataclass(frozen=True)
class _Published:
    """A generation as far as `KnownFiles` looks at it."""

    id: str
    tables: Tables


def list_documents(
    infos: Sequence[DocumentInfo],
    generation: str,
    corpus: Path | None,
    index: Path | None,
    max_bytes: int,
) -> Listing:
    """Every document and its state.

    Args:
        infos: the documents of the index, as `Index.documents` gives them.
        generation: id of that generation.
        corpus: folder of the documents; without it only the index is listed.
        index: folder of the index.
        max_bytes: larger files are skipped by a build.

    Raises:
        IndexDamaged: the generation's tables cannot be read.
    """
    if corpus is None or index is None:
        return Listing(tuple(_indexed(info, 0) for info in infos), generation)
    tables = Tables(generations_folder(index) / generation / "documents.sqlite")
    try:
        known = KnownFiles(index, _Published(generation, tables))
        pages = tables.page_counts()
    finally:
        tables.close()
    try:
        found = scan(corpus, max_bytes)
    except CorpusNotFound as error:
        rows = tuple(_indexed(info, pages.get(info.id, 0), on_disk=False) for info in infos)
        return Listing(rows, generation, problem=f"Only the index is shown: {error}")
    return _compared(infos, generation, found, known, pages)


def _compared(
    infos: Sequence[DocumentInfo],
    generation: str,
    found: Scan,
    known: KnownFiles,
    pages: Mapping[str, int],
) -> Listing:
    on_disk = {file.id: file for file in found.files}
    skipped = {problem.document: problem.reason for problem in found.skipped}
    rows: list[Row] = []
    counts: Counter[str] = Counter()
    for info in infos:
        file = on_disk.pop(info.id, None)
        if file is None:
            barred = skipped.pop(info.id, "")
            why = f"answers until the next rebuild, for it {barred}" if barred else _DELETED
            counts[_DELETED] += 1
            row = _indexed(info, pages.get(info.id, 0), "waiting", why, on_disk=bool(barred))
        elif known.looks_known(file):
            row = _indexed(info, pages.get(info.id, 0))
        else:
            counts[_CHANGED] += 1
            row = _indexed(info, pages.get(info.id, 0), "waiting", _CHANGED)
        rows.append(row)
    for file in on_disk.values():
        failure = known.failures.get(file.id)
        if failure is None:
            counts[_NEW] += 1
            rows.append(_unread(file, "waiting", _NEW))
        elif known.looks_known(file):
            rows.append(_unread(file, "failed", failure[0]))
        else:
            counts[_CHANGED] += 1
            rows.append(_unread(file, "waiting", _CHANGED))
    rows += [_row(name, split_name(name)[1], "skipped", why) for name, why in skipped.items()]
    rows.sort(key=lambda row: row.id)
    return Listing(tuple(rows), generation, counts[_NEW], counts[_CHANGED], counts[_DELETED])


def _indexed(
    info: DocumentInfo, pages: int, state: State = "indexed", why: str = "", *, on_disk: bool = True
) -> Row:
    metadata = info.metadata
    dates = [
        wording.first(metadata, key) or "" for key in ("published", "effective_date", "review_date")
    ]
    return _row(
        info.id, info.title, state, why, (values(info, "collection") or [""])[0], dates, pages,
        info.file.size, readable=True, on_disk=on_disk,
        more=[*values(info, "author"), *values(info, "tags")],
    )  # fmt: skip


def _unread(file: CorpusFile, state: State, why: str) -> Row:
    return _row(file.id, split_name(file.id)[1], state, why, size=file.size)


def _row(
    name: str,
    title: str,
    state: State,
    why: str,
    collection: str | None = None,
    dates: Sequence[str] = ("", "", ""),
    pages: int = 0,
    size: int = 0,
    *,
    readable: bool = False,
    on_disk: bool = True,
    more: Iterable[str] = (),
) -> Row:
    if collection is None:
        folder, slash, _ = name.partition("/")
        collection = folder if slash else ""
    searched = " ".join([title, name, collection, *more])
    return Row(
        name, title or name, collection, dates[0], dates[1], dates[2], pages, size, state, why,
        readable, on_disk, _folded(searched),
    )  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which rows are to be shown, and in which order; as the page asks for them."""

    words: str = ""
    collection: str | None = None
    state: State | None = None
    column: Column = "title"
    descending: bool = False


def choose(rows: Iterable[Row], wanted: Wanted) -> list[Row]:
    """The rows that are wanted, in the order that is wanted; what has no value comes last."""
    met = [
        row for row in matching(rows, wanted) if wanted.state is None or row.state == wanted.state
    ]
    met.sort(key=lambda row: (wording.natural_order(row.title), row.id))
    column = wanted.column
    having = [row for row in met if _value(row, column) not in ("", 0)]
    lacking = [row for row in met if _value(row, column) in ("", 0)]
    having.sort(key=lambda row: _key(row, column), reverse=wanted.descending)
    return having + lacking


def matching(rows: Iterable[Row], wanted: Wanted) -> list[Row]:
    """The rows that are wanted whatever their state: what the states are counted of."""
    words = _folded(wanted.words).split()
    return [
        row
        for row in rows
        if (wanted.collection is None or row.collection == wanted.collection)
        and all(word in row.searched for word in words)
    ]


def _value(row: Row, column: Column) -> str | int:
    value: str | int = getattr(row, column)
    return value


def _key(row: Row, column: Column) -> tuple[str | int, ...]:
    value = _value(row, column)
    if column == "state":
        return (_ORDER[row.state],)
    return (value,) if isinstance(value, int) else wording.natural_order(value)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
