"""Names and dates: what the properties of the formats have in common."""

from __future__ import annotations

import re
from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from rag.loaders.builder import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELS = {
    "title": ("title",),
    "description": ("description",),
    "collection": ("collection",),
    "author": ("author", "authors", "by", "creator"),
    "language": ("language", "lang", "locale"),
    "source": ("source", "url", "source url", "canonical url"),
    "tags": ("tags", "keywords", "categories", "category"),
    "version": ("version", "revision"),
    "published": (
        "published", "first published", "originally published", "date", "date published",
        "published date", "publish date", "published time", "pubdate", "publication date",
        "date of publication", "issued", "first issued", "originally issued", "date of issue",
    ),
    "effective_date": (
        "effective date", "date effective", "effective", "effective from", "effective since",
        "valid from", "valid since", "valid as of", "in force from", "in force since",
        "in force as of", "in effect from", "in effect since", "in effect as of",
        "entry into force", "entry into effect", "date of entry into force",
        "date of entry into effect", "coming into force", "coming into effect",
        "date of coming into force", "date of coming into effect",
    ),
    "review_date": (
        "review date", "review", "next review", "next review date", "review by", "review due",
        "review due date", "due for review",
    ),
}  # fmt: skip
"""What documents call the fields of their metadata, whatever their format."""
ALIASES = {label.replace(" ", "_"): field for field, labels in LABELS.items() for label in labels}
"""Each label as a name → its field."""
STATED_DATES = ("published", "effective_date", "review_date")
"""The dates that a document states of itself; those of its file are no statements."""
DATES = frozenset([*STATED_DATES, "created", "modified"])
EVIDENCE = "_evidence"
"""What is added to the name of a field for the words of the text that say so."""
_NOTHING = {"", "null", "none", "~", "anonymous", "(anonymous)", "unspecified", "(unspecified)"}
_VALUES_AT_MOST = 1_000
"""In YAML a long list can be given to thousands of fields by a few letters each."""
_PROGRAMS = ("python-docx", "openpyxl", "Steve Canny")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ]\d\d:?\d\d.*)?")
_COMPACT = re.compile(r"(?:D:)?(\d{4})(\d\d)(\d\d)(?:\d{2}.*)?")
_DAY_FIRST = re.compile(
    rf"(\d{{1,2}})(?:st|nd|rd|th)?\.? (?:of )?{_MONTH},? (\d{{4}})", re.IGNORECASE
)
_MONTH_FIRST = re.compile(rf"{_MONTH} (?:(\d{{1,2}})(?:st|nd|rd|th)?,? )?(\d{{4}})", re.IGNORECASE)
DATE_WORDS = (
    rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{4}}"
    rf"|{_DAY_FIRST.pattern}|{_MONTH_FIRST.pattern}"
)
"""A pattern of the dates that running text is searched for; `iso_date` says whether it is one."""
_ISO = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?")
_NUMBERS = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


def any_label(*fields: str) -> str:
    """A pattern of all labels of these fields, longer ones first."""
    labels = (label for field in fields for label in LABELS[field])
    return "|".join(sorted(labels, key=len, reverse=True))


def field_of(label: str) -> str:
    """Our name of what a document calls so, which is its own if we have none."""
    name = re.sub(r"[\s-]+", "_", clean(label).lower())
    return ALIASES.get(name, name)


def normalise(raw: Mapping[str, object]) -> dict[str, str | list[str]]:
    """Metadata under our names: lower-case keys, ISO dates, tags as a list, authors as one string.

    Of any other field one value is a string and several are a list, but several titles are none.
    What is empty or nested is left out. The first of several names for one thing wins.
    """
    result: dict[str, str | list[str]] = {}
    for name, value in raw.items():
        key = field_of(str(name))
        values = [clean(str(part)) for part in _scalars(value)]
        values = [part for part in values if part.lower() not in _NOTHING]
        if not key or not values or key in result:
            continue
        if key == "tags":
            result[key] = [
                tag.strip() for part in values for tag in re.split("[,;]", part) if tag.strip()
            ]
        elif key == "author":
            result[key] = ", ".join(values)
        elif len(values) == 1 or key != "title":
            if key in DATES:
                values = [iso_date(value) or value for value in values]
            result[key] = values[0] if len(values) == 1 else values
    return result


def core_properties(core: Any, author: str | None) -> dict[str, object]:
    """The core properties of an office document, which all its formats share, under our names.

    Args:
        core: the properties, as the library of the format has them.
        author: which each library calls by another name; libraries themselves are none.
    """

    def day(value: Any) -> str:
        return value.date().isoformat() if value else ""

    return {
        "title": core.title,
        "author": "" if author in _PROGRAMS else author,
        "tags": core.keywords,
        "description": core.subject,
        "language": core.language,
        "version": core.version,
        "created": day(core.created),
        "modified": day(core.modified),
    }


def _scalars(value: object) -> list[object]:
    if isinstance(value, list | tuple):
        value = value[:_VALUES_AT_MOST]
        return [part for part in value if part is not None and not isinstance(part, list | dict)]
    return [] if value is None or isinstance(value, dict) else [value]


def iso_date(text: str) -> str | None:
    """The date as "2024-03-01" or "2024-03".

    None unless the whole text is a date that reads only one way: "3/4/2024" does not.
    """
    text = " ".join(text.split())
    for pattern, order in (
        (_YEAR_FIRST, "ymd"),
        (_COMPACT, "ymd"),
        (_DAY_FIRST, "dmy"),
        (_MONTH_FIRST, "mdy"),
    ):
        match = pattern.fullmatch(text)
        if match:
            return _iso(**dict(zip(order, match.groups(), strict=True)))
    match = _NUMBERS.fullmatch(text)
    if match:
        first, second, year = match.groups()
        if first == second or int(second) > 12:
            return _iso(year, first, second)
        if int(first) > 12:
            return _iso(year, second, first)
    return None


def looks_iso(value: str) -> bool:
    """Whether it has the form of an ISO date: a year, a month or a day."""
    return _ISO.fullmatch(value) is not None


def _iso(y: str, m: str, d: str | None) -> str | None:
    month = int(m) if m.isdigit() else _MONTHS.index(m[:3].lower()) + 1
    try:
        full = date(int(y), month, int(d or 1)).isoformat()
    except ValueError:
        return None
    return full if d else full[:7]


TITLE_FROM = "title_from"
"""The key under which a document says that its title is only its `FILE_NAME`."""
FILE_NAME = "file name"


def readable_name(document_id: str) -> str:
    """A title from a path: "leave/annual-leave_v2.md" gives "Annual leave v2"."""
    path = PurePosixPath(document_id)
    index = path.stem.lower() in ("index", "readme") and path.parent.name
    name = clean(re.sub(r"[\s_-]+", " ", path.parent.name if index else path.stem))
    return name[:1].upper() + name[1:] or document_id


def believable_title(title: str) -> str:
    """The title of a document's properties, or "" for what programs put there by themselves."""
    title = clean(title)
    junk = re.fullmatch(
        r"\W*(?:untitled|anonymous|document|microsoft word|presentation|pdf|title)\W*\d*"
        r"|microsoft word - .*|.*\.(?:docx?|pdf|rtf|odt|indd|qxd|dvi|tex|html?)|[\W\d_]*|.",
        title,
        re.IGNORECASE,
    )
    return "" if junk else title
