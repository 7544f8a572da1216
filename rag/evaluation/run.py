"""The two evaluations that the command line offers, from files to results."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rag.errors import UsageError
from rag.evaluation import metrics, report, retrieval
from rag.evaluation.datasets import Question, read_beir, write_corpus
from rag.evaluation.engine import Engine, Progress, Retriever, silent
from rag.evaluation.jsonl import write_rows
from rag.evaluation.metrics import Judgement
from rag.evaluation.misses import find_misses, misses_page
from rag.evaluation.retrieval import Ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rag.evaluation.bootstrap import Estimate
    from rag.evaluation.report import Figures

Built = TypeVar("Built", bound=Retriever)
Asked = TypeVar("Asked", Judgement, Ranking)

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
            parts.append(report.ablation_table(self.ablation))
        return "\n\n".join(parts)

    def write_run(self, path: Path) -> None:
        """Write the rankings as a TREC run file."""
        retrieval.write_run(path, self.rankings)

    def write_questions(self, path: Path) -> None:
        """Write what each question scored, one JSON object a line."""
        write_rows(path, (ranking.to_dict() for ranking in self.rankings))


@dataclass(frozen=True)
class AnswerResult:
    """Quality of answers on one question file.

    Attributes:
        judgements: one a question, in file order.
        groups: "overall", "first_turns" and "follow_ups" → measure → figure.
        kinds: kind of question → measure → figure.
        ablation: variant → measure → difference to the baseline.
    """

    judgements: tuple[Judgement, ...]
    groups: Mapping[str, Figures]
    kinds: Mapping[str, Figures]
    ablation: Mapping[str, Figures] = field(default_factory=dict)

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
        if self.ablation:
            parts.append(report.ablation_table(self.ablation))
        return "\n\n".join(parts)

    def write_questions(self, path: Path) -> None:
        """Write each question's answer and what it scored, one JSON object a line."""
        write_rows(path, (judgement.to_dict() for judgement in self.judgements))

    def write_report(self, path: Path, engine: Engine, progress: Progress = silent) -> None:
        """Write the HTML page about the misses; search again for the ranks of the evidence."""
        misses = find_misses(engine, self.judgements, progress=progress)
        page = misses_page("Misses", self.to_text(), misses, len(self.judgements))
        path.write_text(page, encoding="utf-8", newline="\n")


def evaluate_retrieval(
    folder: Path,
    build: Callable[[Path], Built],
    *,
    variants: Callable[[Built], Mapping[str, Retriever]] | None = None,
    progress: Progress = silent,
) -> RetrievalResult:
    """Judge search on a BEIR folder, its passages chunked as the product does it.

    Args:
        folder: holds corpus.jsonl, queries.jsonl and qrels/test.tsv.
        build: makes an index from a folder of documents, which is gone after this call.
        variants: makes the systems to compare with from the index, by name, each with a stage
            off or changed.
        progress: shows how far it is.

    Raises:
        UsageError: the folder is not what it should be.
    """
    beir = read_beir(folder)
    with tempfile.TemporaryDirectory(prefix="rag-eval-") as temporary:
        corpus = Path(temporary) / "corpus"
        passage_of = write_corpus(beir, corpus)
        built = build(corpus)
        rankings = retrieval.rank_all(beir, built, passage_of, progress)
        ablation = {
            name: retrieval.compare(
                retrieval.rank_all(beir, variant, passage_of, progress, name), rankings
            )
            for name, variant in (variants(built) if variants else {}).items()
        }
    return RetrievalResult(
        name=beir.name,
        passages=len(beir.passages),
        rankings=rankings,
        groups=_by_turn(rankings, lambda one: one.query.follow_up, retrieval.summarise),
        ablation=ablation,
        unknown=beir.unknown(),
    )


def evaluate_answers(
    engine: Engine,
    questions: Sequence[Question],
    *,
    variants: Mapping[str, Engine] | None = None,
    progress: Progress = silent,
) -> AnswerResult:
    """Ask every question and judge the answers.

    Args:
        engine: answers from an index of the corpus that the questions are about.
        questions: as from `read_questions`.
        variants: systems to compare with, by name, each with a stage off or changed.
        progress: shows how far it is.

    Raises:
        UsageError: there are no questions.
    """
    if not questions:
        raise UsageError("there are no questions to ask")
    judgements = _ask_all(engine, questions, progress, "questions")
    kinds = sorted({question.kind for question in questions if question.kind})
    return AnswerResult(
        judgements=judgements,
        groups=_by_turn(judgements, lambda one: one.question.follow_up, metrics.summarise),
        kinds={
            kind: metrics.summarise([each for each in judgements if each.question.kind == kind])
            for kind in kinds
        },
        ablation={
            name: metrics.compare(_ask_all(variant, questions, progress, name), judgements)
            for name, variant in (variants or {}).items()
        },
    )


def _ask_all(
    engine: Engine, questions: Sequence[Question], progress: Progress, label: str
) -> tuple[Judgement, ...]:
    text_of = functools.cache(engine.text)
    return tuple(
        metrics.judge(question, engine.ask(question.question, history=question.history), text_of)
        for question in progress(questions, label)
    )


def _by_turn(
    items: Sequence[Asked],
    follow_up: Callable[[Asked], bool],
    summarise: Callable[[Sequence[Asked]], dict[str, Estimate]],
) -> dict[str, Figures]:
    return {
        "overall": summarise(items),
        "first_turns": summarise([item for item in items if not follow_up(item)]),
        "follow_ups": summarise([item for item in items if follow_up(item)]),
    }


def _groups_json(groups: Mapping[str, Figures]) -> dict[str, object]:
    return {
        group: {measure: figure.to_dict() for measure, figure in figures.items()}
        for group, figures in groups.items()
    }
