"""From a tree of elements, HTML's or trafilatura's, to blocks."""

from __future__ import annotations

import re
from copy import deepcopy
from itertools import islice
from typing import TYPE_CHECKING

from lxml import etree

from rag.loaders.numerals import roman
from rag.loaders.rows import heads_figures, is_header
from rag.text.markup import INLINE_TAGS, raised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.loaders.builder import TextBuilder

_INLINE = INLINE_TAGS | {"hi", "ref"}
"""Those of HTML, and what trafilatura calls them."""
_LISTS = frozenset(["ul", "ol", "dl", "list", "menu"])
_ITEMS = frozenset(["li", "item", "dt", "dd"])
_ROWS = frozenset(["tr", "row"])
_CELLS = frozenset(["td", "th", "cell"])
_BREAKS = frozenset(["br", "lb", "hr"])
_EMPTY_LINE = re.compile(r"\n\s*\n")
_MARK_PARTS = 8  # elements
_ROWS_LOOKED_AT = 50
_COPIED_AT_MOST = 2_000_000  # characters, on a page
_ELEMENT_COSTS = 20  # as many characters


def add_tree(root: etree._Element, builder: TextBuilder) -> set[int]:
    """Add everything below `root` in document order. Not recursive: nesting may be hostile.

    Returns:
        Where paragraphs end that are in bold from their first to their last word.
    """
    walk = _Walk(builder)
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else "span"
        if event == "start":
            walk.start(tag.lower(), element)
            walk.text(element.text)
        else:
            walk.end(tag.lower(), element)
            if element is not root:
                walk.text(element.tail)
    walk.flush()
    return walk.bold


def raise_text(element: etree._Element, *, below: bool = False) -> None:
    """Write what is raised or lowered in an element as such.

    A mark has few parts: of more, the rest stays as it is.
    """
    for part in islice(element.iter(), _MARK_PARTS):
        if part.text:
            part.text = raised(part.text, below=below)
        if part.tail and part is not element:
            part.tail = raised(part.tail, below=below)


def spread_cells(page: etree._Element) -> None:
    """Repeat each merged cell of an HTML page in every row and column that it covers."""
    spread = _Spread()
    try:
        for table in page.iter("table"):
            if not _is_layout(table):
                spread.table(table)
    except _EnoughCopiesError:
        return


class _EnoughCopiesError(Exception):
    """The tables that are left stay as they are."""


class _Spread:
    """Counts what it copies over a whole page: few bytes can ask for very many copies."""

    def __init__(self) -> None:
        self._left = _COPIED_AT_MOST
        self._widest = 1
        # By column, the cell that reaches down into the next row, and how many rows further.
        self._above: dict[int, tuple[etree._Element, int]] = {}

    def table(self, table: etree._Element) -> None:
        """Spread the cells of one table.

        Raises:
            _EnoughCopiesError: too much was copied already.
        """
        rows = list(table.iter("tr"))
        # No cell spans more columns than there are, whatever it says.
        self._widest = max(sum(1 for _ in _cells(row)) for row in rows)
        group = None
        for row in rows:
            if row.getparent() is not group:
                self._above.clear()
                group = row.getparent()
            self._row(row)

    def _row(self, row: etree._Element) -> None:
        cells = list(_cells(row))
        # A title across the whole table is said once.
        title = len(cells) == 1 and not self._above
        column = 0
        for cell in cells:
            while column in self._above:
                cell.addprevious(self._from_above(column))
                column += 1
            column += self._cell(cell, column, 1 if title else self._widest)
        for position in range(column, max(self._above, default=-1) + 1):
            copied = self._from_above(position)
            if cells:
                row.append(copied)

    def _cell(self, cell: etree._Element, column: int, at_most: int) -> int:
        """Spread a cell to the right; over how many columns."""
        across = min(_span(cell, "colspan"), at_most)
        down = _span(cell, "rowspan") - 1
        # trafilatura would make room for them once more.
        for name in ("colspan", "rowspan"):
            cell.attrib.pop(name, None)
        for position in range(column, column + across):
            if down:
                self._above[position] = cell, down
            if position > column:
                cell.addnext(self._copy(cell))
        return across

    def _from_above(self, column: int) -> etree._Element:
        cell, down = self._above.pop(column, (None, 0))
        if cell is not None and down > 1:
            self._above[column] = cell, down - 1
        return self._copy(cell)

    def _copy(self, cell: etree._Element | None) -> etree._Element:
        if self._left <= 0:
            raise _EnoughCopiesError
        copied = etree.Element("td") if cell is None else deepcopy(cell)
        copied.tail = None
        for part in copied.iter():
            self._left -= _ELEMENT_COSTS + len(part.text or "") + len(part.tail or "")
        return copied


