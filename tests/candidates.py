"""Passages and scored sentences made by hand, of which an answer is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.answering.evidence import Candidate, Evidence
from rag.types import Chunk, Hit, Scores, Sentence

if TYPE_CHECKING:
    from rag.answering.questions import Kind
    from rag.types import BlockKind


def passage(*sentences: tuple[BlockKind, str], document: str = "a.txt", rank: int = 1) -> Hit:
    """A hit whose chunk is made of these sentences.

    Its first row is the header of the others, "…:" leads in to the entries that follow, and these
    have signs in front of them.
    """
    text, spans = "", []
    leads: dict[str, tuple[int, int]] = {}
    for kind, sentence in sentences:
        text += " - " if kind == "item" else " " if text else ""
        span = (len(text), len(text) + len(sentence))
        spans.append(Sentence(*span, kind, leads.get(kind)))
        text += sentence
        if kind == "row":
            leads.setdefault("row", span)
        elif kind == "paragraph":
            leads.pop("item", None)
            if sentence.endswith(":"):
                leads["item"] = span
    chunk = Chunk(document, 0, len(text), text, "T", (), None, tuple(spans), text)
    return Hit(rank, rank, chunk, Scores(0.5, 0.5, 1.0, 2.0))


def blocks(*paragraphs: tuple[str, ...], headings: tuple[str, ...] = ()) -> Hit:
    """A hit whose chunk is made of these paragraphs, each of its sentences, with blank lines."""
    text, spans = "", []
    for paragraph in paragraphs:
        text += "\n\n" if text else ""
        for number, sentence in enumerate(paragraph):
            text += " " if number else ""
            spans.append(Sentence(len(text), len(text) + len(sentence), "paragraph", None))
            text += sentence
    chunk = Chunk("a.txt", 0, len(text), text, "T", headings, None, tuple(spans), text)
    return Hit(1, 1, chunk, Scores(0.5, 0.5, 1.0, 2.0))


def evidence(kind: Kind, *scored: tuple[Hit, int, float]) -> Evidence:
    """Candidates with these scores: hit, number of the sentence in it, score."""
    candidates = [
        Candidate(hit, at, sentence_of(hit, at), score, score, 0.0, score)
        for hit, at, score in scored
    ]
    candidates.sort(key=lambda candidate: -candidate.score)
    return Evidence(
        kind=kind,
        candidates=tuple(candidates),
        passage_coverage={1: 0.5, 2: 0.5},
        missing=0.0,
    )


def sentence_of(hit: Hit, at: int) -> str:
    span = hit.chunk.sentences[at]
    return hit.chunk.text[span.start : span.end]
