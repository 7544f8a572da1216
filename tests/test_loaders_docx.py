"""Word: headings, lists, tables, tracked changes, and files that cannot be read."""

from __future__ import annotations

import datetime as dt
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from awkward import add_xml, check_promises, encrypted_docx, shown, texts, word_bytes, zip_bomb

from rag.errors import DocumentError
from rag.loaders import load_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from docx.document import Document as WordDocument

    from rag.types import Document


def load(make: Callable[[WordDocument], None]) -> Document:
    document = load_bytes(word_bytes(make), "policies/travel_rules.docx")
    check_promises(document)
    return document


def test_headings_paragraphs_and_lists_in_order() -> None:
    def make(word: WordDocument) -> None:
        word.add_heading("Travel rules", 0)
        word.add_heading("Scope", 1)
        word.add_paragraph("These rules hold for all staff.")
        word.add_paragraph("Keep receipts.", style="List Bullet")
        word.add_paragraph("Hotel bills too.", style="List Bullet 2")
        word.add_heading("Details", 2)

    document = load(make)
    assert document.title == "Travel rules"
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        ("heading", 1, "Travel rules"),
        ("heading", 1, "Scope"),
        ("paragraph", 0, "These rules hold for all staff."),
        ("item", 1, "Keep receipts."),
        ("item", 2, "Hotel bills too."),
        ("heading", 2, "Details"),
    ]
    assert "\n- Keep receipts.\n  - Hotel bills too.\n" in document.text


def test_tables_stand_where_they_stand() -> None:
    def make(word: WordDocument) -> None:
        word.add_paragraph("Before.")
        table = word.add_table(rows=0, cols=2)
        for cells in (("Destination", "Rate"), ("Selhaven", "45\ncrowns"), ("Abroad", "")):
            for cell, text in zip(table.add_row().cells, cells, strict=True):
                cell.text = text
        word.add_paragraph("After.")

    document = load(make)
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        ("paragraph", 0, "Before."),
        ("row", 1, "Destination | Rate"),
        ("row", 0, "Selhaven | 45 crowns"),
        ("row", 0, "Abroad |"),
        ("paragraph", 0, "After."),
    ]


def test_merged_cells() -> None:
    def make(word: WordDocument) -> None:
        table = word.add_table(rows=3, cols=3)
        for row, texts_ in enumerate(
            (("Grade", "Leave", "Pay"), ("G1", "20", "10"), ("G2", "25", "15"))
        ):
            for column, text in enumerate(texts_):
                table.cell(row, column).text = text
        table.cell(1, 0).merge(table.cell(2, 0)).text = "G1 and G2"
        table.cell(0, 1).merge(table.cell(0, 2)).text = "Conditions"

    assert texts(load(make), "row") == [
        "Grade | Conditions | Conditions",
        "G1 and G2 | 20 | 10",
        "G1 and G2 | 25 | 15",
    ]


@pytest.mark.parametrize(
    ("repeated", "expected"),
    [(0, [0, 1, 0, 0]), (1, [0, 1, 0, 0]), (2, [0, 1, 0, 0]), (3, [0, 1, 1, 0])],
)
def test_headers_below_a_title_and_of_several_rows(repeated: int, expected: list[int]) -> None:
    def make(word: WordDocument) -> None:
        from docx.oxml import OxmlElement

        table = word.add_table(rows=4, cols=3)
        for row in table.rows:
            for column, cell in enumerate(row.cells):
                cell.text = f"cell {column}"
        table.cell(0, 0).merge(table.cell(0, 2)).text = "Leave of 2024"
        for row in table.rows[:repeated]:
            row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))

    assert [block.level for block in load(make).blocks] == expected


def test_a_box_of_one_cell_is_text() -> None:
    def make(word: WordDocument) -> None:
        cell = word.add_table(rows=1, cols=1).cell(0, 0)
        cell.text = "Remember this."
        cell.add_paragraph("And that.", style="List Bullet")

    assert shown(load(make)) == [("paragraph", "Remember this."), ("item", "And that.")]


