from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation import bootstrap
from rag.evaluation.bootstrap import Estimate, estimate, estimate_pairs, mean, median, wins

figures = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=30)


def test_a_figure_that_never_varies_has_no_width() -> None:
    assert estimate(np.full(7, 0.25)) == Estimate(0.25, 7, 0.25, 0.25)


def test_a_figure_over_nothing_is_not_a_number_but_nothing() -> None:
    assert estimate(np.array([])) == Estimate(None, 0)
    assert estimate_pairs(wins(np.array([0.5]), np.array([]))) == Estimate(None, 0)
    assert estimate(np.array([])).to_dict() == {"n": 0, "value": None, "low": None, "high": None}
    assert not estimate(np.array([])).excludes_zero


def test_the_interval_of_a_share_is_that_of_the_normal_approximation() -> None:
    values = np.repeat([0.0, 1.0], [300, 700])
    found = estimate(values)
    half = 1.96 * (0.7 * 0.3 / 1000) ** 0.5
    assert found.value == 0.7
    assert found.low == pytest.approx(0.7 - half, abs=0.003)
    assert found.high == pytest.approx(0.7 + half, abs=0.003)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    samples = (rng.random((200, 60)) < 0.4).astype(float)
    covered = sum(found.low <= 0.4 <= found.high for found in map(estimate, samples))
    assert 0.90 <= covered / 200 <= 0.99


@given(figures)
@settings(max_examples=25)
def test_intervals_stay_within_the_data_and_are_the_same_each_time(values: list[float]) -> None:
    array = np.array(values)
    for statistic in (mean, median):
        found = estimate(array, statistic)
        assert found == estimate(array, statistic)
        assert min(values) <= found.low <= found.high <= max(values)
        assert found.n == len(values)


def test_the_median_of_an_even_number_is_between_the_middle_two() -> None:
    assert estimate(np.array([1.0, 40.0, 20.0, 30.0]), median).value == (20 + 30) / 2


def test_resampling_in_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(3).random(50)
    whole = estimate(values)
    monkeypatch.setattr(bootstrap, "_BLOCK_ELEMENTS", 50 * 300)
    assert estimate(values) == whole


def test_area_under_the_curve_by_hand() -> None:
    # Of the 2 × 3 pairs the positive wins 4, ties 1 and loses 1.
    pairs = wins(np.array([0.9, 0.5]), np.array([0.1, 0.5, 0.7]))
    assert pairs.tolist() == [[1, 1, 1], [1, 0.5, 0]]
    assert estimate_pairs(pairs).value == (4 + 0.5) / 6
    assert estimate_pairs(pairs).n == 2 + 3


@given(figures, figures)
@settings(max_examples=25)
def test_area_under_the_curve_equals_the_trapezoids_below_it(
    positives: list[float], negatives: list[float]
) -> None:
    curve = [(0.0, 0.0)]
    for threshold in sorted({*positives, *negatives}, reverse=True):
        false = sum(score >= threshold for score in negatives) / len(negatives)
        true = sum(score >= threshold for score in positives) / len(positives)
        curve.append((false, true))
    area = sum(
        (right[0] - left[0]) * (right[1] + left[1]) / 2 for left, right in itertools.pairwise(curve)
    )
    found = estimate_pairs(wins(np.array(positives), np.array(negatives)))
    assert found.value == pytest.approx(area)
    assert 0 <= found.low <= found.high <= 1


def test_pairs_are_resampled_as_if_rows_and_columns_were_drawn_one_by_one() -> None:
    rng = np.random.default_rng(5)
    positives, negatives = rng.normal(1, 1, 40), rng.normal(0, 1, 25)
    draws = [wins(rng.choice(positives, 40), rng.choice(negatives, 25)).mean() for _ in range(4000)]
    found = estimate_pairs(wins(positives, negatives))
    assert [found.low, found.high] == pytest.approx(np.percentile(draws, [2.5, 97.5]), abs=0.01)


@pytest.mark.parametrize(
    ("low", "high", "excluded"),
    [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False), (0.0, 0.1, False)],
)
def test_a_difference_is_more_than_noise_if_zero_is_outside(
    low: float, high: float, excluded: bool
) -> None:
    assert Estimate((low + high) / 2, 9, low, high).excludes_zero is excluded
