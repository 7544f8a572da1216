"""Two runs over the same questions, from the per-question files that the evaluations write.

A difference is tested by randomisation: under the null hypothesis the two runs are one system, so
on each question the two may be swapped (Fisher 1935; Smucker, Allan and Carterette 2007).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import UsageError
from rag.evaluation.bootstrap import Estimate, FloatArray, estimate, estimate_pairs, wins
from rag.evaluation.jsonl import Row, read_rows
from rag.evaluation.report import name as shown_name
from rag.evaluation.report import show, table

if TYPE_CHECKING:
    from pathlib import Path

PERMUTATIONS = 10_000
_SEED = 20240229
_UNCOMPARED = ("took_ms",)


@dataclass(frozen=True)
class Scored:
    """One line of a per-question file.

    Attributes:
        id: of the question.
        question: its text.
        kind: what sort of question; "" if its file does not say.
        follow_up: whether a conversation came before it.
        missed: whether it went wrong.
        values: measure → figure.
        confidence: that of the answer; None where none was asked for.
        answerable: whether there is an answer; None where nobody asks.
    """

    id: str
    question: str
    kind: str
    follow_up: bool
    missed: bool
    values: Mapping[str, float]
    confidence: float | None = None
    answerable: bool | None = None


@dataclass(frozen=True)
class Change:
    """A measure over a group of questions in both runs.

    Attributes:
        group: "overall", "first turns", "follow-ups", or a kind of question.
        measure: its name.
        before: mean in the first run.
        after: mean in the second run, over the same questions.
        difference: after minus before, with its paired bootstrap interval.
        p: two-sided p-value of the paired randomisation test.
    """

    group: str
    measure: str
    before: float
    after: float
    difference: Estimate
    p: float

    def to_dict(self) -> dict[str, object]:
        """JSON."""
        return {
            "group": self.group,
            "measure": self.measure,
            "before": round(self.before, 6),
            "after": round(self.after, 6),
            "difference": self.difference.to_dict(),
            "p": round(self.p, 6),
        }


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that one run gets right and the other does not."""

    id: str
    kind: str
    question: str
    gained: bool


@dataclass(frozen=True)
class Comparison:
    """What the second run changed.

    Attributes:
        changes: by group, then by measure.
        flips: gained ones first, each in file order.
    """

    changes: tuple[Change, ...]
    flips: tuple[Flip, ...]

    def to_dict(self) -> dict[str, object]:
        """JSON."""
        return {
            "changes": [change.to_dict() for change in self.changes],
            "flips": [asdict(flip) for flip in self.flips],
        }

    def to_text(self) -> str:
        """Tables: what changed, and which questions flipped."""
        rows = [["group", "measure", "n", "before", "after", "difference", "p"]]
        rows += [
            [
                change.group,
                shown_name(change.measure),
                str(change.difference.n),
                f"{change.before:.3f}",
                f"{change.after:.3f}",
                show(change.difference, signed=True),
                f"{change.p:.4f}{' *' if change.p < 0.05 else ''}",
            ]
            for change in self.changes
        ]
        gained = sum(flip.gained for flip in self.flips)
        parts = [
            "second run minus first; p by paired randomisation, * below .05 (not corrected for "
            "the number of rows)",
            table(rows),
            f"questions gained: {gained}, lost: {len(self.flips) - gained}",
        ]
        if self.flips:
            listed = [["", "id", "kind", "question"]]
            listed += [
                ["+" if flip.gained else "-", flip.id, flip.kind, flip.question]
                for flip in self.flips
            ]
            parts.append(table(listed))
        return "\n\n".join(parts)


def read_scores(path: Path) -> dict[str, Scored]:
    """The questions of a per-question file by id, in file order.

    Raises:
        UsageError: it cannot be read, or is not such a file.
    """
    scores: dict[str, Scored] = {}
    for row in read_rows(path):
        one = _scored(row)
        if one.id in scores:
            raise row.error(f'"id" {one.id!r} occurs twice')
        scores[one.id] = one
    return scores


def compare(before: Mapping[str, Scored], after: Mapping[str, Scored]) -> Comparison:
    """Compare two runs over the same questions.

    Raises:
        UsageError: the questions differ, or there are none.
    """
    if before.keys() != after.keys():
        differing = sorted(before.keys() ^ after.keys())
        raise UsageError(
            f"the two runs are not over the same questions: {len(differing)} are in one of them "
            f"only, such as {', '.join(differing[:3])}"
        )
    if not before:
        raise UsageError("there are no questions to compare")
    both = [(one, after[key]) for key, one in before.items()]
    flips = [
        Flip(one.id, one.kind, one.question, gained=one.missed)
        for one, other in both
        if one.missed is not other.missed
    ]
    return Comparison(
        changes=tuple(
            change for group, pairs in _groups(both) for change in _changes(group, pairs)
        ),
        flips=tuple(sorted(flips, key=lambda flip: not flip.gained)),
    )


