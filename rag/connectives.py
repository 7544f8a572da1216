"""Words by which a sentence leans on the one before it, or takes something back.

All are matched at the start of a sentence without markup and number.
"""

from __future__ import annotations

import re

LEANS_BACK = re.compile(
    r"(?:it|they|this|that|these|those|he|she|such|however|but|also|then|otherwise|instead|"
    r"in (?:this|that|these|those|such) cases?|if so|if not)\b",
    re.IGNORECASE,
)
GOES_ON = re.compile(
    r"(?:it|this|that|they|these)(?:['’](?:s|re)| is| are| means?| refers?)\b", re.IGNORECASE
)
"""It goes on explaining a word."""
EXCEPTIONS = re.compile(
    r"(?:there (?:is|are) )?(?:\w+ )?exceptions?(?:[:.]| (?:is|are|apply|may|for|to|can)\b|$)",
    re.IGNORECASE,
)
"""Of a rule as a whole, not only of what was said last."""
EXCEPTION = re.compile(
    rf"{EXCEPTIONS.pattern}|"
    r"(?:however|but|in no case|at no time|under no circumstances|notwithstanding|"
    r"by way of derogation|provided that|excluded (?:are|is)|exempt|"
    # "This rule does not …", "Paragraph 1 shall not …", "The above does not …"
    r"(?:it|this|that|these|those|the above|(?:sub)?(?:paragraph|section|article|rule|clause)s?)"
    r"(?:\W+\w+){0,3}?\W+(?:does|do|shall) not)\b",
    re.IGNORECASE,
)
LIMITS = re.compile(r"(?:only|except|unless|nothing in)\b", re.IGNORECASE)
"""It may limit the sentence before it, or be a rule of its own."""
AFTER_A_LIST = re.compile(
    r"\b(?:exceptions?|exempt\w*|waive[ds]?|derogat\w*|(?:does|do|shall) not apply)\b",
    re.IGNORECASE,
)
"""Anywhere in the sentence that follows a list: it says where entries do not hold."""
REPLY = re.compile(r"(?:a(?:nswer)?: )?(?:yes|no)\b", re.IGNORECASE)
BARE_REPLY = re.compile(rf"{REPLY.pattern}[.!]?$", re.IGNORECASE)

_NUMBER = re.compile(
    r"^\(?(?:\d{1,3}(?:\.\d{1,3})+[.)]?|(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)])\s+", re.IGNORECASE
)


def without_number(sentence: str) -> str:
    """A sentence without the "(2)" or "b)" in front of it."""
    return _NUMBER.sub("", sentence)
