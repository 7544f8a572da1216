"""Where another document says otherwise on the same point: another number, address, or "not".

Careful rather than complete, for a false alarm costs more trust than silence. Two sentences are
compared only if they are nearly about the same; then they differ if

- they give other values of the same thing: "5 days" and "10 days", "3 business days" and
  "3 calendar days", two e-mail addresses; or
- one forbids what the other allows: "without responding" and "it is okay to respond".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rag.markup import plain_text
from rag.store.lexical import terms
from rag.types import Answer, Hit

_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
).split()
_NUMBERS = {word: n if n <= 20 else (n - 18) * 10 for n, word in enumerate(_WORDS)}
_NUMBER = rf"(?:\d+(?:[.,]\d+)*|{'|'.join(_WORDS)})"
_MEASURE = re.compile(
    rf"\b(?P<low>{_NUMBER})(?:\s*(?:-|–|to|or)\s*(?P<high>{_NUMBER}))?[\s-]*"
    r"(?:(?P<sort>calendar|business|working|work)\s+|(?:consecutive|full|unused|more)\s+)?"
    r"(?P<unit>%|(?:per ?cent|day|week|month|year|hour|minute|night|character|crown|dollar|euro|"
    r"kilometre|mile|quote|cop(?=y|ies)|page)\w*)",
    re.IGNORECASE,
)
_MONEY = re.compile(r"([$€£])\s?(\d+(?:[.,]\d+)*)")
_CLOCK = re.compile(r"\b(\d{1,2})[:.](\d\d)(?:\s*([ap])\.?m\b)", re.IGNORECASE)
_ANY_DAY = re.compile(r"\b(?:business|working|calendar) day\b", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_FIGURES = re.compile(rf"\b{_NUMBER}\b", re.IGNORECASE)
_FORBIDDEN = re.compile(
    r"\b(?:(?:must|may|should|do|can|will) not|cannot|without|never|don[’']t)\s+(?:be\s+)?(\w+)",
    re.IGNORECASE,
)
_ALLOWED = re.compile(
    r"\b(?:okay|ok|fine|free|allowed|permitted|encouraged)\s+to\s+(\w+)"
    r"|\b(?:may|can|should|must)\s+(?!not\b)(?:always\s+|also\s+)?(?:be\s+)?(\w+)",
    re.IGNORECASE,
)
_ALIKE = 0.4
"""Least share of the words of two sentences that are in both; found by reading all pairs of the
bundled corpus and of a public handbook: what lies below was never a contradiction."""
_ALIKE_DENIED = 0.6
_SAME_BUT_FOR_FIGURES = 0.75
_LEAST_SHARED = 4
_LEAST_SHARED_OF_VERSIONS = 2
_COVERED = 0.5
_MOST = 2


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", plain_text(self.document, self.quote))
        object.__setattr__(self, "stems", frozenset(_stems(self.words)))


@dataclass(frozen=True, slots=True)
class Conflict:
    """A citation, what another document says instead, and the words in which they differ."""

    cited: Statement
    other: Statement
    ours: str
    theirs: str

    @property
    def between(self) -> str:
        """The numbers of the citations that disagree, e.g. "[1] and [2]"; "[1]" if one does."""
        return f"[{self.cited.n}]" + (f" and [{self.other.n}]" if self.other.n else "")


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
    others = [statement for hit in passages for statement in _statements(hit)]
    for cited in quoted:
        for other in [*quoted, *others]:
            pair = frozenset([cited.document, other.document])
            if len(pair) == 1 or pair in found:
                continue
            family = other.document in versions.get(cited.document, ())
            # "How soon must …" is in the words of a question, but hardly in those of an answer:
            # another version only has to be about what the citation is about.
            topic = asked & (cited.stems | cited.about) if family else asked
            if not other.n and not _is_about(other, topic):
                continue
            if words := _difference(cited, other, family=family):
                found[pair] = Conflict(cited, other, *words)
    return list(found.values())[:_MOST]


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


def _is_about(statement: Statement, topic: frozenset[str]) -> bool:
    return len(topic & (statement.stems | statement.about)) >= _COVERED * len(topic)


def _about(hit: Hit) -> frozenset[str]:
    return frozenset(terms(" ".join([hit.chunk.title, *hit.chunk.headings])))


def _difference(ours: Statement, theirs: Statement, *, family: bool) -> tuple[str, str] | None:
    """The words in which two sentences on the same point differ; None if they do not."""
    shared = ours.stems & theirs.stems
    alike = len(shared) / max(len(ours.stems | theirs.stems), 1)
    least = _LEAST_SHARED_OF_VERSIONS if family else _LEAST_SHARED
    if not family and _other_subject(ours, theirs):
        return None
    if alike >= _ALIKE and len(shared) >= least:
        if words := _other_values(_values(ours.words), _values(theirs.words)):
            return words
        if alike >= _SAME_BUT_FOR_FIGURES and (words := _other_figures(ours, theirs)):
            return words
    same_address = bool(_emails(ours.words) & _emails(theirs.words))
    if same_address or (alike >= _ALIKE_DENIED and len(shared) >= least):
        return _denied(ours.words, theirs.words)
    return None


def _other_subject(ours: Statement, theirs: Statement) -> bool:
    """Whether each sentence has words of its own that are the subject of its own section."""
    mine = (ours.stems - theirs.stems) & (ours.about - theirs.about)
    yours = (theirs.stems - ours.stems) & (theirs.about - ours.about)
    return bool(mine and yours)


def _other_values(
    ours: Mapping[str, Mapping[str, str]], theirs: Mapping[str, Mapping[str, str]]
) -> tuple[str, str] | None:
    """The first kind of value that both have without one in common."""
    for kind, mine in ours.items():
        yours = theirs.get(kind, {})
        if yours and not mine.keys() & yours.keys():
            return " and ".join(mine.values()), " and ".join(yours.values())
    return None


def _values(text: str) -> dict[str, dict[str, str]]:
    """Kind → value in its normal form → the words for it."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for match in _MEASURE.finditer(text):
        sort = (match["sort"] or "").lower().replace("working", "business")
        sort = "business" if sort == "work" else sort
        unit = match["unit"].lower().replace(" ", "")
        unit = "percent" if unit in ("%", "percent") else unit[:4]
        value = "-".join(_number(part) for part in (match["low"], match["high"]) if part)
        found[unit][f"{value} {sort}"] = match[0]
    for match in _MONEY.finditer(text):
        found[match[1]][_number(match[2])] = match[0]
    for match in _CLOCK.finditer(text):
        found["clock"][f"{int(match[1])}:{match[2]} {match[3].lower()}"] = match[0]
    for address in _emails(text):
        found["address"][address] = address
    return found


