"""PDF: reading order, pages, headings, tables, and files that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from awkward import (
    LOREM,
    body,
    canvas_pdf,
    check_promises,
    encrypted_pdf,
    gap,
    heading,
    lines_pdf,
    page_break,
    prose,
    ruled_table,
    scanned_pdf,
    shown,
    story_pdf,
    texts,
)
from reportlab.pdfgen.canvas import Canvas

from rag.errors import DocumentError
from rag.loaders import load_bytes
from rag.types import Document

if TYPE_CHECKING:
    from collections.abc import Sequence


def load(data: bytes) -> Document:
    document = load_bytes(data, "policies/travel-rules.pdf")
    check_promises(document)
    return document


def test_hard_wrapped_lines_become_one_paragraph() -> None:
    lines = [prose(12, start) for start in (0, 12, 24)]
    document = load(lines_pdf([*lines[:2], lines[2] + "."]))
    assert shown(document) == [("paragraph", " ".join(lines) + ".")]


def test_headings_by_size_and_their_levels() -> None:
    document = load(
        story_pdf(
            heading("Travel", 1),
            body(prose(80)),
            heading("Who may travel", 2),
            body(prose(80)),
            heading("Exceptions", 2),
            body(prose(60)),
        )
    )
    assert [
        (b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "heading"
    ] == [
        (1, "Travel"),
        (2, "Who may travel"),
        (2, "Exceptions"),
    ]
    assert document.title == "Travel"


def test_a_heading_over_two_lines_is_one() -> None:
    title = "The rules on travel by rail, road, air and water for all staff of the agency"
    document = load(story_pdf(heading(title), body(prose(60))))
    assert texts(document, "heading") == [title]


def test_bold_lines_standing_alone_are_headings() -> None:
    def draw(canvas: Canvas) -> None:
        for y, font, text in (
            (700, "Helvetica-Bold", "Scope"),
            (676, "Helvetica", prose(12) + "."),
            (640, "Helvetica-Bold", "Duties"),
            (616, "Helvetica", prose(12) + "."),
            (602, "Helvetica-Bold", "Note: this line goes on as text and is not a heading."),
        ):
            canvas.setFont(font, 11)
            canvas.drawString(72, y, text)

    assert texts(load(canvas_pdf(draw)), "heading") == ["Scope", "Duties"]


def test_pages_are_exact() -> None:
    document = load(
        story_pdf(body("Alpha one."), page_break(), body("Beta two."), page_break(), body("Gamma."))
    )
    pages = {page.number: document.text[page.start : page.end].strip() for page in document.pages}
    assert pages == {1: "Alpha one.", 2: "Beta two.", 3: "Gamma."}


def test_an_empty_page_has_an_empty_span() -> None:
    document = load(canvas_pdf(_line("Alpha."), lambda canvas: None, _line("Gamma.")))
    assert [(p.number, document.text[p.start : p.end].strip()) for p in document.pages] == [
        (1, "Alpha."),
        (2, ""),
        (3, "Gamma."),
    ]


def test_a_paragraph_goes_on_over_a_page_break() -> None:
    first, second = prose(12), prose(8, 12) + "."
    document = load(lines_pdf([first], [second]))
    assert shown(document) == [("paragraph", f"{first} {second}")]
    assert document.text[document.pages[1].start :] == second


def test_a_finished_paragraph_does_not() -> None:
    document = load(lines_pdf(["It ends here."], ["Another begins."]))
    assert texts(document, "paragraph") == ["It ends here.", "Another begins."]


def test_hyphens_at_line_ends_are_healed() -> None:
    document = load(
        lines_pdf(
            [
                "The organisation of travel is described in the hand-",
                "book of the agency, and a long-term plan is part of it, as every long-",
                "term plan is.",
            ]
        )
    )
    assert "the handbook of" in document.text
    assert "every long-term plan" in document.text


def test_a_hyphen_is_healed_over_a_page_break() -> None:
    document = load(lines_pdf([prose(11) + " depart-"], ["ment of the agency."]))
    assert "department of" in document.text
    assert document.text[document.pages[1].start :] == "ment of the agency."


def test_running_headers_footers_and_page_numbers_go() -> None:
    def decorate(canvas: Canvas, template: object) -> None:
        canvas.drawString(72, 810, "Agency handbook")
        canvas.drawString(72, 20, "Version 3, internal")
        canvas.drawRightString(520, 20, f"Page {canvas.getPageNumber()} of 3")

    story = [
        part for n in range(3) for part in (body(f"Chapter {n} begins. {prose(60)}."), page_break())
    ]
    document = load(story_pdf(*story, decorate=decorate))
    assert "Agency handbook" not in document.text
    assert "internal" not in document.text
    assert "Page" not in document.text
    assert len(texts(document, "paragraph")) == 3


def test_a_line_at_the_edge_that_does_not_repeat_stays() -> None:
    document = load(canvas_pdf(_line("A remark.", 815), _line("Something else.", 815)))
    assert texts(document, "paragraph") == ["A remark.", "Something else."]


def test_two_columns_are_read_one_after_the_other() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica-Bold", 16)
        canvas.drawString(72, 760, "A heading across both columns of the page in large type")
        canvas.setFont("Helvetica", 10)
        for row in range(20):
            canvas.drawString(72, 720 - 12 * row, " ".join(f"left{row}w{i}" for i in range(5)))
            canvas.drawString(320, 720 - 12 * row, " ".join(f"right{row}w{i}" for i in range(5)))

    text = load(canvas_pdf(draw)).text
    assert text.index("left19w4") < text.index("right0w0")
    assert "left3w4 left4w0" in text


def test_columns_of_short_cells_stay_in_rows() -> None:
    rows = [(f"Grade {n}", f"{100 + n} crowns") for n in range(12)]

    def draw(canvas: Canvas) -> None:
        for index, (grade, amount) in enumerate(rows):
            canvas.drawString(72, 700 - 14 * index, grade)
            canvas.drawString(420, 700 - 14 * index, amount)

    assert texts(load(canvas_pdf(draw)), "row") == [f"{grade} | {amount}" for grade, amount in rows]


def drawn(*lines: Sequence[tuple[float, str]], leading: float = 14) -> Document:
    """One page with pieces of text at these places of each line."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        for index, line in enumerate(lines):
            for x, text in line:
                canvas.drawString(x, 700 - leading * index, text)

    return load(canvas_pdf(draw))


