"""OpenDocument text (LibreOffice, Google Docs): headings, lists, tables, notes.

Tracked changes count as accepted; comments are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from rag.errors import DocumentError
from rag.loaders.builder import TextBuilder, clean
from rag.loaders.metadata import believable_title, normalise
from rag.loaders.odt_lists import Lists
from rag.loaders.package import Kind, Package
from rag.loaders.rows import has_digit, has_empty_corner
from rag.loaders.tree import raise_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.types import Document

_KIND = Kind("an OpenDocument text", ".odt")
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_P, _H, _LIST = f"{_TEXT}p", f"{_TEXT}h", f"{_TEXT}list"
_NOTE = f"{_TEXT}note"
_SPACES = {f"{_TEXT}{name}" for name in ("s", "tab", "line-break", "soft-page-break")}
_LEFT_OUT = {
    _NOTE,
    f"{_TEXT}tracked-changes",
    f"{_TEXT}table-of-content",
    f"{_TEXT}alphabetical-index",
    f"{_TEXT}sequence-decls",
    f"{_OFFICE}annotation",
    f"{_OFFICE}annotation-end",
    f"{_OFFICE}forms",
    "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}text-box",
}
_BOX = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}text-box"
_PROPERTIES = {
    "title": "title",
    "initial-creator": "author",
    "creator": "author",
    "language": "language",
    "subject": "description",
    "keyword": "tags",
}
_MOST_COLUMNS = 200


def load(data: bytes, document_id: str) -> Document:
    """Read an OpenDocument text.

    Raises:
        DocumentError: it is encrypted, damaged, too large when unpacked, or has no text.
    """
    package = Package(data, _KIND)
    manifest = "META-INF/manifest.xml"
    if manifest in package and b"encryption-data" in package.read(manifest):
        raise DocumentError("is encrypted: save a copy without a password")
    content = package.xml("content.xml")
    body = content.find(f".//{_OFFICE}text")
    if body is None:
        raise DocumentError("is an OpenDocument file but no text: save it as .odt")
    styles = [content]
    if "styles.xml" in package:
        styles.append(package.xml("styles.xml"))
    _raise_marks(body, styles)
    walk = _Walk(Lists(styles))
    walk.add(body)
    properties = _properties(package.xml("meta.xml")) if "meta.xml" in package else {}
    metadata = normalise(properties)
    named = believable_title(str(metadata.pop("title", "")))
    title = walk.title or named or walk.first_heading
    return walk.builder.build(document_id, title, metadata)


def _raise_marks(body: etree._Element, parts: list[etree._Element]) -> None:
    """Say in the text what is raised or lowered by a style."""
    below = {}
    for part in parts:
        for properties in part.iter(f"{_STYLE}text-properties"):
            position = properties.get(f"{_STYLE}text-position", "")
            style = properties.getparent()
            if position.startswith(("super", "sub")) and style is not None:
                below[style.get(f"{_STYLE}name", "")] = position.startswith("sub")
    for span in body.iter(f"{_TEXT}span"):
        name = span.get(f"{_TEXT}style-name", "")
        if name in below:
            raise_text(span, below=below[name])


class _Walk:
    """Adds the body, block by block."""

    def __init__(self, lists: Lists) -> None:
        self.builder = TextBuilder()
        self.title = self.first_heading = ""
        self._lists = lists

    def add(self, container: etree._Element) -> None:
        """Everything in a body, section, cell or box."""
        for element in container:
            if element.tag in (_P, _H):
                self._paragraph(element)
            elif element.tag == _LIST:
                self._list(element, 1, element.get(f"{_TEXT}style-name", ""))
            elif element.tag == f"{_TABLE}table":
                self._table(element)
            elif _visible(element):
                self.add(element)

    def _paragraph(self, element: etree._Element) -> None:
        text = _shown(element)
        style = self._lists.named(element.get(f"{_TEXT}style-name", ""))
        if element.tag == _H:
            level = element.get(f"{_TEXT}outline-level", "1")
            self.builder.heading(
                text, min(6, int(level)) if level.isdecimal() and level != "0" else 1
            )
            self.first_heading = self.first_heading or text
        elif style == "Title" and text:
            self.builder.heading(text, 1)
            self.title = self.title or text
        else:
            self.builder.paragraph(text)
        self._beside(element)

    def _beside(self, element: etree._Element, entry: int = 0) -> None:
        """Notes and text boxes that hang on a paragraph, or on one in an entry of this depth."""
        for note in element.iter(_NOTE):
            citation = note.find(f"{_TEXT}note-citation")
            number = clean("".join(citation.itertext())) if citation is not None else ""
            for paragraph in note.iter(_P):
                self.builder.note(_shown(paragraph), number, entry)
        for box in element.iter(_BOX):
            if next(box.iterancestors(_P, _H), None) is element:
                self.add(box)

    def _list(self, element: etree._Element, level: int, style: str) -> None:
        style = element.get(f"{_TEXT}style-name", "") or style
        number = 0
        marker: str | None = None
        for entry in element:
            if entry.tag == f"{_TEXT}list-item":
                started = entry.get(f"{_TEXT}start-value", "")
                number = int(started) if started.isdecimal() else number + 1
                marker = self._lists.marker(style, level, number)
            elif entry.tag != f"{_TEXT}list-header":
                continue
            elif marker is not None:
                # A paragraph without a number between two entries goes on with the first.
                marker = ""
            for part in entry:
                if part.tag == _LIST:
                    self._list(part, level + 1, style)
                elif part.tag == _P and marker is not None:
                    if _shown(part):
                        self.builder.item(_shown(part), level, marker)
                        marker = ""
                    self._beside(part, level)
                elif part.tag in (_P, _H):
                    self._paragraph(part)

    def _table(self, table: etree._Element) -> None:
        headers = table.find(f"{_TABLE}table-header-rows")
        rows = list(_rows(table))
        if all(len(list(_cells(row))) <= 1 for row in rows):
            for row in rows:
                for cell in _cells(row):
                    self.add(cell)
            return
        texts: list[str] = []
        starts = headers is None and len(rows) > 1
        for row in rows:
            texts = _row_texts(row, texts)
            marked = headers is not None and row.getparent() is headers
            several = len(texts) > 1
            self.builder.row(texts, header=several and (marked or (starts and _wordy(texts))))
            starts = starts and not several
            for cell in _cells(row):
                self._beside_cell(cell)

    def _beside_cell(self, cell: etree._Element) -> None:
        for paragraph in cell.iter(_P):
            if paragraph.find(f".//{_NOTE}") is not None:
                self._beside(paragraph)


def _visible(element: etree._Element) -> bool:
    known = isinstance(element.tag, str) and element.tag not in _LEFT_OUT
    return known and element.get(f"{_TEXT}display") != "none"


def _rows(table: etree._Element) -> Iterator[etree._Element]:
    """Rows of this table, not of one inside it."""
    for row in table.iter(f"{_TABLE}table-row"):
        if next(row.iterancestors(f"{_TABLE}table")) is table:
            yield row


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    for cell in row:
        if cell.tag == f"{_TABLE}table-cell":
            # Empty cells up to the edge of the sheet are one repeated a thousand times.
            for _ in range(_count(cell, "number-columns-repeated") if len(cell) else 1):
                yield cell


def _row_texts(row: etree._Element, above: list[str]) -> list[str]:
    """One text per column: a covered cell shows what covers it, from the left or from `above`."""
    texts: list[str] = []
    from_left = 0
    alone = len(list(_cells(row))) == 1
    for cell in row:
        repeated = _count(cell, "number-columns-repeated")
        if cell.tag == f"{_TABLE}table-cell":
            texts += [_cell_text(cell)] * (repeated if len(cell) else 1)
            from_left = _count(cell, "number-columns-spanned") - 1
        elif cell.tag == f"{_TABLE}covered-table-cell":
            for _ in range(repeated):
                if from_left:
                    from_left -= 1
                    texts.append(texts[-1])
                else:
                    alone = False
                    texts.append(above[len(texts)] if len(texts) < len(above) else "")
    # A title across the whole table is said once.
    return texts[:1] if alone else texts


def _count(cell: etree._Element, name: str) -> int:
    value = cell.get(f"{_TABLE}{name}", "")
    return min(max(int(value), 1), _MOST_COLUMNS) if re.fullmatch(r"\d{1,6}", value) else 1


def _cell_text(cell: etree._Element) -> str:
    return " ".join(filter(None, (_shown(paragraph) for paragraph in cell.iter(_P, _H))))


def _wordy(texts: list[str]) -> bool:
    wordy = all(texts) and not any(map(has_digit, texts))
    return wordy or has_empty_corner(texts)


def _shown(element: etree._Element) -> str:
    """The text of a paragraph without what hangs on it."""
    parts = [element.text or ""]
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, part in walk:
        if part is element:
            continue
        if event == "end":
            parts.append(part.tail or "")
        elif part.tag in _LEFT_OUT:
            walk.skip_subtree()
        elif part.tag in _SPACES:
            parts.append(" ")
        else:
            parts.append(part.text or "")
    return clean("".join(parts))


def _properties(root: etree._Element) -> dict[str, object]:
    found: dict[str, list[str]] = {}
    days = {}
    for element in root.iter("{*}*"):
        name = etree.QName(element).localname
        text = clean(element.text or "")
        if text and name in _PROPERTIES:
            found.setdefault(_PROPERTIES[name], []).append(text)
        elif text and name in ("creation-date", "date"):
            days["created" if name == "creation-date" else "modified"] = text[:10]
    return {
        **{name: texts if name == "tags" else texts[0] for name, texts in found.items()},
        **days,
    }
