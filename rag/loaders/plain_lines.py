"""Lines of plain text: groups between blank lines, where they are wrapped, and rows of tables."""

from __future__ import annotations

import re
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from rag.loaders.rows import has_digit, names_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ITEM = re.compile(
    r"[ \t]*(?:(?P<bullet>--|[-*+•‣▪●○◦–—·])|"
    # "(C) 2024" is a copyright notice.
    r"(?P<number>\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]|(?!\(C\) \d)\((?:[A-Z]|[IVX]{1,5})\)))"
    r"[ \t]+(?=\S)"
)
RULE = re.compile(r"[ \t]*(?:=+|-+|~+|\*+|_+|#+)[ \t]*")
HEADING_AT_MOST = 90
LONG_LINE = 120
_NARROWEST = 40
_WORD = re.compile(r"[^\W_]")
_CLAUSE = re.compile(r"[ \t]*\d{1,3}(?:\.\d{1,3})+\.?\s")
# Some put two spaces behind a sentence or a number.
_GAP = re.compile(r"(?<=\S)(?:[ \t]*\t[ \t]*|[ ]{3,}|(?<![.!?:;,])[ ]{2})(?=\S)")


class Line(NamedTuple):
    """A line without white space around it, and its text with the indent."""

    start: int
    end: int
    text: str


def groups_of(text: str) -> Iterator[list[Line]]:
    """Lines between blank lines; a heading with a rule below it is a group of its own."""
    group: list[Line] = []
    start = 0
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped:
            begin = start + len(line) - len(line.lstrip())
            group.append(Line(begin, begin + len(stripped), line.rstrip()))
        if group and (not stripped or _is_overline(group) or _is_underlined(group)):
            yield group
            group = []
        start += len(line) + 1
    if group:
        yield group


def _is_overline(group: Sequence[Line]) -> bool:
    return len(group) == 1 and is_rule(group[0])


def _is_underlined(group: Sequence[Line]) -> bool:
    if len(group) != 2 or not is_rule(group[1]):
        return False
    line = group[0].text.strip()
    short = len(line) <= HEADING_AT_MOST and line[-1] not in ".,;:"
    return short and _WORD.search(line) is not None and len(_cells(group[0])) == 1


def is_rule(line: Line) -> bool:
    """Whether a line underlines the one above."""
    return RULE.fullmatch(line.text) is not None and line.end - line.start > 2


def wrap_width(groups: Sequence[Sequence[Line]]) -> int:
    """The column at which the file is hard-wrapped, or 0 if it is not.

    If lines often break off within a sentence, three quarters of those keep to it: a web address
    or a row of a table may be longer. Otherwise nearly all lines of the file do.
    """
    pairs = [
        (line, following)
        for group in groups
        for line, following in pairwise(group)
        if len(line.text) >= _NARROWEST and not ITEM.match(following.text)
    ]
    broken = [len(line.text) for line, following in pairs if _breaks_off(line, following)]
    if broken and len(broken) >= len(pairs) / 4:
        return sorted(broken)[(len(broken) - 1) * 3 // 4]
    lengths = sorted(len(line.text) for group in groups for line in group)
    width = lengths[len(lengths) * 19 // 20] if lengths else 0
    return width if _NARROWEST <= width <= LONG_LINE else 0


def is_unfinished(line: Line) -> bool:
    """Whether a line ends without a mark."""
    return line.text[-1] not in ".,;:?!"


def _breaks_off(line: Line, following: Line) -> bool:
    first = following.text.lstrip()[0]
    return is_unfinished(line) and first.isalpha() and not first.isupper()


def rows_of(group: Sequence[Line]) -> dict[int, int]:
    """Which lines of a group are rows of a table: the level of each, by its start.

    Rows follow each other and have as many cells, set below each other by spaces or divided by
    tabs. The first is a header if it has no figures and a column below has nothing else.
    """
    rows: dict[int, int] = {}
    filled = [line for line in group if _WORD.search(line.text)]
    for width, run in groupby(filled, _width_of_row):
        lines = list(run)
        if width < 2 or len(lines) < 2 or not _is_aligned(lines):
            continue
        first, *rest = ([line.text[a:b] for a, b in _cells(line)] for line in lines)
        ruled = any(lines[0].end < line.start < lines[1].start for line in group)
        figures = any(all(has_digit(row[at]) for row in rest) for at in range(width))
        named = names_columns(first) and not any(map(has_digit, first))
        rows.update((line.start, 0) for line in lines)
        rows[lines[0].start] = int(named and (ruled or figures))
    return rows


def cells_of(row: str) -> list[str]:
    """The cells of a row."""
    return _GAP.split(row)


def _width_of_row(line: Line) -> int:
    return 1 if ITEM.match(line.text) or _CLAUSE.match(line.text) else len(_cells(line))


def _cells(line: Line) -> list[tuple[int, int]]:
    """Where the cells of a line begin and end."""
    gaps = [gap.span() for gap in _GAP.finditer(line.text)]
    first = len(line.text) - len(line.text.lstrip())
    begins = [first, *(end for _, end in gaps)]
    return list(zip(begins, [*(start for start, _ in gaps), len(line.text)], strict=True))


def _is_aligned(lines: Sequence[Line]) -> bool:
    """Whether cells stand below each other, which words of justified text do not."""
    if all("\t" in line.text.strip() for line in lines):
        return True
    columns = zip(*map(_cells, lines), strict=True)
    return all(
        min(len({a for a, _ in cells}), len({b for _, b in cells})) == 1 for cells in columns
    )
