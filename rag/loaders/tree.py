"""From a tree of elements, HTML's or trafilatura's, to blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from rag.loaders.builder import TextBuilder

_INLINE = re.compile(
    r"a|abbr|acronym|b|bdi|bdo|big|button|cite|code|data|del|dfn|em|font|hi|i|ins|kbd|label|mark|"
    r"meter|output|q|ref|ruby|rb|rt|s|samp|small|span|strike|strong|sub|sup|time|tt|u|var|wbr"
)
_LISTS = frozenset(["ul", "ol", "dl", "list", "menu"])
_ITEMS = frozenset(["li", "item", "dt", "dd"])
_ROWS = frozenset(["tr", "row"])
_CELLS = frozenset(["td", "th", "cell"])
_BREAKS = frozenset(["br", "lb", "hr"])
_EMPTY_LINE = re.compile(r"\n\s*\n")


def add_tree(root: etree._Element, builder: TextBuilder) -> None:
    """Add everything below `root` in document order. Not recursive: nesting may be hostile."""
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


class _Walk:
    """What the walk remembers between two tags."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._buffer: list[str] = []
        self._kind = "paragraph"
        self._level = 0
        self._marker = "-"
        self._lists: list[int | None] = []
        self._layout: list[bool] = []
        self._first_row = False
        self._cells: list[str] | None = None
        self._headers = 0
        self._term = ""

    def start(self, tag: str, element: etree._Element) -> None:
        if tag in _BREAKS:
            self._buffer.append(" " if self._cells is not None else "\n")
        elif _INLINE.fullmatch(tag):
            return
        elif self._cells is not None:
            self._buffer.append(" ")
            if tag in _CELLS:
                self._buffer.clear()
        elif tag in _ROWS and self._layout and not self._layout[-1]:
            self.flush()
            self._cells, self._headers = [], 0
        else:
            self.flush()
            self._start_block(tag, element)

    def _start_block(self, tag: str, element: etree._Element) -> None:
        level = _heading_level(tag, element)
        if level:
            self._kind, self._level = "heading", level
        elif tag in _LISTS:
            ordered = tag == "ol" or element.get("rend") == "ol"
            self._lists.append(_number(element.get("start")) if ordered else None)
        elif tag in _ITEMS:
            self._start_item(tag, element)
        elif tag == "table":
            self._layout.append(_is_layout(element))
            self._first_row = True
        elif tag == "pre":
            self._kind = "code"

    def _start_item(self, tag: str, element: etree._Element) -> None:
        role = (element.get("rend") or tag)[:2]
        number = self._lists[-1] if self._lists else None
        self._marker = "-"
        if number is not None:
            self._marker = f"{number}."
            self._lists[-1] = number + 1
        self._kind, self._level = "term" if role == "dt" else "item", max(1, len(self._lists))

    def end(self, tag: str, element: etree._Element) -> None:
        if tag in _BREAKS or _INLINE.fullmatch(tag):
            return
        if self._cells is not None:
            self._end_in_row(tag, element)
            return
        self.flush()
        if tag in _LISTS and self._lists:
            self._lists.pop()
        elif tag == "table" and self._layout:
            self._layout.pop()
        if tag in _ITEMS or tag == "pre" or _heading_level(tag, element):
            self._kind = "paragraph"

    def _end_in_row(self, tag: str, element: etree._Element) -> None:
        if self._cells is None:
            return
        self._buffer.append(" ")
        if tag in _CELLS:
            self._cells.append(" ".join("".join(self._buffer).split()))
            self._headers += tag == "th" or element.get("role") == "head"
            self._buffer.clear()
        elif tag in _ROWS or tag == "table":
            filled = sum(map(bool, self._cells))
            if self._first_row and filled == 1 and len(self._cells) > 1:
                self._builder.paragraph(" ".join(self._cells))
            else:
                self._builder.row(self._cells, header=self._headers == len(self._cells))
                self._first_row = False
            self._cells = None
            self._buffer.clear()

    def text(self, text: str | None) -> None:
        if text:
            self._buffer.append(text if self._kind == "code" else re.sub(r"\s+", " ", text))

    def flush(self) -> None:
        """Add what has come together since the last block."""
        text = "".join(self._buffer)
        self._buffer.clear()
        if not text.strip():
            return
        if self._kind == "code":
            self._builder.code(text)
            return
        for part in _EMPTY_LINE.split(text):
            self._add(part)
        if self._kind != "term":
            self._kind = "paragraph"

    def _add(self, text: str) -> None:
        if self._kind == "term":
            self._term = f"{self._term} {text.strip()}".strip()
        elif self._kind == "heading":
            self._builder.heading(text, self._level)
        elif self._kind == "item":
            lead, self._term = self._term, ""
            self._builder.item(f"{lead}: {text}" if lead else text, self._level, self._marker)
        else:
            self._builder.paragraph(text)


def _heading_level(tag: str, element: etree._Element) -> int:
    """The depth of a heading element, 0 for others."""
    name = element.get("rend", "h2") if tag == "head" and element.getparent() is not None else tag
    return int(name[1]) if re.fullmatch("h[1-6]", name) else 0


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,6}", text) else 1


def _is_layout(table: etree._Element) -> bool:
    """A table that only places things: it holds tables or headings, or has a single column."""
    if any(table.find(f".//{tag}") is not None for tag in ("table", "h1", "h2", "h3", "h4")):
        return True
    rows = list(table.iter(*_ROWS))
    return all(sum(1 for cell in row if cell.tag in _CELLS) <= 1 for row in rows)
