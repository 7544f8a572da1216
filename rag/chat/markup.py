"""What a reader should see of Markdown: which marks to hide, to replace or to turn into style.

Offsets into the canonical text survive: every piece knows the characters it was made from, so a
quotation can be highlighted exactly in text that is shown without its markup. Nothing here is
HTML; whoever writes the pieces out escapes them. Links stay inert: only their words are shown.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

MARKDOWN_SUFFIXES = (".md", ".markdown", ".mdx", ".qmd", ".rmd")

# Tags that only arrange text. Any other, such as <script>, is shown as it stands.
_TAGS = "|".join(
    "a abbr article aside b blockquote button center cite code dd del details div dl dt em "
    "figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd label li main mark "
    "nav ol p pre q s samp section small span strong sub summary sup table tbody td tfoot th thead "
    "tr tt u ul var".split()
)

# Lengths are bounded so that hostile text costs linear, not quadratic time.
_INLINE = re.compile(
    r"""
      (?P<escape>\\(?P<escaped>[!-/:-@\[-`{-~]))
    | (?P<code>(?<!`)(?P<tick>`{1,3})(?!`)(?P<code_body>[^`].{0,999}?)(?<!`)(?P=tick)(?!`))
    | (?P<link>!?\[(?P<link_body>(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,600})\]
        (?:\((?:[^()]|\([^()]{0,300}\)){0,1000}\)|\[[^\[\]]{0,200}\]))
    | (?P<auto><(?P<auto_body>(?:https?://|mailto:)[^<>\s]{1,2000}|[\w.+-]{1,64}@[\w.-]{1,190})>)
    | (?P<break><br\s*/?>)
    | (?P<hidden><!--.{0,1000}?-->|\{[{%][^{}\n]{0,300}[%}]\}
        |</?(?:TAGS)(?:\s[^<>]{0,2000})?/?>)
    | (?P<strong>(?P<strong_mark>\*\*(?![*\s])|(?<!\w)__(?![_\s]))(?P<strong_body>.{1,1500}?)
        (?<=\S)(?P=strong_mark)(?![*\w]))
    | (?P<strike>~~(?=\S)(?P<strike_body>.{1,1000}?)(?<=\S)~~)
    | (?P<em>\*(?![*\s])(?P<em_body>.{1,1000}?)(?<![\s*])\*(?![*\w]))
    | (?P<under>(?<!\w)_(?![_\s])(?P<under_body>.{1,1000}?)(?<![\s_])_(?!\w))
    | (?P<entity>&(?:[A-Za-z][A-Za-z0-9]{1,30}|\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6});)
    """.replace("TAGS", _TAGS),
    re.VERBOSE | re.DOTALL,
)
_STYLED = ("strong", "em", "under", "strike", "link")
_STYLE = {"under": ("em",), "auto": ()}
_MAX_DEPTH = 6

_HEADING_MARKS = re.compile(r"\A#{1,6}[ \t]+|[ \t]+#+\s*\Z|\n[=-]+\s*\Z|\s*\{#[\w-]+\}\s*\Z")
_QUOTE_MARKS = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)
_FENCES = re.compile(r"\A(?:`{3,}|~{3,})[^\n]*\n?|\n?(?:`{3,}|~{3,})[ \t]*\Z")
_ITEM_MARK = re.compile(
    r"\s*(?:[-*+•◦▪‣·–—]|(?P<number>\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]))(?=\s)[ \t]*"
)
_TASK = re.compile(r"\[(?P<state>[ xX])\][ \t]+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters of the canonical text, and how they are shown.

    Attributes:
        start: first code point.
        end: one past the last code point.
        shown: what to show instead; None shows the characters themselves.
        styles: outermost first, of "strong", "em", "strike", "link" and "code".
    """

    start: int
    end: int
    shown: str | None = None
    styles: tuple[str, ...] = ()


def is_markdown(document_id: str) -> bool:
    """Whether the canonical text of this document is Markdown source."""
    return document_id.lower().endswith(MARKDOWN_SUFFIXES)


def inline(text: str, start: int, end: int, *, markdown: bool) -> list[Piece]:
    """Pieces that cover `text[start:end]` without gap, with inline marks resolved."""
    if not markdown:
        return [Piece(start, end)] if end > start else []
    return list(_inline(text, start, end, ()))


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


def visible(text: str, piece: Piece) -> str:
    """The characters of a piece as they are shown."""
    return text[piece.start : piece.end] if piece.shown is None else piece.shown


def _inline(text: str, start: int, end: int, styles: tuple[str, ...]) -> Iterator[Piece]:
    position = start
    for found in _INLINE.finditer(text, start, end):
        if found.start() > position:
            yield Piece(position, found.start(), None, styles)
        yield from _resolve(text, found, styles)
        position = found.end()
    if end > position:
        yield Piece(position, end, None, styles)


def _resolve(text: str, found: re.Match[str], styles: tuple[str, ...]) -> Iterator[Piece]:
    kind = next(name for name in _KINDS if found[name] is not None)
    whole = Piece(found.start(), found.end(), None, styles)
    if kind == "escape":
        yield replace(whole, shown=found["escaped"])
    elif kind == "entity":
        yield replace(whole, shown=html.unescape(found["entity"]))
    elif kind == "break":
        yield replace(whole, shown="\n")
    elif kind == "hidden":
        yield replace(whole, shown="")
    else:
        first, last = found.span(f"{kind}_body")
        style = _STYLE.get(kind, (kind,))
        yield replace(whole, end=first, shown="")
        if kind in _STYLED and len(styles) < _MAX_DEPTH:
            yield from _inline(text, first, last, styles + style)
        elif last > first:
            yield Piece(first, last, None, styles + style)
        yield replace(whole, start=last, shown="")


_KINDS = (
    "escape",
    "code",
    "link",
    "auto",
    "break",
    "hidden",
    "strong",
    "strike",
    "em",
    "under",
    "entity",
)


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
        pieces += [Piece(first, last, "")] if hidden else _inline(text, first, last, ())
    return pieces
