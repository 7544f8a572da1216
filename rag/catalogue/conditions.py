"""What somebody asks of the documents to be searched, as text and parsed; see `filters`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag.errors import UsageError
from rag.loaders.metadata import ALIASES, DATES, iso_date

_TEXTS = frozenset(["path", "title", "author", "source", "collection", "language", "tags"])
_FIELDS = DATES | _TEXTS | {"version", "description"}
_NAMES = {**ALIASES, "document": "path", "file": "path", "id": "path", "tag": "tags"}
OTHER = "meta."
_CONDITION = re.compile(r"\s*([\w.-]+)\s*(>=|<=|!=|==|=|>|<)\s*(.*?)\s*", re.DOTALL)
DATE = re.compile(r"\d{4}(?:-\d\d){0,2}")
_EXAMPLE = 'for example "collection=handbook", "effective_date>=2024-01-01" or "tags=leave"'


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison, such as effective_date >= 2024-01-01; the value is in its normal form."""

    field: str
    operator: str
    value: str

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{self.value}"


@dataclass(frozen=True, slots=True)
class Where:
    """A parsed filter; without conditions it lets everything through."""

    conditions: tuple[Condition, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is asked of a document."""
        return bool(self.conditions)

    def __str__(self) -> str:
        return " and ".join(map(str, self.conditions))


Given = Where | str | Sequence[str] | Mapping[str, str] | None
"""A filter as callers write it: one condition, several, values by field, or parsed already."""


def parse_where(given: Given) -> Where:
    """The filter that somebody wrote.

    Raises:
        UsageError: a condition is not understood; the message shows some that are.
    """
    if isinstance(given, Where):
        return given
    if given is not None and not isinstance(given, Iterable):
        raise UsageError(f"a filter is text, not {type(given).__name__}: write {_EXAMPLE}")
    if isinstance(given, Mapping):
        given = [f"{field}={value}" for field, value in given.items()]
    written = [given] if isinstance(given, str) else list(given or ())
    return Where(tuple(_parse(text) for text in written))


def _parse(text: object) -> Condition:
    match = _CONDITION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise UsageError(f"the filter {text!r} is not understood: write {_EXAMPLE}")
    name, operator, value = match[1], match[2].replace("==", "="), match[3]
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    field = _field(name)
    if not value:
        raise UsageError(f"the filter {text!r} has no value: write {_EXAMPLE}")
    ordered = operator not in ("=", "!=")
    if field == "as_of" and operator != "=":
        raise UsageError(f'the filter {text!r} is not understood: write "as_of=2024-06-01"')
    if field in DATES or field == "as_of":
        day = value if DATE.fullmatch(value) and _possible(value) else iso_date(value)
        if day is None:
            raise UsageError(
                f'the filter {text!r} has no date: write 2024, 2024-06 or "{name}{operator}'
                '2024-06-01"'
            )
        value = day
    elif field == "version":
        if ordered and numbers(value) is None:
            raise UsageError(f'the filter {text!r} has no version number: write "version>=1.2"')
    elif ordered:
        raise UsageError(
            f'the filter {text!r} compares text: only = and != can, as in "{field}={value}"'
        )
    return Condition(field, operator, value)


def _field(name: str) -> str:
    if name.startswith(OTHER) and len(name) > len(OTHER):
        return name
    plain = name.lower().replace("-", "_")
    plain = _NAMES.get(plain, plain)
    if plain not in _FIELDS and plain != "as_of":
        known = " ".join(sorted(_FIELDS | {"as_of"}))
        raise UsageError(
            f"a filter knows no field {name!r}: use one of {known}, or meta.{name} for metadata "
            "of your own"
        )
    return plain


def _possible(text: str) -> bool:
    """False for the thirteenth month."""
    return len(text) == 4 or iso_date(text) is not None


def numbers(text: str) -> tuple[int, ...] | None:
    """1.10 as (1, 10), without zeros at the end; None if it is no such number."""
    match = re.fullmatch(r"v?(\d{1,9}(?:\.\d{1,9})*)", text.strip(), re.IGNORECASE)
    if match is None:
        return None
    numbers = [int(part) for part in match[1].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
