"""Search quality on a BEIR folder: rankings, measures through ir-measures, TREC run files.

The product searches chunks and the judgements name passages: a passage's rank is that of its
best chunk.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import UsageError
from rag.evaluation.bootstrap import Estimate, estimate
from rag.evaluation.engine import Progress, Retriever, silent
from rag.evaluation.jsonl import write_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rag.evaluation.datasets import Beir, Query
    from rag.types import Hit

MEASURES = ("recall@1", "recall@5", "recall@10", "MRR@10", "nDCG@5", "nDCG@10")
DEEPEST_CUTOFF = 10
CHUNKS = 100


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage and the score that places it; scores of a ranking strictly decrease."""

    id: str
    score: float


@dataclass(frozen=True)
class Ranking:
    """What was found for one query, and what that was worth.

    Attributes:
        query: what was searched.
        passages: best first.
        values: measure → figure, for each of `MEASURES`.
        took_ms: wall-clock milliseconds of the search.
    """

    query: Query
    passages: tuple[RankedPassage, ...]
    values: Mapping[str, float]
    took_ms: float

    @property
    def missed(self) -> bool:
        """Some relevant passage is not among the first five."""
        return self.values["recall@5"] < 1

    def to_dict(self) -> dict[str, object]:
        """One line of the per-question file."""
        return {
            "id": self.query.id,
            "question": self.query.text,
            "follow_up": self.query.follow_up,
            "missed": self.missed,
            "values": {name: round(value, 6) for name, value in self.values.items()},
            "passages": [passage.id for passage in self.passages],
            "took_ms": round(self.took_ms, 1),
        }


def rank_all(
    beir: Beir,
    retriever: Retriever,
    passage_of: Mapping[str, str],
    progress: Progress = silent,
    label: str = "questions",
) -> tuple[Ranking, ...]:
    """Search for every judged query and measure what comes back.

    Args:
        beir: queries and judgements.
        retriever: searches an index built from `write_corpus`.
        passage_of: document id → passage id, as `write_corpus` returned it.
        progress: shows how far it is.
        label: what to show beside it.

    Raises:
        UsageError: the retriever returned a document that is not a passage of the set.
    """
    found: dict[str, tuple[RankedPassage, ...]] = {}
    took_ms: dict[str, float] = {}
    for query in progress(beir.judged, label):
        started = time.perf_counter()
        hits = _search(retriever, query)
        took_ms[query.id] = 1000 * (time.perf_counter() - started)
        found[query.id] = rank_passages(hits, passage_of)
    values = measure(beir.qrels, found)
    return tuple(
        Ranking(query, found[query.id], values[query.id], took_ms[query.id])
        for query in beir.judged
    )


def rank_passages(hits: Sequence[Hit], passage_of: Mapping[str, str]) -> tuple[RankedPassage, ...]:
    """Passages in the order of their best hit.

    Evaluators order by score in single precision and break ties by id; a score that would tie
    with or exceed the one before is lowered by the least step, so that all see our order.
    """
    ranked: dict[str, np.float32] = {}
    last = np.float32(np.inf)
    for hit in hits:
        try:
            passage = passage_of[hit.chunk.document]
        except KeyError:
            raise UsageError(
                f"the index returned {hit.chunk.document}, which is not a passage of this set: "
                "build it from the folder that the evaluation hands over"
            ) from None
        if passage not in ranked:
            last = min(np.float32(hit.scores.fused), np.nextafter(last, np.float32(-np.inf)))
            ranked[passage] = last
    return tuple(RankedPassage(passage, float(score)) for passage, score in ranked.items())


def measure(
    qrels: Mapping[str, Mapping[str, int]], rankings: Mapping[str, Sequence[RankedPassage]]
) -> dict[str, dict[str, float]]:
    """The measures of each ranking, as trec_eval defines them (through ir-measures).

    With rel(i) the relevance of the passage at rank i, and R the number of relevant passages:
    recall@k = |relevant among the first k| / R; MRR@k = 1 / rank of the first relevant one, 0
    beyond k; nDCG@k = Σ rel(i) / log₂(i + 1) over the first k, divided by the same of the best
    possible order (Järvelin and Kekäläinen 2002).

    Args:
        qrels: query id → passage id → relevance.
        rankings: query id → passages, best first; an empty one scores 0.
    """
    # Imported here because answers are judged without it.
    import ir_measures
    from ir_measures import RR, R, nDCG

    name_of = dict(zip((R @ 1, R @ 5, R @ 10, RR @ 10, nDCG @ 5, nDCG @ 10), MEASURES, strict=True))
    judged = {query: dict(qrels[query]) for query in rankings}
    run = {
        query: {passage.id: passage.score for passage in passages}
        for query, passages in rankings.items()
    }
    values: dict[str, dict[str, float]] = {query: dict.fromkeys(MEASURES, 0.0) for query in run}
    for metric in ir_measures.iter_calc(list(name_of), judged, run):
        values[metric.query_id][name_of[metric.measure]] = float(metric.value)
    return values


def summarise(rankings: Sequence[Ranking]) -> dict[str, Estimate]:
    """The mean of every measure with its interval."""
    return {
        name: estimate(np.array([ranking.values[name] for ranking in rankings], dtype=float))
        for name in MEASURES
    }


def compare(variant: Sequence[Ranking], base: Sequence[Ranking]) -> dict[str, Estimate]:
    """Mean differences on the same queries, variant minus base, with paired intervals."""
    return {
        name: estimate(
            np.array(
                [
                    one.values[name] - other.values[name]
                    for one, other in zip(variant, base, strict=True)
                ],
                dtype=float,
            )
        )
        for name in MEASURES
    }


def write_run(path: Path, rankings: Sequence[Ranking], tag: str = "rag") -> None:
    """Write the rankings as a TREC run: query, Q0, passage, rank, score, tag.

    Raises:
        UsageError: an id or the tag holds white space, which separates the columns.
        RagError: the file cannot be written.
    """
    lines = []
    for ranking in rankings:
        for rank, passage in enumerate(ranking.passages, start=1):
            columns = (ranking.query.id, "Q0", passage.id, str(rank), f"{passage.score:.9g}", tag)
            if spaced := next((column for column in columns if len(column.split()) != 1), None):
                raise UsageError(f"{spaced!r} holds white space: a TREC run cannot name it")
            lines.append(" ".join(columns) + "\n")
    write_text(path, lines)


def _search(retriever: Retriever, query: Query) -> Sequence[Hit]:
    # Several chunks may belong to one passage: ask for more until the deepest cutoff is filled.
    k = CHUNKS
    while True:
        hits = retriever.retrieve(query.text, k, history=query.history)
        documents = {hit.chunk.document for hit in hits}
        if len(documents) >= DEEPEST_CUTOFF or len(hits) < k:
            return hits
        k *= 2
