"""PDF: raised marks, and notes at the foot of a page or column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from awkward import body, canvas_pdf, check_promises, prose, shown, story_pdf

from rag.loaders import load_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportlab.pdfgen.canvas import Canvas

    from rag.types import Document

TOP = 700.0
SIZE = 10.0


def load(data: bytes) -> Document:
    document = load_bytes(data, "policies/board-rules.pdf")
    check_promises(document)
    return document


def write(canvas: Canvas, x: float, y: float, *pieces: tuple[str, float, float]) -> None:
    """One line of pieces side by side: each with its size and how far it is raised."""
    for text, size, rise in pieces:
        canvas.setFont("Times-Roman", size)
        canvas.drawString(x, y + rise, text)
        x += canvas.stringWidth(text, "Times-Roman", size)


def marked(*pieces: tuple[str, float, float]) -> str:
    """The text of one such line with a plain one below it."""

    def draw(canvas: Canvas) -> None:
        write(canvas, 70, TOP, *pieces)
        write(canvas, 70, TOP - 13, ("of them live in one of the towns.", SIZE, 0))

    return load(canvas_pdf(draw)).text


@pytest.mark.parametrize(
    ("size", "rise"), [(6, 4), (6.5, 3.3), (7, 3.6), (7, 4.5), (8, 5), (8.5, 3.3)]
)
def test_a_raised_mark_is_no_part_of_the_number_before_it(size: float, rise: float) -> None:
    text = marked(
        ("In 2021 the board had 12", SIZE, 0),
        ("3", size, rise),
        (" members, who had met after 2011.", SIZE, 0),
        ("14", size, rise),
        (" All", SIZE, 0),
    )
    assert text == (
        "In 2021 the board had 12³ members, who had met after 2011.¹⁴ All"
        " of them live in one of the towns."
    )


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([("The fee of a berth of 12 m", 0), ("2", 4), (" is due, and all", 0)], "12 m² is due"),
        ([("The office was closed on May 1", 0), ("st", 4), (", and all", 0)], "on May 1st, and"),
        ([("The mayor", 0), ("†", 4), (" and the clerks, all", 0)], "mayor† and the"),
        ([("See the reports", 0), ("3,", 4), ("4", 4), (", since all", 0)], "reports³,⁴, since"),
        ([("3", 4), ("2011 was the year in which all", 0)], "³2011 was"),
        ([("3", 4), (" 2011 was the year in which all", 0)], "³ 2011 was"),
    ],
)
def test_what_else_is_raised(pieces: list[tuple[str, float]], expected: str) -> None:
    text = marked(*((piece, 7 if rise else SIZE, rise) for piece, rise in pieces))
    assert expected in text
    assert text.endswith(" all of them live in one of the towns.")


@pytest.mark.parametrize(("size", "rise"), [(7, -1.6), (7, -2), (6, -3), (8, -3)])
def test_what_is_lowered_stays_in_its_line(size: float, rise: float) -> None:
    text = marked(("The fee for CO", SIZE, 0), ("2", size, rise), (" is due, since all", SIZE, 0))
    assert text == "The fee for CO₂ is due, since all of them live in one of the towns."


@pytest.mark.parametrize("size", [6, 7, 8])
def test_smaller_figures_on_the_same_line_stay(size: float) -> None:
    text = marked(("The order of 20", SIZE, 0), ("11", size, 0), (" holds, since all", SIZE, 0))
    assert text == "The order of 2011 holds, since all of them live in one of the towns."


def test_marks_of_a_typesetter_that_raises_text() -> None:
    story = body(
        "The board had 12<super>3</super> members in 2011.<super>4</super> They met often."
    )
    assert shown(load(story_pdf(story))) == [
        ("paragraph", "The board had 12³ members in 2011.⁴ They met often.")
    ]


def test_a_paragraph_ends_with_the_mark_of_a_note() -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 70, TOP, (f"{prose(17)} in 2011.", SIZE, 0), ("4", 7, 4))
        write(canvas, 70, TOP - 13, ("The rest is settled.", SIZE, 0))

    def draw_next(canvas: Canvas) -> None:
        write(canvas, 70, TOP, ("Another paragraph.", SIZE, 0))

    assert shown(load(canvas_pdf(draw, draw_next))) == [
        ("paragraph", f"{prose(17)} in 2011.⁴ The rest is settled."),
        ("paragraph", "Another paragraph."),
    ]


NOTE = "See the report of the board on small schools, page 14."
LONG = [f"See {prose(16)}", f"{prose(9, 16)}."]


def column(*lines: str, note: Sequence[str] = (), x: float = 70) -> Callable[[Canvas], None]:
    """Lines at the foot of the page, with those of a note below them."""

    def draw(canvas: Canvas) -> None:
        for row, line in enumerate(lines):
            write(canvas, x, 140 + 13 * (len(lines) - 1 - row), (line, SIZE, 0))
        for row, line in enumerate(note):
            write(canvas, x, 100 - 10 * row, (line, 8, 0))

    return draw


def top(*lines: str, x: float = 70) -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        for row, line in enumerate(lines):
            write(canvas, x, TOP - 13 * row, (line, SIZE, 0))

    return draw


def both(*parts: Callable[[Canvas], None]) -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        for part in parts:
            part(canvas)

    return draw


def spans(document: Document) -> list[str]:
    return [document.text[page.start : page.end].strip() for page in document.pages]


def test_a_note_does_not_divide_a_sentence_that_goes_on_on_the_next_page() -> None:
    first, second = prose(14), f"{prose(8, 14)}."
    begun = [prose(14, row) for row in range(6)]
    start = both(top(*begun, "It ends."), column(first, note=LONG))
    document = load(canvas_pdf(start, top(second, "More.")))
    assert shown(document) == [
        ("paragraph", f"{' '.join(begun)} It ends."),
        ("paragraph", " ".join(LONG)),
        ("paragraph", f"{first} {second} More."),
    ]
    assert spans(document) == [
        f"{' '.join(begun)} It ends.\n\n{' '.join(LONG)}\n\n{first}",
        f"{second} More.",
    ]


def test_a_note_does_not_divide_a_sentence_that_goes_on_in_the_next_column() -> None:
    lines = [prose(8, n) for n in range(40)]
    left = column(*lines[:20], note=("A short note.",))
    right = column(*lines[20:39], f"{lines[39]}.", x=320)
    assert shown(load(canvas_pdf(both(left, right)))) == [
        ("paragraph", "A short note."),
        ("paragraph", " ".join(lines) + "."),
    ]


def test_a_note_stays_behind_a_paragraph_that_ends() -> None:
    first = f"{prose(14)}."
    document = load(canvas_pdf(column(first, note=(NOTE,)), top("Another begins here.")))
    assert shown(document) == [
        ("paragraph", first),
        ("paragraph", NOTE),
        ("paragraph", "Another begins here."),
    ]


def test_a_note_stays_on_its_page_in_a_paragraph_over_three_pages() -> None:
    """It cannot stand before what is on the page before, nor after what is on the next."""
    first, last = prose(14), f"{prose(8, 28)}."
    middle = [prose(14, row) for row in range(44)]
    document = load(canvas_pdf(column(first), column(*middle, note=(NOTE,)), top(last)))
    assert spans(document) == [first, f"{' '.join(middle)}\n\n{NOTE}", last]
    assert shown(document) == [
        ("paragraph", f"{first} {' '.join(middle)}"),
        ("paragraph", NOTE),
        ("paragraph", last),
    ]


def test_small_print_is_no_note_where_text_stands_below_it() -> None:
    def draw(canvas: Canvas) -> None:
        write(canvas, 70, 400, (f"{prose(14)}:", SIZE, 0))
        write(canvas, 70, 380, (NOTE, 8, 0))
        write(canvas, 70, 360, (f"{prose(14, 3)}.", SIZE, 0))

    assert shown(load(canvas_pdf(draw))) == [
        ("paragraph", f"{prose(14)}:"),
        ("paragraph", NOTE),
        ("paragraph", f"{prose(14, 3)}."),
    ]
