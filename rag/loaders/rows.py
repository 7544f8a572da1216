"""Rows of spreadsheets and the like: titles above a table, its header, its rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.loaders.builder import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.loaders.builder import TextBuilder

_NUMBER = re.compile(r"\W*\d[\d\s.,:/%-]*\W*")
_LABEL_AT_MOST = 80


def add_rows(rows: Iterable[Sequence[str]], builder: TextBuilder) -> None:
    """Add rows in order. An empty row ends a table; a single cell above a table is a paragraph.

    The first row of a table is its header if it looks like one: at least two cells, all filled,
    short, different from each other, and none a number.
    """
    starts = True
    for cells in rows:
        row = [clean(cell) for cell in cells]
        while row and not row[-1]:
            row.pop()
        filled = [cell for cell in row if cell]
        if not filled:
            starts = True
        elif starts and len(filled) == 1:
            builder.paragraph(filled[0])
        else:
            builder.row(row, header=starts and _looks_like_header(row))
            starts = False


def _looks_like_header(row: Sequence[str]) -> bool:
    return (
        len(row) > 1
        and len(set(row)) == len(row)
        and all(cell and len(cell) <= _LABEL_AT_MOST for cell in row)
        and not any(_NUMBER.fullmatch(cell) for cell in row)
    )
