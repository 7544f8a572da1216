"""Which documents may be searched: conditions on their path and metadata.

A filter is a list of conditions such as "collection=handbook" or "effective_date>=2024-01-01"; a
document has to meet all of them. What each field means:

- path: the document's id; `*` stands for anything, "/" included.
- collection: as its metadata say, else the first folder of its path.
- language: "en" also finds "en-GB".
- tags: one of its tags.
- published, effective_date, review_date, created, modified: dates, as 2024, 2024-06 or
  2024-06-01. Less than a day is known of some documents; then the condition has to hold for all
  the days that it may be.
- version: numbers between points are compared as numbers.
- author: all of them, or one; with or without the address of an e-mail.
- title, source, description, and meta.NAME for any other: text, where `*` stands for
  anything. Case does not matter.
- as_of: of documents that are versions of one another, the newest that was in effect on that day.
  Versions have the same title (years and version numbers in it do not count), language, and
  collection if their metadata name one: versions often lie in folders of their own, so folders do
  not count. The date is the effective date, else that of publication. A document without either
  may be searched on any day.

A document without the field meets only conditions with "!=".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rag.conditions import DATE, DATES, OTHER, Condition, Where, numbers

_VERSION_IN_TITLE = re.compile(
    r"\b(?:version|ver\.?|rev(?:ision)?\.?|v)\s*\d+(?:\.\d+)*\b|\b\d+(?:\.\d+)+\b"
    r"|\b(?:19|20)\d\d(?:[-/]\d\d?){0,2}\b",
    re.IGNORECASE,
)


_SEVERAL = re.compile(r"\s*[,;&]\s*|\s+and\s+")
_ADDRESS = re.compile(r"\s*<[^<>\s]*>")


class Described(Protocol):
    """What a filter looks at: a document of an index, without its text."""

    @property
    def id(self) -> str:
        """Its path."""

    @property
    def title(self) -> str:
        """Never empty."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Text, or a list of texts, by field."""

    @property
    def first_chunk(self) -> int:
        """Row of its first chunk."""

    @property
    def chunks(self) -> int:
        """How many chunks it has."""


@dataclass(frozen=True)
class Selection:
    """What a filter lets through.

    Attributes:
        documents: how many documents.
        rows: their chunks, ascending, int64, shape (chunks,).
    """

    documents: int
    rows: npt.NDArray[np.int64]


def select(where: Where, documents: Sequence[Described]) -> Selection:
    """The documents of an index that meet every condition, in their order."""
    met = [
        document
        for document in documents
        if all(c.field == "as_of" or _meets(document, c) for c in where.conditions)
    ]
    for condition in where.conditions:
        if condition.field == "as_of":
            current = _in_effect(documents, condition.value)
            met = [document for document in met if document.id in current]
    rows = [np.arange(d.first_chunk, d.first_chunk + d.chunks, dtype=np.int64) for d in met]
    return Selection(len(met), np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64))


def _meets(document: Described, condition: Condition) -> bool:
    own = values(document, condition.field)
    if condition.operator == "!=":
        same = Condition(condition.field, "=", condition.value)
        return not any(_compare(value, same) for value in own)
    return any(_compare(value, condition) for value in own)


def values(document: Described, field: str) -> list[str]:
    """What a document says of a field; several only for tags and lists."""
    metadata = document.metadata
    if field == "path":
        return [document.id]
    if field == "title":
        return [document.title]
    if field == "collection" and not metadata.get("collection"):
        folder, slash, _ = document.id.partition("/")
        return [folder] if slash else []
    found = metadata.get(field.removeprefix(OTHER))
    if found is None or found == "":
        return []
    if field == "author":
        named = [str(found), *_SEVERAL.split(str(found))]
        return [*named, *(_ADDRESS.sub("", name).strip('"') for name in named)]
    return [str(part) for part in found] if isinstance(found, list) else [str(found)]


def _compare(value: str, condition: Condition) -> bool:
    field, operator, wanted = condition.field, condition.operator, condition.value
    if field in DATES:
        return DATE.fullmatch(value) is not None and _compare_dates(value, operator, wanted)
    if field == "version":
        ours, theirs = numbers(value), numbers(wanted)
        if ours is not None and theirs is not None:
            return _ORDER[operator](ours, theirs)
        return operator == "=" and _alike(value, wanted)
    if field == "language":
        tag, wanted_tag = _plain(value).replace("_", "-"), _plain(wanted).replace("_", "-")
        return tag == wanted_tag or tag.startswith(f"{wanted_tag}-")
    if field == "path":
        return _matches(value, unicodedata.normalize("NFC", wanted))
    return _alike(value, wanted)


_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<": lambda a, b: bool(a < b),
    ">": lambda a, b: bool(a > b),
    "<=": lambda a, b: bool(a <= b),
    ">=": lambda a, b: bool(a >= b),
}


def _compare_dates(value: str, operator: str, wanted: str) -> bool:
    """Dates known to the day, month or year, as the first and last day that they may be."""
    (first, last), (start, end) = _span(value), _span(wanted)
    if operator == "=":
        return start <= first and last <= end
    if operator == "<":
        return last < start
    if operator == "<=":
        return last <= end
    return first > end if operator == ">" else first >= start


def _span(text: str) -> tuple[str, str]:
    # Every month may as well have 31 days: the days are only compared.
    return f"{text}-01-01"[:10], f"{text}-12-31"[:10] if len(text) == 4 else f"{text}-31"[:10]


def _alike(value: str, wanted: str) -> bool:
    return _matches(_plain(value), _plain(wanted))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _matches(value: str, wanted: str) -> bool:
    """Whether the value is as wanted, where each "*" stands for anything."""
    first, *others = wanted.split("*")
    if not others:
        return value == wanted
    *middle, last = others
    place = len(first)
    for part in middle:
        found = value.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return value.startswith(first) and value.endswith(last) and place <= len(value) - len(last)


def _in_effect(documents: Sequence[Described], day: str) -> set[str]:
    """Ids of what was in effect: of each document the newest version not after that day."""
    _, end = _span(day)
    newest: dict[tuple[str, str, str], str] = {}
    dated: list[tuple[Described, tuple[str, str, str], str]] = []
    current = set()
    for document in documents:
        since = _since(document)
        if not since:
            current.add(document.id)
        elif since <= end:
            family = _family(document)
            newest[family] = max(newest.get(family, ""), since)
            dated.append((document, family, since))
    return current | {d.id for d, family, since in dated if since == newest[family]}


def _since(document: Described) -> str:
    for name in ("effective_date", "published"):
        value = str(document.metadata.get(name, ""))
        if DATE.fullmatch(value):
            return _span(value)[0]
    return ""


def _family(document: Described) -> tuple[str, str, str]:
    title = " ".join(re.findall(r"\w+", _VERSION_IN_TITLE.sub(" ", document.title).casefold()))
    collection = _plain(str(document.metadata.get("collection", "")))
    language = _plain(str(document.metadata.get("language", "")))[:2]
    return title or document.title, collection, language


def no_document_text(where: Where, total: int) -> str:
    """What is said when a filter lets nothing through."""
    held = "1 document" if total == 1 else f"{total} documents"
    return (
        f"The filter {where} matches no document, so there is nothing to quote. The index holds "
        f"{held}."
    )
