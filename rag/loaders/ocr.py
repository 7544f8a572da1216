"""Pages of a PDF that are pictures: their text through tesseract, where that is installed.

pypdfium2 draws the page, tesseract (Debian: `apt install tesseract-ocr`) reads it. A page that it
is not sure of, or has no time for, stays unread and is named.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

from rag.loaders.pdf_page import Line, PageContent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PROGRAM = "tesseract"
_DPI = 200
_PIXELS_AT_MOST = 12_000_000
_PAGE_SECONDS = 30.0
_LEAST_CONFIDENCE = 50.0
_LANGUAGES_AT_MOST = 3
_COLUMNS = 12


def installed() -> bool:
    """Whether scanned pages can be read here."""
    return shutil.which(PROGRAM) is not None


def recognise(
    data: bytes, pages: Iterable[PageContent], size: float, seconds: float
) -> dict[int, PageContent]:
    """The text of some pages, by their number; those that cannot be read are left out.

    Args:
        data: the PDF.
        pages: which pages, with their height.
        size: the size that the letters are taken to have, in points: a picture has none.
        seconds: how long it may take for all of them.
    """
    from pypdfium2 import PdfiumError

    deadline = time.monotonic() + seconds
    found = {}
    for page in pages:
        left = min(_PAGE_SECONDS, deadline - time.monotonic())
        if left <= 0:
            break
        try:
            picture, scale = _picture(data, page.number)
        except PdfiumError:
            continue  # What cannot be drawn costs this page, not the text of the others.
        table = _tesseract(picture, left)
        lines = _lines(table, scale, size)
        if lines:
            found[page.number] = page._replace(parts=list(lines), unknown=0.0)
    return found


def _picture(data: bytes, number: int) -> tuple[bytes, float]:
    """The page in shades of grey, as PGM, and points per pixel."""
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        page = document[number - 1]
        width, height = page.get_size()
        most = (_PIXELS_AT_MOST / max(1.0, width * height)) ** 0.5
        scale = min(_DPI / 72, most)
        image = page.render(scale=scale, grayscale=True).to_pil().convert("L")
    finally:
        document.close()
    buffer = BytesIO()
    image.save(buffer, "PPM")
    return buffer.getvalue(), 1 / scale


def _tesseract(picture: bytes, seconds: float) -> str:
    """Words with their places as tab-separated lines; "" if it fails."""
    program = shutil.which(PROGRAM)
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, "stdin", "stdout", "-l", _languages(program), "--dpi", str(_DPI), "tsv"],
            input=picture,
            capture_output=True,
            timeout=seconds,
            check=False,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


@cache
def _languages(program: str) -> str:
    """Those that are installed, English first."""
    done = subprocess.run(
        [program, "--list-langs"], capture_output=True, timeout=_PAGE_SECONDS, check=False
    )
    names = [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines()[1:]]
    known = sorted((name for name in names if name not in ("", "osd")), key=lambda n: n != "eng")
    return "+".join(known[:_LANGUAGES_AT_MOST]) or "eng"


def _lines(table: str, scale: float, size: float) -> list[Line]:
    """The lines of a page, in tesseract's reading order; none if it is too unsure of them."""
    words: dict[tuple[str, ...], list[Sequence[str]]] = {}
    blocks: dict[str, tuple[float, float]] = {}
    weighed = letters = 0.0
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) < _COLUMNS:
            continue
        if cells[0] == "2":
            left, width = int(cells[6]) * scale, int(cells[8]) * scale
            blocks[cells[2]] = (left, left + width)
        text = cells[11].strip()
        if cells[0] == "5" and text:
            words.setdefault(tuple(cells[2:5]), []).append(cells)
            weighed += float(cells[10]) * len(text)
            letters += len(text)
    if not letters or weighed / letters < _LEAST_CONFIDENCE:
        return []
    lines = []
    for (block, *_), row_words in words.items():
        boxes = [[int(cell) * scale for cell in word[6:10]] for word in row_words]
        left, right = blocks.get(block, (boxes[0][0], boxes[-1][0] + boxes[-1][2]))
        lines.append(
            Line(
                " ".join(word[11].strip() for word in row_words),
                min(x for x, _, _, _ in boxes),
                max(x + width for x, _, width, _ in boxes),
                min(y for _, y, _, _ in boxes),
                max(y + height for _, y, _, height in boxes),
                size,
                False,
                left,
                right,
            )
        )
    return lines
