"""An opened index: retrieve, ask, and read what was indexed."""

from __future__ import annotations

import operator
import os
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TypeVar

from rag.answering.evidence import MOST_PASSAGES_READ, Evidence
from rag.answering.stages import ALL_STAGES, Stages
from rag.asking.asked import Asked, History
from rag.asking.batches import blocks
from rag.catalogue.conditions import Given
from rag.errors import DocumentNotFound, UsageError
from rag.pipeline import Models, Pipeline, Prepared
from rag.settings import Caution, Settings
from rag.store.generation import Generation, open_current
from rag.store.tables import DocumentInfo
from rag.types import Answer, Document, Hit, Json

Result = TypeVar("Result")

_TOGETHER = 512
"""So many questions of a batch are encoded and searched for together."""


class Index:
    """One generation of an index. All calls answer from it, whatever is published meanwhile.

    Calls raise UsageError once it is closed, and in a process forked after it was opened.
    """

    def __init__(self, generation: Generation, models: Models, stages: Stages = ALL_STAGES) -> None:
        self._generation, self._models = generation, models
        self._document = lru_cache(maxsize=256)(self._load_document)
        self._pipeline = Pipeline(generation, models, stages, self._document)

    @property
    def generation(self) -> str:
        """Id of the generation."""
        return self._generation.id

    @property
    def created(self) -> str:
        """When it was built: UTC, ISO 8601."""
        return self._generation.manifest.created

    def retrieve(
        self, question: str, k: int = 5, history: History = (), where: Given = None
    ) -> list[Hit]:
        """The `k` best passages for a question, best first.

        Args:
            question: in the words of the user.
            k: how many at most.
            history: the conversation before it, oldest turn first.
            where: which documents are searched, such as ["collection=handbook",
                "effective_date>=2024-01-01"]; see `rag.catalogue.filters`.

        Raises:
            UsageError: the question is empty or no text, the history no list of turns, k no whole
                number from 1 on, or the filter is not understood.
            IndexIncompatible: the index was made with another encoder.
        """
        k = _whole_count(k)
        self._generation.check_process()
        understood = self._pipeline.understand(Asked(question, history, where), split=False)
        (prepared,) = self._pipeline.encode(understood)
        self._models.note_question()
        with self._models.turn():
            return self._hits(prepared, k)

    def retrieve_many(self, questions: Iterable[str | Asked], k: int = 5) -> Iterator[list[Hit]]:
        """The same hits as `retrieve` for each of many questions, in order, in less time.

        Questions are taken as they come, and few are held at a time: there may be any number.

        Raises:
            UsageError: k is no whole number from 1 on; or, once those before it are done, a
                question is empty or no text, or its filter is not understood.
            IndexIncompatible: the index was made with another encoder.
        """
        count = _whole_count(k)
        return self._in_blocks(questions, lambda one: self._hits(one, count), count, split=False)

    def ask(
        self,
        question: str,
        history: History = (),
        id: Json = None,  # noqa: A002 - the contract's name
        where: Given = None,
    ) -> Answer:
        """Answer from the sources, or abstain.

        Args:
            question: in the words of the user.
            history: the conversation before it, oldest turn first.
            id: given back in the answer.
            where: which documents are searched, as in `retrieve`.

        Raises:
            UsageError: the question is empty or no text, the history no list of turns, or the
                filter is not understood.
            IndexIncompatible: the index was made with another encoder.
        """
        started = time.perf_counter()
        self._generation.check_process()
        understood = self._pipeline.understand(Asked(question, history, where, id), split=True)
        (prepared,) = self._pipeline.encode(understood)
        self._models.note_question()
        with self._models.turn():
            answer = self._pipeline.answer(prepared)
        return replace(answer, took_ms=(time.perf_counter() - started) * 1000)

    def ask_many(self, questions: Iterable[str | Asked]) -> Iterator[Answer]:
        """The same answers as `ask` for each of many questions, in order, in less time.

        As `retrieve_many`. `took_ms` does not count what a question has in common with others.
        """
        return self._in_blocks(questions, self._pipeline.answer, MOST_PASSAGES_READ, split=True)

    def _in_blocks(
        self,
        questions: Iterable[str | Asked],
        work: Callable[[Prepared], Result],
        k: int,
        *,
        split: bool,
    ) -> Iterator[Result]:
        """`work` for each question; while it does one block, the next one is encoded."""
        self._generation.check_process()
        pipeline = self._pipeline
        asked = (one if isinstance(one, Asked) else Asked(one) for one in questions)
        understood = (pipeline.understand(one, split=split) for one in asked)
        encoded = (
            pipeline.propose(pipeline.encode(*block), k) for block in blocks(understood, _TOGETHER)
        )
        with ThreadPoolExecutor(self._models.threads, "batch") as pool:
            for (block,) in blocks(encoded, 1):
                yield from pool.map(work, block)

    def _hits(self, prepared: Prepared, k: int) -> list[Hit]:
        (found,) = self._pipeline.find(prepared, k)
        return list(found.hits)

    def evidence(self, question: str, history: History = ()) -> list[Evidence]:
        """What `ask` chooses from: for each part of the question its sentences, best first.

        Raises:
            UsageError: the question is empty or no text, or the history no list of turns.
            IndexIncompatible: the index was made with another encoder.
        """
        self._generation.check_process()
        understood = self._pipeline.understand(Asked(question, history), split=True)
        (prepared,) = self._pipeline.encode(understood)
        return self._pipeline.judge(prepared, self._pipeline.find(prepared, MOST_PASSAGES_READ))

    @property
    def thresholds(self) -> Mapping[Caution, float]:
        """For each setting of caution, the confidence below which `ask` abstains."""
        return self._pipeline.thresholds

    def with_stages(self, stages: Stages) -> Index:
        """The same generation and models, asked with other steps; closing one closes both."""
        return Index(self._generation, self._models, stages)

    def document(self, document_id: str | os.PathLike[str]) -> Document:
        """A document with its canonical text, blocks and pages.

        Raises:
            DocumentNotFound: the index has no such document.
        """
        self._generation.check_process()
        name = document_id if isinstance(document_id, str) else PurePath(document_id).as_posix()
        # Ids are composed, names that a shell completes need not be.
        return self._document(unicodedata.normalize("NFC", name))

    def _load_document(self, document_id: str) -> Document:
        try:
            document = self._generation.document(document_id)
        except UnicodeEncodeError:  # From a lone surrogate, which no id has.
            document = None
        if document is None:
            raise DocumentNotFound(
                f"no document {document_id!r} in this index: `rag status --json` lists them"
            )
        return document

    def text(self, document_id: str | os.PathLike[str]) -> str:
        """The canonical text of a document: what all offsets refer to.

        Raises:
            DocumentNotFound: the index has no such document.
        """
        return self.document(document_id).text

    def documents(self) -> list[DocumentInfo]:
        """All documents without their texts, in the order of their ids."""
        self._generation.check_process()
        return self._generation.tables.documents()

    def status(self) -> dict[str, str | int]:
        """What it is and what it holds, by name."""
        manifest = self._generation.manifest
        return {
            name: getattr(manifest, name)
            for name in ("generation", "created", "documents", "chunks", "sentences", "encoder")
        }

    def close(self) -> None:
        """Free the files."""
        self._generation.close()
        self._document.cache_clear()

    def __enter__(self) -> Index:
        """Close at the end of a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Free the files."""
        self.close()


def _whole_count(k: int) -> int:
    """A number of hits as a plain int; NumPy has others."""
    try:
        count = operator.index(k)
    except TypeError:
        raise UsageError(f"k must be a whole number, got {k!r}") from None
    if count < 1:
        raise UsageError(f"k must be at least 1, got {count}")
    return count


def open_index(index: Path, settings: Settings | None = None) -> Index:
    """Open the published generation of an index folder.

    Raises:
        IndexNotFound: nothing has been built there.
        IndexDamaged: a file is missing or damaged.
        IndexIncompatible: written by another version.
    """
    return Index(open_current(index), Models(settings or Settings(index=index)))
