"""What flows through the system: document → chunk → vector → hit → answer.

All offsets are Unicode code points into a document's canonical text, end exclusive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypedDict

BlockKind = Literal["heading", "paragraph", "item", "row", "code"]
Metadata = Mapping[str, str | list[str]]
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
"""Whatever JSON can say."""


class Turn(TypedDict):
    """One turn of a conversation, as in the chat-completion format."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Block:
    """A structural piece of a document: `text[start:end]` without surrounding white space.

    Attributes:
        kind: "heading", "paragraph", "item" (one list entry), "row" (one table row) or "code".
        start: first code point.
        end: one past the last code point.
        level: heading depth from 1; nesting depth of an item from 1; for a row, 1 marks the
            header row of its table and 0 the others; 0 otherwise.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Page `number` (from 1, as a viewer counts) covers `text[start:end]`."""

    number: int
    start: int
    end: int


@dataclass(frozen=True)
class Document:
    """One document of the corpus, as every later step sees it.

    Attributes:
        id: path relative to the corpus folder, "/" separated.
        title: never empty; the file's name if the document has no other.
        text: canonical text; for .txt and .md the decoded file with "\\n" line ends.
        blocks: in text order, not overlapping.
        pages: in text order; empty for formats without pages.
        metadata: lower-case keys, e.g. "author", "published", "effective_date", "language".
    """

    id: str
    title: str
    text: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    metadata: Metadata = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical text in UTF-8."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A quotable unit inside a chunk: a sentence, list entry or table row.

    Attributes:
        start: first code point in the document.
        end: one past the last one.
        kind: of the block that it stands in.
        lead: [start, end) of what it cannot be understood without: the header row of its table,
            or the sentence ("…:") that leads in to it in a list; None if there is no such thing.
    """

    start: int
    end: int
    kind: BlockKind = "paragraph"
    lead: tuple[int, int] | None = None
    lead_text: str = ""
    """The lead without markup."""
    above: tuple[tuple[int, int], ...] = ()
    """[start, end) of what else it cannot be understood without, outermost first.

    In a list what leads in to that lead; for a row the line above its table ("Prices in euros:"),
    the row that names its group, and the one with the first cell that it lacks; for prose the
    sentence that limits it ("For guests the following applies.").
    """
    marker: str = ""
    """What stands before its list entry: "2.", "(b)", "-"; "" elsewhere."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that is embedded and searched as one: `document.text[start:end] == text`.

    Attributes:
        document: id of the document.
        start: first code point of the passage.
        end: one past its last code point.
        text: the passage, verbatim.
        title: the document's title.
        headings: path of headings above the passage, outermost first.
        page: page on which it starts, from 1; None for formats without pages.
        sentences: its quotable units in text order.
        enriched: what is embedded: title, headings, and text without markup. A title that is only
            the file's name is not in it: a file may be renamed without being embedded again.
    """

    document: str
    start: int
    end: int
    text: str
    title: str
    headings: tuple[str, ...]
    page: int | None
    sentences: tuple[Sentence, ...]
    enriched: str

    @property
    def searched(self) -> str:
        """What BM25 searches: `enriched`, under the title even if that is only the file's name."""
        # Not "Car" in "Carbon budget": before what stands behind a title.
        named = self.enriched.startswith((f"{self.title}\n", f"{self.title} > "))
        return self.enriched if named else f"{self.title}\n{self.enriched}"

    def cut(self, start: int, end: int) -> str:
        """The text of [start, end) of the document, as far as it is in the passage."""
        return self.text[max(0, start - self.start) : max(0, end - self.start)]

    @property
    def section(self) -> str | None:
        """The innermost heading above the passage."""
        return self.headings[-1] if self.headings else None


