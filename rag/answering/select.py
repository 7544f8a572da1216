"""Choosing the fewest sentences that answer, and what must come with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.context import in_context
from rag.answering.evidence import Candidate, Evidence
from rag.answering.questions import NUMBER_WORD
from rag.embedding import plain_sentence
from rag.store.lexical import terms
from rag.types import Chunk

_MOST_SENTENCES = 4
_MOST_WORDS = 80
_CLOSE = 0.15
_CLOSE_WHEN_READ = 0.35
"""A further sentence is quoted if it scores at most this much less than the best; the reader
spreads scores more widely."""

_DOUBTED = -1.5
"""A further sentence is not quoted if the reader's log-odds are lower, unless the best one's are
lower still (see "What a further sentence needs" in `benchmarks/README.md`)."""

_ENDS = tuple(".!?:;…")
_WORD = re.compile(r"\w+(?:['’]\w+)?")
_DECISIVE = re.compile(
    rf"\d|^(?:no|not|never|none|nor|without|cannot|{NUMBER_WORD})$|n['’]t$", re.IGNORECASE
)
"""Words by which sentences that are else alike say different things."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """A piece of a document that is quoted as one: [start, end) in its canonical text.

    `rank` is that of the sentence for which it is quoted among those that were chosen, from 0.
    """

    chunk: Chunk
    rank: int
    start: int
    end: int


def select(parts: Sequence[Evidence], *, context: bool = True) -> list[Quotation]:
    """The quotations that make the answer, in reading order; empty if there is no candidate.

    Args:
        parts: the evidence for each part of the question; all share the room for words.
        context: quote what a sentence cannot be understood without; False: it alone.
    """
    most = max(1, _MOST_SENTENCES - len(parts) + 1)
    chosen = [pick(evidence, most) for evidence in parts]
    quotations: list[Quotation] = []
    words = 0
    # The best sentence of every part comes before the second of any.
    for rank, (place, evidence, candidate) in enumerate(
        (place, evidence, candidates[place])
        for place in range(most)
        for evidence, candidates in zip(parts, chosen, strict=True)
        if place < len(candidates)
    ):
        spans = in_context(candidate, evidence) if context else [_span(candidate)]
        chunk = candidate.chunk
        brought = [Quotation(chunk, rank, start, end) for start, end in spans]
        # A lead may stand before the chunk; its words are few.
        size = sum(len(chunk.cut(q.start, q.end).split()) for q in brought)
        # No part goes without its best sentence.
        if place and words + size > _MOST_WORDS:
            continue
        words += size
        quotations += brought
    return _reading_order(_without_overlap(quotations))


def pick(evidence: Evidence, most: int = _MOST_SENTENCES) -> list[Candidate]:
    """The sentences that answer, best first, at most so many; empty if there is none to quote."""
    candidates = _quotable(evidence.candidates)
    if not candidates:
        return []
    best = candidates[0]
    least = best.score - (_CLOSE_WHEN_READ if evidence.read else _CLOSE)
    chosen = [best]
    for candidate in candidates[1:]:
        if len(chosen) >= most or candidate.score < least:
            break
        if candidate.reader < min(best.reader, _DOUBTED):
            continue
        if any(_same(candidate, other) for other in chosen):
            continue
        chosen.append(candidate)
    return chosen


def _same(one: Candidate, other: Candidate) -> bool:
    """Says the same in nearly the same words: no figure differs, and no "not".

    Of the words of content, one has no other than the other: "until March" is not "until May".
    """
    mine, theirs = (set(_WORD.findall(each.plain.lower())) for each in (one, other))
    if any(_DECISIVE.search(word) for word in mine ^ theirs):
        return False
    if len(mine & theirs) <= 0.8 * min(len(mine), len(theirs)):
        return False
    content, other_content = set(terms(one.plain)), set(terms(other.plain))
    return content <= other_content or other_content <= content


def _span(candidate: Candidate) -> tuple[int, int]:
    return candidate.sentence.start, candidate.sentence.end


def _quotable(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Without headings and unanswered questions; the best row stands for a table's header."""
    found: dict[int, Candidate] = {}
    for candidate in candidates:
        own = candidate
        if _is_heading(candidate) or _unanswered(candidate):
            continue
        if candidate.sentence.kind == "row" and (rows := _rows_of(candidate, candidates)):
            own = rows[0]
        found.setdefault(id(own), own)
    return list(found.values())


def _is_heading(candidate: Candidate) -> bool:
    """Whether it is a heading, or a line of text that only says again what stands above it."""
    if candidate.sentence.kind != "paragraph":
        return candidate.sentence.kind == "heading"
    if candidate.plain.endswith(_ENDS):
        return False
    above = terms(" ".join([candidate.chunk.title, *candidate.chunk.headings]))
    own = [word for word in terms(candidate.plain) if not word.isdecimal()]
    return bool(own) and set(own) <= set(above)


def _unanswered(candidate: Candidate) -> bool:
    """Whether it is a question, and nothing or another question follows."""
    if candidate.sentence.kind != "paragraph" or not candidate.plain.endswith("?"):
        return False
    chunk, follows = candidate.chunk, candidate.position + 1
    return follows == len(chunk.sentences) or plain_sentence(chunk, follows).endswith("?")


def _rows_of(header: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The rows under a row; none if it is no header."""
    start, end = header.sentence.start, header.sentence.end
    return [
        one
        for one in candidates
        if one.sentence.kind == "row"
        and (lead := one.sentence.lead) is not None
        and lead[0] <= start
        and end <= lead[1]
        and one.chunk.document == header.chunk.document
    ]


def _without_overlap(quotations: list[Quotation]) -> list[Quotation]:
    kept: list[Quotation] = []
    for quotation in sorted(quotations, key=lambda q: (q.start - q.end, q.rank)):
        clash = any(
            quotation.chunk.document == other.chunk.document
            and quotation.start < other.end
            and other.start < quotation.end
            for other in kept
        )
        if not clash:
            kept.append(quotation)
    return kept


def _reading_order(quotations: Sequence[Quotation]) -> list[Quotation]:
    """By document, best first, and inside a document as it is read."""
    best: dict[str, int] = {}
    for quotation in quotations:
        name = quotation.chunk.document
        best[name] = min(best.get(name, quotation.rank), quotation.rank)
    return sorted(quotations, key=lambda q: (best[q.chunk.document], q.chunk.document, q.start))
