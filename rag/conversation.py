"""What a question means in its conversation, without a language model.

A question that leans on the turns before it ("and for contractors?") is understood together with
them: the search adds up the scores of the earlier questions with falling weights, and the reader
is given what it leans on as well: the question before it, and where that only goes on from an
earlier one, that too. "Thanks" and the like ask nothing, so that nothing can answer them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.store.lexical import WORD, terms
from rag.types import Turn

_REFERENCE = re.compile(
    r"\b(?:it|its|it's|they|them|their|theirs|that|this|those|these|there|he|him|his|she|her|"
    r"one|ones|same|such|either|both|former|latter|else|otherwise|instead|then|too|so)\b",
    re.IGNORECASE,
)
_CONTINUATION = re.compile(
    r"\s*(?:and|but|or|so|also|what about|how about|what if|what else|why not|"
    r"no,|i mean|i meant|sorry|actually)\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|this|these|that|those|he|him|his|she|her)\b", re.IGNORECASE
)
_ASKS_NOTHING = frozenset(
    "thanks thank thx you very much so many a lot for your help helpful that's great good perfect "
    "ok okay yes no please sure are got it i see understood hello hi hey bye goodbye".split()
)
"""A turn of nothing but these words thanks, agrees, greets, or doubts ("Are you sure?")."""
# From a shell's odd bytes or JSON's "\ud800": no tokenizer takes them.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_FEW_WORDS = 3
_LONGEST_MEMORY = 3


@dataclass(frozen=True)
class Understood:
    """A question as it is searched for.

    Attributes:
        question: as it was asked.
        standalone: readable without the conversation; equal to `question` if it stands alone, ""
            if it asks nothing.
        queries: what is searched for, with weights; the question itself first, with weight 1.
        leans: True if the question cannot be understood without the conversation.
        before: the earlier questions, or parts of this one, that it is to be understood with,
            oldest first; "" if it stands alone.
    """

    question: str
    standalone: str
    queries: tuple[tuple[str, float], ...]
    leans: bool
    before: str = ""

    @property
    def for_reader(self) -> str:
        """The question as the reader was trained to see it."""
        return f"{self.before} ; {self.question}" if self.before else self.question


def understand(
    question: str,
    history: Sequence[Turn] = (),
    leaning_weight: float = 0.4,
    topic_weight: float = 0.3,
) -> Understood:
    """Read a question in its conversation.

    Args:
        question: the last turn.
        history: the turns before it, oldest first.
        leaning_weight: weight of the question before, if this one leans on it; the one before
            that gets its square, and so on. What a question only goes on from has its weight.
        topic_weight: the same for a question that could stand alone: the topic lingers.
    """
    question = _one_line(question)
    if _asks_nothing(question):
        return Understood(question, "", ((question, 1.0),), leans=False)
    asked = [_one_line(turn["content"]) for turn in history if turn["role"] == "user"]
    earlier = [text for text in reversed(asked) if not _asks_nothing(text)][:_LONGEST_MEMORY]
    if not earlier:
        return Understood(question, question, ((question, 1.0),), leans=False)
    leans = leans_on_history(question)
    weight = leaning_weight if leans else topic_weight
    queries, age = [(question, 1.0)], 1
    for text in earlier:
        queries.append((text, weight**age))
        # What only goes on from the question before it takes no weight from that.
        age += not _CONTINUATION.match(text)
    before = _leant_on(earlier) if leans else ""
    standalone = f"{before} {question}".strip()
    return Understood(question, standalone, tuple(queries), leans, before)


def _leant_on(earlier: Sequence[str]) -> str:
    """The last question; where that goes on from the one before ("and for interns?"), that too.

    Args:
        earlier: questions, the last one first; not empty.
    """
    count = 1
    while count < len(earlier) and _goes_on(earlier[count - 1]):
        count += 1
    return " ".join(reversed(earlier[:count]))


def _goes_on(question: str) -> bool:
    """True if a question's subject stands in the one before: "and then?", "who issues it?"."""
    return bool(
        _CONTINUATION.match(question)
        or (_POINTS_BACK.search(question) and len(terms(question)) <= _FEW_WORDS)
    )


def _asks_nothing(turn: str) -> bool:
    """True for a turn of such words only, or of none ("👍")."""
    return _ASKS_NOTHING.issuperset(WORD.findall(turn.lower().replace("’", "'")))


def _one_line(text: str) -> str:
    return " ".join(_LONE_SURROGATE.sub("\ufffd", text).split())


