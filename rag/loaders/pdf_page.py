"""One page of a PDF: words to lines and table rows in reading order."""

from __future__ import annotations

import re
from collections import Counter
from copy import copy
from typing import TYPE_CHECKING, NamedTuple

from rag.loaders.pdf_words import (
    Glyph,
    Word,
    by_direction,
    cluster,
    joined,
    pieces,
    unruled_tables,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pdfplumber.page import Page as PdfPage

_GUTTER = 8.0
_GUTTER_SIZES = 0.6
_SPLIT_LINES = 6
_FEW_LINES = 3
_STARTS = 12
_TURNED_SHARE = 0.2
_UNKNOWN_GLYPH = re.compile(r"\(cid:\d+\)")


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


def read_page(page: PdfPage, columns_before: bool = False) -> PageContent:
    """Extract lines and rows. Raises whatever pdfplumber raises on a damaged page.

    Text that runs up, down or upside down, such as a wide table on a narrow page, follows the
    upright text as if the page had been turned for it. A little of it is decoration: left out.

    Args:
        page: the page.
        columns_before: whether the page before it was set in columns.
    """
    glyphs = by_direction(page)
    content = _content(page, glyphs.pop(0, []), columns_before)
    for direction, sideways in glyphs.items():
        if len(sideways) > _TURNED_SHARE * len(page.chars):
            turned = _turned(page, direction)
            added = _content(turned, by_direction(turned).get(0, []), columns_before)
            unknown = max(content.unknown, added.unknown)
            height = content.height if content.parts else added.height
            content = content._replace(
                parts=content.parts + added.parts, unknown=unknown, height=height
            )
    return content


def in_columns(parts: Sequence[Line | Row]) -> bool:
    """Whether there is more than one column of text."""
    return len({(part.left, part.right) for part in parts if isinstance(part, Line)}) > 1


def _turned(page: PdfPage, direction: int) -> PdfPage:
    """The page as it is when the lines that run in this direction are horizontal."""
    inner = copy(page.page_obj)
    inner.rotate = (page.rotation + direction) % 360
    inner.attrs = {**inner.attrs, "Rotate": inner.rotate}
    # Its class is taken from it: builds without a PDF import this module, but not pdfplumber.
    return type(page)(page.pdf, inner, page.page_number)


def _content(page: PdfPage, glyphs: Sequence[Glyph], columns_before: bool) -> PageContent:
    words = words_of(glyphs, page)
    unknown = sum(1 for word in words if _UNKNOWN_GLYPH.fullmatch(word.text)) / max(1, len(words))
    tables = list(_tables(page, words)) if _has_rulings(page) else []
    words = _outside(words, tables)
    unruled = list(_unruled(words, len(tables)))
    words = _outside(words, unruled)
    tables += unruled
    lines = _reading_order(words, 1 if columns_before else _FEW_LINES)
    columns = in_columns(lines)
    parts: list[Line | Row] = list(lines)
    for box, rows in tables:
        place = next((i for i, part in enumerate(parts) if _below(part, box, columns)), len(parts))
        parts[place:place] = rows
    drawn = bool(page.images or page.curves or page.rects)
    return PageContent(page.page_number, float(page.height), parts, unknown, drawn)


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
        # The lower edge and the text of the last cell of each column.
        above: dict[int, tuple[float, str]] = {}
        for row in table.rows:
            cells = {i: _Box(*map(float, cell)) for i, cell in enumerate(row.cells) if cell}
            top, bottom = next((cell.top, cell.bottom) for cell in cells.values())
            held = {i: [w for w in inside if _within(w, cell)] for i, cell in cells.items()}
            for i, found in held.items():
                above[i] = cells[i].bottom, " ".join(joined(line) for line in cluster(found))
            if any(held.values()):
                # A place without a cell was merged with the one above, whose text holds here too,
                # or with the one before, whose text is not repeated.
                texts = (above.get(i, (top, "")) for i in range(len(row.cells)))
                bold = all(word.bold for found in held.values() for word in found)
                cells_of_row = tuple(text if end > top + 1 else "" for end, text in texts)
                rows.append(Row(cells_of_row, top, bottom, index, bold))
        if len(rows) >= 2 and max(len([t for t in row.cells if t]) for row in rows) >= 2:
            yield box, rows


def _unruled(words: Sequence[Word], first: int) -> Iterator[tuple[_Box, list[Row]]]:
    """Tables without rulings, numbered from `first`; none on a page with columns of text."""
    lines = cluster(words)
    if not lines:
        return
    left, right = min(w.x0 for w in words), max(w.x1 for w in words)
    if _gutter(lines, left, right, _SPLIT_LINES) is not None:
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


def _below(part: Line | Row, box: _Box, columns: bool) -> bool:
    """Whether the part comes after the box, in a column that the box reaches into."""
    if columns and isinstance(part, Line) and (part.left > box.x1 or part.right < box.x0):
        return False
    return part.top >= box.bottom - 2


def _reading_order(words: Sequence[Word], least: int = _SPLIT_LINES) -> list[Line]:
    """Lines, column by column; a line across a gutter ends the columns above it."""
    if not words:
        return []
    left, right = min(w.x0 for w in words), max(w.x1 for w in words)
    rows = cluster(words)
    gutter = _gutter(rows, left, right, least)
    if gutter is None:
        return [_line(row, left, right) for row in rows]
    result: list[Line] = []
    columns: list[Word] = []
    for row in rows:
        if any(piece[0].x0 < gutter < piece[-1].x1 for piece in _pieces(row)):
            result += _columns(columns, gutter)
            columns = []
            result.append(_line(row, left, right))
        else:
            columns += row
    return result + _columns(columns, gutter)


def _columns(words: Sequence[Word], gutter: float) -> list[Line]:
    before = _reading_order([word for word in words if word.x1 <= gutter])
    return before + _reading_order([word for word in words if word.x1 > gutter])


def _gutter(rows: Sequence[Sequence[Word]], left: float, right: float, least: int) -> float | None:
    """The middle of a vertical strip that divides running text, or None.

    Lines of the two sides stand beside each other, at least so many on either, but need no common
    baseline. Both sides must be filled with text for most of their width: otherwise it is a table
    without rulings, whose rows must stay together.
    """
    found = [piece for row in rows for piece in _pieces(row)]
    starts = Counter(int(piece[0].x0) for piece in found)
    edge = 0.15 * (right - left)
    inner = {x: n for x, n in starts.items() if left + edge < x < right - edge}
    strips = []
    # A column is flush on the left. The rare places would cost much time on a page of numbers.
    for start in sorted(inner, key=lambda x: (-inner[x], x))[:_STARTS]:
        before = [piece for piece in found if piece[-1].x1 <= start - _GUTTER]
        after = [piece for piece in found if piece[0].x0 >= start]
        across = len(found) - len(before) - len(after)
        beside = min(_beside(before, after), _beside(after, before))
        if beside >= least and across * 2 <= len(rows):
            end = max(piece[-1].x1 for piece in before)
            strips.append((beside, -across, start - end, before, after))
    for _, _, _, before, after in sorted(strips, key=lambda strip: strip[:3], reverse=True):
        end = max(piece[-1].x1 for piece in before)
        gutter = (end + min(piece[0].x0 for piece in after)) / 2
        if _filled(before, gutter - left) and _filled(after, right - gutter):
            return gutter
    return None


def _pieces(row: Sequence[Word]) -> list[list[Word]]:
    return pieces(row, _GUTTER, _GUTTER_SIZES)


def _beside(some: Sequence[Sequence[Word]], others: Sequence[Sequence[Word]]) -> int:
    """How many of some pieces of lines have one of the others at their height."""
    heights = {y for piece in others for y in _heights(piece)}
    return sum(1 for piece in some if not heights.isdisjoint(_heights(piece)))


def _heights(piece: Sequence[Word]) -> range:
    return range(int(piece[0].top), int(piece[0].bottom) + 1)


def _filled(side: Sequence[Sequence[Word]], width: float) -> bool:
    """Whether most lines of a side, whose pieces these are, take most of its width."""
    lines = cluster([word for piece in side for word in piece])
    extents = sorted(line[-1].x1 - line[0].x0 for line in lines)
    return extents[len(extents) // 2] >= 0.6 * width


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
