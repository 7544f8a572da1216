"""Markdown's signs within a line of text: which to hide, to replace or to turn into style.

This is the one grammar: what is searched, embedded and answered (`plain_text`) is what the chat
shows, but for text that is struck out. That no longer holds. A page can show it struck out; an
answer cannot, so it is left out there, as the loader of HTML leaves it out.

Offsets into the canonical text survive: every piece knows the characters it was made from, so a
quotation can be highlighted exactly. Nothing here is HTML; whoever writes the pieces out escapes
them. Links stay inert: only their words are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from html.entities import html5
from typing import NamedTuple

from rag.types import BlockKind

INLINE_TAGS = frozenset(
    "a abbr acronym b bdi bdo big br button cite code data del dfn em font i img input ins kbd "
    "label mark meter output q rb rp rt ruby s samp small span strike strong sub sup time tt u var "
    "wbr".split()
)
"""Elements of HTML within a line of text."""
_BLOCK_TAGS = frozenset(
    "address article aside blockquote caption center dd details div dl dt figcaption figure footer "
    "h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th "
    "thead tr ul".split()
)
_ALSO_WORDS = frozenset("address article code data label output section summary time".split())
"""Elements whose names are used as placeholders as well: "from <time> on"."""
_MARKDOWN = (".md", ".markdown")
_MAX_DEPTH = 6
_REMEMBERED = 4096
"""So many texts, for an answer asks for the same sentence several times."""


def _any_of(names: frozenset[str]) -> str:
    return f"(?:{'|'.join(sorted(names))})"


_LINK = r"""
    \[(?P<link>(?:[^\[\]]|\[[^\[\]]{0,200}\]){0,600})\]
    (?:\((?:[^()]|\([^()]*\))*\)(?:\{[^{}\n]{0,500}\})?|\[[^\[\]]{0,200}\])
