"""An opened index: retrieve, ask, and read what was indexed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from rag.answering.compose import abstention_text, answer_text, cite, nearest
from rag.answering.confidence import confidence, threshold
from rag.answering.evidence import PASSAGES_READ, Weights, gather
from rag.answering.select import select
from rag.conditions import Given, Where, parse_where
from rag.conversation import Understood, split_parts, understand
from rag.encoders import Encoder, load_encoder
from rag.errors import DocumentNotFound, IndexIncompatible, UsageError
from rag.filters import Selection, no_document_text
from rag.filters import select as select_documents
from rag.reader import Reader
from rag.retrieval import Found, query_vectors, search
from rag.settings import Settings
from rag.store.generation import Generation, open_current
from rag.store.tables import DocumentInfo
from rag.types import Answer, Document, Hit, Turn


@dataclass(frozen=True)
class Models:
    """Encoder and reader, shared by all generations of a process; loaded when first needed."""

    settings: Settings

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder that the settings name."""
        return load_encoder(self.settings.encoder, self.settings.threads)

    @cached_property
    def reader(self) -> Reader | None:
        """The reader, or None where the settings switch it off."""
        return Reader(self.settings.threads) if self.settings.reader else None


class Index:
    """One generation of an index. All calls answer from it, whatever is published meanwhile."""

    def __init__(self, generation: Generation, models: Models) -> None:
        self._generation, self._models = generation, models
        self._document = lru_cache(maxsize=256)(self._load_document)
        self._select = lru_cache(maxsize=64)(self._select_documents)

    @property
    def generation(self) -> str:
        """Id of the generation."""
        return self._generation.id

    @property
    def created(self) -> str:
        """When it was built: UTC, ISO 8601."""
        return self._generation.manifest.created

    def retrieve(
        self, question: str, k: int = 5, history: Sequence[Turn] = (), where: Given = None
    ) -> list[Hit]:
        """The `k` best passages for a question, best first.

        Args:
            question: in the words of the user.
            k: how many at most.
            history: the conversation before it, oldest turn first.
            where: which documents are searched, such as ["collection=handbook",
                "effective_date>=2024-01-01"]; see `rag.filters`.

        Raises:
            UsageError: the question is empty, k is below 1, or the filter is not understood.
            IndexIncompatible: the index was made with another encoder.
        """
        if k < 1:
            raise UsageError(f"k must be at least 1, got {k}")
        selection = self._select(parse_where(where))
        (found,) = self._search([self._understand(question, history)], k, selection)
        return list(found.hits)

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        id: str | None = None,  # noqa: A002 - the contract's name
        where: Given = None,
    ) -> Answer:
        """Answer from the sources, or abstain.

        Args:
            question: in the words of the user.
            history: the conversation before it, oldest turn first.
            id: given back in the answer.
            where: which documents are searched, as in `retrieve`.

        Raises:
            UsageError: the question is empty, or the filter is not understood.
            IndexIncompatible: the index was made with another encoder.
        """
        started = time.perf_counter()
        filtered = parse_where(where)
        selection = self._select(filtered)
        understood = self._understand(question, history)
        parts = split_parts(understood)
        found = self._search(parts, PASSAGES_READ, selection)
        reader = self._models.reader
        evidence = [
            gather(self._generation, part, own, reader, Weights())
            for part, own in zip(parts, found, strict=True)
        ]
        sure = [confidence(own, with_reader=reader is not None) for own in evidence]
        least = threshold(self._models.settings.caution, with_reader=reader is not None)
        quotations = select([own for own, p in zip(evidence, sure, strict=True) if p >= least])
        citations = cite(quotations, self.document)
        unanswered = [part.question for part, p in zip(parts, sure, strict=True) if p < least]
        passages = nearest([hit for own in found for hit in own.hits])
        documents = self._generation.manifest.documents
        searched = documents if selection is None else selection.documents
        nothing = (
            no_document_text(filtered, documents)
            if filtered and not searched and documents
            else abstention_text(searched, len(passages))
        )
        return Answer(
            question=question,
            standalone_question=understood.standalone,
            abstained=not citations,
            confidence=max(sure),
            text=answer_text(citations, unanswered) if citations else nothing,
            citations=citations,
            nearest=passages,
            generation=self.generation,
            took_ms=(time.perf_counter() - started) * 1000,
            id=id,
            where=tuple(map(str, filtered.conditions)),
        )

    def _understand(self, question: str, history: Sequence[Turn]) -> Understood:
        if not question.strip():
            raise UsageError("the question is empty")
        return understand(question, history)

    def _select_documents(self, where: Where) -> Selection | None:
        return select_documents(where, self._described) if where else None

    @cached_property
    def _described(self) -> list[DocumentInfo]:
        return self._generation.tables.documents()

    def _search(
        self, questions: Sequence[Understood], k: int, selection: Selection | None
    ) -> list[Found]:
        encoder = self._models.encoder
        if encoder.digest != self._generation.manifest.encoder_digest:
            raise IndexIncompatible(
                f"this index was made with encoder {self._generation.manifest.encoder!r}, the "
                f"settings name {encoder.name!r}: run `rag build`, or set the encoder back"
            )
        weight = self._models.settings.dense_weight
        allowed = None if selection is None else selection.rows
        return [
            search(self._generation, query, question, k, weight, allowed)
            for question, query in zip(questions, query_vectors(encoder, questions), strict=True)
        ]

    def document(self, document_id: str) -> Document:
        """A document with its canonical text, blocks and pages.

        Raises:
            DocumentNotFound: the index has no such document.
        """
        return self._document(document_id)

    def _load_document(self, document_id: str) -> Document:
        document = self._generation.document(document_id)
        if document is None:
            raise DocumentNotFound(
                f"no document {document_id!r} in this index: `rag status --json` lists them"
            )
        return document

    def text(self, document_id: str) -> str:
        """The canonical text of a document: what all offsets refer to.

        Raises:
            DocumentNotFound: the index has no such document.
        """
        return self.document(document_id).text

    def documents(self) -> list[DocumentInfo]:
        """All documents without their texts, in the order of their ids."""
        return self._generation.tables.documents()

    def close(self) -> None:
        """Free the files."""
        self._generation.close()

    def __enter__(self) -> Index:
        """Close at the end of a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Free the files."""
        self.close()


def open_index(index: Path, settings: Settings | None = None) -> Index:
    """Open the published generation of an index folder.

    Raises:
        IndexNotFound: nothing has been built there.
        IndexDamaged: a file is missing or damaged.
        IndexIncompatible: written by another version.
    """
    return Index(open_current(index), Models(settings or Settings(index=index)))
