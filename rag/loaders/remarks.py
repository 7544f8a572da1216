"""What the metadata of a document say of its reading: bad fields, pages without text, OCR."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.types import Metadata

PROBLEM = "metadata_problem"
"""The key under which the metadata of a document says what was wrong with it."""
UNREAD = "unread_pages"
"""The key that lists pages on which there is something to see but nothing to read."""
TRIED = "unread_pages_tried"
"""The key that says of these pages that OCR was tried on them."""
OCR = "ocr_pages"
"""The key that lists pages whose text was recognised in a picture."""
TO_INSTALL = "install tesseract"
"""What a reason says where OCR would help and is not there."""


def remarks(metadata: Metadata) -> list[str]:
    """What a report should say about a document that was read, one line each."""
    found = [str(metadata[PROBLEM])] if PROBLEM in metadata else []
    if UNREAD in metadata:
        pages = str(metadata[UNREAD])
        which = "pages" if re.search("[,-]", pages) else "page"
        if TRIED in metadata:
            remedy = ", by tesseract neither: scan the file again"
        else:
            remedy = f" (scanned?): {TO_INSTALL}, or run OCR on the file"
        found.append(f"no text could be read on {which} {pages}{remedy}")
    return found
