"""A small engine in memory: real documents, canned retrieval, the same methods as the real one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.catalogue.conditions import Given, parse_where
from rag.catalogue.filters import select
from rag.errors import DocumentNotFound
from rag.types import (
    Answer,
    Block,
    Chunk,
    Citation,
    Document,
    Hit,
    Metadata,
    Page,
    Passage,
    Scores,
    Sentence,
)

GENERATION = "000007-9f3c"
CREATED = "2026-11-24T21:45:00Z"


@dataclass(frozen=True)
class FileInfo:
    sha256: str = "0"
    size: int = 0


@dataclass(frozen=True)
class Info:
    id: str
    title: str
    metadata: Metadata
    chunks: int
    file: FileInfo = FileInfo()
    first_chunk: int = 0


def markdown(identifier: str, title: str, text: str, pages: int = 0, **metadata: str) -> Document:
    """A document with blocks cut by simple rules, good enough to be shown."""
    blocks: list[Block] = []
    position = 0
    for part in re.split(r"(?<=\n)(?=\n)|\n(?=[-#|>]|\d+\. )|\n\n+", text):
        start = text.index(part, position)
        position = start + len(part)
        words = part.strip()
        if not words or re.fullmatch(r"[|\s:-]+", words):
            continue
        start += len(part) - len(part.lstrip())
        kind, level = "paragraph", 0
        if words.startswith("#"):
            kind, level = "heading", len(words) - len(words.lstrip("#"))
        elif words.startswith("|"):
            kind = "row"
            level = 0 if blocks and blocks[-1].kind == "row" else 1
        elif re.match(r"[-*] |\d+\. ", words):
            kind, level = "item", 1
        elif words.startswith("```"):
            kind = "code"
        blocks.append(Block(kind, start, start + len(words), level))  # type: ignore[arg-type]
    size = -(-len(text) // pages) if pages else 0
    covers = tuple(Page(n + 1, n * size, min((n + 1) * size, len(text))) for n in range(pages))
    return Document(identifier, title, text, tuple(blocks), covers, metadata)


class FakeEngine:
    """Answers with the sentences that share most words with the question."""

    def __init__(self, documents: Sequence[Document], generation: str = GENERATION) -> None:
        self.generation, self.created = generation, CREATED
        self._documents = {document.id: document for document in documents}

    def documents(self) -> list[Info]:
        return [
            Info(d.id, d.title, d.metadata, 3, first_chunk=3 * row)
            for row, d in enumerate(self._documents.values())
        ]

    def document(self, document_id: str) -> Document:
        if document_id not in self._documents:
            raise DocumentNotFound(f"The index holds no document {document_id!r}.")
        return self._documents[document_id]

    def text(self, document_id: str) -> str:
        return self.document(document_id).text

    def retrieve(
        self, question: str, k: int = 5, history: Sequence[object] = (), where: Given = None
    ) -> list[Hit]:
        ranked = self._ranked(question, where)[:k]
        return [
            Hit(rank, rank - 1, _chunk(document, block), Scores(score, score, score, score))
            for rank, (score, document, block) in enumerate(ranked, start=1)
        ]

    def ask(self, question: str, history: Sequence[object] = (), *, where: Given = None) -> Answer:
        ranked = self._ranked(question, where)
        best = [found for found in ranked if found[0] >= 0.5][:3]
        chosen = sorted(best, key=lambda found: (found[1].id, found[2].start))
        citations = tuple(
            _citation(n, document, block) for n, (_, document, block) in enumerate(chosen, start=1)
        )
        text = " ".join(f"{_shown(c.quote)} [{c.n}]" for c in citations)
        return Answer(
            question=question,
            standalone_question=question if not history else f"{question} (about leave)",
            abstained=not citations,
            confidence=0.9 if citations else 0.1,
            text=text or f"None of the {len(self._documents)} documents answers this.",
            citations=citations,
            nearest=tuple(_passage(*found) for found in ranked[:3]),
            generation=self.generation,
            took_ms=12.0,
            where=tuple(map(str, parse_where(where).conditions)),
            hits=tuple(self.retrieve(question, 12, history, where)),
        )

    def close(self) -> None:
        pass

    def _ranked(self, question: str, where: Given = None) -> list[tuple[float, Document, Block]]:
        wanted = _words(question)
        rows = set(select(parse_where(where), self.documents()).rows.tolist())
        allowed = {info.id for info in self.documents() if info.first_chunk in rows}
        found = [
            (
                len(wanted & _words(document.text[b.start : b.end])) / max(len(wanted), 1),
                document,
                b,
            )
            for document in self._documents.values()
            for b in document.blocks
            if b.kind != "heading" and document.id in allowed
        ]
        return sorted(found, key=lambda one: (-one[0], one[1].id, one[2].start))


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3}


def _shown(quote: str) -> str:
    return re.sub(r"\*\*|^[-#>] *", "", quote)


def _section(document: Document, block: Block) -> str | None:
    above = [b for b in document.blocks if b.kind == "heading" and b.start < block.start]
    return document.text[above[-1].start : above[-1].end].lstrip("# ") if above else None


def _page(document: Document, block: Block) -> int | None:
    return next((p.number for p in document.pages if p.start <= block.start < p.end), None)


def _citation(n: int, document: Document, block: Block) -> Citation:
    return Citation(
        n, document.id, document.title, _section(document, block), _page(document, block),
        block.start, block.end, document.text[block.start : block.end], document.sha256,
    )  # fmt: skip


def _passage(score: float, document: Document, block: Block) -> Passage:
    return Passage(
        document.id, document.title, _section(document, block), _page(document, block),
        block.start, block.end, document.text[block.start : block.end], score,
    )  # fmt: skip


def _chunk(document: Document, block: Block) -> Chunk:
    text = document.text[block.start : block.end]
    headings = tuple(filter(None, [_section(document, block)]))
    return Chunk(
        document.id, block.start, block.end, text, document.title, headings, None,
        (Sentence(block.start, block.end),), text,
    )  # fmt: skip
