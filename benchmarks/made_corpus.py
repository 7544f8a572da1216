"""What is measured on: a made corpus of any size, real documents, and questions.

The made corpus is recombined at run time, from a seed, of the sentences of the bundled corpus and
of the shared evaluation data. Nothing of it is kept outside `.bench/`. A script that uses questions
or the made corpus begins with `need_shared`.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from environments import BENCH, ROOT, say

from rag.encoders import load_encoder
from rag.text.sentences import split_sentences

SHARED = Path(os.environ.get("RAG_SHARED") or ROOT.parent / "shared")
HANDBOOK = SHARED / "eval" / "handbook18f"
RETRIEVAL = ("xquad", "mtragun")
SECTIONS = 10
"""Passages a document."""
TOKENS = 155
"""A passage ends before it is longer: about 120 words, one chunk with title and heading."""
_PLAIN = re.compile(r"[A-Z][^#*|<>\[\]`_]+[.?!]")


def need_shared() -> None:
    """End with one line where the shared evaluation sets are not there."""
    for path in (HANDBOOK, *(SHARED / "eval" / name for name in RETRIEVAL)):
        if not path.is_dir():
            sys.exit(
                f"there is no {path}: the evaluation sets are not part of this project; RAG_SHARED "
                "names the folder that they are in (see benchmarks/README.md)"
            )


def made_corpus(passages: int) -> Path:
    """A folder of documents that are cut into `passages` chunks; made once."""
    folder = BENCH / f"corpus-{passages}"
    if folder.exists():
        return folder
    say(f"making a corpus of {passages:,} passages")
    pool = sorted(set(real_sentences()))
    tokens = load_encoder("default").count_tokens(pool)
    known = dict(zip(pool, tokens, strict=True))
    chance = random.Random(7)
    scratch = folder.with_suffix(".new")
    shutil.rmtree(scratch, ignore_errors=True)
    for number in range(passages // SECTIONS):
        sections = [_section(pool, known, chance) for _ in range(SECTIONS)]
        path = scratch / f"{number // 100:03d}" / f"{number:05d}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {_heading(pool, chance)}\n\n" + "\n\n".join(sections) + "\n", "utf-8")
    scratch.rename(folder)
    return folder


def real_documents(share: int) -> Path:
    """Every `share`-th document of the handbook, or the bundled corpus where that is not there."""
    if not HANDBOOK.exists():
        return ROOT / "corpus"
    folder = BENCH / f"documents-{share}"
    if not folder.exists():
        paths = sorted((HANDBOOK / "corpus").rglob("*.md"))
        for path in paths[::share]:
            target = folder / path.relative_to(HANDBOOK / "corpus")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder


def answering_corpus() -> Path:
    """A folder with the texts that `questions` are about; made once."""
    folder = BENCH / "corpus-answering"
    if not folder.exists():
        scratch = folder.with_suffix(".new")
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(HANDBOOK / "corpus", scratch / "handbook")
        articles: dict[str, list[str]] = {}
        for row in _rows(SHARED / "eval/xquad/corpus.jsonl"):
            articles.setdefault(row["title"], []).append(row["text"])
        (scratch / "articles").mkdir()
        for number, (title, texts) in enumerate(articles.items()):
            path = scratch / "articles" / f"{number:02d}.md"
            path.write_text("\n\n".join([f"# {title}", *texts]) + "\n", "utf-8")
        scratch.rename(folder)
    return folder


def questions(count: int) -> list[str]:
    """Questions of the evaluation sets that stand alone, in an order of chance."""
    rows = [*_rows(HANDBOOK / "questions.jsonl"), *_rows(SHARED / "eval/xquad/queries.jsonl")]
    texts = [row.get("question") or row["text"] for row in rows if not row.get("history")]
    random.Random(7).shuffle(texts)
    return (texts * (count // len(texts) + 1))[:count]


def _rows(path: Path) -> list[dict[str, str]]:
    return list(map(json.loads, path.read_text("utf-8").splitlines()))


def real_sentences() -> Iterator[str]:
    """Plain sentences of the bundled corpus and of the shared data."""
    texts = [
        path.read_text("utf-8")
        for folder in (ROOT / "corpus", HANDBOOK / "corpus")
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".md", ".txt"}
    ]
    texts += [
        row["text"] for name in RETRIEVAL for row in _rows(SHARED / "eval" / name / "corpus.jsonl")
    ]
    for text in texts:
        for block in re.split(r"\n\s*\n", text):
            for start, end in split_sentences(block):
                sentence = " ".join(block[start:end].split())
                if 5 <= len(sentence.split()) <= 40 and _PLAIN.fullmatch(sentence):
                    yield sentence


def _section(pool: Sequence[str], tokens: dict[str, int], chance: random.Random) -> str:
    chosen: list[str] = []
    length = 0
    while True:
        sentence = chance.choice(pool)
        length += tokens[sentence] - 2
        if length > TOKENS:
            return f"## {_heading(pool, chance)}\n\n{' '.join(chosen)}"
        chosen.append(sentence)


def _heading(pool: Sequence[str], chance: random.Random) -> str:
    return " ".join(chance.choice(pool).split()[:4]).rstrip(".,;:?!")
