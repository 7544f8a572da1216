"""Running headers, footers and page numbers of a PDF."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from rag.loaders.pdf_page import Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.loaders.pdf_page import PageContent

_EDGE = 0.12
_NOT_LARGER = 1.25
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
    pages, if it is nothing but a page number, or if, in letters hardly larger than `body` points,
    it begins or ends with a number that counts the pages.
    """
    seen = Counter(key for page in pages for key in {_key(line) for line in _edge_lines(page)})
    offsets = Counter(
        offset
        for page in pages
        for offset in {o for line in _edge_lines(page) for o in _offsets(line, page.number)}
    )
    common, times = offsets.most_common(1)[0] if offsets else (0, 0)
    counted = times >= max(3, len(pages) * 0.5)
    needed = max(2, len(pages) * (0.6 if len(pages) < 6 else 0.4))

    def runs(line: Line, page: PageContent) -> bool:
        text, height = _key(line)
        if sum(seen[text, height + shift] for shift in (-1, 0, 1)) >= needed:
            return True
        if _PAGE_NUMBER.fullmatch(line.text.strip()):
            return True
        return counted and line.size <= body * _NOT_LARGER and common in _offsets(line, page.number)

    return [
        _without(page, {line for line in _edge_lines(page) if runs(line, page)}) for page in pages
    ]


def _without(page: PageContent, lines: set[Line]) -> PageContent:
    return page._replace(parts=[part for part in page.parts if part not in lines])


def _edge_lines(page: PageContent) -> list[Line]:
    low, high = page.height * _EDGE, page.height * (1 - _EDGE)
    lines = [part for part in page.parts if isinstance(part, Line)]
    return [line for line in lines if line.bottom < low or line.top > high]


def _key(line: Line) -> tuple[str, int]:
    return line.text.lower(), round(line.top / 6)


def _offsets(line: Line, page: int) -> set[int]:
    """How far the numbers at either end of the line are from the number of its page."""
    numbers = (_FIRST_NUMBER.match(line.text), _LAST_NUMBER.search(line.text))
    return {int(number[1]) - page for number in numbers if number}
