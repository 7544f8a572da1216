"""What leads in to list entries: the sentences above an entry that do not end, or announce it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.text.enumerators import Enumerator, match, without_number
from rag.types import Block

# A full stop may stand before a closing sign, the mark of a note, or both.
_ENDS = re.compile(r"[.!…][\"'”’»)\]]*(?:\[\^?[\w-]+\]|[¹²³⁴-⁹†‡*])*$")
_LEADS = (":", "?", "–", "—")
OPEN = re.compile(
    r"\b(?:not|never|only|to|of|for|by|with|in|on|at|from|under|if|when|where|unless|until|that|"
    r"which|who|whose|and|or|the|an?|is|are|be|been|has|have|must|may|shall|can|will|should|"
    r"following)$",
    re.IGNORECASE,
)
"""No sentence ends with such a word."""
_FOLLOWING = re.compile(
    # "by the following Monday", "in the following financial year"
    r"\bthe following\b(?! (?:\w+ )?"
    r"(?:\w*day|night|morning|evening|week|month|quarter|term|season|year)\b)|\bas follows\b",
    re.IGNORECASE,
)
"""It announces what comes next, even where it ends with a full stop."""
_LIMITS = re.compile(
    r"\b(?:appl(?:y|ies)|exempt\w*|not|never|no|none|only|forbidden|prohibited)\b", re.IGNORECASE
)
_LABELLED = re.compile(r"[\w .-]{2,30}: \S")
_SIGN = re.compile(r"[-–—•*]\s")
_OUTLINE_ROMAN, _OUTLINE_LETTER, _NUMBER, _MOST_POINTS = 1, 2, 3, 4
_LETTER, _ROMAN, _DASH, _LEVEL = 8, 9, 10, 20
"""How deep entries stand in paragraphs of their own: "I." and "A." of an outline, numbers by their
parts, "(a)", "(i)" and "–"; the levels of true lists are further apart, since "a)" may stand in
them as well."""


@dataclass(frozen=True, slots=True)
class Lead:
    """The lead-in of a list or the header of a table.

    Attributes:
        text: without markup.
        span: [start, end) in the canonical text; None for no lead.
        sure: it leads in to what follows, whatever that is.
    """

    text: str = ""
    span: tuple[int, int] | None = None
    sure: bool = True


NO_LEAD = Lead()


class Leads:
    """The leads that are open, by their depth, while blocks are taken in their order."""

    def __init__(self) -> None:
        self._open: dict[int, Lead] = {}
        self._letters = ""
        self._entry: list[Lead] = []

    def close(self) -> None:
        """A table ends what led in to it."""
        self._open.clear()

    def take(self, block: Block, marker: str | None, first: str, last: Lead) -> list[Lead]:
        """The leads of a paragraph or list entry, outermost first; then it may lead itself.

        Args:
            block: the paragraph or entry.
            marker: what stands before an entry; None before a later paragraph of one.
            first: its first sentence.
            last: its last sentence.
        """
        if marker is None and self._entry:
            return self._entry
        depth = self._depth(block, f"{marker} " if marker else first)
        self._open = {above: lead for above, lead in self._open.items() if above < depth}
        leads = list(self._open.values())
        if leads and not leads[-1].sure and not _is_fragment(first):
            leads.pop()
        announces = _FOLLOWING.search(last.text)
        if last.text and (announces or not _ENDS.search(last.text)):
            ends = last.text.endswith(_LEADS) or OPEN.search(last.text)
            sure = block.kind == "item" or ends or announces
            if sure or not _LABELLED.match(last.text):
                self._open[depth] = Lead(last.text, last.span, bool(sure))
        self._entry = [*leads, last] if block.kind == "item" else []
        return leads

    def _depth(self, block: Block, start: str) -> int:
        """How deep a paragraph or entry that starts like this stands; 0 for plain text."""
        style = self._style(start)
        if block.kind == "item":
            return _LEVEL * block.level + style
        # "(a)" in a paragraph of its own may follow "1." in a list.
        above = [opened for opened in self._open if opened % _LEVEL < style]
        return (max(above, default=0) // _LEVEL) * _LEVEL + style if style else 0

    def _style(self, start: str) -> int:
        found = match(start)
        if found is None:
            return _DASH if _SIGN.match(start) else 0
        if found.kind in ("number", "parts"):
            return _NUMBER + min(found.value.count("."), _MOST_POINTS)
        roman = self._is_roman(found)
        if found.value.isupper() and start[found.end - 1] == ".":
            return _OUTLINE_ROMAN if roman else _OUTLINE_LETTER
        return _ROMAN if roman else _LETTER

    def _is_roman(self, found: Enumerator) -> bool:
        """False for "(i)" after "(h)"."""
        before, self._letters = self._letters, found.value
        follows = len(before) == len(found.value) == 1 and ord(found.value) == ord(before) + 1
        return found.kind == "roman" and not follows


def _is_fragment(text: str) -> bool:
    """Whether a text cannot stand alone: it does not end, or goes on in lower case."""
    sign = _SIGN.match(text)
    body = text[sign.end() :] if sign else without_number(text)
    return not _ENDS.search(text) or not body[:1].isupper()


def limits_what_follows(text: str) -> bool:
    """Whether prose would mislead without this sentence before it: "The following is not paid".

    A sentence that only announces something does not limit it: "Note the following".
    """
    return bool(_FOLLOWING.search(text) and _LIMITS.search(text))
