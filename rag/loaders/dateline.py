"""The date that stands above the text of a document without a label, as on a letter or a report.

It is the only full date in the short blocks before the first long one (or at the beginning of that
one, as news agencies set it). It has to stand apart or behind what is dated ("Minutes of the
meeting held on 20 May 2025"), and not in words about another document, a period or a deadline.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.loaders.metadata import DATE_WORDS, EVIDENCE, iso_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.types import Block

_SHORT, _LONGEST_LINE = 16, 24
"""Text begins with a sentence of more words, or with more words without a full stop."""
_BLOCKS_AT_MOST = 12
_SEEN = 1000  # characters of a block
_DATE = re.compile(rf"(?<![\w./-])(?:{DATE_WORDS})(?![\w/-]|\.\d)", re.IGNORECASE)
_PARTS = re.compile(r"[\n|·•]")
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+)?"
_APART = re.compile(rf"(?:^[\W_]*|[,;–—]\s*|\s-+\s*){_WEEKDAY}$", re.IGNORECASE)
_DATED = re.compile(
    r"\b(?:act|adopted|agenda|approved|article|circular|conference|dated|debate|decision|decree|"
    r"delivered|directive|edition|given|hearing|held|issued|letter|made|meeting|memo(?:randum)?|"
    r"minutes|notice|order|posted|press release|publication|published|regulation|released|report|"
    r"resolution|revised|ruling|session|signed|sitting|speech|statement|updated|version)\W+"
    rf"(?:(?!by\b)\w+\W+){{0,3}}?(?:on\s+|of\s+)?(?:the\s+)?{_WEEKDAY}$",
    re.IGNORECASE,
)
_OF_ANOTHER = re.compile(
    r"\b(?:amend\w*|answers?|as from|based on|before|between|born|clos\w+|comment\w*|"
    r"correct\w*|corrigendum|deadline|due|effect\w*|end(?:s|ed|ing)|expir\w*|following|force|from|"
    r"implement\w*|last|next|period|previous|pursuant|refer\w*|repeal\w*|repl(?:y|ies)|replac\w*|"
    r"respon\w*|review\w*|see|since|start\w*|supersed\w*|till|under|until|valid|"
    r"with effect|your)\b",
    re.IGNORECASE,
)
_AGENCY = re.compile(r"[\W_]*(?:[\w’'.-]+ ){0,3}[\w’'.-]+,? (?:\([\w /]+\) )?|")
_DASH = re.compile(r"\s*(?:--|–|—|-\s)")
_FULL = len("2024-05-13")
# A period, of which this is the second or the first day.
_UP_TO = re.compile(r"(?:\d|\w{3})\s*(?:-|–|—|\bto|\band)\s*$")
_GOES_ON = re.compile(r"\s*(?:-|–|—|to\b|until\b|till\b|through\b|and\b)\s*\d{1,2}(?![\d:.])")


def dateline(text: str, blocks: Sequence[Block]) -> dict[str, str | list[str]]:
    """The day as "published", and under "published_evidence" the words with it; {} without one."""
    days: dict[str, str] = {}
    for words, date in _own_dates(text, blocks):
        day = iso_date(date)
        if day and len(day) == _FULL:
            days.setdefault(day, words)
    if len(days) != 1:
        return {}
    day, words = days.popitem()
    return {"published": day, f"published{EVIDENCE}": words}


def _own_dates(text: str, blocks: Sequence[Block]) -> Iterator[tuple[str, str]]:
    """The dates that a document says of itself, each with the words up to it."""
    for block in blocks[:_BLOCKS_AT_MOST]:
        if block.kind not in ("heading", "paragraph"):
            return
        piece = text[block.start : min(block.end, block.start + _SEEN)]
        words = 0 if block.kind == "heading" else len(piece.split())
        long = words > (_SHORT if piece[-1] in ".!?" else _LONGEST_LINE)
        for found in _DATE.finditer(piece):
            parts = [part.end() for part in _PARTS.finditer(piece, 0, found.start())]
            start = parts[-1] if parts else 0
            before, after = piece[start : found.start()], piece[found.end() :]
            if long and not (_AGENCY.fullmatch(before) and _DASH.match(after)):
                continue
            if _is_own(before, after):
                yield piece[start : found.end()].strip("*_ "), found[0]
        if long:
            return


def _is_own(before: str, after: str) -> bool:
    if _OF_ANOTHER.search(before) or _UP_TO.search(before) or _GOES_ON.match(after):
        return False
    return bool(_APART.search(before) or _DATED.search(before))
