"""Word documents: body text in order, tracked changes as accepted, numbers of headings and lists.

python-docx opens the package; the body is walked here, because its paragraphs leave out inserted
text, content controls and text boxes.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

import docx
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn
from lxml import etree

from rag.errors import DocumentError
from rag.loaders.bold import first_title, with_bold_headings
from rag.loaders.builder import TextBuilder, clean
from rag.loaders.docx_notes import Notes
from rag.loaders.docx_numbering import Numbering
from rag.loaders.docx_styles import Style, bold_characters, is_bold, read_styles, with_properties
from rag.loaders.metadata import believable_title, core_properties, normalise
from rag.loaders.package import DAMAGE, Kind, check_package
from rag.text.markup import raised

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from docx.document import Document as WordDocument

    from rag.types import Document

_KIND = Kind("a Word document", ".docx", "Word")
_TEXT = {qn("w:t"), qn("m:t")}
_SPACE = {qn("w:tab"), qn("w:br"), qn("w:cr"), qn("w:ptab")}
_LEFT_OUT = {
    qn("w:del"),
    qn("w:moveFrom"),
    qn("w:rPr"),
    qn("w:pPr"),
    qn("w:rt"),
    qn("w:txbxContent"),
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
}
_P, _TBL, _TR, _TC, _R = (qn(f"w:{name}") for name in ("p", "tbl", "tr", "tc", "r"))
_BOX = qn("w:txbxContent")
_VAL = qn("w:val")


def load(data: bytes, document_id: str) -> Document:
    """Read a Word document.

    Raises:
        DocumentError: it is encrypted, in the old .doc format, damaged, too large when unpacked,
            or has no text.
    """
    check_package(data, _KIND)
    word = _opened(data)
    walk = _Walk(word)
    walk.add(word.element.body)
    metadata = normalise(core_properties(word.core_properties, word.core_properties.author))
    named = believable_title(str(metadata.pop("title", "")))
    title = walk.title or named or walk.first_heading
    document = with_bold_headings(walk.builder.build(document_id, title, metadata), walk.bold)
    return (
        document if title else replace(document, title=first_title(document.blocks, document.text))
    )


def _opened(data: bytes) -> WordDocument:
    try:
        return docx.Document(BytesIO(data))
    except (OpcError, KeyError, ValueError, AttributeError, *DAMAGE) as error:
        raise DocumentError(
            "is damaged or not a Word document: open it in Word and save it again"
        ) from error


class _Walk:
    """Adds the body, block by block."""

    def __init__(self, word: WordDocument) -> None:
        self.builder = TextBuilder()
        self.title = ""
        self.first_heading = ""
        # The depth of the list entry before, 0 for none.
        self._entry = 0
        self.bold: set[int] = set()
        self._styles = read_styles(word)
        self._bold_characters = bold_characters(word)
        self._numbering = Numbering(word)
        self._notes = Notes(word)

    def add(self, container: etree._Element) -> None:
        for element in _children(container):
            if element.tag == _P:
                self._paragraph(element)
                for box in element.iter(_BOX):
                    if not _inside(box, element, "Fallback"):
                        self.add(box)
            else:
                self._table(element)
            for number, paragraphs in self._notes.of(element):
                for paragraph in paragraphs:
                    self.builder.note(_text(paragraph), str(number), self._entry)

    def _paragraph(self, element: etree._Element) -> None:
        text = clean(_text(element))
        if not text:
            return
        style = self._style(element)
        if style.contents:
            return
        label = self._numbering.label(style.num_id, style.ilvl) if style.num_id else ""
        listed = style.item or min(style.continued, self._entry)
        self._entry = 0 if style.heading else listed
        if style.title and not self.title:
            self.title = text
        if style.heading:
            text = f"{label} {text}" if label else text
            self.first_heading = self.first_heading or text
            self.builder.heading(text, style.heading)
        elif self._entry:
            self.builder.item(text, self._entry, (label or "-") if style.item else "")
        else:
            self.builder.paragraph(text)
            if self._is_bold(element, style):
                self.bold.add(len(self.builder))

    def _is_bold(self, element: etree._Element, style: Style) -> bool:
        """Whether all words of a paragraph are in bold."""
        named = f"{qn('w:rPr')}/{qn('w:rStyle')}"
        for run in element.iter(_R):
            if not any((part.text or "").strip() for part in run.iter(qn("w:t"))):
                continue
            mark = run.find(named)
            named_bold = mark is not None and mark.get(_VAL) in self._bold_characters
            if not is_bold(run, otherwise=style.bold or named_bold):
                return False
        return True

    def _style(self, element: etree._Element) -> Style:
        """The paragraph's style with what it sets itself."""
        properties = element.find(qn("w:pPr"))
        if properties is None:
            return self._styles.get("", Style())
        named = properties.find(qn("w:pStyle"))
        base = self._styles.get(named.get(_VAL) if named is not None else "", Style())
        return with_properties(base, properties)

    def _table(self, table: etree._Element) -> None:
        elements = [row for row in table.iter(_TR) if _own(row, table)]
        rows = [[_Cell.of(cell) for cell in _cells(row)] for row in elements]
        widest = max(map(len, rows), default=0)
        if widest <= 1:
            for row in elements:
                for cell in _cells(row):
                    self.add(cell)
            return
        self._entry = 0
        above: dict[int, str] = {}
        headers = _headers(table, elements)
        for index, cells in enumerate(rows):
            texts: list[str] = []
            column = 0
            # A title across the whole table is said once; borders that do not meet make columns
            # that nobody sees.
            repeat = len(cells) > 1 and sum(cell.span for cell in cells) == widest
            for cell in cells:
                text = above.get(column, "") if cell.continues else cell.text
                above[column] = text
                texts += [text] * (cell.span if repeat else 1)
                column += cell.span
            self.builder.row(texts, header=index < headers and len(cells) > 1)


