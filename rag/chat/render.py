"""Answers, abstentions and lists as HTML. Text from outside only enters through `Markup.format`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from rag.chat import pedigree, wording
from rag.chat.conflicts import Conflict
from rag.chat.pedigree import Searched
from rag.chat.versions import Version
from rag.markup import plain_text
from rag.types import Answer, BlockKind, Citation, Document, Passage

NEAREST = 3
_EMPTY = Markup("")
_MAX_SNIPPET = 320
_MAX_END = 24
"""Characters of a last word that stays whole; without spaces, as in Chinese, a sentence is one."""
_COPY = Markup(
    '<button type="button" class="tool" data-do="copy-answer"><span>Copy answer</span></button>'
)


@dataclass(frozen=True, slots=True)
class Quoted:
    """A sentence of an answer: its words as shown, where they stand, and the kind of block."""

    words: str
    citation: Citation
    kind: BlockKind = "paragraph"
    header: bool = False


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
        families: the documents that have other versions, see `versions.families`.
        conflicts: what other documents say instead.
    """
    if answer.abstained:
        return _abstention(answer, searched)
    found = pedigree.warnings(answer, documents, families)
    against = [f"{one.other.title} says “{one.theirs}”" for one in conflicts]
    against += [f"{words}{other.title}" for _, words, other in found if other]
    return Markup(
        '<div class="answer-text">{text}</div><ol class="sources" role="list">{sources}</ol>{notes}'
        '<div class="after">{pedigree}<div class="tools">{tools}</div></div>'
    ).format(
        text=_EMPTY.join(_group(group) for group in groups(answer, documents)),
        sources=_sources(answer.citations, documents),
        notes=pedigree.notes_html(answer, found, conflicts, documents, families),
        pedigree=pedigree.pedigree_html(answer, searched, against),
        tools=_COPY,
    )


def groups(answer: Answer, documents: Mapping[str, Document]) -> list[list[Quoted]]:
    """The sentences of an answer; those of one section and one kind of block belong together.

    A sentence ends at its own number in brackets, which stands between white space; a number in
    brackets that belongs to the quoted text is left alone.
    """
    quoted: list[Quoted] = []
    position = 0
    for citation in answer.citations:
        found = re.compile(rf"(?<=\s)\[{citation.n}\](?=\s|\Z)").search(answer.text, position)
        words = answer.text[position : found.start()] if found else citation.quote
        position = found.end() if found else position
        kind, header = _block(citation, documents.get(citation.document))
        quoted.append(Quoted(words.strip(), citation, kind, header))
    return [
        list(members)
        for _, members in groupby(
            quoted, key=lambda q: (q.citation.document, q.citation.section, q.kind)
        )
    ]


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


def _block(citation: Citation, document: Document | None) -> tuple[BlockKind, bool]:
    """The kind of block that a citation stands in, and whether that is the header of a table."""
    for block in document.blocks if document else ():
        if block.start < citation.end and citation.start < block.end:
            return block.kind, block.kind == "row" and block.level == 1
    return "paragraph", False


def _group(quoted: Sequence[Quoted]) -> Markup:
    if quoted[0].kind == "row":
        columns = max(len(_cells(one.words)) for one in quoted)
        rows = _EMPTY.join(_row(one, columns) for one in quoted)
        return Markup('<div class="table" tabindex="0"><table>{}</table></div>').format(rows)
    if quoted[0].kind == "item":
        items = _EMPTY.join(Markup("<li>{}</li>").format(_sentence(one)) for one in quoted)
        return Markup('<ul role="list">{}</ul>').format(items)
    return Markup("<p>{}</p>").format(Markup(" ").join(_sentence(one) for one in quoted))


def _cells(words: str) -> list[str]:
    """The cells of a row; an empty corner has nothing before its sign."""
    return re.split(r"(?:^| )\|(?: |$)", words)


def _row(quoted: Quoted, columns: int = 0) -> Markup:
    """A row; the words of a header begin with its first cell that is not empty."""
    *before, last = _cells(quoted.words)
    if quoted.header:
        before = [""] * (columns - len(before) - 1) + before
    tag = "th" if quoted.header else "td"
    cells = [
        *(Markup('<span class="sentence" data-n="{}">{}</span>').format(quoted.citation.n, cell)
          for cell in before),
        _sentence(Quoted(last, quoted.citation)),
    ]  # fmt: skip
    return Markup("<tr>{}</tr>").format(
        _EMPTY.join(Markup("<{0}>{1}</{0}>").format(tag, cell) for cell in cells)
    )


def _sentence(quoted: Quoted) -> Markup:
    """A sentence and its number; the last word stays with the number on one line."""
    head, space, last = quoted.words.rpartition(" ")
    return Markup(
        '<span class="sentence" data-n="{n}">{head}</span><span{end}>'
        '<span class="sentence" data-n="{n}">{last}</span>'
        '<button type="button" class="cite" data-n="{n}" aria-label="{label}">{n}</button></span>'
    ).format(
        head=head + space,
        end=Markup(' class="end"') if len(last) <= _MAX_END else _EMPTY,
        last=last,
        n=quoted.citation.n,
        label=citation_label(quoted.citation),
    )


def _sources(citations: Sequence[Citation], documents: Mapping[str, Document]) -> Markup:
    """One line for each citation; the title and date only where the document changes."""
    previous = [None, *(citation.document for citation in citations)]
    return _EMPTY.join(
        _source(citation, documents.get(citation.document), again=citation.document == before)
        for citation, before in zip(citations, previous, strict=False)
    )


def _source(citation: Citation, document: Document | None, *, again: bool) -> Markup:
    where = wording.place(citation)
    again = again and bool(where)
    return Markup(
        '<li><button type="button" class="source" data-n="{n}"><span class="n">{n}</span>'
        '<span class="what"><span class="title">{title}</span> <span class="where">{where}</span>'
        '</span> <span class="when">{when}</span></button></li>'
    ).format(
        n=citation.n,
        title="" if again else citation.title,
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
        '<div class="abstention"><h3>No answer found in the documents</h3><p>{text}</p>{widen}'
        '{nearest}<p class="dim">{searched} searched, {limits}, index of {built} '
        '<code>{generation}</code>.</p></div><div class="after"><div class="tools"></div></div>'
    ).format(
        text=answer.text,
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
