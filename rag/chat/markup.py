"""The blocks of a document as a reader should see them: without the signs that make them blocks.

Signs within a line are those of `rag.text.markup`, whose pieces these are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.text import markup
from rag.text.markup import Piece as Piece  # So that whoever shows blocks needs this module alone.
from rag.text.markup import is_markdown as is_markdown
from rag.text.markup import visible as visible

_HEADING_MARKS = re.compile(r"\A#{1,6}[ \t]+|[ \t]+#+\s*\Z|\n[=-]+\s*\Z")
_QUOTE_MARKS = re.compile(r"\A[ \t]*(?:>[ \t]?)+")
_FENCES = re.compile(r"\A(?:`{3,}|~{3,})[^\n]*\n?|\n?(?:`{3,}|~{3,})[ \t]*\Z")
_ITEM_MARK = re.compile(
    r"\s*(?:[-*+•◦▪‣·–—]|(?P<number>\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]))(?=\s)[ \t]*"
)
_TASK = re.compile(r"\[(?P<state>[ xX])\][ \t]+")


def inline(text: str, start: int, end: int, *, markdown: bool) -> list[Piece]:
    """Pieces that cover `text[start:end]` without gap, with inline marks resolved."""
    if not markdown:
        return [Piece(start, end)] if end > start else []
    return list(markup.inline(text, start, end))


def heading(text: str, start: int, end: int, *, markdown: bool) -> list[Piece]:
    """Pieces of a heading, without its number signs or underline."""
    return _without(text, start, end, _HEADING_MARKS, markdown=markdown)


def paragraph(text: str, start: int, end: int, *, markdown: bool) -> list[Piece]:
    """Pieces of a paragraph, without the arrows of a block quotation."""
    return _without(text, start, end, _QUOTE_MARKS, markdown=markdown)


def code(text: str, start: int, end: int, *, markdown: bool) -> list[Piece]:
    """Pieces of a code block, without its fences and with everything else as it stands."""
    if not markdown:
        return [Piece(start, end)]
    pieces: list[Piece] = []
    for hidden, first, last in _cut(_FENCES, text, start, end):
        pieces.append(Piece(first, last, "" if hidden else None))
    return pieces


def item(text: str, start: int, end: int, *, markdown: bool) -> tuple[str, list[Piece]]:
    """The marker of a list entry, and the entry's pieces without it.

    The marker is a number or letter as it stands in the text, before the entry or at its
    beginning; a bullet for every other sign; nothing for an indented paragraph without any.
    """
    line = text[text.rfind("\n", 0, start) + 1 : start]
    before = _ITEM_MARK.fullmatch(line.rstrip() + " ")
    found = None if before else _ITEM_MARK.match(text[start:end])
    body = start + found.end() if found else start
    task = _TASK.match(text[body:end]) if markdown else None
    pieces = [Piece(start, body, "")] if body > start else []
    if task:
        pieces.append(Piece(body, body + task.end(), ""))
        body += task.end()
    pieces += inline(text, body, end, markdown=markdown)
    if task:
        return "☐" if task["state"] == " " else "☑", pieces
    mark = before or found
    if mark is None and line and not line.strip():
        return "", pieces
    return (mark["number"] if mark else None) or "•", pieces


def cells(text: str, start: int, end: int, *, markdown: bool) -> list[list[Piece]]:
    """The cells of a table row, which the canonical text separates by pipes or tabs."""
    first, last = start, end
    row = text[start:end]
    # A sign at one end only belongs to an empty cell.
    if len(row) > 1 and row[0] == row[-1] == "|" and not row.endswith("\\|"):
        first, last = start + 1, end - 1
    separator = r"(?<!\\)\|" if "|" in text[first:last] else r"\t"
    bounds = [first - 1, *(first + m.start() for m in re.finditer(separator, text[first:last]))]
    found: list[list[Piece]] = []
    for left, right in zip(bounds, [*bounds[1:], last], strict=True):
        cell = text[left + 1 : right]
        inner = left + 1 + len(cell) - len(cell.lstrip())
        found.append(inline(text, inner, inner + len(cell.strip()), markdown=markdown))
    return found


def _cut(
    pattern: re.Pattern[str], text: str, start: int, end: int
) -> Iterator[tuple[bool, int, int]]:
    """Split `text[start:end]` into (matches, first, last) without gap."""
    position = start
    for found in pattern.finditer(text[start:end]):
        first, last = start + found.start(), start + found.end()
        if first > position:
            yield False, position, first
        yield True, first, last
        position = last
    if end > position:
        yield False, position, end


def _without(
    text: str, start: int, end: int, marks: re.Pattern[str], *, markdown: bool
) -> list[Piece]:
    if not markdown:
        return inline(text, start, end, markdown=False)
    pieces: list[Piece] = []
    for hidden, first, last in _cut(marks, text, start, end):
        pieces += [Piece(first, last, "")] if hidden else markup.inline(text, first, last)
    return pieces
