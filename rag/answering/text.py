"""Citations → the answer as a text: the quotes without markup, and what else has to be said."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rag.answering.select import Quotation
from rag.catalogue.conditions import Where
from rag.store.lexical import terms
from rag.text.enumerators import is_enumerator, match
from rag.text.markup import plain_text
from rag.types import Block, Chunk, Citation, Document

_FOOTNOTE = re.compile(r"\s*\[\^?\d{1,2}\]|\s*\[\^[\w-]+\]")
_NOTE = re.compile(r"^\[\^[^\]]+\]:\s*")
_YEAR = re.compile(r"\[(\d{3,})\]")
_SIGNS_BEFORE = " \n-–•*+"
_ENDS = (".", "!", "?", ":", ";")
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|do|does|can|cannot|may|must|shall|should|will|would|"
    r"(?:get|need)s?|appl(?:y|ies))\b",
    re.IGNORECASE,
)
"""Verbs that are hardly ever nouns."""
_TELLS = re.compile(
    # "How to check if …" asks, "eating, not feedback" contrasts.
    r"^(?!\W*how\b).*?\b(?:if|unless|until|during|when(?! (?:to|and|or)\b)|(?<!, )not|\w+n['’]t|"
    r"never|without|only|"
    # "No. 5" is a number.
    r"no(?!\.| \d)|except(?:ions?|ing)?|exclu(?:ding|ded|sions?)|exempt(?:ed|ions?)?|"
    r"forbidden|prohibited|draft|suspended|repealed|withdrawn|obsolete)\b",
    re.IGNORECASE,
)
"""A heading that says when or for what the text below holds, or that it does not hold."""
_ALIKE = 0.5
"""Quotes with this share of the words of the shorter one in common may be taken for each other."""


def answer_text(
    quotations: Sequence[Quotation],
    citations: Sequence[Citation],
    document: Callable[[str], Document],
    unanswered: Sequence[str] = (),
    remark: str = "",
) -> str:
    """The quotes without markup, each with its number, what was left unanswered, and a remark.

    A table row is a line of its own, and so is each entry where several are quoted as one. What
    would mislead without its heading stands behind it ("Forbidden: smoking", see `_heading`), and
    a list that goes on says so. Numbers in brackets that the source itself has would point to the
    wrong thing here: footnote marks are left out, and "[2019]" becomes "(2019)".
    """
    said: list[str] = []
    above: tuple[str, tuple[str, ...]] | None = None
    was_apart = False
    shown = [_without_marks(_shown(document(one.document), one)) for one in citations]
    for at, (quotation, citation) in enumerate(zip(quotations, citations, strict=True)):
        source, words = document(citation.document), shown[at]
        place = citation.document, quotation.chunk.headings
        heading = _asked_by_heading(source, citation) or _heading(at, quotations, shown)
        if above not in (None, place):
            # It would pass for text below the heading that was shown last.
            heading = heading or citation.section or ""
        if heading:
            words = words if place == above else _behind(_without_marks(heading), words)
            above = place
        if more := _entries_left(source, citation):
            words += f" … and {more} more {'entry' if more == 1 else 'entries'}"
        apart = _is_row(source, citation) or "\n" in words
        said += ["\n" if apart or was_apart else " ", f"{words} [{citation.n}]"]
        was_apart = apart
    for words in filter(None, (unanswered_text(unanswered), remark)):
        said += ["\n" if was_apart else " ", words]
        was_apart = False
    return "".join(said[1:])


def unanswered_text(parts: Sequence[str]) -> str:
    """What is said of the parts of a question that nothing answers; "" if there are none."""
    asked = (_without_marks(part).rstrip(" ?.") for part in parts)
    return " ".join(f"I found no sentence that answers “{part}”." for part in asked)


def _shown(document: Document, citation: Citation) -> str:
    """A quote without markup; of a list or table each block on a line, with its marker."""
    blocks = _blocks(document, citation)
    if not any(block.kind == "row" or _is_entry(document, block) for block in blocks[1:]):
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
    # A list may have more than 999 entries.
    numbered = is_enumerator(before) or before[:1].isdigit()
    return f"{before if numbered else '-'} " if before else "  "


def _blocks(document: Document, citation: Citation) -> list[Block]:
    """The blocks that a quote stands in."""
    return [b for b in document.blocks if b.start < citation.end and citation.start < b.end]


def _is_row(document: Document, citation: Citation) -> bool:
    return any(block.kind == "row" for block in _blocks(document, citation)[:1])


def _behind(heading: str, words: str) -> str:
    """Words behind the heading that explains them."""
    return f"{heading} {words}" if heading.endswith(_ENDS) else f"{heading}: {words}"


def _heading(at: int, quotations: Sequence[Quotation], shown: Sequence[str]) -> str:
    """The heading without which a quote would mislead; "" if there is none.

    It is one that says when the quote holds ("During probation"), explains an entry that is no
    sentence, or keeps the quote apart from another ("The notice period is one week.").
    """
    quotation, words = quotations[at], shown[at]
    heading = _telling(quotation.chunk)
    if not heading and _is_entry_alone(quotation) and not _is_sentence(words):
        heading = quotation.chunk.section or ""
    heading = heading or _told_apart(at, quotations, shown)
    return "" if set(terms(heading)) <= set(terms(words)) else heading


def _telling(chunk: Chunk) -> str:
    """The innermost heading that limits what is below it; the title stands beside each quote."""
    names = (name for name in reversed(chunk.headings) if name != chunk.title)
    return next((name for name in names if _TELLS.search(name) and not name.endswith("?")), "")


def _told_apart(at: int, quotations: Sequence[Quotation], shown: Sequence[str]) -> str:
    """The heading that a quote has and one much like it, in the same document, has not."""
    chunk, own = quotations[at].chunk, set(terms(shown[at]))
    for quotation, words in zip(quotations, shown, strict=True):
        other, theirs = quotation.chunk, set(terms(words))
        if other.document != chunk.document or other.headings == chunk.headings:
            continue
        if len(own & theirs) >= max(2, _ALIKE * min(len(own), len(theirs))):
            names = (name for name in reversed(chunk.headings) if name not in other.headings)
            return next(names, "")
    return ""


def _is_sentence(words: str) -> bool:
    """Whether an entry says something by itself, or goes on to what does."""
    return words.endswith((":", "?")) or (
        words.endswith((".", "!")) and _VERB.search(words) is not None
    )


def _is_entry_alone(quotation: Quotation) -> bool:
    """Whether it begins with an entry or row that only its heading explains."""
    sentences = quotation.chunk.sentences
    at = next((i for i, own in enumerate(sentences) if own.start == quotation.start), None)
    if at is None:
        return False
    own = sentences[at]
    leads = any(other.lead == (own.start, own.end) for other in sentences)
    return own.kind in ("item", "row") and own.lead is None and not leads


def _asked_by_heading(document: Document, citation: Citation) -> str:
    """The question that a quote answers as the first words below it; "" if there is none."""
    before = next((b for b in reversed(document.blocks) if b.end <= citation.start), None)
    if before is None or before.kind != "heading":
        return ""
    begins = not document.text[before.end : citation.start].strip(_SIGNS_BEFORE)
    heading = plain_text(document.id, document.text[before.start : before.end])
    return heading if begins and heading.endswith("?") else ""


def _is_entry(document: Document, block: Block) -> bool:
    """Whether it is a list entry, or a paragraph with the number or letter of one."""
    numbered = block.kind == "paragraph" and match(document.text[block.start : block.end])
    return block.kind == "item" or bool(numbered)


def _entries_left(document: Document, citation: Citation) -> int:
    """How many entries of a list that is quoted for the most part were left out at its end."""
    quoted = _blocks(document, citation)
    if len(quoted) < 2 or not _is_entry(document, quoted[-1]):
        return 0
    kinds = {_kind_of_marker(document, block) for block in quoted[1:]}
    level, left = quoted[-1].level, 0
    for block in document.blocks[document.blocks.index(quoted[-1]) + 1 :]:
        kind = _kind_of_marker(document, block)
        if not _is_entry(document, block) or block.level < level or kind not in {*kinds, ""}:
            break
        left += bool(kind)
    return left


def _kind_of_marker(document: Document, block: Block) -> str:
    """One sign for numbers, one for letters, one for the rest; "" for a later paragraph."""
    found = match(document.text[block.start : block.end]) if block.kind == "paragraph" else None
    marker = found.value if found else _marker(document, block).strip(" (")
    return "1" if marker[:1].isdigit() else "a" if marker[:1].isalpha() else marker[:1] and "-"


def unknown_text(unknown: Sequence[str], elsewhere: Sequence[str] = ()) -> str:
    """What is said of names in the question; "" if there is nothing to say.

    Args:
        unknown: names that no document has.
        elsewhere: names that other documents have than those that are quoted.
    """
    said = (("No document mentions", unknown), ("What is quoted here does not mention", elsewhere))
    return " ".join(
        f"{words} {' or '.join(f'“{name}”' for name in dict.fromkeys(names))}."
        for words, names in said
        if names
    )


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


def no_document_text(where: Where, total: int) -> str:
    """What is said when a filter lets nothing through."""
    held = "1 document" if total == 1 else f"{total} documents"
    return (
        f"The filter {where} matches no document, so there is nothing to quote. The index holds "
        f"{held}."
    )