def test_tracked_changes_count_as_accepted() -> None:
    def make(word: WordDocument) -> None:
        paragraph = word.add_paragraph("The limit is ")
        add_xml(
            paragraph, '<w:del w:id="1" w:author="a"><w:r><w:delText>40</w:delText></w:r></w:del>'
        )
        add_xml(paragraph, '<w:ins w:id="2" w:author="a"><w:r><w:t>45</w:t></w:r></w:ins>')
        add_xml(
            paragraph, '<w:moveFrom w:id="3" w:author="a"><w:r><w:t> moved</w:t></w:r></w:moveFrom>'
        )
        paragraph.add_run(" crowns.")

    assert load(make).text == "The limit is 45 crowns."


def test_hidden_text_stays_out_and_content_controls_and_links_stay_in() -> None:
    def make(word: WordDocument) -> None:
        paragraph = word.add_paragraph("See ")
        paragraph.add_run("secret ").font.hidden = True
        add_xml(paragraph, "<w:hyperlink><w:r><w:t>the rules</w:t></w:r></w:hyperlink>")
        add_xml(
            paragraph, "<w:sdt><w:sdtContent><w:r><w:t> of 2024</w:t></w:r></w:sdtContent></w:sdt>"
        )
        body = word.element.body
        from docx.oxml import parse_xml
        from docx.oxml.ns import nsdecls

        body.insert(
            1,
            parse_xml(
                f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>In "
                f"a control.</w:t></w:r></w:p>"
                "</w:sdtContent></w:sdt>"
            ),
        )

    assert texts(load(make), "paragraph") == ["See the rules of 2024", "In a control."]


NOTES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def _add_notes(word: WordDocument, kind: str, notes: dict[int, str]) -> None:
    from docx.opc.packuri import PackURI
    from docx.opc.part import Part
    from docx.oxml.ns import nsdecls

    inside = "".join(
        f'<w:{kind} w:id="{number}"><w:p><w:r><w:{kind}Ref/></w:r><w:r><w:t>{text}</w:t></w:r>'
        f"</w:p></w:{kind}>"
        for number, text in notes.items()
    )
    xml = f"<w:{kind}s {nsdecls('w')}>{inside}</w:{kind}s>"
    part = Part(PackURI(f"/word/{kind}s.xml"), "application/xml", xml.encode(), word.part.package)
    word.part.relate_to(part, f"{NOTES}{kind}s")


def test_notes_follow_the_paragraph_that_refers_to_them() -> None:
    def make(word: WordDocument) -> None:
        first = word.add_paragraph("Staff get 13 days.")
        add_xml(first, '<w:r><w:footnoteReference w:id="7"/></w:r>')
        deleted = word.add_paragraph("They may ask early.")
        add_xml(
            deleted,
            '<w:del w:id="1" w:author="a"><w:r><w:footnoteReference w:id="8"/></w:r></w:del>',
        )
        table = word.add_table(rows=1, cols=2)
        table.cell(0, 0).text, table.cell(0, 1).text = "G1", "13"
        add_xml(table.cell(0, 1).paragraphs[0], '<w:r><w:footnoteReference w:id="2"/></w:r>')
        add_xml(word.add_paragraph("The end."), '<w:r><w:endnoteReference w:id="2"/></w:r>')
        _add_notes(word, "footnote", {2: "Of 2024.", 7: "Part-time staff too.", 8: "Gone."})
        _add_notes(word, "endnote", {2: "See the annex."})

    document = load(make)
    assert shown(document) == [
        ("paragraph", "Staff get 13 days."),
        ("paragraph", "Part-time staff too."),
        ("paragraph", "They may ask early."),
        ("row", "G1 | 13"),
        ("paragraph", "Of 2024."),
        ("paragraph", "The end."),
        ("paragraph", "See the annex."),
    ]
    assert "\n\n[1] Part-time staff too.\n\n" in document.text
    assert "\n\n[2] Of 2024.\n\n" in document.text


