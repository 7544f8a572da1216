"""How sure the answer is: a small logistic model over documented features.

Fitted by `make calibrate` (see `training/calibrate.py`) and stored as JSON, so that every number
that decides between an answer and an abstention can be read and repeated.
"""

from __future__ import annotations

import json
import math
from dataclasses import astuple, dataclass, fields
from functools import cache
from pathlib import Path

from rag.answering.evidence import Evidence, passage_log_odds
from rag.answering.questions import looks_like_answer
from rag.settings import Caution

CALIBRATION = Path(__file__).parent.parent / "models" / "calibration.json"


@dataclass(frozen=True, slots=True)
class Features:
    """What is known about the evidence before it is shown.

    Attributes:
        similarity: cosine of best sentence and question as it is searched with.
        passage_coverage: share of the question's terms, weighted by rarity, in its passage; 0
            with the reader, which is not fooled by an answer in other words.
        missing: rarity of the rarest term that none of the read passages has, as a share of all.
        form: 1 if the best sentence has the form of an answer that the question asks for, else 0.
        reader: log-odds of the reader that a passage has an answer at all, for the passage where
            they are highest (logsumexp over its sentences); 0 without the reader.
    """

    similarity: float
    passage_coverage: float
    missing: float
    form: float
    reader: float


@dataclass(frozen=True, slots=True)
class _Model:
    intercept: float
    weights: tuple[float, ...]
    thresholds: dict[str, float]


def features(evidence: Evidence, *, with_reader: bool) -> Features:
    """Features of a non-empty `evidence`, which the reader has read if its say is to count."""
    best = evidence.candidates[0]
    return Features(
        similarity=best.similarity,
        passage_coverage=0.0 if with_reader else evidence.passage_coverage[best.hit.rank],
        missing=evidence.missing,
        form=float(looks_like_answer(evidence.kind, best.plain)),
        reader=_answered(evidence) if with_reader else 0.0,
    )


def _answered(evidence: Evidence) -> float:
    """The highest log-odds of an answer among the passages."""
    passages: dict[int, list[float]] = {}
    for candidate in evidence.candidates:
        passages.setdefault(candidate.hit.row, []).append(candidate.reader)
    return max(map(passage_log_odds, passages.values()))


def confidence(evidence: Evidence, *, with_reader: bool) -> float:
    """Calibrated probability, 0 to 1, that the best sentence answers the question."""
    if not evidence.candidates:
        return 0.0
    model = _load("reader" if with_reader else "quick")
    total = model.intercept + sum(
        weight * value
        for weight, value in zip(
            model.weights, astuple(features(evidence, with_reader=with_reader)), strict=True
        )
    )
    return 1 / (1 + math.exp(-max(min(total, 30.0), -30.0)))


def threshold(caution: Caution, *, with_reader: bool) -> float:
    """Below this confidence the answer is an abstention."""
    return _load("reader" if with_reader else "quick").thresholds[caution]


@cache
def _load(name: str) -> _Model:
    data = json.loads(CALIBRATION.read_text("utf-8"))[name]
    weights = tuple(data["weights"][spec.name] for spec in fields(Features))
    return _Model(data["intercept"], weights, data["thresholds"])
