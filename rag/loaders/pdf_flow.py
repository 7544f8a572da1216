"""From the lines of all pages to headings, paragraphs, list entries and table rows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.abbreviations import CONTINUES, CONTINUES_WITH_NUMBER, NUMBER, TITLE
from rag.loaders.builder import clean
from rag.loaders.pdf_page import Line, Row
from rag.loaders.rows import has_empty_corner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rag.loaders.builder import TextBuilder
    from rag.loaders.pdf_page import PageContent

_LARGER = 1.12
_HEADING_AT_MOST = 250
_BULLET = re.compile(r"(?:[•‣▪●○◦■□➢➤✓–—\-*·\uf0b7\uf0a7\uf0d8]|\(cid:\d+\)|o(?=\s))\s+(?=\S)")
_NUMBER = re.compile(r"(\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)])\s+(?=\S)")
_NUMBERED = re.compile(r"\d{1,2}(?:\.\d{1,2})*\.?\s|[A-Z]\.\s|\(?[a-z0-9]{1,3}\)\s")
_CONTENTS_ENTRY = re.compile(r"(?:\.\s?){4,}\s*[\divxl]{1,6}$")
_GLYPH = re.compile(r"\(cid:\d+\)")
_WORD = re.compile(r"[^\W_]")
_COMPOUND = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
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
_TERMINAL = re.compile(r"[.!?:;…][\"'”’)\]]*$")
# "7 of the Code", "12) and": no paragraph begins like that.
_CANNOT_BEGIN = re.compile(r"\d[\d.,/]*(?:\s*[%),;]|\s+(?:of|and|or|to)\b)")


def add_pages(
    pages: Sequence[PageContent], outline: Mapping[str, int], builder: TextBuilder
) -> None:
    """Add everything. `outline` holds the depth of each bookmark by its title in lower case."""
    units = _Flow(pages, outline).units()
    words = Counter(
        word
        for page in pages
        for part in page.parts
        if isinstance(part, Line)
        for word in _COMPOUND.findall(part.text.lower())
    )
    numbers = iter([page.number for page in pages])
    opened = 0
    for unit in units:
        pieces = _pieces(unit.lines, words)
        for index, (page, text, glue) in enumerate(pieces):
            while opened < page:
                opened = next(numbers)
                builder.page(opened)
            if index:
                builder.extend(text, glue)
            else:
                _add(unit, text, builder)
    for number in numbers:
        builder.page(number)


def body_size(pages: Sequence[PageContent]) -> float:
    """The size in which most of the text is set, in points; 0 if there is none."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for part in page.parts:
            if isinstance(part, Line):
                sizes[part.size] += len(part.text)
    return max(sizes, key=lambda size: (sizes[size], -size)) if sizes else 0.0


def _add(unit: _Unit, text: str, builder: TextBuilder) -> None:
    match unit.kind:
        case "heading":
            builder.heading(text, unit.level)
        case "item":
            builder.item(text, unit.level, unit.marker)
        case "row":
            builder.row(unit.cells, header=bool(unit.level))
        case _:
            builder.paragraph(text)


def _pieces(
    lines: Sequence[tuple[int, str]], words: Mapping[str, int]
) -> list[tuple[int, str, str]]:
    """(page, text, what joins it to the text before) with words divided at line ends healed."""
    pieces: list[tuple[int, str, str]] = []
    for page, text in lines:
        if not pieces:
            pieces.append((page, text, ""))
            continue
        last_page, last, last_glue = pieces[-1]
        last, glue = _joint(last, text, words)
        if page == last_page:
            pieces[-1] = (page, f"{last}{glue}{text}", last_glue)
        else:
            pieces[-1] = (last_page, last, last_glue)
            pieces.append((page, text, glue))
    return pieces


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


@dataclass
class _Unit:
    """A block in the making; each of its lines with its page."""

    kind: str
    level: int = 0
    marker: str = "-"
    lines: list[tuple[int, str]] = field(default_factory=list)
    cells: tuple[str, ...] = ()
    first: Line | None = None


