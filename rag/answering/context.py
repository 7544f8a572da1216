"""What a sentence cannot be understood or trusted without, and is quoted with."""

from __future__ import annotations

import re

from rag.answering.evidence import Candidate, Evidence
from rag.connectives import (
    AFTER_A_LIST,
    BARE_REPLY,
    EXCEPTION,
    EXCEPTIONS,
    GOES_ON,
    LEANS_BACK,
    LIMITS,
    REPLY,
    without_number,
)
from rag.embedding import plain_sentence
from rag.store.lexical import terms
from rag.types import Chunk

Span = tuple[int, int]
"""[start, end) in the canonical text."""

_MOST_WORDS_OF_LIST = 110
_SOON = 3
"""So many sentences later a rule's exceptions may come."""
_RARE = 0.5
"""Terms at least so rare, the rarest of the question being 1, are what it is about."""
_LABEL_WORDS = 2
_ENTRIES = ("item", "row")

_NUMBER = re.compile(r"\(?(\d{1,3}(?:\.\d{1,3})*|[a-z])[.)]?\s", re.IGNORECASE)
_EXCEPTED = re.compile(
    r"(?:paragraph|section|number|rule|article|clause)s?\b([^.]*?)\b(?:do|does|shall) not\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|this|that|these|those|they|them|such|the above)\b", re.IGNORECASE
)
_MODAL = frozenset(terms("may must need not no only"))


def in_context(candidate: Candidate, evidence: Evidence) -> list[Span]:
    """The spans to quote for a sentence, in the order of the text; they do not overlap."""
    chunk, at = candidate.chunk, candidate.position
    first, spans = at, [_span(chunk, at)]
    if _leads_on(chunk, at):
        spans = [_from_to(chunk, at, _end_of_list(chunk, at))]
    elif _asks_for_the_list(candidate, evidence):
        first = _start_of_list(chunk, at)
        last = _end_of_list(chunk, first)
        if at <= last:
            spans = [_from_to(chunk, first, last)]
        else:
            first = at
    elif chunk.sentences[at].kind != "row":
        spans = _with_neighbours(candidate, evidence)
    sentence = chunk.sentences[first]
    leads = [*sentence.above, *([sentence.lead] if sentence.lead else [])]
    spans = [*(lead for lead in leads if lead[0] < spans[0][0]), *spans]
    spans += _after_the_list(chunk, at, spans)
    return spans + [one for one in _by_number(chunk, at) if one[0] >= spans[-1][1]]


def _asks_for_the_list(candidate: Candidate, evidence: Evidence) -> bool:
    """Whether the entries beside an entry are part of the answer."""
    return candidate.sentence.kind == "item" and evidence.kind in ("list", "procedure")


def _with_neighbours(candidate: Candidate, evidence: Evidence) -> list[Span]:
    """A sentence with what it leans on, and with what follows and belongs to it."""
    chunk, at = candidate.chunk, candidate.position
    first = last = at
    if LEANS_BACK.match(_text(chunk, at)) and _joined(chunk, at - 1):
        first -= 1
    while _joined(chunk, first - 1) and _replies(chunk, first):
        first -= 1
    if candidate.plain.endswith("?") and candidate.sentence.kind == "paragraph":
        last += 1
    if _is_half(_text(chunk, last)) and _goes_on(chunk, last):
        last += 1
    if _goes_on(chunk, last) and _belongs(_text(chunk, last + 1), candidate, evidence):
        last += 1
    spans = _apart(chunk, first, last)
    if last > at and _leads_on(chunk, last):
        spans[-1] = (spans[-1][0], chunk.sentences[_end_of_list(chunk, last)].end)
        return spans
    return spans + _exceptions(chunk, last)


def _apart(chunk: Chunk, first: int, last: int) -> list[Span]:
    """These sentences one by one; a question stays with its answer, and "No." with its reason."""
    spans = []
    for at in range(first, last + 1):
        text = _text(chunk, at)
        if at < last and (text.endswith("?") or _is_half(text)):
            continue
        spans.append(_from_to(chunk, first, at))
        first = at + 1
    return spans


def _is_half(text: str) -> bool:
    """Whether a sentence says nothing without the next one: "No.", or a label, "Opening hours."."""
    label = len(text.split()) <= _LABEL_WORDS and text[:1].isupper() and text.endswith(".")
    return label or bool(BARE_REPLY.match(text))


def _goes_on(chunk: Chunk, at: int) -> bool:
    """Whether the next sentence stands in the same place, and is no new question."""
    return _joined(chunk, at) and not _text(chunk, at + 1).endswith("?")


def _replies(chunk: Chunk, at: int) -> bool:
    """Whether a sentence is half of a reply, the other half being the one before it."""
    before, text = _text(chunk, at - 1), _text(chunk, at)
    if text.endswith("?"):
        return False
    return bool(BARE_REPLY.match(before) or (before.endswith("?") and REPLY.match(text)))


def _joined(chunk: Chunk, at: int) -> bool:
    """Whether a sentence and the next one are prose, or stand in the same list entry."""
    if not 0 <= at < len(chunk.sentences) - 1:
        return False
    one, other = chunk.sentences[at], chunk.sentences[at + 1]
    if one.kind == other.kind == "item":
        return not chunk.text[one.end - chunk.start : other.start - chunk.start].strip()
    return one.kind == other.kind == "paragraph"


