"""From the lines of all pages to headings, paragraphs, list entries and table rows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.loaders.pdf_hyphens import COMPOUND, healed
from rag.loaders.pdf_look import HEADING_AT_MOST, Look
from rag.loaders.pdf_page import Line
from rag.loaders.pdf_tables import Row
from rag.loaders.rows import has_digit, has_empty_corner
from rag.text.abbreviations import CONTINUES, CONTINUES_WITH_NUMBER, NUMBER, TITLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rag.loaders.builder import TextBuilder
    from rag.loaders.pdf_page import PageContent

# Points by which the size of a word or two changes within a paragraph.
_SAME_SIZE = 1.0
# The room between two lines of a heading, in sizes of it: before the next heading there is more.
_HEADING_GAP = 0.7
# The share of its width that a full line may leave free, since the next word is too long for it.
_FREE = 0.15
# How far a first line is indented, in sizes of the text, at least.
_INDENT = 0.8
# How far an entry of a list must stand apart from another's edge to be deeper, in points, …
_DEEPER = 3.0
# … and how far the text after a list or of an entry may be off it.
_OFF = 1.0
_BULLET = re.compile(r"(?:[•‣▪●○◦■□➢➤✓–—\-*·\uf0b7\uf0a7\uf0d8]|\(cid:\d+\)|o(?=\s))\s+(?=\S)")
_NUMBER = re.compile(r"(\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)])\s+(?=\S)")
_NUMBERED = re.compile(r"\d{1,2}(?:\.\d{1,2})*\.?\s|[A-Z]\.\s|\(?[a-z0-9]{1,3}\)\s")
_CONTENTS_ENTRY = re.compile(r"(?:\.\s?){4,}\s*[\divxl]{1,6}$")
_GLYPH = re.compile(r"\(cid:\d+\)")
_WORD = re.compile(r"[^\W_]")
# The mark of a note may follow the end of a sentence.
_TERMINAL = re.compile(r"[.!?:;…][\"'”’)\]]*[⁰¹²³⁴-⁹†‡*]*$")
_FULL_STOP = re.compile(r"\.[⁰¹²³⁴-⁹†‡*]*$")
# "7 of the Code", "12) and": no paragraph begins like that.
_CANNOT_BEGIN = re.compile(r"\d[\d.,/]*(?:\s*[%),;]|\s+(?:of|and|or|to)\b)")


def add_pages(
    pages: Sequence[PageContent], outline: Mapping[str, int], builder: TextBuilder
) -> None:
    """Add everything. `outline` holds the depth of each bookmark by its title in lower case."""
    units = _Flow(Look.of(pages, outline)).units(pages)
    words = Counter(
        word
        for page in pages
        for part in page.parts
        if isinstance(part, Line)
        for word in COMPOUND.findall(part.text.lower())
    )
    numbers = iter([page.number for page in pages])
    opened = 0
    for unit in units:
        for index, (page, text, glue) in enumerate(healed(unit.lines, words)):
            while opened < page:
                opened = next(numbers)
                builder.page(opened)
            if index:
                builder.extend(text, glue)
            else:
                _add(unit, text, builder)
    for number in numbers:
        builder.page(number)


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


@dataclass
class _Unit:
    """A block in the making; each of its lines with its page."""

    kind: str
    level: int = 0
    marker: str = "-"
    lines: list[tuple[int, str]] = field(default_factory=list)
    cells: tuple[str, ...] = ()
    first: Line | None = None

    def add(self, line: Line, page: int) -> None:
        """One more line, without what marks the entry of a list."""
        text = line.text
        if self.kind == "item" and self.first is line:
            text = text[_marker(text)[1] :]
        self.lines.append((page, _GLYPH.sub("", text)))


class _Flow:
    """Decides, line by line, whether something new begins."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._units: list[_Unit] = []
        # Notes after the last of them: it may go on in the next column or on the next page.
        self._held: list[_Unit] = []
        # Where the list entries begin that the next line may belong to, from the left.
        self._indents: list[float] = []
        self._last: Line | None = None
        # The first row of the last table, if it names the columns.
        self._header: tuple[str, ...] = ()

    def units(self, pages: Sequence[PageContent]) -> list[_Unit]:
        """In reading order."""
        # The part before the present one: of the text, and if it was a note.
        previous: Line | Row | None = None
        for page in pages:
            notes = self._look.notes(page)
            note: Line | None = None
            moved = True
            for part in page.parts:
                if isinstance(part, Line) and part in notes:
                    self._note(part, note, page.number)
                    note = part
                    continue
                if isinstance(part, Row):
                    self._row(part, previous, page.number, moved)
                elif not _CONTENTS_ENTRY.search(part.text):
                    before = previous if isinstance(previous, Line) else None
                    self._line(part, before, page.number, moved)
                previous = part
                note = None
                moved = False
        self._release()
        for unit in self._units:
            length = sum(len(text) for _, text in unit.lines)
            if unit.kind == "heading" and length > HEADING_AT_MOST:
                unit.kind, unit.level = "paragraph", 0
        return self._units

    def _row(self, row: Row, previous: Line | Row | None, page: int, moved: bool) -> None:
        self._release()
        same_table = isinstance(previous, Row) and (moved or previous.table == row.table)
        if same_table and moved and len(row.cells) != len(self._units[-1].cells):
            same_table = False
        if same_table and moved and row.cells == self._header:
            return
        names = row.bold or not any(map(has_digit, row.cells)) or has_empty_corner(row.cells)
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
        if (
            unit
            and previous
            and _goes_on(unit, fresh, previous, line, moved, self._look)
            and self._notes_give_way(unit)
        ):
            unit.add(line, page)
            return
        if fresh.kind == "item":
            self._indents = [x for x in self._indents if x < line.x0 - _DEEPER] + [line.x0]
            fresh.level = len(self._indents)
        elif not self._indents or line.x0 <= self._indents[0] + _OFF:
            self._indents.clear()
        self._release()
        fresh.add(line, page)
        self._units.append(fresh)

    def _note(self, line: Line, previous: Line | None, page: int) -> None:
        """A line of a note; `previous` is the one before if that is one, too."""
        fresh = self._fresh(line, previous)
        unit = self._held[-1] if self._held and previous else None
        if unit and previous and _goes_on(unit, fresh, previous, line, False, self._look):
            unit.add(line, page)
            return
        fresh.add(line, page)
        self._held.append(fresh)

    def _notes_give_way(self, unit: _Unit) -> bool:
        """Put the notes before a block that goes on after them; not if it began on another page.

        Pages cover the text in order, so the notes cannot come after what is on the next one.
        """
        begun = unit.lines[0][0]
        if any(note.lines[0][0] != begun for note in self._held):
            return False
        self._units[-1:] = [*self._held, unit]
        self._held.clear()
        return True

    def _release(self) -> None:
        """Leave the notes where they are: something new begins after them."""
        self._units += self._held
        self._held.clear()

    def _fresh(self, line: Line, previous: Line | None) -> _Unit:
        """What the line would be if something new began with it."""
        level = self._look.heading_level(line, previous)
        if level:
            return _Unit("heading", level, first=line)
        marker, length = _marker(line.text)
        if length and _WORD.search(line.text, length):
            return _Unit("item", 1, marker, first=line)
        return _Unit("paragraph", first=line)


