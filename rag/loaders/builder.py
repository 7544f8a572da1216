"""Canonical text and blocks for formats whose text we extract ourselves.

The text is plain: a blank line between blocks, list entries on lines of their own as "- entry"
(two spaces deeper per level; without the "-" where an entry goes on with another paragraph), table
rows as "cell | cell | cell". A block never includes the bullet of its entry.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from rag.errors import NoText
from rag.types import Block, Document, Page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rag.types import BlockKind, Metadata

# Control characters but white space, lone surrogates, and marks without width that only break
# words for a search: soft hyphen, zero-width space, word joiner, byte-order mark.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\u00ad\u200b\u2060\ufeff\ufffe\uffff]"
)
_WORD = re.compile(r"[^\W_]")


def clean(text: str) -> str:
    """One line: NFC, single spaces, no control characters, none at either end."""
    return " ".join(unicodedata.normalize("NFC", _UNWANTED.sub("", text)).split())


class TextBuilder:
    """Collects blocks in reading order. Text without a letter or digit is left out."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[Page] = []
        self._opened: list[int] = []

    def __len__(self) -> int:
        """Code points so far."""
        return self._length

    def page(self, number: int) -> None:
        """The next character starts page `number` (from 1)."""
        self._opened.append(number)

    def heading(self, text: str, level: int) -> None:
        """A heading of depth `level`, from 1."""
        self._add("heading", clean(text), level)

    def paragraph(self, text: str, lead: str = "") -> None:
        """A paragraph, shown behind `lead`, such as the number of a note."""
        self._add("paragraph", clean(text), lead=lead)

    def code(self, text: str) -> None:
        """Preformatted text: its lines are kept."""
        lines = [re.sub(r"\s", " ", line).rstrip() for line in text.expandtabs(4).splitlines()]
        kept = unicodedata.normalize("NFC", _UNWANTED.sub("", "\n".join(lines)))
        self._add("code", re.sub(r"\n{3,}", "\n\n", kept).strip())

    def item(self, text: str, level: int = 1, marker: str = "-") -> None:
        """A list entry of nesting depth `level`, from 1, shown behind `marker`.

        A later paragraph of the entry before has the marker "".
        """
        self._add("item", clean(text), level, f"{'  ' * (level - 1)}{marker or ' '} ")

    def note(self, text: str, number: str = "", entry: int = 0) -> None:
        """A note, shown behind its number; `entry` is the depth of the list entry that has it."""
        mark = f"[{number}]" if number else ""
        if entry:
            self.item(text, entry, mark)
        else:
            self.paragraph(text, f"{mark} " if mark else "")

    def row(self, cells: Iterable[str], *, header: bool = False) -> None:
        """One row of a table."""
        self._add("row", " | ".join(map(clean, cells)).strip(), int(header))

    def extend(self, text: str, glue: str = " ") -> None:
        """Go on with the last block, after a page break for example."""
        text = clean(text)
        if not self._blocks:
            self.paragraph(text)
        elif text:
            self._write(glue)
            self._open_pages()
            self._write(text)
            last = self._blocks[-1]
            self._blocks[-1] = Block(last.kind, last.start, self._length, last.level)

    def build(self, document_id: str, title: str, metadata: Metadata) -> Document:
        """The document.

        Raises:
            NoText: nothing was added.
        """
        if not self._blocks:
            raise NoText("has no text")
        self._open_pages()
        ends = [page.start for page in self._pages[1:]] + [self._length]
        pages = tuple(
            Page(page.number, page.start, end) for page, end in zip(self._pages, ends, strict=False)
        )
        return Document(
            document_id, title, "".join(self._parts), tuple(self._blocks), pages, metadata
        )

    def _add(self, kind: BlockKind, text: str, level: int = 0, lead: str = "") -> None:
        if not _WORD.search(text):
            return
        if self._blocks:
            self._write(self._separator(kind, level))
        self._open_pages()
        self._write(lead)
        start = self._length
        self._write(text)
        self._blocks.append(Block(kind, start, self._length, level))

    def _separator(self, kind: BlockKind, level: int) -> str:
        last = self._blocks[-1]
        new_table = kind == "row" and level > last.level
        together = kind == last.kind and kind in ("item", "row") and not new_table
        return "\n" if together else "\n\n"

    def _open_pages(self) -> None:
        start = self._length if self._pages else 0
        self._pages += [Page(number, start, start) for number in self._opened]
        self._opened.clear()

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
