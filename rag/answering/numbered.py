"""Paragraphs that name each other by their numbers, and what they say of each other.

| written | says |
| --- | --- |
| "Paragraphs 2 to 4 do not apply …", "Notwithstanding clause 7.1, …" | it takes back those |
| "Subject to clause 7.4, …", "… except as provided in paragraph 3" | it is limited by those |
"""

from __future__ import annotations

import re

from rag.answering.places import Place
from rag.text.connectives import DOES_NOT_HOLD

_UNIT = r"(?:sub)?(?:paragraph|section|number|rule|article|clause|point|item)s?"
_NUMBER = r"(?:\(?\d{1,3}(?:\.\d{1,3})*[a-z]?\)?(?:\(\w{1,4}\))*|\([a-z]{1,4}\))"
_NUMBERS = (
    rf"(?P<unit>{_UNIT})\s+(?P<numbers>{_NUMBER}"
    rf"(?:(?:\s*(?:,|–|-)\s*|,?\s+(?:and|or|to)\s+)(?:{_UNIT}\s+)?{_NUMBER})*)(?!\w)"
)
# The full stop of "2.1" ends no sentence.
_NOT_APPLIED = re.compile(
    rf"{_NUMBERS}(?:[^.]|\.(?=\d))*?\b(?:{DOES_NOT_HOLD}|appl(?:y|ies) only)\b", re.IGNORECASE
)
_DEROGATES = re.compile(
    r"(?:notwithstanding|(?:by way of |in )?derogati(?:on|ng) (?:from|of)|in deviation from) "
    rf"(?:the provisions of )?{_NUMBERS}",
    re.IGNORECASE,
)
_LIMITED = re.compile(
    rf"\b(?:subject to|(?:except|save) (?:as|where)\b[^,;.]*?|unless\b[^,;.]*?)\s{_NUMBERS}",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\b(\d{1,3})(?: to |[–-])(\d{1,3})\b(?!\.\d)")
_WIDEST_RANGE = 30
_HEADING_NUMBER = re.compile(
    r"(?:\b(?:article|section|art\.|sec\.)|§)\s*(\d{1,3})\b|^(\d{1,3})\.?\s", re.IGNORECASE
)


def numbers_taken_back(place: Place) -> set[str]:
    """The paragraphs that by this sentence do not hold, or hold otherwise."""
    return _numbers(place, _NOT_APPLIED.match(place.text) or _DEROGATES.match(place.text))


def named_by(place: Place) -> list[Place]:
    """The sentences without which one cannot be trusted, since it names their numbers.

    What limits it, and what it says does not hold: "Subsection (2) does not apply …".
    """
    text = place.text
    found = (_LIMITED.search(text), _NOT_APPLIED.match(text))
    numbers = set().union(*(_numbers(place, one) for one in found)) - {place.number}
    by_number = (_nearest(place, number) for number in sorted(numbers))
    return [other for other in by_number if other is not None]


def takes_back(place: Place) -> Place | None:
    """The later sentence by which a paragraph does not hold."""
    number = place.number
    after = place.all_after() if number else ()
    return next((one for one in after if number in numbers_taken_back(one)), None)


def _nearest(place: Place, number: str) -> Place | None:
    """The sentence with a number that stands nearest to another, if the passage has it."""
    others = (Place(place.chunk, at) for at in range(len(place.chunk.sentences)))
    found = [one for one in others if one.at != place.at and one.number == number]
    return min(found, key=lambda one: abs(one.at - place.at), default=None)


def _numbers(place: Place, found: re.Match[str] | None) -> set[str]:
    if found is None:
        return set()
    written = found["numbers"]
    numbers: set[str] = set()
    own = _numbers_of_headings(place)
    for whole, parts in re.findall(
        r"(\d[\d.]*[a-z]?\b|(?<![\w)])\([a-z]+\))((?:\(\w+\))*)", written
    ):
        if not parts:
            numbers.add(whole.strip("()."))
        elif whole in own:
            # "Article 5(2)" below "Article 5".
            numbers.add(parts.strip("()").partition(")")[0])
    for first, last in _RANGE.findall(written):
        if int(first) < int(last) < int(first) + _WIDEST_RANGE:
            numbers.update(map(str, range(int(first), int(last) + 1)))
    if own and found["unit"].lower().rstrip("s") in ("article", "section"):
        # Below "Article 4", "Article 2" is another heading, and no paragraph.
        numbers = {number for number in numbers if "." in number or f"({number})" in written}
    return numbers


def _numbers_of_headings(place: Place) -> set[str]:
    found = (_HEADING_NUMBER.search(heading) for heading in place.chunk.headings)
    return {one[1] or one[2] for one in found if one}
