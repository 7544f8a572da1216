"""Words of a PDF that are divided at the ends of lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMPOUND = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
"""A word, with its hyphens."""

_FIRST_WORD = re.compile(r"[^\W\d_]+")
_LAST_WORD = re.compile(r"[^\W\d_]+$")
_SOFT_HYPHEN = "\u00ad"
_HYPHEN = re.compile(r"(?<=\w)[-\u00ad\u2010]$")
_ADDRESS = re.compile(r"@|://|\bwww\.|\w\.\w+/")
# What is mostly followed by a hyphen: "self-employed" …
_COMBINING = frozenset(
    "co cost cross full half high large long low multi non one part quasi risk self short single"
    " small socio third three two vice well".split()
)
# … and what begins like that but is one word: "costly", "cohesion".
_ENDING = re.compile(r"ly|e[dnr]|ers|est|ings?|ish|less|ness|ages?|ened|ening")
_ONE_WORD = re.compile(
    r"co(?:erc|he[rs]|hort|inc|lum)|highl?(?:ight|way)|multi(?:pl[eiy]|tud)|nonsens|part(?:ner|i)"
)
_BOTH = frozenset(("and", "or", "to"))


def healed(
    lines: Sequence[tuple[int, str]], words: Mapping[str, int]
) -> list[tuple[int, str, str]]:
    """Join the lines of a block, page by page.

    Args:
        lines: each with its page.
        words: how often each word, in lower case, is in the document.

    Returns:
        (page, text, what joins it to the text of the page before).
    """
    joined: list[tuple[int, str, str]] = []
    for page, text in lines:
        if not joined:
            joined.append((page, text, ""))
            continue
        last_page, last, last_glue = joined[-1]
        last, glue = _joint(last, text, words)
        if page == last_page:
            joined[-1] = (page, f"{last}{glue}{text}", last_glue)
        else:
            joined[-1] = (last_page, last, last_glue)
            joined.append((page, text, glue))
    return joined


def _joint(last: str, text: str, words: Mapping[str, int]) -> tuple[str, str]:
    """A line as it stands before the next one, and what joins the two."""
    hyphen = _HYPHEN.search(last)
    if not hyphen or not text[:1].isalnum():
        return last, " "
    if hyphen[0] == _SOFT_HYPHEN:
        return last[:-1], ""
    before, after = _LAST_WORD.search(last[:-1]), _FIRST_WORD.match(text)
    if not before or not after or _ADDRESS.search(last.split()[-1] + text.split()[0]):
        return last, ""
    if before[0].lower() in _COMBINING and after[0] in _BOTH:
        return last, " "
    return last if _compound(before[0], after[0], words) else last[:-1], ""


def _compound(before: str, after: str, words: Mapping[str, int]) -> bool:
    """Whether the hyphen belongs to the word, judged first by the other words of the document."""
    first, second = before.lower(), after.lower()
    whole, divided = words.get(first + second, 0), words.get(f"{first}-{second}", 0)
    if whole != divided:
        return divided > whole
    if after[0].isupper():
        return True
    one_word = _ENDING.fullmatch(second) or _ONE_WORD.match(first + second)
    return first in _COMBINING and not one_word
