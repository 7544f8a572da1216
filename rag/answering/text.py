"""Citations → the answer as a text: the quotes without markup, and what else has to be said."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from rag.answering.select import Quotation
from rag.markup import plain_text
from rag.types import Block, Citation, Document

_FOOTNOTE = re.compile(r"\s*\[\^?\d{1,2}\]|\s*\[\^[\w-]+\]")
_NOTE = re.compile(r"^\[\^[^\]]+\]:\s*")
_YEAR = re.compile(r"\[(\d{3,})\]")
_ENDS = (".", "!", "?", ":", ";")
_NUMBERED = re.compile(r"\(?\w{1,5}[.)]|\(?\d{1,3}(?:\.\d{1,3})+[.)]?")


def answer_text(
    quotations: Sequence[Quotation],
    citations: Sequence[Citation],
    document: Callable[[str], Document],
    unanswered: Sequence[str] = (),
    remark: str = "",
) -> str:
    """The quotes without markup, each with its number, what was left unanswered, and a remark.

    A table row is a line of its own, and so is each entry where several are quoted as one. An
    entry that nothing leads in to stands behind its heading ("Forbidden: smoking"), and a list
    that goes on says so. Numbers in brackets that the source itself has would point to the wrong
    thing here: footnote marks are left out, and "[2019]" becomes "(2019)".
    """
    said: list[str] = []
    above, was_apart = None, False
    for quotation, citation in zip(quotations, citations, strict=True):
        source = document(citation.document)
        words = _without_marks(_shown(source, citation))
        if _needs_heading(quotation) and not words.endswith(_ENDS):
            place = citation.document, citation.section
            words = words if place == above else _behind(citation.section or "", words)
            above = place
        if more := _entries_left(source, citation):
            words += f" … and {more} more {'entry' if more == 1 else 'entries'}"
        apart = _is_row(source, citation) or "\n" in words
        said += ["\n" if apart or was_apart else " ", f"{words} [{citation.n}]"]
        was_apart = apart
    for part in unanswered:
        question = _without_marks(part).rstrip(" ?.")
        said += ["\n" if was_apart else " ", f"I found no sentence that answers “{question}”."]
        was_apart = False
    if remark:
        said += ["\n" if was_apart else " ", remark]
    return "".join(said[1:])


def _shown(document: Document, citation: Citation) -> str:
    """A quote without markup; of a list or table each block on a line, with its marker."""
    blocks = _blocks(document, citation)
    if not any(block.kind in ("item", "row") for block in blocks[1:]):
        return plain_text(document.id, citation.quote)
    lines = []
    highest = min((block.level for block in blocks if block.kind == "item"), default=0)
    for block in blocks:
        start, end = max(block.start, citation.start), min(block.end, citation.end)
        words = plain_text(document.id, document.text[start:end])
        if block.kind == "item":
            words = "  " * (block.level - highest) + _marker(document, block) + words
        lines.append(words)
    return "\n".join(lines)


def _marker(document: Document, block: Block) -> str:
    """What stands before an entry: its number or a dash; nothing before a later paragraph."""
    before = document.text[document.text.rfind("\n", 0, block.start) + 1 : block.start].strip()
    return f"{before if _NUMBERED.fullmatch(before) else '-'} " if before else "  "


def _blocks(document: Document, citation: Citation) -> list[Block]:
    """The blocks that a quote stands in."""
    return [b for b in document.blocks if b.start < citation.end and citation.start < b.end]


def _is_row(document: Document, citation: Citation) -> bool:
    return any(block.kind == "row" for block in _blocks(document, citation)[:1])


def _behind(heading: str, words: str) -> str:
    """Words behind the heading that explains them."""
    return f"{heading} {words}" if heading.endswith(_ENDS) else f"{heading}: {words}"


def _needs_heading(quotation: Quotation) -> bool:
    """Whether it begins with an entry or row that only its heading explains."""
    sentences = quotation.chunk.sentences
    at = next((i for i, own in enumerate(sentences) if own.start == quotation.start), None)
    if at is None or quotation.chunk.section is None:
        return False
    own = sentences[at]
    leads = any(other.lead == (own.start, own.end) for other in sentences)
    return own.kind in ("item", "row") and own.lead is None and not leads


def _entries_left(document: Document, citation: Citation) -> int:
    """How many entries of a list that is quoted for the most part were left out at its end."""
    quoted = _blocks(document, citation)
    if len(quoted) < 2 or quoted[-1].kind != "item":
        return 0
    kinds = {_kind_of_marker(document, block) for block in quoted[1:]}
    level, left = quoted[-1].level, 0
    for block in document.blocks[document.blocks.index(quoted[-1]) + 1 :]:
        kind = _kind_of_marker(document, block)
        if block.kind != "item" or block.level < level or kind not in {*kinds, ""}:
            break
        left += bool(kind)
    return left


def _kind_of_marker(document: Document, block: Block) -> str:
    """One sign for numbers, one for letters, one for the rest; "" for a later paragraph."""
    marker = _marker(document, block).strip(" (")
    return "1" if marker[:1].isdigit() else "a" if marker[:1].isalpha() else marker[:1] and "-"


def unknown_text(names: Iterable[str]) -> str:
    """What is said of names in the question that no document has; "" if there are none."""
    quoted = " or ".join(f"“{name}”" for name in dict.fromkeys(names))
    return f"No document mentions {quoted}." if quoted else ""


def _without_marks(text: str) -> str:
    text, found = _NOTE.sub("", text), 1
    # Taking one out can make another: "[[1]2]".
    while found:
        text, found = _FOOTNOTE.subn("", text)
    return _YEAR.sub(r"(\1)", text)


def abstention_text(documents: int, passages: int) -> str:
    """What is said when the sources do not answer."""
    if documents == 0:
        return "There are no documents in the index yet, so there is nothing to quote."
    searched = "1 document" if documents == 1 else f"{documents} documents"
    text = f"I found no sentence that answers this in the {searched} I searched."
    if passages:
        text += " The passages that came nearest are listed; they may be related."
    return text