class _Cell(NamedTuple):
    text: str
    span: int
    continues: bool

    @classmethod
    def of(cls, cell: etree._Element) -> _Cell:
        properties = cell.find(qn("w:tcPr"))
        span, continues = 1, False
        if properties is not None:
            grid = properties.find(qn("w:gridSpan"))
            span = int(grid.get(_VAL, "1")) if grid is not None else 1
            merge = properties.find(qn("w:vMerge"))
            continues = merge is not None and merge.get(_VAL, "continue") == "continue"
        return cls(" ".join(clean(_text(p)) for p in cell.iter(_P)).strip(), span, continues)


def _children(container: etree._Element) -> Iterator[etree._Element]:
    """Paragraphs and tables, also those in content controls and tracked insertions."""
    for child in container:
        if child.tag in (_P, _TBL):
            yield child
        elif child.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:ins")):
            yield from _children(child)


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    for child in row:
        if child.tag == _TC:
            yield child
        elif child.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml")):
            yield from _cells(child)


def _own(row: etree._Element, table: etree._Element) -> bool:
    """Whether the row belongs to this table and not to one inside it."""
    return next(row.iterancestors(_TBL)) is table


def _inside(element: etree._Element, stop: etree._Element, name: str) -> bool:
    for ancestor in element.iterancestors():
        if ancestor is stop:
            return False
        if etree.QName(ancestor).localname == name:
            return True
    return False


def _headers(table: etree._Element, rows: Sequence[etree._Element]) -> int:
    """Where the header ends: those rows that every page repeats, or the first below a title."""
    repeated = sum(1 for _ in takewhile(_is_repeated, rows))
    if len(rows) == 1 or not (repeated or _first_is_header(table)):
        return 0
    first = next(at for at, row in enumerate(rows) if sum(1 for _ in _cells(row)) > 1)
    return max(first + 1, repeated if repeated < len(rows) else 0)


def _is_repeated(row: etree._Element) -> bool:
    mark = row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}")
    return mark is not None and mark.get(_VAL, "1") not in ("0", "false")


def _first_is_header(table: etree._Element) -> bool:
    look = table.find(f"{qn('w:tblPr')}/{qn('w:tblLook')}")
    if look is None:
        return False
    flags = int(look.get(_VAL) or "0", 16)
    return look.get(qn("w:firstRow"), "0") in ("1", "true") or bool(flags & 0x20)


def _text(paragraph: etree._Element) -> str:
    """What the paragraph says once all tracked changes are accepted."""
    parts: list[str] = []
    walk = etree.iterwalk(paragraph, events=("start",))
    for _, element in walk:
        if element.tag in _LEFT_OUT or (element.tag == _R and _hidden(element)):
            walk.skip_subtree()
        elif element.tag in _TEXT:
            parts.append(_as_it_looks(element))
        elif element.tag in _SPACE:
            parts.append(" ")
        elif element.tag == qn("w:noBreakHyphen"):
            parts.append("-")
    return "".join(parts)


def _as_it_looks(element: etree._Element) -> str:
    """The text of an element, raised or lowered where its run is."""
    text = element.text or ""
    align = element.find(f"../{qn('w:rPr')}/{qn('w:vertAlign')}")
    position = align.get(_VAL) if align is not None else ""
    if position in ("superscript", "subscript"):
        return raised(text, below=position == "subscript")
    return text


def _hidden(run: etree._Element) -> bool:
    vanish = run.find(f"{qn('w:rPr')}/{qn('w:vanish')}")
    return vanish is not None and vanish.get(_VAL, "1") not in ("0", "false")
