"""Words of a PDF page from its glyphs, and tables without rulings among them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pdfplumber.page import Page as PdfPage

_LEVEL = 0.1
_SAME_PLACE = 0.06
_GRID_ROWS = 1_000_000
_FAR = 100_000
_BOLD = re.compile(r"bold|black|heavy|semib|demi", re.IGNORECASE)
_LEAST_ROWS = 3
_CELL_GAP = 9.0
_CELL_GAP_SIZES = 1.0
_ALIGNED = 2.5
_CELL_AT_MOST = 40
_ROW_GAP_SIZES = 1.6
_MARKER = re.compile(
    r"\(cid:\d+\)|[•‣▪●○◦■□➢➤✓–—\-*·o\uf0b7\uf0a7\uf0d8]|\(?(?:\d{1,3}(?:\.\d{1,3})*|[a-z]|[ivx]{1,5})[.)]?",
    re.IGNORECASE,
)
_LEADER = re.compile(r"\.{4,}|(?:\. ){3,}|…")


class Word(NamedTuple):
    """A run of characters in one font; lengths in points, from the top left of the page."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    bold: bool


Cells = list[list[Word]]
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
        # Far less than the width of the narrowest letter, so that "ll" stays two.
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
            if abs((line[0].top + line[0].bottom) / 2 - middle) < height * 0.4:
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
        if previous and word.x0 - previous.x1 > 0.15 * min(word.size, previous.size):
            parts.append(" ")
        parts.append(word.text)
        previous = word
    return "".join(parts)


def unruled_tables(lines: Sequence[Sequence[Word]]) -> Iterator[list[Cells]]:
    """Runs of lines that are rows of one table, though nothing is drawn around its cells.

    Careful: at least three lines, one below the other, with equally many short cells, whose
    columns are flush on the left, on the right, or in the middle. A list, whose first column only
    marks its entries, is none, and neither is a table of contents.
    """
    run: list[Cells] = []
    for line in lines:
        cells = pieces(line, _CELL_GAP, _CELL_GAP_SIZES)
        if run and not (_fits(cells) and len(cells) == len(run[0]) and _near(run[-1], cells)):
            yield from _checked(run)
            run = []
        if _fits(cells):
            run.append(cells)
    yield from _checked(run)


def _fits(cells: Cells) -> bool:
    texts = [joined(cell) for cell in cells]
    return (
        len(cells) > 1
        and all(len(text) <= _CELL_AT_MOST for text in texts)
        and not any(map(_LEADER.search, texts))
    )


def _near(above: Cells, below: Cells) -> bool:
    size = above[0][0].size
    gap = below[0][0].top - above[0][0].bottom
    return gap <= _ROW_GAP_SIZES * size and abs(below[0][0].size - size) <= 1


def _checked(run: list[Cells]) -> Iterator[list[Cells]]:
    if len(run) < _LEAST_ROWS:
        return
    columns = [[row[index] for row in run] for index in range(len(run[0]))]
    marked = all(_MARKER.fullmatch(joined(cell)) for cell in columns[0])
    apart = all(
        max(cell[-1].x1 for cell in left) < min(cell[0].x0 for cell in right)
        for left, right in pairwise(columns)
    )
    if apart and not marked and all(map(_flush, columns)):
        yield run


def _flush(column: Sequence[Sequence[Word]]) -> bool:
    edges: tuple[Callable[[Sequence[Word]], float], ...] = (
        lambda cell: cell[0].x0,
        lambda cell: cell[-1].x1,
        lambda cell: (cell[0].x0 + cell[-1].x1) / 2,
    )
    for edge in edges:
        places = [edge(cell) for cell in column]
        if max(places) - min(places) <= _ALIGNED:
            return True
    # Right-aligned numbers under a left-aligned heading: the heading may differ.
    places = [cell[-1].x1 for cell in column[1:]]
    return max(places) - min(places) <= _ALIGNED
