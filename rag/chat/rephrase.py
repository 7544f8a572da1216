"""A question that found no answer, said with a term of the corpus: its own headings and titles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from rag.chat import examples
from rag.store.lexical import terms
from rag.types import Hit

_NEAR = 0.32
"""Least cosine between a word and a passage whose heading is offered for it. In the bundled corpus
"maternity" and "Birth leave" are at 0.57, "presents" and "Giving gifts" at 0.51, "bribes" and
"Integrity" at 0.35; "pizza" comes to 0.31 with "Hospitality", names of animals to 0.11."""
_NO_TERM = re.compile(r"\d|\?|^(?:why|how|what|when|where|who|which)\b", re.IGNORECASE)
_MAX_WORDS = 5
_LEAST_LETTERS = 4
_MOST_LOOKED_UP = 4


def rephrased(question: str, find: Callable[[str], Sequence[Hit]]) -> Iterator[tuple[str, str]]:
    """Terms of the corpus near the words of a question, each with the question that uses it.

    A term stands in the place of a word that the corpus does not have; if it has all of them, the
    term leads the question.

    Args:
        question: as it was asked.
        find: the best passages for a text, with their scores.
    """
    offered = set(terms(question))
    for word in _foreign(question, find):
        for term, hit in _terms_near(find(word), offered):
            yield term, _in_place_of(word, _in_a_sentence(term, hit), question)
    for term, _ in _terms_near(find(question), offered):
        yield term, f"{term}: {question[:1].lower()}{question[1:]}"


def _foreign(question: str, find: Callable[[str], Sequence[Hit]]) -> list[str]:
    """The words of a question that stand nowhere in the corpus."""
    words = [
        word
        for word in dict.fromkeys(re.findall(r"[^\W\d_]+", question))
        if len(word) >= _LEAST_LETTERS and terms(word)
    ]
    longest = sorted(words, key=len, reverse=True)[:_MOST_LOOKED_UP]
    return [word for word in longest if all(hit.scores.lexical <= 0 for hit in find(word))]


def _terms_near(hits: Sequence[Hit], offered: set[str]) -> Iterator[tuple[str, Hit]]:
    """Headings and titles of near passages that say something new, the nearest first."""
    for hit in sorted(hits, key=lambda hit: -hit.scores.dense):
        if hit.scores.dense < _NEAR:
            return
        for heading in (*hit.chunk.headings[-1:], hit.chunk.title):
            term = examples.calm(examples.bare(heading))
            fits = examples.telling(term) and len(term.split()) <= _MAX_WORDS
            if fits and not _NO_TERM.search(term) and not set(terms(term)) <= offered:
                offered.update(terms(term))
                yield term, hit


def _in_a_sentence(term: str, hit: Hit) -> str:
    """The term with small letters, except in names: what the passage writes large inside."""
    inside = re.findall(r"(?<=[a-z,;] )[A-Z]\S*\b", hit.chunk.text)
    return " ".join(word if word in inside else word.lower() for word in term.split())


def _in_place_of(word: str, term: str, question: str) -> str:
    """The question with the term for a word: "maternity leave" becomes "birth leave"."""
    last = re.escape(term.rpartition(" ")[2])
    pattern = rf"\b{re.escape(word)}\b(?:\s+{last}\b)?"
    changed = re.sub(pattern, lambda _: term, question, count=1, flags=re.IGNORECASE)
    return changed[:1].upper() + changed[1:]
