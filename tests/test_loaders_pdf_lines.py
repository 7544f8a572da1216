"""PDF: which lines are page numbers, and what joins one line to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from awkward import canvas_pdf, check_promises, lines_pdf, prose, texts

from rag.loaders import load_bytes
from rag.types import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reportlab.pdfgen.canvas import Canvas

TOP = 770
FOOT = 30


def load(data: bytes) -> Document:
    document = load_bytes(data, "policies/line-rules.pdf")
    check_promises(document)
    return document


def page(*lines: tuple[float, str]) -> Callable[[Canvas], None]:
    """A page with these lines, and with text in the middle so that they stand at the edges."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        for row in range(4):
            canvas.drawString(72, 500 - 14 * row, f"{prose(12, row)}.")
        for y, text in lines:
            canvas.drawString(72, y, text)

    return draw


def text_of(*pages: Sequence[tuple[float, str]]) -> str:
    return load(canvas_pdf(*(page(*lines) for lines in pages))).text


def test_a_sentence_that_begins_or_ends_with_the_number_of_its_page_stays() -> None:
    first = {2: "An appeal goes to the board named in Article 2", 3: "3 working days are enough."}
    text = text_of(
        *([(TOP, first.get(n, "Other text.")), (FOOT, f"Page {n} of 4")] for n in range(1, 5))
    )
    assert "named in Article 2" in text
    assert "3 working days are enough." in text
    assert "Page" not in text


def test_the_same_words_twice_on_a_page_are_no_header() -> None:
    """As in two columns whose lines are half a line apart."""
    text = text_of([(TOP, "Ask the head of unit."), (TOP - 6, "Ask the head of unit.")])
    assert text.count("Ask the head of unit.") == 2


@pytest.mark.parametrize("footer", [True, False])
def test_headings_that_count_with_the_pages_stay(footer: bool) -> None:
    # With a footer the heading may stand far from the text; without one, it begins the text.
    pages = [
        [
            (TOP, f"Article {n}"),
            (FOOT, f"– {n} –") if footer else (TOP - 15, f"Office {'ABCDE'[n]} keeps a list."),
        ]
        for n in range(1, 5)
    ]
    text = text_of(*pages)
    assert all(f"Article {n}" in text for n in range(1, 5))
    assert "–" not in text


def test_of_two_lines_with_the_number_of_the_page_the_outer_one_goes() -> None:
    text = text_of(*([(TOP, f"Form {n}"), (FOOT, f"Harbour rules, {n}")] for n in range(1, 5)))
    assert "Form 3" in text
    assert "Harbour" not in text


def test_numbered_sentences_and_notes_one_on_each_page_stay() -> None:
    pages = [
        [(TOP, f"{n}. Group {'ABCDE'[n]} gets {n}00 crowns."), (80, f"{n} See Order {n * 7}.")]
        for n in range(1, 5)
    ]
    text = text_of(*pages)
    assert all(f"Group {'ABCDE'[n]} gets" in text for n in range(1, 5))
    assert all(f"{n} See Order {n * 7}." in text for n in range(1, 5))


def test_a_number_that_ends_the_text_is_no_page_number() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        canvas.drawString(72, 94, "The tax on boats was last changed by the council in the year of")
        canvas.drawString(72, 80, "2019")
        canvas.drawString(72, FOOT, "17")

    assert load(canvas_pdf(draw)).text.endswith("year of 2019")


@pytest.mark.parametrize("form", ["Page {n} of 12", "– {n} –", "Harbour rules, page {n}", "[{n}]"])
@pytest.mark.parametrize("y", [810, FOOT])
def test_page_numbers_go(form: str, y: float) -> None:
    text = text_of(*([(y, form.format(n=n))] for n in range(3, 8)))
    assert not any(form.format(n=n) in text for n in range(3, 8))


