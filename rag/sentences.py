"""Splitting a block of text into sentences with exact offsets."""

from __future__ import annotations

import re
from itertools import pairwise

from sentencex import get_sentence_boundaries

from rag.abbreviations import CONTINUES, CONTINUES_WITH_NUMBER, NUMBER, TITLE

# A new sentence does not start in lower case ("iPhone" aside) or with closing punctuation.
_CANNOT_START = re.compile(r"[a-z](?![A-Z])|[,;:)\]%]")
# "1.", "1.2." or "(b)" alone is the number of the sentence after it.
_ENUMERATOR = re.compile(r"\(?(?:\d{1,3}(?:\.\d{1,3})*|[a-zA-Z]|[ivx]{1,5})[.)]$")
# What sentencex leaves together although it ends: closing quotes or brackets and a capital,
# or a footnote mark after the full stop.
_MISSED = re.compile(r"(?<=[a-z0-9)\]][.!?])[\"”’)\]]?\s{1,}(?=[\"“(\[]?[A-Z][a-z]+ )")

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
    for boundary in get_sentence_boundaries(language, flat):
        first, last = boundary["start_index"], boundary["end_index"]
        cuts = [first, *(m.end() for m in _MISSED.finditer(flat, first, last)), last]
        for left, right in pairwise(cuts):
            piece = _strip(flat, left, right)
            if piece is None:
                continue
            if spans and _is_one_sentence(flat, spans[-1], piece):
                spans[-1] = (spans[-1][0], piece[1])
            else:
                spans.append(piece)
    return [(start + left, start + right) for left, right in spans]


def _strip(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def _is_one_sentence(text: str, first: tuple[int, int], second: tuple[int, int]) -> bool:
    # Only the end of one and the start of the other matter; a sentence may have a million letters.
    before = text[max(first[0], first[1] - _SEEN) : first[1]]
    after = text[second[0] : min(second[1], second[0] + _SEEN)]
    if CONTINUES_WITH_NUMBER.search(before):
        return bool(NUMBER.match(after))
    return bool(
        (len(before) < _SEEN and _ENUMERATOR.match(before))
        or CONTINUES.search(before)
        or TITLE.search(before)
        or _CANNOT_START.match(after)
    )
