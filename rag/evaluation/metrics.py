"""How good one answer is, and how good many are: the answer metrics of the contract.

Over answerable questions an abstention counts as a miss in everything but the length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import DocumentNotFound
from rag.evaluation.bootstrap import (
    Estimate,
    FloatArray,
    Statistic,
    estimate,
    estimate_pairs,
    mean,
    median,
    wins,
)

if TYPE_CHECKING:
    from rag.evaluation.datasets import Gold, Question
    from rag.types import Answer, Citation

Span = tuple[int, int]
TextOf = Callable[[str], str]

STATISTICS: Mapping[str, Statistic] = {
    "evidence_hit": mean,
    "evidence_recall": mean,
    "correct": mean,
    "precision": mean,
    "length": median,
    "false_answer_rate": mean,
    "false_abstention_rate": mean,
    "took_ms": median,
}
MEASURES = (*tuple(STATISTICS)[:-1], "auroc", "took_ms")


@dataclass(frozen=True)
class Judgement:
    """One question, its answer, and what that was worth.

    Attributes:
        question: what was asked.
        answer: what came back.
        values: measure → figure; a measure that this question does not define is absent.
        groups_hit: for each evidence group of the question, whether a citation hit it.
        broken: citations whose quote is not `text[start:end]` of their document.
        unlocated: gold entries that are not in the document they name.
    """

    question: Question
    answer: Answer
    values: Mapping[str, float]
    groups_hit: tuple[bool, ...]
    broken: tuple[Citation, ...]
    unlocated: tuple[Gold, ...]

    @property
    def missed(self) -> bool:
        """Answered without ground, or not answered correctly from all the evidence."""
        if self.answer.abstained:
            return self.question.answerable
        measured = (self.values.get(name, 1.0) for name in ("evidence_recall", "correct"))
        return not self.question.answerable or min(measured) < 1

    @property
    def right(self) -> bool:
        """Answered, and correctly; where nothing says what that is, from some of the evidence."""
        return self.values.get("correct", self.values.get("evidence_hit", 0.0)) == 1

    def to_dict(self) -> dict[str, object]:
        """One line of the per-question file."""
        return {
            "id": self.question.id,
            "kind": self.question.kind,
            "question": self.question.question,
            "follow_up": self.question.follow_up,
            "answerable": self.question.answerable,
            "missed": self.missed,
            "values": {name: round(value, 6) for name, value in self.values.items()},
            "groups_hit": list(self.groups_hit),
            "broken_citations": [citation.n for citation in self.broken],
            "answer": self.answer.to_dict(),
        }


def occurrences(text: str, evidence: str) -> tuple[Span, ...]:
    """Where `evidence` stands in `text`: every place, overlapping ones too.

    Only if it stands nowhere is white space let vary: a loader may have set other line breaks
    than the file had from which the evidence was copied.
    """
    exact = re.compile(f"(?={re.escape(evidence)})")
    if spans := tuple((at.start(), at.start() + len(evidence)) for at in exact.finditer(text)):
        return spans
    loose = re.compile(r"\s+".join(map(re.escape, evidence.split())))
    return tuple(at.span() for at in loose.finditer(text))


def overlap(one: Span, other: Span) -> int:
    """How many code points two spans share."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def hits(one: Span, other: Span) -> bool:
    """Whether two spans share at least half of the shorter one."""
    shorter = min(one[1] - one[0], other[1] - other[0])
    return shorter > 0 and 2 * overlap(one, other) >= shorter


def contains_all(text: str, groups: Iterable[Iterable[str]]) -> bool:
    """Whether each group has a string that occurs in `text`; case and white space do not count."""
    folded = _fold(text)
    return all(any(_fold(option) in folded for option in group) for group in groups)


def locate(gold: Gold, text_of: TextOf) -> tuple[Span, ...]:
    """The occurrences of a gold evidence; none if the index does not hold its document."""
    try:
        return occurrences(text_of(gold.document), gold.evidence)
    except DocumentNotFound:
        return ()


