"""What an evaluation needs from the thing that it judges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.answering.evidence import Evidence
    from rag.types import Answer, Hit, Turn

Item = TypeVar("Item")


class Retriever(Protocol):
    """Something that finds passages."""

    def retrieve(self, question: str, /, k: int, history: Sequence[Turn] = ()) -> Sequence[Hit]:
        """At most `k` hits, best first; fewer than `k` only if there are no more."""
        ...


class Engine(Retriever, Protocol):
    """Something that finds passages and answers from them."""

    def ask(self, question: str, /, history: Sequence[Turn] = ()) -> Answer:
        """One answer or abstention."""
        ...

    def evidence(self, question: str, /, history: Sequence[Turn] = ()) -> Sequence[Evidence]:
        """For each part of the question the sentences that `ask` chooses from."""
        ...

    def text(self, document: str, /) -> str:
        """The canonical text of a document; raises `DocumentNotFound`."""
        ...


class Progress(Protocol):
    """Hands the items on one by one, and may show how far it is."""

    def __call__(self, items: Sequence[Item], label: str) -> Iterable[Item]:
        """The same items in the same order."""
        ...


def silent(items: Sequence[Item], label: str) -> Iterable[Item]:
    """A `Progress` that shows nothing."""
    return items
