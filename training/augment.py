"""Questions as people type them: keywords, slips of the finger, a chat's earlier turns."""

from __future__ import annotations

import random
import re

# Function words that people leave out when they type into a search box.
_STOP_WORDS = frozenset(
    """a an and any are as at be been but by can could did do does for from had has have he her him
    his how i if in is it its may me my of on or our shall she should so that the their them there
    these they this those to was we were what when where which who whom whose why will with would
    you your""".split()
)
_WORD = re.compile(r"[A-Za-z]{5,}")


def as_keywords(question: str) -> str:
    """Drop function words, capitals and the question mark: ``"leave carried over"``."""
    words = question.rstrip(" ?.").lower().split()
    kept = [word for word in words if word.strip(",;:") not in _STOP_WORDS]
    return " ".join(kept if len(kept) >= 2 else words)


def misspelt(question: str, rng: random.Random) -> str:
    """Swap, drop or double one letter inside one word of five letters or more."""
    words = list(_WORD.finditer(question))
    if not words:
        return question
    word = rng.choice(words)
    i = rng.randrange(word.start() + 1, word.end() - 2)
    a, b = question[i], question[i + 1]
    return question[:i] + rng.choice((b + a, b, a + a + b)) + question[i + 2 :]


def augment_question(question: str, rng: random.Random) -> str:
    """Change a quarter of the questions; the meaning, and so the label, stays."""
    draw = rng.random()
    if draw < 0.12:
        return as_keywords(question)
    if draw < 0.20:
        return question.rstrip(" ?").lower()
    if draw < 0.27:
        return misspelt(question, rng)
    return question


def standalone(question: str, history: list[str]) -> str:
    """Join earlier user turns, oldest first, and the question into one text for the reader."""
    return " ; ".join([*history, question])
