"""`rag eval retrieval`, `rag eval answers` and `rag eval compare`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from tqdm import tqdm

from rag.cli.build import build_with_progress
from rag.cli.options import answering_options, json_option, setting, settings_from
from rag.errors import UsageError
from rag.evaluation import ablation
from rag.evaluation.comparison import compare as compare_runs
from rag.evaluation.comparison import read_scores
from rag.evaluation.datasets import read_questions
from rag.evaluation.run import evaluate_answers, evaluate_retrieval
from rag.index import Index, open_index
from rag.settings import Settings

Item = TypeVar("Item")


def _writable(_: click.Context, __: click.Parameter, path: Path | None) -> Path | None:
    """Refuse at once what could not be written when all the work is done."""
    if path is not None:
        target = path if os.access(path, os.F_OK) else path.parent
        if not os.access(target, os.W_OK) or path.is_dir():
            raise UsageError(
                f"{path} cannot be written: name a file in a folder that is there and yours"
            )
    return path


_file = partial(click.option, type=click.Path(path_type=Path), callback=_writable)
_ablate = click.option(
    "--ablate",
    is_flag=True,
    help="Ask again with each step left out in turn, and print what it is worth.",
)
_per_question = _file(
    "--per-question", help="Write each question's scores as JSON lines, for `rag eval compare`."
)
_keep = click.option(
    "--keep-index",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Build the index there and leave it: the next evaluation builds only what changed.",
)


@click.group()
def evaluate() -> None:
    """Measure retrieval and answers on a question set."""


@evaluate.command()
@click.argument("beir_dir", type=click.Path(path_type=Path))
@json_option
@_file("--run", "run_file", help="Write a TREC run file.")
@_per_question
@_ablate
@_keep
@setting("dense_weight", type=float)
@setting("encoder")
@setting("precision")
@setting("chunk_tokens", type=int)
@setting("threads", type=int)
def retrieval(
    beir_dir: Path,
    as_json: bool,
    run_file: Path | None,
    per_question: Path | None,
    ablate: bool,
    keep_index: Path | None,
    **flags: Any,
) -> None:
    """Recall, MRR and nDCG on a folder in BEIR's layout.

    BEIR_DIR holds corpus.jsonl, queries.jsonl (which may carry a history) and qrels/test.tsv.
    Every passage is indexed as a document of its own; its rank is that of its best chunk.
    """
    settings = settings_from(flags)
    with _building(settings, keep_index) as build:
        result = evaluate_retrieval(
            beir_dir, build, variants=_search_variants if ablate else None, progress=_progress
        )
    click.echo(json.dumps(result.to_dict()) if as_json else result.to_text())
    if run_file is not None:
        result.write_run(run_file)
    if per_question is not None:
        result.write_questions(per_question)


@evaluate.command()
@click.argument("corpus", type=click.Path(path_type=Path))
@click.argument("questions", type=click.Path(path_type=Path))
@json_option
@_file(
    "--report", help="Write an HTML page: the misses, where they went wrong, and the confidence."
)
@_per_question
@_ablate
@_keep
@setting("dense_weight", type=float)
@setting("chunk_tokens", type=int)
@answering_options
def answers(
    corpus: Path,
    questions: Path,
    as_json: bool,
    report: Path | None,
    per_question: Path | None,
    ablate: bool,
    keep_index: Path | None,
    **flags: Any,
) -> None:
    """Correctness, evidence, precision and abstention on a folder and its QUESTIONS.jsonl.

    Every line is a question. An answerable one has "gold", verbatim pieces of documents that answer
    it, or "answer_must_contain", groups of strings of which one each has to be quoted. Any may have
    a "kind", by which figures are also given, and a "history" as in `rag ask`.

    \b
    One line, broken into three here:
      {"id": "q1", "question": "How much leave do staff get?", "answerable": true,
       "gold": [{"document": "leave.md", "evidence": "13 days of leave"}],
       "answer_must_contain": [["13 days", "thirteen days"]]}
    """
    settings = settings_from(flags)
    asked = read_questions(questions)
    with _building(settings, keep_index) as build:
        index = build(corpus)
        variants: Mapping[str, Index] = ablation.without(index, ablation.ANSWERS) if ablate else {}
        result = evaluate_answers(
            index,
            asked,
            variants=variants,
            forced=index.with_stages(ablation.NEVER_ABSTAINS),
            thresholds=index.thresholds,
            explain=report is not None,
            progress=_progress,
        )
    click.echo(json.dumps(result.to_dict()) if as_json else result.to_text())
    if per_question is not None:
        result.write_questions(per_question)
    if report is not None:
        result.write_report(report, f"Answers to {questions.name} from {corpus.name}")


@evaluate.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@json_option
def compare(before: Path, after: Path, as_json: bool) -> None:
    """What changed between two runs over the same questions.

    BEFORE and AFTER are files that --per-question wrote. Prints each measure for each kind of
    question with a paired interval and p-value, and the questions that flipped.
    """
    result = compare_runs(read_scores(before), read_scores(after))
    click.echo(json.dumps(result.to_dict()) if as_json else result.to_text())


def _search_variants(index: Index) -> Mapping[str, Index]:
    return ablation.without(index, ablation.SEARCH)


@contextmanager
def _building(settings: Settings, keep: Path | None) -> Iterator[Callable[[Path], Index]]:
    """A function that builds an index of a folder, in `keep` or where it is deleted in the end."""
    temporary = tempfile.TemporaryDirectory
    with temporary(prefix="rag-eval-") if keep is None else nullcontext(str(keep)) as folder:
        opened: list[Index] = []

        def build(corpus: Path) -> Index:
            own = replace(settings, corpus=corpus, index=Path(folder))
            build_with_progress(own)
            opened.append(open_index(own.index, own))
            return opened[-1]

        try:
            yield build
        finally:
            for index in opened:
                index.close()


def _progress(items: Iterable[Item], label: str) -> Iterable[Item]:
    bar: Iterable[Item] = tqdm(items, desc=label, file=sys.stderr, disable=None)
    return bar
