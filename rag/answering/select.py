"""Choosing the fewest sentences that answer, and what must come with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.evidence import Candidate, Evidence
from rag.answering.questions import NUMBER_WORD
from rag.store.lexical import terms
from rag.types import Chunk

_MOST_SENTENCES = 4
_MOST_WORDS = 80
_MOST_WORDS_OF_LIST = 110
_CLOSE = 0.15
_CLOSE_WHEN_READ = 0.22
"""A further sentence is quoted if it scores at most this much less than the best; the reader
spreads scores more widely."""

_RARE = 0.5
"""Terms at least so rare, the rarest of the question being 1, are what it is about."""

_LEANS_BACK = re.compile(
    r"(?:it|they|this|that|these|those|he|she|such|however|but|also|then|otherwise|instead|"
    r"in (?:this|that|these|those|such) cases?|if so|if not)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"(?:it|this|that|they|these)(?:['’](?:s|re)| is| are| means?| refers?)\b", re.IGNORECASE
)
_EXCEPTION = re.compile(
    r"(?:however|but|except|unless|only|the exception|exceptions?|this (?:does|rule) not|"
    r"this does not|these do not|it does not|in no case|at no time|under no circumstances|"
    r"notwithstanding|provided that)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+(?:['’]\w+)?")
_DECISIVE = re.compile(
    rf"\d|^(?:no|not|never|none|nor|without|cannot|{NUMBER_WORD})$|n['’]t$", re.IGNORECASE
)
"""Words by which sentences that are else alike say different things."""


@dataclass(frozen=True, slots=True)
class Quotation:
    """A piece of a document that is quoted as one: [start, end) in its canonical text.

    `rank` is that of the passage it was found in.
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
    chosen = [_pick(evidence, most) for evidence in parts]
    quotations: list[Quotation] = []
    words = 0
    # The best sentence of every part comes before the second of any.
    for evidence, candidate in (
        (evidence, candidates[place])
        for place in range(most)
        for evidence, candidates in zip(parts, chosen, strict=True)
        if place < len(candidates)
    ):
        brought = _with_context(candidate, evidence) if context else [_alone(candidate)]
        # A lead may stand before the chunk; its words are few.
        size = sum(
            len(q.chunk.text[max(0, q.start - q.chunk.start) : q.end - q.chunk.start].split())
            for q in brought
        )
        if quotations and words + size > _MOST_WORDS:
            continue
        words += size
        quotations += brought
    return _reading_order(_without_overlap(quotations))


def _pick(evidence: Evidence, most: int) -> list[Candidate]:
    if not evidence.candidates:
        return []
    best = evidence.candidates[0]
    least = best.score - (_CLOSE_WHEN_READ if evidence.read else _CLOSE)
    chosen = [best]
    for candidate in evidence.candidates[1:]:
        if len(chosen) >= most or candidate.score < least:
            break
        if any(_same(candidate, other) for other in chosen):
            continue
        chosen.append(candidate)
    return chosen


def _same(one: Candidate, other: Candidate) -> bool:
    """Says the same in nearly the same words: no figure differs, and no "not"."""
    mine, theirs = (set(_WORD.findall(each.plain.lower())) for each in (one, other))
    if any(_DECISIVE.search(word) for word in mine ^ theirs):
        return False
    return len(mine & theirs) > 0.8 * min(len(mine), len(theirs))


def _alone(candidate: Candidate) -> Quotation:
    sentence = candidate.sentence
    return Quotation(candidate.chunk, candidate.hit.rank, sentence.start, sentence.end)


def _with_context(candidate: Candidate, evidence: Evidence) -> list[Quotation]:
    """A sentence with what it cannot be understood or trusted without."""
    chunk, at = candidate.chunk, candidate.position
    sentence = chunk.sentences[at]
    spans = [(sentence.start, sentence.end)]
    if _text(chunk, at).endswith(":"):
        last = _end_of_list(chunk, at)
        spans = [(sentence.start, chunk.sentences[last].end)]
    elif sentence.kind == "item" and evidence.kind in ("list", "procedure"):
        first, last = _start_of_list(chunk, at), _end_of_list(chunk, at)
        if _words(chunk, first, last) <= _MOST_WORDS_OF_LIST:
            spans = [(chunk.sentences[first].start, chunk.sentences[last].end)]
            sentence = chunk.sentences[first]
    elif sentence.kind == "paragraph":
        spans = _with_neighbours(candidate, evidence)
    if sentence.lead is not None and sentence.lead[0] < spans[0][0]:
        spans.insert(0, sentence.lead)
    return [Quotation(chunk, candidate.hit.rank, start, end) for start, end in spans]


def _sought(candidate: Candidate, evidence: Evidence) -> set[str]:
    """The rarer terms of the question that neither the sentence nor a heading above it has."""
    rarest = max(evidence.rarities.values(), default=0.0)
    wanted = {term for term, own in evidence.rarities.items() if own >= _RARE * rarest}
    return wanted.difference(terms(" ".join([candidate.plain, *candidate.chunk.headings])))


def _with_neighbours(candidate: Candidate, evidence: Evidence) -> list[tuple[int, int]]:
    """A sentence with the one it leans on, and with the one that follows and belongs to it."""
    chunk, at = candidate.chunk, candidate.position
    sentences = chunk.sentences
    first = last = at
    if _LEANS_BACK.match(_text(chunk, at)) and at > 0 and sentences[at - 1].kind == "paragraph":
        first = at - 1
    follows = at + 1
    if (
        follows < len(sentences)
        and sentences[follows].kind == "paragraph"
        and _belongs(_text(chunk, follows), candidate, evidence)
    ):
        last = follows
        if _text(chunk, follows).endswith(":"):
            last = _end_of_list(chunk, follows)
    return [(s.start, s.end) for s in sentences[first : last + 1]]


def _belongs(follows: str, candidate: Candidate, evidence: Evidence) -> bool:
    """Whether the next sentence is an exception, goes on defining, or says more of what is sought.

    "Up to three days", and then "in the first month one day", to somebody who asks about the first
    month.
    """
    return bool(
        _EXCEPTION.match(follows)
        or (evidence.kind == "definition" and _GOES_ON.match(follows))
        or _sought(candidate, evidence).intersection(terms(follows))
    )


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
