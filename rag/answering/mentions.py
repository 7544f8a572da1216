"""Whether any document mentions a name, however it is spelt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise, starmap

from rag.store.generation import Generation
from rag.store.lexical import terms
from rag.types import Document

_ACRONYM = re.compile(r"[A-Z]{3,6}")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def is_mentioned(generation: Generation, name: str) -> bool:
    """True if a text or the metadata of a document has the name or a spelling of it.

    "Wi-Fi" is two terms of the index: a text with both halves of "Wifi" will do.
    """
    lexical = generation.lexical
    for spelling in _spellings(name):
        own = terms(spelling)
        if all(map(lexical.frequency, own)) and all(starmap(lexical.share_a_text, pairwise(own))):
            return True
    halves = [(name[:at].lower(), name[at:].lower()) for at in range(1, len(name))]
    if any(lexical.share_a_text(*both) for both in halves):
        return True
    plain = {_without_accents(term) for term in terms(name)}
    accented = map(_without_accents, lexical.not_ascii)
    return not plain.isdisjoint(accented) or generation.tables.in_metadata(name)


def has_name(document: Document, name: str) -> bool:
    """True if a document has the name or a spelling of it in its text, title or metadata."""
    if name.isdecimal():
        return bool(re.search(rf"(?<!\d){name}(?!\d)", _all_of(document)))
    everything = _all_of(document)
    folded, spellings = everything.casefold(), list(_spellings(name))
    if any(spelling.casefold() in folded for spelling in spellings):
        return True
    if spelt_out(name, document.text):
        return True
    # Last, for it takes a long text some milliseconds.
    plain = _without_accents(everything).casefold()
    return any(_without_accents(spelling).casefold() in plain for spelling in spellings)


def _all_of(document: Document) -> str:
    return "\n".join(
        [document.title, document.id, *map(str, document.metadata.values()), document.text]
    )


def spelt_out(name: str, text: str) -> bool:
    """True if a text has the words of an acronym: "chief operating officer" for "COO"."""
    if not _ACRONYM.fullmatch(name):
        return False
    words = r"(?:\W+(?:and|for|of|on|the))?\W+".join(rf"{letter}\w*" for letter in name)
    return bool(re.search(rf"\b{words}\b", text, re.IGNORECASE))


def _spellings(name: str) -> Iterator[str]:
    """As "WiFi" for "Wi-Fi", "Smart Phones" for "SmartPhones", "PC" for "PCs"."""
    yield name
    yield re.sub(r"[-.&]", "", name)
    yield _HUMP.sub(" ", name)
    yield f"{name}s"
    yield name.removesuffix("s")
    yield _without_accents(name)


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))