def test_later_paragraphs_and_notes_belong_to_their_entry() -> None:
    def make(word: WordDocument) -> None:
        from docx.enum.style import WD_STYLE_TYPE

        if "List Paragraph" not in word.styles:
            word.styles.add_style("List Paragraph", WD_STYLE_TYPE.PARAGRAPH)
        word.add_paragraph("Indented.", style="List Paragraph")
        first = word.add_paragraph("Keep receipts.", style="List Bullet")
        add_xml(first, '<w:r><w:footnoteReference w:id="7"/></w:r>')
        _add_notes(word, "footnote", {7: "Copies will do."})
        word.add_paragraph("Hotel bills too.", style="List Bullet 2")
        word.add_paragraph("Of all nights.", style="List Paragraph")
        word.add_paragraph("For a year.", style="List Continue")
        bare = word.add_paragraph("Then burn them.", style="List Bullet")
        bare._p.get_or_add_pPr()._add_numPr().get_or_add_numId().val = 0
        word.add_paragraph("Ask early.", style="List Bullet")
        word.add_heading("Details", 1)
        word.add_paragraph("Indented.", style="List Paragraph")

    assert load(make).text == (
        "Indented.\n\n- Keep receipts.\n[1] Copies will do.\n  - Hotel bills too.\n"
        "    Of all nights.\n  For a year.\n  Then burn them.\n- Ask early.\n\n"
        "Details\n\nIndented."
    )


def test_comments_are_left_out() -> None:
    def make(word: WordDocument) -> None:
        paragraph = word.add_paragraph("Staff get 13 days.")
        word.add_comment(paragraph.runs, text="Really?", author="A")

    assert load(make).text == "Staff get 13 days."


def test_a_table_of_contents_is_left_out() -> None:
    def make(word: WordDocument) -> None:
        from docx.enum.style import WD_STYLE_TYPE

        word.styles.add_style("toc 1", WD_STYLE_TYPE.PARAGRAPH)
        word.add_paragraph("Scope\t3", style="toc 1")
        word.add_heading("Scope", 1)

    assert shown(load(make)) == [("heading", "Scope")]


def test_metadata_from_the_core_properties() -> None:
    def make(word: WordDocument) -> None:
        core = word.core_properties
        core.title, core.author, core.keywords = "Rules", "Travel Office", "travel; rates"
        core.version, core.language, core.created = "2.1", "en-GB", dt.datetime(2024, 3, 1)  # noqa: DTZ001
        word.add_paragraph("Text.")

    document = load(make)
    assert document.title == "Rules"
    expected = {
        "author": "Travel Office",
        "tags": ["travel", "rates"],
        "version": "2.1",
        "language": "en-GB",
        "created": "2024-03-01",
    }
    assert expected.items() <= dict(document.metadata).items()


def test_a_document_without_a_title_is_named_after_its_first_heading_or_its_file() -> None:
    assert load(lambda word: word.add_heading("Duties", 1) and None).title == "Duties"
    assert load(lambda word: word.add_paragraph("Text.") and None).title == "Travel rules"


def _without(name: str) -> bytes:
    source = zipfile.ZipFile(BytesIO(word_bytes(lambda word: word.add_paragraph("x") and None)))
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for entry in source.namelist():
            if entry != name:
                package.writestr(entry, source.read(entry))
    return buffer.getvalue()


DAMAGED = "is damaged or not a Word document: open it in Word and save it again"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encrypted_docx(), "is encrypted: save a copy without a password"),
        (encrypted_docx()[:512], "is in the old Word format: save it as .docx"),
        (
            zip_bomb(),
            "unpacks to 400 MB, more than the 200 MB allowed: remove its pictures or split it",
        ),
        (word_bytes(lambda word: None), "has no text"),
        (b" \n", "is empty"),
        (b"not a package", "is damaged or not a Word document: save it again as .docx"),
        (
            word_bytes(lambda word: None)[:2000],
            "is damaged or not a Word document: save it again as .docx",
        ),
        (_without("word/document.xml"), DAMAGED),
        (_without("[Content_Types].xml"), DAMAGED),
    ],
    ids=[
        "encrypted",
        "old",
        "bomb",
        "no text",
        "empty",
        "no zip",
        "cut off",
        "no body",
        "no types",
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, "a.docx")
    assert str(caught.value) == reason
