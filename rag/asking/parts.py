"""The questions that one question asks: "who pays, and by when?" is two.

A question is cut where another one may begin: behind "and" or "or", unless a veto says that the
clause only goes on, and behind a question mark. What follows that mark is a part only if it asks:
thanks are left out, and what somebody says of themselves ("Who approves trips? I am an intern.")
stays with the question before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.asking.conversation import Understood, asks_nothing

_WORDS = r"what|how|who|whom|where|why|which"
_VERB = r"(?:is|are|was|were|do|does|did|has|have|can|could|must|may|should|will|would)\b"
_SUBJECT = (
    r"(?:i|you|he|she|it|we|they|there|one|this|that|these|those|the|my|your|his|her|its|our|their|"
    r"any|all|each|every|both)\b"
)
_BEFORE = (
    r"(?:for|by|at|to|from|until|in|on|with|within|under|after|before|since|of|against|up\s+to)\s+"
)
# "… and when I return" and "… and are used for work" only go on.
_ASKED = rf"{_BEFORE}when\b|when(?:\s+{_VERB}|[?.]?$)|{_VERB}\s+{_SUBJECT}"
_MAY_CUT = re.compile(
    r"(?:(?P<comma>,)\s*|\s+)(?:and|or)\s+"
    r"(?=(?:(?:if|once|in case|after|before|when)\b[^,?]*,\s*)?"
    rf"(?:(?:{_BEFORE})?(?P<word>{_WORDS})\b|{_ASKED}))"
    r"|(?<=\?)\s+(?=\w)",
    re.IGNORECASE,
)
_REQUEST = (
    r"(?:(?:tell|show|give|send|remind) (?:me|us)|explain|describe|list|define|compare|"
    r"summari[sz]e|name (?:the|all)|"
    r"i (?:\w+ )?(?:want|need|like|wish) to (?:know|learn|hear|understand)|"
    r"i (?:wonder|am wondering|am not sure|do(?: not|n['’]t) know))\b"
)
_BEGINS_TO_ASK = re.compile(
    r"(?:(?:and|or|but|so|also|then|please|okay|ok|well|now),?\s+)*"
    # "How long is it", but not "How I see it: …".
    rf"(?:(?:{_BEFORE})?(?:{_WORDS})\b(?!\s+{_SUBJECT})|{_ASKED}|{_REQUEST})",
    re.IGNORECASE,
)
_ASKS_ANYWHERE = re.compile(
    rf"^{_VERB}|\b(?:{_WORDS}|when)\b|\b{_VERB}\s+{_SUBJECT}|\b{_REQUEST}", re.IGNORECASE
)
_QUESTION_WORD = re.compile(rf"\b(?:{_WORDS}|when)\b", re.IGNORECASE)
# Where something else is asked for first, what it says of "what" may go on: "the list of what …".
_ASKS_OTHERWISE = re.compile(
    rf"(?:{_WORDS}|when)\b|{_VERB}|.*\b(?:of|on|about)\s+what\b", re.IGNORECASE
)
# What an indirect question follows: "tell me who …", "I am not sure by when …".
_ASKING = re.compile(
    r"\b(?:(?:tell|show|remind) (?:me|us)|(?:know|say|explain|wonder(?:ing)?|ask|find out|sure)"
    rf"(?: to)?(?: (?:me|us|you))?)\s+(?:{_BEFORE})?$",
    re.IGNORECASE,
)
# With a capital it is the month.
_LACKS_VERB = re.compile(r"\b(?:can|could|may|might|must|shall|should)$")
_LEAST_WORDS_OF_PART = 3
# "Who decides, and …", but not "How much, and …", "By when and …": they lack their verb.
_SHORT_FIRST = re.compile(r"(?:who|what|where|why)\s+[\w'’]+$", re.IGNORECASE)
_SHORT_NEXT = re.compile(rf"(?:{_BEFORE})?(?:{_WORDS}|when)\b[?.]?$", re.IGNORECASE)
_MOST_PARTS = 3
_WHOLE_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where a clause may begin a question of its own.

    Attributes:
        before: the question so far, since the last cut.
        word: the question word that the clause begins with, in lower case; "" without one.
        comma: "…, and who", not "… and who".
    """

    before: str
    word: str
    comma: bool


