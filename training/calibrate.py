"""Fit the model that decides between an answer and an abstention: `make calibrate`.

A logistic regression over the documented features of `rag.answering.confidence`, on the
development sets: the questions of the handbook and the news article as they are, and XQuAD once
with and once without the passage that answers (a near miss: the topic is there, the detail is
not). In the same way, questions on the held-out titles of what the reader was trained on, all in
one corpus, and those on documents and handbooks of our own that neither reader nor adapter was
trained on. Each set has the same total weight, answerable and unanswerable questions the same
weight within a set. The statistics are in `training.confidence`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import numpy as np

from rag.answering.confidence import CALIBRATION, Features, features
from rag.answering.evidence import MOST_PASSAGES_READ, Weights, gather
from rag.asking.conversation import understand
from rag.building.indexing import build_index
from rag.evaluation.datasets import read_beir, read_questions, write_corpus
from rag.pipeline import Models
from rag.retrieval import Found, query_vectors, search
from rag.settings import Settings
from rag.store.generation import Generation, open_current
from rag.types import Turn
from training.confidence import MIXED, Measured, describe
from training.data import read_all, train_folder
from training.mixed import SOURCES, write_mixed
from training.reader import HELD_OUT, SEED
from training.searched import turns, write_documents
from training.written import by_kind, read_corpora

log = logging.getLogger(__name__)

_XQUAD_QUESTIONS = 150
_MIXED_QUESTIONS = 40


@dataclass(frozen=True)
class Example:
    """One question over one corpus. `group` keeps those on one passage in one fold."""

    source: str
    group: str
    question: str
    history: Sequence[Turn]
    answerable: bool
    without: str | None = None
    """A document that is taken out of the hits."""


def examples(shared: Path, work: Path) -> Iterator[tuple[Path, list[Example]]]:
    """The corpora and the questions asked over each."""
    for name, folder in (("handbook", "eval/handbook18f"), ("article", "seed")):
        questions = read_questions(shared / folder / "questions.jsonl")
        yield (
            shared / folder / "corpus",
            [
                Example(name, f"{name}-{q.id}", q.question, q.history, q.answerable)
                for q in questions
            ],
        )
    beir = read_beir(shared / "eval/xquad")
    corpus = work / "xquad-corpus"
    shutil.rmtree(corpus, ignore_errors=True)
    documents = {p: d for d, p in write_corpus(beir, corpus).items()}
    step = max(1, len(beir.queries) // _XQUAD_QUESTIONS)
    made = []
    for query in beir.queries[::step]:
        gold = next(iter(beir.qrels[query.id]))
        made.append(Example("xquad", f"xquad-{gold}", query.text, (), answerable=True))
        made.append(replace(made[-1], answerable=False, without=documents[gold]))
    yield corpus, made
    yield work / "mixed-corpus", list(_mixed(work / "mixed-corpus"))
    yield from _written(work)


def _mixed(corpus: Path) -> Iterator[Example]:
    _, held = read_all(SOURCES, train_folder(), HELD_OUT)
    for asked in write_mixed(held, corpus, _MIXED_QUESTIONS, SEED):
        row = asked.row
        history: list[Turn] = [{"role": "user", "content": text} for text in row.history]
        example = Example(MIXED, f"{row.source}-{row.title}", row.question, history, True)
        yield example
        yield replace(example, answerable=False, without=asked.document)


def _written(work: Path) -> Iterator[tuple[Path, list[Example]]]:
    """Corpora of our own that neither reader nor adapter was trained on."""
    kinds = by_kind(read_corpora()[1])
    for source, corpus in ((kind, corpus) for kind, own in kinds.items() for corpus in own):
        yield (
            write_documents(corpus, work / f"written-{corpus.name}-corpus"),
            [
                Example(
                    source,
                    f"{corpus.name}-{written.name}",
                    question.text,
                    turns(question),
                    bool(question.answers),
                )
                for written in corpus.documents
                for question in written.questions
            ],
        )


def measure(generation: Generation, models: Models, example: Example) -> Features | None:
    """The features of a question, as `ask` would compute them."""
    understood = understand(example.question, example.history)
    (query,) = query_vectors(models.encoder, [understood])
    found = search(generation, query, understood, 30, models.settings.dense_weight)
    kept = [i for i, hit in enumerate(found.hits) if hit.chunk.document != example.without]
    kept = kept[:MOST_PASSAGES_READ]
    found = Found(
        tuple(replace(found.hits[i], rank=rank) for rank, i in enumerate(kept, start=1)),
        query,
        tuple(found.similarities[i] for i in kept),
    )
    evidence = gather(generation, understood, found, models.reader, Weights())
    if not evidence.candidates:
        return None
    return features(evidence, with_reader=evidence.read)


def calibrate(shared: Path, work: Path, *, reader: bool) -> dict[str, object]:
    """Fit one model, with or without the reader's features."""
    kept: list[tuple[Example, Features]] = []
    for number, (corpus, asked) in enumerate(examples(shared, work)):
        settings = Settings(corpus=corpus, index=work / f"index-{number}", reader=reader)
        models = Models(settings)
        build_index(settings, encoder=models.encoder)
        generation = open_current(settings.index)
        for example in asked:
            measured = measure(generation, models, example)
            if measured is not None:
                kept.append((example, measured))
        generation.close()
        log.info("%s: %d questions", asked[0].source, len(asked))
    found = describe(
        Measured(
            rows=np.array([astuple(own) for _, own in kept]),
            labels=np.array([float(example.answerable) for example, _ in kept]),
            sources=np.array([example.source for example, _ in kept]),
            groups=np.array([example.group for example, _ in kept]),
        ),
        [spec.name for spec in fields(Features)],
    )
    log.info("%s: %s", "reader" if reader else "quick", found)
    return found


def main() -> None:
    """Fit both models and write the file that ships."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(os.environ.get("RAG_SHARED", "../shared"))
    parser.add_argument("--work", type=Path, default=Path(".checkpoints/calibrate"))
    parser.add_argument("--without-reader", action="store_true", help="fit the quick model only")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    models = json.loads(CALIBRATION.read_text("utf-8"))
    models["quick"] = calibrate(shared, arguments.work, reader=False)
    if not arguments.without_reader:
        models["reader"] = calibrate(shared, arguments.work, reader=True)
    CALIBRATION.write_text(json.dumps(models, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
