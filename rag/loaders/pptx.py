"""PowerPoint: one page a slide; its title, lists, tables and speaker's notes."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pptx
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError

from rag.errors import DocumentError
from rag.loaders.builder import TextBuilder, clean
from rag.loaders.metadata import believable_title, core_properties, normalise
from rag.loaders.package import DAMAGE, Kind, check_package

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pptx.presentation import Presentation
    from pptx.shapes.base import BaseShape
    from pptx.slide import Slide
    from pptx.table import Table, _Row
    from pptx.text.text import TextFrame

    from rag.types import Document

_KIND = Kind("a PowerPoint presentation", ".pptx", "PowerPoint")
_TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
_LISTS = (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT)
_FURNITURE = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)


def load(data: bytes, document_id: str) -> Document:
    """Read a presentation; hidden slides, dates, footers and slide numbers are left out.

    Raises:
        DocumentError: it is encrypted, in the old .ppt format, damaged, too large when unpacked,
            or has no text.
    """
    check_package(data, _KIND)
    presentation = _opened(data)
    builder = TextBuilder()
    first = ""
    for number, slide in enumerate(presentation.slides, start=1):
        builder.page(number)
        if slide.element.get("show", "1") not in ("0", "false"):
            title = _add_slide(slide, builder)
            first = first or title
    core = presentation.core_properties
    metadata = normalise(core_properties(core, core.author))
    named = believable_title(str(metadata.pop("title", "")))
    return builder.build(document_id, named or first, metadata)


def _opened(data: bytes) -> Presentation:
    try:
        return pptx.Presentation(BytesIO(data))
    except (PythonPptxError, KeyError, ValueError, AttributeError, TypeError, *DAMAGE) as error:
        raise DocumentError(
            "is damaged or not a PowerPoint presentation: open it there and save it again"
        ) from error


def _add_slide(slide: Slide, builder: TextBuilder) -> str:
    """Add a slide and return its title."""
    title = next((shape for shape in slide.placeholders if _role(shape) in _TITLES), None)
    heading = clean(title.text_frame.text) if title is not None else ""
    builder.heading(heading, 1)
    _add_shapes([shape for shape in slide.shapes if shape != title], builder)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        for paragraph in slide.notes_slide.notes_text_frame.paragraphs:
            builder.paragraph(paragraph.text, "Notes: ")
    return heading


def _add_shapes(shapes: Iterable[BaseShape], builder: TextBuilder) -> None:
    for shape in shapes:
        role = _role(shape)
        if role in _FURNITURE:
            continue
        if hasattr(shape, "shapes"):
            _add_shapes(shape.shapes, builder)
        elif getattr(shape, "has_table", False):
            _add_table(shape.table, builder)
        elif shape.has_text_frame:
            _add_text(shape.text_frame, builder, listed=role in _LISTS)


def _role(shape: BaseShape) -> PP_PLACEHOLDER | None:
    return shape.placeholder_format.type if shape.is_placeholder else None


def _add_text(frame: TextFrame, builder: TextBuilder, *, listed: bool) -> None:
    """A placeholder for a list of one entry is a paragraph."""
    paragraphs = [paragraph for paragraph in frame.paragraphs if clean(paragraph.text)]
    listed = listed and len(paragraphs) > 1
    for paragraph in paragraphs:
        if listed or paragraph.level:
            builder.item(paragraph.text, paragraph.level + listed)
        else:
            builder.paragraph(paragraph.text)


def _add_table(table: Table, builder: TextBuilder) -> None:
    rows = list(table.rows)
    # The header is the first row below a title.
    starts = bool(table.first_row) and len(rows) > 1
    texts: list[str] = []
    for row in rows:
        texts = _row_texts(row, texts)
        several = len(texts) > 1
        builder.row(texts, header=starts and several)
        starts = starts and not several


def _row_texts(row: _Row, above: Sequence[str]) -> list[str]:
    """One text per column: a covered cell shows what covers it, from the left or from `above`."""
    cells = list(row.cells)
    texts: list[str] = []
    from_left = 0
    alone = sum(not cell.is_spanned for cell in cells) == 1
    for cell in cells:
        if not cell.is_spanned:
            texts.append(cell.text_frame.text)
            from_left = cell.span_width - 1
        elif from_left > 0:
            from_left -= 1
            texts.append(texts[-1])
        else:
            alone = False
            texts.append(above[len(texts)] if len(texts) < len(above) else "")
    # A title across the whole table is said once.
    return texts[:1] if alone else texts
