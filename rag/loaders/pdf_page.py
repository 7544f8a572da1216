"""One page of a PDF: words to lines and table rows in reading order."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rag.loaders.pdf_words import Word, cluster, joined, unruled_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pdfplumber.page import Page as PdfPage

_GUTTER = 8.0
_SPLIT_LINES = 6
_UNKNOWN_GLYPH = re.compile(r"\(cid:\d+\)")
_BOLD = re.compile(r"bold|black|heavy|semib|demi", re.IGNORECASE)


class Line(NamedTuple):
    """A line of text within one column. `left` and `right` are the edges of its column."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    bold: bool
    left: float
    right: float


class Row(NamedTuple):
    """A row of a table; `table` tells the tables of a page apart."""

    cells: tuple[str, ...]
    top: float
    bottom: float
    table: int
    bold: bool


class PageContent(NamedTuple):
    """What stands on a page, in reading order."""

    number: int
    height: float
    parts: list[Line | Row]
    unknown: float
    """The share of words in fonts that do not say which characters they show."""
    drawn: bool
    """Whether there are pictures or drawings."""


def read_page(page: PdfPage) -> PageContent:
    """Extract lines and rows. Raises whatever pdfplumber raises on a damaged page."""
    words = _words(page)
    unknown = sum(1 for word in words if _UNKNOWN_GLYPH.fullmatch(word.text)) / max(1, len(words))
    tables = list(_tables(page, words)) if _has_rulings(page) else []
    words = _outside(words, tables)
    unruled = list(_unruled(words, len(tables)))
    words = _outside(words, unruled)
    tables += unruled
    lines = _reading_order(words)
    in_columns = len({(line.left, line.right) for line in lines}) > 1
    parts: list[Line | Row] = list(lines)
    for box, rows in tables:
        place = next(
            (i for i, part in enumerate(parts) if _below(part, box, in_columns)), len(parts)
        )
        parts[place:place] = rows
    drawn = bool(page.images or page.curves or page.rects)
    return PageContent(page.page_number, float(page.height), parts, unknown, drawn)


def _words(page: PdfPage) -> list[Word]:
    found = page.extract_words(
        x_tolerance_ratio=0.2, extra_attrs=["fontname", "size", "upright"], expand_ligatures=True
    )
    left, top, right, bottom = map(float, page.bbox)
    found = [
        word
        for word in found
        if left - 1 <= word["x0"] <= word["x1"] <= right + 1 and top <= word["bottom"] <= bottom + 1
    ]
    upright = [word for word in found if word["upright"]] or found
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
        for word in upright
    ]


def _has_rulings(page: PdfPage) -> bool:
    """Whether there are enough lines for a table of two by two; looking for one is slow."""
    rulings = [*page.lines, *page.rects]
    flat = sum(1 for ruling in rulings if abs(ruling["bottom"] - ruling["top"]) < 2)
    steep = sum(1 for ruling in rulings if abs(ruling["x1"] - ruling["x0"]) < 2)
    boxes = len(rulings) - flat - steep
    return 2 * boxes + flat >= 3 and 2 * boxes + steep >= 2 and len(rulings) < 5000


def _tables(page: PdfPage, words: Sequence[Word]) -> Iterator[tuple[_Box, list[Row]]]:
    for index, table in enumerate(page.find_tables()):
        box = _Box(*map(float, table.bbox))
        inside = [word for word in words if _within(word, box)]
        rows = []
        for row in table.rows:
            cells = [_Box(*map(float, cell)) for cell in row.cells if cell]
            held = [[word for word in inside if _within(word, cell)] for cell in cells]
            texts = tuple(" ".join(joined(line) for line in cluster(cell)) for cell in held)
            if any(texts):
                bold = all(word.bold for cell in held for word in cell)
                rows.append(Row(texts, cells[0].top, cells[0].bottom, index, bold))
        if len(rows) >= 2 and max(len([t for t in row.cells if t]) for row in rows) >= 2:
            yield box, rows


def _unruled(words: Sequence[Word], first: int) -> Iterator[tuple[_Box, list[Row]]]:
    """Tables without rulings, numbered from `first`; none on a page with columns of text."""
    lines = cluster(words)
    if not lines:
        return
    left, right = min(w.x0 for w in words), max(w.x1 for w in words)
    if _gutter(lines, left, right) is not None:
        return
    for index, run in enumerate(unruled_tables(lines), start=first):
        inside = [word for cells in run for cell in cells for word in cell]
        box = _Box(
            min(word.x0 for word in inside),
            min(word.top for word in inside),
            max(word.x1 for word in inside),
            max(word.bottom for word in inside),
        )
        yield (
            box,
            [
                Row(
                    tuple(map(joined, cells)),
                    min(word.top for cell in cells for word in cell),
                    max(word.bottom for cell in cells for word in cell),
                    index,
                    all(word.bold for cell in cells for word in cell),
                )
                for cells in run
            ],
        )


