"""BM25: equal to the formula written out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.store import postings
from rag.store.lexical import STOPWORDS, Lexical, terms
from rag.store.postings import LexicalWriter

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
    writer = LexicalWriter(folder / "lexical")
    writer.add(texts)
    writer.close()
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


def by_bm25s(texts: list[str], query: list[str]) -> npt.NDArray[np.float32]:
    """The same by the library."""
    vocabulary: dict[str, int] = {}
    corpus = [[vocabulary.setdefault(t, len(vocabulary)) for t in terms(text)] for text in texts]
    index = bm25s.BM25(method="lucene")
    index.index((corpus, vocabulary), create_empty_token=False, show_progress=False)
    known = [vocabulary[term] for term in query if term in vocabulary]
    return index.get_scores_from_ids(known) if known else np.zeros(len(texts), dtype=np.float32)


def some_texts(count: int, seed: int = 1) -> list[str]:
    """Made of few common and many rare words, of all lengths."""
    chance = np.random.default_rng(seed)
    return [
        " ".join(f"word{number}" for number in chance.zipf(1.3, chance.integers(0, 60)) % 5000)
        for _ in range(count)
    ]


def test_scores_are_those_of_bm25s(tmp_path: Path) -> None:
    texts = some_texts(500)
    lexical = written(tmp_path, texts)
    for query in (["word1"], ["word2", "word7", "word2"], ["word4999", "unknown"], []):
        np.testing.assert_array_equal(lexical.scores(query), by_bm25s(texts, query))


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("run", [1, 7, 1000])
def test_sorting_on_disk_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: int
) -> None:
    texts = some_texts(60)
    (tmp_path / "whole").mkdir()
    written(tmp_path / "whole", texts)
    monkeypatch.setattr(postings, "_RUN", run)
    writer = LexicalWriter(tmp_path / "lexical")
    for start in range(0, len(texts), 3):
        writer.add(texts[start : start + 3])
    writer.close()
    assert files_of(tmp_path / "lexical") == files_of(tmp_path / "whole" / "lexical")


TEXT = st.lists(WORDS, max_size=6).map(" ".join)


@settings(max_examples=60)
@given(
    before=st.lists(st.tuples(TEXT, st.booleans(), st.lists(TEXT, max_size=2)), max_size=8),
    run=st.sampled_from([1, 4, 1000]),
)
def test_taking_texts_over_is_the_same_as_writing_them_anew(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[tuple[str, bool, list[str]]],
    run: int,
) -> None:
    """For each old text: whether it stays, and which new ones come after it."""
    folder = tmp_path_factory.mktemp("bm25")
    previous = written(folder, [text for text, _, _ in before])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "_RUN", run)
        writer = LexicalWriter(folder / "next", previous)
        now = []
        for row, (text, stays, new) in enumerate(before):
            if stays:
                writer.copy(row, row + 1)
                now.append(text)
            writer.add(new)
            now += new
        writer.close()
    (folder / "anew").mkdir()
    written(folder / "anew", now)
    assert files_of(folder / "next") == files_of(folder / "anew" / "lexical")


def test_more_texts_than_can_be_numbered_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postings, "MOST_TEXTS", 2)
    with pytest.raises(OverflowError, match="at most 2 passages"):
        written(tmp_path, TEXTS)


def test_frequency_is_the_number_of_texts_with_a_term(tmp_path: Path) -> None:
    lexical = written(tmp_path, TEXTS)
    (leave,) = terms("leave")
    assert lexical.frequency(leave) == 2
    assert lexical.frequency("unknown") == 0


@pytest.mark.parametrize("question", ["annual leave", "leave leave", "leave unknown"])
def test_most_is_what_a_text_would_score_that_has_all_terms(tmp_path: Path, question: str) -> None:
    lexical, words = written(tmp_path, TEXTS), terms(question)
    unknown = float(np.log(1 + (len(TEXTS) + 0.5) / 0.5))
    best = [float(lexical.scores([word]).max()) or unknown for word in words]
    assert lexical.most(words) == pytest.approx(sum(best), rel=1e-6)


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
        ("CO₂ per 10 m²", ["co2", "per", "10", "m2"]),
        ("£25³, 2503", ["25", "2503"]),
    ],
)
def test_terms_are_stemmed_words_that_carry_a_topic(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_stop_words_are_written_as_they_are_looked_up() -> None:
    assert all(word == word.lower().strip() for word in STOPWORDS)
