"""Rows of tables: which are headers, and how those of spreadsheets and the like are added."""

from __future__ import annotations

import re
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from rag.loaders.builder import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.loaders.builder import TextBuilder

_NUMBER = re.compile(r"\W*\d[\d\s.,:/%-]*\W*")
_YEAR = re.compile(r"(?:19|20)\d\d(?:[-/–]\d\d(?:\d\d)?)?")
_LABEL_AT_MOST = 80


def add_rows(rows: Iterable[Sequence[str]], builder: TextBuilder) -> None:
    """Add rows in order. An empty row ends a table; a single cell above a table is a paragraph.

    The first row of a table is its header if it looks like one.
    """
    starts = True
    for row, following in pairwise(chain(map(_cleaned, rows), [[]])):
        filled = [cell for cell in row if cell]
        if not filled:
            starts = True
        elif starts and len(filled) == 1:
            builder.paragraph(filled[0])
        else:
            builder.row(row, header=starts and _is_first_header(row, following))
            starts = False


def _cleaned(cells: Sequence[str]) -> list[str]:
    row = [clean(cell) for cell in cells]
    while row and not row[-1]:
        row.pop()
    return row


def _is_first_header(row: Sequence[str], following: Sequence[str]) -> bool:
    return names_columns(row) or has_empty_corner(row) or _names_years(row, following)


def _names_years(row: Sequence[str], following: Sequence[str]) -> bool:
    """Whether columns are named by years: below those stand figures, and not only years."""
    years = [at for at, cell in enumerate(row) if _NUMBER.fullmatch(cell)]
    if not years or years[0] == 0 or not _are_names(row):
        return False
    below = [following[at] for at in years if at < len(following) and following[at]]
    return (
        all(_YEAR.fullmatch(row[at]) for at in years)
        and all(map(_NUMBER.fullmatch, below))
        and not all(map(_YEAR.fullmatch, below))
    )


def names_columns(row: Sequence[str]) -> bool:
    """Whether there are several cells, all short and different, and none is a number."""
    return _are_names(row) and not any(_NUMBER.fullmatch(cell) for cell in row)


def has_digit(text: str) -> bool:
    """Whether a cell may be a number, so that its row hardly names the columns."""
    return any(map(str.isdigit, text))


def heads_figures(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether a first row, which nothing marks as a header, names a column of figures.

    Two cells may be a field and its value: "Name | Ada" above "Phone | 555".
    """
    if not names_columns(first) or any(map(has_digit, first)) or len(first) + len(others) < 4:
        return False
    columns = ([row[at] for row in others if row[at:]] for at in range(1, len(first)))
    return any(any(column) and all(map(has_digit, filter(None, column))) for column in columns)


def has_empty_corner(row: Sequence[str]) -> bool:
    """Whether only the first cell of a first row is empty: above names, then the others are names.

    They may be numbers, such as years.
    """
    return not row[0] and _are_names(row[1:])


def _are_names(cells: Sequence[str]) -> bool:
    short = all(cell and len(cell) <= _LABEL_AT_MOST for cell in cells)
    return short and len(set(cells)) == len(cells) > 1


def is_header(cells: Sequence[str], marked: Sequence[bool]) -> bool:
    """Whether a row heads its columns, where some of its cells are `marked` as names.

    All with text have to be; without text, beside a name, only the corner may be something else.
    """
    named = [mark for cell, mark in zip(cells, marked, strict=True) if cell]
    return any(named) and all(named) and (not cells[0] or all(marked))
