"""A conversation as a Word document."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from docx import Document
from docx.oxml import OxmlElement
from docx.shared import Pt, RGBColor
from docx.text.paragraph import Paragraph

from rag.chat import export
from rag.chat.conversations import Conversation

# What XML cannot hold, damaged files can.
_IMPOSSIBLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SOFT = RGBColor(0x5C, 0x58, 0x50)


def word(conversation: Conversation) -> bytes:
    """The file's content: headings, answers, and each quotation with its reference."""
    document = Document()
    document.core_properties.title = _clean(conversation.name)[:255]
    document.core_properties.author = ""
    document.styles["Normal"].font.size = Pt(10.5)
    document.add_heading(_clean(conversation.name), 0)
    for turn in conversation.turns:
        reply = turn.reply
        document.add_heading(_clean(turn.question), 1)
        if reply["standalone"] not in ("", turn.question):
            _small(document.add_paragraph(), f"Understood as: {reply['standalone']}")
        for part in export.parts(reply):
            _add_part(document, part)
        for heading, references in export.sections(reply):
            document.add_heading(heading, 2)
            for one in references:
                paragraph = document.add_paragraph(f"{_clean(one.mark)} “{_clean(one.quote)}”")
                paragraph.add_run().add_break()
                paragraph.add_run(_clean(one.place)).italic = True
                paragraph.add_run().add_break()
                _small(paragraph, one.address)
        for note in reply["notes"]:
            document.add_paragraph(_clean(note))
        _small(document.add_paragraph(), export.pedigree(turn))
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _add_part(document: Any, part: Mapping[str, Any]) -> None:
    lines = part["lines"]
    if part["age"]:
        _small(document.add_paragraph(), part["age"])
    if part["kind"] == "row":
        _add_table(document, lines)
    elif part["kind"] == "item":
        for line in lines:
            words = _clean(*export.cells(line))
            style = "List" if line["marker"] else "List Bullet"
            deeper = f" {line['depth'] + 1}" if line["depth"] else ""
            # Word's own numbers would go on from list to list.
            marker = f"{_clean(line['marker'])}\t" if line["marker"] else ""
            document.add_paragraph(marker + words, style=style + deeper)
    else:
        words = " ".join(cell for line in lines for cell in export.cells(line))
        document.add_paragraph(_clean(words))


def _add_table(document: Any, lines: Sequence[Mapping[str, Any]]) -> None:
    table = document.add_table(0, len(lines[0]["cells"]), style="Table Grid")
    for line in lines:
        row = table.add_row()
        for cell, words in zip(row.cells, export.cells(line), strict=True):
            cell.paragraphs[0].add_run(_clean(words)).bold = line["header"]
        if line["header"]:
            # Shown again at the top of each page.
            row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # noqa: SLF001  no other way
    document.add_paragraph()


def _small(paragraph: Paragraph, text: str) -> None:
    run = paragraph.add_run(_clean(text))
    run.font.size = Pt(8.5)
    run.font.color.rgb = _SOFT


def _clean(text: str) -> str:
    return _IMPOSSIBLE.sub("\ufffd", " ".join(text.split()))
