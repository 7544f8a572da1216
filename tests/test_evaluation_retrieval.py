from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

import ir_measures
import pytest
from evaluation_fakes import FakeEngine, hit, write_beir
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import UsageError
from rag.evaluation.datasets import read_beir
from rag.evaluation.retrieval import (
    CHUNKS,
    MEASURES,
    RankedPassage,
    compare,
    measure,
    rank_all,
    rank_passages,
    summarise,
    write_run,
)

if TYPE_CHECKING:
    from pathlib import Path

PASSAGE_OF = {"one/passage.txt": "p1", "two/passage.txt": "p2", "three/passage.txt": "p3"}


def ranked(*identifiers: str) -> tuple[RankedPassage, ...]:
    return tuple(RankedPassage(each, -float(rank)) for rank, each in enumerate(identifiers))


def by_hand(relevances: list[int], judged: list[int]) -> dict[str, float]:
    """The definitions, as simply as they can be written.

    Args:
        relevances: of what was found, best first.
        judged: of all passages that were judged.
    """
    relevant = sum(grade > 0 for grade in judged)

    def gain(grades: list[int]) -> float:
        return sum(max(grade, 0) / log2(rank + 2) for rank, grade in enumerate(grades))

    values = {
        f"recall@{k}": sum(grade > 0 for grade in relevances[:k]) / relevant for k in (1, 5, 10)
    }
    first = next((rank for rank, grade in enumerate(relevances[:10], start=1) if grade > 0), None)
    values["MRR@10"] = 1 / first if first else 0.0
    for k in (5, 10):
        best = sorted(judged, reverse=True)[:k]
        values[f"nDCG@{k}"] = gain(relevances[:k]) / gain(best)
    return values


def test_measures_by_hand() -> None:
    qrels = {"q": {"good": 1, "best": 2, "bad": 0}}
    values = measure(qrels, {"q": ranked("x", "good", "bad", "best")})["q"]
    assert values == pytest.approx(
        {
            "recall@1": 0 / 2,
            "recall@5": 2 / 2,
            "recall@10": 2 / 2,
            "MRR@10": 1 / 2,
            "nDCG@5": (1 / log2(3) + 2 / log2(5)) / (2 / log2(2) + 1 / log2(3)),
            "nDCG@10": (1 / log2(3) + 2 / log2(5)) / (2 / log2(2) + 1 / log2(3)),
        }
    )


def test_a_relevant_passage_at_rank_eleven_is_out_of_reach() -> None:
    found = ranked(*(f"x{number}" for number in range(10)), "good")
    assert measure({"q": {"good": 1}}, {"q": found})["q"] == dict.fromkeys(MEASURES, 0.0)


def test_a_query_without_hits_scores_zero_and_counts() -> None:
    values = measure({"q": {"p": 1}, "r": {"p": 1}}, {"q": (), "r": ranked("p")})
    assert values["q"] == dict.fromkeys(MEASURES, 0.0)
    assert values["r"] == dict.fromkeys(MEASURES, 1.0)


@given(
    grades=st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(0, 3), min_size=1),
    found=st.lists(st.sampled_from("abcdefghijklmnopqrst"), unique=True),
)
@settings(deadline=None, max_examples=60)
def test_measures_equal_their_definitions(grades: dict[str, int], found: list[str]) -> None:
    grades = grades | {"a": 1}
    values = measure({"q": grades}, {"q": ranked(*found)})["q"]
    relevances = [grades.get(each, 0) for each in found]
    assert values == pytest.approx(by_hand(relevances, list(grades.values())))


def test_a_passage_has_the_rank_of_its_best_chunk() -> None:
    hits = [
        hit(1, "two/passage.txt", "b", fused=3.0),
        hit(2, "one/passage.txt", "a", fused=2.5),
        hit(3, "two/passage.txt", "c", start=9, fused=2.0),
    ]
    assert rank_passages(hits, PASSAGE_OF) == (RankedPassage("p2", 3.0), RankedPassage("p1", 2.5))


@pytest.mark.parametrize("score", [0.1, 0.0, 1e-40, -7.25])
def test_equal_scores_keep_their_order_in_every_evaluator(score: float) -> None:
    # trec_eval would put "p3" first: it breaks ties by id, from the last to the first.
    hits = [hit(rank, name, "x", fused=score) for rank, name in enumerate(PASSAGE_OF, start=1)]
    passages = rank_passages(hits, PASSAGE_OF)
    assert [passage.id for passage in passages] == ["p1", "p2", "p3"]
    assert measure({"q": {"p1": 1}}, {"q": passages})["q"]["recall@1"] == 1


def test_the_order_of_the_hits_counts_even_against_their_scores() -> None:
    hits = [hit(1, "one/passage.txt", "x", fused=1.0), hit(2, "two/passage.txt", "x", fused=9.0)]
    first, second = rank_passages(hits, PASSAGE_OF)
    assert (first.id, second.id) == ("p1", "p2")
    assert first.score > second.score


