"""An HTML page about the questions that went wrong: one self-contained file, no scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from rag.evaluation.engine import Engine, Progress, silent
from rag.evaluation.metrics import Judgement, hits, locate
from rag.types import Citation, Hit, Passage, Scores

if TYPE_CHECKING:
    from rag.evaluation.datasets import Gold

DEPTH = 100
Ranks = Mapping[str, int | None]


@dataclass(frozen=True)
class Miss:
    """A question that went wrong.

    Attributes:
        judgement: what was asked, answered and measured.
        ranks: for each gold entry, its rank at each stage (see `gold_ranks`).
        depth: how many hits were looked through.
    """

    judgement: Judgement
    ranks: Mapping[Gold, Ranks]
    depth: int


def find_misses(
    engine: Engine,
    judgements: Sequence[Judgement],
    depth: int = DEPTH,
    progress: Progress = silent,
) -> tuple[Miss, ...]:
    """The misses among `judgements`, each with where its evidence ranked."""
    missed = [judgement for judgement in judgements if judgement.missed]
    found = []
    for judgement in progress(missed, "misses"):
        question = judgement.question
        retrieved = engine.retrieve(question.question, depth, history=question.history)
        ranks = {gold: gold_ranks(engine, gold, retrieved) for gold in question.gold}
        found.append(Miss(judgement, ranks, depth))
    return tuple(found)


def gold_ranks(engine: Engine, gold: Gold, retrieved: Sequence[Hit]) -> dict[str, int | None]:
    """Where the first hit that holds the evidence stands, from 1, at each stage of retrieval.

    "final" is the order of the hits; the others order the same hits by one of their scores. A
    rank is None if no hit holds the evidence, that is, shares at least half of the shorter one.
    """
    spans = locate(gold, engine.text)
    holding = [
        hit.chunk.document == gold.document
        and any(hits((hit.chunk.start, hit.chunk.end), span) for span in spans)
        for hit in retrieved
    ]
    ranks = {"final": _first(holding, range(len(retrieved)))}
    for stage in fields(Scores):
        scores = np.array([getattr(hit.scores, stage.name) for hit in retrieved], dtype=float)
        if np.isfinite(scores).all():
            ranks[stage.name] = _first(holding, np.argsort(-scores, kind="stable").tolist())
    return ranks


def _first(holding: Sequence[bool], order: Sequence[int]) -> int | None:
    return next((rank for rank, at in enumerate(order, start=1) if holding[at]), None)


def misses_page(title: str, summary: str, misses: Sequence[Miss], questions: int) -> str:
    """The page.

    Args:
        title: what was evaluated.
        summary: the tables, as text.
        misses: what went wrong.
        questions: how many were asked.
    """
    false_answers = [miss for miss in misses if not miss.judgement.question.answerable]
    abstained = [
        miss
        for miss in misses
        if miss.judgement.question.answerable and miss.judgement.answer.abstained
    ]
    others = [miss for miss in misses if miss not in false_answers and miss not in abstained]
    sections = "".join(
        _section(heading, chosen)
        for heading, chosen in (
            ("Answered, but not fully or not correctly", others),
            ("Abstained, though there is an answer", abstained),
            ("Answered, though there is no answer", false_answers),
        )
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n<p>{len(misses)} misses among {questions} questions.</p>\n"
        f"<details><summary>Figures</summary><pre>{escape(summary)}</pre></details>\n"
        f"{sections}</body>\n</html>\n"
    )


def _section(heading: str, misses: Sequence[Miss]) -> str:
    if not misses:
        return ""
    body = "".join(_article(miss) for miss in misses)
    return f"<section>\n<h2>{escape(heading)} ({len(misses)})</h2>\n{body}</section>\n"


def _article(miss: Miss) -> str:
    question, answer = miss.judgement.question, miss.judgement.answer
    facts = [question.id, question.kind or "", f"confidence {answer.confidence:.3f}"]
    facts += [
        f"{name.replace('_', ' ')} {miss.judgement.values[name]:.2f}"
        for name in ("evidence_recall", "correct", "precision")
        if name in miss.judgement.values
    ]
    parts = [
        f"<h3>{escape(question.question)}</h3>\n",
        f'<p class="facts">{escape(" · ".join(filter(None, facts)))}</p>\n',
    ]
    if question.history:
        turns = "".join(
            f"<li><b>{escape(turn['role'])}</b> {escape(turn['content'])}</li>"
            for turn in question.history
        )
        parts.append(f"<ol class=history>{turns}</ol>\n")
        parts.append(f"<p>Understood as: {escape(answer.standalone_question)}</p>\n")
    if question.answer:
        parts.append(f"<p>Expected: {escape(question.answer)}</p>\n")
    parts += [_evidence(miss), _cited(answer.citations, answer.nearest)]
    return f"<article>\n{''.join(parts)}</article>\n"


def _evidence(miss: Miss) -> str:
    if not miss.ranks:
        return ""
    stages = list(next(iter(miss.ranks.values())))
    head = "".join(f"<th>{escape(stage)}</th>" for stage in stages)
    rows = []
    groups = zip(miss.judgement.question.evidence_groups(), miss.judgement.groups_hit, strict=True)
    for number, (group, hit) in enumerate(groups, start=1):
        for gold in group:
            cells = "".join(
                f"<td>{rank if rank is not None else f'&gt; {miss.depth}'}</td>"
                for rank in (miss.ranks[gold].get(stage) for stage in stages)
            )
            absent = gold in miss.judgement.unlocated
            note = " <em>(not in the indexed text)</em>" if absent else ""
            rows.append(
                f"<tr><td>{number}</td><td>{'yes' if hit else 'no'}</td>"
                f"<td><q>{escape(gold.evidence)}</q> <small>{escape(gold.document)}</small>"
                f"{note}</td>{cells}</tr>\n"
            )
    return (
        "<table>\n<caption>Expected evidence, and its rank at each stage; rows with one number "
        f"are alternatives</caption>\n<tr><th>#</th><th>hit</th><th>evidence</th>{head}</tr>\n"
        f"{''.join(rows)}</table>\n"
    )


def _cited(citations: Sequence[Citation], nearest: Sequence[Passage]) -> str:
    if citations:
        caption = "Cited"
        items = [(each.quote, each.document, each.start, each.end) for each in citations]
    else:
        caption = "Abstained; the nearest passages"
        items = [(each.text, each.document, each.start, each.end) for each in nearest]
    listed = "".join(
        f"<li><q>{escape(text)}</q> <small>{escape(document)} [{start}, {end})</small></li>\n"
        for text, document, start, end in items
    )
    return f"<p>{caption}:</p>\n<ol>\n{listed}</ol>\n"


_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid #8888; padding: .5rem 0 1rem; }
h3 { margin: .5rem 0 0; }
.facts, small, caption { color: GrayText; }
q { white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; }
th, td { border: 1px solid #8886; padding: .2rem .5rem; text-align: left; vertical-align: top; }
pre { overflow-x: auto; }
"""
