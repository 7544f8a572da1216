"""The two evaluations that the command line offers, from files to results."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rag.errors import UsageError
from rag.evaluation import metrics, retrieval
from rag.evaluation.datasets import Question, read_beir, write_corpus
from rag.evaluation.engine import Engine, Progress, Retriever, silent
from rag.evaluation.metrics import Judgement
from rag.evaluation.misses import find_misses
from rag.evaluation.reliability import Reliability, reliability
from rag.evaluation.results import AnswerResult, RetrievalResult
from rag.evaluation.retrieval import Ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rag.evaluation.bootstrap import Estimate
    from rag.evaluation.report import Figures
    from rag.settings import Caution

Built = TypeVar("Built", bound=Retriever)
Asked = TypeVar("Asked", Judgement, Ranking)


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
    forced: Engine | None = None,
    thresholds: Mapping[Caution, float] | None = None,
    explain: bool = False,
    progress: Progress = silent,
) -> AnswerResult:
    """Ask every question and judge the answers.

    Args:
        engine: answers from an index of the corpus that the questions are about.
        questions: as from `read_questions`.
        variants: systems to compare with, by name, each with a stage off or changed.
        forced: the engine without abstention; with it, what the confidence is worth is measured.
        thresholds: setting of caution → the confidence below which the engine abstains.
        explain: look into the misses.
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
        reliability=(
            _reliability(forced, judgements, thresholds or {}, progress) if forced else None
        ),
        misses=find_misses(engine, judgements, progress=progress) if explain else (),
    )


def _reliability(
    forced: Engine,
    judgements: Sequence[Judgement],
    thresholds: Mapping[Caution, float],
    progress: Progress,
) -> Reliability:
    held_back = [one.question for one in judgements if one.answer.abstained]
    given = _ask_all(forced, held_back, progress, "abstentions answered")
    return reliability(judgements, {one.question.id: one for one in given}, thresholds)


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
