"""Columns of text on a PDF page, and the order in which their lines are read."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from rag.loaders.pdf_words import Word, cluster, pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

# The width of a gutter, at least: in points, and in sizes of the text. No space between words is
# so wide.
_GUTTER = 8.0
_GUTTER_SIZES = 0.6
# Lines that stand beside each other where a column is divided, at least, …
_SPLIT_LINES = 6
# … where a page is, which more often has a few lines of columns than a column has, …
_FEW_LINES = 3
# … where the page before was, and where it was in the same place.
_ONE_LINE = 1
_TWO_LINES = 2
# How many places are tried as the left edge of a column: the rare ones would cost much time.
_STARTS = 12
# The share of the width, at either side, in which no column begins: it would be too narrow.
_MARGIN = 0.15
# The share of its side that the usual line of a column takes; the cells of a table take less.
_FILLED = 0.6
# How far the lines of a column may begin from its edge, in points.
_ALIGNED = 2.5


class Placed(NamedTuple):
    """The words of a line, and the edges of its column, in points from the left."""

    words: list[Word]
    left: float
    right: float


def reading_order(words: Sequence[Word], starts: Sequence[float]) -> list[Placed]:
    """The lines of a page, column by column; a line across a gutter ends the columns above it.

    Args:
        words: of the page.
        starts: where columns of the page before begin, as `column_starts` has it.
    """
    return _ordered(words, _ONE_LINE if starts else _FEW_LINES, starts)


def has_columns(lines: Sequence[Sequence[Word]], starts: Sequence[float]) -> bool:
    """Whether a page with these lines is surely set in columns."""
    return bool(lines) and _gutter(lines, *_edges(lines), _SPLIT_LINES, starts) is not None


def column_starts(lines: Sequence[Placed]) -> tuple[float, ...]:
    """Where columns of many lines begin beside another, in points, those of most lines first."""
    columns = {(line.left, line.right) for line in lines}
    beside = Counter(
        int(line.left) for line in lines if any(right < line.left for _, right in columns)
    )
    ranked = sorted(beside, key=lambda x: (-beside[x], x))
    return tuple(float(x) for x in ranked if beside[x] >= _SPLIT_LINES)


def _ordered(words: Sequence[Word], least: int, starts: Sequence[float]) -> list[Placed]:
    if not words:
        return []
    rows = cluster(words)
    left, right = _edges(rows)
    gutter = _gutter(rows, left, right, least, starts)
    if gutter is None:
        return [Placed(row, left, right) for row in rows]
    result: list[Placed] = []
    columns: list[Word] = []
    for row in rows:
        if any(piece[0].x0 < gutter < piece[-1].x1 for piece in _pieces(row)):
            result += _columns(columns, gutter, starts)
            columns = []
            result.append(Placed(row, left, right))
        else:
            columns += row
    return result + _columns(columns, gutter, starts)


def _columns(words: Sequence[Word], gutter: float, starts: Sequence[float]) -> list[Placed]:
    sides = (
        [word for word in words if word.x1 <= gutter],
        [word for word in words if word.x1 > gutter],
    )
    return [line for side in sides for line in _ordered(side, _SPLIT_LINES, starts)]


def _edges(rows: Sequence[Sequence[Word]]) -> tuple[float, float]:
    return min(row[0].x0 for row in rows), max(word.x1 for row in rows for word in row)


def _gutter(
    rows: Sequence[Sequence[Word]],
    left: float,
    right: float,
    least: int,
    starts: Sequence[float],
) -> float | None:
    """The middle of a vertical strip that divides running text, or None.

    Lines of the two sides stand beside each other, at least so many on either, but need no common
    baseline. Both sides must be filled with text for most of their width: otherwise it is a table
    without rulings, whose rows must stay together. Less will do where a column of the page before
    began, at one of `starts`.
    """
    found = [piece for row in rows for piece in _pieces(row)]
    edge = _MARGIN * (right - left)
    places = Counter(int(piece[0].x0) for piece in found)
    inner = {x: n for x, n in places.items() if left + edge < x < right - edge}
    # A column is flush on the left.
    frequent = sorted(inner, key=lambda x: (-inner[x], x))[:_STARTS]
    strips = [_Strip.at(found, x, known=False) for x in frequent]
    strips = [strip for strip in strips if strip.beside >= least]
    # Beside notes in the margin, which are narrow, one page tells little about the next.
    known = [x for x in starts if left + 2 * edge < x < right - 2 * edge]
    again = [_Strip.at(found, x, known=True) for x in known]
    strips += [strip for strip in again if strip.beside >= _TWO_LINES]
    strips = [strip for strip in strips if strip.across * 2 <= len(rows)]
    for strip in sorted(strips, key=_Strip.rank, reverse=True):
        if strip.divides(left, right):
            return strip.middle
    return None


class _Strip(NamedTuple):
    """What stands on either side of a place where a column may begin: pieces of lines."""

    start: float
    known: bool
    """Whether a column of the page before began there."""
    before: list[list[Word]]
    after: list[list[Word]]
    across: int
    """How many pieces stand on neither side."""
    beside: int
    """How many lines of a side have one of the other side at their height; the smaller number."""

    @classmethod
    def at(cls, found: Sequence[list[Word]], start: float, *, known: bool) -> _Strip:
        """That before this place, in points from the left."""
        first = start - _ALIGNED if known else start
        before = [piece for piece in found if piece[-1].x1 <= start - _GUTTER]
        after = [piece for piece in found if piece[0].x0 >= first]
        across = len(found) - len(before) - len(after)
        beside = min(_beside(before, after), _beside(after, before))
        return cls(start, known, before, after, across, beside)

    def rank(self) -> tuple[int, bool, float, float]:
        """The largest is tried first."""
        return self.beside - self.across, self.known, self.start - self._end, self.start

    @property
    def _end(self) -> float:
        return max(piece[-1].x1 for piece in self.before)

    @property
    def middle(self) -> float:
        """Between the lines before it and those after it."""
        return (self._end + min(piece[0].x0 for piece in self.after)) / 2

    def divides(self, left: float, right: float) -> bool:
        """Whether it divides text between these edges: most lines on either side are full ones.

        Where a column is known to begin, most of the text must be in full lines, since running
        heads and formulas make many lines, but little text; or that of one side, if the other is a
        table or short, and most lines of the column begin there.
        """
        widths = self.middle - left, right - self.middle
        if not self.known:
            return all(map(_filled, (self.before, self.after), widths))
        full = list(map(_mostly_filled, (self.before, self.after), widths))
        near = sum(1 for piece in self.after if abs(piece[0].x0 - self.start) <= _ALIGNED)
        return all(full) or (any(full) and near * 2 > len(self.after))


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
    taken = sorted(_taken(side))
    return taken[len(taken) // 2] >= _FILLED * width


def _mostly_filled(side: Sequence[Sequence[Word]], width: float) -> bool:
    """Whether most text of a side is in lines that take most of its width."""
    taken = _taken(side)
    return 2 * sum(length for length in taken if length >= _FILLED * width) >= sum(taken)


def _taken(side: Sequence[Sequence[Word]]) -> list[float]:
    """How much room the lines of a side take, without that between the cells of a table."""
    lines = cluster([word for piece in side for word in piece])
    return [sum(piece[-1].x1 - piece[0].x0 for piece in _pieces(line)) for line in lines]
