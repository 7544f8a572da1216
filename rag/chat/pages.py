"""Pages of PDF files as pictures, with the places of quotations on them.

The picture is only for looking at: offsets, quotes and hashes refer to the canonical text. A file
that is no longer the one that was indexed is refused.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

import pypdfium2 as pdfium

from rag.building.changes import fingerprint
from rag.building.corpus import file_of
from rag.errors import DocumentError
from rag.loaders.fields import sidecar_of

_SCALE = 2.0
_MAX_POINTS = 2_000
_pdfium_lock = Lock()
"""PDFium is not safe to be called from two threads."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in shares of its width and height from the top left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Picture:
    """One page.

    Attributes:
        data: the picture as a `data:` address.
        width: in pixels.
        height: in pixels.
        boxes: for each quotation that was asked for, where it stands; empty if it was not found.
    """

    data: str
    width: int
    height: int
    boxes: tuple[tuple[Box, ...], ...]


def find_file(corpus: Path, document_id: str, sha256: str) -> Path:
    """The file of a document, if it lies in the corpus and is still what was indexed.

    Raises:
        DocumentError: it is not there, lies elsewhere, or has changed.
    """
    found = file_of(corpus, document_id)
    path = found and found.resolve()
    if not (found and path and path.is_relative_to(corpus.resolve()) and path.is_file()):
        raise DocumentError(f"The file {document_id} is no longer in the corpus folder.")
    if fingerprint(path, sidecar_of(found)) != sha256:
        raise DocumentError(f"The file {document_id} has changed since it was indexed.")
    return path


def picture(path: Path, number: int, quotes: Sequence[str]) -> Picture:
    """Page `number`, from 1, of a PDF file as a picture.

    Raises:
        DocumentError: there is no such page, or it cannot be drawn.
    """
    try:
        with _pdfium_lock, pdfium.PdfDocument(path) as document:
            if not 1 <= number <= len(document):
                raise DocumentError(f"There is no page {number}.")
            page = document[number - 1]
            width, height = page.get_size()
            scale = _SCALE * min(1.0, _MAX_POINTS / max(width, height))
            image = page.render(scale=scale).to_pil()
            text = page.get_textpage()
            boxes = tuple(_boxes(text, quote, width, height) for quote in quotes)
    except pdfium.PdfiumError as error:
        raise DocumentError(f"Page {number} of {path.name} cannot be drawn: {error}") from error
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Picture(f"data:image/png;base64,{data}", image.width, image.height, boxes)


def _boxes(text: Any, quote: str, width: float, height: float) -> tuple[Box, ...]:
    """One box for each line of the quotation.

    Spaces, hyphens and signs differ between what PDFium and the loader read, so only letters and
    digits are compared.
    """
    letters = [
        (sign.casefold(), index)
        for index, sign in enumerate(text.get_text_range())
        if sign.isalnum()
    ]
    wanted = "".join(sign.casefold() for sign in quote if sign.isalnum())
    start = "".join(sign[:1] for sign, _ in letters).find(wanted) if wanted else -1
    if start < 0:
        return ()
    found = [text.get_charbox(index) for _, index in letters[start : start + len(wanted)]]
    breaks = [
        at for at, (one, other) in enumerate(pairwise(found), start=1) if not _same_line(one, other)
    ]
    return tuple(
        _box(found[first:last], width, height) for first, last in pairwise([0, *breaks, len(found)])
    )


def _same_line(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    overlap = min(one[3], other[3]) - max(one[1], other[1])
    return overlap > 0 and other[2] > one[0]


def _box(chars: Sequence[tuple[float, ...]], width: float, height: float) -> Box:
    left = min(char[0] for char in chars)
    bottom = min(char[1] for char in chars)
    right = max(char[2] for char in chars)
    top = max(char[3] for char in chars)
    return Box(
        round(left / width, 5),
        round(1 - top / height, 5),
        round((right - left) / width, 5),
        round((top - bottom) / height, 5),
    )