def _belongs(follows: str, candidate: Candidate, evidence: Evidence) -> bool:
    """Whether the next sentence is an exception, goes on defining, or says more of what is sought.

    "Up to three days", and then "in the first month one day", to somebody who asks about the first
    month.
    """
    return bool(
        EXCEPTION.match(follows)
        or (LIMITS.match(follows) and _speaks_of(follows, candidate.plain))
        or (evidence.kind == "definition" and GOES_ON.match(follows))
        or _sought(candidate, evidence).intersection(terms(follows))
    )


def _speaks_of(sentence: str, other: str) -> bool:
    """Whether a sentence points back, or shares a word of content with another."""
    shared = set(terms(sentence)).intersection(terms(other)) - _MODAL
    return bool(_POINTS_BACK.search(sentence) or shared)


def _sought(candidate: Candidate, evidence: Evidence) -> set[str]:
    """The rarer terms of the question that neither the sentence nor a heading above it has."""
    rarest = max(evidence.rarities.values(), default=0.0)
    wanted = {term for term, own in evidence.rarities.items() if own >= _RARE * rarest}
    return wanted.difference(terms(" ".join([candidate.plain, *candidate.chunk.headings])))


def _exceptions(chunk: Chunk, last: int) -> list[Span]:
    """The sentence soon after another that names exceptions to it, with their list."""
    for after in range(last + 1, last + _SOON + 1):
        if not _joined(chunk, after - 1):
            break
        if EXCEPTIONS.match(_text(chunk, after)):
            return [_with_list(chunk, after)]
    return []


def _by_number(chunk: Chunk, at: int) -> list[Span]:
    """The later sentence by which the paragraph does not hold: "Paragraph 2 does not apply …"."""
    number = _number(chunk, at)
    for after in range(at + 1, len(chunk.sentences) if number else 0):
        named = _EXCEPTED.match(_text(chunk, after))
        if named and number in _numbers(named[1]):
            return [_with_list(chunk, after)]
    return []


def _with_list(chunk: Chunk, at: int) -> Span:
    end = _end_of_list(chunk, at) if _leads_on(chunk, at) else at
    return _from_to(chunk, at, end)


def _number(chunk: Chunk, at: int) -> str:
    """The number at the beginning of a sentence or in front of its list entry; "" without one."""
    marker = f"{chunk.sentences[at].marker} "
    found = _NUMBER.match(plain_sentence(chunk, at)) or _NUMBER.fullmatch(marker)
    return found[1] if found else ""


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)*", text))


def _after_the_list(chunk: Chunk, at: int, spans: list[Span]) -> list[Span]:
    """The sentence after the list or table in which a quotation ends, if it limits the entries."""
    end = spans[-1][1]
    last = max(i for i, sentence in enumerate(chunk.sentences) if sentence.end <= end)
    last = max(last, at)
    if chunk.sentences[last].kind not in _ENTRIES:
        return []
    after = last + 1
    while after < len(chunk.sentences) and _same_list(chunk, last, after):
        after += 1
    if after == len(chunk.sentences) or chunk.sentences[after].kind != "paragraph":
        return []
    text = _text(chunk, after)
    quoted = " ".join(
        chunk.text[max(0, s - chunk.start) : max(0, e - chunk.start)] for s, e in spans
    )
    limits = AFTER_A_LIST.search(text) or LIMITS.match(text)
    marks = {f"({mark})" for i in range(last + 1) if (mark := _number(chunk, i))}
    spoken_of = _speaks_of(text, quoted) or any(mark in text for mark in marks)
    # "except with the consent of the head." goes on with the sentence that the list is part of.
    comes = EXCEPTION.match(text) or (limits and (spoken_of or text[:1].islower()))
    return [_span(chunk, after)] if comes else []


def _same_list(chunk: Chunk, at: int, after: int) -> bool:
    one, other = chunk.sentences[at], chunk.sentences[after]
    # A row without a header above it begins another table.
    return one.kind == other.kind and (one.kind != "row" or other.lead is not None)


def _span(chunk: Chunk, at: int) -> Span:
    return chunk.sentences[at].start, chunk.sentences[at].end


def _from_to(chunk: Chunk, first: int, last: int) -> Span:
    return chunk.sentences[first].start, chunk.sentences[last].end


def _text(chunk: Chunk, at: int) -> str:
    """A sentence without markup and number; nothing beside the passage."""
    if not 0 <= at < len(chunk.sentences):
        return ""
    return without_number(plain_sentence(chunk, at))


def _leads_on(chunk: Chunk, at: int) -> bool:
    """Whether entries follow that the sentence leads in to."""
    follows = chunk.sentences[at + 1 : at + 2]
    return chunk.sentences[at].kind != "row" and any(
        one.lead == _span(chunk, at) or (one.kind == "row" and _text(chunk, at).endswith(":"))
        for one in follows
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


def _end_of_list(chunk: Chunk, first: int) -> int:
    """The last entry of the list that begins with a lead-in or an entry, as far as there is room.

    Entries under its entries are part of it.
    """
    sentence = chunk.sentences[first]
    under = {_span(chunk, first)}
    if not _leads_on(chunk, first):
        under.add(sentence.lead or (-1, -1))
    last, words = first, 0
    while last + 1 < len(chunk.sentences):
        follows = chunk.sentences[last + 1]
        words += len(_text(chunk, last + 1).split())
        entry = follows.kind == "row" or (
            follows.kind == "item" and (follows.lead or (-1, -1)) in under
        )
        if not entry or words > _MOST_WORDS_OF_LIST:
            break
        last += 1
        under.add(_span(chunk, last))
    return last
