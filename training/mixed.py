"""A corpus of held-out titles: more kinds of text and questions than the development sets have."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Mapping, Sequence
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
    shutil.rmtree(folder, ignore_errors=True)
    rows = [row for source in SOURCES for row in held.get(source, ())]
    passages = {_id(row): _passage(row) for row in rows}
    documents = write_corpus(Beir("mixed", tuple(passages.values()), (), {}), folder)
    document_of = {passage: document for document, passage in documents.items()}
    asked = []
    for source in SOURCES:
        own = {row.question: row for row in held.get(source, ()) if row.answers}
        drawn = random.Random(f"{seed} {source}").sample(sorted(own), min(questions, len(own)))
        asked += [Asked(own[question], document_of[_id(own[question])]) for question in drawn]
    return asked


def _passage(row: Row) -> BeirPassage:
    heading = f"## {row.heading}\n\n" if row.heading else ""
    return BeirPassage(_id(row), row.title, heading + row.text)


def _id(row: Row) -> str:
    return hashlib.sha256(f"{row.title}\n{row.heading}\n{row.text}".encode()).hexdigest()
