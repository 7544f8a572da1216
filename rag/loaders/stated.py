"""Version and dates that a document states of itself in its first lines.

Any other date may be about anything, and a document that replaces another one may say since when
that was in effect. So a date counts in one of four cases:

- on a line of its own behind a label, as in "Date: 13.05.2024";
- where its subject is this very document, as in "This policy takes effect on 1 May 2024";
- where the statement stands alone, as in "Effective from 1 May 2024";
- right behind one that counts, as in "Effective 1 May 2024, next review 1 May 2026".

Where none says when it was published, the date at its head does, see `dateline`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.loaders.dateline import dateline
from rag.loaders.metadata import DATE_WORDS, EVIDENCE, STATED_DATES, any_label, field_of, iso_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.types import Block

_WITHIN = 1500
_HEAD_LINE = 300
"""Longer lines are text; above the first of them stands the head of a document."""
_ONLY_ON_LINES = ("date", "review", "review by")
"""Labels that in a sentence may be said of anything."""
# "__Version:__" begins a word too.
_START = r"(?<![^\W_])"
# Between label and value: "Effective date: ", "**Effective date:** ", or two cells of a row.
_BETWEEN = r"[ \t]*[*_]{0,3}[ \t]*(?:(?P<colon>[:|])[*_]{0,3}[ \t]*|[ \t]+)[*_]{0,3}"
_SHORT = r"\d{4}[-/.]\d{1,2}(?![-/.]?\d)|\d{8}"
"""Dates that are some other number, unless they stand behind a colon: "2024-05"."""
_STATEMENT = re.compile(
    rf"{_START}(?P<verb>(?:is|are|was|were|has|have|been|will|shall|becomes?) "
    r"(?:(?:be|been|made|and|entered into) ){0,4})?"
    rf"(?:(?P<label>{any_label(*STATED_DATES)})(?: on| by| as (?:of|from))?"
    r"|(?P<active>(?:took|takes?) effect|"
    r"(?:came|comes?|enters?|entered|goes?|went) into (?:force|effect))(?: on| from| as of)?)"
    rf"{_BETWEEN}(?P<date>{DATE_WORDS}|{_SHORT})(?:\b|(?=T\d\d))",
    re.IGNORECASE,
)
_VERSION = re.compile(
    rf"{_START}(?:{any_label('version')}){_BETWEEN}v?"
    r"(?:(?P<number>\d{1,3}(?:\.\d{1,3}){1,3})\b(?!\.?\d)"
    r"|(?P<sign>\d(?:[\w.-]{0,18}[^\W_])?)(?![^\W_]))",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"\b(?:replac\w+|supersed\w+|previous|earlier|old|than|from|with)\W+(?:\w+\W+){0,2}$",
    re.IGNORECASE,
)
# "It" goes on with the subject of the sentence before.
_BEGINS = re.compile(r"\n\s*\n|(?<=[.!?:])\W*\s(?=[\W\d_]*[^\W\d_a-z])(?!\W*It\b)|[|·•]")
_DOCUMENT = (
    "act|agreement|by-?laws?|charter|circular|code|contract|decision|decree|directive|document|"
    "edition|guidance|guide|guidelines?|handbook|instructions?|law|manual|notice|order|ordinance|"
    "plan|policy|policies|procedures?|protocol|regulations?|report|rules?|standards?|statement|"
    "statutes?|strategy|terms|version"
)
_ALONE = re.compile(rf"[\W\d_]*(?:(?:the|date|{_DOCUMENT}|version\W+v?[\d.]+)\W+)*", re.IGNORECASE)
# Between two statements: "Effective 1 May 2024, next review 1 May 2026".
_ADDED = re.compile(r"[\s,;/]*(?:and\s+)?")
_THIS = (
    r"(?:(?:^|[,;:])[\W\d_]*(?:this|these|the present|our)|\b(?-i:This|THIS|These|THESE|Our))\s+"
    rf"(?:(?-i:[A-Z])\S*\s+|(?-i:[a-z])\S*\s+(?=(?:{_DOCUMENT})\b)){{0,3}}(?:{_DOCUMENT})\b"
    r"(?:\s+(?:and|of|for|on)\s+\w+)?(?:\s*\([^()]*\))?"
)
_SUBJECT = re.compile(rf"{_THIS}(?:\W+which)?\W*$", re.IGNORECASE)
_SUBJECT_BEFORE = re.compile(rf"{_THIS}.*\W(?:and|it)\W+$", re.IGNORECASE | re.DOTALL)
# "Effective 1 April 2024, parking fees rise" is about something else.
_GOES_ON = re.compile(
    r",\s*(?!(?i:next|last|version|review|valid|effective|in force|in effect|replac\w+|supersed\w+|"
    r"\w+ed)\b)\w"
    r"|[ \t]*\n?[ \t]*(?!(?:and|at|by|for|in|of|on|or|through|till|to|under|until|with)\b)[a-z]"
)
_WORD = re.compile(r"[^\W_]")
# Behind a date may be a time of day.
_LINE_ENDS = re.compile(r"(?:[T ]\d\d:?\d\d[^\n|]*)?[ \t*_|.]*(?:\n|\Z)")


def stated(text: str, blocks: Sequence[Block] = ()) -> dict[str, str | list[str]]:
    """What is stated, and under "effective_date_evidence" and the like the words that do so.

    Of several statements of one thing the first counts.

    Args:
        text: of the document.
        blocks: its blocks, of which the first may bear a date without a label.
    """
    beginning = text[:_WITHIN]
    found: dict[str, str | list[str]] = {}
    sentences = [0, *(match.end() for match in _BEGINS.finditer(beginning))]
    done = 0
    for match in _STATEMENT.finditer(beginning):
        start, end = match.start("label" if match["label"] else "active"), match.end()
        field = field_of(match["label"]) if match["label"] else "effective_date"
        sentence = max(at for at in sentences if at <= match.start())
        added = done and _ADDED.fullmatch(beginning, done, match.start())
        own = added or _is_own(match, beginning[sentence : match.start()])
        day = _day(match)
        if day and own and field not in found:
            found[field] = day
            found[field + EVIDENCE] = beginning[start:end]
            done = end
    head = {} if "published" in found else dateline(text, blocks)
    return {**found, **head, **_version(beginning)}


def _day(match: re.Match[str]) -> str | None:
    """The day as ISO date, if the statement has one that reads only one way."""
    short = re.fullmatch(_SHORT, match["date"])
    return None if short and not match["colon"] else iso_date(match["date"])


def _version(beginning: str) -> dict[str, str | list[str]]:
    """A number such as 2.1 counts anywhere, another sign where its label begins a line."""
    for match in _VERSION.finditer(beginning):
        if _OTHER.search(beginning, 0, match.start()) or _in_later_cell(match):
            continue
        labelled = _begins_line(match) and (match["colon"] == ":" or _ends_line(match))
        if match["number"] or labelled:
            value = match["number"] or match["sign"]
            return {"version": value, "version" + EVIDENCE: match[0]}
    return {}


def _is_own(match: re.Match[str], before: str) -> bool:
    """Whether a date is said of the document, judged by the sentence before it."""
    if _in_later_cell(match):
        return False
    if (match["label"] or "").lower() in _ONLY_ON_LINES:
        return _is_line(match)
    return _is_line(match) or _subject_is_this(match, before) or _stands_alone(match, before)


def _in_later_cell(match: re.Match[str]) -> bool:
    """Whether label and value are cells of a row that is about what its first cell names."""
    return match["colon"] == "|" and "|" in _line_before(match).lstrip("| \t")


def _is_line(match: re.Match[str]) -> bool:
    """Whether label and value are a line of the head of the document."""
    return _begins_line(match) and _ends_line(match)


def _begins_line(match: re.Match[str]) -> bool:
    """Whether a label with a colon begins a line of the head."""
    head = match.string[: match.start()].split("\n")
    first = _WORD.search(head[-1]) is None
    return bool(match["colon"]) and first and max(map(len, head)) <= _HEAD_LINE


def _ends_line(match: re.Match[str]) -> bool:
    return _LINE_ENDS.match(match.string, match.end()) is not None


def _line_before(match: re.Match[str]) -> str:
    return match.string[: match.start()].rpartition("\n")[2]


def _subject_is_this(match: re.Match[str], before: str) -> bool:
    """Whether the document speaks of itself."""
    if _SUBJECT.search(before):
        return True
    return bool((match["verb"] or match["active"]) and _SUBJECT_BEFORE.search(before))


def _stands_alone(match: re.Match[str], before: str) -> bool:
    """Whether a statement is no part of a sentence."""
    if match["verb"]:
        return False
    # What is written large begins something new, wherever it stands.
    large = match[0][0].isupper() and not _OTHER.search(before)
    line = before.rpartition("\n")[2]
    # Else a line may begin in the middle of a sentence.
    begins = line == before or f"{line}{match[0]}".lstrip("*_ \t")[0].isupper()
    alone = large or (begins and _ALONE.fullmatch(line))
    return bool(alone and (match["colon"] or not _GOES_ON.match(match.string, match.end())))