def _span(cell: etree._Element, name: str) -> int:
    return max(1, _number(cell.get(name)))


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    return (cell for cell in row if cell.tag in _CELLS)


class _Walk:
    """What the walk remembers between two tags."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._buffer: list[str] = []
        self._kind = "paragraph"
        self._level = 0
        self._marker = "-"
        self._lists: list[tuple[int, str] | None] = []
        # The levels of the entries that are open, outermost first.
        self._entries: list[int] = []
        self._layout: list[bool] = []
        self._first_row = self._first_heads = False
        self._cells: list[str] | None = None
        self._head = False
        self._is_name: list[bool] = []
        self._term = ""
        self.bold: set[int] = set()
        self._bold_depth = 0
        self._all_bold = True

    def start(self, tag: str, element: etree._Element) -> None:
        if tag in _BREAKS:
            self._buffer.append(" " if self._cells is not None else "\n")
        elif tag in _INLINE:
            self._bold_depth += _is_bold(tag, element)
        elif self._cells is not None:
            self._buffer.append(" ")
            if tag in _CELLS:
                self._buffer.clear()
        elif tag in _ROWS and self._layout and not self._layout[-1]:
            self.flush()
            parent = element.getparent()
            self._head = parent is not None and parent.tag == "thead"
            self._cells, self._is_name = [], []
        else:
            self.flush()
            self._start_block(tag, element)

    def _start_block(self, tag: str, element: etree._Element) -> None:
        level = _heading_level(tag, element)
        if level:
            self._kind, self._level = "heading", level
            if self._entries:
                # What follows a heading is a section, even in an entry.
                self._entries[-1] = 0
        elif tag in _LISTS:
            ordered = tag == "ol" or element.get("rend") == "ol"
            count = (_number(element.get("start")), element.get("type", "1"))
            self._lists.append(count if ordered else None)
        elif tag in _ITEMS:
            self._start_item(tag, element)
        elif tag == "table":
            layout = _is_layout(element)
            self._layout.append(layout)
            # Of tables in tables each is looked through once.
            self._first_row, self._first_heads = True, not layout and _first_heads(element)
        elif tag == "pre":
            self._kind = "code"

    def _start_item(self, tag: str, element: etree._Element) -> None:
        role = (element.get("rend") or tag)[:2]
        count = self._lists[-1] if self._lists else None
        self._marker = "-"
        if count is not None:
            expected, form = count
            number = _number(element.get("value"), expected)
            self._marker = f"{_in_form(number, form)}."
            self._lists[-1] = number + 1, form
        self._kind, self._level = "term" if role == "dt" else "item", max(1, len(self._lists))
        self._entries.append(self._level)

    def _go_on(self) -> None:
        """What comes next is a later part of the entry around it, if there is one."""
        self._level = self._entries[-1] if self._entries else 0
        self._kind, self._marker = "item" if self._level else "paragraph", ""

    def end(self, tag: str, element: etree._Element) -> None:
        if tag in _BREAKS or tag in _INLINE:
            self._bold_depth -= _is_bold(tag, element)
            return
        if self._cells is not None:
            self._end_in_row(tag, element)
            return
        self.flush()
        if tag in _LISTS and self._lists:
            self._lists.pop()
        elif tag == "table" and self._layout:
            self._layout.pop()
        elif tag in _ITEMS and self._entries:
            self._entries.pop()
        if tag in _ITEMS or tag == "pre" or _heading_level(tag, element):
            self._go_on()

    def _end_in_row(self, tag: str, element: etree._Element) -> None:
        if self._cells is None:
            return
        self._buffer.append(" ")
        if tag in _CELLS:
            self._cells.append(" ".join("".join(self._buffer).split()))
            self._is_name.append(tag == "th" or element.get("role") == "head")
            self._buffer.clear()
        elif tag in _ROWS or tag == "table":
            header = self._head or is_header(self._cells, self._is_name)
            header |= self._first_row and self._first_heads
            # One name is a title, but above the last column it may stand beside an empty corner.
            title = sum(map(bool, self._cells)) == 1 and not (header and self._cells[-1])
            if self._first_row and (title or len(self._cells) == 1):
                self._builder.paragraph(" ".join(self._cells))
            else:
                self._builder.row(self._cells, header=header and len(self._cells) > 1)
                self._first_row = False
            self._cells = None
            self._buffer.clear()

    def text(self, text: str | None) -> None:
        if text:
            self._all_bold &= self._bold_depth > 0 or not text.strip()
            self._buffer.append(text if self._kind == "code" else re.sub(r"\s+", " ", text))

    def flush(self) -> None:
        """Add what has come together since the last block."""
        text = "".join(self._buffer)
        all_bold, self._all_bold = self._all_bold, True
        self._buffer.clear()
        if not text.strip():
            return
        if self._kind == "code":
            self._builder.code(text)
            return
        for part in _EMPTY_LINE.split(text):
            self._add(part)
        if all_bold and self._kind == "paragraph":
            self.bold.add(len(self._builder))
        if self._kind != "term":
            self._go_on()

    def _add(self, text: str) -> None:
        if self._kind == "term":
            self._term = f"{self._term} {text.strip()}".strip()
        elif self._kind == "heading":
            self._builder.heading(text, self._level)
        elif self._kind == "item":
            lead, self._term = self._term, ""
            self._builder.item(f"{lead}: {text}" if lead else text, self._level, self._marker)
            self._marker = ""
        else:
            self._builder.paragraph(text)


def _heading_level(tag: str, element: etree._Element) -> int:
    """The depth of a heading element, 0 for others."""
    name = element.get("rend", "h2") if tag == "head" and element.getparent() is not None else tag
    return int(name[1]) if re.fullmatch("h[1-6]", name) else 0


def _is_bold(tag: str, element: etree._Element) -> bool:
    return tag in ("b", "strong") or (tag == "hi" and element.get("rend") == "#b")


def _number(text: str | None, otherwise: int = 1) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,6}", text.strip()) else otherwise


def _in_form(number: int, form: str) -> str:
    """The number as `<ol type=...>` asks for: 3 as "c" or "iii"."""
    if form in ("i", "I"):
        return roman(number) if form == "I" else roman(number).lower()
    if form not in ("a", "A") or number < 1:
        return str(number)
    letters = ""
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(ord(form) + digit) + letters
    return letters


def _first_heads(table: etree._Element) -> bool:
    """Whether the first row is the header of a table that marks none."""
    if any(table.find(f".//{one}") is not None for one in ("th", "thead", "*[@role='head']")):
        return False
    rows = [
        [" ".join("".join(cell.itertext()).split()) for cell in _cells(row)]
        for row in islice(table.iter(*_ROWS), _ROWS_LOOKED_AT)
    ]
    return bool(rows) and heads_figures(rows[0], rows[1:])


def _is_layout(table: etree._Element) -> bool:
    """A table that only places things: it holds tables or headings, or has a single column."""
    if any(table.find(f".//{tag}") is not None for tag in ("table", "h1", "h2", "h3", "h4")):
        return True
    rows = list(table.iter(*_ROWS))
    return all(sum(1 for _ in _cells(row)) <= 1 for row in rows)
