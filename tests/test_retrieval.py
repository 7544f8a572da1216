"""Hits: the right ones first, always the same, and every score what it says it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.asking.conversation import understand
from rag.errors import IndexIncompatible, UsageError
from rag.index import Index, open_index
from rag.retrieval import _LEAST_SPREAD, SENTENCE_SHARE, _best, query_vectors, search
from rag.settings import Settings
from rag.store.lexical import terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop import Workshop

    from rag.encoders import Encoder
    from rag.types import Turn

    Make = Callable[..., Workshop]


@pytest.mark.parametrize(
    ("question", "document"),
    [
        ("How many days of annual leave do staff get?", "leave/annual.md"),
        ("weeks of paid parental leave", "leave/parental.md"),
        ("maximum price of a hotel", "travel.txt"),
        ("working from home", "remote.html"),
        ("lost laptop", "security/incidents.md"),
        ("how long are contracts kept", "records/retention.md"),
    ],
)
def test_the_passage_that_answers_comes_first(
    small_index: Index, question: str, document: str
) -> None:
    assert small_index.retrieve(question)[0].chunk.document == document


def test_hits_are_ranked_from_one_by_falling_score(
    small_index: Index, questions: tuple[str, ...]
) -> None:
    for question in questions:
        hits = small_index.retrieve(question, 20)
        assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
        fused = [hit.scores.fused for hit in hits]
        assert fused == sorted(fused, reverse=True)
        assert len({hit.row for hit in hits}) == len(hits)


def test_a_hit_is_a_verbatim_piece_of_its_document(
    small_index: Index, questions: tuple[str, ...]
) -> None:
    for question in questions:
        for hit in small_index.retrieve(question, 20):
            text = small_index.text(hit.chunk.document)
            assert text[hit.chunk.start : hit.chunk.end] == hit.chunk.text
            for sentence in hit.chunk.sentences:
                assert hit.chunk.start <= sentence.start < sentence.end <= hit.chunk.end


def test_k_is_the_most_that_come_back(small_index: Index) -> None:
    everything = small_index.retrieve("leave", 1_000)
    assert len(everything) == small_index._generation.manifest.chunks
    for k in (1, 2, 5):
        assert small_index.retrieve("leave", k) == everything[:k]


@pytest.mark.parametrize("k", [0, -1])
def test_k_must_be_at_least_one(small_index: Index, k: int) -> None:
    with pytest.raises(UsageError) as caught:
        small_index.retrieve("leave", k)
    assert str(caught.value) == f"k must be at least 1, got {k}"


@pytest.mark.parametrize("question", ["", " ", "\n\t\u00a0"])
def test_an_empty_question_is_wrong_use(small_index: Index, question: str) -> None:
    for call in (small_index.retrieve, small_index.ask):
        with pytest.raises(UsageError) as caught:
            call(question)
        assert str(caught.value) == "the question is empty"


def test_scores_are_what_they_say(small_index: Index, encoder: Encoder) -> None:
    question = "How many weeks of parental leave are paid?"
    (vector,) = query_vectors(encoder, [understand(question)])
    lexical = small_index._generation.lexical.scores(terms(question))
    for hit in small_index.retrieve(question, 20):
        chunk = hit.chunk
        (dense,) = encoder.encode([chunk.enriched])
        sentences = encoder.encode([chunk.text[s.start - chunk.start : s.end - chunk.start]
                                    for s in chunk.sentences])  # fmt: skip
        assert hit.scores.dense == pytest.approx(float(dense @ vector), abs=1e-4)
        if chunk.document.endswith(".txt"):  # nothing is taken out of plain text
            assert hit.scores.sentence == pytest.approx(float((sentences @ vector).max()), abs=2e-3)
        assert hit.scores.lexical == pytest.approx(float(lexical[hit.row]), abs=1e-5)


def test_the_fused_score_is_a_weighted_sum_of_standard_scores(
    small_index: Index, encoder: Encoder
) -> None:
    """dense_weight * z(mean of dense and sentence) + (1 - dense_weight) * z(BM25)."""
    generation = small_index._generation
    question = understand("How long are contracts kept?")
    (vector,) = query_vectors(encoder, [question])
    everything = np.arange(len(generation.vectors))
    cosines = generation.vectors.chunks(everything) @ vector
    lexical = generation.lexical.scores(terms(question.question))
    for weight in (0.0, 0.3, 1.0):
        for hit in search(generation, vector, question, 5, weight).hits:
            share = SENTENCE_SHARE
            mixed = (1 - share) * hit.scores.dense + share * hit.scores.sentence
            dense = (mixed - cosines.mean()) / max(cosines.std(), _LEAST_SPREAD)
            words = (lexical[hit.row] - lexical.mean()) / lexical.std()
            expected = weight * dense + (1 - weight) * words
            assert hit.scores.fused == pytest.approx(float(expected), abs=1e-3)


def test_bm25_counts_for_less_where_it_reaches_little(small_index: Index, encoder: Encoder) -> None:
    """One word of many is found, and that in other chunks than the question is about."""
    generation = small_index._generation
    strange = " ".join(f"zyx{n}" for n in range(40))
    question = understand(f"vacation entitlement per annum {strange} contracts")
    (vector,) = query_vectors(encoder, [question])
    hits = search(generation, vector, question, 5, 0.3).hits
    assert [hit.scores for hit in hits] == [
        hit.scores for hit in search(generation, vector, question, 5, 1.0).hits
    ]
    assert any(generation.lexical.scores(terms(question.question)))
    only_words = search(generation, vector, question, 1, 0.0).hits
    assert only_words[0].scores.lexical > 0


def test_without_words_in_common_the_embedding_decides(small_index: Index) -> None:
    hits = small_index.retrieve("vacation entitlement per annum", 3)
    assert hits[0].chunk.document == "leave/annual.md"
    assert hits[0].scores.lexical == 0


def test_the_same_question_gets_the_same_hits(
    small_index: Index, small_settings: Settings, questions: tuple[str, ...]
) -> None:
    with open_index(small_settings.index, small_settings) as again:
        for question in questions:
            assert again.retrieve(question, 7) == small_index.retrieve(question, 7)


def test_equal_passages_come_in_the_order_of_their_rows(workshop: Make) -> None:
    made = workshop({f"{n}.md": "# Leave\n\nStaff get 13 days.\n" for n in range(9)})
    made.build()
    with made.open() as index:
        for k in (1, 4, 9):
            assert [hit.row for hit in index.retrieve("days", k)] == list(range(k))


def test_among_equal_words_the_first_rows_win() -> None:
    scores = np.array([1, 3, 0, 2, 2, 2, -1], dtype=np.float32)
    assert sorted(_best(scores, 3).tolist()) == [1, 3, 4]
    assert sorted(_best(scores, 100).tolist()) == [0, 1, 3, 4, 5]
    assert _best(np.zeros(3, dtype=np.float32), 2).tolist() == []


@settings(max_examples=60)
@given(
    seed=st.integers(0, 99),
    size=st.integers(1, 3_000),
    k=st.integers(1, 30),
    levels=st.sampled_from([2, 20, 10**6]),
    filtered=st.booleans(),
)
def test_the_best_are_those_of_a_full_sort(
    seed: int, size: int, k: int, levels: int, filtered: bool
) -> None:
    chance = np.random.default_rng(seed)
    scores = (chance.integers(0, levels, size) / levels).astype(np.float32)
    allowed = np.flatnonzero(chance.random(size) < 0.5) if filtered else None
    rows = np.arange(size) if allowed is None else allowed
    order = rows[np.lexsort((rows, -scores[rows]))]
    expected = [row for row in order.tolist() if scores[row] > 0][:k]
    assert sorted(_best(scores, k, allowed).tolist()) == sorted(expected)


def test_an_empty_index_has_no_hits(workshop: Make) -> None:
    made = workshop()
    made.build()
    with made.open() as index:
        assert index.retrieve("leave") == []


def test_history_moves_the_hits(small_index: Index) -> None:
    leaning = "And how many for part-time staff?"
    about_travel: list[Turn] = [{"role": "user", "content": "What may a hotel cost?"}]
    about_leave: list[Turn] = [{"role": "user", "content": "How long is parental leave?"}]
    assert small_index.retrieve("And for those?", history=about_travel)[0].chunk.document == (
        "travel.txt"
    )
    assert small_index.retrieve(leaning, history=about_leave)[0].chunk.document == (
        "leave/parental.md"
    )
    alone = small_index.retrieve("And for those?", 3)
    assert alone != small_index.retrieve("And for those?", 3, about_travel)


def test_history_without_a_question_changes_nothing(small_index: Index) -> None:
    empty: list[Turn] = [
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": " "},
    ]
    assert small_index.retrieve("leave", 3, empty) == small_index.retrieve("leave", 3)


def test_an_index_of_another_version_of_the_encoder_is_refused(
    small_index: Index, small_settings: Settings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "digest", "another", raising=False)
    with open_index(small_settings.index, small_settings) as index:
        index._models.__dict__["encoder"] = encoder
        with pytest.raises(IndexIncompatible, match="another version of its encoder: run"):
            index.retrieve("leave")


def test_an_index_of_another_encoder_is_refused(
    small_index: Index, small_settings: Settings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "digest", "another", raising=False)
    monkeypatch.setattr(encoder, "name", "my-model", raising=False)
    with open_index(small_settings.index, small_settings) as index:
        index._models.__dict__["encoder"] = encoder
        with pytest.raises(IndexIncompatible) as caught:
            index.retrieve("leave")
    assert str(caught.value) == (
        "this index was made with encoder 'default', the settings name 'my-model': "
        "run `rag build`, or set the encoder back"
    )


@pytest.mark.parametrize(
    "question",
    ["?", "x" * 5_000, "😀", "\x00", "leave " * 3_000, "\ud800 leave", "DROP TABLE chunks; --",
     "[12] %s {0} \\", "Қазақстан"],
)  # fmt: skip
def test_any_question_gets_an_answer(small_index: Index, question: str) -> None:
    assert len(small_index.retrieve(question, 3)) == 3
    assert small_index.ask(question).text


def test_the_json_of_a_hit_is_that_of_the_contract(small_index: Index) -> None:
    hit = small_index.retrieve("annual leave", 1)[0]
    assert hit.to_dict() == {
        "rank": 1,
        "score": round(hit.scores.fused, 6),
        "scores": {
            "dense": round(hit.scores.dense, 6),
            "lexical": round(hit.scores.lexical, 6),
            "sentence": round(hit.scores.sentence, 6),
        },
        "document": "leave/annual.md",
        "title": "Annual leave",
        "section": hit.chunk.section,
        "page": None,
        "start": hit.chunk.start,
        "end": hit.chunk.end,
        "text": hit.chunk.text,
    }