def test_a_document_of_another_corpus_is_a_usage_error() -> None:
    with pytest.raises(UsageError) as error:
        rank_passages([hit(1, "other.md", "x")], PASSAGE_OF)
    assert str(error.value) == (
        "the index returned other.md, which is not a passage of this set: build it from the "
        "folder that the evaluation hands over"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_beir(
        tmp_path / "set",
        passages={"p1": "", "p2": "", "p3": ""},
        queries={"q1": "first", "q2": "second", "q3": "unjudged"},
        qrels=[("q1", "p1", 1), ("q2", "p2", 1), ("q2", "p3", 1)],
        histories={"q2": [{"role": "user", "content": "before"}]},
    )


@pytest.fixture
def engine() -> FakeEngine:
    one, two, _three = PASSAGE_OF
    return FakeEngine(
        hits={
            "first": [hit(1, two, "x", fused=0.5), hit(2, one, "x", fused=0.25)],
            "second": [hit(1, two, "x", fused=0.5), hit(2, one, "x", fused=0.25)],
        }
    )


def test_every_judged_query_is_searched_with_its_history(folder: Path, engine: FakeEngine) -> None:
    rankings = rank_all(read_beir(folder), engine, PASSAGE_OF)
    assert engine.asked == [
        ("first", CHUNKS, ()),
        ("second", CHUNKS, ({"role": "user", "content": "before"},)),
    ]
    assert [ranking.values["MRR@10"] for ranking in rankings] == [1 / 2, 1 / 1]
    assert [ranking.values["recall@10"] for ranking in rankings] == [1 / 1, 1 / 2]
    figure = summarise(rankings)["recall@10"]
    assert (figure.value, figure.n) == ((1 / 1 + 1 / 2) / 2, 2)
    assert rankings[1].to_dict() | {"took_ms": 0} == {
        "id": "q2",
        "question": "second",
        "follow_up": True,
        "missed": True,
        "values": {
            "recall@1": 0.5,
            "recall@5": 0.5,
            "recall@10": 0.5,
            "MRR@10": 1.0,
            "nDCG@5": pytest.approx(1 / (1 + 1 / log2(3)), abs=1e-6),
            "nDCG@10": pytest.approx(1 / (1 + 1 / log2(3)), abs=1e-6),
        },
        "passages": ["p2", "p1"],
        "took_ms": 0,
    }


def test_more_chunks_are_asked_for_until_ten_passages_are_found(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "set", {"p": ""}, {"q": "long"}, [("q", "p", 1)])
    chunks = [hit(rank, f"{rank // 30}.txt", "x") for rank in range(1000)]
    engine = FakeEngine(hits={"long": chunks})
    passage_of = {f"{number}.txt": f"p{number}" for number in range(40)}
    (ranking,) = rank_all(read_beir(folder), engine, passage_of)
    assert [k for _, k, _ in engine.asked] == [CHUNKS, 2 * CHUNKS, 4 * CHUNKS]
    assert len(ranking.passages) == 4 * CHUNKS // 30 + 1


def test_a_comparison_is_query_by_query(folder: Path, engine: FakeEngine) -> None:
    base = rank_all(read_beir(folder), engine, PASSAGE_OF)
    engine.hits = {"first": [hit(1, "one/passage.txt", "x")]}
    change = compare(rank_all(read_beir(folder), engine, PASSAGE_OF), base)["MRR@10"]
    assert (change.value, change.n) == (((1 - 1 / 2) + (0 - 1)) / 2, 2)


def test_a_run_file_gives_any_evaluator_the_same_figures(
    folder: Path, engine: FakeEngine, tmp_path: Path
) -> None:
    one, two, three = PASSAGE_OF
    engine.hits = {
        "first": [hit(rank, name, "x", fused=0.3) for rank, name in enumerate((one, two, three))],
        "second": [hit(1, three, "x", fused=1 / 3), hit(2, two, "x", fused=1 / 3 - 1e-9)],
    }
    rankings = rank_all(read_beir(folder), engine, PASSAGE_OF)
    path = tmp_path / "run.txt"
    write_run(path, rankings)
    assert path.read_text(encoding="utf-8").splitlines()[0] == "q1 Q0 p1 1 0.300000012 rag"
    measures = [ir_measures.parse_measure("nDCG@10"), ir_measures.parse_measure("RR@10")]
    again = ir_measures.iter_calc(
        measures, read_beir(folder).qrels, list(ir_measures.read_trec_run(str(path)))
    )
    values = {(each.query_id, str(each.measure)): each.value for each in again}
    for ranking in rankings:
        assert values[ranking.query.id, "nDCG@10"] == ranking.values["nDCG@10"]
        assert values[ranking.query.id, "RR@10"] == ranking.values["MRR@10"]


def test_a_run_file_cannot_hold_white_space_in_a_name(
    folder: Path, engine: FakeEngine, tmp_path: Path
) -> None:
    rankings = rank_all(read_beir(folder), engine, PASSAGE_OF)
    with pytest.raises(UsageError, match="'my run' holds white space: a TREC run cannot name it"):
        write_run(tmp_path / "run.txt", rankings, tag="my run")
    assert not (tmp_path / "run.txt").exists()
