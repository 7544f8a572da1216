from __future__ import annotations

import json
from math import sqrt
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from evaluation_fakes import answer, cite, question
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from rag.evaluation.datasets import Gold
from rag.evaluation.metrics import Judgement, judge
from rag.evaluation.plots import Series, plot
from rag.evaluation.reliability import Outcome, Reliability, reliability, wilson

SVG = "{http://www.w3.org/2000/svg}"

TEXT = "The fee is 12 euro. It is paid in May."
FEE = Gold("a.md", "The fee is 12 euro.")

outcomes = st.lists(
    st.builds(
        lambda confidence, answerable, right: Outcome(confidence, answerable, answerable and right),
        st.floats(0, 1),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


def made(*each: tuple[float, bool]) -> Reliability:
    return Reliability(tuple(Outcome(confidence, True, right) for confidence, right in each), ())


def test_bins_hold_mean_confidence_and_the_share_that_is_right() -> None:
    own = made((0.0, False), (0.05, True), (0.61, True), (0.69, False), (0.65, True), (1.0, True))
    first, second, last = own.bins
    assert (first.low, first.high, first.questions) == (0.0, 0.1, 2)
    assert (first.confidence, first.right) == pytest.approx(((0 + 0.05) / 2, 1 / 2))
    assert (second.questions, second.right) == (3, 2 / 3)
    assert second.confidence == pytest.approx((0.61 + 0.69 + 0.65) / 3)
    assert (last.low, last.high, last.confidence, last.right) == (0.9, 1.0, 1.0, 1.0)
    expected = (2 * abs(1 / 2 - 0.025) + 3 * abs(2 / 3 - 0.65) + 1 * 0) / 6
    assert own.calibration_error == pytest.approx(expected)


@given(outcomes)
def test_bins_hold_every_question_once(each: list[Outcome]) -> None:
    own = Reliability(tuple(each), ())
    assert sum(one.questions for one in own.bins) == len(each)
    for one in own.bins:
        assert one.low <= one.confidence <= one.high
        assert one.interval[0] <= one.right <= one.interval[1]
        assert one.right <= one.answerable
    assert 0 <= own.calibration_error <= 1
    expected = brier_score_loss(
        np.array([one.right for one in each]), [one.confidence for one in each], labels=[0, 1]
    )
    assert own.brier == pytest.approx(expected)


def test_risk_falls_with_coverage_if_the_surest_are_right() -> None:
    own = made((0.9, True), (0.8, False), (0.7, True), (0.7, True), (0.1, False))
    assert own.risk_coverage == (
        (1 / 5, 0 / 1),
        (2 / 5, 1 / 2),
        # Two are equally sure: they come together.
        (4 / 5, 1 / 4),
        (5 / 5, 2 / 5),
    )
    assert own.area == pytest.approx((0 + 1 / 2 + 1 / 4 + 2 / 5) / 4)


@given(outcomes)
def test_at_full_coverage_the_risk_is_the_share_that_is_wrong(each: list[Outcome]) -> None:
    curve = Reliability(tuple(each), ()).risk_coverage
    assert curve[-1] == pytest.approx((1.0, sum(not one.right for one in each) / len(each)))
    assert [coverage for coverage, _ in curve] == sorted(coverage for coverage, _ in curve)


def test_wilsons_interval() -> None:
    # By the formula, for 8 of 10 and z = 1.96: centre (.8 + .19208) / 1.38416.
    z = 1.959964
    centre = (0.8 + z**2 / 20) / (1 + z**2 / 10)
    half = z * sqrt(0.8 * 0.2 / 10 + z**2 / 400) / (1 + z**2 / 10)
    assert wilson(8, 10) == pytest.approx((centre - half, centre + half))
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 5)[0] == 0
    assert wilson(5, 5)[1] == 1


def judged(
    *, confidence: float, right: bool, answerable: bool = True, held: bool = False
) -> Judgement:
    quote = FEE.evidence if right else "It is paid in May."
    cited = [] if held else [cite(TEXT, quote)]
    gold = [FEE] if answerable else []
    name = f"{confidence} {right} {answerable}"
    return judge(
        question(*gold, identifier=name, answerable=answerable),
        answer(*cited, confidence=confidence),
        lambda document: TEXT,
    )


def test_settings_of_caution_answer_what_is_sure_enough() -> None:
    kept = [
        judged(confidence=0.9, right=True),
        judged(confidence=0.3, right=True, held=True),
        judged(confidence=0.6, right=False, answerable=False),
        judged(confidence=0.1, right=False, answerable=False, held=True),
    ]
    forced = {
        one.question.id: one
        for one in (
            judged(confidence=0.3, right=True),
            judged(confidence=0.1, right=False, answerable=False),
        )
    }
    own = reliability(kept, forced, {"cautious": 0.7, "balanced": 0.5, "eager": 0.05})
    assert [(each.answerable, each.right) for each in own.outcomes] == [
        (True, True), (True, True), (False, False), (False, False),
    ]  # fmt: skip
    found = {
        each.caution: tuple(
            figure.value
            for figure in (each.false_answers, each.false_abstentions, each.coverage, each.risk)
        )
        for each in own.points
    }
    assert found == {
        "cautious": (0 / 2, 1 / 2, 1 / 4, 0 / 1),
        "balanced": (1 / 2, 1 / 2, 2 / 4, 1 / 2),
        "eager": (2 / 2, 0 / 2, 4 / 4, 2 / 4),
    }
    assert json.loads(json.dumps(own.to_dict()))["operating_points"]["eager"]["threshold"] == 0.05
    text = own.to_text()
    for line in ("0.9 to 1.0  1          0.900  1.000", "cautious  0.70   0.000"):
        assert line in text


def test_plots_are_well_formed_and_inside_their_frame() -> None:
    drawn = plot(
        'a "title" & more',
        [
            Series("<one>", [(0, 0), (50, 1)], [(0, 0.5), (0.5, 1)], ["a<b", "c"]),
            Series("", [(25, 0.5)], line=False),
        ],
        "x & y",
        "share",
        x_range=(0, 50),
    )
    svg = ET.fromstring(drawn)
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    circles = list(svg.iter(f"{SVG}circle"))
    # Three points and the legend of the one series that has a name.
    assert len(circles) == 4
    for circle in circles:
        assert 0 <= float(circle.attrib["cx"]) <= width
        assert 0 <= float(circle.attrib["cy"]) <= height
    first, second, third = [
        (float(each.attrib["cx"]), float(each.attrib["cy"]))
        for each in circles
        if each.attrib["r"] == "3.5"
    ]
    assert third == pytest.approx(
        ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2), abs=0.11
    )
    assert first[1] > second[1]
    texts = [each.text for each in svg.iter(f"{SVG}text")]
    assert {"<one>", "a<b", "x & y", "share"} <= set(texts)
