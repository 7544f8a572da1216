"""The figures of a sentence: amounts with their units, times of day, sums of money, addresses.

| written | read |
| --- | --- |
| 5 days · five calendar days · thirty (30) days | of that kind; a day is one of the calendar |
| 5 working days · 5 business days | days too, of another sort |
| two weeks | 14 days or 10 working days, where the other text has days |
| one year · 12 months; 1 hour · 60 minutes | the same; a month has no certain number of days |
| half a day · half-day · 0.5 days; two half-days · 1 day | the same |
| 3-5 days · 3 to 5 days · between 3 and 5 days | one range, another value than each of its ends |
| 5 % · 5 percent · five per cent | the same |
| €5k · €5,000 · EUR 5 000 · 5.000 euros | the same; of other currencies: nothing in common |
| 5 pm · 5:00 p.m. · 17:00 | the same; hours without "am" or "pm" need their minutes |
| a@b.example | an address |
| any other number | bare: what it counts is not known |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

from rag.answering.numerals import NUMBER, START, values

BARE, ADDRESS, CLOCK = "", "address", "clock"
_UNITS = (
    "day|week|month|year|hour|minute|night|character|crown|dollar|euro|kilometre|kilometer|mile|"
    "quote|copy|page"
)
_SAME_UNIT = {
    "percent": "%", "per cent": "%", "copies": "copy", "kilometer": "kilometre",
    "dollar": "$", "usd": "$", "euro": "€", "eur": "€", "gbp": "£",
}  # fmt: skip
_SMALLER: dict[str, Sequence[tuple[str, int, str]]] = {
    "week": [("day", 7, ""), ("day", 5, "business")],
    "year": [("month", 12, "")],
    "hour": [("minute", 60, "")],
}
"""What a unit is in smaller ones: the unit, how many, and of which sort."""
_SCALES = {"k": 1_000, "m": 1_000_000, "bn": 1_000_000_000}

_EMAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_TIME = (
    r"\b(?P<hour>2[0-4]|[01]?\d)(?:[:.](?P<minute>[0-5]\d))?"
    r"(?:\s*(?P<half>[ap])(?:m\b|\.\s?m\.?)|(?<=:\d\d)\b)"  # "17:00" needs no "pm"
)
_AGAIN = r"(?:\s*\(\d+\))?"
_MEASURE = (
    rf"(?:(?P<between>\bbetween)\s+)?(?P<low>{NUMBER}){_AGAIN}"
    rf"(?:\s*(?:-|–|to|or|(?(between)and|(?!)))\s*(?P<high>{NUMBER}){_AGAIN})?[\s-]*"
    r"(?:(?P<sort>calendar|business|working|work)[\s-]+|(?:consecutive|full|unused|more)\s+)?"
    rf"(?P<unit>%|[€£$](?!\s?\d)|(?:per ?cent|copies|(?:{_UNITS})s?|EUR|USD|GBP)\b)"
)
_HALVED = (
    rf"(?:(?P<halves>{NUMBER})[\s-]+half|\bhalf(?:[\s-]+an?)?)[\s-]+"
    rf"(?P<halved>{_UNITS}|per ?cent)(?(halves)s?)\b"
)
_MONEY = (
    rf"(?P<currency>[$€£]|\b(?:EUR|USD|GBP)\b)\s?(?P<amount>{NUMBER})"
    r"(?:\s?(?P<scale>k|m|bn)\b)?"
)
# Looked at first, for most words begin no figure.
_START = rf"(?=[$€£]|(?:half|between|EUR|USD|GBP)\b|{START})"
_FIGURE = re.compile(
    rf"(?<!\w)(?:(?P<address>{_EMAIL})|{_START}(?:{_TIME}|{_HALVED}|{_MEASURE}|{_MONEY}"
    rf"|(?P<bare>{NUMBER})\b))",
    re.IGNORECASE,
)
_ANY = re.compile(
    rf"(?<!\w)(?:{_EMAIL}|(?:business|working|calendar) day\b"
    rf"|{_START}(?:{_TIME}|{_MONEY}|{NUMBER}\b))",
    re.IGNORECASE,
)


class Figure(NamedTuple):
    """A number with what it counts, a time of day, or an address.

    Attributes:
        words: as it is written.
        kind: its unit or currency, `CLOCK`, `ADDRESS` or `BARE`.
        values: what it may be, and of which sort, in a form that all spellings have in common.
        smaller: kinds and values in a smaller unit, in each sort of that; its own if there is none.
    """

    words: str
    kind: str
    values: tuple[str, ...]
    smaller: tuple[tuple[str, str], ...]

    @property
    def own(self) -> Sequence[tuple[str, str]]:
        """Its kind with each of its values."""
        return [(self.kind, value) for value in self.values]


def figures(text: str) -> tuple[Figure, ...]:
    """All figures of a sentence without markup, in their order."""
    return tuple(map(_figure, _FIGURE.finditer(text)))


def without_figures(text: str) -> str:
    """The rest of a sentence: what it is about, but no units, for these are words like others."""
    return _ANY.sub(" ", text)


def differ(one: Figure, other: Figure) -> bool:
    """Whether they have other values; not, if they cannot be compared, such as 30 days and a month.

    A bare number may count the same thing, as in "104 leave hours" and "104 hours of leave"; it is
    no time of day, share or address.
    """
    if BARE in (one.kind, other.kind):
        if {one.kind, other.kind} & {CLOCK, ADDRESS, "%"}:
            return False
        return {v.split()[0] for v in one.values}.isdisjoint(v.split()[0] for v in other.values)
    kinds = [{kind for kind, _ in figure.smaller} for figure in (one, other)]
    return kinds[0] == kinds[1] and set(one.smaller).isdisjoint(other.smaller)


def _figure(match: re.Match[str]) -> Figure:
    if unit := match["unit"]:
        return _measure(match, unit)
    if halved := match["halved"]:
        return _in_units(match[0], [match["halves"] or "one"], _unit(halved), "", 0.5)
    if address := match["address"]:
        return _plain(match[0], ADDRESS, [address.lower()])
    if match["hour"]:
        return _plain(match[0], CLOCK, [_time(match)])
    scale = _SCALES.get((match["scale"] or "").lower(), 1)
    kind = _unit(match["currency"]) if match["currency"] else BARE
    return _plain(match[0], kind, values(match["amount"] or match["bare"], scale))


def _plain(words: str, kind: str, found: Iterable[str]) -> Figure:
    found = tuple(found)
    return Figure(words, kind, found, tuple((kind, value) for value in found))


def _measure(match: re.Match[str], unit: str) -> Figure:
    sort = (match["sort"] or "calendar").lower()
    ends = [number for number in (match["low"], match["high"]) if number]
    return _in_units(match[0], ends, _unit(unit), "" if sort == "calendar" else "business")


def _in_units(words: str, ends: Sequence[str], unit: str, sort: str, times: float = 1) -> Figure:
    own = _amounts(ends, times, sort)
    smaller = tuple(
        (kind, value)
        for kind, many, of_sort in _SMALLER.get(unit, ())
        for value in _amounts(ends, times * many, of_sort)
    )
    return Figure(words, unit, own, smaller or tuple((unit, value) for value in own))


def _amounts(ends: Sequence[str], times: float, sort: str) -> tuple[str, ...]:
    """A number or the two ends of a range, so many times, e.g. ("3-5 business",)."""
    readings = product(*(values(number, times) for number in ends))
    return tuple(f"{'-'.join(numbers)} {sort}".strip() for numbers in readings)


def _unit(written: str) -> str:
    """The name that a unit or currency has here: "days" is "day", "EUR" is "€"."""
    name = " ".join(written.lower().split())
    name = name if name in _SAME_UNIT else name.removesuffix("s")
    return _SAME_UNIT.get(name, name)


def _time(match: re.Match[str]) -> str:
    """5 p.m. as "17:00", midnight as "0:00"."""
    hour, half = int(match["hour"]), (match["half"] or "").lower()
    hour = hour % 12 + 12 * (half == "p") if half else hour % 24
    return f"{hour}:{match['minute'] or '00'}"
