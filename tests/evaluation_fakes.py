"""Small stand-ins for an index, so that every figure of an evaluation can be worked out by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.answering.evidence import Candidate, Evidence
from rag.errors import DocumentNotFound
from rag.evaluation.datasets import Gold, Question
from rag.types import Answer, Chunk, Citation, Hit, Scores, Sentence, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


def cite(text: str, quote: str, document: str = "a.md", n: int = 1) -> Citation:
    start = text.index(quote)
    return Citation(n, document, "Title", None, None, start, start + len(quote), quote, "0" * 64)


def answer(*citations: Citation, confidence: float = 0.5, took_ms: float = 10.0) -> Answer:
    """An answer made of the citations; an abstention if there are none."""
    return Answer(
        question="?",
        standalone_question="?",
        abstained=not citations,
        confidence=confidence,
        text=" ".join(citation.quote for citation in citations),
        citations=citations,
        nearest=(),
        generation="g",
        took_ms=took_ms,
    )


def question(
    *gold: Gold,
    identifier: str = "q1",
    answerable: bool = True,
    must: Sequence[Sequence[str]] = (),
    history: tuple[Turn, ...] = (),
    kind: str | None = None,
) -> Question:
    return Question(
        id=identifier,
        kind=kind,
        question=f"What about {identifier}?",
        history=history,
        answerable=answerable,
        gold=gold,
        answer="",
        must_contain=tuple(tuple(group) for group in must),
    )


def hit(rank: int, document: str, text: str, start: int = 0, **scores: float) -> Hit:
    chunk = Chunk(document, start, start + len(text), text, "T", (), None, (), text)
    values = {"dense": 0.0, "sentence": 0.0, "lexical": 0.0, "fused": -float(rank)} | scores
    return Hit(rank, rank, chunk, Scores(**values))


def read(*sentences: tuple[str, str, int, float], by_reader: bool = True) -> Evidence:
    """What was read of one part: document, sentence, its start, and what the reader says of it.

    They are best first in the order given.
    """
    candidates = []
    for rank, (document, text, start, logit) in enumerate(sentences, start=1):
        span = Sentence(start, start + len(text))
        chunk = Chunk(document, start, span.end, text, "T", (), None, (span,), text)
        own = Hit(rank, rank, chunk, Scores(0.0, 0.0, 0.0, 0.0))
        candidates.append(Candidate(own, 0, text, 0.0, 0.0, logit, -float(rank)))
    return Evidence(kind="other", candidates=tuple(candidates), read=by_reader)


@dataclass
class FakeEngine:
    """Answers, hits and sentences that the test decides; what it was asked is kept.

    Attributes:
        texts: document → text.
        answers: question → answer.
        hits: question → hits.
        sentences: question → what was read for each of its parts.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    hits: Mapping[str, Sequence[Hit]] = field(default_factory=dict)
    sentences: Mapping[str, Sequence[Evidence]] = field(default_factory=dict)
    asked: list[tuple[str, int, Sequence[Turn]]] = field(default_factory=list)

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        self.asked.append((question, 0, history))
        return self.answers[question]

    def retrieve(self, question: str, k: int, history: Sequence[Turn] = ()) -> Sequence[Hit]:
        self.asked.append((question, k, history))
        return self.hits.get(question, ())[:k]

    def evidence(self, question: str, history: Sequence[Turn] = ()) -> Sequence[Evidence]:
        return self.sentences.get(question, ())

    def text(self, document: str) -> str:
        try:
            return self.texts[document]
        except KeyError:
            raise DocumentNotFound(document) from None


@dataclass
class WordIndex:
    """Ranks the lines of a folder's documents by how many words they share with the question."""

    folder: Path
    ignored: frozenset[str] = frozenset()

    def retrieve(self, question: str, k: int, history: Sequence[Turn] = ()) -> Sequence[Hit]:
        asked = set(" ".join([question, *(turn["content"] for turn in history)]).split())
        found = []
        for path in sorted(self.folder.rglob("passage.*")):
            document = path.relative_to(self.folder).as_posix()
            for line in path.read_text(encoding="utf-8").split("\n"):
                shared = len((asked - self.ignored) & set(line.split()))
                found.append((-shared, document, line))
        return [
            hit(rank, document, line, fused=-score)
            for rank, (score, document, line) in enumerate(sorted(found)[:k], start=1)
        ]


def write_jsonl(path: Path, rows: Iterable[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_beir(
    folder: Path,
    passages: Mapping[str, str],
    queries: Mapping[str, str],
    qrels: Iterable[tuple[str, str, int]],
    histories: Mapping[str, list[Turn]] | None = None,
) -> Path:
    (folder / "qrels").mkdir(parents=True)
    write_jsonl(
        folder / "corpus.jsonl",
        ({"_id": key, "title": "", "text": text} for key, text in passages.items()),
    )
    write_jsonl(
        folder / "queries.jsonl",
        (
            {"_id": key, "text": text, "history": (histories or {}).get(key)}
            for key, text in queries.items()
        ),
    )
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in qrels)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
