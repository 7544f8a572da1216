"""Excel: each visible sheet is a section; its rows are what the cells show, formulas their result.

Merged cells hold their text in the first of them, as in the file.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from io import BytesIO
from itertools import chain, islice
from typing import TYPE_CHECKING

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from rag.errors import DocumentError
from rag.loaders.builder import TextBuilder
from rag.loaders.metadata import believable_title, core_properties, normalise
from rag.loaders.package import DAMAGE, Kind, check_package
from rag.loaders.rows import add_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpyxl.workbook import Workbook
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

    from rag.types import Document

_KIND = Kind("an Excel workbook", ".xlsx", "Excel")
_BROKEN = "is damaged or not an Excel workbook: open it there and save it again"
_COLUMNS_AT_MOST = 200
_UNIT = r'(?:\[\$[^\]]+\]|"[^"]*"|[$€£¥])'
_FORM = re.compile(rf"({_UNIT}\s*)?(?:\*.)?([#0][#0,]*(?:\.0+)?)(\s*{_UNIT})?")
"""A number in Excel's notation, with the unit that stands before or behind it."""


def load(data: bytes, document_id: str) -> Document:
    """Read a workbook.

    Raises:
        DocumentError: it is encrypted, in the old .xls format, damaged, too large when unpacked,
            or has no text.
    """
    check_package(data, _KIND)
    workbook = _opened(data)
    builder = TextBuilder()
    try:
        for sheet in workbook.worksheets:
            if sheet.sheet_state == "visible":
                _add_sheet(sheet, builder)
    except DAMAGE as error:  # Sheets are unpacked only now.
        raise DocumentError(_BROKEN) from error
    metadata = normalise(_properties(workbook))
    workbook.close()
    named = believable_title(str(metadata.pop("title", "")))
    return builder.build(document_id, named, metadata)


def _opened(data: bytes) -> Workbook:
    try:
        return openpyxl.load_workbook(
            BytesIO(data), read_only=True, data_only=True, keep_links=False
        )
    except (
        InvalidFileException,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        *DAMAGE,
    ) as error:
        raise DocumentError(_BROKEN) from error


def _add_sheet(sheet: ReadOnlyWorksheet, builder: TextBuilder) -> None:
    # The size that the sheet states may be a million rows; what it holds counts.
    sheet.reset_dimensions()
    rows = _rows(sheet)
    first = next(rows, None)
    if first is not None:
        builder.heading(sheet.title, 1)
        add_rows(chain([first], rows), builder)


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[list[str]]:
    """From the first row that says something; several empty rows are one."""
    empty = True
    for row in sheet.iter_rows():
        cells = [_shown(cell) for cell in islice(row, _COLUMNS_AT_MOST)]
        filled = any(cells)
        if filled or not empty:
            yield cells
        empty = not filled


def _shown(cell: object) -> str:
    """A cell much as Excel shows it: dates as ISO, no needless decimals, units and signs."""
    value = getattr(cell, "value", None)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat("minutes")
    if isinstance(value, int | float):
        return _number(value, str(getattr(cell, "number_format", "")))
    return str(value)


def _number(value: float, form: str) -> str:
    if form.endswith("%"):
        return f"{round(value * 100, 6):.10g}%"
    found = _FORM.search(form.partition(";")[0])
    before, number, after = map(_literal, found.groups()) if found else ("", "", "")
    if not before + after:
        return f"{round(value, 10):.15g}"
    places = len(number.partition(".")[2])
    amount = f"{abs(value):{',' if ',' in number else ''}.{places}f}"
    return f"{'-' if value < 0 else ''}{before}{amount}{after}"


def _literal(part: str | None) -> str:
    """What a part of a number format shows: without its quotes, brackets and locale."""
    return re.sub(r'\[\$([^\]-]*)(?:-[^\]]*)?\]|"', r"\1", part or "")


def _properties(workbook: Workbook) -> dict[str, object]:
    core = workbook.properties
    description = core.subject or core.description
    return {**core_properties(core, core.creator), "description": description}
