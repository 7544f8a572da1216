"""PowerPoint: slides as pages, titles, lists, tables, notes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from awkward import check_promises, encrypted_docx, package_bytes, slides_bytes, texts, zip_bomb
from pptx.util import Inches

from rag.errors import DocumentError
from rag.loaders import load_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.types import Document


def load(make: Callable[[Any], None]) -> Document:
    document = load_bytes(slides_bytes(make), "talks/leave_rules.pptx")
    check_promises(document)
    return document


def bullets(deck: Any, title: str, *entries: tuple[str, int]) -> Any:
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = title
    frame = slide.placeholders[1].text_frame
    for index, (text, level) in enumerate(entries):
        paragraph = frame.paragraphs[0] if index == 0 else frame.add_paragraph()
        paragraph.text, paragraph.level = text, level
    return slide


def test_slides_are_pages_with_headings_and_lists() -> None:
    def make(deck: Any) -> None:
        bullets(deck, "Leave", ("Staff get 13 days.", 0), ("Ask early.", 0), ("In writing.", 1))
        bullets(deck, "Sickness", ("Call before nine.", 0))

    document = load(make)
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        ("heading", 1, "Leave"),
        ("item", 1, "Staff get 13 days."),
        ("item", 1, "Ask early."),
        ("item", 2, "In writing."),
        ("heading", 1, "Sickness"),
        ("paragraph", 0, "Call before nine."),
    ]
    assert [page.number for page in document.pages] == [1, 2]
    second = document.pages[1]
    assert document.text[second.start : second.end].startswith("Sickness")
    assert document.title == "Leave"


def test_entries_of_a_text_box_are_not_below_others() -> None:
    def make(deck: Any) -> None:
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        frame = slide.shapes.add_textbox(0, 0, Inches(4), Inches(1)).text_frame
        frame.text = "Bring:"
        entry = frame.add_paragraph()
        entry.text, entry.level = "a rope", 1

    assert [(b.kind, b.level) for b in load(make).blocks] == [("paragraph", 0), ("item", 1)]


def test_tables_text_boxes_groups_and_notes() -> None:
    def make(deck: Any) -> None:
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = "Rates"
        table = slide.shapes.add_table(2, 2, 0, Inches(2), Inches(4), Inches(1)).table
        for cell, text in zip(table.iter_cells(), ("City", "Rate", "Selhaven", "45"), strict=True):
            cell.text = text
        group = slide.shapes.add_group_shape()
        box = group.shapes.add_textbox(0, Inches(4), Inches(4), Inches(1))
        box.text_frame.text = "In a box of a group."
        slide.notes_slide.notes_text_frame.text = "Say that rates change."

    document = load(make)
    rows = [(b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "row"]
    assert rows == [(1, "City | Rate"), (0, "Selhaven | 45")]
    assert texts(document, "paragraph") == ["In a box of a group.", "Say that rates change."]
    assert "\nNotes: Say that rates change." in document.text


def merged(*merges: tuple[int, int, int, int]) -> Document:
    """Five rows of three columns, with cells merged from one row and column to another."""

    def make(deck: Any) -> None:
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        table = slide.shapes.add_table(5, 3, 0, Inches(2), Inches(4), Inches(1)).table
        for number, cell in enumerate(table.iter_cells()):
            cell.text = f"{'abc'[number % 3]}{number // 3}"
        for top, left, bottom, right in merges:
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    if (row, column) != (top, left):
                        table.cell(row, column).text = ""
            table.cell(top, left).merge(table.cell(bottom, right))

    return load(make)


@pytest.mark.parametrize(
    ("merges", "expected"),
    [
        ([(1, 0, 2, 0)], ["a0 | b0 | c0", "a1 | b1 | c1", "a1 | b2 | c2"]),
        ([(1, 1, 1, 2)], ["a0 | b0 | c0", "a1 | b1 | b1", "a2 | b2 | c2"]),
        ([(1, 0, 2, 1)], ["a0 | b0 | c0", "a1 | a1 | c1", "a1 | a1 | c2"]),
        ([(0, 0, 0, 1)], ["a0 | a0 | c0", "a1 | b1 | c1", "a2 | b2 | c2"]),
        ([(1, 0, 1, 1), (1, 2, 2, 2)], ["a0 | b0 | c0", "a1 | a1 | c1", "a2 | b2 | c1"]),
    ],
    ids=["down", "right", "both", "in the header", "side by side"],
)
def test_a_merged_cell_holds_for_all_that_it_covers(
    merges: list[tuple[int, int, int, int]], expected: list[str]
) -> None:
    document = merged(*merges)
    found = [(b.level, document.text[b.start : b.end]) for b in document.blocks]
    assert found == [(int(n == 0), row) for n, row in enumerate(expected)] + [
        (0, "a3 | b3 | c3"),
        (0, "a4 | b4 | c4"),
    ]


def test_a_title_across_the_whole_table_is_said_once() -> None:
    document = merged((0, 0, 0, 2), (2, 0, 2, 2))
    assert [(b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        (0, "a0"),
        (1, "a1 | b1 | c1"),
        (0, "a2"),
        (0, "a3 | b3 | c3"),
        (0, "a4 | b4 | c4"),
    ]


def test_hidden_slides_and_footers_stay_out_and_numbers_stay_right() -> None:
    def make(deck: Any) -> None:
        bullets(deck, "First", ("One.", 0))
        bullets(deck, "Hidden", ("Secret.", 0)).element.set("show", "0")
        bullets(deck, "Third", ("Three.", 0))

    document = load(make)
    assert "Secret" not in document.text
    assert "Hidden" not in document.text
    page = next(p for p in document.pages if "Three" in document.text[p.start : p.end])
    assert page.number == 3


def test_properties() -> None:
    def make(deck: Any) -> None:
        core = deck.core_properties
        core.title, core.author, core.keywords = "All about leave", "People Office", "leave, pay"
        core.created = dt.datetime(2024, 3, 1)  # noqa: DTZ001
        bullets(deck, "Leave", ("One.", 0))

    document = load(make)
    assert document.title == "All about leave"
    expected = {"author": "People Office", "tags": ["leave", "pay"], "created": "2024-03-01"}
    assert expected.items() <= dict(document.metadata).items()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encrypted_docx(), "is encrypted: save a copy without a password"),
        (encrypted_docx()[:512], "is in the old PowerPoint format: save it as .pptx"),
        (
            zip_bomb(),
            "unpacks to 400 MB, more than the 200 MB allowed: remove its pictures or split it",
        ),
        (slides_bytes(lambda deck: None), "has no text"),
        (
            b"not a package",
            "is damaged or not a PowerPoint presentation: save it again as .pptx",
        ),
        (
            package_bytes({"a.txt": "x"}),
            "is damaged or not a PowerPoint presentation: open it there and save it again",
        ),
    ],
    ids=["encrypted", "old", "bomb", "no text", "no zip", "no parts"],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, "a.pptx")
    assert str(caught.value) == reason
