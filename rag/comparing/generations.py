"""Two generations compared: which documents differ, in which sentences and which metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal

from rag.embedding import plain_sentences
from rag.errors import UsageError
from rag.loaders.metadata import EVIDENCE, TITLE_FROM
from rag.loaders.remarks import TRIED
from rag.store.generation import Generation, previous_generation
from rag.store.history import find_generation
from rag.store.manifest import current_generation, generations_folder
from rag.store.tables import DocumentInfo
from rag.text.enumerators import without_number
from rag.text.markup import plain_text

Kind = Literal["added", "removed", "renamed", "changed"]
_NOT_SHOWN = frozenset((TITLE_FROM, TRIED, "content_sha256", "modified", "retrieved"))
"""What explains other metadata, or differs whenever a page from the web has changed."""
_ALIKE = 0.5
"""Two sentences that share half of their words are one sentence that was changed."""
_AT_ONCE = 40
"""So many sentences are compared with as many others."""
_LAYOUT = re.compile(r"[\s#*_`~>|=+-]+")
_FIRST = "g000001-"


@dataclass(frozen=True, slots=True)
class SentenceChange:
    """A sentence or heading before and after; None where there was or is none.

    Attributes:
        section: the heading above it, as "before → after" where that changed; "" without a
            heading. A heading stands under itself.
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
        sentences: for a changed document what differs, in text order: sentences, headings and
            sentences under another heading. Where there is no such thing, the lines of the text
            that differ in more than layout and markup, such as in the target of a link.
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
        IndexIncompatible: one of the two is of another format.
        UsageError: there is no such generation, or none to compare with.
    """
    later = find_generation(index, after) if after else current_generation(index)
    earlier = find_generation(index, before) if before else previous_generation(index, later)
    if earlier is None and later.startswith(_FIRST):
        raise UsageError("this is the first build: there is nothing to compare it with")
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
            front = was[name].metadata == info.metadata
            sentences = _sentences(old, was[name], new, info, front=front) if differs else ()
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
    """What the metadata say now and did not before, but for what is not shown."""
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


_Entry = tuple[str, str]
"""Section and plain text of a sentence; of a heading its own text twice."""
_Pair = tuple[_Entry | None, _Entry | None]


def _sentences(
    old: Generation, was: DocumentInfo, new: Generation, now: DocumentInfo, *, front: bool
) -> tuple[SentenceChange, ...]:
    before, text = _read(old, was, front=front)
    after, new_text = _read(new, now, front=front)
    changes = tuple(_changes(before, after))
    if changes or _LAYOUT.sub("", text) == _LAYOUT.sub("", new_text):
        return changes
    return tuple(_changes(_lines(text), _lines(new_text)))


def _read(generation: Generation, info: DocumentInfo, *, front: bool) -> tuple[list[_Entry], str]:
    """Headings and sentences in text order; and the text, its front matter only with `front`."""
    rows = range(info.first_chunk, info.first_chunk + info.chunks)
    document = generation.document(info.id)
    if document is None:
        return [], ""
    found = {
        sentence.start: (chunk.section or "", text)
        for chunk in generation.tables.chunks(rows)
        for sentence, text in zip(chunk.sentences, plain_sentences(chunk), strict=True)
        if sentence.kind != "heading"
    }
    for block in document.blocks:
        if block.kind == "heading":
            name = plain_text(document.id, document.text[block.start : block.end])
            found[block.start] = (name, name)
    content = document.blocks[0].start if document.blocks else len(document.text)
    first = 0 if front else document.text.rfind("\n", 0, content) + 1
    return [entry for _, entry in sorted(found.items())], document.text[first:]


def _lines(text: str) -> list[_Entry]:
    return [("", " ".join(line.split())) for line in text.splitlines() if line.strip()]


def _changes(before: Sequence[_Entry], after: Sequence[_Entry]) -> Iterator[SentenceChange]:
    # That a section has another number now is said once, at its heading.
    keys = ([(without_number(section), text) for section, text in side] for side in (before, after))
    for kind, a, b, c, d in _opcodes(*keys):
        if kind != "equal":
            yield from pair(before[a:b], after[c:d])


def _opcodes(
    before: Sequence[object], after: Sequence[object]
) -> Sequence[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, before, after, autojunk=False).get_opcodes()


def pair(before: Sequence[_Entry], after: Sequence[_Entry]) -> Iterator[SentenceChange]:
    """Bring together what became of what, in order; what has no counterpart stands alone."""
    for kind, a, b, c, d in _opcodes([text for _, text in before], [text for _, text in after]):
        old, new = before[a:b], after[c:d]
        # The same text here stands under another heading now.
        same = kind == "equal"
        for one, other in zip(old, new, strict=True) if same else _in_pieces(old, new):
            sections = [entry[0] for entry in (one, other) if entry and entry[0]]
            yield SentenceChange(
                " → ".join(dict.fromkeys(sections)), one and one[1], other and other[1]
            )


def _in_pieces(before: Sequence[_Entry], after: Sequence[_Entry]) -> Iterator[_Pair]:
    count = -(-max(len(before), len(after)) // _AT_ONCE)
    for n in range(count):
        yield from _aligned(
            *(
                side[len(side) * n // count : len(side) * (n + 1) // count]
                for side in (before, after)
            )
        )


def _aligned(before: Sequence[_Entry], after: Sequence[_Entry]) -> Iterator[_Pair]:
    """Of all ways to pair sentences in order the one in which they are most alike."""
    rows, columns = len(before), len(after)
    alike = _likeness(before, after)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + alike[i, j])
    i = j = 0
    while i < rows or j < columns:
        both = i < rows and j < columns
        if both and alike[i, j] and best[i][j] == best[i + 1][j + 1] + alike[i, j]:
            yield before[i], after[j]
            i, j = i + 1, j + 1
        elif j == columns or (both and best[i][j] == best[i + 1][j]):
            yield before[i], None
            i += 1
        else:
            yield None, after[j]
            j += 1


def _likeness(before: Sequence[_Entry], after: Sequence[_Entry]) -> dict[tuple[int, int], float]:
    """How alike each two are, 0 for too little; one good pair counts as much as two fair ones."""
    alike = {}
    matcher: SequenceMatcher[str] = SequenceMatcher(autojunk=False)
    words = [text.split() for _, text in before]
    for j, (_, text) in enumerate(after):
        matcher.set_seq2(text.split())
        for i, own in enumerate(words):
            matcher.set_seq1(own)
            ratio = matcher.ratio() if matcher.quick_ratio() >= _ALIKE else 0.0
            alike[i, j] = ratio**4 if ratio >= _ALIKE else 0.0
    return alike


def word_runs(before: str, after: str) -> tuple[list[tuple[bool, str]], list[tuple[bool, str]]]:
    """Two sentences in runs of words, each marked True where it differs from the other's."""
    one, other = before.split(), after.split()
    old: list[tuple[bool, str]] = []
    new: list[tuple[bool, str]] = []
    for kind, a, b, c, d in _opcodes(one, other):
        if a < b:
            old.append((kind != "equal", " ".join(one[a:b])))
        if c < d:
            new.append((kind != "equal", " ".join(other[c:d])))
    return old, new
