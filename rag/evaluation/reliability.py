"""Whether a confidence means what it says, and what each setting of caution would do with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag.evaluation.bootstrap import Estimate, estimate
from rag.evaluation.plots import Range, Series, plot
from rag.evaluation.report import show, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rag.evaluation.metrics import Judgement
    from rag.settings import Caution

BINS = 10
_COVERAGES = tuple(np.linspace(0.1, 1.0, 10).round(1).tolist())


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question: how sure the answer was, and what it was worth if given.

    Attributes:
        confidence: 0 to 1.
        answerable: whether there is an answer at all.
        right: whether the answer that is given without abstention is right.
    """

    confidence: float
    answerable: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """The questions whose confidence is in [low, high), the last bin including its end.

    Attributes:
        low: least confidence.
        high: greatest confidence.
        questions: how many.
        confidence: their mean confidence.
        right: share of them answered rightly.
        interval: 95 % interval of `right` (Wilson 1927).
        answerable: share of them that have an answer.
    """

    low: float
    high: float
    questions: int
    confidence: float
    right: float
    interval: Range
    answerable: float


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold of confidence does.

    Attributes:
        caution: the name of the setting.
        threshold: below this confidence it abstains.
        false_answers: share of the unanswerable questions that are answered.
        false_abstentions: share of the answerable questions that are not.
        coverage: share of all questions that are answered.
        risk: share of those that are answered wrongly or without ground.
    """

    caution: str
    threshold: float
    false_answers: Estimate
    false_abstentions: Estimate
    coverage: Estimate
    risk: Estimate


@dataclass(frozen=True)
class Reliability:
    """Calibration of a question set.

    Attributes:
        outcomes: one a question, in file order.
        points: one a setting of caution.
    """

    outcomes: tuple[Outcome, ...]
    points: tuple[OperatingPoint, ...]

    @property
    def bins(self) -> tuple[Bin, ...]:
        """The reliability diagram: ten bins of equal width; empty ones are left out."""
        made = []
        for number in range(BINS):
            own = [each for each in self.outcomes if _bin_of(each.confidence) == number]
            if own:
                right = sum(each.right for each in own)
                made.append(
                    Bin(
                        low=number / BINS,
                        high=(number + 1) / BINS,
                        questions=len(own),
                        confidence=float(np.mean([each.confidence for each in own])),
                        right=right / len(own),
                        interval=wilson(right, len(own)),
                        answerable=float(np.mean([each.answerable for each in own])),
                    )
                )
        return tuple(made)

    @property
    def calibration_error(self) -> float:
        """Expected calibration error: Σ over bins of |share right - mean confidence| · n / N."""
        total = sum(each.questions for each in self.bins)
        return sum(abs(b.right - b.confidence) * b.questions for b in self.bins) / total

    @property
    def brier(self) -> float:
        """Mean of (confidence - 1 if right else 0)² (Brier 1950)."""
        return float(np.mean([(each.confidence - each.right) ** 2 for each in self.outcomes]))

    @property
    def risk_coverage(self) -> tuple[tuple[float, float], ...]:
        """(coverage, risk) if only the surest questions are answered (El-Yaniv and Wiener 2010).

        Questions of equal confidence are answered together.
        """
        ordered = sorted(self.outcomes, key=lambda each: -each.confidence)
        wrong = np.cumsum([not each.right for each in ordered])
        return tuple(
            (count / len(ordered), float(wrong[count - 1]) / count)
            for count in range(1, len(ordered) + 1)
            if count == len(ordered) or ordered[count].confidence < ordered[count - 1].confidence
        )

    @property
    def area(self) -> float:
        """Mean risk over the coverages of `risk_coverage`; lower is better."""
        return float(np.mean([risk for _, risk in self.risk_coverage]))

    def to_dict(self) -> dict[str, object]:
        """JSON."""
        return {
            "bins": [asdict(each) for each in self.bins],
            "calibration_error": round(self.calibration_error, 6),
            "brier": round(self.brier, 6),
            "risk_coverage": [[round(c, 4), round(r, 4)] for c, r in self.risk_coverage],
            "risk_coverage_area": round(self.area, 6),
            "operating_points": {
                point.caution: {
                    "threshold": point.threshold,
                    "false_answers": point.false_answers.to_dict(),
                    "false_abstentions": point.false_abstentions.to_dict(),
                    "coverage": point.coverage.to_dict(),
                    "risk": point.risk.to_dict(),
                }
                for point in self.points
            },
        }

    def to_text(self) -> str:
        """Tables: the diagram, risk at each tenth of coverage, the settings of caution."""
        rows = [["confidence", "questions", "mean", "right", "95 %", "answerable"]]
        rows += [
            [
                f"{b.low:.1f} to {b.high:.1f}",
                str(b.questions),
                f"{b.confidence:.3f}",
                f"{b.right:.3f}",
                f"[{b.interval[0]:.3f}, {b.interval[1]:.3f}]",
                f"{b.answerable:.3f}",
            ]
            for b in self.bins
        ]
        curve = self.risk_coverage
        risks = [["coverage", *(f"{coverage:.1f}" for coverage in _COVERAGES)]]
        risks.append(["risk", *(_risk_at(curve, coverage) for coverage in _COVERAGES)])
        settings = [["caution", "below", "false answers", "false abstentions", "coverage", "risk"]]
        settings += [
            [
                point.caution,
                f"{point.threshold:.2f}",
                *map(show, (point.false_answers, point.false_abstentions)),
                *map(show, (point.coverage, point.risk)),
            ]
            for point in self.points
        ]
        return "\n\n".join(
            [
                "reliability: answers by confidence, abstentions answered too "
                f"(calibration error {self.calibration_error:.3f}, Brier {self.brier:.3f})",
                table(rows),
                f"risk and coverage: share wrong among the surest questions (mean {self.area:.3f})",
                table(risks),
                "settings of caution",
                table(settings),
            ]
        )

    def diagram(self) -> str:
        """The reliability diagram as SVG."""
        bins = self.bins
        return plot(
            "Reliability diagram: share of right answers by confidence",
            [
                Series(
                    "right answers (95 % interval, n)",
                    [(b.confidence, b.right) for b in bins],
                    [b.interval for b in bins],
                    [str(b.questions) for b in bins],
                ),
                Series("answerable questions", [(b.confidence, b.answerable) for b in bins]),
            ],
            "confidence",
            "share of the questions",
            diagonal=True,
        )

    def risk_coverage_plot(self) -> str:
        """The risk-coverage curve as SVG, with a mark for each setting of caution."""
        settled = [p for p in self.points if p.coverage.value is not None]
        return plot(
            "Risk-coverage curve: share wrong among the questions that are answered",
            [
                Series("surest questions answered", self.risk_coverage, marks=False),
                Series(
                    "settings of caution",
                    [(p.coverage.value or 0.0, p.risk.value or 0.0) for p in settled],
                    labels=[p.caution for p in settled],
                    line=False,
                ),
            ],
            "coverage: share of the questions that are answered",
            "risk: share of those that are wrong",
        )


def reliability(
    judgements: Sequence[Judgement],
    forced: Mapping[str, Judgement],
    thresholds: Mapping[Caution, float],
) -> Reliability:
    """Make the calibration of one evaluation.

    Args:
        judgements: with abstentions.
        forced: question id → the same question, answered without abstention; needed for those
            that were abstained from.
        thresholds: setting of caution → the confidence below which it abstains.
    """
    outcomes = tuple(
        Outcome(
            confidence=one.answer.confidence,
            answerable=one.question.answerable,
            right=(forced[one.question.id] if one.answer.abstained else one).right,
        )
        for one in judgements
    )
    points = tuple(_point(name, least, outcomes) for name, least in thresholds.items())
    return Reliability(outcomes, points)


def wilson(successes: int, n: int) -> Range:
    """95 % interval of a share (Wilson 1927); `n` must not be 0."""
    z = 1.959964
    share = successes / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = float(middle - half), float(middle + half)
    # Exact at the ends, where rounding would leave the share outside of its interval.
    return 0.0 if successes == 0 else low, 1.0 if successes == n else high


def _bin_of(confidence: float) -> int:
    return min(int(confidence * BINS), BINS - 1)


def _point(caution: str, threshold: float, outcomes: Sequence[Outcome]) -> OperatingPoint:
    def share(values: list[bool]) -> Estimate:
        return estimate(np.array(values, dtype=np.float64))

    answered = [each.confidence >= threshold for each in outcomes]
    both = list(zip(outcomes, answered, strict=True))
    return OperatingPoint(
        caution=caution,
        threshold=threshold,
        false_answers=share([given for each, given in both if not each.answerable]),
        false_abstentions=share([not given for each, given in both if each.answerable]),
        coverage=share(answered),
        risk=share([not each.right for each, given in both if given]),
    )


def _risk_at(curve: Sequence[tuple[float, float]], coverage: float) -> str:
    reached = next((risk for at, risk in curve if at >= coverage - 1e-9), None)
    return "–" if reached is None else f"{reached:.3f}"
