"""Makes files that are awkward to read, and checks what every loaded document promises."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
import zipfile
from functools import cache
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
        if key == "tags":
            assert isinstance(value, list)
        elif isinstance(value, list):
            assert len(value) > 1


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


def picture_page(canvas: Canvas, lines: Sequence[str]) -> None:
    """Draw a page that is a picture of these lines, as a scanner would make it."""
    from PIL import Image, ImageDraw, ImageFont
    from reportlab.lib.utils import ImageReader

    picture = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(30)
    for index, line in enumerate(lines):
        draw.text((120, 200 + 44 * index), line, fill=0, font=font)
    canvas.drawImage(ImageReader(picture), 0, 0, *A4)


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


@cache
def zip_bomb(megabytes: int = 400) -> bytes:
    """A package whose directory says that it unpacks to far more than it should."""
    buffer = io.BytesIO()
    with (
        # As little effort as can be: it is made whenever tests are collected.
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package,
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


# --- Other packages


def package_bytes(parts: dict[str, str | bytes]) -> bytes:
    """A ZIP package with these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return buffer.getvalue()


def slides_bytes(make: Callable[[Any], None]) -> bytes:
    """A presentation filled by the function."""
    import pptx

    presentation = pptx.Presentation()
    make(presentation)
    buffer = io.BytesIO()
    presentation.save(buffer)
    return buffer.getvalue()


def sheets_bytes(make: Callable[[Any], None]) -> bytes:
    """A workbook filled by the function; it starts with one sheet named "Sheet"."""
    import openpyxl

    workbook = openpyxl.Workbook()
    make(workbook)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


ODF_NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("style", "style"),
        ("draw", "drawing"),
        ("meta", "meta"),
    )
)


def odt_bytes(body: str, styles: str = "", meta: str = "", **parts: str | bytes) -> bytes:
    """An OpenDocument text with this body, automatic styles and properties."""
    content = (
        f"<office:document-content {ODF_NAMESPACES}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:text>{body}</office:text></office:body>"
        "</office:document-content>"
    )
    properties = (
        f'<office:document-meta {ODF_NAMESPACES} xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<office:meta>{meta}</office:meta></office:document-meta>"
    )
    return package_bytes(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": content,
            "meta.xml": properties,
            **{name.replace("__", "/") + ".xml": part for name, part in parts.items()},
        }
    )


def epub_bytes(
    chapters: dict[str, str | bytes], metadata: str = "", extra: dict[str, str] | None = None
) -> bytes:
    """An e-book whose chapters are these pages, in this order."""
    items = "".join(
        f'<item id="c{i}" href="{name}" media-type="application/xhtml+xml"/>'
        for i, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{i}"/>' for i in range(len(chapters)))
    book = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">{metadata}</metadata>'
        f'<manifest>{items}<item id="nav" href="nav.xhtml" properties="nav" '
        'media-type="application/xhtml+xml"/></manifest>'
        f'<spine><itemref idref="nav"/>{spine}</spine></package>'
    )
    return package_bytes(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": (
                '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
                '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
            ),
            "OEBPS/book.opf": book,
            "OEBPS/nav.xhtml": "<html><body><p>Contents of the book</p></body></html>",
            **{f"OEBPS/{name}": text for name, text in chapters.items()},
            **(extra or {}),
        }
    )


def laughing_xml(levels: int = 12) -> str:
    """A billion laughs: each entity is ten of the one before."""
    entities = ['<!ENTITY lol0 "lol">']
    entities += [f'<!ENTITY lol{i} "{f"&lol{i - 1};" * 10}">' for i in range(1, levels)]
    return f"<!DOCTYPE a [{''.join(entities)}]><a>&lol{levels - 1};</a>"
