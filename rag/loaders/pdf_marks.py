"""Raised and lowered marks on a PDF page, such as those of notes: "25" with a "3" is not 253."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from rag.loaders.pdf_words import SPACE
from rag.text.markup import raised

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rag.loaders.pdf_words import Word

# Marks of notes, exponents, and the end of "1st".
_MARK = re.compile(r"[\d/,;()\[\]+–−*∗†‡§¶-]{1,12}|st|nd|rd|th")
# How large a mark is beside its word: TeX sets it in 0.7, browsers in 0.83, or more where the word
# is small already. A large first letter of a chapter makes what follows it look smaller than that.
_SIZES = (0.4, 0.95)
# How far its baseline is above that of its word, in sizes of the word: a third is usual, half in
# reportlab …
_RAISED = (0.18, 0.7)
# … or below it, as in formulas. Smaller figures on the same baseline are no marks.
_LOWERED = (-0.45, -0.1)
# How far letters reach below their baseline, in sizes of them.
_DESCENT = 0.2
# What lies between a mark and the word after it, in sizes of the word: a space at most.
_GAP = 0.5


class _Place(NamedTuple):
    """Where something ends, and the word whose line it is on: a mark may follow a mark."""

    x: float
    word: Word


def with_marks(words: Sequence[Word]) -> list[Word]:
    """The words of a page, with marks written as such, at the height of the word beside them.

    That is the word before, or the one after if a note begins with its mark. In this way marks
    stand on the line of their word, however far they are raised.
    """
    result = list(words)
    largest = max((word.size for word in words), default=0.0)
    marks = [
        index
        for index, word in enumerate(words)
        if word.size <= _SIZES[1] * largest and _MARK.fullmatch(word.text)
    ]
    if not marks:
        return result
    # By the points, from the left, at which they end and begin.
    ends: defaultdict[int, list[_Place]] = defaultdict(list)
    starts: defaultdict[int, list[Word]] = defaultdict(list)
    for word in words:
        ends[int(word.x1)].append(_Place(word.x1, word))
        starts[int(word.x0)].append(word)
    for index in sorted(marks, key=lambda index: words[index].x0):
        mark = words[index]
        beside = next(_before(mark, ends, largest), None) or next(
            _after(mark, starts, largest), None
        )
        if beside:
            text = raised(mark.text, below=_rise(mark, beside) < 0)
            result[index] = mark._replace(text=text, top=beside.top, bottom=beside.bottom)
            ends[int(mark.x1)].append(_Place(mark.x1, beside))
    return result


def _before(mark: Word, ends: defaultdict[int, list[_Place]], largest: float) -> Iterator[Word]:
    """Words that the mark touches, raised or lowered."""
    room = SPACE * largest
    for x in range(int(mark.x0 - room), int(mark.x0 + room) + 1):
        for end, word in ends.get(x, ()):
            if abs(mark.x0 - end) <= SPACE * word.size and (
                _is_between(_rise(mark, word), _RAISED, word)
                or _is_between(_rise(mark, word), _LOWERED, word)
            ):
                yield word


def _after(mark: Word, starts: defaultdict[int, list[Word]], largest: float) -> Iterator[Word]:
    """Words before which the mark stands, raised."""
    for x in range(int(mark.x1) - 1, int(mark.x1 + _GAP * largest) + 1):
        for word in starts.get(x, ()):
            near = word.x0 - mark.x1 <= _GAP * word.size
            if near and _is_between(_rise(mark, word), _RAISED, word):
                yield word


def _rise(mark: Word, word: Word) -> float:
    """How far the mark is raised beside the word, in points; 0 if it has not the size of a mark."""
    height, own = word.bottom - word.top, mark.bottom - mark.top
    if not _SIZES[0] * height <= own <= _SIZES[1] * height:
        return 0.0
    return word.bottom - mark.bottom - _DESCENT * (height - own)


def _is_between(rise: float, bounds: tuple[float, float], word: Word) -> bool:
    height = word.bottom - word.top
    return bounds[0] * height <= rise <= bounds[1] * height
