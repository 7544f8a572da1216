"""Numbers as people write them, in digits and in words.

| written | read |
| --- | --- |
| 1,000 · 1 000 · 1'000 · one thousand · a thousand | 1000 |
| 1.000 | 1000 or 1: who writes so is not known, so it is the same as either |
| 1,000.50 · 1.000,50 · 1 000,50 | 1000.5 |
| 1,5 · 1.5 · 1½ · 1 1/2 · one and a half | 1.5 |
| twenty-five · twenty five | 25 |
| one hundred and twenty | 120 |
| 2 million · two million | 2000000 |
| -5 · −5 · minus 5 | -5; but 5 after another figure ("3-5") and where a sentence begins |
| 1.2.3 · 1,2,3 | no number but a name, the same only as itself |
| 5th · twenty-fifth | nothing: an order is no amount |
"""

from __future__ import annotations

import re

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS: dict[str, float] = {
    **{word: n for n, word in enumerate(_SMALL)},
    **{word: 10 * n for n, word in enumerate(_TENS, start=2)},
    "a": 1, "half": 0.5, "hundred": 100,
    "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000,
}  # fmt: skip
_PARTS = {"½": 0.5, "¼": 0.25, "¾": 0.75, "1/2": 0.5, "1/4": 0.25, "3/4": 0.75}

_SIGN = r"(?:(?<=[\s(])[-−](?=\d)|\bminus\s+)?"
_BELOW_100 = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(_SMALL[1:10])})\b)?|{'|'.join(_SMALL)})"
    r"\b(?!-(?:first|second|third|\w+th)\b)"
)
_BELOW_1000 = rf"(?:(?:{_BELOW_100}|a)\s+hundred\b(?:(?:\s+and)?\s+{_BELOW_100})?|{_BELOW_100})"
_IN_WORDS = rf"(?:(?:{_BELOW_1000}|a)\s+thousand\b(?:(?:,|\s+and)?\s+{_BELOW_1000})?|{_BELOW_1000})"
_IN_DIGITS = r"(?:\d{1,3}(?:[ '’]\d{3})+(?:[.,]\d+)?(?![.,]?\d)|\d+(?:[.,]\d+)*)"
_PART = r"(?:[½¼¾]|(?<![\d/])(?:1/[24]|3/4)(?![\d/]))"
NUMBER = (
    rf"(?:{_SIGN}\b(?:(?:{_IN_DIGITS}\s?)?{_PART}|{_IN_DIGITS}|{_IN_WORDS})"
    r"(?:\s+and\s+a\s+half\b)?(?:\s+(?:hundred|thousand|million|billion)\b)?)"
)
"""A pattern without groups; its letters in any case."""
START = rf"(?:[\d½¼¾−-]|(?:a|minus|{'|'.join(_SMALL + _TENS)})\b)"
"""What every number begins with, as a pattern that is quick to look for."""


def values(text: str, times: float = 1) -> tuple[str, ...]:
    """What a number may be, so many times, in the form that all its spellings have in common.

    Args:
        text: what `NUMBER` matched.
        times: "2" is ("14",) seven times.
    """
    text = " ".join(text.lower().split()).replace("and a half", "half")
    sign = -times if text.startswith(("-", "−", "minus")) else times
    rest, part = text, 0.0
    for written, value in _PARTS.items():
        if written in text:
            rest, part = text.replace(written, " "), value
    digits = re.search(_IN_DIGITS, rest)
    read = _read_digits(digits[0]) if digits else (0.0,)
    words = [_WORDS[word] for word in re.findall("[a-z]+", rest) if word in _WORDS]
    return tuple(f"{sign * _with_words(one + part, words):.12g}" for one in read) or (text,)


def _with_words(total: float, words: list[float]) -> float:
    """A number that goes on in words: 2 and [1000, 5, 100] as 2500."""
    thousands = 0.0
    for value in words:
        if value < 100:
            total += value
        elif value == 100:
            total = (total or 1) * 100
        else:
            thousands, total = thousands + (total or 1) * value, 0.0
    return thousands + total


def _read_digits(text: str) -> tuple[float, ...]:
    """8,000.50 as 8000.5; both readings of 1.000; nothing for 1.2.3."""
    text = re.sub("[ '’]", "", text)
    *whole, last = re.split("[.,]", text)
    marks = re.findall("[.,]", text)
    grouped = bool(whole) and whole[0][0] != "0" and len(whole[0]) <= 3
    grouped = grouped and all(len(group) == 3 for group in whole[1:])
    if not marks:
        return (float(text),)
    if len(set(marks)) == 2 and grouped and marks.count(marks[-1]) == 1:
        return (float(f"{''.join(whole)}.{last}"),)
    if len(set(marks)) == 1 and grouped and len(last) == 3:
        joined, alone = float("".join(whole) + last), len(whole) == 1 and marks == ["."]
        return (joined, float(text)) if alone else (joined,)
    return (float(f"{whole[0]}.{last}"),) if len(marks) == 1 else ()
