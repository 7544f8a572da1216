"""Paragraphs in bold that are headings of what follows, in Word, HTML and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awkward import word_bytes
from docx.enum.style import WD_STYLE_TYPE

from rag.loaders import load_bytes

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

PROSE = "Staff keep the receipts of every journey and hand them in within thirty days."


def test_word() -> None:
    def make(word: WordDocument) -> None:
        word.styles.add_style("Label", WD_STYLE_TYPE.PARAGRAPH).font.bold = True
        title = word.add_paragraph()
        title.add_run("Courses ").bold = True
        title.add_run("of 2024", style="Strong" if "Strong" in word.styles else None).bold = True
        word.add_paragraph("These courses are for all staff.")
        word.add_paragraph("Mandatory courses", style="Label")
        word.add_paragraph("First aid is one.")
        word.add_paragraph("Fees", style="Label").runs[0].bold = False
        partly = word.add_paragraph()
        partly.add_run("Trainees").bold = True
        partly.add_run(" pay nothing")
        word.add_paragraph("Pay by card.", style="Label")
        word.add_paragraph("The office", style="Label")

    document = load_bytes(word_bytes(make), "a.docx")
    assert document.title == "Courses of 2024"
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        ("heading", 1, "Courses of 2024"),
        ("paragraph", 0, "These courses are for all staff."),
        ("heading", 2, "Mandatory courses"),
        ("paragraph", 0, "First aid is one."),
        ("paragraph", 0, "Fees"),
        ("paragraph", 0, "Trainees pay nothing"),
        ("paragraph", 0, "Pay by card."),
        ("paragraph", 0, "The office"),
    ]


def test_html() -> None:
    html = (
        f"<main><h1>Courses</h1><p><b>Mandatory <i>courses</i></b></p><p>{PROSE}</p>"
        "<p><strong>Pay the fee first.</strong></p><p><b>Late fees</b></p>"
        f"<ul><li>45 crowns.</li></ul><p><b>Standard fee</b> It is due.</p><p>{PROSE}</p>"
        "<p><b>Signed: the office</b></p></main>"
    )
    document = load_bytes(html.encode(), "a.html")
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        ("heading", 1, "Courses"),
        ("heading", 2, "Mandatory courses"),
        ("paragraph", 0, PROSE),
        ("paragraph", 0, "Pay the fee first."),
        ("heading", 2, "Late fees"),
        ("item", 1, "45 crowns."),
        ("paragraph", 0, "Standard fee It is due."),
        ("paragraph", 0, PROSE),
        ("paragraph", 0, "Signed: the office"),
    ]


def test_markdown() -> None:
    text = (
        "# Courses\n\n**Mandatory courses**\n\nFirst aid is one.\n\n## Fees\n\n"
        "__Late fees__\n\n- 45 crowns\n\n**Pay by card.**\n\n**Members** pay **nothing**\n\n"
        "**Due on 1 May 2024**\n\nAsk the office.\n\n**The office**\n"
    )
    document = load_bytes(text.encode(), "a.md")
    assert document.text == text
    assert [(b.kind, b.level, text[b.start : b.end]) for b in document.blocks] == [
        ("heading", 1, "Courses"),
        ("heading", 2, "**Mandatory courses**"),
        ("paragraph", 0, "First aid is one."),
        ("heading", 2, "Fees"),
        ("heading", 3, "__Late fees__"),
        ("item", 1, "45 crowns"),
        ("paragraph", 0, "**Pay by card.**"),
        ("paragraph", 0, "**Members** pay **nothing**"),
        ("paragraph", 0, "**Due on 1 May 2024**"),
        ("paragraph", 0, "Ask the office."),
        ("paragraph", 0, "**The office**"),
    ]
