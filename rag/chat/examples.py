"""Questions that the corpus itself suggests: real headings, asked back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from rag.chat import markup
from rag.text import wording
from rag.text.enumerators import without_number
from rag.types import Document

_Item = TypeVar("_Item")

_EMPTY_WORDS = re.compile(
    r"(?:introduction|overview|purpose|scope|summary|background|conclusions?|references?|contents|"
    r"table of contents|appendix.*|annex.*|contacts?|questions\??|faq.*|history|notes?|see also|"
    r"resources|related.*|definitions?|general|version.*|change ?log|further reading|about.*|"
    r"general provisions|(?:section|chapter|part|article) \w+)",
    re.IGNORECASE,
)
_SECTION = re.compile(
    # "Section 3: Fees", "IV Fees", "3 Fees", but not "I need a badge", "5 days a week".
    r"^(?:(?i:section|article|art\.|part|chapter)\s+[\dIVX]+(?:\.\d+)*[.:)]?"
    r"|\d{1,2}|(?!I\s)[IVX]+)\s+(?=[^\W\d_a-z])"
)
_ASK_BACK = tuple(
    (re.compile(pattern, re.IGNORECASE), asked)
    for pattern, asked in (
        (r"how to (.+)", r"How do I \1?"),
        (r"when to (.+)", r"When do I have to \1?"),
        (r"where to (.+)", r"Where do I \1?"),
        (
            r"((?:what|who|which|when|where|how)\b.*?) you (can|may|must|should) (.+)",
            r"\1 \2 I \3?",
        ),
        (
            r"((?:what|which|how much|how many|how long)\b.*?) you (have|get|need|earn)",
            r"\1 do I \2?",
        ),
        (
            r"((?:who|what) (?:is|are|may|can|must|should|has|counts|happens|applies|approves|"
            r"decides|pays|needs|does not)\b.*)",
            r"\1?",
        ),
    )
)
_GERUND = re.compile(r"[A-Za-z]{2,}ing \S.*")
_SHORT = 30
_LENGTH = range(6, 64)
_QUESTION_LENGTH = range(14, 110)


def example_questions(documents: Iterable[Document]) -> Iterator[str]:
    """Candidate questions, the most natural first, at each step one of each document.

    Deterministic: the same documents give the same questions.
    """
    sources = [(document, headings(document)) for document in documents]
    seen: set[str] = set()
    for wanted in (0, 1, 2):
        for document, sections in sources:
            for section in sections:
                stiffness, words = _ask(document, section)
                if stiffness == wanted and ":" not in section and words.lower() not in seen:
                    seen.add(words.lower())
                    yield words
                    break


def question(document: Document, section: str) -> str:
    """A heading as a question about its document."""
    return _ask(document, section)[1]


def _ask(document: Document, section: str) -> tuple[int, str]:
    """How stiff a question sounds, from 0, and the question."""
    title = wording.shorten(calm(document.title), 60)
    natural = section if section.endswith("?") else None
    for pattern, asked in _ASK_BACK:
        if natural is None and (found := pattern.fullmatch(calm(section))):
            natural = wording.sentence_case(found.expand(asked))
    if natural:
        short = len(natural) < _SHORT
        return 0, f"{title}: {natural[0].lower()}{natural[1:]}" if short else natural
    topic = _in_a_sentence(section, document)
    if _GERUND.fullmatch(section):
        return 1, f"What are the rules on {topic}?"
    return 2, f"What does “{title}” say about {topic}?"


def headings(document: Document) -> list[str]:
    """The headings of a document that say what a section is about, in order."""
    found: list[str] = []
    for block in document.blocks:
        if block.kind != "heading":
            continue
        pieces = markup.heading(
            document.text, block.start, block.end, markdown=markup.is_markdown(document.id)
        )
        words = " ".join("".join(markup.visible(document.text, p) for p in pieces).split())
        words = bare(words)
        if telling(words) and words.lower() != document.title.lower() and words not in found:
            found.append(words)
    return found


def bare(heading: str) -> str:
    """A heading without its number."""
    return _SECTION.sub("", without_number(heading)).strip(" :")


def telling(heading: str) -> bool:
    """Whether a heading says what its section is about."""
    limit = _QUESTION_LENGTH if heading.endswith("?") else _LENGTH
    return len(heading) in limit and _EMPTY_WORDS.fullmatch(heading) is None


def spread(identifiers: Sequence[str], limit: int) -> list[str]:
    """At most `limit` document ids, taken in turn from each folder and evenly within it."""
    folders: dict[str, list[str]] = {}
    for identifier in identifiers:
        folders.setdefault(str(PurePosixPath(identifier).parent), []).append(identifier)
    chosen: list[str] = []
    share = -(-limit // max(len(folders), 1))
    columns = [_evenly(members, share) for members in folders.values()]
    for rank in range(share):
        chosen += [column[rank] for column in columns if rank < len(column)]
    return chosen[:limit]


def _evenly(members: Sequence[_Item], count: int) -> list[_Item]:
    if len(members) <= count:
        return list(members)
    return [members[index * len(members) // count] for index in range(count)]


def _in_a_sentence(heading: str, document: Document) -> str:
    """The heading with a small first letter, unless the document treats that word as a name."""
    words = calm(heading)
    first = words.split(" ", 1)[0]
    name = re.search(rf"[a-z,;] {re.escape(first)}\b", document.text)
    if first != first.capitalize() or (name and not _GERUND.fullmatch(words)):
        return words
    return words[0].lower() + words[1:]


def calm(words: str) -> str:
    """Words in capitals throughout, as a sentence."""
    return words.capitalize() if words.isupper() and " " in words else words
