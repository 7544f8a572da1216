"""Where another document says otherwise on the same point: another number, address, or "not".

Careful rather than complete, for a false alarm costs more trust than silence. Two sentences of two
documents are compared only if they are on the same point, and if so many of the words of both,
figures left out, are in each of them:

| in each | a contradiction is |
| --- | --- |
| 40 % | a kind of value that both give without one in common: 5 days and 10 days, two addresses |
| 75 % | a figure that is another one in its place, if there are as many: limit 120, limit 140 |
| 60 %, "must", "not" and the like left out | an act that one forbids and the other allows |

What `figures` cannot compare, such as 30 days and a month, does not differ.

On the same point are sentences with four words in common, unless the subject of one, or a thing
that limits it ("claims of interns"), is foreign to the other, or each has words of its own that its
own headings say it is about. Versions of one document need two words in common and nothing else.
Where both name one address, the last line needs no words in common.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from rag.answering.figures import ADDRESS, BARE, Figure, differ, figures, without_figures
from rag.catalogue.versions import Version
from rag.store.lexical import terms
from rag.text.markup import plain_text
from rag.types import Answer, Hit

_VERB = re.compile(
    r"\b(?:must|may|can|cannot|could|should|shall|will|is|are|was|were|has|have|do|does|"
    r"\w+n['’]t|(?:need|get|receive|earn|accrue|take|submit)s?|appl(?:y|ies))\b",
    re.IGNORECASE,
)
"""Verbs that are no nouns as well: what stands before the first one is the subject."""
_CLAUSE = re.compile(r"[.:;,|]")
_LIMIT = re.compile(
    r"\b(?:of|for|in|on|with|under|from|by|at|during|who|that|which|whose)\b", re.IGNORECASE
)
_ANYBODY = frozenset(
    terms(
        "all any both each every no only some staff employee worker member person people "
        "please always normally usually generally"
    )
)
"""Words that tell no subject from another."""
_FORBIDDEN = re.compile(
    r"\b(?:(?:must|may|should|do|can|will|need) not|cannot|without|never|don[’']t)\s+"
    r"(?:be\s+)?(\w+)",
    re.IGNORECASE,
)
_ALLOWED = re.compile(
    r"\b(?:okay|ok|fine|free|allowed|permitted|encouraged)\s+to\s+(\w+)"
    r"|\b(?:may|can|should|must)\s+(?!not\b)(?:always\s+|also\s+)?(?:be\s+)?(\w+)",
    re.IGNORECASE,
)
_DENYING = frozenset(terms("must may need not never cannot without"))
_ALIKE = 0.4
"""Least share of the words of two sentences that are in both; found by reading all pairs of the
bundled corpus and of a public handbook: what lies below was never a contradiction."""
_ALIKE_BUT_FOR_DENYING = 0.6
_ALIKE_BUT_FOR_FIGURES = 0.75
_LEAST_SHARED = 4
_LEAST_SHARED_OF_VERSIONS = 2
_COVERED = 0.5
_MOST = 2
_COMPARED = 7
"""Passages of an answer in which its quotations may be contradicted."""


@dataclass(frozen=True)
class Statement:
    """A sentence of a document: [start, end) in its canonical text.

    Attributes:
        n: its citation's number; 0 if the answer does not quote it.
        words: without markup.
        about: stems of the title and headings above it.
    """

    document: str
    title: str
    section: str | None
    page: int | None
    start: int
    end: int
    quote: str
    n: int = 0
    about: frozenset[str] = frozenset()
    words: str = field(init=False)
    stems: frozenset[str] = field(init=False)
    figures: tuple[Figure, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", plain_text(self.document, self.quote))
        object.__setattr__(self, "stems", frozenset(_stems(self.words)))
        object.__setattr__(self, "figures", figures(self.words))


@dataclass(frozen=True, slots=True)
class Conflict:
    """A citation, what another document says instead, and the words in which they differ."""

    cited: Statement
    other: Statement
    ours: str
    theirs: str


def contradictions(
    answer: Answer,
    known: Mapping[str, Sequence[Version]],
    passages_of: Callable[[str], Iterable[Hit]],
) -> list[Conflict]:
    """What other passages, and other versions of what is cited, say instead; see `conflicts`.

    Args:
        answer: with its hits; an abstention has no conflicts.
        known: the documents that have other versions, see `rag.catalogue.versions.families`.
        passages_of: the best passages about the question in the document with this id.
    """
    others = {
        cited: {version.id for version in known.get(cited, ())} - {cited}
        for cited in {citation.document for citation in answer.citations}
    }
    hits = [*answer.hits[:_COMPARED]]
    for name in sorted(set().union(*others.values())):
        hits += passages_of(name)
    return conflicts(answer, hits, others)


def conflicts(
    answer: Answer, hits: Iterable[Hit], versions: Mapping[str, Collection[str]]
) -> list[Conflict]:
    """What speaks against the quotations of an answer, one for each other document, at most two.

    Args:
        answer: with citations; an abstention has no conflicts.
        hits: passages about the question, those of other versions of the documents included.
        versions: for each document the ids of its other versions: they have the same subject.
    """
    found: dict[frozenset[str], Conflict] = {}
    passages = list(hits)
    asked = frozenset(_stems(answer.standalone_question))
    quoted = _cited(answer, passages)
    others = [*quoted, *(statement for hit in passages for statement in _statements(hit))]
    for cited, other in product(quoted, others):
        pair = frozenset([cited.document, other.document])
        if len(pair) == 1 or pair in found:
            continue
        family = other.document in versions.get(cited.document, ())
        if not _answers(other, cited, asked, family=family):
            continue
        if words := _difference(cited, other, family=family):
            found[pair] = Conflict(cited, other, *words)
    return list(found.values())[:_MOST]


def _answers(other: Statement, cited: Statement, asked: frozenset[str], *, family: bool) -> bool:
    """Whether a sentence is about what was asked, or quoted as an answer to it."""
    # "How soon must …" is in the words of a question, but hardly in those of an answer: another
    # version only has to be about what the citation is about.
    topic = asked & (cited.stems | cited.about) if family else asked
    covered = len(topic & (other.stems | other.about))
    return bool(other.n) or covered >= _COVERED * len(topic)


def _cited(answer: Answer, hits: Sequence[Hit]) -> list[Statement]:
    above = {
        (hit.chunk.document, hit.chunk.section): _about(hit) for hit in hits
    }  # headings of a citation are those of the passage it was found in
    return [
        Statement(
            c.document, c.title, c.section, c.page, c.start, c.end, c.quote, c.n,
            above.get((c.document, c.section), frozenset(terms(f"{c.title} {c.section or ''}"))),
        )
        for c in answer.citations
    ]  # fmt: skip


def _statements(hit: Hit) -> list[Statement]:
    """The sentences of a passage."""
    chunk, about = hit.chunk, _about(hit)
    return [
        Statement(
            chunk.document, chunk.title, chunk.section, chunk.page, s.start, s.end,
            chunk.text[s.start - chunk.start : s.end - chunk.start], about=about,
        )
        for s in chunk.sentences
    ]  # fmt: skip


def _about(hit: Hit) -> frozenset[str]:
    return frozenset(terms(" ".join([hit.chunk.title, *hit.chunk.headings])))


def _difference(ours: Statement, theirs: Statement, *, family: bool) -> tuple[str, str] | None:
    """The words in which two sentences on the same point differ; None if they do not."""
    if not family and _other_section(ours, theirs):
        return None
    if _same_point(ours, theirs, family=family):
        alike = _alike(ours, theirs)
        if alike >= _ALIKE and (words := _other_values(ours.figures, theirs.figures)):
            return words
        if alike >= _ALIKE_BUT_FOR_FIGURES and (words := _other_figures(ours, theirs)):
            return words
        if _alike(ours, theirs, but_for=_DENYING) >= _ALIKE_BUT_FOR_DENYING:
            return _denied(ours.words, theirs.words)
    same_address = not _addresses(ours).isdisjoint(_addresses(theirs))
    return _denied(ours.words, theirs.words) if same_address else None


def _alike(ours: Statement, theirs: Statement, but_for: frozenset[str] = frozenset()) -> float:
    """The share of the stems of either sentence that are in both."""
    either = (ours.stems | theirs.stems) - but_for
    return len(ours.stems & theirs.stems) / max(len(either), 1)


def _same_point(ours: Statement, theirs: Statement, *, family: bool) -> bool:
    shared = len(ours.stems & theirs.stems)
    if family:
        return shared >= _LEAST_SHARED_OF_VERSIONS
    return shared >= _LEAST_SHARED and not _other_subject(ours, theirs)


def _other_section(ours: Statement, theirs: Statement) -> bool:
    """Whether each sentence has words of its own that are the subject of its own section."""
    mine = (ours.stems - theirs.stems) & (ours.about - theirs.about)
    yours = (theirs.stems - ours.stems) & (theirs.about - ours.about)
    return bool(mine and yours)


def _other_subject(ours: Statement, theirs: Statement) -> bool:
    """Whether one is about something, or limits it by something, that is nowhere in the other.

    "Interns receive …" is about others than "Employees receive …", and "Claims of interns must …"
    about fewer than "Claims must …".
    """
    return any(
        part and part.isdisjoint(other.stems | other.about)
        for one, other in ((ours, theirs), (theirs, ours))
        for part in _subject(one.words)
    )


def _subject(words: str) -> list[set[str]]:
    """Stems of the subject of a sentence, and of each thing that limits it; empty if not known."""
    before, *after = _VERB.split(words, maxsplit=1)
    subject = _CLAUSE.split(before)[-1] if after else ""
    return [_stems(part) - _ANYBODY for part in _LIMIT.split(subject)]


def _other_values(ours: Iterable[Figure], theirs: Iterable[Figure]) -> tuple[str, str] | None:
    """The first kind of value that both have without one in common."""
    in_both = {figure.kind for figure in ours} & {figure.kind for figure in theirs}
    mine, yours = (_by_kind(figures, in_both) for figures in (ours, theirs))
    for kind, found in mine.items():
        others = yours.get(kind, {})
        if others and found.keys().isdisjoint(others):
            return _listed(found.values()), _listed(others.values())
    return None


def _by_kind(figures: Iterable[Figure], in_both: Collection[str]) -> dict[str, dict[str, str]]:
    """Kind → value → the words for it, in a smaller unit if only one text has the larger."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for figure in figures:
        as_it_is = figure.kind in in_both or figure.smaller[0][0] in in_both
        for kind, value in figure.own if as_it_is else figure.smaller:
            found[kind][value] = figure.words
    found.pop(BARE, None)
    return found


