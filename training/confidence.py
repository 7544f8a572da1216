"""The statistics of `make calibrate`: a logistic regression, its thresholds, and how good it is.

Thresholds are chosen on predictions from ten-fold cross-validation over groups of questions, so
that no question judges the model it was fitted on. The error rates come from a second
cross-validation around it: no question judges the thresholds that were chosen on it either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from rag.settings import Caution
from training.written import ORGANISATIONS, WRITTEN

_FOLDS = 10
# Of the unanswerable questions, how many may be answered at the cautious setting.
_CAUTIOUS_FALSE_ANSWERS = 0.1
# Of the answerable questions, how many may go unanswered at the balanced and the eager setting; in
# use there are a few more, since parts may lean on one another and names may be unknown.
_BALANCED_FALSE_ABSTENTIONS = 0.16
_EAGER_FALSE_ABSTENTIONS = 0.05

_LEAST_OF_A_SET = 50
MIXED = "mixed"
_NOT_DECIDING = (MIXED, WRITTEN, ORGANISATIONS)
"""Sets that shape the model but not the thresholds: where one passage was taken out of many on its
subject, another one may answer as well; and nobody asks as many questions that are meant to mislead
as were written for the reader."""
SETTINGS = get_args(Caution)

Array = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]
Chosen = npt.NDArray[Any]
"""Row numbers, or for each row whether it is chosen."""


def fit(rows: Array, labels: Array, weights: Array) -> tuple[float, Array]:
    """Intercept and weights of a logistic regression on the raw features."""
    scaler = StandardScaler().fit(rows)
    model = LogisticRegression(C=0.3, max_iter=1000)
    model.fit(scaler.transform(rows), labels, sample_weight=weights)
    raw = model.coef_[0] / scaler.scale_
    return float(model.intercept_[0] - raw @ scaler.mean_), raw


@dataclass(frozen=True)
class Measured:
    """Questions with their features.

    Attributes:
        rows: features, shape (n, features).
        labels: 1 if answerable, else 0, shape (n,).
        sources: the set each comes from, shape (n,).
        groups: those of a group are in one fold, shape (n,).
    """

    rows: Array
    labels: Array
    sources: Names
    groups: Names

    def only(self, chosen: Chosen) -> Measured:
        """Some of them."""
        return Measured(
            self.rows[chosen], self.labels[chosen], self.sources[chosen], self.groups[chosen]
        )

    def folds(self) -> Iterator[tuple[Chosen, Chosen]]:
        """Row numbers to fit on and to judge, ten times; each row is judged once."""
        splits = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0)
        yield from splits.split(self.rows, self.labels, self.groups)


def fitted(measured: Measured) -> tuple[float, Array]:
    """Intercept and weights, every source and label weighing the same."""
    weights = balance(measured.sources, measured.labels)
    return fit(measured.rows, measured.labels, weights)


def predict(model: tuple[float, Array], rows: Array) -> Array:
    """Probabilities, shape (n,)."""
    intercept, coefficients = model
    probabilities: Array = 1 / (1 + np.exp(-(intercept + rows @ coefficients)))
    return probabilities


def cross_validated(measured: Measured) -> Array:
    """For each question, the probability from a model that has not seen its group."""
    predictions = np.zeros(len(measured.labels))
    for train, test in measured.folds():
        predictions[test] = predict(fitted(measured.only(train)), measured.rows[test])
    return predictions


def decided(measured: Measured) -> dict[str, Chosen]:
    """For each setting, whether each question is answered: model and threshold from the others."""
    answered: dict[str, Chosen] = {
        name: np.zeros(len(measured.labels), dtype=bool) for name in SETTINGS
    }
    for train, test in measured.folds():
        others = measured.only(train)
        thresholds = choose_thresholds(cross_validated(others), others.labels, others.sources)
        sure = predict(fitted(others), measured.rows[test])
        for name, threshold in thresholds.items():
            answered[name][test] = sure >= threshold
    return answered


def balance(sources: Names, labels: Array) -> Array:
    """Equal total weight for each source, and for both labels within it."""
    weights = np.zeros(len(labels))
    for source in set(sources.tolist()):
        for label in (0, 1):
            chosen = (sources == source) & (labels == label)
            weights[chosen] = 1 / max(chosen.sum(), 1)
    total: Array = weights * len(labels) / weights.sum()
    return total


def rates(answered: Chosen, labels: Array) -> tuple[float, float]:
    """False answers among the unanswerable, false abstentions among the answerable."""
    return float(answered[labels == 0].mean()), float(1 - answered[labels == 1].mean())


def choose_thresholds(predictions: Array, labels: Array, sources: Names) -> dict[str, float]:
    """Cautious: false answers are bounded. Balanced and eager: false abstentions are.

    The errors of a threshold are those on its worst set of at least 50 questions.
    """
    names, counts = np.unique(sources, return_counts=True)
    deciding = (counts >= _LEAST_OF_A_SET) & ~np.isin(names, _NOT_DECIDING)
    sets = [sources == name for name in names[deciding]]
    table = []
    for threshold in np.linspace(0.01, 0.99, 99):
        each = [rates(predictions[own] >= threshold, labels[own]) for own in sets]
        answers, abstains = (max(column) for column in zip(*each, strict=True))
        table.append((float(threshold), answers, abstains))
    cautious = min(
        (t for t, answers, _ in table if answers <= _CAUTIOUS_FALSE_ANSWERS), default=table[-1][0]
    )
    balanced = max(t for t, _, abstains in table if abstains <= _BALANCED_FALSE_ABSTENTIONS)
    eager = max(t for t, _, abstains in table if abstains <= _EAGER_FALSE_ABSTENTIONS)
    return {
        "cautious": round(max(cautious, balanced), 2),
        "balanced": round(balanced, 2),
        "eager": round(eager, 2),
    }


def describe(measured: Measured, names: Sequence[str]) -> dict[str, object]:
    """The model, its thresholds, and how it does on questions that it has not seen, as JSON.

    Args:
        measured: all questions.
        names: of the features.
    """
    predictions = cross_validated(measured)
    thresholds = choose_thresholds(predictions, measured.labels, measured.sources)
    intercept, coefficients = fitted(measured)
    answered = decided(measured)
    figures = {}
    for source in np.unique(measured.sources).tolist():
        own = measured.sources == source
        labels = measured.labels[own]
        figures[source] = {
            "questions": int(own.sum()),
            "auroc": round(float(roc_auc_score(labels, predictions[own])), 3),
            "reliability": reliability(predictions[own], labels),
            **{
                name: dict(
                    zip(
                        ("false_answers", "false_abstentions"),
                        (round(rate, 3) for rate in rates(chosen[own], labels)),
                        strict=True,
                    )
                )
                for name, chosen in answered.items()
            },
        }
    return {
        "intercept": round(intercept, 6),
        "weights": {
            name: round(float(weight), 6) for name, weight in zip(names, coefficients, strict=True)
        },
        "thresholds": thresholds,
        "cross_validated": figures,
    }


def reliability(predictions: Array, labels: Array) -> list[list[float]]:
    """Mean confidence, share of answerable questions and their number, for fifths of confidence."""
    bins = np.minimum((predictions * 5).astype(int), 4)
    return [
        [
            round(float(predictions[own].mean()), 3),
            round(float(labels[own].mean()), 3),
            int(own.sum()),
        ]
        for own in (bins == number for number in np.unique(bins))
    ]
