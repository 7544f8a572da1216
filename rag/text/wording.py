"""Dates, places, counts and degrees of certainty, in words."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Protocol

from rag.types import Document, Metadata

# The first key that a document has is its date; the word says what kind of date it is. The
# loaders give dates of one kind one name, see `rag.loaders.metadata`.
_DATE_KEYS = (
    ("effective_date", "effective"),
    ("published", "published"),
    ("updated", "updated"),
    ("last_updated", "updated"),
    ("modified", "changed"),
    ("last_reviewed", "reviewed"),
    ("reviewed", "reviewed"),
    ("created", "written"),
)
_ENDED = ("superseded", "withdrawn", "obsolete", "expired", "archived", "replaced", "repealed")
_CERTAINTY = (
    (0.85, "high", "Very likely answers the question"),
    (0.65, "good", "Likely answers the question"),
    (0.45, "fair", "May answer the question: check the passages"),
    (0.0, "low", "Weak match: check the passages before relying on it"),
)
_MAX_LABEL = 160

SUCCESSOR = ("superseded_by", "replaced_by")
"""Where a document names what replaces it."""


def certainty(confidence: float) -> tuple[str, str]:
    """A calibrated confidence as a level ("high", "good", "fair", "low") and a sentence."""
    for least, level, words in _CERTAINTY:
        if confidence >= least:
            return level, words
    return "low", _CERTAINTY[-1][2]


def document_date(metadata: Metadata) -> tuple[str, str] | None:
    """What kind of date a document carries, and the date; None if it carries none."""
    for key, words in _DATE_KEYS:
        value = first(metadata, key)
        if value:
            return words, nice_date(value)
    return None


def dated(document: Document | None) -> str:
    """The date of a document with its kind, e.g. "effective 1 March 2024"; empty if unknown."""
    found = document_date(document.metadata) if document else None
    return " ".join(found) if found else ""


def nice_date(value: str) -> str:
    """An ISO date as a person writes it, e.g. "1 March 2024"; anything else as it stands."""
    try:
        day = date.fromisoformat(value.strip()[:10])
    except ValueError:
        return shorten(value, 40)
    return f"{day.day} {day:%B %Y}"


def nice_time(stamp: str) -> str:
    """An ISO time stamp in UTC as a person writes it, e.g. "1 March 2024, 09:30 UTC"."""
    try:
        built = datetime.fromisoformat(stamp)
    except ValueError:
        return shorten(stamp, 40)
    built = built.astimezone(UTC) if built.tzinfo else built
    return f"{built.day} {built:%B %Y, %H:%M} UTC"


def short_time(stamp: str) -> str:
    """An ISO time stamp in UTC where room is short, e.g. "2024-03-01 09:30 UTC"."""
    return f"{stamp[:16].replace('T', ' ')} UTC"


def standing(metadata: Metadata) -> str | None:
    """A warning if the document says that it no longer applies."""
    status = (first(metadata, "status") or "").lower()
    if named := successor(metadata):
        return f"Superseded by {shorten(named, 80)}"
    if any(word in status for word in _ENDED):
        return shorten(status, 40).capitalize()
    for key in ("valid_until", "valid_to", "expires", "expiry_date"):
        if value := first(metadata, key):
            return f"Valid until {nice_date(value)}"
    return None


def successor(metadata: Metadata) -> str | None:
    """What a document says it is superseded by, in its own words."""
    return next(filter(None, (first(metadata, key) for key in SUCCESSOR)), None)


def first(metadata: Metadata, key: str) -> str | None:
    """The value of a key, or the first of its values; None if there is none."""
    value = metadata.get(key)
    if isinstance(value, list):
        value = value[0] if value else None
    return value.strip() if isinstance(value, str) and value.strip() else None


def language_of(metadata: Metadata) -> str:
    """The language that a document declares, as a code of two letters; English if it does not."""
    return (first(metadata, "language") or "en")[:2].lower()


class Placed(Protocol):
    """Whatever stands in a section and on a page of a document."""

    @property
    def title(self) -> str:
        """Of the document."""

    @property
    def section(self) -> str | None:
        """The heading above it."""

    @property
    def page(self) -> int | None:
        """Its page, from 1."""


def place(source: Placed) -> str:
    """Section and page, e.g. "How much · p. 3"; empty if the source knows neither.

    A section that is called as the document says nothing more.
    """
    section = source.section
    parts = [shorten(section, 90)] if section and section != source.title else []
    if source.page is not None:
        parts.append(f"p. {source.page}")
    return " · ".join(parts)


def sentence_case(words: str) -> str:
    """The words with a capital at the start, and the rest as it is."""
    return words[:1].upper() + words[1:]


def counted(number: int, noun: str) -> str:
    """A number with its noun, e.g. "1 document", "1,204 documents"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def natural_order(text: str) -> tuple[str | int, ...]:
    """A key that sorts numbers in a text by their size: "no. 9" comes before "no. 26"."""
    parts = re.split(r"(\d+)", unicodedata.normalize("NFKC", text).casefold())
    return tuple(int(part) if at % 2 else part for at, part in enumerate(parts))


def shorten(text: str, limit: int = _MAX_LABEL) -> str:
    """One line of at most `limit` characters, cut at a word."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > limit // 2 else cut).rstrip(" ,;:–-") + "…"