"""
_TAG_ENDS = r"(?:\s[^<>]{0,2000})?/?>"
# By the sign that a rule begins with. The group that ends last is named after what is found, and
# holds what there is to show of it. Lengths are bounded so that hostile text costs linear time.
_RULES = {
    sign: re.compile(rule, re.VERBOSE | re.DOTALL | re.IGNORECASE)
    for sign, rule in {
        "\\": r"\\(?P<as_is>[!-/:-@\[-`{-~])",
        "`": r"(?<!`)(?P<tick>`{1,3})(?!`)(?P<code>[^`].{0,999}?)(?<!`)(?P=tick)(?!`)",
        "[": _LINK,
        "!": f"!{_LINK}",
        "<": rf"""
              <(?P<as_it_is>[a-z][a-z0-9+.-]{{1,31}}:[^<>\s]{{1,2000}}
                |[\w.!\#$%&'*+/=?^`{{|}}~-]{{1,64}}@[\w.-]{{1,255}})>
            | <br{_TAG_ENDS}(?P<line>)
            | <(?:del|s|strike){_TAG_ENDS}(?P<strike>.{{1,1000}}?)</(?:del|s|strike)\s*>
            | <sup{_TAG_ENDS}(?P<raised>[^<>]{{1,60}})</sup\s*>
            | <sub{_TAG_ENDS}(?P<lowered>[^<>]{{1,60}})</sub\s*>
            | </?{_any_of(_BLOCK_TAGS - _ALSO_WORDS)}{_TAG_ENDS}(?P<space>)
            | (?:<!--.{{0,2000}}?-->
                |</?{_any_of(INLINE_TAGS - _ALSO_WORDS)}{_TAG_ENDS}
                |</{_any_of(_ALSO_WORDS)}\s*>
                |<(?P<word>{_any_of(_ALSO_WORDS)})
                  (?:\s[^<>]{{0,2000}}>|>(?=.{{0,1000}}?</(?P=word)\s*>)))(?P<hidden>)
        """,
        "{": r"""
            (?:\{\{[^\n]{0,500}?\}\}|\{%[^\n]{0,500}?%\}|\{:[^{}\n]{0,300}\}
              |(?<=\S[ ])\{\#[\w-]{1,100}\}(?=\s*\Z))(?P<hidden>)
        """,
        "*": r"""
              \*\*\*(?![*\s])(?P<strong_em>.{1,1500}?)(?<=\S)\*\*\*(?!\*)
            | \*\*(?!\s|\*\*)(?P<strong>.{1,1500}?)(?<=\S)\*\*(?!\*)
            | (?<!\w)\*(?![*\s])(?P<em>.{1,1000}?)(?<![\s*])\*(?![*\w])
        """,
        "_": r"""
              (?<!\w)___(?![_\s])(?P<strong_em>.{1,1500}?)(?<=\S)___(?!\w)
            | (?<!\w)__(?![_\s])(?P<strong>.{1,1500}?)(?<=\S)__(?!\w)
            | (?<!\w)_(?![_\s])(?P<em>.{1,1000}?)(?<![\s_])_(?!\w)
        """,
        "~": r"(?<!~)~~(?![~\s])(?P<strike>.{1,1000}?)(?<=\S)~~(?!~)",
        "&": r"&(?P<entity>[a-z][a-z0-9]{1,30};|\#[0-9]{1,7};|\#x[0-9a-f]{1,6};)",
        # Signs of blocks: they stand where a line begins.
        "\n": r"\n[ \t]*(?:(?:\#{1,6}|[-*+])[ \t]+|>[ \t]?)+(?P<line>)",
    }.items()
}
_SIGN = re.compile(r"[\\`\[!<{*_~&\n]")
_STYLES = {
    "code": ("code",),
    "em": ("em",),
    "link": ("link",),
    "strike": ("strike",),
    "strong": ("strong",),
    "strong_em": ("strong", "em"),
}
_INSTEAD = {"hidden": "", "line": "\n", "space": " "}

# A later sentence of a quotation may begin with its arrow, unlike the row of a table.
_ARROWS = re.compile(r"(?:>[ \t]+)+(?!.*\|)")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SMALL_PRINT = re.compile(r"[^\W\d_]{2}")


class Piece(NamedTuple):
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


def is_markdown(document: str) -> bool:
    """Whether the canonical text of the document with this id is Markdown source."""
    return document.lower().endswith(_MARKDOWN)


def plain_text(document: str, text: str) -> str:
    """`text`, a piece of the document with this id, as it reads, on one line.

    Markup is taken out, and what is struck out.
    """
    if document.lower().endswith(_MARKDOWN):
        text = _without_signs(text)
    return " ".join(text.split())


def is_struck_out(text: str) -> bool:
    """Whether a piece of Markdown has words, and all of them are struck out."""
    pieces = [p for p in inline(text, 0, len(text)) if any(map(str.isalnum, visible(text, p)))]
    return bool(pieces) and all("strike" in piece.styles for piece in pieces)


def plain_lead(document: str, text: str, kind: BlockKind) -> str:
    """What leads in to a sentence of this kind; of a header all rows, each cell as a column."""
    if kind != "row":
        return plain_text(document, text)
    return " | ".join(plain_text(document, line) for line in text.split("\n"))


def raised(text: str, *, below: bool = False) -> str:
    """A raised or lowered text with its digits written as such: "25" + "3" is not 253.

    Text with a word in it is small print, whose numbers are meant as they stand.
    """
    return text if _SMALL_PRINT.search(text) else text.translate(_LOWERED if below else _RAISED)


def visible(text: str, piece: Piece) -> str:
    """The characters of a piece as they are shown."""
    return text[piece.start : piece.end] if piece.shown is None else piece.shown


def inline(text: str, start: int, end: int, styles: tuple[str, ...] = ()) -> Iterator[Piece]:
    """Pieces that cover `text[start:end]`, which is Markdown, without gap."""
    done = start
    for sign in _SIGN.finditer(text, start, end):
        at = sign.start()
        found = _RULES[sign[0]].match(text, at, end) if at >= done else None
        if found is None:
            continue
        if at > done:
            yield Piece(done, at, None, styles)
        yield from _resolved(found, styles)
        done = found.end()
    if end > done:
        yield Piece(done, end, None, styles)


def _resolved(found: re.Match[str], styles: tuple[str, ...]) -> Iterator[Piece]:
    kind = found.lastgroup or ""
    start, end = found.span()
    if kind in _INSTEAD:
        yield Piece(start, end, _INSTEAD[kind], styles)
        return
    if kind == "entity":
        name = found["entity"]
        yield Piece(start, end, unescape(found[0]) if name[0] == "#" else html5.get(name), styles)
        return
    first, last = found.span(kind)
    yield Piece(start, first, "", styles)
    if last > first:
        yield from _inside(found, kind, first, last, styles)
    if end > last:
        yield Piece(last, end, "", styles)


def _inside(
    found: re.Match[str], kind: str, first: int, last: int, styles: tuple[str, ...]
) -> Iterator[Piece]:
    """What stands between the signs."""
    text = found.string
    styles += _STYLES.get(kind, ())
    if kind in ("as_is", "as_it_is", "code") or len(styles) > _MAX_DEPTH:
        yield Piece(first, last, None, styles)
    elif kind in ("raised", "lowered"):
        for piece in inline(text, first, last, styles):
            yield piece._replace(shown=raised(visible(text, piece), below=kind == "lowered"))
    else:
        yield from inline(text, first, last, styles)


@lru_cache(_REMEMBERED)
def _without_signs(text: str) -> str:
    # An outer pipe has its counterpart; a single one is the edge of an empty cell.
    if text[:1] == "|" and text[1:].endswith("|") and text[-2] != "\\" and "\n" not in text:
        text = text[1:-1]
    arrows = _ARROWS.match(text)
    if arrows:
        text = text[arrows.end() :]
    if _SIGN.search(text) is None:
        return text
    pieces = inline(text, 0, len(text))
    return "".join(visible(text, piece) for piece in pieces if "strike" not in piece.styles)
