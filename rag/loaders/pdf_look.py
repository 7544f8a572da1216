"""What lines of a PDF look like: headings, room between them, notes at the foot of a page."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.loaders.builder import clean
from rag.loaders.pdf_page import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rag.loaders.pdf_page import PageContent
    from rag.loaders.pdf_tables import Row

# In sizes of the text. Sizes are rounded to half a point, so 11 may be 11.5 …
_LARGER = 1.12
_NOT_SMALLER = 0.97
# … and a note is a point smaller at least.
_NOTE = 0.9
HEADING_AT_MOST = 250
"""Characters."""
# Characters of a heading that is bold, not larger. It may not reach the end of its line by this
# share of the width, as a bold sentence would.
_BOLD_AT_MOST = 100
_ROOM_BEHIND = 0.03
# One in so many letters is bold, at most, if bold is to mean something.
_ALL_PER_BOLD = 3
# A new paragraph has so much more room above it than a line of the last one: in points, and in
# sizes of the text.
_MORE_ROOM = 1.5
_MORE_ROOM_SIZES = 0.25
# The room between the lines of a paragraph in sizes of the text: even double spacing has no more;
# a text of single lines does not show its own.
_GAP_AT_MOST = 1.2
_GAP_UNKNOWN = 0.3
_WORD = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class Look:
    """What is usual in a document, so that it shows which lines are not.

    Attributes:
        outline: the depth of each bookmark by its title in lower case.
        body: the size of the text, in points.
        levels: the depth of headings by their size.
        bold_stands_out: whether so little is bold that it marks headings.
        gap: the room between two lines of a paragraph, in points.
    """

    outline: Mapping[str, int]
    body: float
    levels: Mapping[float, int]
    bold_stands_out: bool
    gap: float

    @classmethod
    def of(cls, pages: Sequence[PageContent], outline: Mapping[str, int]) -> Look:
        """That of these pages."""
        lines = [part for page in pages for part in page.parts if isinstance(part, Line)]
        body = body_size(pages)
        large = sorted({line.size for line in lines if line.size >= body * _LARGER}, reverse=True)
        letters = sum(len(line.text) for line in lines)
        bold = sum(len(line.text) for line in lines if line.bold)
        return cls(
            outline,
            body,
            {size: min(6, level) for level, size in enumerate(large, start=1)},
            bold * _ALL_PER_BOLD < letters,
            _usual_gap(pages, body),
        )

    def heading_level(self, line: Line, previous: Line | None) -> int:
        """The depth of the heading that a line is, from 1; 0 if it is none."""
        text = clean(line.text)
        if len(text) > HEADING_AT_MOST or not _WORD.search(text):
            return 0
        named = self.outline.get(text.lower(), 0)
        if named:
            return named
        if line.size in self.levels and len(text) > 1:
            return self.levels[line.size]
        bold = line.bold and self.bold_stands_out and line.size >= self.body * _NOT_SMALLER
        if bold and _is_short(line, text) and self.is_apart(line, previous):
            return min(6, len(self.levels) + 1)
        return 0

    def is_apart(self, line: Line, previous: Line | None) -> bool:
        """Whether there is more room above the line than between lines of a paragraph."""
        if previous is None or line.top < previous.top or line.left != previous.left:
            return True
        more = max(_MORE_ROOM, _MORE_ROOM_SIZES * self.body)
        return line.top - previous.bottom > self.gap + more

    def notes(self, page: PageContent) -> set[Line]:
        """The small lines at the foot of the page, or of one of its columns."""
        most = _NOTE * min(self.body, body_size([page]))
        lines = [part for part in page.parts if isinstance(part, Line)]
        small = [line for line in lines if line.size <= most]
        if not small:
            return set()
        chosen = set(small)
        others = [part for part in page.parts if part not in chosen]
        return {
            line
            for line in small
            if not any(part.top >= line.top for part in _in_line_with(line, others))
            and any(part.top < line.top for part in others)
        }


def body_size(pages: Iterable[PageContent]) -> float:
    """The size in which most of the text is set, in points; 0 if there is none."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for part in page.parts:
            if isinstance(part, Line):
                sizes[part.size] += len(part.text)
    return max(sizes, key=lambda size: (sizes[size], -size)) if sizes else 0.0


def _is_short(line: Line, text: str) -> bool:
    ends_early = line.x1 < line.right - _ROOM_BEHIND * (line.right - line.left)
    return ends_early and len(text) <= _BOLD_AT_MOST and text[-1] not in ".,;:"


def _in_line_with(line: Line, parts: Sequence[Line | Row]) -> Iterable[Line | Row]:
    """Those that stand above or below the line. A table is as wide as the page, for all we know."""
    for part in parts:
        if not isinstance(part, Line) or (part.x0 < line.x1 and part.x1 > line.x0):
            yield part


def _usual_gap(pages: Sequence[PageContent], body: float) -> float:
    """The room between two lines of a paragraph, in points."""
    gaps = sorted(
        below.top - above.bottom
        for page in pages
        for above, below in zip(page.parts, page.parts[1:], strict=False)
        if isinstance(above, Line)
        and isinstance(below, Line)
        and above.size == below.size == body
        and above.left == below.left
        and below.top > above.top
    )
    # Most lines are no last ones of a paragraph: a third of all is never too far.
    return min(gaps[len(gaps) // 3], _GAP_AT_MOST * body) if gaps else _GAP_UNKNOWN * body
