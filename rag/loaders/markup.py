"""Blocks of raw HTML inside Markdown: the tags stay in the text, blocks lie between them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.loaders.rows import is_header
from rag.text.markup import INLINE_TAGS
from rag.types import Block

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)[^<>]{0,2000}>")
_SPECIAL = re.compile(
    r"(?P<row><tr\b[^<>]{0,2000}>(?:(?!</?(?:tr|tbody|thead|table)\b).)*)"
    r"|<(?P<hidden>script|style|template|textarea|iframe)\b(?:(?!</?(?P=hidden)\b).)*"
    r"</(?P=hidden)[^<>]{0,100}>",
    re.DOTALL | re.IGNORECASE,
)
_CELL = re.compile(r"<(/?)(td|th)\b[^<>]{0,2000}>", re.IGNORECASE)
_HEAD = re.compile(r"<(/?)thead\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]")


def html_blocks(text: str, start: int, end: int, depth: int) -> Iterator[Block]:
    """What a reader sees of `text[start:end]`, in order; spans may have white space around.

    A table row is one block, from its first cell to its last; other block-level tags divide.

    Args:
        text: the Markdown.
        start: where the HTML begins.
        end: where it ends.
        depth: of the list entry around it, 0 for none.
    """
    head = False
    for special in _SPECIAL.finditer(text, start, end):
        yield from _flow(text, start, special.start(), depth)
        for tag in _HEAD.finditer(text, start, special.start()):
            head = not tag[1]
        if special["row"]:
            yield from _row(text, special.start(), special.end(), head)
        start = special.end()
    yield from _flow(text, start, end, depth)


def _row(text: str, start: int, end: int, head: bool) -> Iterator[Block]:
    tags = list(_CELL.finditer(text, start, end))
    if tags:
        ends = [*(tag.start() for tag in tags[1:]), end]
        opened = [(tag, stop) for tag, stop in zip(tags, ends, strict=True) if not tag[1]]
        cells = [_TAG.sub("", text[tag.end() : stop]).strip() for tag, stop in opened]
        header = head or is_header(cells, [tag[2].lower() == "th" for tag, _ in opened])
        stop = tags[-1].start() if tags[-1][1] else end
        level = int(header and len(cells) > 1)
        yield from _visible(Block("row", tags[0].end(), stop, level), text)


def _flow(text: str, start: int, end: int, depth: int) -> Iterator[Block]:
    heading = lists = 0
    entry = depth
    for tag in _TAG.finditer(text, start, end):
        name, closing = tag[2].lower(), bool(tag[1])
        if name in INLINE_TAGS:
            continue
        yield from _visible(_block(start, tag.start(), heading, entry), text)
        start, heading = tag.end(), 0
        if name in ("ul", "ol"):
            lists = max(0, lists + (-1 if closing else 1))
            entry = depth + lists if closing else entry
        elif name == "li":
            entry = depth + (max(0, lists - 1) if closing else max(1, lists))
        elif re.fullmatch("h[1-6]", name) and not closing:
            # What follows a heading is a section, even in an entry.
            heading, entry = int(name[1]), 0
    yield from _visible(_block(start, end, heading, entry), text)


def _block(start: int, end: int, heading: int, entry: int) -> Block:
    if heading:
        return Block("heading", start, end, heading)
    return Block("item" if entry else "paragraph", start, end, entry)


def _visible(block: Block, text: str) -> Iterator[Block]:
    if _WORD.search(_TAG.sub(" ", text[block.start : block.end])):
        yield block
