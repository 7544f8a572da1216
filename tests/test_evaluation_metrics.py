from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from evaluation_fakes import answer, cite, question
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import DocumentNotFound
from rag.evaluation.datasets import Gold
from rag.evaluation.metrics import (
    MEASURES,
    Judgement,
    compare,
    contains_all,
    hits,
    judge,
    occurrences,
    overlap,
    summarise,
)

if TYPE_CHECKING:
    from rag.types import Citation, Turn

FEES = "The fee is 12 euro."
PAID = "It is paid in May."
OTHER = "Dogs are welcome."
TEXT = f"{FEES} {PAID} {OTHER}"
FEE, WHEN = Gold("a.md", FEES), Gold("a.md", PAID)
ASKED_BEFORE: tuple[Turn, ...] = ({"role": "user", "content": "Is there a fee?"},)

spans = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda two: (min(two), max(two)))


def text_of(document: str) -> str:
    if document != "a.md":
        raise DocumentNotFound(document)
    return TEXT


def judged(*citations: Citation, gold: tuple[Gold, ...] = (FEE,), **asked: object) -> Judgement:
    return judge(question(*gold, **asked), answer(*citations), text_of)


def test_every_occurrence_counts_overlapping_ones_too() -> None:
    assert occurrences("aaa b aa", "aa") == ((0, 2), (1, 3), (6, 8))


def test_white_space_may_vary_only_if_nothing_matches_exactly() -> None:
    assert occurrences("one two. one\n  two.", "one two.") == ((0, 8),)
    assert occurrences("one\n  two.", "one two.") == ((0, 10),)
    assert occurrences("one (two)*", " (two)* ") == ((4, 10),)
    assert occurrences("one", "two") == ()


def test_offsets_are_code_points() -> None:
    assert occurrences("𝔸é🙂 fee", "fee") == ((4, 7),)


@pytest.mark.parametrize(
    ("one", "other", "hit"),
    [
        pytest.param((0, 10), (5, 15), True, id="half_of_both"),
        pytest.param((0, 10), (6, 16), False, id="less_than_half"),
        pytest.param((0, 100), (98, 102), True, id="half_of_the_shorter"),
        pytest.param((0, 100), (99, 103), False, id="quarter_of_the_shorter"),
        pytest.param((0, 10), (10, 20), False, id="only_touching"),
        pytest.param((0, 100), (40, 45), True, id="inside"),
        pytest.param((5, 5), (0, 10), False, id="empty"),
    ],
)
def test_a_hit_shares_half_of_the_shorter(
    one: tuple[int, int], other: tuple[int, int], hit: bool
) -> None:
    assert hits(one, other) is hit
    assert hits(other, one) is hit


@given(spans, spans)
def test_overlap_is_the_number_of_shared_positions(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    shared = set(range(*one)) & set(range(*other))
    assert overlap(one, other) == len(shared)
    shorter = min(one[1] - one[0], other[1] - other[0])
    assert hits(one, other) is (shorter > 0 and len(shared) >= shorter / 2)


@pytest.mark.parametrize(
    ("text", "groups", "contained"),
    [
        pytest.param("The FEE is\n  12 Euro", [["fee is 12"]], True, id="case_and_space"),
        pytest.param("12 euro", [["12 euro", "twelve euro"]], True, id="first_of_or"),
        pytest.param("twelve euro", [["12 euro", "twelve euro"]], True, id="second_of_or"),
        pytest.param("12 euro", [["12"], ["May"]], False, id="one_of_and"),
        pytest.param("12 euro in May", [["12"], ["May"]], True, id="all_of_and"),
        pytest.param("", [["12"]], False, id="nothing_cited"),
    ],
)
def test_must_contain_is_an_and_of_ors(text: str, groups: list[list[str]], contained: bool) -> None:
    assert contains_all(text, groups) is contained


def test_a_full_answer_by_hand() -> None:
    found = judged(
        cite(TEXT, FEES), cite(TEXT, OTHER, n=2), gold=(FEE, WHEN), must=[["12 euro"], ["welcome"]]
    )
    assert found.values == {
        "took_ms": 10.0,
        "evidence_hit": 1.0,
        "evidence_recall": 1 / 2,
        "correct": 1.0,
        "precision": len(FEES) / (len(FEES) + len(OTHER)),
        "length": 5 + 3,
        "false_abstention_rate": 0.0,
    }
    assert found.groups_hit == (True, False)
    assert found.missed


def test_an_abstention_on_an_answerable_question_misses_everything() -> None:
    found = judged(must=[["12"]])
    assert found.values == {
        "took_ms": 10.0,
        "evidence_hit": 0.0,
        "evidence_recall": 0.0,
        "correct": 0.0,
        "precision": 0.0,
        "false_abstention_rate": 1.0,
    }
    assert found.missed


def test_citations_of_an_abstention_do_not_count() -> None:
    abstention = replace(answer(cite(TEXT, FEES)), abstained=True)
    values = judge(question(FEE, must=[["12"]]), abstention, text_of).values
    assert values["evidence_hit"] == values["correct"] == values["precision"] == 0
    assert "length" not in values


def test_an_unanswerable_question_defines_only_the_false_answer() -> None:
    refused = judged(gold=(), answerable=False)
    assert refused.values == {"took_ms": 10.0, "false_answer_rate": 0.0}
    assert not refused.missed
    answered = judged(cite(TEXT, FEES), gold=(), answerable=False)
    assert answered.values == {"took_ms": 10.0, "false_answer_rate": 1.0}
    assert answered.missed


def test_alternatives_are_one_evidence() -> None:
    gold = (Gold("a.md", FEES, "1"), Gold("a.md", PAID, "1"), Gold("a.md", OTHER))
    found = judged(cite(TEXT, PAID), gold=gold)
    assert found.groups_hit == (True, False)
    assert found.values["evidence_recall"] == 1 / 2
    assert found.values["precision"] == 1


def test_evidence_in_another_document_is_not_hit() -> None:
    found = judged(cite(TEXT, FEES), gold=(Gold("gone.md", FEES),))
    assert found.values["evidence_hit"] == found.values["precision"] == 0
    assert found.unlocated == (Gold("gone.md", FEES),)


def test_a_sentence_that_touches_the_evidence_is_precise_though_it_does_not_hit() -> None:
    values = judged(cite(TEXT, OTHER), gold=(Gold("a.md", f"{PAID} D"),)).values
    assert (values["precision"], values["evidence_hit"]) == (1.0, 0.0)


def test_a_place_that_is_cited_twice_counts_once() -> None:
    values = judged(cite(TEXT, FEES), cite(TEXT, FEES, n=2), cite(TEXT, OTHER, n=3)).values
    assert values["precision"] == len(FEES) / (len(FEES) + len(OTHER))
    assert values["length"] == 5 + 3


def test_without_gold_or_required_strings_their_measures_are_not_defined() -> None:
    found = judged(cite(TEXT, FEES), gold=())
    assert found.values.keys() == {"took_ms", "length", "false_abstention_rate"}
    assert not found.missed
    assert judged(gold=()).missed


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"start": 1}, id="shifted"),
        pytest.param({"quote": FEES.upper()}, id="altered"),
        pytest.param({"document": "gone.md"}, id="unknown_document"),
        pytest.param({"start": -len(TEXT), "end": len(FEES) - len(TEXT)}, id="from_the_end"),
        pytest.param({"end": 10**6}, id="past_the_end"),
    ],
)
def test_a_citation_that_is_not_verbatim_is_reported(broken: dict[str, object]) -> None:
    citation = replace(cite(TEXT, FEES), **broken)
    assert judged(citation).broken == (citation,)
    assert judged(cite(TEXT, FEES)).broken == ()


