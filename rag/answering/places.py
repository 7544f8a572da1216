"""Where a sentence stands in its passage: what is next to it, and the list around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rag.embedding import plain_sentence
from rag.text.enumerators import match, without_number
from rag.types import Chunk, Sentence

Span = tuple[int, int]
"""[start, end) in the canonical text."""

_MOST_WORDS_OF_LIST = 110


class Place(NamedTuple):
    """Sentence `at` of a passage."""

    chunk: Chunk
    at: int

    @property
    def sentence(self) -> Sentence:
        """Its span, kind and lead."""
        return self.chunk.sentences[self.at]

    @property
    def span(self) -> Span:
        """Where it stands in the document."""
        sentence = self.sentence
        return sentence.start, sentence.end

    @property
    def text(self) -> str:
        """Its words, without markup and number."""
        return without_number(plain_sentence(self.chunk, self.at))

    @property
    def number(self) -> str:
        """The number at its beginning or in front of its list entry; "" without one."""
        found = match(plain_sentence(self.chunk, self.at)) or match(self.sentence.marker)
        return found.value if found else ""

    @property
    def next(self) -> Place | None:
        """The sentence after it, whatever that is."""
        return Place(self.chunk, self.at + 1) if self.at + 1 < len(self.chunk.sentences) else None

    @property
    def joined(self) -> Place | None:
        """The sentence after it in the same prose or list entry."""
        following = self.next
        return following if following is not None and _are_joined(self, following) else None

    @property
    def joined_before(self) -> Place | None:
        """The sentence before it in the same prose or list entry."""
        before = Place(self.chunk, self.at - 1) if self.at else None
        return before if before is not None and _are_joined(before, self) else None

    @property
    def is_lead(self) -> bool:
        """Whether it leads in to the entries or rows that follow: "You need:"."""
        if self.sentence.kind == "row" or (following := self.next) is None:
            return False
        return following.sentence.lead == self.span or (
            following.sentence.kind == "row" and self.text.endswith(":")
        )

    def all_after(self) -> Iterator[Place]:
        """Every sentence after it in the passage."""
        return (Place(self.chunk, at) for at in range(self.at + 1, len(self.chunk.sentences)))

    def to(self, last: Place) -> Span:
        """From the beginning of this sentence to the end of another."""
        return self.sentence.start, last.sentence.end


def _are_joined(one: Place, following: Place) -> bool:
    first, second = one.sentence, following.sentence
    if first.kind == second.kind == "item":
        between = one.chunk.text[first.end - one.chunk.start : second.start - one.chunk.start]
        return not between.strip()
    return first.kind == second.kind == "paragraph"


def start_of_list(entry: Place) -> Place:
    """The lead-in of the list around an entry, or its first entry."""
    lead = entry.sentence.lead
    for at in reversed(range(entry.at)):
        before = Place(entry.chunk, at)
        if before.span == lead:
            return before
        if before.sentence.kind != "item":
            return Place(entry.chunk, at + 1)
    return Place(entry.chunk, 0)


def end_of_list(first: Place) -> Place:
    """The last entry of the list that begins with a lead-in or an entry, as far as there is room.

    Entries under its entries are part of it.
    """
    under: set[Span | None] = {first.span}
    if not first.is_lead:
        under.add(first.sentence.lead)
    last, words = first, 0
    for place in first.all_after():
        sentence = place.sentence
        entry = sentence.kind == "row" or (sentence.kind == "item" and sentence.lead in under)
        words += len(place.text.split()) if entry else 0
        if not entry or words > _MOST_WORDS_OF_LIST:
            break
        last = place
        under.add(place.span)
    return last


def after_the_list(last: Place) -> Place | None:
    """The sentence that follows the list or table of which `last` is an entry."""
    for place in last.all_after():
        one, other = last.sentence, place.sentence
        # A row without a header above it begins another table.
        if other.kind != one.kind or (other.kind == "row" and other.lead is None):
            return place
    return None
