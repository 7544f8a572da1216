"""Choosing the fewest sentences that answer, and what must come with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.evidence import Candidate, Evidence
from rag.answering.questions import Kind
from rag.types import Chunk

_MOST_SENTENCES = 3
_MOST_WORDS = 70
_MOST_WORDS_OF_LIST = 110
_MOST_ITEMS = 10
_CLOSE = 0.15
"""A further sentence is quoted if it scores at most this much less than the best."""

_LEANS_BACK = re.compile(
    r"(?:it|they|this|that|these|those|he|she|such|however|but|also|then|otherwise|instead|"
    r"in (?:this|that|these|those|such) cases?|if so|if not)\b",
    re.IGNORECASE,
)
_EXCEPTION = re.compile(
    r"(?:however|but|except|unless|only|the exception|exceptions?|this (?:does|rule) not|"
    r"this does not|these do not|it does not)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quotation:
    """Consecutive sentences of one chunk that are quoted as one: [first, last]."""

    chunk: Chunk
    rank: int
    first: int
    last: int

    @property
    def start(self) -> int:
        """First code point of the quote."""
        return self.chunk.sentences[self.first].start

    @property
    def end(self) -> int:
        """One past its last code point."""
        return self.chunk.sentences[self.last].end


def select(parts: Sequence[Evidence]) -> list[Quotation]:
    """The quotations that make the answer, in reading order; empty if there is no candidate.

    Args:
        parts: the evidence for each part of the question; all share the room for words.
    """
    most = max(1, _MOST_SENTENCES - len(parts) + 1)
    chosen = [_pick(evidence, most) for evidence in parts]
    quotations: dict[tuple[str, int], Quotation] = {}
    words = 0
    # The best sentence of every part comes before the second of any.
    for evidence, candidate in (
        (evidence, candidates[place])
        for place in range(most)
        for evidence, candidates in zip(parts, chosen, strict=True)
        if place < len(candidates)
    ):
        brought = _with_context(candidate, evidence.kind)
        size = sum(
            len(q.chunk.text[q.start - q.chunk.start : q.end - q.chunk.start].split())
            for q in brought
        )
        if quotations and words + size > _MOST_WORDS:
            continue
        words += size
        for quotation in brought:
            quotations.setdefault((quotation.chunk.document, quotation.start), quotation)
    return _reading_order(_without_overlap(list(quotations.values())))


def _pick(evidence: Evidence, most: int) -> list[Candidate]:
    if not evidence.candidates:
        return []
    best = evidence.candidates[0]
    chosen = [best]
    for candidate in evidence.candidates[1:]:
        if len(chosen) >= most or candidate.score < best.score - _CLOSE:
            break
        if any(_same(candidate, other) for other in chosen):
            continue
        chosen.append(candidate)
    return chosen


def _same(one: Candidate, other: Candidate) -> bool:
    """Says the same in nearly the same words."""
    mine, theirs = set(one.plain.lower().split()), set(other.plain.lower().split())
    return len(mine & theirs) > 0.8 * min(len(mine), len(theirs))


def _with_context(candidate: Candidate, kind: Kind) -> list[Quotation]:
    """A sentence with what it cannot be understood or trusted without."""
    chunk, at = candidate.chunk, candidate.position
    rank = candidate.hit.rank
    sentences = chunk.sentences
    if sentences[at].kind == "row":
        header = next((i for i in range(at) if sentences[i].kind == "row"), None)
        rows = [at] if header is None else [header, at]
        return [Quotation(chunk, rank, row, row) for row in rows]
    text = _text(chunk, at)
    first = last = at
    if text.endswith(":"):
        last = _end_of_list(chunk, at)
    elif sentences[at].kind == "item":
        start = _start_of_list(chunk, at)
        if kind in ("list", "procedure"):
            end = _end_of_list(chunk, at)
            if _words(chunk, start, end) <= _MOST_WORDS_OF_LIST:
                first, last = start, end
        if first == at and start < at and _text(chunk, start).endswith(":"):
            return [Quotation(chunk, rank, start, start), Quotation(chunk, rank, at, at)]
    elif _LEANS_BACK.match(text) and at > 0 and sentences[at - 1].kind == "paragraph":
        first = at - 1
    follows = last + 1
    if (
        follows < len(sentences)
        and sentences[last].kind == "paragraph"
        and sentences[follows].kind == "paragraph"
        and _EXCEPTION.match(_text(chunk, follows))
    ):
        last = follows
    if sentences[at].kind == "paragraph" and not text.endswith(":"):
        return [Quotation(chunk, rank, i, i) for i in range(first, last + 1)]
    return [Quotation(chunk, rank, first, last)]


def _text(chunk: Chunk, position: int) -> str:
    sentence = chunk.sentences[position]
    return chunk.text[sentence.start - chunk.start : sentence.end - chunk.start]


def _words(chunk: Chunk, first: int, last: int) -> int:
    return sum(len(_text(chunk, i).split()) for i in range(first, last + 1))


def _start_of_list(chunk: Chunk, at: int) -> int:
    """The lead-in of the list around `at`, or its first entry."""
    while at > 0 and chunk.sentences[at - 1].kind == "item":
        at -= 1
    if at > 0 and _text(chunk, at - 1).endswith(":"):
        at -= 1
    return at


def _end_of_list(chunk: Chunk, at: int) -> int:
    words = 0
    while at + 1 < len(chunk.sentences) and chunk.sentences[at + 1].kind in ("item", "row"):
        words += len(_text(chunk, at + 1).split())
        if words > _MOST_WORDS_OF_LIST:
            break
        at += 1
    return at


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
