"""Quotations → the answer that people see, with a citation for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import takewhile

from rag.answering.select import Quotation
from rag.markup import plain_text
from rag.types import Block, Citation, Document, Hit, Passage

_FOOTNOTE = re.compile(r"\s*\[\^?\d{1,2}\]|\s*\[\^[\w-]+\]")
_NOTE = re.compile(r"^\[\^[^\]]+\]:\s*")
_YEAR = re.compile(r"\[(\d{3,})\]")
_ENDS = (".", "!", "?", ":", ";")
_NUMBERED = re.compile(r"\(?\w{1,5}[.)]")
_NEAREST = 3


def cite(
    quotations: Sequence[Quotation], document: Callable[[str], Document]
) -> tuple[Citation, ...]:
    """Number the quotations and cut their quotes out of the canonical text."""
    citations = []
    for number, quotation in enumerate(quotations, start=1):
        source = document(quotation.chunk.document)
        page = next(
            (p.number for p in source.pages if p.start <= quotation.start < p.end),
            quotation.chunk.page,
        )
        citations.append(
            Citation(
                n=number,
                document=source.id,
                title=source.title,
                section=quotation.chunk.section,
                page=page,
                start=quotation.start,
                end=quotation.end,
                quote=source.text[quotation.start : quotation.end],
                sha256=source.sha256,
                published=_said(source, "published"),
                effective_date=_said(source, "effective_date"),
                superseded_by=_said(source, "superseded_by", "replaced_by"),
            )
        )
    return tuple(citations)


def _said(document: Document, *keys: str) -> str | None:
    """The first of these that the document's metadata have."""
    values = (document.metadata.get(key) for key in keys)
    return next((value for value in values if isinstance(value, str) and value), None)


def answer_text(
    quotations: Sequence[Quotation],
    citations: Sequence[Citation],
    document: Callable[[str], Document],
    unanswered: Sequence[str] = (),
) -> str:
    """The quotes without markup, each followed by its number, and what was left unanswered.

    A table row is a line of its own, and so is each entry where several are quoted as one. An
    entry that nothing leads in to stands behind its heading ("Forbidden: smoking"), and a list
    that goes on says so. Numbers in brackets that the source itself has would point to the wrong
    thing here: footnote marks are left out, and "[2019]" becomes "(2019)".
    """
    said: list[str] = []
    above, was_apart = None, False
    for quotation, citation in zip(quotations, citations, strict=True):
        source = document(citation.document)
        words = _without_marks(_shown(source, citation))
        if _needs_heading(quotation) and not words.endswith(_ENDS):
            place = citation.document, citation.section
            words = words if place == above else _behind(citation.section or "", words)
            above = place
        if more := _entries_left(source, citation):
            words += f" … and {more} more {'entry' if more == 1 else 'entries'}"
        apart = _is_row(source, citation) or "\n" in words
        said += ["\n" if apart or was_apart else " ", f"{words} [{citation.n}]"]
        was_apart = apart
    for part in unanswered:
        question = _without_marks(part).rstrip(" ?.")
        said += ["\n" if was_apart else " ", f"I found no sentence that answers “{question}”."]
    return "".join(said[1:])


def _shown(document: Document, citation: Citation) -> str:
    """A quote without markup; of a list or table each block on a line, with its marker."""
    blocks = _blocks(document, citation)
    if not any(block.kind in ("item", "row") for block in blocks[1:]):
        return plain_text(document.id, citation.quote)
    lines: list[str] = []
    for block in blocks:
        start, end = max(block.start, citation.start), min(block.end, citation.end)
        marker = _marker(document, block) if block.kind == "item" and lines else ""
        lines.append(marker + plain_text(document.id, document.text[start:end]))
    return "\n".join(lines)


def _marker(document: Document, block: Block) -> str:
    """What stands before an entry: its number or a dash; nothing before a later paragraph."""
    before = document.text[document.text.rfind("\n", 0, block.start) + 1 : block.start].strip()
    return f"{before if _NUMBERED.fullmatch(before) else '-'} " if before else "  "


def _blocks(document: Document, citation: Citation) -> list[Block]:
    """The blocks that a quote stands in."""
    return [b for b in document.blocks if b.start < citation.end and citation.start < b.end]


def _is_row(document: Document, citation: Citation) -> bool:
    return any(block.kind == "row" for block in _blocks(document, citation)[:1])


def _behind(heading: str, words: str) -> str:
    """Words behind the heading that explains them."""
    return f"{heading} {words}" if heading.endswith(_ENDS) else f"{heading}: {words}"


def _needs_heading(quotation: Quotation) -> bool:
    """Whether it begins with an entry or row that only its heading explains."""
    sentences = quotation.chunk.sentences
    at = next((i for i, own in enumerate(sentences) if own.start == quotation.start), None)
    if at is None or quotation.chunk.section is None:
        return False
    own = sentences[at]
    leads = any(other.lead == (own.start, own.end) for other in sentences)
    return own.kind in ("item", "row") and own.lead is None and not leads


def _entries_left(document: Document, citation: Citation) -> int:
    """How many entries of a list that is quoted for the most part were left out at its end."""
    quoted = _blocks(document, citation)
    if len(quoted) < 2 or quoted[-1].kind != "item":
        return 0
    rest = document.blocks[document.blocks.index(quoted[-1]) + 1 :]
    level = quoted[-1].level
    in_list = takewhile(lambda block: block.kind == "item" and block.level >= level, rest)
    return sum(bool(_marker(document, block).strip()) for block in in_list)


def unknown_text(names: Iterable[str]) -> str:
    """What is said of names in the question that no document has; "" if there are none."""
    quoted = " or ".join(f"“{name}”" for name in dict.fromkeys(names))
    return f"No document mentions {quoted}." if quoted else ""


def _without_marks(text: str) -> str:
    text, found = _NOTE.sub("", text), 1
    # Taking one out can make another: "[[1]2]".
    while found:
        text, found = _FOOTNOTE.subn("", text)
    return _YEAR.sub(r"(\1)", text)


def abstention_text(documents: int, passages: int) -> str:
    """What is said when the sources do not answer."""
    if documents == 0:
        return "There are no documents in the index yet, so there is nothing to quote."
    searched = "1 document" if documents == 1 else f"{documents} documents"
    text = f"I found no sentence that answers this in the {searched} I searched."
    if passages:
        text += " The passages that came nearest are listed; they may be related."
    return text


def best_of(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """The passages found for the parts of a question: each once, best first, numbered anew."""
    best = {hit.row: hit for hit in sorted(hits, key=lambda hit: (hit.scores.fused, -hit.row))}
    ranked = sorted(best.values(), key=lambda hit: (-hit.scores.fused, hit.row))
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(ranked, start=1))


def nearest(hits: Sequence[Hit]) -> tuple[Passage, ...]:
    """The first of `hits`, as they are shown beside an answer or an abstention."""
    return tuple(
        Passage(
            document=hit.chunk.document,
            title=hit.chunk.title,
            section=hit.chunk.section,
            page=hit.chunk.page,
            start=hit.chunk.start,
            end=hit.chunk.end,
            text=hit.chunk.text,
            score=round(max(0.0, min(1.0, hit.scores.dense)), 4),
        )
        for hit in hits[:_NEAREST]
    )
