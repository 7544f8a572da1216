"""Tables of a PDF page: those with rulings, and those whose columns are flush only.

Lengths are in points.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rag.loaders.pdf_words import Word, cluster, joined, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pdfplumber.page import Page as PdfPage

# A drawn line or box at most so thick is a ruling.
_RULING = 2.0
# A page with more lines than this is a drawing, in which looking for tables takes minutes.
_RULINGS_AT_MOST = 5000
# Two lines may stand together by chance.
_LEAST_ROWS = 3
# What divides two cells, at least, and in sizes of the text: no space between words is so wide.
_CELL_GAP = 9.0
_CELL_GAP_SIZES = 1.0
# How far the edges of a column may differ: as much as rounding and slanted letters do.
_ALIGNED = 2.5
# Characters; what is longer is a line of text.
_CELL_AT_MOST = 40
# The room between two rows, in sizes of the text: with more, something else begins.
_ROW_GAP_SIZES = 1.6
# Points by which the size of the text may differ from row to row.
_SAME_SIZE = 1.0
# How far a cell reaches into the row below if it was merged with the one there, at least.
_EDGE = 1.0
# Words of a line that goes on below, at least, and what it takes of the width of its column: the
# name of a column has fewer and takes less.
_LEAST_WORDS = 3
_FULL = 0.6
_MARKER = re.compile(
    r"\(cid:\d+\)|[•‣▪●○◦■□➢➤✓–—\-*·o\uf0b7\uf0a7\uf0d8]|\(?(?:\d{1,3}(?:\.\d{1,3})*|[a-z]|[ivx]{1,5})[.)]?",
    re.IGNORECASE,
)
_LEADER = re.compile(r"\.{4,}|(?:\. ){3,}|…")

Cells = list[list[Word]]


class Row(NamedTuple):
    """A row of a table; `table` tells the tables of a page apart."""

    cells: tuple[str, ...]
    top: float
    bottom: float
    table: int
    bold: bool


class Box(NamedTuple):
    """A part of the page."""

    x0: float
    top: float
    x1: float
    bottom: float

    def holds(self, word: Word) -> bool:
        """Whether the middle of the word is in it."""
        x, y = (word.x0 + word.x1) / 2, (word.top + word.bottom) / 2
        return self.x0 <= x <= self.x1 and self.top <= y <= self.bottom


def around(words: Sequence[Word]) -> Box:
    """The box of some words, of which there must be one."""
    return Box(
        min(word.x0 for word in words),
        min(word.top for word in words),
        max(word.x1 for word in words),
        max(word.bottom for word in words),
    )


def ruled_tables(page: PdfPage, words: Sequence[Word]) -> Iterator[tuple[Box, list[Row]]]:
    """Tables whose cells are drawn, numbered from 0. Looking for them is slow."""
    if not _has_rulings(page):
        return
    for index, table in enumerate(page.find_tables()):
        box = Box(*map(float, table.bbox))
        inside = [word for word in words if box.holds(word)]
        rows = []
        # The lower edge and the text of the last cell of each column.
        above: dict[int, tuple[float, str]] = {}
        for row in table.rows:
            cells = {i: Box(*map(float, cell)) for i, cell in enumerate(row.cells) if cell}
            top, bottom = next((cell.top, cell.bottom) for cell in cells.values())
            held = {i: [w for w in inside if cell.holds(w)] for i, cell in cells.items()}
            for i, found in held.items():
                above[i] = cells[i].bottom, " ".join(joined(line) for line in cluster(found))
            if any(held.values()):
                # A place without a cell was merged with the one above, whose text holds here too,
                # or with the one before, whose text is not repeated.
                texts = (above.get(i, (top, "")) for i in range(len(row.cells)))
                bold = all(word.bold for found in held.values() for word in found)
                cells_of_row = tuple(text if end > top + _EDGE else "" for end, text in texts)
                rows.append(Row(cells_of_row, top, bottom, index, bold))
        if len(rows) >= 2 and max(len([t for t in row.cells if t]) for row in rows) >= 2:
            yield box, rows


def _has_rulings(page: PdfPage) -> bool:
    """Whether there are enough lines for a table of two by two."""
    rulings = [*page.lines, *page.rects]
    flat = sum(1 for ruling in rulings if abs(ruling["bottom"] - ruling["top"]) < _RULING)
    steep = sum(1 for ruling in rulings if abs(ruling["x1"] - ruling["x0"]) < _RULING)
    boxes = len(rulings) - flat - steep
    enough = 2 * boxes + flat >= 3 and 2 * boxes + steep >= 2
    return enough and len(rulings) < _RULINGS_AT_MOST


def flush_tables(runs: Sequence[Sequence[Cells]], first: int) -> Iterator[tuple[Box, list[Row]]]:
    """Tables without rulings, of which these are the cells, numbered from `first`."""
    for index, run in enumerate(runs, start=first):
        rows = [
            Row(
                tuple(map(joined, cells)),
                min(word.top for cell in cells for word in cell),
                max(word.bottom for cell in cells for word in cell),
                index,
                all(word.bold for cell in cells for word in cell),
            )
            for cells in run
        ]
        yield around([word for cells in run for cell in cells for word in cell]), rows


def flush_runs(lines: Sequence[Sequence[Word]]) -> tuple[list[list[Cells]], list[list[Cells]]]:
    """Runs of lines that are rows of one table, though nothing is drawn around its cells.

    Careful: at least three lines, one below the other, with equally many short cells, whose
    columns are flush on the left, on the right, or in the middle. A list, whose first column only
    marks its entries, is none, and neither is a table of contents.

    Returns:
        The tables, and runs of columns of text that stand side by side.
    """
    tables: list[list[Cells]] = []
    beside: list[list[Cells]] = []
    for run in _runs(lines):
        if _is_flush(run):
            (beside if _goes_on_below(run) else tables).append(run)
    return tables, beside


def _runs(lines: Sequence[Sequence[Word]]) -> Iterator[list[Cells]]:
    """Lines one below the other with equally many short cells."""
    run: list[Cells] = []
    for line in lines:
        cells = pieces(line, _CELL_GAP, _CELL_GAP_SIZES)
        fits = _fits(cells)
        if run and not (fits and len(cells) == len(run[0]) and _near(run[-1], cells)):
            yield run
            run = []
        if fits:
            run.append(cells)
    yield run


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
    return gap <= _ROW_GAP_SIZES * size and abs(below[0][0].size - size) <= _SAME_SIZE


def _columns(run: Sequence[Cells]) -> list[Cells]:
    return [[row[index] for row in run] for index in range(len(run[0]))]


def _is_flush(run: Sequence[Cells]) -> bool:
    if len(run) < _LEAST_ROWS:
        return False
    columns = _columns(run)
    marked = all(_MARKER.fullmatch(joined(cell)) for cell in columns[0])
    apart = all(
        max(cell[-1].x1 for cell in left) < min(cell[0].x0 for cell in right)
        for left, right in pairwise(columns)
    )
    return apart and not marked and all(map(_flush, columns))


def _flush(column: Cells) -> bool:
    edges: tuple[Callable[[Sequence[Word]], float], ...] = (
        lambda cell: cell[0].x0,
        lambda cell: cell[-1].x1,
        lambda cell: (cell[0].x0 + cell[-1].x1) / 2,
    )
    # The name of a column may stand elsewhere: it is centred, or its cell has another margin.
    return any(_spread([edge(cell) for cell in column[1:]]) <= _ALIGNED for edge in edges)


def _spread(places: Sequence[float]) -> float:
    return max(places) - min(places)


def _goes_on_below(run: Sequence[Cells]) -> bool:
    """Whether the text of each column goes on from one line to the next, as in two boxes."""
    widths = [
        max(cell[-1].x1 for cell in column) - min(cell[0].x0 for cell in column)
        for column in _columns(run)
    ]
    return any(all(map(_continues, above, below, widths)) for above, below in pairwise(run))


def column_lines(run: Sequence[Cells], lines: Sequence[Sequence[Word]]) -> list[Cells]:
    """The lines of columns that stand side by side, with those that one of them has more.

    Args:
        run: lines with one piece of each column.
        lines: all of the page, from top to bottom.
    """
    columns = _columns(run)
    lefts = [min(cell[0].x0 for cell in column) for column in columns]
    rights = [*lefts[1:], float("inf")]
    last = run[-1][0]
    step = last[0].top - run[-2][0][0].top + _ALIGNED
    end = next(place for place, line in enumerate(lines) if line[0] == last[0])
    for line in lines[end + 1 :]:
        below = [
            column
            for column, left, right in zip(columns, lefts, rights, strict=True)
            if abs(line[0].x0 - left) <= _ALIGNED and line[-1].x1 < right
        ]
        if not below or len(pieces(line, _CELL_GAP, _CELL_GAP_SIZES)) > 1:
            break
        if line[0].top - last[0].top > step:
            break
        below[0].append(list(line))
        last = list(line)
    return columns


def _continues(above: Sequence[Word], below: Sequence[Word], width: float) -> bool:
    """Whether a line that takes most of its column goes on below in lower case."""
    text = joined(above)
    return (
        joined(below)[:1].islower()
        and not text[:1].islower()
        and text[-1] not in ".:;!?"
        and len(text.split()) >= _LEAST_WORDS
        and above[-1].x1 - above[0].x0 >= _FULL * width
    )
