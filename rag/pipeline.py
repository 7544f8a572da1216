"""The steps from a question to its hits or its answer, over one generation."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import islice
from typing import get_args

from rag.answering.compose import best_of, cite, nearest
from rag.answering.confidence import confidence, threshold
from rag.answering.elsewhere import with_what_belongs
from rag.answering.evidence import MOST_PASSAGES_READ, Evidence, gather
from rag.answering.mentions import has_name
from rag.answering.questions import names as names_in
from rag.answering.select import pick, select
from rag.answering.stages import Stages
from rag.answering.text import abstention_text, answer_text, no_document_text, unknown_text
from rag.asking.asked import Asked
from rag.asking.conversation import Understood, understand
from rag.asking.parts import split_parts
from rag.catalogue.conditions import Where, parse_where
from rag.catalogue.filters import Selection
from rag.catalogue.filters import select as select_documents
from rag.catalogue.versions import may_be_versions, not_in_effect, superseded
from rag.encoders import Encoder, Vectors, can_search, check_names, load_encoder
from rag.errors import IndexIncompatible, UsageError
from rag.huge_pages import use_huge_pages
from rag.reader import Reader
from rag.retrieval import SENTENCE_SHARE, Found, Rows, candidates, query_vectors, search
from rag.settings import Caution, Settings
from rag.store.generation import Generation
from rag.store.lexical import terms
from rag.store.tables import DocumentInfo
from rag.text.wording import SUCCESSOR
from rag.types import Answer, Document

_FEW_TERMS = 2
"""A later part of a question with so few words of content takes its subject from the one before."""
_STAYS_AFTER = 20
"""So many questions are asked by no process that is about to end."""


@dataclass(frozen=True)
class Models:
    """Encoder and reader, shared by all generations of a process; loaded when first needed."""

    settings: Settings

    @property
    def threads(self) -> int:
        """How many threads compute."""
        return self.settings.threads or os.cpu_count() or 1

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder that the settings name."""
        return load_encoder(self.settings.encoder, self.settings.threads)

    @cached_property
    def reader(self) -> Reader | None:
        """The reader, or None where the settings switch it off."""
        return Reader(self.settings.threads) if self.settings.reader else None

    def note_question(self) -> None:
        """Called for each question; after some it is plain that this process is here to stay."""
        if next(self._questions) == _STAYS_AFTER:
            threading.Thread(target=use_huge_pages, name="huge pages", daemon=True).start()

    @cached_property
    def _questions(self) -> Iterator[int]:
        return itertools.count(1)

    def turn(self) -> AbstractContextManager[None]:
        """What a question that is encoded waits for, before it is searched and answered."""
        return nullcontext()

    def let_others_by(self) -> None:
        """What a question that has its turn does before it reads on: here it is alone."""


@dataclass(frozen=True)
class Prepared:
    """A question that is understood, and then encoded.

    Attributes:
        asked: as it was asked.
        where: its conditions.
        selection: the documents that meet them; None for all.
        understood: the question in its conversation.
        parts: the questions that it asks, one or more.
        vectors: of each part, shape (d,); empty until it is encoded.
        near: for each part the rows that its vector proposes; None if they are not known.
    """

    asked: Asked
    where: Where
    selection: Selection | None
    understood: Understood
    parts: Sequence[Understood]
    vectors: Sequence[Vectors] = ()
    near: Sequence[Rows | None] = ()


