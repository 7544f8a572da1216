"""Answers, abstentions and lists as HTML. Text from outside only enters through `Markup.format`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from markupsafe import Markup

from rag.answering.caveats import caveats
from rag.answering.conflicts import Conflict
from rag.catalogue.versions import Version, age
from rag.chat import pedigree
from rag.chat.pedigree import Searched
from rag.chat.quoted import Quoted, cells, depths, groups, width
from rag.text import wording
from rag.text.markup import plain_text
from rag.types import Answer, Citation, Document, Passage

NEAREST = 3
_EMPTY = Markup("")
_MAX_SNIPPET = 320
_MAX_END = 24
"""Characters of a last word that stays whole; without spaces, as in Chinese, a sentence is one."""
_COPY = Markup(
    '<button type="button" class="tool" data-do="copy-answer"><span>Copy answer</span></button>'
)


def answer_html(
    answer: Answer,
    documents: Mapping[str, Document],
    searched: Searched,
    families: Mapping[str, Sequence[Version]],
    conflicts: Sequence[Conflict] = (),
) -> Markup:
    """One answer or abstention.

    Args:
        answer: what the engine said.
        documents: the cited ones, by id; one that is missing costs its date, nothing else.
        searched: what was searched.
        families: the documents that have other versions, see `rag.catalogue.versions.families`.
        conflicts: what other documents say instead.
    """
    if answer.abstained:
        return _abstention(answer, searched)
    found = caveats(answer, documents, families)
    against = [f"{one.other.title} says “{one.theirs}”" for one in conflicts]
    against += [f"{words}{other.title}" for _, words, other in found if other]
    return Markup(
        '{unknown}<div class="answer-text">{text}</div>'
        '<ol class="sources" role="list">{sources}</ol>{notes}'
        '<div class="after">{pedigree}<div class="tools">{tools}</div></div>'
    ).format(
        text=_text(groups(answer, documents), families),
        unknown=_unknown(answer),
        sources=_sources(answer.citations, documents),
        notes=pedigree.notes_html(answer, found, conflicts, documents, families),
        pedigree=pedigree.pedigree_html(answer, searched, against),
        tools=_COPY,
    )


def citation_label(citation: Citation) -> str:
    """What a citation's number is called by a screen reader."""
    where = wording.place(citation)
    return f"Citation {citation.n}: {citation.title}{', ' + where if where else ''}"


def questions_html(questions: Sequence[str]) -> Markup:
    """Questions that are asked at a click."""
    return _EMPTY.join(
        Markup(
            '<li><button type="button" class="suggestion" data-ask="{0}">{0}</button></li>'
        ).format(question)
        for question in questions
    )


def topics_html(topics: Sequence[tuple[str, str]]) -> Markup:
    """Topics, each with the question that a click on it asks."""
    return _EMPTY.join(
        Markup(
            '<li><button type="button" class="chip" data-ask="{0}" title="{0}">{1}</button></li>'
        ).format(question, topic)
        for topic, question in topics
    )


def _text(found: Sequence[Sequence[Quoted]], families: Mapping[str, Sequence[Version]]) -> Markup:
    """Groups of sentences; those of an older version stand under its age."""
    parts: list[Markup] = []
    for document, run in groupby(found, key=lambda group: group[0].citation.document):
        shown = _EMPTY.join(_group(group) for group in run)
        if said := age(document, families):
            shown = Markup('<div class="older"><p class="age">{}</p>{}</div>').format(said, shown)
        parts.append(shown)
    return _EMPTY.join(parts)


def _unknown(answer: Answer) -> Markup:
    said = answer.remark
    return Markup('<p class="unknown">{}</p>').format(said) if said else _EMPTY


def _group(quoted: Sequence[Quoted]) -> Markup:
    kind = quoted[0].kind
    if kind == "row":
        columns = width(quoted)
        rows = _EMPTY.join(_row(one, columns) for one in quoted)
        return Markup('<div class="table" tabindex="0"><table>{}</table></div>').format(rows)
    if kind == "item":
        items = _EMPTY.join(map(_item, quoted, depths(quoted)))
        return Markup('<ul role="list">{}</ul>').format(items)
    # What has no number yet leads in to what follows.
    name = "more" if kind == "more" else "" if quoted[-1].numbered else "leads"
    return Markup("<p{}>{}</p>").format(
        Markup(' class="{}"').format(name) if name else _EMPTY,
        Markup(" ").join(map(_sentence, quoted)),
    )


def _item(quoted: Quoted, depth: int) -> Markup:
    nested = Markup(' class="deep-{}"').format(depth) if depth else _EMPTY
    marker = Markup(' data-marker="{}"').format(quoted.marker) if quoted.marker else _EMPTY
    return Markup("<li{}{}>{}</li>").format(nested, marker, _sentence(quoted))