def judge(question: Question, answer: Answer, text_of: TextOf) -> Judgement:
    """Measure one answer.

    With citations C, evidence groups G (alternatives together) and len in code points:

    - evidence_hit: 1 if some c ∈ C hits some evidence of some group (see `hits`);
    - evidence_recall: |groups hit| / |G|;
    - correct: 1 if the quotes, joined, contain every group of `must_contain`;
    - precision: Σ len(c that overlap an evidence) / Σ len(c), each place counted once;
    - length: words cited, only if answered;
    - false_abstention_rate, false_answer_rate: 1 if abstained, answered, though it should not.

    Args:
        question: what was asked.
        answer: what came back.
        text_of: canonical text of a document; raises `DocumentNotFound`.
    """
    spans = {gold: locate(gold, text_of) for gold in question.gold}
    cited = () if answer.abstained else _distinct(answer.citations)
    groups_hit = tuple(
        any(_cites(cited, gold, span, hits) for gold in group for span in spans[gold])
        for group in question.evidence_groups()
    )
    values = {"took_ms": answer.took_ms}
    if question.answerable:
        values["false_abstention_rate"] = float(answer.abstained)
        if groups_hit:
            values["evidence_hit"] = float(any(groups_hit))
            values["evidence_recall"] = sum(groups_hit) / len(groups_hit)
            values["precision"] = _precision(cited, spans)
        if question.must_contain:
            quotes = " ".join(citation.quote for citation in cited)
            values["correct"] = float(contains_all(quotes, question.must_contain))
        if not answer.abstained:
            values["length"] = float(sum(len(citation.quote.split()) for citation in cited))
    else:
        values["false_answer_rate"] = float(not answer.abstained)
    return Judgement(
        question=question,
        answer=answer,
        values=values,
        groups_hit=groups_hit,
        broken=tuple(quote for quote in answer.citations if not _verbatim(quote, text_of)),
        unlocated=tuple(gold for gold, found in spans.items() if not found),
    )


def summarise(judgements: Sequence[Judgement]) -> dict[str, Estimate]:
    """Every measure over the questions that define it, each with its interval.

    Every question weighs the same: evidence recall and precision are means of the questions'
    own, the length and the time are medians, the rest are shares. "auroc" is the chance that an
    answerable question gets a higher confidence than an unanswerable one, ties counting half.
    """
    figures = {
        name: estimate(_column(judgements, name), statistic)
        for name, statistic in STATISTICS.items()
    }
    figures["auroc"] = estimate_pairs(_confidence_wins(judgements))
    return {name: figures[name] for name in MEASURES}


def compare(variant: Sequence[Judgement], base: Sequence[Judgement]) -> dict[str, Estimate]:
    """Differences of two systems on the same questions, variant minus base, with intervals.

    For the length and the time this is the median of the differences, over the questions that
    both systems answered. The questions must be the same and in the same order.
    """
    figures: dict[str, Estimate] = {}
    for name, statistic in STATISTICS.items():
        changes = [
            one.values[name] - other.values[name]
            for one, other in zip(variant, base, strict=True)
            if name in one.values and name in other.values
        ]
        figures[name] = estimate(np.array(changes, dtype=np.float64), statistic)
    figures["auroc"] = estimate_pairs(_confidence_wins(variant) - _confidence_wins(base))
    return {name: figures[name] for name in MEASURES}


def _column(judgements: Iterable[Judgement], name: str) -> FloatArray:
    return np.array([one.values[name] for one in judgements if name in one.values], dtype=float)


def _confidence_wins(judgements: Sequence[Judgement]) -> FloatArray:
    def of(answerable: bool) -> FloatArray:
        chosen = [one for one in judgements if one.question.answerable is answerable]
        return np.array([one.answer.confidence for one in chosen], dtype=float)

    return wins(of(True), of(False))


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def _distinct(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    places = {(each.document, each.start, each.end): each for each in citations}
    return tuple(places.values())


def _cites(
    citations: Iterable[Citation], gold: Gold, span: Span, test: Callable[[Span, Span], object]
) -> bool:
    return any(
        each.document == gold.document and test((each.start, each.end), span) for each in citations
    )


def _precision(cited: Sequence[Citation], spans: Mapping[Gold, tuple[Span, ...]]) -> float:
    total = sum(len(citation.quote) for citation in cited)
    touching = sum(
        len(citation.quote)
        for citation in cited
        if any(_cites((citation,), gold, span, overlap) for gold in spans for span in spans[gold])
    )
    return touching / total if total else 0.0


def _verbatim(citation: Citation, text_of: TextOf) -> bool:
    try:
        text = text_of(citation.document)
    except DocumentNotFound:
        return False
    inside = 0 <= citation.start <= citation.end <= len(text)
    return inside and text[citation.start : citation.end] == citation.quote
