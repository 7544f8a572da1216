from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training import confidence
from training.confidence import (
    SETTINGS,
    Measured,
    balance,
    choose_thresholds,
    cross_validated,
    decided,
    describe,
    fitted,
    predict,
    rates,
    reliability,
)


def measured(n: int = 240, signal: float = 2.0, seed: int = 0) -> Measured:
    """Two sets of questions, two questions a group, of one feature that tells and one of noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n).astype(float)
    return Measured(
        rows=np.column_stack([signal * labels + rng.normal(size=n), rng.normal(size=n)]),
        labels=labels,
        sources=np.where(np.arange(n) < n // 2, "handbook", "xquad"),
        groups=np.array([f"g{i // 2}" for i in range(n)]),
    )


def test_no_question_is_judged_by_a_model_that_saw_its_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbered = measured()
    numbered = Measured(
        np.column_stack([np.arange(240.0), numbered.rows[:, 0]]),
        numbered.labels, numbered.sources, numbered.groups,
    )  # fmt: skip
    seen: list[set[str]] = []
    judged: list[set[str]] = []
    fit, judge = confidence.fit, confidence.predict

    def recorded_fit(rows, labels, weights):  # type: ignore[no-untyped-def]
        seen.append({numbered.groups[int(i)] for i in rows[:, 0]})
        return fit(rows, labels, weights)

    def recorded_predict(model, rows):  # type: ignore[no-untyped-def]
        judged.append({numbered.groups[int(i)] for i in rows[:, 0]})
        return judge(model, rows)

    monkeypatch.setattr(confidence, "fit", recorded_fit)
    monkeypatch.setattr(confidence, "predict", recorded_predict)
    cross_validated(numbered)
    assert len(seen) == len(judged) == 10
    assert all(not one & other for one, other in zip(seen, judged, strict=True))
    assert set().union(*judged) == set(numbered.groups)


def test_labels_of_chance_stay_chance() -> None:
    """With a leak, two questions of one group that share a label would give each other away."""
    rng = np.random.default_rng(1)
    n = 200
    labels = np.repeat(rng.integers(0, 2, n // 2), 2).astype(float)
    groups = np.repeat(np.arange(n // 2), 2).astype(str)
    rows = np.repeat(rng.normal(size=(n // 2, 60)), 2, axis=0)
    random = Measured(rows, labels, np.full(n, "made"), groups)
    assert roc_auc_score(labels, predict(fitted(random), rows)) > 0.85
    assert roc_auc_score(labels, cross_validated(random)) < 0.65


def test_thresholds_are_not_chosen_on_the_questions_they_decide(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes = []

    def chosen(predictions, labels, sources):  # type: ignore[no-untyped-def]
        sizes.append(len(labels))
        return dict.fromkeys(SETTINGS, float(predictions.mean()))

    monkeypatch.setattr(confidence, "choose_thresholds", chosen)
    answered = decided(measured())
    assert len(sizes) == 10
    assert all(size < 240 for size in sizes)
    assert answered.keys() == set(SETTINGS)
    assert all(0.3 < own.mean() < 0.7 for own in answered.values())


def test_every_set_and_label_weighs_the_same() -> None:
    sources = np.array(["a", "a", "a", "b", "b", "b", "b"])
    labels = np.array([1.0, 1, 0, 1, 0, 0, 0])
    weights = balance(sources, labels)
    assert weights.sum() == pytest.approx(7)
    for source in "ab":
        for label in (0, 1):
            own = weights[(sources == source) & (labels == label)]
            assert own.sum() == pytest.approx(7 / 4)


def test_weights_are_those_of_the_raw_features() -> None:
    own = measured(2000)
    intercept, coefficients = fitted(own)
    # Two normal distributions with means 0 and 2: log-odds 2 x - 2, and nothing for the noise.
    assert coefficients == pytest.approx([2, 0], abs=0.25)
    assert intercept == pytest.approx(-2, abs=0.25)


def test_rates_count_each_side() -> None:
    answered = np.array([True, False, True, True])
    assert rates(answered, np.array([0.0, 0, 1, 1])) == (1 / 2, 0 / 2)


def test_eager_answers_most_and_cautious_least() -> None:
    own = measured()
    thresholds = choose_thresholds(cross_validated(own), own.labels, own.sources)
    assert thresholds["eager"] <= thresholds["balanced"] <= thresholds["cautious"]
    predictions = cross_validated(own)
    for source in ("handbook", "xquad"):
        chosen = own.sources == source
        answered = predictions[chosen] >= thresholds["balanced"]
        assert rates(answered, own.labels[chosen])[1] <= 0.2


def test_the_description_is_json_with_rates_of_every_setting() -> None:
    described = describe(measured(), ["tells", "noise"])
    assert json.loads(json.dumps(described)) == described
    assert described["weights"].keys() == {"tells", "noise"}
    for figures in described["cross_validated"].values():
        assert set(SETTINGS) < set(figures)
        assert figures["auroc"] > 0.8
        assert sum(n for _, _, n in figures["reliability"]) == figures["questions"]
    eager, cautious = (described["cross_validated"]["xquad"][s] for s in ("eager", "cautious"))
    assert eager["false_answers"] >= cautious["false_answers"]
    assert eager["false_abstentions"] <= cautious["false_abstentions"]


def test_reliability_counts_each_fifth() -> None:
    predictions, labels = np.array([0.1, 0.1, 0.9, 1.0]), np.array([0.0, 1, 1, 1])
    assert reliability(predictions, labels) == [[0.1, 1 / 2, 2], [0.95, 2 / 2, 2]]
