"""Makes files that are awkward to read, and checks what every loaded document promises."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from docx.document import Document as WordDocument
    from docx.text.paragraph import Paragraph as WordParagraph

    from rag.types import Document

STYLES = getSampleStyleSheet()
LOREM = (
    "Staff keep the receipts of every journey and hand them in within thirty days of their return "
    "unless the head of unit has agreed to a longer period in writing before the journey began"
).split()


def check_promises(document: Document) -> None:
    """What `rag.types` says of every document."""
    assert document.title.strip()
    end = 0
    for block in document.blocks:
        piece = document.text[block.start : block.end]
        assert end <= block.start < block.end <= len(document.text), block
        assert piece == piece.strip(), repr(piece)
        assert block.level >= (block.kind in ("heading", "item")), block
        end = block.end
    if document.pages:
        assert document.pages[0].start == 0
        assert document.pages[-1].end == len(document.text)
        for page, following in zip(document.pages, document.pages[1:], strict=False):
            assert page.end == following.start
            assert page.number < following.number
    for key, value in document.metadata.items():
        assert key == key.lower()
        assert value
        assert isinstance(value, list) == (key == "tags")


def shown(document: Document) -> list[tuple[str, str]]:
    """(kind, text) of each block."""
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def texts(document: Document, kind: str) -> list[str]:
    """The blocks of one kind."""
    return [text for found, text in shown(document) if found == kind]


def prose(words: int, start: int = 0) -> str:
    """Sentence-like text without a full stop, so that nothing but its layout divides it."""
    return " ".join(LOREM[(start + i) % len(LOREM)] for i in range(words))


@contextlib.contextmanager
def unprivileged() -> Iterator[Path]:
    """A folder of somebody to whom permissions apply, which they do not to root."""
    nobody = 65534
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        if root:
            os.chown(name, nobody, nobody)
            os.seteuid(nobody)
        try:
            yield Path(name)
        finally:
            if root:
                os.seteuid(0)


# --- PDF


def canvas_pdf(*pages: Callable[[Canvas], None], **options: Any) -> bytes:
    """A PDF whose pages are drawn by the functions."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1, **options)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def lines_pdf(
    *pages: Sequence[str], top: float = 700, leading: float = 14, **options: Any
) -> bytes:
    """A PDF with the given lines on each page, in 11 points."""

    def drawer(lines: Sequence[str]) -> Callable[[Canvas], None]:
        def draw(canvas: Canvas) -> None:
            canvas.setFont("Helvetica", 11)
            for index, line in enumerate(lines):
                canvas.drawString(72, top - leading * index, line)

        return draw

    return canvas_pdf(*map(drawer, pages), **options)


def story_pdf(*story: object, decorate: Callable[[Canvas, Any], None] | None = None) -> bytes:
    """A PDF laid out from reportlab flowables; `decorate` draws on every page."""
    buffer = io.BytesIO()
    template = SimpleDocTemplate(buffer, pagesize=A4, invariant=1)
    nothing: Callable[[Canvas, Any], None] = lambda canvas, document: None  # noqa: E731
    template.build(list(story), onFirstPage=decorate or nothing, onLaterPages=decorate or nothing)
    return buffer.getvalue()


def heading(text: str, level: int = 1) -> Paragraph:
    return Paragraph(text, STYLES[f"Heading{level}"])


def body(text: str) -> Paragraph:
    return Paragraph(text, STYLES["BodyText"])


def page_break() -> PageBreak:
    return PageBreak()


def gap() -> Spacer:
    return Spacer(1, 12)


def ruled_table(rows: Sequence[Sequence[str]]) -> Table:
    return Table([list(row) for row in rows], style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black)])


def encrypted_pdf() -> bytes:
    return lines_pdf(["secret"], encrypt=StandardEncryption("password", canPrint=0))


def scanned_pdf() -> bytes:
    """Pages that are pictures only."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    picture = ImageReader(Image.new("L", (200, 280), 200))
    return canvas_pdf(lambda canvas: canvas.drawImage(picture, 0, 0, *A4))


# --- Word


def word_bytes(make: Callable[[WordDocument], None]) -> bytes:
    """A Word document filled by the function."""
    document = docx.Document()
    make(document)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def add_xml(paragraph: WordParagraph, xml: str) -> None:
    """Append raw WordprocessingML to a paragraph."""
    paragraph._p.append(parse_xml(re.sub(r"^<([\w:]+)", rf"<\1 {nsdecls('w')}", xml, count=1)))


def zip_bomb(megabytes: int = 400) -> bytes:
    """A package whose directory says that it unpacks to far more than it should."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package,
        package.open("word/document.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(megabytes):
            part.write(b"\0" * 1_000_000)
    return buffer.getvalue()


def encrypted_docx() -> bytes:
    """The start of the container in which Office keeps encrypted documents."""
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + b"\0" * 1000
        + "EncryptedPackage".encode("utf-16-le")
        + b"\0" * 1000
    )
