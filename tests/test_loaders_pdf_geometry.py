"""PDF: where text stands: columns, turned and slanted lines, doubled letters, merged cells."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from awkward import canvas_pdf, check_promises, prose, shown, texts
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate, Table

from rag.loaders import load_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rag.types import Document

WIDTH, HEIGHT = A4
TOP = 700.0


def load(data: bytes) -> Document:
    document = load_bytes(data, "policies/harbour-rules.pdf")
    check_promises(document)
    return document


def column(
    canvas: Canvas, x: float, lines: Sequence[str], top: float = TOP, leading: float = 13
) -> None:
    canvas.setFont("Helvetica", 10)
    for index, line in enumerate(lines):
        canvas.drawString(x, top - leading * index, line)


def words(name: str, lines: int, width: int = 5) -> list[str]:
    """Lines of a column, each word of which says where it belongs."""
    return [" ".join(f"{name}{row}w{i}" for i in range(width)) for row in range(lines)]


def in_order(document: Document, *names: str) -> bool:
    places = [document.text.index(name) for name in names]
    return places == sorted(places)


@pytest.mark.parametrize("lines", [3, 4, 5])
def test_a_right_column_of_a_few_lines_is_read_after_the_left_one(lines: int) -> None:
    def draw(canvas: Canvas) -> None:
        column(canvas, 50, words("left", 30))
        column(canvas, 310, words("right", lines))

    assert in_order(load(canvas_pdf(draw)), "left0w4", "left29w4", "right0w0", "right1w0")


def test_one_line_is_a_column_after_a_page_with_columns() -> None:
    def first(canvas: Canvas) -> None:
        column(canvas, 50, words("left", 30))
        column(canvas, 310, words("right", 30))

    def last(canvas: Canvas) -> None:
        column(canvas, 50, words("end", 30))
        column(canvas, 310, words("rest", 1))

    assert in_order(load(canvas_pdf(first, last)), "end0w4", "end1w0", "end29w4", "rest0w0")


def head(canvas: Canvas, number: int) -> None:
    """A running head of two pieces, one of which crosses the gutter, and a foot of two."""
    canvas.setFont("Helvetica", 8)
    canvas.drawString(40, 818, "12 March 2025")
    canvas.drawString(250, 818, "Evaluation of the Harbour Rules of 2019 to 2024")
    canvas.drawString(40, 20, "Ministry of the Environment")
    canvas.drawRightString(560, 20, f"{number}/2")


@pytest.mark.parametrize(("left", "right"), [(1, 2), (2, 2), (2, 3), (4, 1)])
def test_a_few_lines_after_a_page_with_columns_stand_in_columns(left: int, right: int) -> None:
    sentence = [*words("end", left), *words("rest", right)]

    def first(canvas: Canvas) -> None:
        head(canvas, 1)
        column(canvas, 50, words("left", 30))
        column(canvas, 310, [*words("right", 29), "so."])

    def last(canvas: Canvas) -> None:
        head(canvas, 2)
        canvas.setFont("Helvetica-Bold", 13)
        canvas.drawString(50, 778, "Annex B. Reference")
        column(canvas, 50, sentence[:left], 750)
        column(canvas, 310, sentence[left:], 779)

    document = load(canvas_pdf(first, last))
    assert shown(document) == [
        ("paragraph", " ".join([*words("left", 30), *words("right", 29), "so."])),
        ("heading", "Annex B. Reference"),
        ("paragraph", " ".join(sentence)),
    ]


def test_a_table_after_a_page_with_columns_is_read_row_by_row() -> None:
    rows = [(f"Berth {n}", f"{n} metres", f"{n}0 crowns") for n in range(1, 9)]

    def first(canvas: Canvas) -> None:
        column(canvas, 50, words("left", 30))
        column(canvas, 310, [*words("right", 29), "so."])

    def last(canvas: Canvas) -> None:
        for x, cells in zip((50, 310, 450), zip(*rows, strict=True), strict=True):
            column(canvas, x, cells)

    document = load(canvas_pdf(first, last))
    assert texts(document, "row") == [" | ".join(row) for row in rows]


def test_columns_with_formulas_after_a_page_with_columns() -> None:
    """Most lines of the right column are parts of formulas, but most of its text is not."""

    def first(canvas: Canvas) -> None:
        column(canvas, 50, words("left", 30))
        column(canvas, 310, words("right", 30))

    def last(canvas: Canvas) -> None:
        column(canvas, 50, words("end", 30))
        for part in range(5):
            top = TOP - 78 * part
            column(canvas, 310, words(f"rest{part}n", 2), top)
            for row in range(4):
                column(canvas, 380, [f"x{row}", f"y{row}"], top - 24 - 13 * row, 5)
                column(canvas, 450, [f"({row})"], top - 24 - 13 * row)

    document = load(canvas_pdf(first, last))
    assert in_order(document, "end0w0", "end1w0", "end29w4", "rest0n0w0", "rest0n1w0", "rest4n1w4")


@pytest.mark.parametrize("shift", [2, 6.5, 10])
def test_columns_need_no_common_baselines(shift: float) -> None:
    def draw(canvas: Canvas) -> None:
        column(canvas, 50, words("left", 20))
        column(canvas, 310, words("right", 20), TOP - shift)

    assert in_order(load(canvas_pdf(draw)), "left0w4", "left1w0", "left19w4", "right0w0")


def test_lines_across_shifted_columns_stay_where_they_are() -> None:
    def draw(canvas: Canvas) -> None:
        for y, title in ((740, "The rules of the harbour"), (500, "The fees of the harbour")):
            canvas.setFont("Helvetica-Bold", 14)
            canvas.drawCentredString(WIDTH / 2, y, title)
        column(canvas, 50, words("one", 8))
        column(canvas, 310, words("two", 8), TOP - 5)
        column(canvas, 50, words("low", 8), 470)
        column(canvas, 310, words("last", 8), 465)

    document = load(canvas_pdf(draw))
    assert in_order(
        document, "The rules", "one0", "one7", "two0", "The fees", "low0", "low7", "last0"
    )


def test_three_columns() -> None:
    def draw(canvas: Canvas) -> None:
        for x, name in ((45, "a"), (220, "b"), (395, "c")):
            column(canvas, x, words(name, 20, 4))

    assert in_order(load(canvas_pdf(draw)), "a0w3", "a19w3", "b0w0", "b19w3", "c0w0")


def test_a_list_is_as_deep_in_the_next_column() -> None:
    def draw(canvas: Canvas) -> None:
        for x, name in ((50, "left"), (310, "right")):
            for indent, lines in ((0, range(0, 40, 2)), (15, range(1, 40, 2))):
                for line in lines:
                    entry = f"• {name} entry {line} of the fees of the harbour"
                    canvas.drawString(x + indent, TOP - 14 * line, entry)

    document = load(canvas_pdf(draw, draw))
    assert [block.level for block in document.blocks] == [1, 2] * 80


def test_an_indented_list_is_not_divided() -> None:
    def draw(canvas: Canvas) -> None:
        for row in range(10):
            column(canvas, 72, [f"({row + 1})"], TOP - 13 * row)
            column(canvas, 160, [f"entry{row} {prose(9, row)}"], TOP - 13 * row)

    document = load(canvas_pdf(draw))
    assert in_order(document, "entry0", "(2)", "entry1", "(10)", "entry9")


def test_a_few_rows_of_long_cells_are_no_columns() -> None:
    rows = [
        (f"Case {n}: the boat was left alone", f"the owner pays {n} crowns a day") for n in "1234"
    ]

    def draw(canvas: Canvas) -> None:
        column(canvas, 72, [left for left, _ in rows])
        column(canvas, 310, [right for _, right in rows])

    assert texts(load(canvas_pdf(draw)), "row") == [f"{left} | {right}" for left, right in rows]


def test_a_slanted_watermark_is_left_out() -> None:
    lines = [f"Rule {n}: a boat longer than {n} metres pays for {n} berths." for n in range(1, 40)]

    def draw(canvas: Canvas) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica-Bold", 110)
        canvas.translate(130, 330)
        canvas.rotate(45)
        canvas.drawString(0, 0, "DRAFT")
        canvas.restoreState()
        column(canvas, 72, lines)

    assert load(canvas_pdf(draw)).text == " ".join(lines)


RATES = [
    ("Country", "Hotel", "Allowance"),
    ("Belgium", "148 euros", "102 euros"),
    ("France", "180 euros", "115 euros"),
    ("Italy", "149 euros", "98 euros"),
]


def sideways(angle: int) -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        canvas.drawString(300, 30, "2")
        canvas.drawString(72, 780, "The rates:")
        canvas.translate(*((WIDTH, 0) if angle == 90 else (0, HEIGHT)))
        canvas.rotate(angle)
        for index, row in enumerate(RATES):
            for x, cell in zip((80, 260, 440), row, strict=True):
                canvas.drawString(x, 480 - 16 * index, cell)

    return draw


@pytest.mark.parametrize("angle", [90, -90])
def test_a_table_drawn_sideways_is_read(angle: int) -> None:
    assert shown(load(canvas_pdf(sideways(angle)))) == [
        ("paragraph", "The rates:"),
        *(("row", " | ".join(row)) for row in RATES),
    ]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_rotation_of_a_page_does_not_matter(rotation: int) -> None:
    lines = ["A permit is valid for a year.", "It may be renewed twice."]

    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(rotation)
        column(canvas, 72, lines, 300)

    assert load(canvas_pdf(draw)).text == " ".join(lines)


def test_a_little_text_in_the_margin_is_left_out() -> None:
    def draw(canvas: Canvas) -> None:
        column(canvas, 72, [prose(12, n) for n in range(20)])
        canvas.translate(30, 300)
        canvas.rotate(90)
        canvas.drawString(0, 0, "Printed in the harbour office")

    assert "Printed" not in load(canvas_pdf(draw)).text


@pytest.mark.parametrize(("x", "y"), [(0.3, 0), (0.5, -0.3), (0, 0)])
def test_letters_drawn_twice_to_look_bold_are_read_once(x: float, y: float) -> None:
    def draw(canvas: Canvas) -> None:
        column(canvas, 72, ["All bills follow in the spring."])
        column(canvas, 72 + x, ["All bills follow in the spring."], TOP + y)
        canvas.setFont("Helvetica", 4)
        canvas.drawString(72, 600, "All small print is fulfilled.")

    assert texts(load(canvas_pdf(draw)), "paragraph") == [
        "All bills follow in the spring.",
        "All small print is fulfilled.",
    ]


def test_merged_cells_keep_the_columns_of_a_table() -> None:
    rows = [
        ["Zone", "Fees", "", "Note"],
        ["", "Car", "Boat", ""],
        ["North", "120", "60", "A"],
        ["", "80", "40", "B"],
    ]
    spans = [((0, 0), (0, 1)), ((1, 0), (2, 0)), ((3, 0), (3, 1)), ((0, 2), (0, 3))]
    grid = ("GRID", (0, 0), (-1, -1), 0.5, colors.black)
    buffer = io.BytesIO()
    table = Table(rows, style=[grid, *(("SPAN", *span) for span in spans)])
    SimpleDocTemplate(buffer, pagesize=A4, invariant=1).build([table])
    assert texts(load(buffer.getvalue()), "row") == [
        "Zone | Fees |  | Note",
        "Zone | Car | Boat | Note",
        "North | 120 | 60 | A",
        "North | 80 | 40 | B",
    ]