def _outside(words: list[Word], tables: Sequence[tuple[_Box, list[Row]]]) -> list[Word]:
    for box, _ in tables:
        words = [word for word in words if not _within(word, box)]
    return words


class _Box(NamedTuple):
    x0: float
    top: float
    x1: float
    bottom: float


def _within(word: Word, box: _Box) -> bool:
    x, y = (word.x0 + word.x1) / 2, (word.top + word.bottom) / 2
    return box.x0 <= x <= box.x1 and box.top <= y <= box.bottom


def _below(part: Line | Row, box: _Box, in_columns: bool) -> bool:
    """Whether the part comes after the box, in a column that the box reaches into."""
    if in_columns and isinstance(part, Line) and (part.left > box.x1 or part.right < box.x0):
        return False
    return part.top >= box.bottom - 2


def _reading_order(words: Sequence[Word]) -> list[Line]:
    """Lines, column by column; a line across a gutter ends the columns above it."""
    if not words:
        return []
    left, right = min(w.x0 for w in words), max(w.x1 for w in words)
    rows = cluster(words)
    gutter = _gutter(rows, left, right)
    if gutter is None:
        return [_line(row, left, right) for row in rows]
    result: list[Line] = []
    columns: list[Word] = []
    for row in rows:
        if _crosses(row, gutter):
            result += _columns(columns, gutter)
            columns = []
            result.append(_line(row, left, right))
        else:
            columns += row
    return result + _columns(columns, gutter)


def _columns(words: Sequence[Word], gutter: float) -> list[Line]:
    before = _reading_order([word for word in words if word.x1 <= gutter])
    return before + _reading_order([word for word in words if word.x1 > gutter])


def _gutter(rows: Sequence[Sequence[Word]], left: float, right: float) -> float | None:
    """The middle of a vertical strip that divides running text, or None.

    Both sides must be filled with text for most of their width: otherwise it is a table without
    rulings, whose rows must stay together.
    """
    width = right - left
    candidates: Counter[int] = Counter()
    for row in rows:
        for word, following in pairwise(row):
            if following.x0 - word.x1 >= _GUTTER:
                candidates.update(range(int(word.x1 + 4), int(following.x0 - 3)))
    inner = {x: n for x, n in candidates.items() if 0.15 < (x - left) / width < 0.85}
    if not inner or max(inner.values()) < _SPLIT_LINES:
        return None
    most = max(inner.values())
    best = [x for x in sorted(inner) if inner[x] == most]
    gutter = float(best[len(best) // 2])
    split = [row for row in rows if not _crosses(row, gutter)]
    if len(split) * 2 < len(rows):
        return None
    sides = (
        ([w for row in split for w in row if w.x1 <= gutter], left, gutter),
        ([w for row in split for w in row if w.x1 > gutter], gutter, right),
    )
    return gutter if all(_filled(*side) for side in sides) else None


def _filled(words: Sequence[Word], left: float, right: float) -> bool:
    extents = sorted(row[-1].x1 - row[0].x0 for row in cluster(words))
    return bool(extents) and extents[len(extents) // 2] >= 0.6 * (right - left)


def _crosses(row: Sequence[Word], gutter: float) -> bool:
    """Whether text runs across: a word stands there, or words too near to each other."""
    before = [word for word in row if word.x0 < gutter]
    after = [word for word in row if word.x0 >= gutter]
    if any(word.x1 > gutter for word in before):
        return True
    return bool(before and after) and after[0].x0 - before[-1].x1 < _GUTTER


def _line(words: Sequence[Word], left: float, right: float) -> Line:
    sizes: Counter[float] = Counter()
    bold = 0
    for word in words:
        sizes[word.size] += len(word.text)
        bold += len(word.text) if word.bold else 0
    size = max(sizes, key=lambda size: (sizes[size], size))
    return Line(
        joined(words),
        words[0].x0,
        max(word.x1 for word in words),
        min(word.top for word in words),
        max(word.bottom for word in words),
        size,
        bold * 2 > sum(sizes.values()),
        left,
        right,
    )
