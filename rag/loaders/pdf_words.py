"""Words and lines of a PDF page from its glyphs. Lengths are in points, 72 to the inch."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pdfplumber.page import Page as PdfPage

# How far a line may rise on its way, per point: a scanner turns a page by less.
_LEVEL = 0.1
# How near a letter drawn again lies to the first, in sizes: far less than the narrowest is wide.
_SAME_PLACE = 0.06
# Numbers the places of a page row by row: more than there are in one.
_GRID_ROWS = 1_000_000
# Points; the largest page that a viewer opens has 14,400.
_FAR = 100_000
# How near the middles of words on one line are, in heights of a word: lines are a whole one apart.
_ONE_LINE = 0.4
SPACE = 0.15
"""What divides two words of a line, in sizes: the narrowest space is a fifth of the size."""

_BOLD = re.compile(r"bold|black|heavy|semib|demi", re.IGNORECASE)


class Word(NamedTuple):
    """A run of characters in one font; lengths in points, from the top left of the page."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    bold: bool


Glyph = dict[str, Any]


def by_direction(page: PdfPage) -> dict[int, list[Glyph]]:
    """The glyphs of a page by where their line runs to: 0 is right, 90 up, 180 left, 270 down.

    Lines aslant are left out: they are watermarks and stamps, whose letters would stand among the
    words that they lie under.
    """
    found: defaultdict[int, list[Glyph]] = defaultdict(list)
    for glyph in page.chars:
        if not abs(glyph["x0"]) + abs(glyph["top"]) + glyph["size"] < _FAR:
            # On no page, perhaps not even a number.
            continue
        across, up = glyph["matrix"][:2]
        if glyph["adv"] < 0:
            # A font of negative size, which its matrix turns back.
            across, up = -across, -up
        if abs(up) <= _LEVEL * abs(across):
            found[0 if across > 0 else 180].append(glyph)
        elif abs(across) <= _LEVEL * abs(up):
            found[90 if up > 0 else 270].append(glyph)
    return found


def words_of(glyphs: Iterable[Glyph], page: PdfPage) -> list[Word]:
    """The words of glyphs whose lines run to the right, without what stands off the page."""
    # Imported here: whoever only asks whether there is tesseract imports this module as well.
    from pdfplumber.utils import extract_words

    found = extract_words(
        list(_once(glyphs)),
        x_tolerance_ratio=0.2,
        extra_attrs=["fontname", "size"],
        expand_ligatures=True,
    )
    left, top, right, bottom = map(float, page.bbox)
    return [
        Word(
            word["text"],
            float(word["x0"]),
            float(word["x1"]),
            float(word["top"]),
            float(word["bottom"]),
            round(float(word["size"]) * 2) / 2,
            bool(_BOLD.search(str(word["fontname"]))),
        )
        for word in found
        if word["upright"]
        and left - 1 <= word["x0"] <= word["x1"] <= right + 1
        and top <= word["bottom"] <= bottom + 1
    ]


def _once(glyphs: Iterable[Glyph]) -> Iterator[Glyph]:
    """Without letters drawn again in nearly the same place, which makes them look bold.

    pdfplumber's own `dedupe_chars` takes time with the square of their number.
    """
    seen: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for glyph in glyphs:
        size = round(glyph["size"]) or 1
        grid = _SAME_PLACE * size
        at = int(glyph["x0"] / grid) * _GRID_ROWS + int(glyph["top"] / grid)
        left, right = at - _GRID_ROWS, at + _GRID_ROWS
        near = (left - 1, left, left + 1, at - 1, at, at + 1, right - 1, right, right + 1)
        places = seen[glyph["text"], size]
        if places.isdisjoint(near):
            places.add(at)
            yield glyph


def cluster(words: Sequence[Word]) -> list[list[Word]]:
    """Words on one baseline, from left to right; lines from top to bottom."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word.bottom, word.x0)):
        height = max(1.0, word.bottom - word.top)
        middle = (word.top + word.bottom) / 2
        for line in reversed(lines[-3:]):
            if abs((line[0].top + line[0].bottom) / 2 - middle) < height * _ONE_LINE:
                line.append(word)
                break
        else:
            lines.append([word])
    ordered = [sorted(line, key=lambda word: word.x0) for line in lines]
    return sorted(ordered, key=lambda line: min(word.top for word in line))


def pieces(line: Sequence[Word], least: float, sizes: float) -> list[list[Word]]:
    """A line divided where a gap is at least so many points, and so many times the font size."""
    found = [[line[0]]]
    for word, following in pairwise(line):
        if following.x0 - word.x1 >= max(least, sizes * max(word.size, following.size)):
            found.append([])
        found[-1].append(following)
    return found


def joined(words: Sequence[Word]) -> str:
    """The text of words on one line."""
    parts: list[str] = []
    previous: Word | None = None
    for word in words:
        if previous and word.x0 - previous.x1 > SPACE * min(word.size, previous.size):
            parts.append(" ")
        parts.append(word.text)
        previous = word
    return "".join(parts)