def randomisation(differences: FloatArray) -> float:
    """Two-sided p-value of a mean paired difference: signs flipped at random, fixed seed.

    Args:
        differences: one a question, shape (n,).
    """
    rng = np.random.default_rng(_SEED)
    signs = rng.choice(np.array([-1.0, 1.0]), size=(PERMUTATIONS, len(differences)))
    return _p(signs @ differences, float(differences.sum()))


def _p(draws: FloatArray, observed: float) -> float:
    # The observed outcome is one of those that the null hypothesis allows; rounding is not more.
    extreme = int((np.abs(draws) >= abs(observed) - 1e-9).sum())
    return (1 + extreme) / (1 + len(draws))


Pair = tuple[Scored, Scored]


def _groups(both: Sequence[Pair]) -> Iterator[tuple[str, Sequence[Pair]]]:
    tests: list[tuple[str, Callable[[Scored], bool]]] = [
        ("first turns", lambda one: not one.follow_up),
        ("follow-ups", lambda one: one.follow_up),
    ]
    kinds = sorted({one.kind for one, _ in both if one.kind})
    tests += [(kind, lambda one, kind=kind: one.kind == kind) for kind in kinds]  # type: ignore[misc]
    yield "overall", both
    for name, belongs in tests:
        chosen = [pair for pair in both if belongs(pair[0])]
        if 0 < len(chosen) < len(both):
            yield name, chosen


def _changes(group: str, pairs: Sequence[Pair]) -> Iterator[Change]:
    for measure in dict.fromkeys(name for one, _ in pairs for name in one.values):
        defined = [
            (one.values[measure], other.values[measure])
            for one, other in pairs
            if measure in one.values and measure in other.values
        ]
        if defined and measure not in _UNCOMPARED:
            before, after = np.array(defined, dtype=np.float64).T
            change = after - before
            yield Change(
                group=group,
                measure=measure,
                before=float(before.mean()),
                after=float(after.mean()),
                difference=estimate(change),
                p=randomisation(change),
            )
    if auroc := _auroc(group, pairs):
        yield auroc


def _auroc(group: str, pairs: Sequence[Pair]) -> Change | None:
    """The confidence of both runs; None without answerable and unanswerable questions."""

    def of(answerable: bool) -> FloatArray:
        chosen = [
            (one.confidence, other.confidence)
            for one, other in pairs
            if one.answerable is answerable
        ]
        return np.array(chosen, dtype=np.float64).reshape(-1, 2)

    positives, negatives = of(True), of(False)
    if not len(positives) or not len(negatives):
        return None
    before = wins(positives[:, 0], negatives[:, 0])
    after = wins(positives[:, 1], negatives[:, 1])
    rng = np.random.default_rng(_SEED)
    draws = []
    for _ in range(PERMUTATIONS // 5):
        swapped = [
            np.where(rng.random(len(own))[:, None] < 0.5, own[:, ::-1], own)
            for own in (positives, negatives)
        ]
        draws.append(
            wins(swapped[0][:, 1], swapped[1][:, 1]).mean()
            - wins(swapped[0][:, 0], swapped[1][:, 0]).mean()
        )
    return Change(
        group=group,
        measure="auroc",
        before=float(before.mean()),
        after=float(after.mean()),
        difference=estimate_pairs(after - before),
        p=_p(np.array(draws), float(after.mean() - before.mean())),
    )


def _scored(row: Row) -> Scored:
    values = row.fields.get("values")
    if not isinstance(values, dict) or not all(
        isinstance(value, (int, float)) for value in values.values()
    ):
        raise row.error('"values" must map measures to numbers: is this a per-question file?')
    answer = row.fields.get("answer")
    confidence = answer.get("confidence") if isinstance(answer, dict) else None
    return Scored(
        id=row.identifier("id"),
        question=row.string("question", ""),
        kind=row.string("kind", ""),
        follow_up=row.boolean("follow_up"),
        missed=row.boolean("missed"),
        values={str(name): float(value) for name, value in values.items()},
        confidence=None if confidence is None else float(confidence),
        answerable=row.boolean("answerable") if "answerable" in row.fields else None,
    )