def test_a_table_without_rulings_between_paragraphs() -> None:
    document = drawn(
        [(72, prose(13) + ".")],
        [],
        [(72, "Place"), (220, "Daily rate"), (360, "Hotel")],
        [(72, "Selhaven"), (220, "45"), (360, "90")],
        [(72, "The capital city"), (220, "60"), (360, "120")],
        [],
        [(72, prose(13, 5) + ".")],
    )
    assert shown(document) == [
        ("paragraph", prose(13) + "."),
        ("row", "Place | Daily rate | Hotel"),
        ("row", "Selhaven | 45 | 90"),
        ("row", "The capital city | 60 | 120"),
        ("paragraph", prose(13, 5) + "."),
    ]
    assert [block.level for block in document.blocks if block.kind == "row"] == [1, 0, 0]


@pytest.mark.parametrize(
    "lines",
    [
        [[(72, f"{n}."), (100, f"Entry with the number {n}")] for n in range(1, 6)],
        [[(72, "•"), (100, f"Entry with the number {n}")] for n in range(1, 6)],
        [[(72, f"Chapter {n} . . . . . . . . ."), (400, f"{n}")] for n in range(1, 6)],
        [[(72, "Name"), (300, "Date")], [(72, "A"), (300, "B")]],
        [[(72 + 9 * n, f"left {n}"), (300 + 17 * n, f"right {n}")] for n in range(5)],
        [[(72, prose(7, n)), (330, prose(7, n + 9))] for n in range(5)],
    ],
    ids=["numbers", "bullets", "contents", "two lines", "not flush", "prose"],
)
def test_what_is_no_table_is_none(lines: list[list[tuple[float, str]]]) -> None:
    document = drawn(*lines, [], [(72, prose(6))])
    assert texts(document, "row") == []


def test_ruled_tables_are_rows_and_their_words_stand_nowhere_else() -> None:
    rows = [["Destination", "Daily rate"], ["Selhaven", "45 crowns"], ["Abroad", "80 crowns"]]
    document = load(
        story_pdf(body("The rates are:"), ruled_table(rows), gap(), body("They are paid monthly."))
    )
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        ("paragraph", 0, "The rates are:"),
        ("row", 1, "Destination | Daily rate"),
        ("row", 0, "Selhaven | 45 crowns"),
        ("row", 0, "Abroad | 80 crowns"),
        ("paragraph", 0, "They are paid monthly."),
    ]
    assert document.text.count("Selhaven") == 1