def test_headers_with_the_chapter_and_the_page_go() -> None:
    chapters = ["Moorings", "Moorings", "Fees", "Fees", "Fines", "Fines"]
    text = text_of(*([(810, f"{c} {n}")] for n, c in enumerate(chapters, start=1)))
    assert not any(chapter in text for chapter in chapters)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Write to harbour-", "desk@town.example soon."], "to harbour-desk@town.example soon"),
        (["See https://town.example/boat-", "fees/list now."], "//town.example/boat-fees/list now"),
        (["See www.town.example/boat-", "fees now."], "www.town.example/boat-fees now"),
        (["The season 2024-", "25 is over."], "season 2024-25 is over"),
        (["Owners from non-", "EU states pay more."], "from non-EU states"),
        (["Any cost-", "benefit study is public."], "Any cost-benefit study"),
        (["The self-", "employed pay less."], "The self-employed pay"),
        (["A short-", "age of berths is cohe-", "sion."], "A shortage of berths is cohesion"),
        (["They work full-", "or part-time."], "work full- or part-time"),
        (
            ["A multi-", "ple of the fee. The har-", "bour office."],
            "multiple of the fee. The harbour",
        ),
        (["OPTIONAL fees are OP-", "TIONAL."], "fees are OPTIONAL."),
        (["Boats –", "also Small ones – pay."], "Boats – also Small"),
    ],
)
def test_hyphens_at_line_ends(lines: list[str], expected: str) -> None:
    assert expected in load(lines_pdf(lines)).text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("The owner may appeal under Art.", "7 of the Code, unless the mayor objects."),
        ("Some boats need no berth, i.e.", "Those on land."),
        ("The order was signed by Mr.", "Green of the harbour office."),
        ("The fee follows from para.", "(2) of the order."),
        ("The fee is described in no.", "12. It is paid each year."),
        ("Berths are let by the town of St. Ives Bay Corp.", "in order of application."),
        ("Berths are let as said in the table by Harbour Corp.", "12 and its heirs."),
    ],
)
def test_a_sentence_goes_on_over_a_page_after_an_abbreviation(before: str, after: str) -> None:
    assert texts(load(lines_pdf([before], [after])), "paragraph") == [f"{before} {after}"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("The answer of the office is no.", "Another matter is the fee."),
        ("The office closes at noon.", "12 months later it opens."),
        ("The fee is due in the harbour office.", "a) for boats"),
    ],
)
def test_a_paragraph_ends_with_its_page(before: str, after: str) -> None:
    assert len(load(lines_pdf([before], [after])).blocks) == 2


def test_a_list_entry_that_ends_like_an_abbreviation_ends() -> None:
    document = load(lines_pdf(["1. Answer with yes or no.", "2. Sign the form."]))
    assert texts(document, "item") == ["Answer with yes or no.", "Sign the form."]


def test_a_short_last_line_ends_a_paragraph_before_lower_case() -> None:
    document = load(lines_pdf([prose(14), "length: of the boat."], ["width: of the boat."]))
    assert texts(document, "paragraph")[-1] == "width: of the boat."


def test_a_short_line_with_an_abbreviation_does_not_end_a_paragraph() -> None:
    document = load(lines_pdf([f"{prose(16)}.", "The fee is due, i.e.", "Boats pay it."]))
    assert "due, i.e. Boats" in document.text
    assert "due, i.e. Boats pay it." in texts(document, "paragraph")[-1]


def test_a_header_that_counts_two_pages_goes() -> None:
    text = text_of(*([(812, f"Ministry of Fish: release 14/2025 Page {n} of 2")] for n in (1, 2)))
    assert text == text_of([], [])


@pytest.mark.parametrize("name", ["Annex", "Article"])
def test_headings_that_count_two_pages_stay(name: str) -> None:
    assert text_of(*([(TOP, f"{name} {n}")] for n in (1, 2))).count(name) == 2


@pytest.mark.parametrize("pages", [4, 5, 9])
def test_headers_of_odd_and_even_pages_go(pages: int) -> None:
    heads = ["Report on the fees of the harbour", "Audit Office"]
    lines = [[(810, heads[n % 2]), (FOOT, str(n))] for n in range(1, pages + 1)]
    assert text_of(*lines) == text_of(*([] for _ in range(pages)))


def test_a_line_on_odd_pages_that_begins_the_text_stays() -> None:
    second = [(TOP - 14, f"They go to office {name}.") for name in "ABCD"]
    lines = [[(TOP, "Fees are due in spring.")] if n % 2 else [] for n in range(1, 5)]
    pages = [[*first, line] for first, line in zip(lines, second, strict=True)]
    assert text_of(*pages).count("Fees are due in spring.") == 2


PRINTED = [
    ("11/29/26, 11:06 PM", "Fees of the harbour", "file:///home/anna/fees.html", "1/2"),
    ("29/11/2026, 23:06", "Fees", "https://harbour.example/fees?year=2026#all", "2/2"),
    ("29.11.26, 23:06", "Gebühren des Hafens 2026", "about:blank", "1/1"),
]


@pytest.mark.parametrize("printed", PRINTED)
def test_what_a_browser_adds_in_print_goes(printed: tuple[str, ...]) -> None:
    def draw(canvas: Canvas) -> None:
        page()(canvas)
        canvas.setFont("Helvetica", 8)
        for x, y, text in zip((72, 250, 72, 400), (820, 820, 16, 16), printed, strict=True):
            canvas.drawString(x, y, text)

    assert load(canvas_pdf(draw)).text == text_of([])


@pytest.mark.parametrize(
    "line",
    [
        (770, "11/29/26, 11:06 PM Anna: the boat is back."),
        (820, "Order of 11/29/26, as changed."),
        (16, "See https://harbour.example/fees 1/2 and below."),
    ],
)
def test_what_only_looks_like_that_stays(line: tuple[float, str]) -> None:
    assert line[1] in text_of([line])
