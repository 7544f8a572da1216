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
from typing import NamedTuple

from rag.markup import plain_text
from rag.store.lexical import terms
from rag.types import Answer, Hit

_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
).split()
_NUMBERS = {word: n if n <= 20 else (n - 18) * 10 for n, word in enumerate(_WORDS)}
_NUMBER = rf"(?:\d+(?:[.,]\d+)*|{'|'.join(_WORDS)})"
_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_CLOCK = (
    r"\b(?P<hour>\d{1,2})[:.](?P<minute>\d\d)"
    r"(?:\s*(?P<half>[ap])(?:m\b|\.m\.?)|(?<=:\d\d)\b)"  # "17:00" needs no "pm"
)
_MEASURE = (
    rf"\b(?P<low>{_NUMBER})(?:\s*(?:-|–|to|or)\s*(?P<high>{_NUMBER}))?[\s-]*"
    r"(?:(?P<sort>calendar|business|working|work)\s+|(?:consecutive|full|unused|more)\s+)?"
    r"(?P<unit>%|(?:per ?cent|day|week|month|year|hour|minute|night|character|crown|dollar|euro|"
    r"kilometre|mile|quote|cop(?=y|ies)|page)\w*)"
)
_MONEY = r"(?P<currency>[$€£])\s?(?P<amount>\d+(?:[.,]\d+)*)"
_FIGURE = re.compile(
    rf"(?P<address>{_EMAIL})|{_CLOCK}|{_MEASURE}|{_MONEY}|\b(?P<bare>{_NUMBER})\b", re.IGNORECASE
)
_SMALLER: dict[str, Sequence[tuple[str, int, str]]] = {
    "wee": [("day", 7, ""), ("day", 5, "business")],
    "yea": [("mon", 12, "")],
    "hou": [("min", 60, "")],
}
"""What a unit is in smaller ones: the unit, how many, and of which sort."""
_NO_TOPIC = re.compile(
    rf"{_EMAIL}|{_CLOCK}|\b(?:business|working|calendar) day\b|\b{_NUMBER}\b", re.IGNORECASE
)
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
_ALIKE_DENIED = 0.6
_SAME_BUT_FOR_FIGURES = 0.75
_LEAST_SHARED = 4
_LEAST_SHARED_OF_VERSIONS = 2
_COVERED = 0.5
_MOST = 2


class _Figure(NamedTuple):
    """A number with what it counts, a time of day, or an address.

    Attributes:
        number: in its normal form.
        words: as it is written.
        own: its unit, currency or kind ("" for a bare number), and the number of which sort.
        smaller: the same in a smaller unit, in each sort of that; `own` if there is none.
    """

    number: str
    words: str
    own: tuple[str, str]
    smaller: Sequence[tuple[str, str]]


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
    figures: tuple[_Figure, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", plain_text(self.document, self.quote))
        object.__setattr__(self, "stems", frozenset(_stems(self.words)))
        object.__setattr__(self, "figures", tuple(map(_figure, _FIGURE.finditer(self.words))))


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
    shared, either = ours.stems & theirs.stems, ours.stems | theirs.stems
    alike = len(shared) / max(len(either), 1)
    least = _LEAST_SHARED_OF_VERSIONS if family else _LEAST_SHARED
    if not family and _other_section(ours, theirs):
        return None
    comparable = len(shared) >= least and (family or not _other_subject(ours, theirs))
    if alike >= _ALIKE and comparable:
        if words := _other_values(ours.figures, theirs.figures):
            return words
        if alike >= _SAME_BUT_FOR_FIGURES and (words := _other_figures(ours, theirs)):
            return words
    same_address = bool(_addresses(ours) & _addresses(theirs))
    alike_otherwise = len(shared) / max(len(either - _DENYING), 1)
    if same_address or (alike_otherwise >= _ALIKE_DENIED and comparable):
        return _denied(ours.words, theirs.words)
    return None


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


def _figure(match: re.Match[str]) -> _Figure:
    if unit := match["unit"]:
        return _measure(match, unit.lower()[:3].replace("%", "per"))
    if address := match["address"]:
        kind, value = "address", address.lower()
    elif hour := match["hour"]:
        kind, value = "clock", f"{_hour(int(hour), match['half'])}:{match['minute']}"
    else:
        kind, value = match["currency"] or "", _number(match["amount"] or match["bare"])
    return _Figure(value, match[0], (kind, value), [(kind, value)])


def _measure(match: re.Match[str], unit: str) -> _Figure:
    days = (match["sort"] or "calendar").lower()
    own = unit, 1, "" if days == "calendar" else "business"
    ends = [number for number in (match["low"], match["high"]) if number]
    first, *smaller = [
        (kind, f"{'-'.join(_number(number, times) for number in ends)} {sort}".strip())
        for kind, times, sort in [own, *_SMALLER.get(unit, ())]
    ]
    return _Figure(first[1].split()[0], match[0], first, smaller or [first])


def _hour(hour: int, half: str | None) -> int:
    """5 p.m. as 17."""
    return hour % 12 + 12 * (half.lower() == "p") if half else hour


def _number(text: str, times: int = 1) -> str:
    """8,000.50 as 8000.5; five as 5; so many times."""
    text = text.lower()
    if text in _NUMBERS:
        return str(_NUMBERS[text] * times)
    digits = re.sub(",(?=[0-9]{3})", "", text).replace(",", ".")
    return digits if digits.count(".") > 1 else f"{float(digits) * times:g}"


def _other_values(ours: Iterable[_Figure], theirs: Iterable[_Figure]) -> tuple[str, str] | None:
    """The first kind of value that both have without one in common."""
    units = {figure.own[0] for figure in ours} & {figure.own[0] for figure in theirs}
    mine, yours = (_by_kind(figures, units) for figures in (ours, theirs))
    for kind, values in mine.items():
        others = yours.get(kind, {})
        if others and not values.keys() & others.keys():
            return _listed(values.values()), _listed(others.values())
    return None


def _by_kind(figures: Iterable[_Figure], units: set[str]) -> dict[str, dict[str, str]]:
    """Kind → value → the words for it, in a smaller unit where neither is in these `units`."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for figure in figures:
        as_it_is = not units.isdisjoint((figure.own[0], figure.smaller[0][0]))
        for kind, value in [figure.own] if as_it_is else figure.smaller:
            found[kind][value] = figure.words
    found.pop("", None)
    return found


def _listed(words: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(words))


def _other_figures(ours: Statement, theirs: Statement) -> tuple[str, str] | None:
    """The figures, one by one, in which sentences differ that are otherwise the same."""
    if len(ours.figures) != len(theirs.figures):
        return None
    pairs = zip(ours.figures, theirs.figures, strict=True)
    changed = [(a.words, b.words) for a, b in pairs if _differ(a, b)]
    return (", ".join(a for a, _ in changed), ", ".join(b for _, b in changed)) if changed else None


def _differ(one: _Figure, other: _Figure) -> bool:
    """Not, if they cannot be compared: 30 days and one month."""
    if "" in (one.own[0], other.own[0]):  # "104 hours of leave", "104 leave hours"
        return one.number != other.number
    return one.smaller[0][0] == other.smaller[0][0] and not set(one.smaller) & set(other.smaller)


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
    return {figure.number for figure in statement.figures if figure.own[0] == "address"}


def _stem(word: str) -> str:
    return next(iter(terms(word)), "")


def _stems(text: str) -> set[str]:
    """Stems of the words that say what a sentence is about: no numbers, times and addresses."""
    stems = terms(_NO_TOPIC.sub(" ", text))
    return {stem for stem in stems if len(stem) > 1 and not stem.isdigit()}
