"""The numbers and letters in front of list entries, paragraphs and headings.

| written                       | kind     | value                |
| ----------------------------- | -------- | -------------------- |
| `1.` `1)` `(1)` `12a.`        | "number" | "1", "12a"           |
| `5.1` `5.1.` `5.1)` `(5.1)`   | "parts"  | "5.1"                |
| `a.` `b)` `(C)`               | "letter" | "a", "b", "C"        |
| `aa)` `(bbb)` `(za)`          | "letter" | "aa", "bbb", "za"    |
| `i)` `(iv)` `XII.`            | "roman"  | "i", "iv", "XII"     |

The letters i, v and x are taken for Roman numbers, which go up to 89: whether "(i)" follows "(h)"
only who reads them in order can tell. White space or nothing follows. Of numbers without a sign
only those of several parts count, since contracts write them so ("5.1 The tenant pays"); that "3.5
km away" begins alike is taken into the bargain. None is a word or a count ("A staff member",
"5 days"), a year ("2024.", "(2019)"), a date's or an abbreviation's word ("Art. 5", "no."), or the
sign of a copyright ("(C) 2024").
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["number", "parts", "letter", "roman"]

_VALUE = r"\d{1,3}(?:\.\d{1,3})*[a-z]?|[^\W\d_]{1,7}+"
_ENUMERATOR = re.compile(
    rf"(?:\((?!C\)\s+\d)(?P<inside>{_VALUE})\)|(?P<before>{_VALUE})[.)]"
    r"|(?P<bare>\d{1,3}(?:\.\d{1,3})+))(?=\s|$)"
)
_ROMAN = re.compile(r"(?!l?$)(?:xl|l?x{0,3})(?:ix|iv|v?i{0,3})")
_LETTERS = re.compile(r"([^\W\d_])\1{0,2}")
_INSERTED = re.compile(r"[a-z]{2}")
"""Between "(a)" and "(b)" laws insert "(ab)", and before them "(za)"; "ab)" is a word."""


class Enumerator(NamedTuple):
    """An enumerator at the beginning of a text.

    Attributes:
        kind: see the table above.
        value: without its brackets or full stop, as it is written.
        end: where it ends in the text, its sign included and white space not.
    """

    kind: Kind
    value: str
    end: int


def match(text: str) -> Enumerator | None:
    """The enumerator that a text begins with."""
    found = _ENUMERATOR.match(text)
    if found is None:
        return None
    value = found["inside"] or found["before"] or found["bare"]
    kind = _kind(value, inserted=found["inside"] is not None)
    return Enumerator(kind, value, found.end()) if kind else None


def is_enumerator(text: str) -> bool:
    """Whether a text is an enumerator and nothing else."""
    found = match(text)
    return found is not None and found.end == len(text)


def without_number(text: str) -> str:
    """A sentence or heading without the "(2)" or "b)" in front of it."""
    found = match(text)
    return text if found is None else text[found.end :].lstrip() or text


def _kind(value: str, *, inserted: bool) -> Kind | None:
    if value[0].isdigit():
        return "parts" if "." in value else "number"
    small = value.lower()
    if value in (small, value.upper()) and _ROMAN.fullmatch(small):
        return "roman"
    if _LETTERS.fullmatch(value) or (inserted and _INSERTED.fullmatch(value)):
        return "letter"
    return None