class _Flow:
    """Decides, line by line, whether something new begins."""

    def __init__(self, pages: Sequence[PageContent], outline: Mapping[str, int]) -> None:
        self._pages = pages
        self._outline = outline
        lines = [part for page in pages for part in page.parts if isinstance(part, Line)]
        self._body = body_size(pages)
        sizes = {line.size for line in lines}
        large = sorted((size for size in sizes if size >= self._body * _LARGER), reverse=True)
        self._levels = {size: min(6, level) for level, size in enumerate(large, start=1)}
        bold = sum(len(line.text) for line in lines if line.bold)
        self._bold_means_heading = bold * 3 < sum(len(line.text) for line in lines)
        self._gap = _usual_gap(pages, self._body)
        self._units: list[_Unit] = []
        self._indents: list[float] = []
        self._last: Line | None = None
        self._header: tuple[str, ...] = ()

    def units(self) -> list[_Unit]:
        """In reading order."""
        previous: Line | Row | None = None
        for page in self._pages:
            moved = True
            for part in page.parts:
                if isinstance(part, Row):
                    self._row(part, previous, page.number, moved)
                elif not _CONTENTS_ENTRY.search(part.text):
                    before = previous if isinstance(previous, Line) else None
                    self._line(part, before, page.number, moved)
                previous = part
                moved = False
        for unit in self._units:
            if (
                unit.kind == "heading"
                and sum(len(text) for _, text in unit.lines) > _HEADING_AT_MOST
            ):
                unit.kind, unit.level = "paragraph", 0
        return self._units

    def _row(self, row: Row, previous: Line | Row | None, page: int, moved: bool) -> None:
        same_table = isinstance(previous, Row) and (moved or previous.table == row.table)
        if same_table and moved and len(row.cells) != len(self._units[-1].cells):
            same_table = False
        if same_table and moved and row.cells == self._header:
            return
        names = row.bold or not any(map(_has_digit, row.cells)) or has_empty_corner(row.cells)
        header = not same_table and names
        if not same_table:
            self._header = row.cells if header else ()
        unit = _Unit("row", int(header), cells=tuple(_GLYPH.sub("", cell) for cell in row.cells))
        unit.lines.append((page, ""))
        self._units.append(unit)

    def _line(self, line: Line, previous: Line | None, page: int, moved: bool) -> None:
        unit = self._units[-1] if self._units and previous else None
        fresh = self._fresh(line, previous)
        last, self._last = self._last or line, line
        if line.left > last.right or line.right < last.left:
            # A list goes on in another column.
            self._indents = [x + line.left - last.left for x in self._indents]
        if unit and previous and self._goes_on(unit, fresh, previous, line, moved):
            unit.lines.append((page, _GLYPH.sub("", line.text)))
            return
        text = line.text
        if fresh.kind == "item":
            text = text[_marker(text)[1] :]
            self._indents = [x for x in self._indents if x < line.x0 - 3] + [line.x0]
            fresh.level = len(self._indents)
        elif not self._indents or line.x0 <= self._indents[0] + 1:
            self._indents.clear()
        fresh.lines.append((page, _GLYPH.sub("", text)))
        self._units.append(fresh)

    def _fresh(self, line: Line, previous: Line | None) -> _Unit:
        """What the line would be if something new began with it."""
        level = self._heading_level(line, previous)
        if level:
            return _Unit("heading", level, first=line)
        marker, length = _marker(line.text)
        if length and _WORD.search(line.text, length):
            return _Unit("item", 1, marker, first=line)
        return _Unit("paragraph", first=line)

    def _heading_level(self, line: Line, previous: Line | None) -> int:
        text = clean(line.text)
        if len(text) > _HEADING_AT_MOST or not _WORD.search(text):
            return 0
        named = self._outline.get(text.lower(), 0)
        if named:
            return named
        if line.size in self._levels and len(text) > 1:
            return self._levels[line.size]
        stands_out = line.bold and self._bold_means_heading and line.size >= self._body * 0.97
        short = len(text) <= 100 and line.x1 < line.right - 0.03 * (line.right - line.left)
        if stands_out and short and text[-1] not in ".,;:" and self._apart(line, previous):
            return min(6, len(self._levels) + 1)
        return 0

    def _apart(self, line: Line, previous: Line | None) -> bool:
        """Whether there is more room above the line than between lines of a paragraph."""
        if previous is None or line.top < previous.top or line.left != previous.left:
            return True
        return line.top - previous.bottom > self._gap + max(1.5, 0.25 * self._body)

    def _goes_on(self, unit: _Unit, fresh: _Unit, previous: Line, line: Line, moved: bool) -> bool:
        if unit.kind == "heading" or fresh.kind == "heading":
            same = unit.kind == fresh.kind and previous.size == line.size and not moved
            near = line.top - previous.bottom < 0.7 * line.size
            return same and near and not _NUMBERED.match(line.text)
        unfinished = _unfinished(previous.text.rstrip(), line.text)
        if fresh.kind == "item" and (
            not unfinished or not self._may_be_in_a_sentence(fresh.marker, unit)
        ):
            return False
        if abs(line.size - previous.size) > 1:
            return False
        full = previous.x1 > previous.right - 0.15 * (previous.right - previous.left)
        if moved or line.left != previous.left or line.top < previous.top:
            cannot_begin = line.text[:1].islower() or bool(_CANNOT_BEGIN.match(line.text))
            if previous.text.rstrip().endswith("."):
                return unfinished or (full and cannot_begin)
            return unfinished and (full or cannot_begin)
        if self._apart(line, previous):
            return False
        if unit.kind == "item" and unit.first:
            hanging = line.x0 > unit.first.x0 + 1
            return hanging or (full and unit.first is previous)
        indented = line.x0 > previous.x0 + 0.8 * self._body
        return unfinished or (full and not indented)

    @staticmethod
    def _may_be_in_a_sentence(marker: str, unit: _Unit) -> bool:
        """Whether what looks like the number of an entry may be a number that begins a line."""
        return not (marker == "-" or unit.kind == "item" or marker.strip("().") in ("1", "a", "i"))


def _unfinished(text: str, following: str) -> bool:
    """Whether a sentence goes on at the end of a line: nothing ends it but an abbreviation."""
    numbered = CONTINUES_WITH_NUMBER.search(text) and NUMBER.match(following)
    return bool(
        not _TERMINAL.search(text) or numbered or CONTINUES.search(text) or TITLE.search(text)
    )


def _marker(text: str) -> tuple[str, int]:
    """How an entry of a list is marked, and how many characters that takes; 0 for none."""
    bullet = _BULLET.match(text)
    if bullet:
        return "-", bullet.end()
    number = _NUMBER.match(text)
    return (number[1], number.end()) if number else ("-", 0)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


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
    # Even a text with double spacing has no more; a text of single lines has no usual gap.
    return min(gaps[len(gaps) // 3], 1.2 * body) if gaps else 0.3 * body
