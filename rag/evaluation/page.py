"""The report of an evaluation as one HTML page: self-contained, no scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from rag.evaluation.misses import CAUSES, Miss, count_causes

if TYPE_CHECKING:
    from rag.evaluation.reliability import Reliability
    from rag.types import Citation, Passage

_STAGES: Mapping[str, str] = {
    "dense": "embedding",
    "sentence": "best sentence",
    "lexical": "BM25",
    "fused": "fused",
    "reader": "reader",
    "score": "score",
}


def report_page(
    title: str,
    summary: str,
    misses: Sequence[Miss],
    questions: int,
    reliability: Reliability | None = None,
) -> str:
    """The page.

    Args:
        title: what was evaluated.
        summary: the tables, as text.
        misses: what went wrong.
        questions: how many were asked.
        reliability: drawn if given.
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
        f"{_causes(misses)}{_plots(reliability)}"
        f"<details><summary>Figures</summary><pre>{escape(summary)}</pre></details>\n"
        f"{sections}</body>\n</html>\n"
    )


def _causes(misses: Sequence[Miss]) -> str:
    if not misses:
        return ""
    rows = "".join(
        f'<tr><td><span class="cause">{escape(name)}</span></td><td class="number">{count}</td>'
        f"<td>{escape(CAUSES[name])}</td></tr>\n"
        for name, count in count_causes(misses).items()
        if count
    )
    return (
        "<table>\n<caption>Where they went wrong, in the order of the pipeline</caption>\n"
        f"<tr><th>lost at</th><th>misses</th><th>meaning</th></tr>\n{rows}</table>\n"
    )


def _plots(reliability: Reliability | None) -> str:
    if reliability is None:
        return ""
    return (
        '<div class="plots">\n'
        f"<figure>{reliability.diagram()}<figcaption>Reliability: on the dashed line a confidence "
        "means what it says. Abstentions were answered too; the numbers count questions."
        "</figcaption></figure>\n"
        f"<figure>{reliability.risk_coverage_plot()}<figcaption>Risk and coverage: what share is "
        "wrong if only the surest questions are answered.</figcaption></figure>\n</div>\n"
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
        f'<p class="facts"><span class="cause">{escape(miss.cause)}</span> '
        f"{escape(' · '.join(filter(None, facts)))}</p>\n",
    ]
    if question.history:
        turns = "".join(
            f"<li><b>{escape(turn['role'])}</b> {escape(turn['content'])}</li>"
            for turn in question.history
        )
        parts.append(f'<ol class="history">{turns}</ol>\n')
        parts.append(f"<p>Understood as: {escape(answer.standalone_question)}</p>\n")
    if question.answer:
        parts.append(f"<p>Expected: {escape(question.answer)}</p>\n")
    if question.must_contain:
        wanted = " and ".join(
            " or ".join(f"<q>{escape(option)}</q>" for option in group)
            for group in question.must_contain
        )
        parts.append(f"<p>Must contain: {wanted}</p>\n")
    parts += [_evidence(miss), _cited(answer.citations, answer.nearest)]
    return f"<article>\n{''.join(parts)}</article>\n"


def _evidence(miss: Miss) -> str:
    if not miss.ranks:
        return ""
    stages = list(next(iter(miss.ranks.values())))
    head = "".join(f"<th>{escape(_STAGES.get(stage, stage))}</th>" for stage in stages)
    rows = []
    groups = zip(miss.judgement.question.evidence_groups(), miss.judgement.groups_hit, strict=True)
    for number, (group, hit) in enumerate(groups, start=1):
        for gold in group:
            cells = "".join(
                f'<td class="number">{_rank(stage, miss.ranks[gold].get(stage), miss.depth)}</td>'
                for stage in stages
            )
            absent = gold in miss.judgement.unlocated
            note = " <em>(not in the indexed text)</em>" if absent else ""
            rows.append(
                f"<tr><td>{number}</td><td>{'yes' if hit else 'no'}</td>"
                f"<td><q>{escape(gold.evidence)}</q> <small>{escape(gold.document)}</small>"
                f"{note}</td>{cells}</tr>\n"
            )
    passages = sum(stage not in ("reader", "score") for stage in stages)
    return (
        "<table>\n<caption>Expected evidence, and its rank at each stage; rows with one number "
        "are alternatives</caption>\n"
        f'<tr><th colspan="3"></th><th colspan="{passages}">passages by</th>'
        f'<th colspan="{len(stages) - passages}">sentences by</th></tr>\n'
        f"<tr><th>#</th><th>cited</th><th>evidence</th>{head}</tr>\n{''.join(rows)}</table>\n"
    )


def _rank(stage: str, rank: int | None, depth: int) -> str:
    if rank is not None:
        return str(rank)
    return "not read" if stage in ("reader", "score") else f"&gt; {depth}"


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
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --mark: #c4572e; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
article { border: 1px solid var(--line); border-radius: .5rem; margin: 1rem 0;
  padding: .75rem 1rem; overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; }
h3 { margin: 0; font-size: 1.1rem; }
p { margin: .4rem 0; }
.facts, small, caption, figcaption { color: light-dark(#595f69, #a9b0bb); }
.cause { border: 1px solid var(--mark); color: var(--mark); border-radius: .25rem;
  padding: 0 .4em; font-size: .85em; white-space: nowrap; }
.history { list-style: none; margin: .5rem 0; padding: .25rem .75rem;
  border-left: 3px solid var(--line); }
q { white-space: pre-line; }
table { border-collapse: collapse; margin: .5rem 0; width: 100%; font-size: .9rem; }
caption { text-align: left; padding-bottom: .25rem; }
th, td { border: 1px solid var(--line); padding: .2rem .5rem; text-align: left;
  vertical-align: top; overflow-wrap: break-word; }
th { background: var(--soft); font-weight: 600; }
.number { text-align: right; white-space: nowrap; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.5rem 0; }
figure { flex: 1 1 22rem; margin: 0; }
figcaption { font-size: .85rem; }
details { margin: 1rem 0; }
pre { overflow-x: auto; font-size: .8rem; }
"""
