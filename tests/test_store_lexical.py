"""BM25: equal to the formula written out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.store.lexical import STOPWORDS, Lexical, terms, write_lexical

TEXTS = [
    "Annual leave is thirteen days.",
    "Parental leave is leave for parents: leave early.",
    "Trips are booked by the travel office.",
    "",
    "the of and",
    "A hotel costs ninety euro.",
]


def bm25(texts: list[str], query: list[str]) -> list[float]:
    """Robertson and Zaragoza 2009 with Lucene's idf; k1 = 1.5, b = 0.75."""
    k1, b = 1.5, 0.75
    documents = [terms(text) for text in texts]
    average = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        score = 0.0
        for term in query:
            df = sum(term in other for other in documents)
            idf = math.log(1 + (len(documents) - df + 0.5) / (df + 0.5))
            tf = document.count(term)
            score += idf * tf / (tf + k1 * (1 - b + b * len(document) / average)) if tf else 0.0
        scores.append(score)
    return scores


def written(folder: Path, texts: list[str]) -> Lexical:
    write_lexical(folder / "lexical", texts)
    return Lexical(folder / "lexical")


@pytest.mark.parametrize(
    "question",
    ["leave", "leave leave", "parental leave for parents", "hotel or trips", "unknown", "the of"],
)
def test_scores_are_those_of_the_formula(tmp_path: Path, question: str) -> None:
    scores = written(tmp_path, TEXTS).scores(terms(question))
    assert scores.tolist() == pytest.approx(bm25(TEXTS, terms(question)), abs=1e-5)


WORDS = st.sampled_from(["leave", "days", "hotel", "trip", "parent", "the"])


@settings(max_examples=25)
@given(
    texts=st.lists(st.lists(WORDS, max_size=8).map(" ".join), min_size=1, max_size=6),
    question=st.lists(WORDS, max_size=4).map(" ".join),
)
def test_scores_are_those_of_the_formula_on_any_texts(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], question: str
) -> None:
    lexical = written(tmp_path_factory.mktemp("bm25"), texts)
    expected = bm25(texts, terms(question)) if any(map(terms, texts)) else [0.0] * len(texts)
    assert lexical.scores(terms(question)).tolist() == pytest.approx(expected, abs=1e-5)


def test_frequency_is_the_number_of_texts_with_a_term(tmp_path: Path) -> None:
    lexical = written(tmp_path, TEXTS)
    (leave,) = terms("leave")
    assert lexical.frequency(leave) == 2
    assert lexical.frequency("unknown") == 0


@pytest.mark.parametrize("texts", [[], [""], ["the of", "and"]])
def test_texts_without_terms_score_nothing(tmp_path: Path, texts: list[str]) -> None:
    lexical = written(tmp_path, texts)
    assert lexical.scores(["leav"]).tolist() == [0.0] * len(texts)
    assert lexical.frequency("leav") == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The employees' leaves", ["employe", "leav"]),
        ("Employee’s employee's", ["employe", "employe"]),
        ("LEAVE, leave; (leave)", ["leav", "leav", "leav"]),
        ("Art. 5(2)(a)", ["art", "5", "2"]),
        ("what is it?", []),
        ("Ünïcode 文件", ["ünïcode", "文件"]),
    ],
)
def test_terms_are_stemmed_words_that_carry_a_topic(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_stop_words_are_written_as_they_are_looked_up() -> None:
    assert all(word == word.lower().strip() for word in STOPWORDS)
