"""What a sentence cannot be understood or trusted without, and is quoted with.

| the answer is | quoted with it |
| --- | --- |
| a lead-in | the entries: "You need:" with "a form" and "a stamp" |
| an entry, where a list is asked for | the whole list |
| a condition of which all must hold | all: "You may go if (a) it is late; and (b) you are ill" |
| what leans back | the sentence before, or the list: "It is paid.", "In these cases …" |
| a reply, speech | its question, label or speaker: see `turns` |
| "No." | its reason: "Is gear paid for? No. It is lent." |
| a question or label | what answers it: "Opening hours. From nine to five." |
| any other sentence | the next one, if it takes it back or says more: "However, not all." |
| what was proposed or held before | what became of it: "It was rejected.", "From May it is 9." |
| a rule | its exceptions soon after: "There are two exceptions:", "Cats are excluded from this." |
| words that close a list | the list: "who (a) smoke or (b) shout" with "pay 80 euros." |

Whatever it is, what leads in to it stands before it ("Staff must not", "Kind | Years"), and behind
it what limits the list that it ends in ("The head may waive these limits."), what its numbers name
("Paragraph 2 does not apply to garages.", see `numbered`) and the notes that its marks point to.
"""

from __future__ import annotations

import re
from itertools import pairwise

from rag.answering.evidence import Candidate, Evidence
from rag.answering.numbered import named_by, numbers_taken_back, takes_back
from rag.answering.places import Place, Span, after_the_list, end_of_list, start_of_list
from rag.answering.turns import asked_in_turn, in_one_block, is_half, is_label, opener
from rag.answering.whole_lists import wants_whole_list
from rag.store.lexical import terms
from rag.text.connectives import (
    ANNOUNCES_EXCEPTIONS,
    BARE_REPLY,
    EXEMPTS,
    GOES_ON,
    HELD,
    HOLDS_NOW,
    LIMITS,
    LIMITS_ENTRIES,
    OPENS_EXCEPTION,
    OPPOSES,
    POINTS_AT_SEVERAL,
    REPLY,
    TAKES_BACK_EARLIER,
    VERDICT,
    leans_back,
    points_back,
)

_SOON = 3
"""So many sentences later a rule's exceptions may come."""
_CHAIN = 3
"""So many sentences back what a sentence leans on may lean on others."""
_REPLY_SENTENCES = 3
"""So many sentences of the reply to a question are quoted with it."""
_FEW_WORDS = 5
"""A reply of no more words says little: "We do not know."."""
_RARE = 0.5
"""Terms at least so rare, the rarest of the question being 1, are what it is about."""
_ENTRIES = ("item", "row")
_NOTE = re.compile(r"\\?(\[\^[\w-]+\]|[¹²³⁴-⁹]+|\*{1,3}(?=\s)|[†‡])")
_MODAL = frozenset(terms("may must need not no only"))
_HOLD = frozenset(terms("apply hold"))
_SENTENCE_ENDS = tuple(".!?")


def in_context(candidate: Candidate, evidence: Evidence) -> list[Span]:
    """The spans to quote for a sentence, in the order of the text; they do not overlap."""
    place = Place(candidate.chunk, candidate.position)
    led, spans = _quoted(place, candidate, evidence)
    spans = [*_leads(led, spans[0][0]), *spans]
    spans += _limit_of_the_list(place, spans)
    spans += [_with_list(one) for one in _named(place)]
    return _in_order(spans + _notes(place, spans))


def _quoted(place: Place, candidate: Candidate, evidence: Evidence) -> tuple[Place, list[Span]]:
    """The sentence with its list or neighbours, and the place of which the leads are needed."""
    kind = place.sentence.kind
    if place.is_lead:
        return place, [*_before_lead(place), place.to(end_of_list(place))]
    if kind == "item" and wants_whole_list(place, candidate, evidence):
        first = start_of_list(place)
        last = end_of_list(first)
        return (first, [first.to(last)]) if place.at <= last.at else (place, [place.span])
    return place, [place.span] if kind == "row" else _with_neighbours(place, candidate, evidence)


def _leads(led: Place, start: int) -> list[Span]:
    """What leads in to a place and stands before `start`, with what that leans on."""
    sentence = led.sentence
    leads = [
        lead
        for lead in (*sentence.above, *([sentence.lead] if sentence.lead else []))
        if lead[0] < start
    ]
    places = (Place(led.chunk, at) for at in range(led.at))
    leaning = next((one for one in places if leads and one.span == leads[0]), None)
    return [*(_before_lead(leaning) if leaning else []), *leads]


def _leant_on(place: Place) -> tuple[Place, list[Span]]:
    """The first of the sentences that one leans on, and the list that this leans on, if it does."""
    first = place
    for _ in range(_CHAIN):
        if not (leans_back(first.text) or _closes_list(first)):
            break
        before = first.joined_before
        if before is None:
            return first, _list_before(first)
        first = before
    return first, []


