"""Fit the model that decides between an answer and an abstention: `make calibrate`.

A logistic regression over the documented features of `rag.answering.confidence`, on the
development sets: the questions of the handbook and the news article as they are, and XQuAD once
with and once without the passage that answers (a near miss: the topic is there, the detail is
not). Each set has the same total weight, answerable and unanswerable questions the same weight
within a set. Predictions for thresholds and error rates come from ten-fold cross-validation over
questions, so that no question judges the model it was fitted on.
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
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from rag.answering.confidence import CALIBRATION, Features, features
from rag.answering.evidence import PASSAGES_READ, Weights, gather
from rag.conversation import understand
from rag.evaluation.datasets import read_beir, read_questions, write_corpus
from rag.index import Models
from rag.indexing import build_index
from rag.retrieval import Found, query_vectors, search
from rag.settings import Settings
from rag.store.generation import Generation, open_current
from rag.types import Turn

log = logging.getLogger(__name__)

_XQUAD_QUESTIONS = 150
_FOLDS = 10
# Of the answerable questions, how many may go unanswered at the balanced and the eager setting.
_BALANCED_FALSE_ABSTENTIONS = 0.2
_EAGER_FALSE_ABSTENTIONS = 0.05

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """One question over one corpus. `group` keeps its variants in one fold."""

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
        made.append(Example("xquad", query.id, query.text, (), answerable=True))
        made.append(replace(made[-1], answerable=False, without=documents[gold]))
    yield corpus, made


def measure(generation: Generation, models: Models, example: Example) -> Features | None:
    """The features of a question, as `ask` would compute them."""
    understood = understand(example.question, example.history)
    (query,) = query_vectors(models.encoder, [understood])
    found = search(generation, query, understood, 30, models.settings.dense_weight)
    kept = [i for i, hit in enumerate(found.hits) if hit.chunk.document != example.without]
    kept = kept[:PASSAGES_READ]
    found = Found(
        tuple(replace(found.hits[i], rank=rank) for rank, i in enumerate(kept, start=1)),
        query,
        tuple(found.similarities[i] for i in kept),
    )
    evidence = gather(generation, understood, found, models.reader, Weights())
    return features(evidence) if evidence.candidates else None


def fit(rows: Array, labels: Array, weights: Array) -> tuple[float, Array]:
    """Intercept and weights of a logistic regression on the raw features."""
    scaler = StandardScaler().fit(rows)
    model = LogisticRegression(C=0.3, max_iter=1000)
    model.fit(scaler.transform(rows), labels, sample_weight=weights)
    raw = model.coef_[0] / scaler.scale_
    return float(model.intercept_[0] - raw @ scaler.mean_), raw


def cross_validated(rows: Array, labels: Array, weights: Array, groups: Sequence[str]) -> Array:
    """For each question, the probability from models that have not seen it."""
    predictions = np.zeros(len(labels))
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0)
    for train, test in folds.split(rows, labels, groups):
        intercept, coefficients = fit(rows[train], labels[train], weights[train])
        predictions[test] = 1 / (1 + np.exp(-(intercept + rows[test] @ coefficients)))
    return predictions


def balance(sources: Sequence[str], labels: Array) -> Array:
    """Equal total weight for each source, and for both labels within it."""
    weights = np.zeros(len(labels))
    for source in set(sources):
        for label in (0, 1):
            chosen = (np.array(sources) == source) & (labels == label)
            weights[chosen] = 1 / max(chosen.sum(), 1)
    total: Array = weights * len(labels) / weights.sum()
    return total


def rates(predictions: Array, labels: Array, threshold: float) -> tuple[float, float]:
    """False answers among the unanswerable, false abstentions among the answerable."""
    answered = predictions >= threshold
    return float(answered[labels == 0].mean()), float(1 - answered[labels == 1].mean())


def choose_thresholds(
    predictions: Array, labels: Array, sources: Sequence[str]
) -> dict[str, float]:
    """Cautious: both errors count the same. Balanced and eager: false abstentions are bounded.

    The errors of a threshold are those on its worst set of at least 100 questions.
    """
    sets = [np.array(sources) == s for s in sorted(set(sources)) if sources.count(s) >= 100]
    table = []
    for threshold in np.linspace(0.01, 0.99, 99):
        each = [rates(predictions[own], labels[own], threshold) for own in sets]
        answers, abstains = (max(column) for column in zip(*each, strict=True))
        table.append((float(threshold), answers, abstains))
    cautious = min(table, key=lambda row: (row[1] + row[2], row[0]))[0]
    balanced = max(t for t, _, abstains in table if abstains <= _BALANCED_FALSE_ABSTENTIONS)
    eager = max(t for t, _, abstains in table if abstains <= _EAGER_FALSE_ABSTENTIONS)
    return {
        "cautious": round(max(cautious, balanced), 2),
        "balanced": round(balanced, 2),
        "eager": round(eager, 2),
    }


def calibrate(shared: Path, work: Path, *, reader: bool) -> dict[str, object]:
    """Fit one model, with or without the reader's features."""
    sources: list[str] = []
    groups: list[str] = []
    labels_list: list[float] = []
    rows_list: list[tuple[float, ...]] = []
    for corpus, asked in examples(shared, work):
        settings = Settings(corpus=corpus, index=work / asked[0].source, reader=reader)
        models = Models(settings)
        build_index(settings, encoder=models.encoder)
        generation = open_current(settings.index)
        for example in asked:
            measured = measure(generation, models, example)
            if measured is not None:
                rows_list.append(astuple(measured))
                labels_list.append(float(example.answerable))
                sources.append(example.source)
                groups.append(example.group)
        generation.close()
        log.info("%s: %d questions", asked[0].source, len(asked))
    rows, labels = np.array(rows_list), np.array(labels_list)
    weights = balance(sources, labels)
    predictions = cross_validated(rows, labels, weights, groups)
    thresholds = choose_thresholds(predictions, labels, sources)
    intercept, coefficients = fit(rows, labels, weights)
    names = [spec.name for spec in fields(Features)]
    figures = {}
    for source in sorted(set(sources)):
        own = np.array(sources) == source
        answers, abstains = rates(predictions[own], labels[own], thresholds["balanced"])
        figures[source] = {
            "questions": int(own.sum()),
            "auroc": round(float(roc_auc_score(labels[own], predictions[own])), 3),
            "false_answers": round(answers, 3),
            "false_abstentions": round(abstains, 3),
        }
    log.info("%s: %s %s", "reader" if reader else "quick", thresholds, figures)
    return {
        "intercept": round(intercept, 6),
        "weights": {n: round(float(w), 6) for n, w in zip(names, coefficients, strict=True)},
        "thresholds": thresholds,
        "cross_validated": figures,
    }


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
