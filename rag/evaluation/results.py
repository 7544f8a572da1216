"""What the two evaluations found: figures, tables, files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.evaluation import report, retrieval
from rag.evaluation.jsonl import write_rows, write_text
from rag.evaluation.misses import CAUSES, Miss, count_causes
from rag.evaluation.page import report_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rag.evaluation.metrics import Judgement
    from rag.evaluation.reliability import Reliability
    from rag.evaluation.report import Figures
    from rag.evaluation.retrieval import Ranking

_KIND_MEASURES = (
    "correct",
    "evidence_hit",
    "precision",
    "false_abstention_rate",
    "false_answer_rate",
)


@dataclass(frozen=True)
class RetrievalResult:
    """Search quality on one BEIR folder.

    Attributes:
        name: the folder's name.
        passages: how many it holds.
        rankings: one a judged query, in file order.
        groups: "overall", "first_turns" and "follow_ups" → measure → figure.
        ablation: variant → measure → difference to the baseline.
        unknown: ids in the judgements that the set does not hold; such passages count as missed.
    """

    name: str
    passages: int
    rankings: tuple[Ranking, ...]
    groups: Mapping[str, Figures]
    ablation: Mapping[str, Figures] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The summary as JSON."""
        return {
            "name": self.name,
            "passages": self.passages,
            "questions": len(self.rankings),
            **_groups_json(self.groups),
            "ablation": _groups_json(self.ablation),
            "unknown": list(self.unknown),
        }

    def to_text(self) -> str:
        """The summary as tables."""
        counted = f"{self.passages} passages, {len(self.rankings)} questions judged"
        parts = [f"retrieval on {self.name}: {counted}", report.groups_table(self.groups)]
        if self.unknown:
            parts.append(
                f"ids in the judgements that the set does not hold ({len(self.unknown)}): "
                + ", ".join(self.unknown[:5])
            )
        if self.ablation:
            parts.append(report.ablation_table(self.ablation, self.groups["overall"]))
        return "\n\n".join(parts)

    def write_run(self, path: Path) -> None:
        """Write the rankings as a TREC run file; see `retrieval.write_run`."""
        retrieval.write_run(path, self.rankings)

    def write_questions(self, path: Path) -> None:
        """Write what each question scored, one JSON object a line; see `write_rows`."""
        write_rows(path, (ranking.to_dict() for ranking in self.rankings))


@dataclass(frozen=True)
class AnswerResult:
    """Quality of answers on one question file.

    Attributes:
        judgements: one a question, in file order.
        groups: "overall", "first_turns" and "follow_ups" → measure → figure.
        kinds: kind of question → measure → figure.
        ablation: variant → measure → difference to the baseline.
        reliability: what the confidence is worth; None if it was not measured.
        misses: what went wrong; empty if it was not looked into.
    """

    judgements: tuple[Judgement, ...]
    groups: Mapping[str, Figures]
    kinds: Mapping[str, Figures]
    ablation: Mapping[str, Figures] = field(default_factory=dict)
    reliability: Reliability | None = None
    misses: tuple[Miss, ...] = ()

    @property
    def broken_citations(self) -> int:
        """Citations that are not verbatim at their offsets; anything but 0 is a defect."""
        return sum(len(judgement.broken) for judgement in self.judgements)

    @property
    def unlocated(self) -> tuple[str, ...]:
        """Ids of questions with gold evidence that the indexed text does not hold."""
        return tuple(each.question.id for each in self.judgements if each.unlocated)

    def to_dict(self) -> dict[str, object]:
        """The summary as JSON."""
        return {
            "questions": len(self.judgements),
            "answerable": sum(each.question.answerable for each in self.judgements),
            **_groups_json(self.groups),
            "kinds": _groups_json(self.kinds),
            "ablation": _groups_json(self.ablation),
            "broken_citations": self.broken_citations,
            "unlocated_evidence": list(self.unlocated),
            "misses": count_causes(self.misses) if self.misses else None,
            "reliability": self.reliability.to_dict() if self.reliability else None,
        }

    def to_text(self) -> str:
        """The summary as tables."""
        answerable = sum(each.question.answerable for each in self.judgements)
        parts = [
            f"answers: {len(self.judgements)} questions, {answerable} answerable",
            report.groups_table(self.groups),
        ]
        if self.kinds:
            parts.append(report.kinds_table(self.kinds, _KIND_MEASURES))
        parts.append(f"citations that are not verbatim at their offsets: {self.broken_citations}")
        if self.unlocated:
            parts.append(
                "gold evidence that the indexed text does not hold: " + ", ".join(self.unlocated)
            )
        if self.misses:
            parts.append(_causes_text(self.misses))
        if self.reliability:
            parts.append(self.reliability.to_text())
        if self.ablation:
            parts.append(report.ablation_table(self.ablation, self.groups["overall"]))
        return "\n\n".join(parts)

    def write_questions(self, path: Path) -> None:
        """Write each question's answer and score, one JSON object a line; see `write_rows`."""
        write_rows(path, (judgement.to_dict() for judgement in self.judgements))

    def write_report(self, path: Path, title: str = "Evaluation of answers") -> None:
        """Write the HTML page about the misses and the confidence; see `write_text`."""
        questions = len(self.judgements)
        page = report_page(title, self.to_text(), self.misses, questions, self.reliability)
        write_text(path, [page])


def _causes_text(misses: Sequence[Miss]) -> str:
    rows = [["lost at", "misses", ""]]
    rows += [
        [name, str(count), CAUSES[name]] for name, count in count_causes(misses).items() if count
    ]
    return report.table(rows)


def _groups_json(groups: Mapping[str, Figures]) -> dict[str, object]:
    return {
        group: {measure: figure.to_dict() for measure, figure in figures.items()}
        for group, figures in groups.items()
    }