def _before_lead(lead: Place) -> list[Span]:
    """What a lead-in leans on: "Leave lapses." and then "This does not apply where"."""
    first, listed = _leant_on(lead)
    return listed + [Place(lead.chunk, at).span for at in range(first.at, lead.at)]


def _list_before(place: Place) -> list[Span]:
    """The list that a sentence stands behind and means or ends, if there is room."""
    last = Place(place.chunk, place.at - 1) if place.at else place
    if place.sentence.kind != "paragraph" or last.sentence.kind != "item":
        return []
    text = place.text
    if not (
        _closes_list(place)
        or POINTS_AT_SEVERAL.match(text)
        or (OPENS_EXCEPTION.match(text) and points_back(text))
    ):
        return []
    first = start_of_list(last)
    return (
        [*_leads(first, first.sentence.start), first.to(last)] if end_of_list(first) == last else []
    )


def _closes_list(place: Place) -> bool:
    """Whether it ends the sentence that a list is part of: "are not refunded." in small letters."""
    if not place.at or place.sentence.kind != "paragraph" or not _begins_small(place.text):
        return False
    last = Place(place.chunk, place.at - 1)
    return last.sentence.kind == "item" and not last.text.endswith(_SENTENCE_ENDS)


def _begins_small(text: str) -> bool:
    """Whether the first word has small letters only, unlike "iPads"."""
    return bool(text) and text.split()[0].islower()


def _with_neighbours(place: Place, candidate: Candidate, evidence: Evidence) -> list[Span]:
    """A sentence with what it leans on, and with what follows and belongs to it."""
    last = place
    first, earlier = _leant_on(place)
    while (before := first.joined_before) and is_half(before, first):
        first = before
    if opens := opener(first):
        earlier = [opens.span]
    if place.sentence.kind == "paragraph" and place.text.endswith("?") and place.next:
        last = _end_of_reply(place.next)
    if _is_half(last.text) and (reason := _next_statement(last)):
        last = reason
    if (more := _next_statement(last)) and _belongs(last, more, candidate, evidence):
        last = more
    spans = earlier + _apart(first, last)
    if last.at > place.at and last.is_lead:
        return [*spans[:-1], (spans[-1][0], end_of_list(last).sentence.end)]
    asks = asked_in_turn(last)
    replies = [asks.to(_end_of_reply(reply))] if asks and (reply := asks.next) else []
    return spans + _exceptions(place, last) + replies


def _end_of_reply(first: Place) -> Place:
    """The last sentence of a reply to a question, as far as there is room.

    It is a block of its own, or goes on where the next sentence leans back or the first says little
    ("We do not know.").
    """
    last, asked = first, first.joined_before
    alone = asked is not None and not in_one_block(asked, first)
    for _ in range(_REPLY_SENTENCES - 1):
        following = _next_statement(last)
        if following is None or not in_one_block(last, following):
            break
        little = (
            first is last and len(first.text.split()) <= _FEW_WORDS and not REPLY.match(first.text)
        )
        if not (alone or little or leans_back(following.text)):
            break
        last = following
    return last


def _apart(first: Place, last: Place) -> list[Span]:
    """These sentences one by one; a question stays with its answer, and "No." with its reason."""
    spans, start, place = [], first, first
    while place.at < last.at and (following := place.next):
        text = place.text
        if not (text.endswith("?") or _is_half(text)):
            spans.append(start.to(place))
            start = following
        place = following
    return [*spans, start.to(last)]


def _is_half(text: str) -> bool:
    """Whether a sentence says nothing without the next one: "No.", or a label, "Opening hours."."""
    return is_label(text) or bool(BARE_REPLY.match(text))


def _next_statement(place: Place) -> Place | None:
    """The next sentence, if it stands in the same place, and is no new question."""
    following = place.joined
    return following if following and not following.text.endswith("?") else None


def _belongs(last: Place, more: Place, candidate: Candidate, evidence: Evidence) -> bool:
    """Whether the next sentence is an exception, goes on defining, or says more of what is sought.

    "Up to three days", and then "in the first month one day", to somebody who asks about the first
    month.
    """
    follows = more.text
    if (named := numbers_taken_back(more)) and last.number:
        return last.number in named
    return bool(
        OPENS_EXCEPTION.match(follows)
        or VERDICT.match(follows)
        or EXEMPTS.search(follows)
        or OPPOSES.search(follows)
        or (
            HELD.search(last.text)
            and HOLDS_NOW.search(follows)
            and _speaks_of(follows, candidate.plain)
        )
        or (
            (LIMITS.match(follows) or LIMITS_ENTRIES.search(follows))
            and _speaks_of(follows, candidate.plain)
        )
        or (evidence.kind == "definition" and GOES_ON.match(follows))
        or _sought(candidate, evidence).intersection(terms(follows))
    )


