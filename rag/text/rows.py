"""What explains the rows of a table, beside its header: the line above it, and earlier rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from rag.text.leads import Lead

Span = tuple[int, int]

_UNIT = re.compile(
    r"\b[Ii]n (?:(?:full|whole|thousands?|millions?|billions?|of) )*"
    r"(?:thousands?|millions?|billions?|cents?|per ?cent|euros?|dollars?|pounds?|pence|francs?|"
    r"yen|[A-Z]{3}(?=[ ,.;)]|$)|minutes|hours|days|weeks|months|years|metres|meters|kilomet\w+|"
    r"grams|kilograms|kg|km|tonnes|litres)\b|\b[Ii]n [€$£¥%]|"
    r"\b(?:without|excluding|exclusive of|including|inclusive of|net of|"
    r"(?:in|ex)cludes? (?:VAT|tax(?:es)?))\b"
)
"""It says what figures are in, or are without: "In thousand euros.", "Rents without heating."."""
_CONDITION = re.compile(
    r"(?:for|in|on|at|from|until|after|before|during|within|outside|with|without|under|if|unless|"
    r"when|where)\b|.*\b(?:appl(?:y|ies)|not|only)\b",
    re.IGNORECASE,
)
"""A line with a colon that says when or for whom a table holds; others only say what it shows."""


class Rows:
    """What explains a row, while the blocks of a section are taken in their order."""

    def __init__(self, groups: Collection[int] = ()) -> None:
        """`groups` are the positions of the rows that only name those below, see `group_rows`."""
        self._groups = groups
        self._line: Span | None = None
        self._group: Span | None = None
        self._named: Span | None = None

    def pass_by(self, last: Lead) -> None:
        """A block that is no row, of which this is the last sentence: it may lead in to a table."""
        limits = last.text.endswith(":") and _CONDITION.match(last.text)
        explains = limits or _UNIT.search(last.text)
        self._line = last.span if explains else None
        self._group = self._named = None

    def take(self, position: int, span: Span, cells: Sequence[str], header: bool) -> list[Span]:
        """What explains a row, in the order of the text: a line, the row of its group or name."""
        explains = [self._line]
        if header or position in self._groups:
            self._group, self._named = None if header else span, None
        else:
            explains += [self._group, None if cells[0] else self._named]
            self._named = span if cells[0] else self._named
        return [one for one in explains if one]


def cells_of(row: str) -> list[str]:
    """The cells of a row."""
    return [cell.strip() for cell in row.split("|")]


def group_rows(rows: Sequence[Sequence[str]]) -> set[int]:
    """Which rows of a table only name those below them: "Adults | ", "Card | 40", "Children | ".

    A row may have but one cell because the others are not known. So labels have to come again
    ("Card | 0"), but not within a group.
    """
    alone = {at for at, cells in enumerate(rows) if cells[0] and not any(cells[1:])}
    group, labels = -1, []
    for at, cells in enumerate(rows):
        if at in alone:
            group = at
        elif cells[0]:
            labels.append((group, cells[0]))
    again = len({label for _, label in labels}) < len(labels)
    return alone if again and len(set(labels)) == len(labels) else set()
