"""The sentences of an answer in the form that the documents give them: text, lists and tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from rag.chat import markup
from rag.text.markup import plain_text
from rag.types import Answer, Block, BlockKind, Citation, Document

_WORD = re.compile(r"\w")
"""Between blocks stand only signs: bullets, and the lines of tables."""
_BRACKETS = re.compile(r"\s*\[[^\[\]]*\]")
_MAX_MARK = 20


@dataclass(frozen=True, slots=True)
class Quoted:
    """Words of an answer, and where they stand.

    Attributes:
        words: as shown.
        citation: the quotation that they are of.
        kind: of their block; "more" for what says how many entries of a list are left out.
        level: of the block: how deep a list entry is nested, from 1.
        marker: the number of a list entry; "" for any other sign.
        numbered: whether the number of the citation follows: it does once, at its end.
    """

    words: str
    citation: Citation
    kind: BlockKind | Literal["more"] = "paragraph"
    level: int = 0
    marker: str = ""
    numbered: bool = True

    @property
    def header(self) -> bool:
        """Whether it is a header of a table."""
        return self.kind == "row" and self.level == 1


def groups(answer: Answer, documents: Mapping[str, Document]) -> list[list[Quoted]]:
    """The sentences of an answer; those of one section and one kind of block belong together.

    A sentence ends at its own number in brackets, which stands between white space; a number in
    brackets that belongs to the quoted text is left alone.
    """
    quoted: list[Quoted] = []
    position = 0
    for citation in answer.citations:
        found = re.compile(rf"(?<=\s)\[{citation.n}\](?=\s|\Z)").search(answer.text, position)
        words = answer.text[position : found.start()] if found else citation.quote
        position = found.end() if found else position
        quoted += _cut(words.strip(), citation, documents.get(citation.document))
    return [
        list(members)
        for _, members in groupby(
            quoted, key=lambda q: (q.citation.document, q.citation.section, q.kind)
        )
    ]


def cells(row: Quoted, columns: int) -> list[str]:
    """The cells of a row, as many as its table has columns.

    An empty corner has nothing before its sign, and a header may begin with its first cell that
    is not empty.
    """
    found = re.split(r"(?:^| )\|(?: |$)", row.words)
    missing = [""] * (columns - len(found))
    return missing + found if row.header else found + missing


def width(rows: Sequence[Quoted]) -> int:
    """How many columns a table has."""
    return max(len(cells(row, 0)) for row in rows)


def depths(entries: Sequence[Quoted]) -> list[int]:
    """How deep each entry of a list is nested in it, from 0 to 2."""
    top = min(entry.level for entry in entries)
    return [min(entry.level - top, 2) for entry in entries]


def _cut(words: str, citation: Citation, document: Document | None) -> list[Quoted]:
    """The words of a citation, cut where a block of its document begins.

    Before the first block may stand its heading, and behind the last one what was left out. Words
    that cannot be told apart so stay together.
    """
    blocks = document.blocks if document else ()
    blocks = tuple(b for b in blocks if b.start < citation.end and citation.start < b.end)
    if document is None or not blocks:
        return [Quoted(words, citation)]
    found: list[Quoted] = []
    position = 0
    for block in blocks:
        start, end = _find(words, position, _of_block(document, block, citation))
        marker = _marker(block, document) if block.kind == "item" else ""
        before = words[position:start].strip()
        if start == end or (found and before != marker and _WORD.search(before)):
            return [Quoted(words, citation, blocks[0].kind, blocks[0].level)]
        if before and not found:
            found.append(Quoted(before, citation))
        shown = words[start:end].removeprefix(marker).strip()
        found.append(Quoted(shown, citation, block.kind, block.level, marker))
        position = end
    rest = words[position:].strip()
    if _WORD.search(rest):
        found.append(Quoted(rest, citation, "more"))
    return [*(replace(one, numbered=False) for one in found[:-1]), found[-1]]


def _of_block(document: Document, block: Block, citation: Citation) -> str:
    """What a citation quotes of a block, without markup."""
    span = document.text[max(block.start, citation.start) : min(block.end, citation.end)]
    return plain_text(document.id, span)


def _find(words: str, position: int, wanted: str) -> tuple[int, int]:
    """Where the wanted words stand; an answer leaves footnote marks out. Nowhere: (0, 0)."""
    start, end = -1, position
    for part in filter(None, _BRACKETS.split(wanted)):
        at = words.find(part, end)
        if at < 0 or (start >= 0 and at - end > _MAX_MARK):
            return 0, 0
        start = at if start < 0 else start
        end = at + len(part)
    return (start, end) if start >= 0 else (0, 0)


def _marker(block: Block, document: Document) -> str:
    marker, _ = markup.item(document.text, block.start, block.end, markdown=False)
    return "" if marker == "•" else marker