def _speaks_of(sentence: str, other: str) -> bool:
    """Whether a sentence points back, or shares a word of content with another."""
    shared = set(terms(sentence)).intersection(terms(other)) - _MODAL
    return bool(shared) or points_back(sentence)


def _sought(candidate: Candidate, evidence: Evidence) -> set[str]:
    """The rarer terms of the question that neither the sentence nor a heading above it has."""
    rarest = max(evidence.rarities.values(), default=0.0)
    wanted = {term for term, own in evidence.rarities.items() if own >= _RARE * rarest}
    return wanted.difference(terms(" ".join([candidate.plain, *candidate.chunk.headings])))


def _exceptions(rule: Place, last: Place) -> list[Span]:
    """The sentence soon after those quoted that names exceptions to a rule, with their list."""
    place = last.joined
    for _ in range(_SOON):
        if place is None:
            break
        if ANNOUNCES_EXCEPTIONS.match(place.text) or _takes_back(place, rule):
            return [_with_list(place)]
        place = place.joined
    return []


def _takes_back(later: Place, rule: Place) -> bool:
    """Whether a later sentence of the same paragraph takes back a rule.

    "Guests are excluded from this." does. "This does not apply …" may mean any sentence before it:
    it speaks of the rule if it shares a word with it that none between them has.
    """
    between = [Place(rule.chunk, at) for at in range(rule.at + 1, later.at)]
    path = [rule, *between, later]
    if not all(in_one_block(one, following) for one, following in pairwise(path)):
        return False
    if (exempts := EXEMPTS.search(later.text)) and exempts["of"]:
        return True
    shared = set(terms(later.text)).intersection(terms(rule.text)) - _MODAL - _HOLD
    said = terms(" ".join(one.text for one in between))
    return bool(TAKES_BACK_EARLIER.match(later.text) and shared.difference(said))


def _named(place: Place) -> list[Place]:
    """What limits a sentence or is limited by it, as one names the number of the other."""
    later = takes_back(place)
    return [*named_by(place), *([later] if later else [])]


def _notes(place: Place, spans: list[Span]) -> list[Span]:
    """The notes of the passage that marks in these spans point to: "¹ Longer where …"."""
    text, start = place.chunk.text, place.chunk.start
    quoted = [place.chunk.cut(*span) for span in spans]
    notes = []
    for sentence in place.chunk.sentences:
        mark = _NOTE.match(text, sentence.start - start, sentence.end - start)
        if mark is None:
            continue
        pointing = re.compile(rf"(?<=[^\s*]){re.escape(mark[1])}(?![\w*¹²³⁴-⁹])")
        if any(pointing.search(one) for one in quoted):
            notes.append((sentence.start, sentence.end))
    return notes


def _in_order(spans: list[Span]) -> list[Span]:
    """Spans as they stand in the text; those that overlap as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _with_list(place: Place) -> Span:
    return place.to(end_of_list(place)) if place.is_lead else place.span


def _limit_of_the_list(place: Place, spans: list[Span]) -> list[Span]:
    """The sentence after the list or table in which a quotation ends, if it limits the entries."""
    chunk, last = place.chunk, place
    while (after := last.next) and after.sentence.end <= spans[-1][1]:
        last = after
    if last.sentence.kind not in _ENTRIES:
        return []
    after_list = after_the_list(last)
    if after_list is None or after_list.sentence.kind != "paragraph":
        return []
    text = after_list.text
    quoted_entries = (Place(chunk, at) for at in range(last.at + 1))
    numbers = {one.number for one in quoted_entries if _is_within(one, spans)}
    if named := numbers_taken_back(after_list):
        return [after_list.span] if named & numbers else []
    if OPENS_EXCEPTION.match(text) or _closes_list(after_list):
        return [after_list.span]
    if not (LIMITS_ENTRIES.search(text) or LIMITS.match(text)):
        return []
    quoted = " ".join(chunk.cut(*span) for span in spans)
    # "except with the consent of the head." goes on with the sentence that the list is part of.
    comes = text[:1].islower() or _speaks_of(text, quoted) or _names_an_entry(text, last)
    return [after_list.span] if comes else []


def _is_within(place: Place, spans: list[Span]) -> bool:
    start, end = place.span
    return any(left <= start and end <= right for left, right in spans)


def _names_an_entry(text: str, last: Place) -> bool:
    """Whether a text names this entry or one before it: "The head may waive (b)."."""
    entries = (Place(last.chunk, at) for at in range(last.at + 1))
    return any((number := entry.number) and f"({number})" in text for entry in entries)
