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
- as_of: of documents that are versions of one another, the newest that was in effect on that day,
  see `versions`. A document that does not say since when it holds may be searched on any day.

A document without the field meets only conditions with "!=".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.catalogue.conditions import DATE, OTHER, Condition, Where, numbers
from rag.catalogue.described import Described
from rag.loaders.metadata import DATES

_SEVERAL = re.compile(r"\s*[,;&]\s*|\s+and\s+")
_ADDRESS = re.compile(r"\s*<[^<>\s]*>")


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
            # Few filters ask for a day: the others need not wait for what versions are.
            from rag.catalogue.versions import in_effect

            current = in_effect(documents, _span(condition.value)[1])
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
    """What a document says of a field: all of a list, and an author in every form."""
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
