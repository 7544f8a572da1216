"""Headings that are only paragraphs set in bold, as people write them who use no styles."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.loaders.metadata import DATE_WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rag.types import Block, Document

_AT_MOST = 90
_SIGNS = "*_ "
# A day, an address or a sum in bold is what a reader is to know.
_TELLS = re.compile(rf"{DATE_WORDS}|@|://|[$€£¥%]", re.IGNORECASE)
_DEEPEST = 6


def with_bold_headings(document: Document, bold: Collection[int]) -> Document:
    """The document with short paragraphs in bold as headings of what follows.

    They stand below the last true heading. Only kinds and levels of blocks change.

    Args:
        document: what was read.
        bold: where paragraphs end that are in bold from their first to their last word.
    """
    blocks = list(document.blocks)
    names = [block.end in bold and _is_name(document.text, block) for block in blocks]
    level = 0
    for at, block in enumerate(blocks[:-1]):
        if block.kind == "heading":
            level = block.level
        elif names[at] and not names[at + 1] and blocks[at + 1].kind != "heading":
            # Without any heading above, what does not begin the document is below its title.
            below = level + 1 if level or at == 0 else 2
            blocks[at] = replace(block, kind="heading", level=min(below, _DEEPEST))
    return replace(document, blocks=tuple(blocks))


def first_title(blocks: Sequence[Block], text: str) -> str:
    """A heading with which the document begins; "" if it begins otherwise."""
    first = blocks[0]
    return text[first.start : first.end] if first.kind == "heading" and first.level == 1 else ""


def _is_name(text: str, block: Block) -> bool:
    words = text[block.start : block.end].strip(_SIGNS)
    short = block.kind == "paragraph" and 0 < len(words) <= _AT_MOST
    return short and words[-1] not in ".,;:?!…" and not _TELLS.search(words)
