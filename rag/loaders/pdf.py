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
from rag.loaders.metadata import believable_title, iso_date, normalise
from rag.loaders.ocr import installed, recognise
from rag.loaders.pdf_flow import add_pages
from rag.loaders.pdf_look import body_size
from rag.loaders.pdf_page import PageContent, read_page
from rag.loaders.pdf_running import without_running_lines
from rag.loaders.remarks import OCR, TO_INSTALL, TRIED, UNREAD

if TYPE_CHECKING:
    from rag.types import Document

_BROKEN = "is damaged or not a PDF: open it in a viewer and save it again"
_SCANNED = f"has no text layer (scanned?): {TO_INSTALL}, or run OCR on it first"
_ILLEGIBLE = "has no text layer, and tesseract could read none of its pages: scan it again"
_UNREADABLE_SHARE = 0.4
_USUAL_SIZE = 11.0
_BOOKMARKS_AT_MOST = 5000

logging.getLogger("pdfminer").setLevel(logging.ERROR)


def load(data: bytes, document_id: str, ocr_seconds: float = 0.0) -> Document:
    """Read a PDF.

    Its metadata name pages that are pictures: "ocr_pages" those that were recognised,
    "unread_pages" the others.

    Args:
        data: the file.
        document_id: its id.
        ocr_seconds: how long text in pictures may be recognised; 0 to leave it.

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
    pages, recognised, unread = _with_pictures(data, pages, ocr_seconds)
    if not any(page.parts for page in pages):
        if not any(page.drawn for page in pages):
            raise DocumentError("has no text: check it in a viewer")
        raise DocumentError(_ILLEGIBLE if ocr_seconds and installed() else _SCANNED)
    if sum(page.unknown for page in pages) > _UNREADABLE_SHARE * len(pages):
        raise DocumentError("has fonts that hide its text: run OCR on it first")
    pages = without_running_lines(pages, body_size(pages))
    builder = TextBuilder()
    add_pages(pages, outline, builder)
    metadata = normalise(_properties(properties))
    metadata.update({OCR: recognised} if recognised else {})
    if unread:
        metadata[UNREAD] = unread
        metadata.update({TRIED: "yes"} if ocr_seconds and installed() else {})
    named = believable_title(str(metadata.pop("title", "")))
    document = builder.build(document_id, named, metadata)
    first = next((block for block in document.blocks[:3] if block.kind == "heading"), None)
    if named or first is None:
        return document
    return replace(document, title=document.text[first.start : first.end])


def _with_pictures(
    data: bytes, pages: list[PageContent], seconds: float
) -> tuple[list[PageContent], str, str]:
    """The pages with the text of pictures, which of them were recognised, and which were not."""
    pictures = [
        page
        for page in pages
        if (page.drawn and not page.parts) or page.unknown > _UNREADABLE_SHARE
    ]
    found: dict[int, PageContent] = {}
    if pictures and seconds > 0 and installed():
        found = recognise(data, pictures, body_size(pages) or _USUAL_SIZE, seconds)
    numbers = [page.number for page in pictures]
    return (
        [found.get(page.number, page) for page in pages],
        _ranges([number for number in numbers if number in found]),
        _ranges([number for number in numbers if number not in found]),
    )


def _ranges(numbers: list[int]) -> str:
    """1, 2, 3, 7 as "1-3, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def _read_pages(pdf: pdfplumber.PDF) -> list[PageContent]:
    contents: list[PageContent] = []
    for page in pdf.pages:
        contents.append(read_page(page, contents[-1].starts if contents else ()))
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
