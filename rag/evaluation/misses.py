"""What went wrong, and where: the ranks of the expected evidence from search to quotation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

import numpy as np

from rag.evaluation.engine import Engine, Progress, silent
from rag.evaluation.metrics import Judgement, Span, hits, locate
from rag.types import Hit, Scores

if TYPE_CHECKING:
    from rag.answering.evidence import Candidate, Evidence
    from rag.evaluation.datasets import Gold

DEPTH = 100
CLOSE = 3
"""A sentence among the best so many was within reach of being quoted."""

Ranks = Mapping[str, int | None]
Cause = Literal["search", "sentence score", "selection", "abstention", "detail", "no ground"]

CAUSES: Mapping[Cause, str] = {
    "search": "the evidence is in none of the passages that were read",
    "sentence score": f"it was read, but its sentence is not among the best {CLOSE}",
    "selection": f"its sentence is among the best {CLOSE}, but was not quoted",
    "abstention": f"its sentence is among the best {CLOSE}, but the confidence was too low",
    "detail": "the evidence is quoted, but without all that a correct answer contains",
    "no ground": "answered, though there is no answer",
}
"""Where a question went wrong, in the order of the pipeline."""


@dataclass(frozen=True)
class Miss:
    """A question that went wrong.

    Attributes:
        judgement: what was asked, answered and measured.
        ranks: for each gold entry, its rank at each stage (see `gold_ranks`).
        depth: how many hits were looked through.
        cause: the first stage that lost evidence which was not quoted.
    """

    judgement: Judgement
    ranks: Mapping[Gold, Ranks]
    depth: int
    cause: Cause


def find_misses(
    engine: Engine,
    judgements: Sequence[Judgement],
    depth: int = DEPTH,
    progress: Progress = silent,
) -> tuple[Miss, ...]:
    """The misses among `judgements`, each with where its evidence ranked."""
    missed = [judgement for judgement in judgements if judgement.missed]
    found = []
    for judgement in progress(missed, "misses"):
        question = judgement.question
        retrieved = engine.retrieve(question.question, depth, history=question.history)
        evidence = engine.evidence(question.question, history=question.history)
        ranks = {gold: gold_ranks(engine, gold, retrieved, evidence) for gold in question.gold}
        found.append(Miss(judgement, ranks, depth, cause(judgement, ranks)))
    return tuple(found)


def gold_ranks(
    engine: Engine, gold: Gold, retrieved: Sequence[Hit], evidence: Sequence[Evidence]
) -> dict[str, int | None]:
    """Where the first passage or sentence that holds the evidence stands, from 1, at each stage.

    "dense", "sentence", "lexical" and "fused" order the passages by one of their scores; "reader"
    and "score" order the sentences that were read, by the reader alone and by all there is. Of
    several parts of a question the best rank counts. A rank is None if nothing holds the
    evidence, that is, shares at least half of the shorter one; a stage that was not taken is
    absent.
    """
    spans = locate(gold, engine.text)

    def holds(document: str, span: Span) -> bool:
        return document == gold.document and any(hits(span, own) for own in spans)

    passages = [holds(hit.chunk.document, (hit.chunk.start, hit.chunk.end)) for hit in retrieved]
    ranks: dict[str, int | None] = {}
    for stage in fields(Scores):
        scores = np.array([getattr(hit.scores, stage.name) for hit in retrieved], dtype=float)
        if np.isfinite(scores).all():
            ranks[stage.name] = _first(passages, np.argsort(-scores, kind="stable").tolist())

    def holding(candidates: Iterable[Candidate]) -> list[bool]:
        return [
            holds(each.chunk.document, (each.sentence.start, each.sentence.end))
            for each in candidates
        ]

    if any(part.read for part in evidence):
        orders = [sorted(part.candidates, key=lambda each: -each.reader) for part in evidence]
        ranks["reader"] = _best(_first(holding(order)) for order in orders)
    ranks["score"] = _best(_first(holding(part.candidates)) for part in evidence)
    return ranks


def cause(judgement: Judgement, ranks: Mapping[Gold, Ranks]) -> Cause:
    """The first stage that lost evidence which was not quoted."""
    if not judgement.question.answerable:
        return "no ground"
    groups = zip(judgement.question.evidence_groups(), judgement.groups_hit, strict=True)
    unquoted = [group for group, hit in groups if not hit]
    if not unquoted:
        return "abstention" if judgement.answer.abstained else "detail"
    worst = [_best(ranks[gold]["score"] for gold in group) for group in unquoted]
    if any(rank is None for rank in worst):
        return "search"
    if any(rank is not None and rank > CLOSE for rank in worst):
        return "sentence score"
    return "abstention" if judgement.answer.abstained else "selection"


def count_causes(misses: Sequence[Miss]) -> dict[Cause, int]:
    """How many misses each stage has caused, in the order of the pipeline."""
    return {each: sum(miss.cause == each for miss in misses) for each in CAUSES}


def _first(holding: Sequence[bool], order: Sequence[int] | None = None) -> int | None:
    places = range(len(holding)) if order is None else order
    return next((rank for rank, at in enumerate(places, start=1) if holding[at]), None)


def _best(ranks: Iterable[int | None]) -> int | None:
    return min((rank for rank in ranks if rank is not None), default=None)
