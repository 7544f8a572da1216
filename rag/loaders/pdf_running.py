"""Running headers, footers and page numbers of a PDF."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, TypeVar

from rag.loaders.pdf_page import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rag.loaders.pdf_page import PageContent, Row

_Key = TypeVar("_Key")

_EDGE = 0.12
_NOT_LARGER = 1.25
# On how many pages a line must stand that differs in the page number only.
_ALIKE = 2
# Between the text and a header or footer there is more than an empty line: this times the size
# of the text.
_ROOM = 1.8
_PAGE_NUMBER = re.compile(
    r"[-–—|\[(]?\s*(?:page|p\.|pg\.?)?\s*(?:\d{1,4}|[ivxl]{1,6})"
    r"\s*(?:(?:of|/)\s*\d{1,4})?\s*[-–—|\])]?",
    re.IGNORECASE,
)
_FIRST_NUMBER = re.compile(r"\W*(\d{1,4})\b")
_LAST_NUMBER = re.compile(r"\b(\d{1,4})(?:\s*(?:of|/)\s*\d{1,4})?\W*$")


def without_running_lines(pages: Sequence[PageContent], body: float) -> list[PageContent]:
    """The pages without headers, footers and page numbers.

    Near the top or bottom edge, a line goes if the same text stands at the same height on most
    pages, or if it shows the number of its page. `body` is the size of the text in points.
    """
    running = _Running(pages, body)
    return [_without(page, running.lines(page)) for page in pages]


class _Running:
    """What repeats from page to page."""

    def __init__(self, pages: Sequence[PageContent], body: float) -> None:
        self._body = body
        edges = [(page.number, _edge_lines(page)) for page in pages]
        self._seen = _pages_of((_key(line), page) for page, lines in edges for line in lines)
        self._needed = max(2, len(pages) * (0.6 if len(pages) < 6 else 0.4))
        offsets = Counter(
            offset
            for number, lines in edges
            for offset in {n - number for line in lines for n, _ in _numbers(line)}
        )
        common, times = offsets.most_common(1)[0] if offsets else (0, 0)
        self._offset = common if times >= max(3, len(pages) * 0.5) else None
        self._beside = _pages_of(
            (key, page)
            for page, lines in edges
            for line in lines
            for key in self._beside_number(line, page)
        )

    def lines(self, page: PageContent) -> set[Line]:
        """Those of the page that run through the document."""
        edge = _edge_lines(page)
        gone = {line for line in edge if self._repeats(line)}
        alone = [line for line in edge if _PAGE_NUMBER.fullmatch(line.text.strip())]
        beside = [line for line in edge if self._counts(line, page.number)]
        text = _without(page, gone.union(alone, beside)).parts
        numbers = [
            line
            for line in alone
            if self._beside_number(line, page.number) or self._apart(line, text)
        ]
        if not numbers:
            # A page has one number: if there are two, that nearer to the text is a heading.
            beside.sort(key=lambda line: min(line.top, page.height - line.bottom))
            numbers = [line for line in beside if self._apart(line, text)][:1]
        return gone.union(numbers)

    def _repeats(self, line: Line) -> bool:
        text, height = _key(line)
        near = (self._seen[text, height + shift] for shift in (-1, 0, 1))
        return len(set().union(*near)) >= self._needed

    def _counts(self, line: Line, page: int) -> bool:
        """Whether the line differs from those of other pages in the number of the page only.

        A header may name the chapter, so it need not be the same on most pages. A sentence that
        happens to begin or end with that number has no like.
        """
        if line.size > self._body * _NOT_LARGER:
            return False
        for rest, height, size, bold in self._beside_number(line, page):
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


def _key(line: Line) -> tuple[str, int]:
    return line.text.lower(), round(line.top / 6)


def _numbers(line: Line) -> list[tuple[int, str]]:
    """The numbers at either end of the line, each with the rest of the line."""
    text = line.text.lower()
    found = (_FIRST_NUMBER.match(text), _LAST_NUMBER.search(text))
    return [
        (int(number[1]), f"{text[: number.start(1)]}{text[number.end(1) :]}".strip())
        for number in found
        if number
    ]
