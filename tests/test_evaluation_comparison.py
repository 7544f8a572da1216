from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from evaluation_fakes import FakeEngine, WordIndex, answer, cite, question, write_beir, write_jsonl
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.cli import main
from rag.errors import UsageError
from rag.evaluation.comparison import Scored, compare, randomisation, read_scores
from rag.evaluation.datasets import Gold
from rag.evaluation.run import evaluate_answers, evaluate_retrieval

if TYPE_CHECKING:
    from pathlib import Path

    from rag.evaluation.comparison import Change, Comparison

TEXT = "The fee is 12 euro. It is paid in May."
FEE = Gold("a.md", "The fee is 12 euro.")
MAY = Gold("a.md", "It is paid in May.")


def scored(identifier: str, correct: float, kind: str = "single", **options: object) -> Scored:
    values = {"correct": correct, "took_ms": 5.0}
    return Scored(identifier, f"What of {identifier}?", kind, False, correct < 1, values, **options)


def run_of(*correct: float, kinds: str = "") -> dict[str, Scored]:
    return {
        f"q{i}": scored(f"q{i}", value, kinds[i] if kinds else "")
        for i, value in enumerate(correct)
    }


def change(comparison: Comparison, group: str, measure: str) -> Change:
    (found,) = [
        each for each in comparison.changes if (each.group, each.measure) == (group, measure)
    ]
    return found


def test_differences_are_those_of_the_same_questions() -> None:
    found = compare(run_of(0, 0, 1, 1, kinds="aabb"), run_of(1, 0, 1, 0, kinds="aabb"))
    whole = change(found, "overall", "correct")
    assert (whole.before, whole.after, whole.difference.value) == (2 / 4, 2 / 4, 0.0)
    assert change(found, "a", "correct").difference.value == 1 / 2
    assert change(found, "b", "correct").difference.value == -1 / 2
    assert {each.measure for each in found.changes} == {"correct"}
    assert [(flip.id, flip.gained) for flip in found.flips] == [("q0", True), ("q3", False)]
    text = found.to_text()
    assert "questions gained: 1, lost: 1" in text
    assert "+  q0  a     What of q0?" in text


def test_a_run_compared_with_itself_changes_nothing() -> None:
    own = run_of(0, 1, 0.5)
    found = compare(own, own)
    assert found.flips == ()
    assert all(each.difference.value == 0 and each.p == 1 for each in found.changes)


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 1.0]), min_size=1, max_size=9))
@settings(max_examples=40)
def test_the_p_value_is_that_of_all_swaps(differences: list[float]) -> None:
    observed = abs(sum(differences))
    every = [
        abs(sum(sign * each for sign, each in zip(signs, differences, strict=True)))
        for signs in product((1, -1), repeat=len(differences))
    ]
    exact = sum(each >= observed - 1e-9 for each in every) / len(every)
    assert randomisation(np.array(differences)) == pytest.approx(exact, abs=0.02)


def test_a_clear_change_is_significant_and_a_swap_mirrors_it() -> None:
    worse, better = run_of(*[0.0] * 12), run_of(*[1.0] * 12)
    up = change(compare(worse, better), "overall", "correct")
    down = change(compare(better, worse), "overall", "correct")
    assert up.p == down.p < 0.01
    assert up.difference.value == -(down.difference.value or 0) == 1.0


def test_the_confidence_is_compared_where_there_is_one() -> None:
    def with_confidence(*confidence: float) -> dict[str, Scored]:
        return {
            f"q{i}": scored(f"q{i}", 1.0, "", confidence=own, answerable=i < 6)
            for i, own in enumerate(confidence)
        }

    blind = with_confidence(*[0.5] * 12)
    sure = with_confidence(*[0.9] * 6, *[0.1] * 6)
    found = change(compare(blind, sure), "overall", "auroc")
    assert (found.before, found.after, found.difference.value) == (0.5, 1.0, 0.5)
    assert found.p < 0.05
    assert change(compare(sure, sure), "overall", "auroc").p == 1


def test_other_questions_are_refused() -> None:
    with pytest.raises(
        UsageError, match="not over the same questions: 1 are in one of them only, such as q2"
    ):
        compare(run_of(0, 1), run_of(0, 1, 1))
    with pytest.raises(UsageError, match="no questions to compare"):
        compare({}, {})


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"id": "a"}, '"values" must map measures to numbers: is this a per-question file?'),
        ({"id": "a", "values": {"x": "y"}}, '"values" must map measures to numbers'),
        ({"id": "a", "values": {}, "follow_up": False}, '"missed" must be true or false'),
        ({"values": {}, "follow_up": False, "missed": False}, '"id" must be a string'),
    ],
)
def test_a_file_that_is_something_else_is_refused(
    tmp_path: Path, fields: dict[str, object], problem: str
) -> None:
    path = write_jsonl(tmp_path / "rows.jsonl", [fields])
    with pytest.raises(UsageError) as refused:
        read_scores(path)
    assert str(refused.value).startswith(f"{path}, line 1: {problem}")


def test_a_question_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    line = {"id": "a", "values": {}, "follow_up": False, "missed": False}
    path = write_jsonl(tmp_path / "rows.jsonl", [line, line])
    with pytest.raises(UsageError, match="line 2: \"id\" 'a' occurs twice"):
        read_scores(path)


def test_answers_are_compared_through_their_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [
        question(FEE, identifier="a", kind="single"),
        question(MAY, identifier="b", kind="single"),
        question(identifier="c", answerable=False, kind="off topic"),
    ]
    for name, quotes in (("before", ("", "", FEE)), ("after", (FEE, "", ""))):
        answers = {
            each.question: answer(*([cite(TEXT, quote.evidence)] if quote else []))
            for each, quote in zip(asked, quotes, strict=True)
        }
        result = evaluate_answers(FakeEngine({"a.md": TEXT}, answers), asked)
        result.write_questions(tmp_path / f"{name}.jsonl")
    with pytest.raises(SystemExit) as done:
        main(
            [
                "eval",
                "compare",
                str(tmp_path / "before.jsonl"),
                str(tmp_path / "after.jsonl"),
                "--json",
            ]
        )
    assert done.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert [(flip["id"], flip["gained"]) for flip in found["flips"]] == [("a", True), ("c", True)]
    changes = {(each["group"], each["measure"]): each for each in found["changes"]}
    assert changes["overall", "evidence_hit"]["difference"]["value"] == 0.5
    assert changes["overall", "false_answer_rate"]["difference"]["value"] == -1
    assert ("off topic", "evidence_hit") not in changes


def test_rankings_are_compared_through_their_files(tmp_path: Path) -> None:
    beir = write_beir(
        tmp_path / "set",
        passages={"leave": "paid leave", "trip": "train travel"},
        queries={"q1": "paid leave", "q2": "paid train travel"},
        qrels=[("q1", "leave", 1), ("q2", "trip", 1)],
    )
    deaf = frozenset({"train", "travel"})
    for name, ignored in (("before", deaf), ("after", frozenset())):
        result = evaluate_retrieval(
            beir, lambda folder, ignored=ignored: WordIndex(folder, ignored)
        )
        result.write_questions(tmp_path / f"{name}.jsonl")
    found = compare(read_scores(tmp_path / "before.jsonl"), read_scores(tmp_path / "after.jsonl"))
    assert change(found, "overall", "recall@1").difference.value == 1 / 2
    assert "auroc" not in {each.measure for each in found.changes}
