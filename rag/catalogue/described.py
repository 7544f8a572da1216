"""What an index says of a document without opening it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Titled(Protocol):
    """A document with what it says of itself: what makes it a version of another one."""

    @property
    def id(self) -> str:
        """Its path."""

    @property
    def title(self) -> str:
        """Never empty."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Text, or a list of texts, by field."""


class Described(Titled, Protocol):
    """A document of an index, without its text: what filters, versions and lists look at."""

    @property
    def first_chunk(self) -> int:
        """Row of its first chunk."""

    @property
    def chunks(self) -> int:
        """How many chunks it has."""