@dataclass(frozen=True, slots=True)
class Scores:
    """What made a hit's rank, each in its own unit.

    Attributes:
        dense: cosine between question and chunk, -1 to 1; the default encoder embeds questions
            with weights of their own (`rag.encoders.adapter`).
        sentence: the same with the chunk's best sentence.
        lexical: BM25.
        fused: the ranking score, in standard deviations above a random chunk of the index.
    """

    dense: float
    sentence: float
    lexical: float
    fused: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved chunk. `row` is its position in the generation it came from."""

    rank: int
    row: int
    chunk: Chunk
    scores: Scores

    def to_dict(self) -> dict[str, object]:
        """The JSON of a hit, as in the contract."""
        return {
            "rank": self.rank,
            "score": round(self.scores.fused, 6),
            "scores": {
                "dense": round(self.scores.dense, 6),
                "lexical": round(self.scores.lexical, 6),
                "sentence": round(self.scores.sentence, 6),
            },
            "document": self.chunk.document,
            "title": self.chunk.title,
            "section": self.chunk.section,
            "page": self.chunk.page,
            "start": self.chunk.start,
            "end": self.chunk.end,
            "text": self.chunk.text,
        }


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence of the answer stands: `text(document)[start:end] == quote`."""

    n: int
    document: str
    title: str
    section: str | None
    page: int | None
    start: int
    end: int
    quote: str
    sha256: str
    """Hex digest of the document's canonical text."""
    published: str | None = None
    effective_date: str | None = None
    superseded_by: str | None = None
    """What the document says of its age and of its successor."""

    def to_dict(self) -> dict[str, object]:
        """The JSON of a citation, as in the contract."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Passage:
    """One of the passages that came nearest; `score` is between 0 and 1."""

    document: str
    title: str
    section: str | None
    page: int | None
    start: int
    end: int
    text: str
    score: float

    def to_dict(self) -> dict[str, object]:
        """The JSON of a nearest passage, as in the contract."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True)
class Answer:
    """An answer in which every sentence is a quotation, or an abstention.

    Attributes:
        question: as it was asked.
        standalone_question: as it was understood, with what the conversation adds.
        abstained: True if the sources do not answer; then `citations` is empty.
        confidence: calibrated probability that the sources answer the question, 0 to 1.
        text: the quotations without markup, each followed by its number in brackets; one that
            would mislead without its heading stands behind it.
        citations: numbered from 1 in the order of the text.
        nearest: the passages that came nearest, best first.
        generation: id of the index generation that answered.
        took_ms: wall-clock milliseconds.
        id: the caller's id of the question, if it gave one.
        where: the conditions that limited which documents were searched; empty for all.
        hits: the passages that were found for it, best first; not in the JSON.
        unanswered: the parts of the question that nothing answers, in its words; empty for an
            abstention, which answers none.
        remark: what has to be said of names and years in the question; "" if there is nothing.
    """

    question: str
    standalone_question: str
    abstained: bool
    confidence: float
    text: str
    citations: tuple[Citation, ...]
    nearest: tuple[Passage, ...]
    generation: str
    took_ms: float
    id: Json = None
    where: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = field(default=(), repr=False)
    unanswered: tuple[str, ...] = ()
    remark: str = ""

    def to_dict(self) -> dict[str, object]:
        """The JSON of an answer, as in the contract."""
        return {
            "id": self.id,
            "question": self.question,
            "standalone_question": self.standalone_question,
            "abstained": self.abstained,
            "confidence": round(self.confidence, 4),
            "text": self.text,
            "citations": [citation.to_dict() for citation in self.citations],
            "nearest": [passage.to_dict() for passage in self.nearest],
            "generation": self.generation,
            "took_ms": round(self.took_ms, 1),
            "unanswered": list(self.unanswered),
            "remark": self.remark,
            **({"where": list(self.where)} if self.where else {}),
        }


@dataclass(frozen=True, slots=True)
class Problem:
    """A document that is not in the index, and why."""

    document: str
    reason: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """A document whose text was in the index under another name, which is gone."""

    was: str
    document: str


What = Literal["added", "changed", "renamed", "removed", "read again", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Detail:
    """What happened to one document and why.

    Attributes:
        document: its id.
        what: what happened.
        why: the reason, in words.
        chunks: how many chunks it was cut into; 0 if it was not read.
        seconds: how long reading and cutting it took.
    """

    document: str
    what: What
    why: str
    chunks: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class BuildReport:
    """What a build did. The names of the fields are the JSON of the contract.

    Attributes:
        generation: id of the generation that answers from now on.
        documents: how many it holds.
        chunks: how many it holds.
        added: ids of new documents.
        changed: ids whose content changed.
        removed: ids that are gone.
        unchanged: how many stayed as they were.
        skipped: files that are not documents for us.
        failed: documents that could not be read.
        embedded: chunks whose vectors were computed.
        reused: chunks whose vectors were known.
        seconds: wall-clock time.
        warnings: documents that are in the index, but of which something could not be used; and
            the corpus folder, if nothing is left in it.
        renamed: those of `added` whose text was in the index under a name that is gone.
        details: every document but those that stayed as they were: what happened and why.
    """

    generation: str
    documents: int
    chunks: int
    added: Sequence[str]
    changed: Sequence[str]
    removed: Sequence[str]
    unchanged: int
    skipped: Sequence[Problem]
    failed: Sequence[Problem]
    embedded: int
    reused: int
    seconds: float
    renamed: Sequence[Renamed] = ()
    warnings: Sequence[Problem] = ()
    details: Sequence[Detail] = ()
