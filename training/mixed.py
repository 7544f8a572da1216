"""Corpora of public passages: more kinds of text and questions than the development sets have.

One of held-out titles serves the confidence model, others the adapter.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.evaluation.datasets import Beir, BeirPassage, write_corpus
from training.data import Row

SOURCES = (
    "h2oevals", "doc2dial", "selqa", "medquad", "covidqa", "clapnq", "qed", "squad2_dev",
    "squad1_train",
)  # fmt: skip
"""Sources whose questions name what they are about, so that few passages answer them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the document of the corpus that answers it."""

    row: Row
    document: str


def write_mixed(
    held: Mapping[str, Sequence[Row]], folder: Path, questions: int, seed: int
) -> list[Asked]:
    """Write the passages of held-out rows as a corpus, all sources in one.

    Args:
        held: rows by source that the reader was not trained on.
        folder: where to write; what lies there is replaced.
        questions: how many are drawn of each source at most, each question once.
        seed: decides which.

    Returns:
        The questions, each with the document of its passage.
    """
    rows = [row for source in SOURCES for row in held.get(source, ())]
    document_of = write_passages(rows, folder)
    drawn = drawn_questions(held, dict.fromkeys(SOURCES, questions), seed)
    return [Asked(row, document_of(row)) for row in drawn]


def write_passages(rows: Sequence[Row], folder: Path) -> Callable[[Row], str]:
    """Write the passages of rows, each a document of its own; what lies there is replaced.

    Returns:
        What gives the document of a row.
    """
    shutil.rmtree(folder, ignore_errors=True)
    passages = {_id(row): _passage(row) for row in rows}
    documents = write_corpus(Beir("mixed", tuple(passages.values()), (), {}), folder)
    document_of = {passage: document for document, passage in documents.items()}
    return lambda row: document_of[_id(row)]


def drawn_questions(
    rows: Mapping[str, Sequence[Row]], most: Mapping[str, int], seed: int
) -> list[Row]:
    """Rows that have an answer, at most so many of each source, each question once."""
    drawn: list[Row] = []
    for source, number in most.items():
        own = {row.question: row for row in rows.get(source, ()) if row.answers}
        chance = random.Random(f"{seed} {source}")
        drawn += [own[each] for each in chance.sample(sorted(own), min(number, len(own)))]
    return drawn


def _passage(row: Row) -> BeirPassage:
    heading = f"## {row.heading}\n\n" if row.heading else ""
    return BeirPassage(_id(row), row.title, heading + row.text)


def _id(row: Row) -> str:
    return hashlib.sha256(f"{row.title}\n{row.heading}\n{row.text}".encode()).hexdigest()
