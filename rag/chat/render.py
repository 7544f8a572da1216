"""Answers, abstentions and lists as HTML. Text from outside only enters through `Markup.format`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from rag.chat import wording
from rag.markup import plain_text
from rag.types import Answer, Citation, Document

_EMPTY = Markup("")
_MAX_SNIPPET = 320


@dataclass(frozen=True, slots=True)
class Searched:
    """What an answer was looked for in: how many documents, of which generation, built when."""

    documents: int
    generation: str
    created: str

    def __str__(self) -> str:
        return wording.counted(self.documents, "document")


def answer_html(answer: Answer, documents: Mapping[str, Document], searched: Searched) -> Markup:
    """One answer or abstention.

    Args:
        answer: what the engine said.
        documents: the cited ones, by id; one that is missing costs its date, nothing else.
        searched: what was searched.
    """
    if answer.abstained:
        return _abstention(answer, searched)
    return Markup(
        '<div class="answer-text">{text}</div><ol class="sources" role="list">{sources}</ol>{notes}'
        "{pedigree}"
    ).format(
        text=_EMPTY.join(_paragraph(paragraph) for paragraph in paragraphs(answer)),
        sources=_sources(answer.citations, documents),
        notes=_notes(answer, documents),
        pedigree=_pedigree(answer, searched),
    )


def paragraphs(answer: Answer) -> list[list[tuple[str, Citation]]]:
    """The sentences of an answer with their citations, in paragraphs of one section each.

    A sentence ends at its own number in brackets, which stands between white space; a number in
    brackets that belongs to the quoted text is left alone.
    """
    result: list[list[tuple[str, Citation]]] = []
    position = 0
    previous: Citation | None = None
    for citation in answer.citations:
        marker = re.compile(rf"(?<=\s)\[{citation.n}\](?=\s|\Z)")
        found = marker.search(answer.text, position)
        words = answer.text[position : found.start()] if found else citation.quote
        position = found.end() if found else position
        broken = "\n" in words[: len(words) - len(words.lstrip())]
        same = previous is not None and (previous.document, previous.section) == (
            citation.document,
            citation.section,
        )
        if not same or broken:
            result.append([])
        result[-1].append((words.strip(), citation))
        previous = citation
    return result


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
            '<li><button type="button" class="chip" data-ask="{}" title="{}">{}</button></li>'
        ).format(question, question, topic)
        for topic, question in topics
    )


def _paragraph(sentences: Sequence[tuple[str, Citation]]) -> Markup:
    return Markup("<p>{}</p>").format(
        Markup(" ").join(_sentence(words, citation) for words, citation in sentences)
    )


def _sentence(words: str, citation: Citation) -> Markup:
    """A sentence and its number; the last word stays with the number on one line."""
    head, space, last = words.rpartition(" ")
    return Markup(
        '<span class="sentence" data-n="{n}">{head}</span><span class="end">'
        '<span class="sentence" data-n="{n}">{last}</span>'
        '<button type="button" class="cite" data-n="{n}" aria-label="{label}">{n}</button></span>'
    ).format(head=head + space, last=last, n=citation.n, label=citation_label(citation))


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
    dated = wording.document_date(document.metadata) if document and not again else None
    return Markup(
        '<li><button type="button" class="source" data-n="{n}"><span class="n">{n}</span>'
        '<span class="what"><span class="title">{title}</span> <span class="where">{where}</span>'
        '</span> <span class="when">{when}</span></button></li>'
    ).format(
        n=citation.n,
        title="" if again else citation.title,
        where=where,
        when=" ".join(dated) if dated else "",
    )


def _notes(answer: Answer, documents: Mapping[str, Document]) -> Markup:
    """Warnings about cited documents that say themselves that they no longer apply."""
    warnings: dict[str, str] = {}
    for citation in answer.citations:
        document = documents.get(citation.document)
        warning = wording.standing(document.metadata) if document else None
        if warning:
            warnings[citation.title] = warning
    return _EMPTY.join(
        Markup('<p class="standing"><strong>{}</strong>: {}</p>').format(title, warning)
        for title, warning in warnings.items()
    )


def _pedigree(answer: Answer, searched: Searched) -> Markup:
    level, words = wording.certainty(answer.confidence)
    return Markup(
        '<details class="pedigree"><summary><span class="sure sure-{level}" aria-hidden="true">'
        "<i></i><i></i><i></i></span><span>{words}</span>"
        '<span class="dim">{searched} searched</span></summary>'
        "<dl><div><dt>Understood as</dt><dd>{understood}</dd></div>"
        "<div><dt>Searched</dt><dd>{searched}, no filter</dd></div>"
        "<div><dt>Index</dt><dd>{built} · <code>{generation}</code></dd></div>"
        "<div><dt>Confidence</dt><dd>{percent} %: about this share of the answers that look like "
        "this one is right</dd></div>"
        "<div><dt>Made by</dt><dd>quoting word for word; no text was generated. It took {took} ms."
        "</dd></div></dl></details>"
    ).format(
        level=level,
        words=words,
        searched=searched,
        understood=answer.standalone_question,
        built=wording.nice_time(searched.created),
        generation=searched.generation,
        percent=round(answer.confidence * 100),
        took=max(1, round(answer.took_ms)),
    )


def _abstention(answer: Answer, searched: Searched) -> Markup:
    return Markup(
        '<div class="abstention"><h3>No answer found in the documents</h3><p>{text}</p>'
        '{nearest}<p class="dim">{searched} searched, no filter, index of {built}.</p></div>'
    ).format(
        text=answer.text,
        nearest=_nearest(answer),
        searched=searched,
        built=wording.nice_time(searched.created),
    )


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
            text=wording.shorten(plain_text(passage.document, passage.text), _MAX_SNIPPET),
        )
        for n, passage in enumerate(answer.nearest[:3], start=1)
    )
    return Markup(
        '<h4>The passages that come nearest</h4><ol class="nearest" role="list">{}</ol>'
    ).format(entries)
