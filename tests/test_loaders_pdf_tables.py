"""PDF: tables without rulings, and what stands side by side without being a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from awkward import canvas_pdf, check_promises, prose, shown

from rag.loaders import load_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reportlab.pdfgen.canvas import Canvas

FORECASTS = [
    ("Forecaster", "Growth, %", "Inflation, %", "Deficit, %"),
    ("Government", "1.6", "2.1", "3.1"),
    ("Council", "1.2", "2.3", "3.4"),
    ("Central Bank", "1.3", "2.2", "3.3"),
    ("Institute", "0.8", "2.6", "3.9"),
    ("University", "0.9", "2.5", "3.5"),
    ("Union", "1.1", "2.5", "3.6"),
]
BEFORE = f"{prose(17)}."
AFTER = f"{prose(17, 5)}."


def blocks(*lines: Sequence[tuple[float, str]], right: bool = False) -> list[tuple[str, str]]:
    """What a page with these lines between two paragraphs holds.

    Args:
        lines: pieces of text, each with its place from the left.
        right: whether all but the first piece of a line end at that place.
    """

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        canvas.drawString(72, 740, BEFORE)
        for row, line in enumerate(lines):
            for column, (x, text) in enumerate(line):
                place = canvas.drawRightString if right and column else canvas.drawString
                place(x, 710 - 15 * row, text)
        canvas.drawString(72, 700 - 15 * len(lines), AFTER)

    document = load_bytes(canvas_pdf(draw), "policies/forecasts.pdf")
    check_promises(document)
    return shown(document)


def rows(table: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    return [("row", " | ".join(row)) for row in table]


@pytest.mark.parametrize("columns", [(285, 370, 455), (305, 410, 515)])
def test_a_table_as_wide_as_the_text_is_read_row_by_row(columns: tuple[int, ...]) -> None:
    lines = [list(zip((72, *columns), row, strict=True)) for row in FORECASTS]
    assert blocks(*lines, right=True) == [
        ("paragraph", BEFORE),
        *rows(FORECASTS),
        ("paragraph", AFTER),
    ]


@pytest.mark.parametrize("indent", [-4, 4, 30])
def test_the_names_of_columns_may_stand_elsewhere_than_their_cells(indent: int) -> None:
    lines = [
        [(x + (0 if row else indent), cell) for x, cell in zip((90, 250, 400), cells, strict=True)]
        for row, (*cells, _) in enumerate(FORECASTS)
    ]
    assert blocks(*lines) == [
        ("paragraph", BEFORE),
        *rows([cells[:3] for cells in FORECASTS]),
        ("paragraph", AFTER),
    ]


def test_two_boxes_side_by_side_are_read_one_after_the_other() -> None:
    lines = [
        [(72, "In favour"), (310, "Against")],
        [(72, "Health was named by 81 per cent of"), (310, "Cost was named by 69 per cent of")],
        [(72, "supporters. Quiet came second."), (310, "opponents. One in five doubted that")],
        [(310, "it would help.")],
    ]
    assert blocks(*lines) == [
        ("paragraph", BEFORE),
        (
            "paragraph",
            "In favour Health was named by 81 per cent of supporters. Quiet came second.",
        ),
        (
            "paragraph",
            "Against Cost was named by 69 per cent of opponents. One in five doubted that it would"
            " help.",
        ),
        ("paragraph", AFTER),
    ]


@pytest.mark.parametrize(
    "table",
    [
        [("Answer", "Share"), ("in favour", "high"), ("against", "low"), ("no answer", "low")],
        [
            ("Kind of boat", "What its owner pays"),
            ("Small boats without a sail", "nothing in the first year"),
            ("all other boats", "the whole fee"),
        ],
        [
            ("Who decides", "When they decide"),
            ("The head of the unit.", "In the first week"),
            ("the board", "in the second week"),
        ],
    ],
    ids=["short names", "name of a column", "finished cell"],
)
def test_cells_in_lower_case_may_be_rows(table: list[tuple[str, str]]) -> None:
    lines = [list(zip((72, 310), row, strict=True)) for row in table]
    assert blocks(*lines) == [("paragraph", BEFORE), *rows(table), ("paragraph", AFTER)]