def _goes_on(
    unit: _Unit, fresh: _Unit, previous: Line, line: Line, moved: bool, look: Look
) -> bool:
    """Whether a block goes on with a line, which would begin `fresh` otherwise.

    Args:
        unit: the block.
        fresh: what else the line may be.
        previous: the last line of the block.
        line: the line.
        moved: whether the two are on different pages.
        look: what is usual in the document.
    """
    if "heading" in (unit.kind, fresh.kind):
        return unit.kind == fresh.kind and not moved and _is_one_heading(previous, line)
    if abs(line.size - previous.size) > _SAME_SIZE:
        return False
    unfinished = _unfinished(previous.text.rstrip(), line.text)
    if fresh.kind == "item" and not (unfinished and _may_be_in_a_sentence(fresh.marker, unit)):
        return False
    if moved or line.left != previous.left or line.top < previous.top:
        return _goes_on_elsewhere(previous, line, unfinished)
    if look.is_apart(line, previous):
        return False
    if unit.kind == "item" and unit.first:
        return line.x0 > unit.first.x0 + _OFF or (_is_full(previous) and unit.first is previous)
    indented = line.x0 > previous.x0 + _INDENT * look.body
    return unfinished or (_is_full(previous) and not indented)


def _is_one_heading(above: Line, below: Line) -> bool:
    near = below.top - above.bottom < _HEADING_GAP * below.size
    return near and above.size == below.size and not _NUMBERED.match(below.text)


def _goes_on_elsewhere(previous: Line, line: Line, unfinished: bool) -> bool:
    """Whether a paragraph goes on at the top of the next column or page, where no room shows it.

    There are two signs. A full stop at the end of the line weighs more than the others.
    """
    cannot_begin = line.text[:1].islower() or bool(_CANNOT_BEGIN.match(line.text))
    if _FULL_STOP.search(previous.text.rstrip()):
        return unfinished or (_is_full(previous) and cannot_begin)
    return unfinished and (_is_full(previous) or cannot_begin)


def _is_full(line: Line) -> bool:
    """Whether a line ends where its column does, and not because its paragraph does."""
    return line.x1 > line.right - _FREE * (line.right - line.left)


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
