"""What each step is worth: the same questions again, with one step switched off at a time."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from rag.answering.stages import ALL_STAGES, Stages

if TYPE_CHECKING:
    from collections.abc import Mapping

System = TypeVar("System", covariant=True)


class Staged(Protocol[System]):
    """Something whose steps can be switched."""

    def with_stages(self, stages: Stages, /) -> System:
        """The same with other steps."""
        ...


NEVER_ABSTAINS = Stages(abstention=False)

SEARCH: Mapping[str, Stages] = {
    "adapter of the question": Stages(adapter=False),
    "embeddings": Stages(dense=False),
    "BM25": Stages(lexical=False),
    "best sentence of a passage": Stages(sentences=False),
    "search for earlier questions": Stages(history=False),
}
"""Search without one of its steps, by the name of what is missing."""

ANSWERS: Mapping[str, Stages] = {
    **SEARCH,
    "conversation": Stages(follow_ups=False),
    "two-part questions": Stages(parts=False),
    "reader": Stages(reader=False),
    "reader in the confidence": Stages(reader_confidence=False),
    **{
        f"{sign.name} in the score": Stages(weights=replace(ALL_STAGES.weights, **{sign.name: 0.0}))
        for sign in fields(ALL_STAGES.weights)
    },
    "lead-ins, headers, exceptions": Stages(context=False),
    "abstention": NEVER_ABSTAINS,
}
"""Answering without one of its steps or signs of an answer, by the name of what is missing."""


def without(system: Staged[System], stages: Mapping[str, Stages]) -> dict[str, System]:
    """The systems that the stages describe, by the same names."""
    return {name: system.with_stages(own) for name, own in stages.items()}
