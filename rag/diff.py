"""Two generations compared: which documents differ, and in which sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal

from rag.embedding import plain_sentences
from rag.errors import UsageError
from rag.store.generation import Generation, previous_generation
from rag.store.history import find_generation
from rag.store.manifest import current_generation, generations_folder
from rag.store.tables import DocumentInfo

Kind = Literal["added", "removed", "renamed", "changed"]
_ALIKE = 0.5
"""Two sentences that share half of their words are one sentence that was changed."""


@dataclass(frozen=True, slots=True)
class SentenceChange:
    """A sentence before and after; None where there was or is none.

    Attributes:
        section: the heading above it, after if there is one, else before; "" without a heading.
        before: as it was, without markup.
        after: as it is.
    """

    section: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """A document that differs.

    Attributes:
        kind: "renamed" means the same text under another id.
        document: its id; for a removed one, the id it had.
        title: its title.
        was: the earlier id of a renamed document.
        sentences: for a changed document what differs, in text order; empty if only layout or
            markup did.
    """

    kind: Kind
    document: str
    title: str
    was: str | None = None
    sentences: tuple[SentenceChange, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What separates two generations.

    Attributes:
        before: id of the earlier one.
        after: id of the later one.
        before_created: when it was built, UTC, ISO 8601.
        after_created: the same of the later one.
        unchanged: how many documents are the same in both.
        documents: the others, ordered by kind and id.
    """

    before: str
    after: str
    before_created: str
    after_created: str
    unchanged: int
    documents: tuple[DocumentChange, ...]

    def count(self, kind: Kind) -> int:
        """How many documents differ in this way."""
        return sum(document.kind == kind for document in self.documents)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def compare(index: Path, before: str | None = None, after: str | None = None) -> Difference:
    """Compare two generations of an index.

    Args:
        index: the index folder.
        before: id or its beginning; by default the generation before `after`.
        after: id or its beginning; by default the published one.

    Raises:
        IndexNotFound: nothing has been built there.
        IndexDamaged: one of the two is not whole.
        UsageError: there is no such generation, or none to compare with.
    """
    later = find_generation(index, after) if after else current_generation(index)
    earlier = find_generation(index, before) if before else previous_generation(index, later)
    if earlier is None:
        raise UsageError(
            f"there is no generation before {later} to compare it with: one is made by each "
            "build that changes something, and as many are kept as keep_generations says"
        )
    old = Generation(generations_folder(index) / earlier)
    try:
        new = Generation(generations_folder(index) / later)
        try:
            return _compare(old, new)
        finally:
            new.close()
    finally:
        old.close()


def _compare(old: Generation, new: Generation) -> Difference:
    was = {info.id: info for info in old.tables.documents()}
    now = {info.id: info for info in new.tables.documents()}
    changes: list[DocumentChange] = []
    # The same text may have had several names: each of them is used up once.
    gone: dict[str, list[str]] = {}
    for name in sorted(was.keys() - now.keys()):
        gone.setdefault(was[name].sha256, []).append(name)
    for name in sorted(now.keys() - was.keys()):
        names = gone.get(now[name].sha256, [])
        kind: Kind = "renamed" if names else "added"
        changes.append(DocumentChange(kind, name, now[name].title, names.pop(0) if names else None))
    changes += [
        DocumentChange("removed", name, was[name].title)
        for names in gone.values()
        for name in names
    ]
    changes += [
        DocumentChange(
            "changed", name, now[name].title, None, _sentences(old, was[name], new, info)
        )
        for name, info in now.items()
        if name in was and was[name].sha256 != info.sha256
    ]
    order = ("added", "removed", "renamed", "changed")
    return Difference(
        before=old.id,
        after=new.id,
        before_created=old.manifest.created,
        after_created=new.manifest.created,
        unchanged=sum(n in was and was[n].sha256 == i.sha256 for n, i in now.items()),
        documents=tuple(sorted(changes, key=lambda c: (order.index(c.kind), c.document))),
    )


_Sentence = tuple[str, str]
"""Section and plain text."""


def _read(generation: Generation, info: DocumentInfo) -> list[_Sentence]:
    rows = range(info.first_chunk, info.first_chunk + info.chunks)
    return [
        (chunk.section or "", text)
        for chunk in generation.tables.chunks(rows)
        for text in plain_sentences(chunk)
    ]


def _sentences(
    old: Generation, was: DocumentInfo, new: Generation, now: DocumentInfo
) -> tuple[SentenceChange, ...]:
    before, after = _read(old, was), _read(new, now)
    matcher = SequenceMatcher(None, [t for _, t in before], [t for _, t in after], autojunk=False)
    return tuple(
        change
        for kind, a, b, c, d in matcher.get_opcodes()
        if kind != "equal"
        for change in pair(before[a:b], after[c:d])
    )


def pair(before: Sequence[_Sentence], after: Sequence[_Sentence]) -> Iterator[SentenceChange]:
    """Bring together what became of what, in order; what has no counterpart stands alone."""
    first = 0
    for section, text in before:
        words = text.split()
        match = next(
            (
                position
                for position in range(first, len(after))
                if _alike(words, after[position][1].split())
            ),
            None,
        )
        if match is None:
            yield SentenceChange(section, text, None)
            continue
        for own, added in after[first:match]:
            yield SentenceChange(own, None, added)
        yield SentenceChange(after[match][0], text, after[match][1])
        first = match + 1
    for own, added in after[first:]:
        yield SentenceChange(own, None, added)


def _alike(one: list[str], other: list[str]) -> bool:
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE


def word_runs(before: str, after: str) -> tuple[list[tuple[bool, str]], list[tuple[bool, str]]]:
    """Two sentences in runs of words, each marked True where it differs from the other's."""
    one, other = before.split(), after.split()
    old: list[tuple[bool, str]] = []
    new: list[tuple[bool, str]] = []
    for kind, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if a < b:
            old.append((kind != "equal", " ".join(one[a:b])))
        if c < d:
            new.append((kind != "equal", " ".join(other[c:d])))
    return old, new