def split_parts(understood: Understood) -> tuple[Understood, ...]:
    """The questions that one question asks.

    Each part is searched for together with the whole, and understood with the part before it: "how
    long is it baked, and at what temperature?" asks for no other temperature.

    Returns:
        One to three questions in order; `understood` itself if it asks one thing and nothing else.
    """
    question = understood.question
    pieces = _pieces(question)
    if pieces == [question] or not 1 <= len(pieces) <= _MOST_PARTS:
        return (understood,)
    whole = [(question, _WHOLE_WEIGHT)] if len(pieces) > 1 else []
    parts = []
    for piece, previous in zip(pieces, ["", *pieces], strict=False):
        before = f"{understood.before} {previous}".strip()
        parts.append(
            Understood(
                question=piece,
                standalone=f"{before} {piece}".strip(),
                queries=((piece, 1.0), *whole, *understood.queries[1:]),
                leans=understood.leans,
                before=before,
            )
        )
    return tuple(parts)


def _pieces(question: str) -> list[str]:
    """A question cut where another one begins, without thanks.

    No piece is very short, unless it asks all the same: "Who decides, and by when?".
    """
    spans: list[tuple[int, int]] = []
    for start, end in _clauses(question):
        clause = question[start:end]
        if asks_nothing(clause):
            continue
        asks = _asks(clause) if question[:start].rstrip().endswith("?") else True
        if not spans:
            # "Are you sure? I heard otherwise." is one.
            spans.append((start if asks else 0, end))
        elif asks and _may_part(question[slice(*spans[-1])], clause):
            spans.append((start, end))
        else:
            spans[-1] = (spans[-1][0], end)
    return [question[start:end] for start, end in spans]


def _clauses(question: str) -> list[tuple[int, int]]:
    """Where the clauses stand that may ask, and the sentences behind a question mark."""
    clauses, start = [], 0
    for found in _MAY_CUT.finditer(question):
        before = question[start : found.start()]
        cut = _Cut(before, (found["word"] or "").lower(), found["comma"] is not None)
        if before.endswith("?") or not any(vetoed(cut) for vetoed in _VETOES):
            clauses.append((start, found.start()))
            start = found.end()
    return [*clauses, (start, len(question))]


def _asks(sentence: str) -> bool:
    return sentence.endswith("?") or bool(_BEGINS_TO_ASK.match(sentence))


def _may_part(before: str, clause: str) -> bool:
    """Whether two clauses are long enough, or plain enough, to be questions of their own."""
    return (not _is_short(before) or bool(_SHORT_FIRST.match(before))) and (
        not _is_short(clause) or (bool(_SHORT_NEXT.match(clause)) and not before.endswith("?"))
    )


def _is_short(clause: str) -> bool:
    return len(clause.split()) < _LEAST_WORDS_OF_PART


def _only_said(cut: _Cut) -> bool:
    """Nothing is asked before it: "I just joined, and who pays my trip?"."""
    return not _ASKS_ANYWHERE.search(cut.before)


def _yes_or_no(cut: _Cut) -> bool:
    """No question word on either side: "Is the gym open or is it shut?"."""
    return not cut.word and not _QUESTION_WORD.search(cut.before)


def _shares_its_verb(cut: _Cut) -> bool:
    """The clause before it has no verb of its own: "Tell me what I can and what I cannot post."."""
    return bool(cut.word and not cut.comma and _LACKS_VERB.search(cut.before))


def _goes_on_alike(cut: _Cut) -> bool:
    """A clause inside the question begins so, too: "Do you pay staff who drive and who fly?".

    Behind one word or none it is the question that begins so: "under what conditions". So it is
    behind "tell me", and for "what" where nothing else asks before it. "How" and "why" always ask.
    """
    if cut.comma or cut.word in ("", "how", "why"):
        return False
    if cut.word == "what" and not _ASKS_OTHERWISE.match(cut.before):
        return False
    alike = re.finditer(rf"(?<=\w\s)\w+\s+(?={cut.word}\b)", cut.before, re.IGNORECASE)
    return any(not _ASKING.search(cut.before[: found.end()]) for found in alike)


def _is_set_phrase(cut: _Cut) -> bool:
    """It is "if and when"."""
    return cut.before.lower().endswith(" if")


_VETOES = (_only_said, _is_set_phrase, _yes_or_no, _shares_its_verb, _goes_on_alike)
