"""Plain text: the canonical text is the file; its structure is guessed, conservatively.

A blank line ends a block. Lines of a hard-wrapped paragraph are one block; in a file that is not
hard-wrapped each line is its own.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from rag.loaders.builder import clean
from rag.loaders.decoding import decode
from rag.loaders.metadata import normalise
from rag.types import Block, Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rag.loaders.builder import TextBuilder
    from rag.types import BlockKind

_WORD = re.compile(r"[^\W_]")
_ITEM = re.compile(
    r"[ \t]*(?:(?P<bullet>--|[-*+•‣▪●○◦–—·])|"
    # "(C) 2024" is a copyright notice.
    r"(?P<number>\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]|(?!\(C\) \d)\((?:[A-Z]|[IVX]{1,5})\)))"
    r"[ \t]+(?=\S)"
)
_FIRST_NUMBERS = {"1", "a", "i", "A", "I"}
_DECIMAL = re.compile(r"[ \t]*(?P<number>\d{1,3}(?:\.\d{1,3})*)\.?[ \t]+(?=[^\W\d_])")
_CLAUSE_ENDS = re.compile(r"[.:;](?: (?:and|or))?$")
_NUMBERED_HEADING = re.compile(
    r"(?P<number>\d{1,2}(?:\.\d{1,2}){0,4})\.?[ \t]+[^\W\d_]"
    r"|(?:Section|Article|Part|Chapter|Annex|Appendix|Schedule)[ \t]+[\dIVXA-Z]{1,5}\b"
)
_RULE = re.compile(r"[ \t]*(?:=+|-+|~+|\*+|_+|#+)[ \t]*")
_NARROWEST = 40
_LONG_LINE = 120
_HEADING_AT_MOST = 90
_FIELD = re.compile(
    r"(?P<name>source|author|by|date|published|effective(?: date| from)?|in force from|"
    r"review(?: date| by| due)?|next review|version|language|collection|tags|keywords)"
    r"[ \t]*:[ \t]*(?P<value>\S[^\n]{0,200})",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"By (?P<author>[A-Z][\w.'’-]+(?: [A-Zdv][\w.'’-]*){1,4})")
_BREADCRUMB = re.compile(r".{1,300}?(?: [>»›] .{1,300}|[>»›])")


class _Line(NamedTuple):
    start: int
    end: int
    text: str


def load(data: bytes, document_id: str) -> Document:
    """Read plain text.

    Raises:
        DocumentError: it is empty or not text.
    """
    text = decode(data)
    blocks = find_blocks(text)
    metadata = _fields(text, blocks)
    title = next((text[b.start : b.end] for b in blocks[:5] if b.kind == "heading"), "")
    return Document(
        document_id,
        clean(title),
        text,
        tuple(blocks),
        metadata=metadata,
    )


def find_blocks(text: str) -> list[Block]:
    """Paragraphs, list entries and headings of plain text, in order."""
    groups = list(_groups(text))
    width = _width(groups)
    title = _title_group(groups)
    depths = _decimal_depths(groups)
    blocks: list[Block] = []
    entry = 0
    for index, group in enumerate(groups):
        following = groups[index + 1] if index + 1 < len(groups) else None
        entry = _entry(group, entry)
        in_list = entry > 1 or group[0].start in depths
        level = 1 if index == title else _heading_level(group, following, in_list)
        if level:
            blocks.append(Block("heading", group[0].start, group[0].end, level))
        else:
            blocks += _body(group, following, width, depths)
    return [block for block in blocks if _WORD.search(text, block.start, block.end)]


def add_prose(text: str, builder: TextBuilder, below: int = 0) -> None:
    """Add plain text that is part of another format.

    Args:
        text: the text.
        builder: where it is added.
        below: how many levels its headings lie below those that are there.
    """
    for block in find_blocks(text):
        piece = text[block.start : block.end]
        if block.kind == "heading":
            builder.heading(piece, min(6, block.level + below))
        elif block.kind == "item":
            lead = text[text.rfind("\n", 0, block.start) + 1 : block.start].strip()
            numbered = lead[:1].isalnum() or lead[:1] == "("
            builder.item(piece, block.level, lead if numbered else "-")
        else:
            builder.paragraph(piece)


def _groups(text: str) -> Iterator[list[_Line]]:
    """Lines between blank lines."""
    group: list[_Line] = []
    start = 0
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped:
            begin = start + len(line) - len(line.lstrip())
            group.append(_Line(begin, begin + len(stripped), line.rstrip()))
        elif group:
            yield group
            group = []
        start += len(line) + 1
    if group:
        yield group


def _width(groups: Sequence[Sequence[_Line]]) -> int:
    """The column at which the file is hard-wrapped, or 0 if it is not.

    If lines often break off within a sentence, three quarters of those keep to it: a web address
    or a row of a table may be longer. Otherwise nearly all lines of the file do.
    """
    pairs = [
        (line, following)
        for group in groups
        for line, following in pairwise(group)
        if len(line.text) >= _NARROWEST and not _ITEM.match(following.text)
    ]
    broken = [len(line.text) for line, following in pairs if _breaks_off(line, following)]
    if broken and len(broken) >= len(pairs) / 4:
        return sorted(broken)[(len(broken) - 1) * 3 // 4]
    lengths = sorted(len(line.text) for group in groups for line in group)
    width = lengths[len(lengths) * 19 // 20] if lengths else 0
    return width if width <= _LONG_LINE else 0


def _unfinished(line: _Line) -> bool:
    return line.text[-1] not in ".,;:?!"


def _breaks_off(line: _Line, following: _Line) -> bool:
    first = following.text.lstrip()[0]
    return _unfinished(line) and first.isalpha() and not first.isupper()


def _title_group(groups: Sequence[Sequence[_Line]]) -> int | None:
    for index, group in enumerate(groups[:4]):
        line = group[0].text.strip()
        if _BREADCRUMB.fullmatch(line) or _FIELD.match(line):
            continue
        alone = len(group) == 1 or (len(group) == 2 and _RULE.fullmatch(group[1].text))
        if alone and len(line) <= 160 and line[-1] not in ".,;:" and len(groups) > 1:
            return None if _ITEM.match(line) else index
        return None
    return None


def _entry(group: Sequence[_Line], before: int) -> int:
    """The number of an entry of a list with blank lines between its entries, or 0.

    `before` is that of the group before; the first is 1. What ends as a sentence does is taken for
    a paragraph with a number: the next one may be a heading.
    """
    found = _ITEM.match(group[0].text)
    number = found["number"] if found else None
    compact = any(_ITEM.match(line.text) for line in group[1:])
    if number is None or compact or group[-1].text[-1] in ".:?!":
        return 0
    return before + 1 if number.strip("().") == str(before + 1) else 0


def _decimal_depths(groups: Sequence[Sequence[_Line]]) -> dict[int, int]:
    """How deep lists stand whose entries have numbers such as "2.1.2", by the starts of lines.

    Headings have such numbers, and a line may begin with one in the middle of a sentence. So an
    entry begins in lower case, and its number follows another one or begins a list. What has other
    marks below such an entry stands deeper.
    """
    depths: dict[int, int] = {}
    seen: set[tuple[int, ...]] = set()
    before, depth = _Line(0, 0, ""), 0
    for group in groups:
        for line in group:
            item, found = _ITEM.match(line.text), _DECIMAL.match(line.text)
            new = line is group[0] or before.start in depths
            if found and (new or _CLAUSE_ENDS.search(before.text)):
                number = tuple(map(int, found["number"].split(".")))
                parent, last = number[:-1], number[-1]
                follows = (*parent, last - 1) in seen
                first = last == 1 and (parent in seen or before.text.endswith(":"))
                lower = len(number) > 1 and line.text[found.end()].islower()
                depth = len(number) if lower and (follows or first) else 0
                seen.add(number)
                item = found
            elif line is group[0] and not item:
                depth = 0
            if depth and item:
                depths[line.start] = depth
            before = line
    return depths


def _heading_level(group: Sequence[_Line], following: Sequence[_Line] | None, in_list: bool) -> int:
    """The depth of a heading, or 0: underlined, in capitals, or numbered, and standing alone."""
    line = group[0].text.strip()
    if len(line) > _HEADING_AT_MOST or not _WORD.search(line):
        return 0
    if len(group) == 2 and _RULE.fullmatch(group[1].text) and len(group[1].text.strip()) > 2:
        return 1 if group[1].text.strip()[0] == "=" else 2
    if len(group) > 1 or following is None or line[-1] in ".,;:?!":
        return 0
    if line.isupper() and sum(map(str.isalpha, line)) >= 4:
        return 2
    numbered = _NUMBERED_HEADING.match(line)
    if numbered and not in_list and not _entries(line, following[0].text):
        return 2 + (numbered["number"] or "").count(".")
    return 0


def _entries(line: str, following: str) -> bool:
    """Whether two lines with numbers are entries of a list rather than a heading and its text."""
    return bool(_ITEM.match(line) and _ITEM.match(following)) and len(following) < 2 * _LONG_LINE


def _body(
    group: Sequence[_Line],
    following: Sequence[_Line] | None,
    width: int,
    depths: Mapping[int, int],
) -> Iterator[Block]:
    kind: BlockKind = "paragraph"
    start = end = level = 0
    indents: list[int] = []
    previous: _Line | None = None
    # A list may have blank lines between its entries.
    near = [*group, *(following or [])[:1]]
    bullets = Counter(found["bullet"] for line in near if (found := _ITEM.match(line.text)))
    for line in group:
        depth = depths.get(line.start, 0)
        marker = _marker(line, previous, kind, bullets, width)
        decimal = depth and not marker and _DECIMAL.match(line.text)
        marker = decimal.end() if decimal else marker
        if previous and not marker and _joined(previous, line, width):
            end = line.end
        else:
            if previous:
                yield Block(kind, start, end, level)
            kind, start, end, level = "paragraph", line.start, line.end, 0
            if marker:
                indent = len(line.text) - len(line.text.lstrip())
                indents = [i for i in indents if i < indent] + [indent]
                kind, level = "item", depth if decimal else depth + len(indents)
                start += marker - indent
        previous = line
    yield Block(kind, start, end, level)


def _marker(
    line: _Line, previous: _Line | None, kind: BlockKind, bullets: Counter[str], width: int
) -> int:
    """How many characters the bullet takes, with its indent; 0 if there is none.

    `previous` is the line before, in a block of this kind, and `bullets` how often each begins a
    line near.
    """
    found = _ITEM.match(line.text)
    if not found:
        return 0
    number, bullet = found["number"], found["bullet"]
    if previous and _unfinished(previous):
        # The sentence may go on, with a number or a dash. A list of one entry is rarer.
        if kind == "paragraph" and number and number.strip("().") not in _FIRST_NUMBERS:
            return 0
        if bullet and bullets[bullet] == 1 and _joined(previous, line, width):
            return 0
    return found.end()


def _joined(line: _Line, following: _Line, width: int) -> bool:
    """Whether the next line goes on with the same paragraph: its first word would not have fit."""
    if _RULE.fullmatch(following.text) or _RULE.fullmatch(line.text):
        return False
    first_word = following.text.split(maxsplit=1)[0]
    return width > 0 and len(line.text) + 1 + len(first_word) > width * 0.6


def _fields(text: str, blocks: Sequence[Block]) -> dict[str, str | list[str]]:
    """Lines such as "Source: CGTN | 2022-09-16" before the first long paragraph."""
    raw: dict[str, object] = {}
    for block in blocks[:12]:
        piece = text[block.start : block.end]
        if len(piece) > 300:
            break
        byline = _BYLINE.fullmatch(piece)
        if byline:
            raw.setdefault("author", byline["author"])
        for line in piece.split("\n"):
            field = _FIELD.fullmatch(line.strip())
            if field:
                value, _, rest = field["value"].partition(" | ")
                raw.setdefault(field["name"], value)
                if rest:
                    raw.setdefault("published", rest)
    fields = normalise(raw)
    return {name: value for name, value in fields.items() if _plausible(name, value)}


def _plausible(name: str, value: str | list[str]) -> bool:
    """A date that is none is a sentence that happens to start with "Effective:"."""
    return name not in ("published", "effective_date", "review_date") or bool(
        re.fullmatch(r"\d{4}-\d\d(-\d\d)?", str(value))
    )
