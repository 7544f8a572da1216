"""What the tests of builds share: an encoder that counts, and the whole content of an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rag.building import reading
from rag.encoders import Encoder, Vectors
from rag.store.lexical import terms

if TYPE_CHECKING:
    from pathlib import Path

    from workshop import Workshop

    from rag.index import Index
    from rag.types import BuildReport, Chunk, Document

LEAVE = "# Leave\n\nStaff get 13 days of leave. New staff wait for three months.\n"
TRAVEL = "# Travel\n\nTrips are booked by the office. A hotel may cost 90 euro.\n"
SAFETY = "# Safety\n\nReport an incident within one hour.\n"
TWO = {"leave.md": LEAVE, "travel.md": TRAVEL}


class CountingEncoder:
    """The real encoder, which notes every text that it was given."""

    def __init__(self, encoder: Encoder, digest: str = "") -> None:
        self._encoder = encoder
        self.name, self.dimension, self.window = encoder.name, encoder.dimension, encoder.window
        self.digest = digest or encoder.digest
        self.batch_invariant = encoder.batch_invariant
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return self._encoder.encode(texts)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode_questions(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.count_tokens(texts)


def reading_noted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The documents that are loaded, as they are."""
    names: list[str] = []
    load = reading.load

    def note(path: Path, name: str) -> Document:
        names.append(name)
        return load(path, name)

    monkeypatch.setattr(reading, "load", note)
    return names


def changes(report: BuildReport) -> tuple[list[str], list[str], list[str], int]:
    """Added, changed, removed, unchanged; checked against the totals."""
    assert report.documents == len(report.added) + len(report.changed) + report.unchanged
    assert report.chunks == report.embedded + report.reused
    return (
        list(report.added), list(report.changed), list(report.removed), report.unchanged,
    )  # fmt: skip


@dataclass
class Content:
    """All that a generation says, row by row."""

    documents: list[tuple[Any, ...]]
    chunks: list[tuple[Chunk, bytes]]
    vectors: list[tuple[Any, Any]]
    words: dict[str, int]
    failures: dict[str, Any]


def content(made: Workshop) -> Content:
    with made.open() as index:
        generation = index._generation
        tables, rows = generation.tables, range(generation.manifest.chunks)
        keys = [key for (key,) in tables._query("SELECT key FROM chunks ORDER BY row")]
        assert len(keys) == len(rows)
        assert all(tables.find_vectors(key) for key in keys)
        words = sorted({term for text in tables.enriched() for term in terms(text)})
        return Content(
            documents=[
                (info.id, info.title, info.metadata, info.first_chunk, info.chunks, info.tokens,
                 info.file.sha256, tables.document(info.id))
                for info in tables.documents()
            ],
            chunks=list(zip(tables.chunks(rows), keys, strict=True)),
            vectors=[
                (
                    generation.vectors.chunks(np.array([row])),
                    generation.vectors.block(row, row + 1)[1],
                )
                for row in rows
            ],
            words={word: generation.lexical.frequency(word) for word in words},
            failures=tables.failures(),
        )  # fmt: skip


def assert_same(one: Content, other: Content) -> None:
    """Equal to the last bit, but for the rounding of vectors computed in another batch."""
    assert one.documents == other.documents
    assert one.chunks == other.chunks
    assert one.words == other.words
    assert one.failures == other.failures
    for mine, theirs in zip(one.vectors, other.vectors, strict=True):
        np.testing.assert_allclose(mine[0], theirs[0], atol=1e-5)
        np.testing.assert_allclose(mine[1], theirs[1], atol=1e-3)  # float16


def assert_same_answers(one: Index, other: Index, questions: Sequence[str]) -> None:
    for question in questions:
        mine, theirs = one.ask(question), other.ask(question)
        assert mine.text == theirs.text
        assert mine.citations == theirs.citations
        assert mine.confidence == pytest.approx(theirs.confidence, abs=1e-3)
        hits = [[hit.chunk for hit in index.retrieve(question, 10)] for index in (one, other)]
        assert hits[0] == hits[1]
