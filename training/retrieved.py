"""Plain retrieval over a Markdown corpus, so that every checkpoint reads the same passages."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import Stemmer
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from training.augment import standalone
from training.data import heading_path
from training.judge import Passage, Retrieved
from training.model import encoder_folder
from training.sentences import sentence_spans

PASSAGE_WORDS = 150
DENSE_WEIGHT = 0.6

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_TITLE = re.compile(r"^title:\s*[\"']?(.*?)[\"']?\s*$", re.MULTILINE)
_HEADING = re.compile(r"^(#{1,6})\s+(.*)$")
_ITEM = re.compile(r"^\s*([-*+]|\d+[.)])\s+|^\s*\|")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    letters: tuple[int, int]
    """Where its letters and digits lie among those of the document."""


@dataclass(frozen=True, slots=True)
class _Section:
    document: str
    heading: str
    sentences: tuple[_Sentence, ...]

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)


def _letters(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _plain(markdown: str) -> str:
    return re.sub(r"[*`]+|<[^>]+>", "", _LINK.sub(r"\1", markdown)).strip()


def _blocks(text: str) -> list[str]:
    """Lines joined to paragraphs; list items, table rows and headings stay apart."""
    blocks: list[str] = []
    fresh = True
    for line in text.split("\n"):
        if not line.strip():
            fresh = True
        elif fresh or _ITEM.match(line) or _HEADING.match(line):
            blocks.append(line.strip())
            fresh = bool(_HEADING.match(line))
        else:
            blocks[-1] += " " + line.strip()
    return blocks


def _sections(document: str, text: str) -> tuple[list[_Section], str]:
    """Passages of about 150 words that do not cross a heading, and the document's letters."""
    front = _FRONT_MATTER.match(text)
    title_line = _TITLE.search(front.group(1)) if front else None
    title = title_line.group(1) if title_line else ""
    body = text[front.end() :] if front else text
    path: list[str] = []
    letters = ""
    sections: list[_Section] = []
    current: list[_Sentence] = []

    def close() -> None:
        if current:
            sections.append(
                _Section(document, heading_path(title, " > ".join(path)), tuple(current))
            )
            current.clear()

    for block in _blocks(body):
        heading = _HEADING.match(block)
        if heading:
            close()
            path[len(heading.group(1)) - 1 :] = [_plain(heading.group(2))]
            letters += _letters(block)
            continue
        for a, b in sentence_spans(block):
            own = _letters(block[a:b])
            current.append(_Sentence(_plain(block[a:b]), (len(letters), len(letters) + len(own))))
            letters += own
        if sum(len(s.text.split()) for s in current) >= PASSAGE_WORDS:
            close()
    close()
    return sections, letters


def _evidence(letters: str, evidence: str) -> tuple[int, int] | None:
    wanted = _letters(evidence)
    at = letters.find(wanted)
    return (at, at + len(wanted)) if at >= 0 else None


def _z(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((scores - scores.mean()) / (scores.std() + 1e-9), dtype=np.float32)


def _touches(span: tuple[int, int], golds: Sequence[tuple[int, int]]) -> bool:
    """Overlap by at least half of the shorter, as an evidence hit is defined in the contract."""
    a, b = span
    return any(2 * (min(b, d) - max(a, c)) >= min(b - a, d - c) > 0 for c, d in golds)


def retrieve(corpus: Path, questions: Path, count: int = 10) -> list[Retrieved]:
    """Find the best ``count`` passages of each question: z-normalised cosine (.6) and BM25 (.4)."""
    sections: list[_Section] = []
    documents: dict[str, str] = {}
    for path in sorted(corpus.rglob("*.md")):
        document = path.relative_to(corpus).as_posix()
        found, documents[document] = _sections(document, path.read_text(encoding="utf-8"))
        sections += found
    texts = [f"{s.heading}. {s.text}" for s in sections]
    raw: list[dict[str, Any]] = [
        json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines()
    ]
    asked = [
        standalone(
            q["question"],
            [t["content"] for t in q.get("history") or () if t["role"] == "user"][-1:],
        )
        for q in raw
    ]
    model = SentenceTransformer(str(encoder_folder()), device="cpu")
    dense = (
        model.encode(asked, normalize_embeddings=True)
        @ model.encode(texts, normalize_embeddings=True).T
    )
    stemmer = Stemmer.Stemmer("english")
    lexical = bm25s.BM25()
    lexical.index(
        bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False),
        show_progress=False,
    )
    result = []
    for q, text, similarity in zip(raw, asked, dense, strict=True):
        words = bm25s.tokenize(
            text, stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False
        )[0]
        scores = DENSE_WEIGHT * _z(similarity) + (1 - DENSE_WEIGHT) * _z(lexical.get_scores(words))
        golds: dict[str, list[tuple[int, int]]] = {}
        for gold in q.get("gold") or ():
            span = _evidence(documents[gold["doc"]], gold["evidence"])
            if span:
                golds.setdefault(gold["doc"], []).append(span)
        passages = []
        for i in np.argsort(-scores, kind="stable")[:count]:
            section = sections[i]
            passages.append(
                Passage(
                    heading=section.heading,
                    sentences=tuple(s.text for s in section.sentences),
                    gold=tuple(
                        _touches(s.letters, golds.get(section.document, ()))
                        for s in section.sentences
                    ),
                    score=float(scores[i]),
                )
            )
        result.append(
            Retrieved(q["id"], q.get("kind", ""), text, bool(q["answerable"]), tuple(passages))
        )
    return result


def write_retrieved(questions: Sequence[Retrieved], path: Path) -> None:
    """Write one JSON line a question."""
    path.write_text("".join(json.dumps(asdict(q)) + "\n" for q in questions), encoding="utf-8")