def _number(text: str) -> str:
    """8,000.50 as 8000.5; five as 5."""
    text = text.lower()
    if text in _NUMBERS:
        return str(_NUMBERS[text])
    return f"{float(re.sub(',(?=[0-9]{3})', '', text).replace(',', '.').rstrip('.')):g}" \
        if text.count(".") < 2 else text  # fmt: skip


def _other_figures(ours: Statement, theirs: Statement) -> tuple[str, str] | None:
    """Numbers without a unit, as in tables, in sentences that are otherwise the same."""
    mine, yours = ([m[0] for m in _FIGURES.finditer(s.words)] for s in (ours, theirs))
    if len(mine) != len(yours) or not mine:
        return None
    changed = [(a, b) for a, b in zip(mine, yours, strict=True) if _number(a) != _number(b)]
    return (", ".join(a for a, _ in changed), ", ".join(b for _, b in changed)) if changed else None


def _denied(ours: str, theirs: str) -> tuple[str, str] | None:
    """An act that one sentence forbids and the other allows."""
    for first, second, swapped in ((ours, theirs, False), (theirs, ours, True)):
        allowed = {_stem(m[1] or m[2]): m[0] for m in _ALLOWED.finditer(second)}
        forbidden = {_stem(m[1]): m[0] for m in _FORBIDDEN.finditer(first)}
        for act in forbidden.keys() & allowed.keys() - {""}:
            words = forbidden[act], allowed[act]
            return words[::-1] if swapped else words
    return None


def _emails(text: str) -> set[str]:
    return {address.lower() for address in _EMAIL.findall(text)}


def _stem(word: str) -> str:
    return next(iter(terms(word)), "")


def _stems(text: str) -> set[str]:
    """Stems of the words that say what a sentence is about: no numbers, times and addresses."""
    for pattern in (_EMAIL, _CLOCK, _ANY_DAY, _FIGURES):
        text = pattern.sub(" ", text)
    stems = terms(text)
    return {stem for stem in stems if len(stem) > 1 and not stem.isdigit()}
