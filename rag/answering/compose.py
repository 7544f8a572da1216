"""Quotations → the answer that people see, with a citation for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rag.answering.select import Quotation
from rag.markup import plain_text
from rag.types import Citation, Document, Hit, Passage

_FOOTNOTE = re.compile(r"\s*\[\d+\]")
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
            )
        )
    return tuple(citations)


def answer_text(citations: Sequence[Citation], unanswered: Sequence[str] = ()) -> str:
    """The quotes without markup, each followed by its number, and what was left unanswered.

    Numbers in brackets that the source itself has (footnote marks) are left out: here they would
    point to the wrong thing.
    """
    quotes = [f"{_without_marks(plain_text(c.document, c.quote))} [{c.n}]" for c in citations]
    missing = [
        f"I found no sentence that answers “{_without_marks(part).rstrip(' ?.')}”."
        for part in unanswered
    ]
    return " ".join(quotes + missing)


def _without_marks(text: str) -> str:
    found = 1
    # Taking one out can make another: "[[1]2]".
    while found:
        text, found = _FOOTNOTE.subn("", text)
    return text


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