def _row(quoted: Quoted, columns: int) -> Markup:
    """A row with the number of its citation in the first cell: a phone may not show the last."""
    words = cells(quoted, columns)
    at = next((n for n, cell in enumerate(words) if cell), 0)
    shown = [
        _sentence(replace(quoted, words=cell, numbered=quoted.numbered and n == at))
        for n, cell in enumerate(words)
    ]
    tag = "th" if quoted.header else "td"
    return Markup("<tr>{}</tr>").format(
        _EMPTY.join(Markup("<{0}>{1}</{0}>").format(tag, cell) for cell in shown)
    )


def _sentence(quoted: Quoted) -> Markup:
    """A sentence and its number; the last word stays with the number on one line."""
    n = quoted.citation.n
    if not quoted.numbered:
        return Markup('<span class="sentence" data-n="{}">{}</span>').format(n, quoted.words)
    head, space, last = quoted.words.rpartition(" ")
    return Markup(
        '<span class="sentence" data-n="{n}">{head}</span><span{end}>'
        '<span class="sentence" data-n="{n}">{last}</span>'
        '<button type="button" class="cite" data-n="{n}" aria-label="{label}">{n}</button></span>'
    ).format(
        head=head + space,
        end=Markup(' class="end"') if len(last) <= _MAX_END else _EMPTY,
        last=last,
        n=n,
        label=citation_label(quoted.citation),
    )


def _sources(citations: Sequence[Citation], documents: Mapping[str, Document]) -> Markup:
    """One line for each run of citations of one section; its title and date once a document."""
    runs = [
        list(run)
        for _, run in groupby(citations, key=lambda one: (one.document, wording.place(one)))
    ]
    previous = [None, *(run[0].document for run in runs)]
    return _EMPTY.join(
        _source(run, documents.get(run[0].document), again=run[0].document == before)
        for run, before in zip(runs, previous, strict=False)
    )


def _source(run: Sequence[Citation], document: Document | None, *, again: bool) -> Markup:
    first, last = run[0].n, run[-1].n
    where = wording.place(run[0])
    again = again and bool(where)
    return Markup(
        '<li><button type="button" class="source" data-n="{n}" data-last="{last}">'
        '<span class="n">{numbers}</span><span class="what"><span class="title">{title}</span> '
        '<span class="where">{where}</span></span> <span class="when">{when}</span></button></li>'
    ).format(
        n=first,
        last=last,
        numbers=first if first == last else f"{first}–{last}",
        title="" if again else run[0].title,
        where=where,
        when="" if again else wording.dated(document),
    )


def _abstention(answer: Answer, searched: Searched) -> Markup:
    widen = (
        Markup(
            '<p class="ways"><button type="button" class="tool strong" data-widen>'
            "Search all {} instead</button></p>"
        ).format(wording.counted(searched.of, "document"))
        if searched.filters
        else _EMPTY
    )
    return Markup(
        '<div class="abstention"><h3>No answer found in the documents</h3>{unknown}<p>{text}</p>'
        '{widen}{nearest}<p class="dim">{searched} searched, {limits}, index of {built} '
        '<code>{generation}</code>.</p></div><div class="after"><div class="tools"></div></div>'
    ).format(
        unknown=_unknown(answer),
        text=answer.text.removesuffix(answer.remark).strip(),
        widen=widen,
        nearest=_nearest(answer),
        searched=searched,
        limits=searched.limits,
        built=wording.nice_time(searched.created),
        generation=searched.generation,
    )


def _running(passage: Passage) -> str:
    """The words of a passage as running text; of a table, its cells."""
    words = plain_text(passage.document, passage.text)
    return re.sub(r"(?: ?\|)+ ?", " · ", re.sub(r"\|(?: ?:?-{2,}:? ?\|)+", "|", words)).strip(" ·")


def _nearest(answer: Answer) -> Markup:
    if not answer.nearest:
        return _EMPTY
    entries = _EMPTY.join(
        Markup(
            '<li><button type="button" class="near" data-near="{n}"><span class="title">{title}'
            '</span> <span class="where">{where}</span><span class="snippet">{text}</span></button>'
            "</li>"
        ).format(
            n=n,
            title=passage.title,
            where=wording.place(passage),
            text=wording.shorten(_running(passage), _MAX_SNIPPET),
        )
        for n, passage in enumerate(answer.nearest[:NEAREST], start=1)
    )
    return Markup(
        '<h4>The passages that come nearest</h4><ol class="nearest" role="list">{}</ol>'
    ).format(entries)
