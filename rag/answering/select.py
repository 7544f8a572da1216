"""Choosing the fewest sentences that answer, and what must come with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.evidence import Candidate, Evidence
from rag.answering.questions import NUMBER_WORD
from rag.connectives import (
    AFTER_A_LIST,
    BARE_REPLY,
    EXCEPTION,
    EXCEPTIONS,
    GOES_ON,
    LEANS_BACK,
    REPLY,
    without_number,
)
from rag.embedding import plain_sentences
from rag.store.lexical import terms
from rag.types import Chunk

_MOST_SENTENCES = 4
_MOST_WORDS = 80
_MOST_WORDS_OF_LIST = 110
_CLOSE = 0.15
_CLOSE_WHEN_READ = 0.22
"""A further sentence is quoted if it scores at most this much less than the best; the reader
spreads scores more widely."""

_SOON = 3
"""So many sentences later a rule's exceptions may come."""

_RARE = 0.5
"""Terms at least so rare, the rarest of the question being 1, are what it is about."""

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
    candidates = _quotable(evidence.candidates)
    if not candidates:
        return []
    best = candidates[0]
    least = best.score - (_CLOSE_WHEN_READ if evidence.read else _CLOSE)
    chosen = [best]
    for candidate in candidates[1:]:
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


def _quotable(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Without questions that nothing follows; the best row stands for the header of its table."""
    found: dict[int, Candidate] = {}
    for candidate in candidates:
        chunk, at = candidate.chunk, candidate.position
        own: Candidate | None = candidate
        if candidate.plain.endswith("?") and at + 1 == len(chunk.sentences):
            own = None
        elif candidate.sentence.kind == "row" and (rows := _rows_of(candidate, candidates)):
            own = rows[0]
        if own is not None:
            found.setdefault(id(own), own)
    return list(found.values())


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


def _with_context(candidate: Candidate, evidence: Evidence) -> list[Quotation]:
    """A sentence with what it cannot be understood or trusted without."""
    chunk, at = candidate.chunk, candidate.position
    kind, lead = chunk.sentences[at].kind, chunk.sentences[at].lead
    spans = [_span(chunk, at)]
    if _leads_on(chunk, at):
        spans = [_from_to(chunk, at, _end_of_list(chunk, at, spans[0]))]
    elif kind == "item" and evidence.kind in ("list", "procedure"):
        first, last = _start_of_list(chunk, at), _end_of_list(chunk, at, lead)
        if _words(chunk, first, last) <= _MOST_WORDS_OF_LIST:
            spans, lead = [_from_to(chunk, first, last)], chunk.sentences[first].lead
    elif kind != "row":
        spans = _with_neighbours(candidate, evidence)
    if lead is not None and lead[0] < spans[0][0]:
        spans.insert(0, lead)
    spans += _after_the_list(chunk, spans[-1][1])
    return [Quotation(chunk, candidate.hit.rank, start, end) for start, end in spans]


def _sought(candidate: Candidate, evidence: Evidence) -> set[str]:
    """The rarer terms of the question that neither the sentence nor a heading above it has."""
    rarest = max(evidence.rarities.values(), default=0.0)
    wanted = {term for term, own in evidence.rarities.items() if own >= _RARE * rarest}
    return wanted.difference(terms(" ".join([candidate.plain, *candidate.chunk.headings])))


def _with_neighbours(candidate: Candidate, evidence: Evidence) -> list[tuple[int, int]]:
    """A sentence with what it leans on, and with what follows and belongs to it."""
    chunk, at = candidate.chunk, candidate.position
    first = last = at
    if LEANS_BACK.match(_text(chunk, at)) and _joined(chunk, at - 1):
        first -= 1
    while _joined(chunk, first - 1) and _replies(chunk, first):
        first -= 1
    if candidate.plain.endswith("?") or (BARE_REPLY.match(_text(chunk, at)) and _joined(chunk, at)):
        last += 1
    if BARE_REPLY.match(_text(chunk, last)) and last > at and _joined(chunk, last):
        last += 1
    if _joined(chunk, last) and _belongs(_text(chunk, last + 1), candidate, evidence):
        last += 1
    spans = _apart(chunk, first, last)
    if last > at and _leads_on(chunk, last):
        end = _end_of_list(chunk, last, _span(chunk, last))
        spans[-1] = (spans[-1][0], chunk.sentences[end].end)
        return spans
    return spans + _exceptions(chunk, last)


def _exceptions(chunk: Chunk, last: int) -> list[tuple[int, int]]:
    """The sentence soon after another that names exceptions to it, with their list."""
    for at in range(last + 1, last + _SOON + 1):
        if not _joined(chunk, at - 1):
            break
        if EXCEPTIONS.match(_text(chunk, at)):
            end = _end_of_list(chunk, at, _span(chunk, at)) if _leads_on(chunk, at) else at
            return [_from_to(chunk, at, end)]
    return []


def _apart(chunk: Chunk, first: int, last: int) -> list[tuple[int, int]]:
    """These sentences one by one; a question stays with its answer, and "No." with its reason."""
    spans = []
    for at in range(first, last + 1):
        text = _text(chunk, at)
        if at < last and (text.endswith("?") or BARE_REPLY.match(text)):
            continue
        spans.append(_from_to(chunk, first, at))
        first = at + 1
    return spans


def _joined(chunk: Chunk, at: int) -> bool:
    """Whether a sentence and the next one are prose, or stand in the same list entry."""
    if not 0 <= at < len(chunk.sentences) - 1:
        return False
    one, other = chunk.sentences[at], chunk.sentences[at + 1]
    if one.kind == other.kind == "item":
        return not chunk.text[one.end - chunk.start : other.start - chunk.start].strip()
    return one.kind == other.kind == "paragraph"


def _replies(chunk: Chunk, at: int) -> bool:
    """Whether a sentence is half of a reply, the other half being the one before it."""
    before = _text(chunk, at - 1)
    return bool(
        BARE_REPLY.match(before) or (before.endswith("?") and REPLY.match(_text(chunk, at)))
    )


def _after_the_list(chunk: Chunk, end: int) -> list[tuple[int, int]]:
    """The sentence after the list or table in which a quotation ends, if it limits the entries."""
    at = next(i for i, sentence in enumerate(chunk.sentences) if sentence.end >= end)
    after, entries = at, ("item", "row")
    while after < len(chunk.sentences) and chunk.sentences[after].kind in entries:
        after += 1
    if after in (at, len(chunk.sentences)) or chunk.sentences[after].kind != "paragraph":
        return []
    text = _text(chunk, after)
    return [_span(chunk, after)] if EXCEPTION.match(text) or AFTER_A_LIST.search(text) else []


def _belongs(follows: str, candidate: Candidate, evidence: Evidence) -> bool:
    """Whether the next sentence is an exception, goes on defining, or says more of what is sought.

    "Up to three days", and then "in the first month one day", to somebody who asks about the first
    month.
    """
    return bool(
        EXCEPTION.match(follows)
        or (evidence.kind == "definition" and GOES_ON.match(follows))
        or _sought(candidate, evidence).intersection(terms(follows))
    )


def _span(chunk: Chunk, position: int) -> tuple[int, int]:
    return chunk.sentences[position].start, chunk.sentences[position].end


def _from_to(chunk: Chunk, first: int, last: int) -> tuple[int, int]:
    return chunk.sentences[first].start, chunk.sentences[last].end


def _text(chunk: Chunk, position: int) -> str:
    """A sentence without markup and number; nothing beside the passage."""
    if not 0 <= position < len(chunk.sentences):
        return ""
    return without_number(plain_sentences(chunk)[position])


def _words(chunk: Chunk, first: int, last: int) -> int:
    return sum(len(_text(chunk, i).split()) for i in range(first, last + 1))


def _leads_on(chunk: Chunk, at: int) -> bool:
    """Whether entries follow that the sentence leads in to."""
    follows = chunk.sentences[at + 1 : at + 2]
    return chunk.sentences[at].kind != "row" and any(
        one.lead == _span(chunk, at) or _text(chunk, at).endswith(":") for one in follows
    )


def _start_of_list(chunk: Chunk, at: int) -> int:
    """The lead-in of the list around `at`, or its first entry."""
    lead = chunk.sentences[at].lead
    for before in reversed(range(at)):
        if _span(chunk, before) == lead:
            return before
        if chunk.sentences[before].kind != "item":
            return before + 1
    return 0


def _end_of_list(chunk: Chunk, at: int, lead: tuple[int, int] | None) -> int:
    """The last entry that a lead-in or its entries lead in to, or as many as there is room for."""
    under, words = {lead}, 0
    while at + 1 < len(chunk.sentences):
        follows = chunk.sentences[at + 1]
        words += len(_text(chunk, at + 1).split())
        entry = follows.kind == "row" or (follows.kind == "item" and follows.lead in under)
        if not entry or words > _MOST_WORDS_OF_LIST:
            break
        at += 1
        under.add(_span(chunk, at))
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