_VERB = r"(?:is|are|was|were|do|does|did|has|have|can|could|must|may|should|will|would)\b"
_SUBJECT = (
    r"(?:i|you|he|she|it|we|they|there|one|this|that|these|those|the|my|your|his|her|its|our|their|"
    r"any|all|each|every|both)\b"
)
_BEFORE = r"(?:for|by|at|to|from|until|in)\s+"
_NEXT_PART = re.compile(
    r"(?:,\s*|\s+)(?:and|or)\s+"
    r"(?=(?:(?:if|once|in case|after|before|when)\b[^,?]*,\s*)?"
    rf"(?:(?:{_BEFORE})?(?P<word>what|how|who|whom|where|why|which)\b|{_BEFORE}when\b"
    # "… and when I return" and "… and are used for work" only go on.
    rf"|when\s+{_VERB}|{_VERB}\s+{_SUBJECT}))"
    r"|(?<=\?)\s+(?=\w)",
    re.IGNORECASE,
)
# Where something else is asked for first, what it says of "what" may go on: "the list of what …".
_ASKS_OTHERWISE = re.compile(
    rf"(?:what|how|when|who|whom|where|why|which)\b|{_VERB}|.*\b(?:of|on|about)\s+what\b",
    re.IGNORECASE,
)
# What an indirect question follows: "tell me who …", "I am not sure by when …".
_ASKING = re.compile(
    r"\b(?:(?:tell|show|remind) (?:me|us)|(?:know|say|explain|wonder(?:ing)?|ask|find out|sure)"
    rf"(?: to)?(?: (?:me|us|you))?)\s+(?:{_BEFORE})?$",
    re.IGNORECASE,
)
# "what I can" shares the verb of "and what I cannot post"; with a capital it is the month.
_LACKS_VERB = re.compile(r"\b(?:can|could|may|might|must|shall|should)$")
_LEAST_WORDS_OF_PART = 3
_MOST_PARTS = 3
_WHOLE_WEIGHT = 0.5


def split_parts(understood: Understood) -> tuple[Understood, ...]:
    """The questions that one question asks: "who pays, and by when?" is two.

    Each part is searched for together with the whole, and understood with the part before it: "how
    long is it baked, and at what temperature?" asks for no other temperature.

    Returns:
        One to three questions in order; `understood` itself if it asks one thing.
    """
    question = understood.question
    if not re.search(r"\b(?:what|how|when|who|where|why|which)\b", question, re.IGNORECASE):
        return (understood,)
    pieces = [piece for piece in _pieces(question) if len(piece.split()) >= _LEAST_WORDS_OF_PART]
    if not 2 <= len(pieces) <= _MOST_PARTS:
        return (understood,)
    earlier = understood.queries[1:]
    parts = []
    for piece, previous in zip(pieces, ["", *pieces], strict=False):
        before = f"{understood.before} {previous}".strip()
        parts.append(
            Understood(
                question=piece,
                standalone=f"{before} {piece}".strip(),
                queries=((piece, 1.0), (question, _WHOLE_WEIGHT), *earlier),
                leans=understood.leans,
                before=before,
            )
        )
    return tuple(parts)


def _pieces(question: str) -> list[str]:
    """A question cut where another one begins."""
    pieces, start = [], 0
    for cut in _NEXT_PART.finditer(question):
        piece = question[start : cut.start()].strip()
        if not _only_goes_on(piece, cut):
            pieces.append(piece)
            start = cut.end()
    return [*pieces, question[start:].strip()]


def _only_goes_on(piece: str, cut: re.Match[str]) -> bool:
    """True between two clauses that begin alike inside a question: "staff who drive and who fly".

    Behind one word or none it is the question that begins so: "under what conditions". So it is
    behind "tell me", and for "what" where nothing else asks before it.
    """
    word = cut["word"]
    if not word or cut[0].startswith(","):
        return False
    if _LACKS_VERB.search(piece):
        return True
    word = word.lower()
    if word in ("how", "why") or (word == "what" and not _ASKS_OTHERWISE.match(piece)):
        return False
    alike = re.finditer(rf"(?<=\w\s)\w+\s+(?={word}\b)", piece, re.IGNORECASE)
    return any(not _ASKING.search(piece[: found.end()]) for found in alike)


def leans_on_history(question: str) -> bool:
    """True if a question refers back, continues a sentence, or has too few words of its own."""
    return bool(
        _CONTINUATION.match(question)
        or _REFERENCE.search(question)
        or len(terms(question)) <= _FEW_WORDS
    )
