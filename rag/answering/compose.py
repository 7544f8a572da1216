"""Quotations → the answer that people see, with a citation for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import takewhile

from rag.answering.select import Quotation
from rag.markup import plain_text
from rag.types import Citation, Document, Hit, Passage

_FOOTNOTE = re.compile(r"\s*\[\^?\d{1,2}\]|\s*\[\^[\w-]+\]")
_YEAR = re.compile(r"\[(\d{3,})\]")
_ENDS = (".", "!", "?", ":", ";")
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

    A table row is a line of its own. A list entry that nothing leads in to stands behind its
    heading ("Forbidden: smoking"), and a list that goes on says so. Numbers in brackets that the
    source itself has would point to the wrong thing here: footnote marks are left out, and
    "[2019]" becomes "(2019)".
    """
    said: list[str] = []
    above, in_table = None, False
    for quotation, citation in zip(quotations, citations, strict=True):
        source = document(citation.document)
        words = _without_marks(plain_text(citation.document, citation.quote))
        if _needs_heading(quotation) and not words.endswith(_ENDS):
            place = citation.document, citation.section
            words = words if place == above else f"{citation.section}: {words}"
            above = place
        if more := _entries_left(source, citation):
            words += f" … and {more} more {'entry' if more == 1 else 'entries'}"
        is_row = _is_row(source, citation)
        said += ["\n" if is_row or in_table else " ", f"{words} [{citation.n}]"]
        in_table = is_row
    for part in unanswered:
        question = _without_marks(part).rstrip(" ?.")
        said += ["\n" if in_table else " ", f"I found no sentence that answers “{question}”."]
    return "".join(said[1:])


def _is_row(document: Document, citation: Citation) -> bool:
    return any(b.kind == "row" and b.start <= citation.start < b.end for b in document.blocks)


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
    blocks = document.blocks
    end = next((i for i, block in enumerate(blocks) if block.end >= citation.end), len(blocks))
    quoted = [block for block in blocks[: end + 1] if block.start >= citation.start]
    if len(quoted) < 2 or quoted[-1].kind != "item":
        return 0
    rest = takewhile(
        lambda block: block.kind == "item" and block.level >= quoted[-1].level, blocks[end + 1 :]
    )
    return sum(1 for _ in rest)


def unknown_text(names: Iterable[str]) -> str:
    """What is said of names in the question that no document has; "" if there are none."""
    quoted = " or ".join(f"“{name}”" for name in dict.fromkeys(names))
    return f"No document mentions {quoted}." if quoted else ""


def _without_marks(text: str) -> str:
    found = 1
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
