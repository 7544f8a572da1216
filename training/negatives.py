"""Passages and questions that look right and are not: near misses to learn refusal from."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import bm25s
import Stemmer

from training.data import Row, by_title

log = logging.getLogger(__name__)

MINED = ("squad1_train", "qed", "h2oevals", "doc2dial", "selqa")
SWAPPED = ("squad1_train", "selqa", "h2oevals")
MINED_QUESTIONS = 8000
"""For how many questions of a source negatives are looked for, of either kind."""

# A year, an amount, or a name inside the question (not its first word).
_DETAIL = re.compile(r"(?<=\s)(?:\d[\d,.]*\d|\d+|[A-Z][\w'-]+(?:\s[A-Z][\w'-]+)*)")


def _other_detail(row: Row, same_title: Sequence[Row], rng: random.Random) -> str | None:
    """Exchange a number or name that this question and its passage share for another one.

    Returns:
        A question that the passage does not answer (its premise is false), or None if there is no
        such detail.
    """
    passage = row.text.lower()
    shared = [m for m in _DETAIL.finditer(row.question) if m.group().lower() in passage]
    if not shared:
        return None
    old = rng.choice(shared)
    for _ in range(4):
        donor = rng.choice(same_title)
        for new in _DETAIL.finditer(donor.question):
            alike = new.group()[0].isdigit() == old.group()[0].isdigit()
            if alike and new.group().lower() not in passage:
                return row.question[: old.start()] + new.group() + row.question[old.end() :]
    return None


def mine(rows: Sequence[Row], questions: int, depth: int, rng: random.Random) -> list[Row]:
    """Find passages of other titles that BM25 ranks high and that lack every answer.

    Args:
        rows: rows of one source.
        questions: for how many questions to look.
        depth: how many of the best passages to look at; two of those that qualify are kept.
        rng: draws the questions.

    Returns:
        Unanswerable rows, two a question at most.
    """
    passages = list({row.text: row for row in rows}.values())
    stemmer = Stemmer.Stemmer("english")
    index = bm25s.BM25()
    texts = [f"{p.title} {p.heading} {p.text}" for p in passages]
    index.index(
        bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False),
        show_progress=False,
    )
    asked = [row for row in rows if row.answers]
    asked = rng.sample(asked, min(questions, len(asked)))
    queries = bm25s.tokenize(
        [r.question for r in asked], stopwords="en", stemmer=stemmer, show_progress=False
    )
    found, _ = index.retrieve(queries, k=min(depth, len(passages)), show_progress=False)
    mined: list[Row] = []
    for row, best in zip(asked, found, strict=True):
        answers = [row.text[a:b].lower() for a, b in row.answers]
        wrong = [
            p
            for p in (passages[i] for i in best)
            if p.title != row.title and not any(answer in p.text.lower() for answer in answers)
        ]
        mined.extend(
            replace(p, id=f"{row.id}:mined", question=row.question, history=row.history, answers=())
            for p in rng.sample(wrong, min(2, len(wrong)))
        )
    log.info("%s: %d negatives mined for %d questions", rows[0].source, len(mined), len(asked))
    return mined


def swap_details(rows: Sequence[Row], count: int, rng: random.Random) -> list[Row]:
    """Make up to ``count`` unanswerable rows of one source by exchanging a number or a name."""
    titles = by_title({rows[0].source: rows})
    asked = [row for row in rows if row.answers]
    swapped = []
    for row in rng.sample(asked, len(asked)):
        question = _other_detail(row, titles[row.source, row.title], rng)
        if question:
            swapped.append(replace(row, id=f"{row.id}:swapped", question=question, answers=()))
        if len(swapped) == count:
            break
    log.info("%s: %d questions with a false premise", rows[0].source, len(swapped))
    return swapped


def hard_negatives(
    rows: Mapping[str, Sequence[Row]], seed: int, questions: int = MINED_QUESTIONS
) -> dict[str, list[Row]]:
    """Mine and make negatives for those sources whose other titles cannot answer the same question.

    Args:
        rows: training rows by source.
        seed: decides which questions are taken.
        questions: for how many of each source.

    Returns:
        Rows under the names ``<source>:mined`` and ``<source>:swapped``.
    """
    made = {}
    for source in MINED:
        if source in rows:
            made[f"{source}:mined"] = mine(
                rows[source], questions, 8, random.Random(f"{seed} mine {source}")
            )
    for source in SWAPPED:
        if source in rows:
            made[f"{source}:swapped"] = swap_details(
                rows[source], questions, random.Random(f"{seed} swap {source}")
            )
    return made
