"""What the tests of generations share: a document, its next version, and what is found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workshop import Workshop

FIRST = {"a.md": "# Leave\n\nStaff get 13 days of leave.\n"}
SECOND = "# Leave\n\nStaff get 14 days of leave.\n"
QUESTION = "How many days of leave do staff get?"


def quote(workshop: Workshop) -> str:
    with workshop.open() as index:
        return index.retrieve(QUESTION)[0].chunk.text
