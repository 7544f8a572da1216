"""Running headers, footers and page numbers of a PDF."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, TypeVar

from rag.loaders.pdf_page import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.loaders.pdf_page import PageContent
    from rag.loaders.pdf_tables import Row

_Key = TypeVar("_Key")

# The share of its height, at the top and at the bottom of a page, in which lines may run through
# the document; and in which browsers print what they add: half a centimetre from the edge.
_EDGE = 0.12
_MARGIN = 0.05
# In sizes of the text: a larger line is a heading.
_NOT_LARGER = 1.25
# The share of the pages on which a line must stand, for a few pages and for more of them.
_OFTEN_OF_FEW = 0.6
_OFTEN = 0.4
_FEW = 6
# The share of the pages that must show a number that counts with them.
_COUNTED = 0.5
# On how many pages a line must stand that differs in the page number only.
_ALIKE = 2
# On two pages, fewer words than this beside a number, as in "Annex 1", are a heading that counts
# by chance.
_TWO = 2
_NAME = 2
# Between the text and a header or footer there is more than an empty line: this times the size
# of the text.
_ROOM = 1.8
# How far the same line may be off from page to page, in points, about.
_HEIGHT = 6
# How far pieces of one row may be off, in points.
_ROW = 2.0
_PAGE_NUMBER = re.compile(
    r"[-–—|\[(]?\s*(?:page|p\.|pg\.?)?\s*(?:\d{1,4}|[ivxl]{1,6})"
    r"\s*(?:(?:of|/)\s*\d{1,4})?\s*[-–—|\])]?",
    re.IGNORECASE,
)
_FIRST_NUMBER = re.compile(r"\W*(\d{1,4})\b")
_LAST_NUMBER = re.compile(r"\b(\d{1,4})(?:\s*(?:of|/)\s*\d{1,4})?\W*$")

# What a browser adds: date, time and title; address, page and number of pages.
_PRINTED = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4},?\s\d{1,2}[:.]\d\d(?:\s?[ap]\.?m\.?)?(?:\s.*)?"
    r"|(?:(?:file|https?)://|about:)\S+\s\d{1,4}/\d{1,4}",
    re.IGNORECASE,
)


def without_running_lines(pages: Sequence[PageContent], body: float) -> list[PageContent]:
    """The pages without headers, footers and page numbers.

    Near the top or bottom edge, a line goes if the same text stands at the same height on most
    pages, or on most odd or even ones; if it shows the number of its page; or if a browser added
    it in print. `body` is the size of the text in points.
    """
    running = _Running(pages, body)
    return [_without(page, running.lines(page)) for page in pages]


class _Running:
    """What repeats from page to page."""

    def __init__(self, pages: Sequence[PageContent], body: float) -> None:
        self._body = body
        edges = [(page.number, _edge_lines(page)) for page in pages]
        self._seen = _pages_of((_key(line), page) for page, lines in edges for line in lines)
        numbers = {page.number for page in pages}
        self._of_two = len(numbers) == _TWO
        # All pages, the even and the odd ones.
        self._pages = {None: numbers, 0: {n for n in numbers if not n % 2}}
        self._pages[1] = numbers - self._pages[0]
        offsets = Counter(
            offset
            for number, lines in edges
            for offset in {n - number for line in lines for n, _ in _numbers(line)}
        )
        common = max(offsets, key=lambda offset: (offsets[offset], -abs(offset)), default=0)
        needed = max(min(3, len(pages)), _ALIKE, len(pages) * _COUNTED)
        self._offset = common if offsets[common] >= needed else None
        self._beside = _pages_of(
            (key, page)
            for page, lines in edges
            for line in lines
            for key in self._beside_number(line, page)
        )

    def lines(self, page: PageContent) -> set[Line]:
        """Those of the page that run through the document."""
        edge = _edge_lines(page)
        printed = {line for line in edge if _is_printed(line, edge, page.height)}
        gone = printed.union(line for line in edge if self._repeats(line))
        alone = [line for line in edge if _PAGE_NUMBER.fullmatch(line.text.strip())]
        beside = [line for line in edge if self._counts(line, page.number)]
        alternate = [line for line in edge if self._repeats(line, page.number % 2)]
        text = _without(page, gone.union(alone, beside, alternate)).parts
        gone.update(line for line in alternate if self._apart(line, text))
        numbers = [line for line in alone if self._is_number(line, page.number, text)]
        if not numbers:
            # A page has one number: if there are two, that nearer to the text is a heading.
            beside.sort(key=lambda line: min(line.top, page.height - line.bottom))
            numbers = [line for line in beside if self._apart(line, text)][:1]
        return gone.union(numbers)

    def _repeats(self, line: Line, odd: int | None = None) -> bool:
        """Whether the line is on most pages; or on most of the odd ones (1) or even ones (0)."""
        pages = self._pages[odd]
        text, height = _key(line)
        near = (self._seen[text, height + shift] for shift in (-1, 0, 1))
        share = _OFTEN_OF_FEW if len(pages) < _FEW else _OFTEN
        return len(set().union(*near) & pages) >= max(_ALIKE, len(pages) * share)

    def _is_number(self, line: Line, page: int, text: Sequence[Line | Row]) -> bool:
        """Whether a number that stands alone is that of its page."""
        counts = not self._of_two and bool(self._beside_number(line, page))
        return counts or self._apart(line, text)

    def _counts(self, line: Line, page: int) -> bool:
        """Whether the line differs from those of other pages in the number of the page only.

        A header may name the chapter, so it need not be the same on most pages. A sentence that
        happens to begin or end with that number has no like.
        """
        if line.size > self._body * _NOT_LARGER:
            return False
        for rest, height, size, bold in self._beside_number(line, page):
            if self._of_two and len(rest.split()) < _NAME:
                continue
            near = (self._beside[rest, height + shift, size, bold] for shift in (-1, 0, 1))
            if len(set().union(*near)) >= _ALIKE:
                return True
        return False

    def _beside_number(self, line: Line, page: int) -> set[tuple[str, int, float, bool]]:
        """What stands beside the number of the page, where and how; empty if it is not there."""
        height = _key(line)[1]
        return {
            (rest, height, line.size, line.bold)
            for number, rest in _numbers(line)
            if number - page == self._offset
        }

    def _apart(self, line: Line, text: Sequence[Line | Row]) -> bool:
        """Whether the line stands in the margin, not at the beginning or end of the text.

        "Article 3" on page 3 is a heading, and "25" the end of a sentence or a table.
        """
        room = _ROOM * self._body
        return all(max(part.top - line.bottom, line.top - part.bottom) >= room for part in text)


def _pages_of(found: Iterable[tuple[_Key, int]]) -> defaultdict[_Key, set[int]]:
    """The pages on which each of these stands: twice on one page is once."""
    pages: defaultdict[_Key, set[int]] = defaultdict(set)
    for key, page in found:
        pages[key].add(page)
    return pages


def _without(page: PageContent, lines: set[Line]) -> PageContent:
    return page._replace(parts=[part for part in page.parts if part not in lines])


def _edge_lines(page: PageContent) -> list[Line]:
    low, high = page.height * _EDGE, page.height * (1 - _EDGE)
    lines = [part for part in page.parts if isinstance(part, Line)]
    return [line for line in lines if line.bottom < low or line.top > high]


def _is_printed(line: Line, edge: Sequence[Line], height: float) -> bool:
    """Whether a browser added the line, or the row in the margin of which it is a piece."""
    if height * _MARGIN < line.bottom and line.top < height * (1 - _MARGIN):
        return False
    row = [other for other in edge if abs(other.top - line.top) <= _ROW]
    row.sort(key=lambda piece: piece.x0)
    return bool(_PRINTED.fullmatch(" ".join(piece.text for piece in row)))


def _key(line: Line) -> tuple[str, int]:
    return line.text.lower(), round(line.top / _HEIGHT)


def _numbers(line: Line) -> list[tuple[int, str]]:
    """The numbers at either end of the line, each with the rest of the line."""
    text = line.text.lower()
    found = (_FIRST_NUMBER.match(text), _LAST_NUMBER.search(text))
    return [
        (int(number[1]), f"{text[: number.start(1)]}{text[number.end(1) :]}".strip())
        for number in found
        if number
    ]
