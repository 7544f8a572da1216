"""Blocks of raw HTML inside Markdown: the tags stay in the text, blocks lie between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.types import Block

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)[^<>]{0,2000}>")
_INLINE = re.compile(
    r"a|abbr|b|bdi|bdo|br|button|cite|code|data|del|dfn|em|font|i|img|input|ins|kbd|label|mark|q|s|"
    r"samp|small|span|strike|strong|sub|sup|time|tt|u|var|wbr"
)
_SPECIAL = re.compile(
    r"(?P<row><tr\b[^<>]{0,2000}>(?:(?!</?(?:tr|tbody|thead|table)\b).)*)"
    r"|<(?P<hidden>script|style|template|textarea|iframe)\b(?:(?!</?(?P=hidden)\b).)*"
    r"</(?P=hidden)[^<>]{0,100}>",
    re.DOTALL | re.IGNORECASE,
)
_CELL = re.compile(r"<(/?)(td|th)\b[^<>]{0,2000}>", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]")


def html_blocks(text: str, start: int, end: int) -> Iterator[Block]:
    """What a reader sees of `text[start:end]`, in order; spans may have white space around.

    A table row is one block, from its first cell to its last; other block-level tags divide.
    """
    for special in _SPECIAL.finditer(text, start, end):
        yield from _flow(text, start, special.start())
        if special["row"]:
            yield from _row(text, special.start(), special.end())
        start = special.end()
    yield from _flow(text, start, end)


def _row(text: str, start: int, end: int) -> Iterator[Block]:
    cells = list(_CELL.finditer(text, start, end))
    if cells:
        header = all(cell[2].lower() == "th" for cell in cells)
        stop = cells[-1].start() if cells[-1][1] else end
        yield from _visible(Block("row", cells[0].end(), stop, int(header)), text)


def _flow(text: str, start: int, end: int) -> Iterator[Block]:
    block = Block("paragraph", start, end)
    lists = 0
    for tag in _TAG.finditer(text, start, end):
        name, closing = tag[2].lower(), bool(tag[1])
        if _INLINE.fullmatch(name):
            continue
        yield from _visible(Block(block.kind, block.start, tag.start(), block.level), text)
        block = Block("paragraph", tag.end(), end)
        if name in ("ul", "ol"):
            lists = max(0, lists + (-1 if closing else 1))
        elif name == "li" and not closing:
            block = Block("item", tag.end(), end, max(1, lists))
        elif re.fullmatch("h[1-6]", name) and not closing:
            block = Block("heading", tag.end(), end, int(name[1]))
    yield from _visible(block, text)


def _visible(block: Block, text: str) -> Iterator[Block]:
    if _WORD.search(_TAG.sub(" ", text[block.start : block.end])):
        yield block
