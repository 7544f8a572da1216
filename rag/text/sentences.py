"""Splitting a block of text into sentences with exact offsets."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from sentencex import get_sentence_boundaries

from rag.text.abbreviations import CONTINUES, CONTINUES_WITH_NUMBER, NUMBER, TITLE
from rag.text.enumerators import is_enumerator

if TYPE_CHECKING:
    from collections.abc import Iterator

# A new sentence starts neither with closing punctuation nor (see below) in lower case.
_CANNOT_START = re.compile(r"[,;:)\]%]")
# "5 p.m. Mondays to Fridays", but "5 p.m. Mondays are busy" is two.
_DAY_OR_ZONE = re.compile(
    r"(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)"
    r"(?:day|days(?=$|[.,;:)–-]| (?:[-–]|(?:and|or|to|through|except|only)\b)))?"
    r"|Eastern|Central|Mountain|Pacific|[CEMP][DES]?T|GMT|UTC)\b"
)
_MONTH = re.compile(
    r"(?:Januar|Jänner|Februar|Feber|März|April|Mai|Juni|Juli|August|September|Oktober|"
    r"November|Dezember)\b"
)
# What ends the first and begins the second of two pieces of one sentence.
_GOES_ON = (
    (CONTINUES_WITH_NUMBER, NUMBER),
    (re.compile(r"\b[ap]\.m\.$", re.IGNORECASE), _DAY_OR_ZONE),
    (re.compile(r"\b\d{1,2}\.$"), _MONTH),
    # A price: "30.–".
    (re.compile(r"\d\.$"), re.compile(r"[-–—]")),
)
# A heading that runs into its text, of a few words: "**Fees.** …". A short sentence may look the
# same; with the next one it loses nothing, but a label alone answers nothing.
_RUN_IN = re.compile(
    r"(?:(?P<mark>[*_]{1,3})|<(?P<tag>b|strong|em)>)[^\s*_<]+(?: [^\s*_<]+){0,4}"
    r"(?:[.!](?:(?P=mark)|</(?P=tag)>)|(?:(?P=mark)|</(?P=tag)>)[.!])"
)
# Closing markup and footnote marks belong to the sentence before, as white space does.
_TAIL = re.compile(
    r"(?:(?<=\S)(?:[*_~¹²³⁰⁴-⁹†‡]|<sup>\w{1,3}|</\w{1,10}>|\[\^?[^\s\[\]]{1,20}\])+(?!\S))?\s*"
)
# The library cuts nothing within quotes or brackets, and sees them where there are none. So it is
# asked again without them if a sentence may end where it made no cut.
_MAY_END = re.compile(r"(?<=[a-z0-9)\]][.!?])[\"”’)\]]?\s+(?=[\"“(\[]?[A-Z][a-z]+ )")
_QUOTES_AND_BRACKETS = re.compile(r"[\"“”„«»()\[\]]|(?<!\w)['‘’]|['‘’](?!\w)")
# It takes these for abbreviations, but they end sentences as well; the last are web addresses.
_ALSO_ENDS = re.compile(r"(?:\b(?:etc|no|may|[ap]\.m)|\w\.[a-z]{2,})\.$", re.IGNORECASE)

_SEEN = 60


def split_sentences(text: str, start: int = 0, language: str = "en") -> list[tuple[int, int]]:
    """Sentences of `text`, which is one block (paragraph, list entry, …) of a document.

    Args:
        text: the block; line breaks inside it are taken as spaces.
        start: offset of the block in its document, added to every span.
        language: ISO 639-1 code.

    Returns:
        Non-overlapping [start, end) spans in order, without surrounding white space. Together
        they hold every character that is not white space.
    """
    # One block is one paragraph: line breaks are layout, and the library would split there.
    flat = re.sub(r"\s", " ", text)
    spans: list[tuple[int, int]] = []
    for left, right in pairwise(_cuts(flat, language)):
        piece = _strip(flat, left, right)
        if piece is None:
            continue
        if spans and (
            _RUN_IN.fullmatch(flat, *spans[-1])
            or _in_label(flat[slice(*spans[-1])])
            or _is_one_sentence(flat, spans[-1], piece)
        ):
            spans[-1] = (spans[-1][0], piece[1])
        else:
            spans.append(piece)
    return [(start + left, start + right) for left, right in spans]


def _in_label(text: str) -> bool:
    """Whether a short text begins a bold label that is not closed yet: "**Item 3."."""
    return text.startswith("**") and len(text) < _SEEN and text.count("**") == 1


def _cuts(text: str, language: str) -> list[int]:
    """Where sentences may begin, and the end of the text."""
    cuts = {0, len(text), *_boundaries(text, language)}
    more = [match for match in _MAY_END.finditer(text) if match.end() not in cuts]
    if more:
        bare = set(_boundaries(_QUOTES_AND_BRACKETS.sub(" ", text), language))
        cuts.update(
            match.end()
            for match in more
            if match.end() in bare
            or match.end() + 1 in bare
            or _ALSO_ENDS.search(text[max(0, match.start() - _SEEN) : match.start()])
        )
    return sorted(cuts)


def _boundaries(text: str, language: str) -> Iterator[int]:
    for boundary in get_sentence_boundaries(language, text):
        yield next(_TAIL.finditer(text, boundary["end_index"])).end()


def _strip(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def _is_one_sentence(text: str, first: tuple[int, int], second: tuple[int, int]) -> bool:
    # Only the end of one and the start of the other matter; a sentence may have a million letters.
    before = text[max(first[0], first[1] - _SEEN) : first[1]].strip("*_~")
    after = text[second[0] : min(second[1], second[0] + _SEEN)]
    return bool(
        # "1." or "(b)" alone is the number of the sentence after it.
        is_enumerator(before)
        or CONTINUES.search(before)
        or TITLE.search(before)
        or any(end.search(before) and begin.match(after) for end, begin in _GOES_ON)
        or _CANNOT_START.match(after)
        # "iPhone" aside.
        or (after[0].islower() and not after[1:2].isupper())
    )
