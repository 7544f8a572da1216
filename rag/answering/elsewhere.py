"""What belongs to a quotation and stands elsewhere in its document, however far away.

Notes that its marks point to, and sentences that take back the article or section it is from. What
stands in the same passage comes by `context`.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from rag.answering.places import Span
from rag.answering.select import Quotation
from rag.text.sentences import split_sentences
from rag.text.wording import language_of
from rag.types import Chunk, Document

_MARK = re.compile(r"\[\^[\w-]+\](?!:)|(?<=[^\s\dm])[¹²³⁴-⁹]+(?![\w¹²³⁴-⁹])")
"""Behind a word: neither at the beginning of the note itself nor in "40 m²"."""
_AFTER = re.compile(r"(?:\[\^[\w-]+\]|[¹²³⁴-⁹]+)*")
_NUMBERED = re.compile(r"(article|section|clause|rule|§)\s*(\d+[a-z]?)\b", re.IGNORECASE)
_TAKES_BACK = re.compile(r"ot(?: apply|withstanding)\b")
"""In "not apply", "Notwithstanding". Two letters to begin with are found quickly in a long text."""
_MOST_TAKEN_BACK = 2


def with_what_belongs(
    quotations: Sequence[Quotation], document: Callable[[str], Document]
) -> list[Quotation]:
    """The quotations, each followed by what belongs to it and none of them quotes yet."""
    found: list[Quotation] = []
    for quotation in quotations:
        found.append(quotation)
        source = document(quotation.chunk.document)
        # Of a note its section says nothing: it stands at the end of whatever comes last.
        chunk = replace(quotation.chunk, headings=())
        for start, end in chain(_notes(source, quotation), _taken_back(source, quotation.chunk)):
            quoted = any(
                one.chunk.document == source.id and one.start < end and start < one.end
                for one in (*quotations, *found)
            )
            if not quoted:
                found.append(Quotation(chunk, quotation.rank, start, end))
    return found


def _notes(source: Document, quotation: Quotation) -> Iterator[Span]:
    """The notes that the marks of a quotation point to."""
    marks = _AFTER.match(source.text, quotation.end)
    quote = source.text[quotation.start : marks.end() if marks else quotation.end]
    for mark in dict.fromkeys(_MARK.findall(quote)):
        opens = f"{mark}:" if mark.startswith("[") else mark
        begin = [
            (block.start, block.end)
            for block in source.blocks
            if source.text.startswith(opens, block.start)
            and not source.text[block.start + len(opens) : block.end][:1].isdigit()
        ]
        # Numbers that begin anew on every page name several notes: which one is meant is unknown.
        if len(begin) == 1:
            yield begin[0]


def _taken_back(source: Document, chunk: Chunk) -> Iterator[Span]:
    """The sentences that say where the article or section of a passage does not apply."""
    numbered = next(filter(None, map(_NUMBERED.match, reversed(chunk.headings))), None)
    if numbered is None:
        return
    name = rf"{re.escape(numbered[1])}\s*{numbered[2]}\b(?![.(]\d)"
    speaks = re.compile(
        rf"(?<!\w){name}[^.;]{{0,80}}?\b(?:does|do|shall) not apply\b|"
        rf"\bnotwithstanding (?:[^.;]{{0,30}} )?{name}",
        re.IGNORECASE,
    )
    starts = [block.start for block in source.blocks]
    found = (bisect(starts, match.start()) - 1 for match in _TAKES_BACK.finditer(source.text))
    blocks = (source.blocks[at] for at in dict.fromkeys(found) if at >= 0)
    sentences = (
        span
        for block in blocks
        if block.kind in ("paragraph", "item")
        for span in split_sentences(
            source.text[block.start : block.end], block.start, language_of(source.metadata)
        )
        if speaks.search(source.text, *span)
    )
    yield from islice(sentences, _MOST_TAKEN_BACK)
