"""Languages, folders and references, as only the page writes them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from babel import Locale

from rag.text.markup import plain_text
from rag.text.wording import dated, shorten
from rag.types import Citation, Document

_ENGLISH = Locale("en")


def language(tag: str) -> str:
    """The name of a language with its tag, e.g. "English (en-GB)"; the tag if it is none."""
    known = re.fullmatch(r"([a-z]{2,3})(?:[-_].*)?", tag, re.IGNORECASE)
    name = _ENGLISH.languages.get(known[1].lower()) if known else None
    return shorten(f"{name} ({tag})" if name else tag, 40)


def folders(document_id: str) -> str:
    """The folders of a document as a path for people, e.g. "policies › leave"."""
    return " › ".join(PurePosixPath(document_id).parent.parts)


def reference(source: Citation, document: Document | None, generation: str) -> str:
    """A quotation with everything that is needed to find it again, as plain text."""
    parts = [source.title]
    if source.section and source.section != source.title:
        parts.append(f"section “{source.section}”")
    if source.page is not None:
        parts.append(f"page {source.page}")
    if when := dated(document):
        parts.append(when)
    quote = plain_text(source.document, source.quote)
    where = f"{source.document}, characters {source.start}-{source.end}, index {generation}"
    return f"“{quote}”\n— {', '.join(parts)} ({where})"
