"""Comma-separated values, whatever separates them: a header and rows."""

from __future__ import annotations

import csv
from collections import Counter
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

from rag.errors import DocumentError
from rag.loaders.builder import TextBuilder
from rag.loaders.decoding import decode
from rag.loaders.rows import add_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.types import Document

_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 60
_SAMPLE_CHARACTERS = 60_000


def load(data: bytes, document_id: str) -> Document:
    """Read a table as text.

    Raises:
        DocumentError: it is empty, not text, or has a cell so large that its quotes must be wrong.
    """
    text = decode(data)
    first, _, rest = text.partition("\n")
    declared = first.strip().lower().startswith("sep=") and len(first.strip()) == len("sep=;")
    separator = first.strip()[-1] if declared else _separator(text)
    builder = TextBuilder()
    try:
        add_rows(_rows(rest if declared else text, separator), builder)
    except csv.Error as error:
        detail = " ".join(str(error).split())
        raise DocumentError(f"is not a table that can be read: {detail}: check quotes") from error
    return builder.build(document_id, "", {})


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    # Only line ends end a row; a form feed or line separator is white space in a cell.
    lines = StringIO(text, newline="")
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def _separator(text: str) -> str:
    """The separator that divides the first rows most evenly; a comma if none does."""
    sample = text[:_SAMPLE_CHARACTERS]

    def evenness(separator: str) -> tuple[float, int]:
        try:
            rows = islice(_rows(sample, separator), _SAMPLE_ROWS)
            widths = Counter(len(row) for row in rows if row)
        except csv.Error:
            return 0.0, 0
        several = {width: times for width, times in widths.items() if width > 1}
        if not several:
            return 0.0, 0
        width = max(several, key=lambda width: (several[width], width))
        return several[width] / sum(widths.values()), width

    return max(_SEPARATORS, key=evenness)
