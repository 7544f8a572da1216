"""Document → chunks: passages that follow headings, paragraphs and sentences.

A chunk never crosses a heading, never cuts a sentence (unless one sentence alone is longer than
the encoder's window), and never exceeds that window. What is embedded is the chunk without markup
under its title and heading path; a chunk that starts inside a list or table carries the lead-in
sentence or header row as well, so that it can be understood alone. A title that is only the name
of the file is left to BM25 (`Chunk.searched`): renaming a file changes nothing that is embedded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from rag.loaders.metadata import FILE_NAME, TITLE_FROM
from rag.text import wording
from rag.text.connectives import STAYS_WITH_THE_ONE_BEFORE
from rag.text.enumerators import without_number
from rag.text.leads import NO_LEAD, Lead, Leads, limits_what_follows
from rag.text.markup import plain_lead, plain_text
from rag.text.rows import Rows, cells_of, group_rows
from rag.text.sentences import split_sentences
from rag.types import Block, Chunk, Document, Sentence

CountTokens = Callable[[Sequence[str]], list[int]]

# Raise it when the rules below change, so that old chunks are not mixed with new ones.
CHUNKING_VERSION = 9
_SPECIAL_TOKENS = 2
_LONGEST_PREFIX = 64
_MOST_MOVED = 4
"""So many sentences move on to the next chunk with what they belong to."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence on its way into a chunk."""

    sentence: Sentence
    plain: str
    tokens: int
    block: int
    """Position of its block in the document."""


@dataclass(frozen=True, slots=True)
class _Section:
    headings: tuple[str, ...]
    units: list[_Unit]