def test_an_empty_corner_of_a_table_stands_above_names() -> None:
    document = load(story_pdf(ruled_table([["", "2023", "2024"], ["East", "5", "7"]])))
    assert [(b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        (1, "| 2023 | 2024"),
        (0, "East | 5 | 7"),
    ]


def test_a_table_over_two_pages_keeps_one_header() -> None:
    rows = [["Name", "Amount"], *([f"Entry number {n}", f"{n} crowns"] for n in range(60))]
    table = ruled_table(rows)
    table.repeatRows = 1
    document = load(story_pdf(body("The list:"), table))
    assert len(document.pages) == 2
    assert [b.level for b in document.blocks if b.kind == "row"] == [1] + [0] * 60


def test_a_frame_around_text_is_no_table() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.rect(60, 600, 400, 120)
        canvas.rect(64, 604, 392, 112)
        _line("This notice stands in a frame.", 660)(canvas)

    assert shown(load(canvas_pdf(draw))) == [("paragraph", "This notice stands in a frame.")]


def test_lists_with_bullets_numbers_and_depth() -> None:
    def draw(canvas: Canvas) -> None:
        for index, (x, text) in enumerate(
            [
                (72, "Bring the following:"),
                (72, "• a passport,"),
                (72, "• tickets:"),
                (92, "– the outward one"),
                (92, "– the return one"),
                (72, "1. Then sign here"),
                (86, "and wait."),
                (72, "2. Leave."),
            ]
        ):
            canvas.drawString(x, 700 - 14 * index, text)

    document = load(canvas_pdf(draw))
    assert [
        (b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "item"
    ] == [
        (1, "a passport,"),
        (1, "tickets:"),
        (2, "the outward one"),
        (2, "the return one"),
        (1, "Then sign here and wait."),
        (1, "Leave."),
    ]
    assert "1. Then sign" in document.text


def test_text_off_the_page_is_left_out() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(1e7, 700, "far away")
        canvas.drawString(72, 700, "Here.")

    assert load(canvas_pdf(draw)).text == "Here."


def test_metadata_from_the_document_information() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setTitle("Rules on Travel")
        canvas.setAuthor("Travel Office")
        canvas.setKeywords("travel, rates")
        _line("Version 2.1. Effective 1 March 2024. Next review: 1 March 2026.")(canvas)

    document = load(canvas_pdf(draw))
    assert document.title == "Rules on Travel"
    expected = {
        "author": "Travel Office",
        "tags": ["travel", "rates"],
        "version": "2.1",
        "effective_date": "2024-03-01",
        "review_date": "2026-03-01",
        "created": "2000-01-01",
    }
    assert expected.items() <= dict(document.metadata).items()


@pytest.mark.parametrize(
    "title", ["untitled", "Microsoft Word - draft3.doc", "rules_final.pdf", ""]
)
def test_a_title_made_by_a_program_is_not_believed(title: str) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setTitle(title)
        _line("Some text.")(canvas)

    assert load(canvas_pdf(draw)).title == "Travel rules"


def test_the_outline_gives_levels() -> None:
    def draw(canvas: Canvas) -> None:
        for key, level, text, y in (
            ("a", 0, "Part A", 740),
            ("b", 1, "Rule B", 690),
            ("c", 2, "Case C", 640),
        ):
            canvas.bookmarkPage(key)
            canvas.addOutlineEntry(text, key, level)
            _line(text, y)(canvas)
            _line(prose(12) + ".", y - 24)(canvas)

    document = load(canvas_pdf(draw))
    assert [
        (b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "heading"
    ] == [
        (1, "Part A"),
        (2, "Rule B"),
        (3, "Case C"),
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encrypted_pdf(), "is encrypted: save a copy without a password"),
        (
            scanned_pdf(),
            "has no text layer (scanned?): install tesseract, or run OCR on it first",
        ),
        (canvas_pdf(lambda canvas: None), "has no text: check it in a viewer"),
        (b"", "is empty"),
        (b"no PDF at all", "is damaged or not a PDF: open it in a viewer and save it again"),
        (lines_pdf(["x"])[:300], "is damaged or not a PDF: open it in a viewer and save it again"),
        (b"%PDF-1.4\n%%EOF", "is damaged or not a PDF: open it in a viewer and save it again"),
    ],
    ids=["encrypted", "scanned", "blank", "empty", "not a PDF", "cut off", "only a header"],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, "a.pdf")
    assert str(caught.value) == reason


def test_loading_twice_gives_the_same() -> None:
    data = story_pdf(heading("Title"), body(prose(300)), ruled_table([["a", "b"], ["c", "d"]]))
    assert load(data) == load(data)


def _line(text: str, y: float = 700):
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        canvas.drawString(72, y, text)

    return draw


assert len(LOREM) > 24