def test_a_summary_by_hand() -> None:
    judgements = [
        judge(question(FEE), answer(cite(TEXT, FEES), confidence=0.9), text_of),
        judge(question(FEE), answer(cite(TEXT, OTHER), confidence=0.4), text_of),
        judge(question(FEE), answer(confidence=0.2), text_of),
        judge(question(answerable=False), answer(confidence=0.4), text_of),
        judge(question(answerable=False), answer(cite(TEXT, PAID), confidence=0.3), text_of),
    ]
    figures = summarise(judgements)
    assert tuple(figures) == MEASURES
    assert {name: (figure.value, figure.n) for name, figure in figures.items()} == {
        "evidence_hit": (1 / 3, 3),
        "evidence_recall": (1 / 3, 3),
        "correct": (None, 0),
        "precision": (1 / 3, 3),
        "length": ((5 + 3) / 2, 2),
        "false_answer_rate": (1 / 2, 2),
        "false_abstention_rate": (1 / 3, 3),
        # .9 beats both; .4 ties one and beats one; .2 beats none.
        "auroc": ((2 + 1.5 + 0) / 6, 5),
        "took_ms": (10.0, 5),
    }


def test_a_comparison_is_paired() -> None:
    asked = [question(FEE, identifier=str(number)) for number in range(40)]
    # Question by question the variant is never worse, however noisy each one is by itself.
    base = [
        judge(each, answer(*[cite(TEXT, FEES)] * (n % 2)), text_of) for n, each in enumerate(asked)
    ]
    better = [
        judge(each, answer(*[cite(TEXT, FEES)] * (n % 2 or n % 4 == 0)), text_of)
        for n, each in enumerate(asked)
    ]
    change = compare(better, base)["evidence_hit"]
    assert (change.value, change.n) == (10 / 40, 40)
    assert change.excludes_zero
    assert compare(base, base)["evidence_hit"].to_dict() == {
        "n": 40, "value": 0.0, "low": 0.0, "high": 0.0
    }  # fmt: skip


def test_the_length_is_compared_where_both_answered() -> None:
    asked = [question(FEE, identifier=str(number)) for number in range(2)]
    short = [judge(each, answer(cite(TEXT, FEES)), text_of) for each in asked]
    long = [
        judge(asked[0], answer(cite(TEXT, FEES), cite(TEXT, PAID)), text_of),
        judge(asked[1], answer(), text_of),
    ]
    change = compare(long, short)["length"]
    assert (change.value, change.n) == (len(PAID.split()), 1)


def test_the_area_under_the_curve_is_compared_pair_by_pair() -> None:
    def ask(high: float, low: float) -> list[Judgement]:
        return [
            judge(question(FEE), answer(confidence=high), text_of),
            judge(question(answerable=False), answer(confidence=low), text_of),
        ]

    assert compare(ask(0.9, 0.1), ask(0.1, 0.9))["auroc"].value == 1 - 0
    assert compare(ask(0.5, 0.5), ask(0.9, 0.1))["auroc"].value == 1 / 2 - 1


def test_a_line_of_the_per_question_file() -> None:
    found = judge(
        question(FEE, kind="short", history=ASKED_BEFORE), answer(cite(TEXT, FEES)), text_of
    ).to_dict()
    assert found["id"] == "q1"
    assert (found["kind"], found["follow_up"], found["answerable"]) == ("short", True, True)
    assert found["missed"] is False
    assert found["broken_citations"] == []