def chunk_document(
    document: Document, count_tokens: CountTokens, max_tokens: int, window: int
) -> list[Chunk]:
    """Cut a document into chunks.

    Args:
        document: what a loader returned.
        count_tokens: the encoder's own count, special tokens included.
        max_tokens: aim for chunks of at most this many tokens, title and headings included.
        window: the encoder's hard limit; no chunk's `enriched` text is longer.

    Returns:
        Chunks in text order. Every block with a letter or digit is in exactly one of them,
        except headings with text below, which are in the heading path of that text.
    """
    limit = min(max_tokens, window) - _SPECIAL_TOKENS
    named_after_file = document.metadata.get(TITLE_FROM) == FILE_NAME
    title = "" if named_after_file else document.title
    chunks: list[Chunk] = []
    for section in _sections(document, count_tokens, window - _SPECIAL_TOKENS):
        prefix = _prefix(title, section.headings, count_tokens)
        room = max(limit - count_tokens([prefix])[0], limit // 3)
        for units in _pack(section.units, room):
            chunks.extend(_finish(document, section.headings, prefix, units, count_tokens, window))
    return chunks


def _sections(document: Document, count_tokens: CountTokens, longest: int) -> list[_Section]:
    """Blocks under their headings; sentences of more than `longest` tokens are cut."""
    sections: list[_Section] = []
    path: list[tuple[int, str]] = []
    current: list[tuple[int, Block]] = []
    heading: tuple[int, Block] | None = None

    def close() -> None:
        names = tuple(name for _, name in path)
        units = _units(document, current, count_tokens, longest)
        if units:
            sections.append(_Section(names, units))
        elif heading is not None:
            # A heading with nothing below it would otherwise be lost to search.
            units = _units(document, [heading], count_tokens, longest)
            sections.append(_Section(names[:-1], units))

    for position, block in enumerate(document.blocks):
        # A ruler is neither a heading nor text below one.
        if block.kind != "row" and not _has_word(document.text[block.start : block.end]):
            continue
        if block.kind != "heading":
            current.append((position, block))
            continue
        goes_deeper = bool(path) and block.level > path[-1][0]
        if current or not goes_deeper:
            close()
        current, heading = [], (position, block)
        while path and path[-1][0] >= block.level:
            path.pop()
        path.append((block.level, _plain(document, block.start, block.end)))
    close()
    return sections


def _has_word(text: str) -> bool:
    return any(map(str.isalnum, text))


def _plain(document: Document, start: int, end: int) -> str:
    return plain_text(document.id, document.text[start:end])


def _units(
    document: Document, blocks: list[tuple[int, Block]], count_tokens: CountTokens, longest: int
) -> list[_Unit]:
    """The sentences of a section's blocks, without those that have no letter or digit."""
    found: list[tuple[Sentence, str, int]] = []
    leads, header, in_header = Leads(), NO_LEAD, False
    rows = Rows(_group_rows(document, blocks))
    limit: tuple[int, int] | None = None
    for position, block in blocks:
        spans = [
            (start, end, plain)
            for start, end in _spans(document, block)
            if _has_word(plain := _plain(document, start, end))
        ]
        kind, lead, above = block.kind, NO_LEAD, []
        outer: list[tuple[int, int]] = []
        marker = _marker(document, block)
        last = Lead(spans[-1][2], spans[-1][:2]) if spans else NO_LEAD
        if block.kind in ("paragraph", "item"):
            *above, lead = [NO_LEAD, *leads.take(block, marker, spans[0][2] if spans else "", last)]
            # "(a) …" after "only if:" is an entry, whatever the document says it is.
            kind = "item" if lead.span else kind
            outer = [each.span for each in above if each.span]
        elif block.kind == "row":
            leads.close()
            lead = header if block.level == 0 else NO_LEAD
            span = block.start, block.end
            outer = rows.take(position, span, _cells(document, block), block.level == 1)
        if block.kind != "row":
            header = NO_LEAD
            rows.pass_by(last if block.kind == "paragraph" else NO_LEAD)
        elif block.level == 1:
            header = _both(document, header, last) if in_header else last
        in_header = block.kind == "row" and block.level == 1
        limit = limit if kind == "paragraph" else None
        for start, end, plain in spans:
            over = (*outer, limit) if limit else tuple(outer)
            sentence = Sentence(start, end, kind, lead.span, lead.text, over, marker or "")
            found.append((sentence, plain, position))
            if kind == "paragraph" and limits_what_follows(plain):
                limit = start, end
        # It limits the rest of its paragraph; as the last sentence of it, the next paragraph.
        limit = limit if limit == last.span else None
    # A token has rarely more than 20 characters: what is longer is cut without counting it whole.
    short = [len(plain) <= longest * 20 for _, plain, _ in found]
    counts = iter(count_tokens([f[1] for f, fits in zip(found, short, strict=True) if fits]))
    units: list[_Unit] = []
    for (sentence, plain, position), fits in zip(found, short, strict=True):
        tokens = next(counts) - _SPECIAL_TOKENS if fits else longest + 1
        if tokens <= longest:
            units.append(_Unit(sentence, plain, tokens, position))
        else:
            units.extend(_cut(document, sentence, position, count_tokens, longest // 2))
    return units


def _cells(document: Document, row: Block) -> list[str]:
    return cells_of(document.text[row.start : row.end])


def _group_rows(document: Document, blocks: list[tuple[int, Block]]) -> set[int]:
    """The positions of the rows of tables that only name those below them."""
    found: set[int] = set()
    for is_body, each in groupby(blocks, lambda one: (one[1].kind, one[1].level) == ("row", 0)):
        if is_body:
            table = list(each)
            groups = group_rows([_cells(document, block) for _, block in table])
            found.update(table[at][0] for at in groups)
    return found


def _marker(document: Document, block: Block) -> str | None:
    """What stands before a list entry: its number or sign; None before its later paragraphs."""
    if block.kind != "item":
        return ""
    before = document.text[document.text.rfind("\n", 0, block.start) + 1 : block.start]
    return before.strip(" \t>") or (None if before else "")


def _both(document: Document, first: Lead, second: Lead) -> Lead:
    """Two rows of one header."""
    if first.span is None or second.span is None:
        return second if first.span is None else first
    start, end = first.span[0], second.span[1]
    return Lead(plain_lead(document.id, document.text[start:end], "row"), (start, end))


def _spans(document: Document, block: Block) -> list[tuple[int, int]]:
    """The quotable units of a block: a table row, the lines of code, or sentences."""
    text = document.text[block.start : block.end]
    if block.kind == "row":
        return [(block.start, block.end)]
    if block.kind == "code":
        return _lines(text, block.start)
    return split_sentences(text, block.start, wording.language_of(document.metadata))


def _lines(text: str, start: int) -> list[tuple[int, int]]:
    spans = []
    for line in text.splitlines(keepends=True):
        stripped = line.strip()
        if stripped:
            first = start + line.index(stripped)
            spans.append((first, first + len(stripped)))
        start += len(line)
    return spans


def _cut(
    document: Document,
    sentence: Sentence,
    position: int,
    count_tokens: CountTokens,
    limit: int,
) -> list[_Unit]:
    """A sentence longer than the window, in pieces that end between words, if it has any.

    Pieces are made by characters first, since text may have a million tokens and no space.
    """
    text = document.text
    pieces: list[_Unit] = []
    start = sentence.start
    while start < sentence.end:
        end = min(start + limit * 4, sentence.end)
        while True:
            if end < sentence.end:
                space = max(text.rfind(" ", start + 1, end), text.rfind("\n", start + 1, end))
                end = space if space > start else end
            plain = _plain(document, start, end)
            tokens = count_tokens([plain])[0] - _SPECIAL_TOKENS
            if tokens <= limit or end - start <= 1:
                break
            end = start + max(1, (end - start) // 2)
        if plain:
            piece = replace(sentence, start=start, end=end)
            pieces.append(_Unit(piece, plain, tokens, position))
        start = end
        while start < sentence.end and text[start].isspace():
            start += 1
    return pieces


def _prefix(title: str, headings: tuple[str, ...], count_tokens: CountTokens) -> str:
    """Title and heading path, shortened from the outside in when they would crowd out the text."""
    parts = [name for name in (title, *(n for n in headings if n != title)) if name]
    while len(parts) > 1 and count_tokens([" > ".join(parts)])[0] > _LONGEST_PREFIX:
        parts.pop(1 if len(parts) > 2 else 0)
    prefix = " > ".join(parts)
    if count_tokens([prefix])[0] > _LONGEST_PREFIX:
        prefix = prefix[: _LONGEST_PREFIX * 2]
        while count_tokens([prefix])[0] > _LONGEST_PREFIX:
            prefix = prefix[: len(prefix) // 2]
    return prefix


def _pack(units: list[_Unit], room: int) -> list[list[_Unit]]:
    """Fill chunks up to `room` tokens, ending at a block's end where that leaves them half full.

    A lead-in ("…:") or question moves on with what it leads to, and so does a sentence with the
    exception to it.
    """
    groups: list[list[_Unit]] = []
    current: list[_Unit] = []
    used = 0
    for unit in units:
        if current and used + unit.tokens > room:
            keep = _break_point(current, unit, used)
            groups.append(current[:keep])
            current = current[keep:]
            used = sum(kept.tokens for kept in current)
            if current and used + unit.tokens > room:
                groups.append(current)
                current, used = [], 0
        current.append(unit)
        used += unit.tokens
    if current:
        groups.append(current)
    return groups


def _break_point(current: list[_Unit], following: _Unit, used: int) -> int:
    """How many units of a full chunk stay in it."""
    keep = len(current)
    if following.block == current[-1].block and current[0].block != following.block:
        start = next(i for i, unit in enumerate(current) if unit.block == following.block)
        if sum(unit.tokens for unit in current[:start]) * 2 >= used:
            keep = start
    following = current[keep] if keep < len(current) else following
    first = keep - _MOST_MOVED
    while keep > max(1, first) and _belong(current[keep - 1], following):
        keep -= 1
        following = current[keep]
    return keep


def _belong(unit: _Unit, following: _Unit) -> bool:
    """Whether these neighbours mean something else apart."""
    leads = following.sentence.lead, *following.sentence.above
    if unit.plain.endswith(":") or _place(unit) in leads:
        return True
    prose = unit.sentence.kind == following.sentence.kind == "paragraph"
    stays = STAYS_WITH_THE_ONE_BEFORE.match(without_number(following.plain))
    return prose and (unit.plain.endswith("?") or bool(stays))


def _place(unit: _Unit) -> tuple[int, int]:
    return unit.sentence.start, unit.sentence.end


def _finish(
    document: Document,
    headings: tuple[str, ...],
    prefix: str,
    units: list[_Unit],
    count_tokens: CountTokens,
    window: int,
) -> list[Chunk]:
    context = units[0].sentence.lead_text
    if context in {unit.plain for unit in units}:
        context = ""
    body = " ".join(unit.plain for unit in units)
    enriched = "\n".join(part for part in (prefix, context, body) if part)
    if count_tokens([enriched])[0] > window:
        if context:
            enriched = "\n".join(part for part in (prefix, body) if part)
        if count_tokens([enriched])[0] > window:
            if len(units) == 1:
                # A sentence about as long as the window matters more than its title.
                enriched = body
            else:
                middle = len(units) // 2
                rest = (headings, prefix)
                return [
                    chunk
                    for half in (units[:middle], units[middle:])
                    for chunk in _finish(document, *rest, half, count_tokens, window)
                ]
    start, end = units[0].sentence.start, units[-1].sentence.end
    return [
        Chunk(
            document=document.id,
            start=start,
            end=end,
            text=document.text[start:end],
            title=document.title,
            headings=headings,
            page=_page_at(document, start),
            sentences=tuple(unit.sentence for unit in units),
            enriched=enriched,
        )
    ]


def _page_at(document: Document, offset: int) -> int | None:
    for page in document.pages:
        if page.start <= offset < page.end:
            return page.number
    return None
