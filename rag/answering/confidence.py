"""How sure the answer is: a small logistic model over documented features.

Fitted by `make calibrate` (see `training/calibrate.py`) and stored as JSON, so that every number
that decides between an answer and an abstention can be read and repeated.
"""

from __future__ import annotations

import json
import math
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

from rag.answering.evidence import Evidence
from rag.settings import Caution

CALIBRATION = Path(__file__).parent.parent / "models" / "calibration.json"


@dataclass(frozen=True, slots=True)
class Features:
    """What is known about the evidence before it is shown.

    Attributes:
        similarity: cosine of question and best sentence.
        coverage: share of the question's terms, weighted by rarity, in that sentence or above it.
        passage_coverage: the same in the whole passage.
        missing: rarity of the rarest term that none of the read passages has, as a share of all.
        passage: fused score of the first hit.
        lead: how much better the best sentence is than the best of another passage.
        reader: log-odds of the reader for the best sentence; 0 without the reader.
    """

    similarity: float
    coverage: float
    passage_coverage: float
    missing: float
    passage: float
    lead: float
    reader: float


@dataclass(frozen=True, slots=True)
class _Model:
    intercept: float
    weights: tuple[float, ...]
    thresholds: dict[str, float]


def features(evidence: Evidence) -> Features:
    """Features of a non-empty `evidence`."""
    best = evidence.candidates[0]
    others = [c.score for c in evidence.candidates if c.hit.row != best.hit.row]
    return Features(
        similarity=best.similarity,
        coverage=best.coverage,
        passage_coverage=evidence.passage_coverage[best.hit.rank],
        missing=evidence.missing,
        passage=evidence.first_passage,
        lead=best.score - max(others, default=best.score),
        reader=max(c.reader for c in evidence.candidates),
    )


def confidence(evidence: Evidence, *, with_reader: bool) -> float:
    """Calibrated probability, 0 to 1, that the best sentence answers the question."""
    if not evidence.candidates:
        return 0.0
    model = _load("reader" if with_reader else "quick")
    total = model.intercept + sum(
        weight * value
        for weight, value in zip(model.weights, astuple(features(evidence)), strict=True)
    )
    return 1 / (1 + math.exp(-max(min(total, 30.0), -30.0)))


def threshold(caution: Caution, *, with_reader: bool) -> float:
    """Below this confidence the answer is an abstention."""
    return _load("reader" if with_reader else "quick").thresholds[caution]


@cache
def _load(name: str) -> _Model:
    data = json.loads(CALIBRATION.read_text("utf-8"))[name]
    return _Model(data["intercept"], tuple(data["weights"].values()), data["thresholds"])