class Pipeline:
    """Understand, encode, search, read, choose: what `rag.index.Index` does with questions."""

    def __init__(
        self,
        generation: Generation,
        models: Models,
        stages: Stages,
        document: Callable[[str], Document],
    ) -> None:
        """`document` gives a document of the generation by its id."""
        self._generation, self._models, self._stages = generation, models, stages
        self._document = document
        self._select = lru_cache(maxsize=64)(self._select_documents)

    def understand(self, asked: Asked, *, split: bool) -> Prepared:
        """A question in its conversation; with `split`, as the questions that it asks.

        Raises:
            UsageError: the question is empty, or its filter is not understood.
        """
        if not asked.question.strip():
            raise UsageError("the question is empty")
        where = parse_where(asked.where)
        understood = understand(asked.question, asked.turns if self._stages.follow_ups else ())
        if not self._stages.history:
            understood = replace(understood, queries=understood.queries[:1])
        parts = split_parts(understood) if split and self._stages.parts else (understood,)
        return Prepared(asked, where, self._select(where), understood, parts)

    def encode(self, *block: Prepared) -> list[Prepared]:
        """Encode questions together.

        Raises:
            IndexIncompatible: the index was made with another encoder.
        """
        manifest = self._generation.manifest
        check_names(self._models.settings.encoder, manifest.encoder)
        encoder = self._models.encoder
        if not can_search(encoder, manifest.encoder_digest):
            raise IndexIncompatible(
                "this index was made with another version of its encoder: run `rag build`"
                if manifest.encoder == encoder.name
                else f"this index was made with encoder {manifest.encoder!r}, the settings name "
                f"{encoder.name!r}: run `rag build`, or set the encoder back"
            )
        parts = [part for one in block for part in one.parts]
        vectors = iter(query_vectors(encoder, parts, adapted=self._stages.adapter))
        return [
            replace(
                one, vectors=list(islice(vectors, len(one.parts))), near=[None] * len(one.parts)
            )
            for one in block
        ]

    def propose(self, block: Sequence[Prepared], k: int) -> list[Prepared]:
        """Compare the questions of a block with all chunks at once, for `find` with the same `k`.

        What may search only some documents stays as it is.
        """
        free = [one for one in block if one.selection is None]
        vectors = [vector for one in free for vector in one.vectors]
        near = iter(candidates(self._generation, vectors, k))
        return [
            replace(one, near=list(islice(near, len(one.parts)))) if one.selection is None else one
            for one in block
        ]

    def find(self, prepared: Prepared, k: int) -> list[Found]:
        """For each part of a question the `k` best passages."""
        weight = self._stages.dense_weight(self._models.settings.dense_weight)
        share = SENTENCE_SHARE if self._stages.sentences else 0.0
        allowed = None if prepared.selection is None else prepared.selection.rows
        return [
            search(self._generation, vector, part, k, weight, allowed, share, near)
            for part, vector, near in zip(
                prepared.parts, prepared.vectors, prepared.near, strict=True
            )
        ]

    def judge(self, prepared: Prepared, found: Sequence[Found]) -> list[Evidence]:
        """For each part of a question how the sentences of its passages score."""
        return [
            gather(
                self._generation,
                part,
                own,
                self._reader,
                self._stages.weights,
                self._models.let_others_by,
                self._outdated(own) if _asks_for_now(prepared.where, part) else (),
            )
            for part, own in zip(prepared.parts, found, strict=True)
        ]

    def answer(self, prepared: Prepared) -> Answer:
        """The answer or the abstention; it took as long as this call."""
        started = time.perf_counter()
        found = self.find(prepared, MOST_PASSAGES_READ)
        evidence = self.judge(prepared, found)
        elsewhere = [self._elsewhere(own) for own in evidence]
        sure = self._sure(prepared.parts, evidence, elsewhere)
        caution = self._models.settings.caution
        least = self.thresholds[caution] if self._stages.abstention else 0.0
        quotations = select(
            [own for own, p in zip(evidence, sure, strict=True) if p >= least],
            context=self._stages.context,
        )
        if self._stages.context:
            quotations = with_what_belongs(quotations, self._document)
        citations = cite(quotations, self._document)
        unanswered = [
            part.question for part, p in zip(prepared.parts, sure, strict=True) if p < least
        ]
        answered = [names for names, p in zip(elsewhere, sure, strict=True) if p >= least]
        remark = self._remark(evidence, answered)
        hits = best_of([hit for own in found for hit in own.hits])
        passages = nearest(hits)
        text = (
            answer_text(quotations, citations, self._document, unanswered, remark)
            if citations
            else f"{self._nothing(prepared, len(passages))} {remark}".strip()
        )
        return Answer(
            question=prepared.asked.question,
            standalone_question=prepared.understood.standalone,
            abstained=not citations,
            confidence=max(sure),
            text=text,
            citations=citations,
            nearest=passages,
            generation=self._generation.id,
            took_ms=(time.perf_counter() - started) * 1000,
            id=prepared.asked.id,
            where=tuple(map(str, prepared.where.conditions)),
            hits=hits,
            unanswered=tuple(unanswered) if citations else (),
            remark=remark,
        )

    def _nothing(self, prepared: Prepared, passages: int) -> str:
        """What is said instead of an answer."""
        documents = self._generation.manifest.documents
        selection, where = prepared.selection, prepared.where
        searched = documents if selection is None else selection.documents
        if where and not searched and documents:
            return no_document_text(where, documents)
        return abstention_text(searched, passages)

    def _remark(self, evidence: Sequence[Evidence], elsewhere: Sequence[list[str]]) -> str:
        """What has to be said of names: see `unknown_text`; in an empty index nothing."""
        if not self._generation.manifest.documents:
            return ""
        return unknown_text(
            [name for own in evidence for name in own.unknown],
            [name for names in elsewhere for name in names],
        )

    def _elsewhere(self, evidence: Evidence) -> list[str]:
        """The names of a question that other documents have than those that answer it."""
        names = [name for name in evidence.names if name not in evidence.unknown]
        if not names:
            return []
        quoted = {candidate.chunk.document for candidate in pick(evidence)}
        documents = [self._document(name) for name in quoted]
        return [
            name for name in names if documents and not any(has_name(d, name) for d in documents)
        ]

    def _sure(
        self,
        parts: Sequence[Understood],
        evidence: Sequence[Evidence],
        elsewhere: Sequence[list[str]],
    ) -> list[float]:
        """How sure the answer to each part is.

        "And at what temperature?" is no surer than what it asks about, and an answer about a name
        that its documents do not have is never more than weak.
        """
        sure: list[float] = []
        for part, own, names in zip(parts, evidence, elsewhere, strict=True):
            alone = confidence(own, with_reader=self._surer_with_reader)
            if own.unknown or names:
                alone = min(alone, self.thresholds["balanced"])
            leans = sure and len(terms(part.question)) <= _FEW_TERMS
            sure.append(min(alone, sure[-1]) if leans else alone)
        return sure

    @property
    def thresholds(self) -> Mapping[Caution, float]:
        """For each setting of caution, the confidence below which an answer is an abstention."""
        with_reader = self._surer_with_reader
        return {each: threshold(each, with_reader=with_reader) for each in get_args(Caution)}

    @property
    def _reader(self) -> Reader | None:
        return self._models.reader if self._stages.reader else None

    @property
    def _surer_with_reader(self) -> bool:
        return self._reader is not None and self._stages.reader_confidence

    def _select_documents(self, where: Where) -> Selection | None:
        return select_documents(where, self._described) if where else None

    def _outdated(self, found: Found) -> frozenset[str]:
        """The documents found that no longer hold, or not yet.

        They name a successor that is in the index, or another version that is found was in effect
        when the index was built: an answer is the same on every day.
        """
        titles = {hit.chunk.document: hit.chunk.title for hit in found.hits}
        versions = [self._document(name) for name in may_be_versions(titles)]
        built = self._generation.manifest.created[:10]
        return self._superseded | not_in_effect(versions, built)

    @cached_property
    def _superseded(self) -> frozenset[str]:
        """The documents that name a successor that is in the index."""
        if not self._generation.tables.with_metadata(*SUCCESSOR):
            return frozenset()
        return superseded(self._described)

    @cached_property
    def _described(self) -> list[DocumentInfo]:
        return self._generation.tables.documents()


def _asks_for_now(where: Where, part: Understood) -> bool:
    """False for a question about a year or under a filter `as_of`, which may be about the past."""
    dated = any(condition.field == "as_of" for condition in where.conditions)
    return not dated and not any(name.isdecimal() for name in names_in(part.question))
