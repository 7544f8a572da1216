"""PDF: text in reading order with exact pages, headings, lists and ruled tables.

pdfplumber reads the pages; `pdf_page` orders what stands on one of them, `pdf_running` removes
what repeats on all, `pdf_flow` joins lines to paragraphs.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING

import pdfplumber
from pdfminer.pdfdocument import PDFEncryptionError
from pdfminer.pdfexceptions import PDFException
from pdfminer.psexceptions import PSException
from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

from rag.errors import DocumentError
from rag.loaders.builder import TextBuilder, clean
from rag.loaders.metadata import believable_title, iso_date, normalise, readable_name
from rag.loaders.pdf_flow import add_pages, body_size
from rag.loaders.pdf_page import PageContent, read_page
from rag.loaders.pdf_running import without_running_lines

if TYPE_CHECKING:
    from rag.types import Document

_BROKEN = "is damaged or not a PDF: open it in a viewer and save it again"
_SCANNED = "has no text layer (scanned?): run OCR on it first"
_UNREADABLE_SHARE = 0.4
_BOOKMARKS_AT_MOST = 5000

logging.getLogger("pdfminer").setLevel(logging.ERROR)


def load(data: bytes, document_id: str) -> Document:
    """Read a PDF.

    Raises:
        DocumentError: it is encrypted, damaged, has no text layer, or its fonts hide the text.
    """
    if b"%PDF" not in data[:1024]:
        raise DocumentError(_BROKEN)
    try:
        with pdfplumber.open(BytesIO(data)) as pdf:
            pages = _read_pages(pdf)
            outline = _outline(pdf)
            properties = {str(name): value for name, value in (pdf.metadata or {}).items()}
    except (PdfminerException, PSException, PDFException, MalformedPDFException) as error:
        reasons = (error, error.__cause__, error.__context__, *error.args)
        if any(isinstance(reason, PDFEncryptionError) for reason in reasons):
            raise DocumentError("is encrypted: save a copy without a password") from error
        raise DocumentError(_BROKEN) from error
    if not any(page.parts for page in pages):
        drawn = any(page.drawn for page in pages)
        raise DocumentError(_SCANNED if drawn else "has no text: check it in a viewer")
    if sum(page.unknown for page in pages) > _UNREADABLE_SHARE * len(pages):
        raise DocumentError("has fonts that hide its text: run OCR on it first")
    pages = without_running_lines(pages, body_size(pages))
    builder = TextBuilder()
    add_pages(pages, outline, builder)
    metadata = normalise(_properties(properties))
    named = believable_title(str(metadata.pop("title", "")))
    document = builder.build(document_id, named or readable_name(document_id), metadata)
    first = next((block for block in document.blocks[:3] if block.kind == "heading"), None)
    if named or first is None:
        return document
    return replace(document, title=document.text[first.start : first.end])


def _read_pages(pdf: pdfplumber.PDF) -> list[PageContent]:
    contents = []
    for page in pdf.pages:
        contents.append(read_page(page))
        page.close()
    return contents


def _outline(pdf: pdfplumber.PDF) -> dict[str, int]:
    """The depth of each bookmark, from 1, by its title in lower case."""
    try:
        bookmarks = list(islice(pdf.doc.get_outlines(), _BOOKMARKS_AT_MOST))
    except (PDFException, PSException, RecursionError, TypeError, KeyError, ValueError):
        return {}
    levels: dict[str, int] = {}
    for depth, title, *_ in bookmarks:
        levels.setdefault(clean(str(title)).lower(), min(6, int(depth)))
    return levels


def _properties(info: dict[str, object]) -> dict[str, object]:
    """The document information under our names, with dates as they are there."""
    dates = {
        ours: iso_date(str(info[name])) or ""
        for name, ours in (("CreationDate", "created"), ("ModDate", "modified"))
        if name in info
    }
    return {
        "title": info.get("Title"),
        "author": info.get("Author"),
        "tags": info.get("Keywords"),
        "description": info.get("Subject"),
        **dates,
    }
