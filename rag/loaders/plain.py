"""Plain text: the canonical text is the file; its structure is guessed, conservatively.

A blank line ends a block. Lines of a hard-wrapped paragraph are one block; in a file that is not
hard-wrapped each line is its own.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from rag.loaders.builder import clean
from rag.loaders.decoding import decode
from rag.loaders.metadata import STATED_DATES, any_label, field_of, iso_date, normalise
from rag.loaders.plain_lines import (
    HEADING_AT_MOST,
    ITEM,
    LONG_LINE,
    RULE,
    Line,
    cells_of,
    groups_of,
    is_rule,
    is_unfinished,
    rows_of,
    wrap_width,
)
from rag.text.leads import OPEN
from rag.types import Block, Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rag.loaders.builder import TextBuilder
    from rag.types import BlockKind

_WORD = re.compile(r"[^\W_]")
_FIRST_NUMBERS = {"1", "a", "i", "A", "I"}
_DECIMAL = re.compile(r"[ \t]*(?P<number>\d{1,3}(?:\.\d{1,3})*)\.?[ \t]+(?=[^\W\d_])")
_CLAUSE_ENDS = re.compile(r"[.:;](?: (?:and|or))?$")
_NUMBERED_HEADING = re.compile(
    r"(?P<number>\d{1,2}(?:\.\d{1,2}){0,4})\.?[ \t]+[^\W\d_]"
    r"|(?:Section|Article|Part|Chapter|Annex|Appendix|Schedule)[ \t]+[\dIVXA-Z]{1,5}\b"
)
_FIRST_ENTRY = re.compile(r"\((?:a|i|1)\)\s+[\"'“‘]?[a-zà-öø-ÿ]")
"""One that goes on in lower case: "Scope" is a heading above "(1) This Act applies"."""
_CLAUSE = re.compile(r"\d{1,2}(?:\.|(?:\.\d{1,2}){1,4}\.?)[ \t]")
_LABELLED = re.compile(r"[^\W_a-z][\w .()/-]{1,30}: *\S")
_TITLE_AT_MOST = 160
_TITLE_LINES = 4
_READ = ("author", "collection", "language", "source", "tags")
"""Fields of lines at the beginning; dates and versions are read in every format, see `stated`."""
_FIELD = re.compile(
    rf"(?P<name>{any_label(*_READ, 'version', *STATED_DATES)})[ \t]*:[ \t]*"
    r"(?P<value>\S[^\n]{0,200})",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"By (?P<author>[A-Z][\w.'’-]+(?: [A-Zdv][\w.'’-]*){1,4})")
_BREADCRUMB = re.compile(r".{1,300}?(?: [>»›] .{1,300}|[>»›])")


def load(data: bytes, document_id: str) -> Document:
    """Read plain text.

    Raises:
        DocumentError: it is empty or not text.
    """
    text = decode(data)
    blocks = find_blocks(text)
    metadata = _fields(text, blocks)
    return Document(
        document_id,
        _title(text, blocks),
        text,
        tuple(blocks),
        metadata=metadata,
    )


def _title(text: str, blocks: Sequence[Block]) -> str:
    """The title, or one of the first headings; that of a numbered part says too little."""
    for block in blocks[:5]:
        name = clean(text[block.start : block.end])
        part = _CLAUSE if block.level == 1 else _NUMBERED_HEADING
        if block.kind == "heading" and not part.match(name):
            return name
    return ""


def find_blocks(text: str, *, titled: bool = True) -> list[Block]:
    """Paragraphs, list entries, rows and headings of plain text, in order.

    Args:
        text: the text.
        titled: whether what stands above all else may be its title.
    """
    groups = list(groups_of(text))
    width = wrap_width(groups)
    title = _title_group(groups) if titled else None
    if title is not None:
        lines = _title_lines(groups[title])
        head, rest = groups[title][:lines], groups[title][lines:]
        groups[title : title + 1] = [head, rest] if rest else [head]
    depths = _decimal_depths(groups)
    blocks: list[Block] = []
    entry = 0
    for index, group in enumerate(groups):
        following = groups[index + 1] if index + 1 < len(groups) else None
        entry = _entry(group, entry)
        in_list = entry > 1 or group[0].start in depths
        level = 1 if index == title else _heading_level(group, following, in_list)
        if level:
            last = group[-2] if len(group) > 1 and is_rule(group[-1]) else group[-1]
            blocks.append(Block("heading", group[0].start, last.end, level))
        else:
            blocks += _body(group, following, width, depths)
    return [block for block in blocks if _WORD.search(text, block.start, block.end)]


def add_prose(text: str, builder: TextBuilder, below: int = 0, *, titled: bool = True) -> None:
    """Add plain text that is part of another format.

    Args:
        text: the text.
        builder: where it is added.
        below: how many levels its headings lie below those that are there.
        titled: whether it may begin with a title.
    """
    for block in find_blocks(text, titled=titled):
        piece = text[block.start : block.end]
        if block.kind == "heading":
            builder.heading(piece, min(6, block.level + below))
        elif block.kind == "item":
            lead = text[text.rfind("\n", 0, block.start) + 1 : block.start].strip()
            numbered = lead[:1].isalnum() or lead[:1] == "("
            builder.item(piece, block.level, lead if numbered else "-")
        elif block.kind == "row":
            builder.row(cells_of(piece), header=bool(block.level))
        else:
            builder.paragraph(piece)


def _title_group(groups: Sequence[Sequence[Line]]) -> int | None:
    """Which group begins with the title of the text, if one of the first stands alone."""
    for index, group in enumerate(groups[:4]):
        line = group[0].text.strip()
        ruler = RULE.fullmatch(line)
        if ruler or _BREADCRUMB.fullmatch(line) or _FIELD.match(line):
            continue
        return index if len(groups) > 1 and _title_lines(group) else None
    return None


def _title_lines(group: Sequence[Line]) -> int:
    """How many lines of a group are a title, with a rule below it; 0 for none.

    Fields may follow in the same group. Of several lines of a title none may look like text.
    """
    texts = [line.text.strip() for line in group]
    count = next((at for at in range(1, len(texts)) if _is_field(texts[at])), len(texts))
    title, fields = texts[:count], texts[count:]
    if len(group) == 2 and is_rule(group[1]):
        title = title[:1]
    first = title[0]
    if ITEM.match(first) or _CLAUSE.match(first) or first[-1] in ".,;:":
        return 0
    if fields and (_is_field(first) or not all(map(_is_field, fields))):
        return 0
    alone = len(title) == 1 and len(first) <= _TITLE_AT_MOST
    return count if alone or (_are_title(title) and not rows_of(group)) else 0


def _are_title(lines: Sequence[str]) -> bool:
    short = all(len(line) <= HEADING_AT_MOST and line[-1] not in ".,;:?!" for line in lines)
    plain = not any(ITEM.match(line) or RULE.fullmatch(line) for line in lines)
    return 1 < len(lines) <= _TITLE_LINES and not lines[0][0].islower() and short and plain


def _is_field(text: str) -> bool:
    """Whether a line says who wrote a text, when, and the like."""
    return any(form.match(text) for form in (_FIELD, _BYLINE, _LABELLED))


def _entry(group: Sequence[Line], before: int) -> int:
    """The number of an entry of a list with blank lines between its entries, or 0.

    `before` is that of the group before; the first is 1. What ends as a sentence does is taken for
    a paragraph with a number: the next one may be a heading.
    """
    found = ITEM.match(group[0].text)
    number = found["number"] if found else None
    compact = any(ITEM.match(line.text) for line in group[1:])
    if number is None or compact or group[-1].text[-1] in ".:?!":
        return 0
    return before + 1 if number.strip("().") == str(before + 1) else 0


def _decimal_depths(groups: Sequence[Sequence[Line]]) -> dict[int, int]:
    """How deep lists stand whose entries have numbers such as "2.1.2", by the starts of lines.

    Headings have such numbers, and a line may begin with one in the middle of a sentence. So an
    entry begins in lower case, and its number follows another one or begins a list. What has other
    marks below such an entry stands deeper.
    """
    depths: dict[int, int] = {}
    seen: set[tuple[int, ...]] = set()
    before, depth = Line(0, 0, ""), 0
    for group in groups:
        for line in group:
            item, found = ITEM.match(line.text), _DECIMAL.match(line.text)
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


def _heading_level(group: Sequence[Line], following: Sequence[Line] | None, in_list: bool) -> int:
    """The depth of a heading, or 0: underlined, in capitals, or numbered, and standing alone."""
    line = group[0].text.strip()
    if len(line) > HEADING_AT_MOST or not _WORD.search(line):
        return 0
    if len(group) == 2 and is_rule(group[1]):
        return 1 if group[1].text.strip()[0] == "=" else 2
    if len(group) > 1 or following is None or line[-1] in ".,;:?!":
        return 0
    text = following[0].text.strip()
    if OPEN.search(line) and (ITEM.match(text) or text[0].islower()):
        return 0
    if line.isupper() and sum(map(str.isalpha, line)) >= 4:
        return 2
    numbered = _NUMBERED_HEADING.match(line)
    if not numbered or in_list or _entries(line, text):
        return 0
    # "2.1 A guest pays" leads in to "(a) the fee"; below "Section 2. Fees" may stand the same.
    if numbered["number"] and _FIRST_ENTRY.match(text):
        return 0
    return 2 + (numbered["number"] or "").count(".")


def _entries(line: str, following: str) -> bool:
    """Whether two lines with numbers are entries of a list rather than a heading and its text."""
    return bool(ITEM.match(line) and ITEM.match(following)) and len(following) < 2 * LONG_LINE


def _body(
    group: Sequence[Line],
    following: Sequence[Line] | None,
    width: int,
    depths: Mapping[int, int],
) -> Iterator[Block]:
    kind: BlockKind = "paragraph"
    start = end = level = 0
    indents: list[int] = []
    previous: Line | None = None
    labelled = False
    rows = rows_of(group)
    # A list may have blank lines between its entries.
    near = [*group, *(following or [])[:1]]
    bullets = Counter(found["bullet"] for line in near if (found := ITEM.match(line.text)))
    for line in group:
        depth = depths.get(line.start, 0)
        marker = _marker(line, previous, kind, bullets, width)
        decimal = depth and not marker and _DECIMAL.match(line.text)
        marker = decimal.end() if decimal else marker
        field = bool(_LABELLED.match(line.text.strip()))
        row = line.start in rows or (previous and previous.start in rows)
        apart = row or (labelled and field)
        if previous and not marker and not apart and _joined(previous, line, width):
            end = line.end
        else:
            if previous:
                yield Block(kind, start, end, level)
            kind, start, end, level = "paragraph", line.start, line.end, 0
            labelled = field
            if line.start in rows:
                kind, level = "row", rows[line.start]
            elif marker:
                indent = len(line.text) - len(line.text.lstrip())
                indents = [i for i in indents if i < indent] + [indent]
                kind, level = "item", depth if decimal else depth + len(indents)
                start += marker - indent
        previous = line
    yield Block(kind, start, end, level)


def _marker(
    line: Line, previous: Line | None, kind: BlockKind, bullets: Counter[str], width: int
) -> int:
    """How many characters the bullet takes, with its indent; 0 if there is none.

    `previous` is the line before, in a block of this kind, and `bullets` how often each begins a
    line near.
    """
    found = ITEM.match(line.text)
    if not found:
        return 0
    number, bullet = found["number"], found["bullet"]
    if previous and is_unfinished(previous):
        # The sentence may go on, with a number or a dash. A list of one entry is rarer.
        if kind == "paragraph" and number and number.strip("().") not in _FIRST_NUMBERS:
            return 0
        if bullet and bullets[bullet] == 1 and _joined(previous, line, width):
            return 0
    return found.end()


def _joined(line: Line, following: Line, width: int) -> bool:
    """Whether the next line goes on with the same paragraph: its first word would not have fit."""
    if RULE.fullmatch(following.text) or RULE.fullmatch(line.text):
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
            if field and field_of(field["name"]) in _READ:
                value, _, rest = field["value"].partition(" | ")
                raw.setdefault(field["name"], value)
                if iso_date(rest):
                    raw.setdefault("published", rest)
    return normalise(raw)