def _listed(words: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(words))


def _other_figures(ours: Statement, theirs: Statement) -> tuple[str, str] | None:
    """The figures, one by one, in which sentences differ that are otherwise the same."""
    if len(ours.figures) != len(theirs.figures):
        return None
    pairs = _in_pairs(ours.figures, theirs.figures)
    changed = [(a.words, b.words) for a, b in pairs if differ(a, b)]
    return (", ".join(a for a, _ in changed), ", ".join(b for _, b in changed)) if changed else None


def _in_pairs(ours: Sequence[Figure], theirs: Sequence[Figure]) -> Iterable[tuple[Figure, Figure]]:
    """Each figure with its counterpart in as many others.

    That is the one in its place, but "in 2020: $4" goes with "$4 in 2020" kind by kind.
    """
    mine, yours = (sorted(figures, key=lambda one: one.kind) for figures in (ours, theirs))
    if [one.kind for one in mine] == [one.kind for one in yours]:
        ours, theirs = mine, yours
    return zip(ours, theirs, strict=True)


def _denied(ours: str, theirs: str) -> tuple[str, str] | None:
    """An act that one sentence forbids and the other allows."""
    for first, second, swapped in ((ours, theirs, False), (theirs, ours, True)):
        allowed = {_stem(m[1] or m[2]): m[0] for m in _ALLOWED.finditer(second)}
        forbidden = {_stem(m[1]): m[0] for m in _FORBIDDEN.finditer(first)}
        for act in forbidden.keys() & allowed.keys() - {""}:
            words = forbidden[act], allowed[act]
            return words[::-1] if swapped else words
    return None


def _addresses(statement: Statement) -> set[str]:
    return {
        value for figure in statement.figures if figure.kind == ADDRESS for value in figure.values
    }


def _stem(word: str) -> str:
    return next(iter(terms(word)), "")


def _stems(text: str) -> set[str]:
    """Stems of the words that say what a sentence is about: no numbers, times and addresses."""
    stems = terms(without_figures(text))
    return {stem for stem in stems if len(stem) > 1 and not stem.isdigit()}
