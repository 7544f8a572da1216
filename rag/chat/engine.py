"""What the page needs of whatever answers: an index, or one that follows what is published."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from rag.catalogue.conditions import Given
from rag.store.tables import DocumentInfo
from rag.types import Answer, Document, Hit, Turn


class Engine(Protocol):
    """The calls of `rag.index.Index` and `rag.live.LiveIndex` that the page uses."""

    @property
    def generation(self) -> str:
        """Id of the generation that answers now."""

    @property
    def created(self) -> str:
        """When that was built: UTC, ISO 8601."""

    def ask(self, question: str, history: Sequence[Turn] = (), *, where: Given = None) -> Answer:
        """Answer with quotations, or abstain."""

    def retrieve(
        self, question: str, k: int = 5, history: Sequence[Turn] = (), where: Given = None
    ) -> list[Hit]:
        """The best passages."""

    def document(self, document_id: str) -> Document:
        """One document with its blocks."""

    def documents(self) -> Sequence[DocumentInfo]:
        """Every document, without its text."""


def snapshot(engine: Engine) -> AbstractContextManager[Engine]:
    """The engine as it is now: one generation for calls that belong together."""
    take = getattr(engine, "snapshot", None)
    return take() if take is not None else nullcontext(engine)
