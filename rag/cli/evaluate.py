"""`rag eval retrieval` and `rag eval answers`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click
from tqdm import tqdm

from rag.cli.options import answering_options, json_option, setting, settings_from
from rag.encoders import load_encoder
from rag.evaluation.datasets import read_questions
from rag.evaluation.run import evaluate_answers, evaluate_retrieval
from rag.index import Index, open_index
from rag.indexing import build_index
from rag.settings import Settings

Item = TypeVar("Item")


@click.group()
def evaluate() -> None:
    """Measure retrieval and answers on a question set."""


@evaluate.command()
@click.argument("beir_dir", type=click.Path(path_type=Path))
@json_option
@click.option("--run", "run_file", type=click.Path(path_type=Path), help="Write a TREC run file.")
@click.option("--per-question", type=click.Path(path_type=Path), help="Write scores as JSON lines.")
@setting("dense_weight", type=float)
@setting("encoder")
@setting("chunk_tokens", type=int)
@setting("threads", type=int)
def retrieval(
    beir_dir: Path, as_json: bool, run_file: Path | None, per_question: Path | None, **flags: Any
) -> None:
    """Recall, MRR and nDCG on a folder in BEIR's layout.

    BEIR_DIR holds corpus.jsonl, queries.jsonl (which may carry a history) and qrels/test.tsv.
    Every passage is indexed as a document of its own; its rank is that of its best chunk.
    """
    settings = settings_from(flags)
    with _temporary_index(settings) as build:
        result = evaluate_retrieval(beir_dir, build, progress=_progress)
        if run_file is not None:
            result.write_run(run_file)
        if per_question is not None:
            result.write_questions(per_question)
    click.echo(json.dumps(result.to_dict()) if as_json else result.to_text())


@evaluate.command()
@click.argument("corpus", type=click.Path(path_type=Path))
@click.argument("questions", type=click.Path(path_type=Path))
@json_option
@click.option("--report", type=click.Path(path_type=Path), help="Write the misses as HTML.")
@click.option("--per-question", type=click.Path(path_type=Path), help="Write scores as JSON lines.")
@setting("dense_weight", type=float)
@setting("chunk_tokens", type=int)
@answering_options
def answers(
    corpus: Path,
    questions: Path,
    as_json: bool,
    report: Path | None,
    per_question: Path | None,
    **flags: Any,
) -> None:
    """Correctness, evidence, precision and abstention on a folder and its QUESTIONS.jsonl."""
    settings = settings_from(flags)
    asked = read_questions(questions)
    with _temporary_index(settings) as build:
        index = build(corpus)
        result = evaluate_answers(index, asked, progress=_progress)
        if per_question is not None:
            result.write_questions(per_question)
        if report is not None:
            result.write_report(report, index, _progress)
    click.echo(json.dumps(result.to_dict()) if as_json else result.to_text())


@contextmanager
def _temporary_index(settings: Settings) -> Iterator[Callable[[Path], Index]]:
    """A function that builds an index of a folder; the index is deleted in the end."""
    with tempfile.TemporaryDirectory(prefix="rag-eval-") as folder:
        opened: list[Index] = []

        def build(corpus: Path) -> Index:
            own = replace(settings, corpus=corpus, index=Path(folder))
            encoder = load_encoder(own.encoder, own.threads)
            with tqdm(total=0, desc="building", file=sys.stderr, disable=None) as bar:

                def show(stage: str, done: int, total: int) -> None:
                    bar.set_description(stage)
                    bar.total = total
                    bar.n = done
                    bar.refresh()

                build_index(own, show, encoder)
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
