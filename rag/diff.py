"""Two generations compared: which documents differ, in which sentences and which metadata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal

from rag.embedding import plain_sentences
from rag.errors import UsageError
from rag.loaders.fields import TRIED
from rag.loaders.metadata import EVIDENCE, TITLE_FROM
from rag.store.generation import Generation, previous_generation
from rag.store.history import find_generation
from rag.store.manifest import current_generation, generations_folder
from rag.store.tables import DocumentInfo

Kind = Literal["added", "removed", "renamed", "changed"]
_NOT_SHOWN = frozenset((TITLE_FROM, TRIED))
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
class FieldChange:
    """A field of the metadata before and after; None where there was or is none."""

    name: str
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
        sentences: for a changed document what differs, in text order.
        fields: for a changed or renamed document what its metadata say now and did not before;
            if there are neither fields nor sentences, only layout or markup changed.
    """

    kind: Kind
    document: str
    title: str
    was: str | None = None
    sentences: tuple[SentenceChange, ...] = ()
    fields: tuple[FieldChange, ...] = ()

    @property
    def lines(self) -> tuple[SentenceChange, ...]:
        """All that differs, to be shown: the fields in words, and then the sentences."""
        fields = [
            SentenceChange(
                "About the document", *(_in_words(f.name, v) for v in (f.before, f.after))
            )
            for f in self.fields
        ]
        return (*fields, *self.sentences)


def _in_words(name: str, value: str | None) -> str | None:
    return None if value is None else f"{name.replace('_', ' ').capitalize()}: {value}"


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
        if names:
            earlier = was[names.pop(0)]
            fields = _fields(earlier, now[name])
            changes.append(
                DocumentChange("renamed", name, now[name].title, earlier.id, fields=fields)
            )
        else:
            changes.append(DocumentChange("added", name, now[name].title))
    changes += [
        DocumentChange("removed", name, was[name].title)
        for names in gone.values()
        for name in names
    ]
    for name, info in now.items():
        if name in was:
            fields = _fields(was[name], info)
            differs = was[name].sha256 != info.sha256
            sentences = _sentences(old, was[name], new, info) if differs else ()
            if differs or fields:
                changes.append(DocumentChange("changed", name, info.title, None, sentences, fields))
    order = ("added", "removed", "renamed", "changed")
    return Difference(
        before=old.id,
        after=new.id,
        before_created=old.manifest.created,
        after_created=new.manifest.created,
        unchanged=len(now) - sum(change.kind != "removed" for change in changes),
        documents=tuple(sorted(changes, key=lambda c: (order.index(c.kind), c.document))),
    )


def _fields(was: DocumentInfo, now: DocumentInfo) -> tuple[FieldChange, ...]:
    """What the metadata say now and did not before, but for what only explains the rest."""
    before, after = _shown(was), _shown(now)
    names = sorted({*before, *after})
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    return tuple(FieldChange(*pair) for pair in pairs if pair[1] != pair[2])


def _shown(info: DocumentInfo) -> dict[str, str]:
    return {
        name: ", ".join(value) if isinstance(value, list) else str(value)
        for name, value in info.metadata.items()
        if not name.endswith(EVIDENCE)
        and name not in _NOT_SHOWN
        and not (name == "title" and TITLE_FROM in info.metadata)
    }


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
