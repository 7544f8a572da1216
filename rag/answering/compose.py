"""Quotations → citations, and the passages that are shown beside an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from rag.answering.select import Quotation
from rag.text.wording import SUCCESSOR, first
from rag.types import Citation, Document, Hit, Passage

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
                superseded_by=_said(source, *SUCCESSOR),
            )
        )
    return tuple(citations)


def _said(document: Document, *keys: str) -> str | None:
    """The first of these that the document's metadata have."""
    return next(filter(None, (first(document.metadata, key) for key in keys)), None)


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
