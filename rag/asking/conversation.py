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
from rag.text.connectives import points_back
from rag.types import Turn

_CONTINUATION = re.compile(
    r"\s*(?:(?:and|but|or|so|also|what about|how about|what if|what else|why not|i mean|i meant|"
    # "No, for interns", "No wait", but not "No parking?", "No. 5 is lost".
    r"sorry|actually|no(?= (?:i|wait|but|not)\b))\b|no(?:\s*[,;:!–—]|\s-|\.(?!\s*\d)))",
    re.IGNORECASE,
)
_FILLERS = re.compile(
    r"\A\s*(?:(?:sorry|actually|please|well|wait|oh|i mean|i meant|"
    r"i (?:want|need|would like)(?:ed)? to (?:know|ask)(?: (?:it|this|that))?|"
    # Not "No parking", "No. 5 is lost".
    r"no(?=\s*(?:[,;:!–—-]|\.(?!\s*\d)|(?:i|wait|but|not)\b)))\b[\s,.;:!–—-]*)+",
    re.IGNORECASE,
)
_ASKS_WHAT = re.compile(r"what(?:['’]s| is| are) an?\b", re.IGNORECASE)
_COMPARES = re.compile(
    r"\b(?:same|either|both|former|latter|else|otherwise|instead|then|too|so|ones)\b", re.IGNORECASE
)
_THAT_PLACE = re.compile(
    # Not "is there a lift", "there are two": something exists.
    r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbe )\bthere\b"
    r"(?!['’]s|\s(?:is|are|was|were|be|ha[sd]|have|can|could|may|might|must|shall|should|will|"
    r"would)\b)",
    re.IGNORECASE,
)
_THAT_ONE = re.compile(
    # Not "one day a week", "one of the heads": it counts.
    r"\b(?:(?:which|another|other)\sone\b"
    r"|one(?=\s*(?:[?.,;:!)]|$)|\s(?:in|on|at|for|from|with|without|by|who|that|which)\b))",
    re.IGNORECASE,
)
_ASKS_NOTHING = frozenset(
    "thanks thank thx you very much so many a lot for your help helpful that's great good perfect "
    "ok okay yes no please sure are got it i see understood hello hi hey bye goodbye".split()
)
"""A turn of nothing but these words thanks, agrees, greets, or doubts ("Are you sure?")."""
# From a shell's odd bytes or JSON's "\ud800": no tokenizer takes them.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_FEW_WORDS = 3
_HARDLY_ANY = 2
_LONGEST_MEMORY = 3
_LEANING_WEIGHT = 0.4
"""Weight of the question before, if this one leans on it; the one before that gets its square, and
so on. What a question only goes on from has its weight."""
_BARE_WEIGHT = 0.8
"""Weight of the question before, where this one says hardly more than another year or name: "and in
2023?" would be answered by whatever has that year."""
_TOPIC_WEIGHT = 0.3
"""The same for a question that could stand alone: the topic lingers."""


@dataclass(frozen=True)
class Understood:
    """A question as it is searched for.

    Attributes:
        question: as it was asked.
        standalone: readable without the conversation; equal to `question` if it stands alone, ""
            if it asks nothing.
        queries: what is searched for, with weights; the question itself first, with weight 1, and
            without "sorry, I meant" before it if it leans on others.
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


def understand(question: str, history: Sequence[Turn] = ()) -> Understood:
    """Read a question in its conversation, the turns before it, oldest first."""
    question = _one_line(question)
    if asks_nothing(question):
        return Understood(question, "", ((question, 1.0),), leans=False)
    asked = [_one_line(turn["content"]) for turn in history if turn["role"] == "user"]
    earlier = [text for text in reversed(asked) if not asks_nothing(text)][:_LONGEST_MEMORY]
    if not earlier:
        return Understood(question, question, ((question, 1.0),), leans=False)
    leans = leans_on_history(question)
    sought = _without_fillers(question) if leans else question
    weight = _LEANING_WEIGHT if leans else _TOPIC_WEIGHT
    nearest = _BARE_WEIGHT if leans and _is_bare(sought) else weight
    queries, age = [(sought, 1.0)], 1
    for text in earlier:
        queries.append((text, nearest * weight ** (age - 1)))
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


def _is_bare(sought: str) -> bool:
    """Whether a question that leans has hardly a word of its own; what "an intent" is, asks one."""
    return len(terms(sought)) <= _HARDLY_ANY and not _ASKS_WHAT.match(sought)


def _without_fillers(question: str) -> str:
    """A question without "sorry, I meant" before it; as it is if nothing is left then."""
    return _FILLERS.sub("", question, count=1) or question


def _goes_on(question: str) -> bool:
    """True if a question's subject stands in the one before: "and then?", "who issues it?"."""
    return bool(
        _CONTINUATION.match(question)
        or (points_back(question) and len(terms(question)) <= _FEW_WORDS)
    )


def asks_nothing(turn: str) -> bool:
    """True for a turn of such words only, or of none ("👍")."""
    return _ASKS_NOTHING.issuperset(WORD.findall(turn.lower().replace("’", "'")))


def _one_line(text: str) -> str:
    return " ".join(_LONE_SURROGATE.sub("\ufffd", text).split())


def leans_on_history(question: str) -> bool:
    """True if a question refers back, continues a sentence, or has too few words of its own."""
    return bool(
        _CONTINUATION.match(question)
        or points_back(question)
        or any(refers.search(question) for refers in (_COMPARES, _THAT_PLACE, _THAT_ONE))
        or len(terms(question)) <= _FEW_WORDS
    )
