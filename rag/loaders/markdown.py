"""Markdown: the canonical text is the file; blocks are found by line numbers of the parser.

What a reader does not see is left out of the blocks, never out of the text: front matter, HTML and
template comments, template tags that stand alone on a line, rulers, link definitions, and what is
struck out as a whole.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from mdit_py_plugins.front_matter import front_matter_plugin

from rag.loaders.bold import with_bold_headings
from rag.loaders.builder import clean
from rag.loaders.decoding import decode
from rag.loaders.fields import read_fields
from rag.loaders.markup import html_blocks
from rag.loaders.plain import find_blocks
from rag.loaders.remarks import PROBLEM
from rag.text.markup import is_struck_out, plain_text
from rag.types import Block, Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

    from rag.types import BlockKind

# Beyond this the parser, which is written in Python, would take minutes.
_PARSED_AT_MOST = 4_000_000
_TEMPLATE_TAGS = re.compile(r"^[ \t>]*(?:\{%-?[ \t]*(\w+)[^{}%]{0,500}%\}[ \t]*)+$", re.MULTILINE)
_TEMPLATE_END = re.compile(r"\{%-?[ \t]*end(\w+)")
_TEMPLATE_LAYOUT = frozenset(
    ["assign", "else", "elsif", "extends", "import", "include", "layout", "render", "set"]
)
_TEMPLATE_COMMENT = re.compile(
    r"\{%-?\s*comment\s*-?%\}(?:(?!\{%-?\s*comment).){0,5000}?\{%-?\s*endcomment\s*-?%\}",
    re.DOTALL,
)
_NOT_NEWLINE = re.compile(r"[^\n]")
_ROW_LEAD = re.compile(r"[\s>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?[ \t]*\|?[ \t]*")
_ROW_TAIL = re.compile(r"[ \t]*(?<!\\)\|?[ \t]*$")
_WORD = re.compile(r"[^\W_]")
_BOLD = re.compile(r"(\*\*\*?|___?)[^\s*_][^*\n]{0,100}(?<=\S)\1")


def load(data: bytes, document_id: str) -> Document:
    """Read Markdown (CommonMark with tables and YAML front matter).

    Raises:
        DocumentError: it is empty or not text.
    """
    text = decode(data)
    if len(text) > _PARSED_AT_MOST:
        return Document(document_id, "", text, tuple(find_blocks(text)))
    visible = _mask(text)
    tokens = _parser().parse(visible)
    blocks = tuple(_Lines(text, visible).blocks(tokens))
    metadata = _front_matter(tokens)
    document = Document(
        document_id,
        str(metadata.get("title", "")) or _title(document_id, text, blocks),
        text,
        blocks,
        metadata=metadata,
    )
    bold = {block.end for block in blocks if _BOLD.fullmatch(text, block.start, block.end)}
    return with_bold_headings(document, bold)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": 60}).enable("table").use(front_matter_plugin)
    # Indented "code" in documents written by people who do not program is indented prose.
    return parser.disable(["code", "inline", "text_join"])


def _title(document_id: str, text: str, blocks: Sequence[Block]) -> str:
    for block in blocks:
        if block.kind == "heading" and block.level == 1:
            return clean(plain_text(document_id, text[block.start : block.end]))
    return ""


def _front_matter(tokens: Sequence[Token]) -> dict[str, str | list[str]]:
    if not tokens or tokens[0].type != "front_matter":
        return {}
    fields, problem = read_fields(tokens[0].content)
    return {**fields, PROBLEM: f"the front matter {problem}"} if problem else fields


def _mask(text: str) -> str:
    """The text with what is not shown replaced by spaces, so that offsets stay the same."""
    pieces = []
    done = 0
    start = text.find("<!--")
    while start >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            break
        pieces += [text[done:start], _NOT_NEWLINE.sub(" ", text[start : end + 3])]
        done = end + 3
        start = text.find("<!--", done)
    text = "".join([*pieces, text[done:]])
    if "{%" not in text:
        return text
    paired = set(_TEMPLATE_END.findall(text))
    layout = _TEMPLATE_LAYOUT | paired | {f"end{name}" for name in paired}
    text = _TEMPLATE_COMMENT.sub(_blank, text)
    return _TEMPLATE_TAGS.sub(lambda tag: _blank(tag) if tag[1] in layout else tag[0], text)


def _merged(tokens: Sequence[Token]) -> list[Token]:
    """With one token for raw HTML that goes on after a blank line, such as a long table."""
    result: list[Token] = []
    for token in tokens:
        last = result[-1] if result else None
        if last and last.type == token.type == "html_block" and last.map and token.map:
            last.map[1] = token.map[1]
        else:
            result.append(token)
    return result


def _blank(found: re.Match[str]) -> str:
    return _NOT_NEWLINE.sub(" ", found[0])


class _Lines:
    """Turns the parser's line numbers into offsets."""

    def __init__(self, text: str, visible: str) -> None:
        self._text = text
        self._lines = visible.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in self._lines)]
        self._visible = visible

    def blocks(self, tokens: Sequence[Token]) -> Iterator[Block]:
        """In text order."""
        depth = row_level = 0
        merged = _merged(tokens)
        for before, token in zip([None, *merged], merged, strict=False):
            parent = before.type if before else ""
            if token.tag in ("ul", "ol"):
                depth += token.nesting
            elif token.type in ("thead_open", "tbody_open"):
                row_level = int(token.tag == "thead")
            elif before and parent == "heading_open":
                yield from self._inline(token, "heading", int(before.tag[1:]))
            elif parent == "paragraph_open":
                # A later paragraph of an entry is part of it, else the list would end there.
                yield from self._inline(token, "item" if depth else "paragraph", depth)
            else:
                yield from self._other(token, row_level, depth)

    def _other(self, token: Token, row_level: int, depth: int) -> Iterator[Block]:
        if token.type == "tr_open":
            yield from self._row(token, row_level)
        elif token.type == "fence":
            yield from self._code(token)
        elif token.type == "html_block":
            yield from self._html(token, depth)

    def _inline(self, token: Token, kind: BlockKind, level: int) -> Iterator[Block]:
        """The lines of the content, from its first to its last character."""
        if not token.map or not _WORD.search(token.content):
            return
        content = token.content.split("\n")
        first = token.map[0]
        last = first + len(content) - 1
        head = content[0].strip()
        start = self._starts[first] + max(0, self._lines[first].rfind(head))
        end = start + len(head)
        if last > first:
            end = self._starts[last] + len(self._lines[last].rstrip())
        yield from self._block(kind, start, end, level)

    def _row(self, token: Token, level: int) -> Iterator[Block]:
        """From the first cell to the last, without the outer pipes."""
        if token.map:
            line = self._lines[token.map[0]]
            lead = _ROW_LEAD.match(line)
            tail = _ROW_TAIL.search(line)
            start = self._starts[token.map[0]]
            if lead and tail:
                yield from self._block("row", start + lead.end(), start + tail.start(), level)

    def _code(self, token: Token) -> Iterator[Block]:
        if token.map:
            first, last = token.map
            held = token.content.count("\n") + (token.content[-1:] not in ("", "\n"))
            closed = last - first - 1 > held
            stop = min(last - int(closed), len(self._lines))
            yield from self._block("code", self._starts[first + 1], self._starts[stop], 0)

    def _html(self, token: Token, depth: int) -> Iterator[Block]:
        if token.map:
            start, end = (self._starts[min(line, len(self._lines))] for line in token.map)
            for block in html_blocks(self._visible, start, end, depth):
                yield from self._block(block.kind, block.start, block.end, block.level)

    def _block(self, kind: BlockKind, start: int, end: int, level: int) -> Iterator[Block]:
        piece = self._text[start:end]
        start += len(piece) - len(piece.lstrip())
        end = start + len(piece.strip())
        struck_out = kind != "code" and is_struck_out(self._text[start:end])
        if _WORD.search(self._text, start, end) and not struck_out:
            yield Block(kind, start, end, level)
