"""One page of a PDF: words to lines and table rows in reading order."""

from __future__ import annotations

import re
from collections import Counter
from copy import copy
from typing import TYPE_CHECKING, NamedTuple

from rag.loaders.pdf_columns import column_starts, has_columns, reading_order
from rag.loaders.pdf_marks import with_marks
from rag.loaders.pdf_tables import (
    Box,
    Row,
    around,
    column_lines,
    flush_runs,
    flush_tables,
    ruled_tables,
)
from rag.loaders.pdf_words import Glyph, Word, by_direction, cluster, joined, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pdfplumber.page import Page as PdfPage

# How far a table may reach below the top of the line after it, in points: its ruling is thick.
_OVERLAP = 2.0
# What share of the glyphs of a page run in another direction, if they are no decoration.
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


class PageContent(NamedTuple):
    """What stands on a page, in reading order."""

    number: int
    height: float
    parts: list[Line | Row]
    unknown: float
    """The share of words in fonts that do not say which characters they show."""
    drawn: bool
    """Whether there are pictures or drawings."""
    starts: tuple[float, ...] = ()
    """Where the columns beside the first begin, in points from the left; most lines first."""


def read_page(page: PdfPage, starts: Sequence[float] = ()) -> PageContent:
    """Extract lines and rows. Raises whatever pdfplumber raises on a damaged page.

    Text that runs up, down or upside down, such as a wide table on a narrow page, follows the
    upright text as if the page had been turned for it. A little of it is decoration: left out.

    Args:
        page: the page.
        starts: where the columns of the page before it begin.
    """
    glyphs = by_direction(page)
    content = _content(page, glyphs.pop(0, []), starts)
    for direction, sideways in glyphs.items():
        if len(sideways) > _TURNED_SHARE * len(page.chars):
            turned = _turned(page, direction)
            added = _content(turned, by_direction(turned).get(0, []), starts)
            unknown = max(content.unknown, added.unknown)
            height = content.height if content.parts else added.height
            content = content._replace(
                parts=content.parts + added.parts, unknown=unknown, height=height
            )
    return content


def _turned(page: PdfPage, direction: int) -> PdfPage:
    """The page as it is when the lines that run in this direction are horizontal."""
    inner = copy(page.page_obj)
    inner.rotate = (page.rotation + direction) % 360
    inner.attrs = {**inner.attrs, "Rotate": inner.rotate}
    # Its class is taken from it: builds without a PDF import this module, but not pdfplumber.
    return type(page)(page.pdf, inner, page.page_number)


def _content(page: PdfPage, glyphs: Sequence[Glyph], starts: Sequence[float]) -> PageContent:
    words = with_marks(words_of(glyphs, page))
    unknown = sum(1 for word in words if _UNKNOWN_GLYPH.fullmatch(word.text)) / max(1, len(words))
    inserted: list[tuple[Box, Sequence[Line | Row]]] = list(ruled_tables(page, words))
    words = _outside(words, inserted)
    flush = list(_flush(words, len(inserted), starts))
    words = _outside(words, flush)
    inserted += flush
    lines = reading_order(words, starts)
    columns = len({(line.left, line.right) for line in lines}) > 1
    parts: list[Line | Row] = [_line(*line) for line in lines]
    for box, added in inserted:
        later = (i for i, part in enumerate(parts) if _below(part, box, columns))
        place = next(later, len(parts))
        parts[place:place] = added
    drawn = bool(page.images or page.curves or page.rects)
    number, height = page.page_number, float(page.height)
    return PageContent(number, height, parts, unknown, drawn, column_starts(lines))


def _flush(
    words: Sequence[Word], tables: int, starts: Sequence[float]
) -> Iterator[tuple[Box, Sequence[Line | Row]]]:
    """Tables without rulings and columns of a few lines; none on a page with columns of text."""
    lines = cluster(words)
    if has_columns(lines, starts):
        return
    runs, beside = flush_runs(lines)
    yield from flush_tables(runs, tables)
    for run in beside:
        columns = column_lines(run, lines)
        inside = [[word for line in column for word in line] for column in columns]
        edges = [around(column) for column in inside]
        yield (
            around([word for column in inside for word in column]),
            [
                _line(line, edge.x0, edge.x1)
                for column, edge in zip(columns, edges, strict=True)
                for line in column
            ],
        )


def _outside(words: list[Word], inserted: Sequence[tuple[Box, Sequence[Line | Row]]]) -> list[Word]:
    for box, _ in inserted:
        words = [word for word in words if not box.holds(word)]
    return words


def _below(part: Line | Row, box: Box, columns: bool) -> bool:
    """Whether the part comes after the box, in a column that the box reaches into."""
    if columns and isinstance(part, Line) and (part.left > box.x1 or part.right < box.x0):
        return False
    return part.top >= box.bottom - _OVERLAP


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
