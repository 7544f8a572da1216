"""Markdown's marks: hidden, replaced or turned into style, with offsets that stay exact."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chat import markup

MARKDOWN_SIGNS = st.text(alphabet="ab \n*_`[]()<>!#|\\~&;:/-.{%}", max_size=80)


def shown(text: str) -> str:
    pieces = markup.inline(text, 0, len(text), markdown=True)
    return "".join(markup.visible(text, piece) for piece in pieces)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("**13 days** a year", "13 days a year"),
        ("__never__ and *perhaps*", "never and perhaps"),
        ('see [the rules](a/b.md "title")', "see the rules"),
        ("see [Art. 5(2)](law.md#a(b))", "see Art. 5(2)"),
        ("![a map](https://elsewhere.example/pixel.png)", "a map"),
        ("see [rules][1]", "see rules"),
        ("run `rm *.tmp` now", "run rm *.tmp now"),
        (r"5 \* 4", "5 * 4"),
        ("5 * 4 * 3", "5 * 4 * 3"),
        ("snake_case_name", "snake_case_name"),
        ("<https://example.org>", "https://example.org"),
        ("line<br>break", "line\nbreak"),
        ("m<sup>2</sup> <!-- hidden -->", "m² "),
        ("A &amp; B&nbsp;C", "A & B\xa0C"),
        ('in {% slack_channel "sf" %} today', "in  today"),
        ("[x] is kept", "[x] is kept"),
        ("~~old~~ new", "old new"),
        ('see [Leave]({% page "leave/" %}) first', "see Leave first"),
        ("_**New in 2024!**_ x", "New in 2024! x"),
        ("*see **this** one*", "see this one"),
        ('<button class="x">Steps</button> <dl>', "Steps  "),
        ("**bold**face and ***both***", "boldface and both"),
        ("**thirty\n> days** left", "thirty\ndays left"),
        ("Dear <name>, write to <hr@agency.example>", "Dear <name>, write to hr@agency.example"),
        ("<script>x</script>", "<script>x</script>"),
        ("**bold with *nested* words**", "bold with nested words"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_what_a_reader_sees(source: str, expected: str) -> None:
    assert shown(source) == expected


def test_plain_text_is_left_alone() -> None:
    assert markup.inline("**x**", 0, 5, markdown=False) == [markup.Piece(0, 5)]


@given(MARKDOWN_SIGNS)
def test_pieces_cover_the_text_without_gap(text: str) -> None:
    pieces = markup.inline(text, 0, len(text), markdown=True)
    assert [piece.start for piece in pieces] == [0, *(p.end for p in pieces)][: len(pieces)]
    assert (pieces[-1].end if pieces else 0) == len(text)


@given(MARKDOWN_SIGNS)
def test_every_block_kind_covers_its_text(text: str) -> None:
    for pieces in (
        markup.heading(text, 0, len(text), markdown=True),
        markup.paragraph(text, 0, len(text), markdown=True),
        markup.code(text, 0, len(text), markdown=True),
    ):
        assert sum(piece.end - piece.start for piece in pieces) == len(text)


@pytest.mark.parametrize(
    ("text", "marker", "body"),
    [
        ("- apples", "•", "apples"),
        ("* **apples**", "•", "apples"),
        ("12. apples", "12.", "apples"),
        ("(a) apples", "(a)", "apples"),
        ("- [x] done", "☑", "done"),
        ("- [ ] open", "☐", "open"),
        ("-5 degrees", "•", "-5 degrees"),
        ("apples", "•", "apples"),
    ],
)
@pytest.mark.parametrize("marker_in_block", [True, False])
def test_list_entries(text: str, marker: str, body: str, *, marker_in_block: bool) -> None:
    start = 0 if marker_in_block else text.rfind(" ") + 1 if " " in text else 0
    if text.startswith("- ["):
        start = 0 if marker_in_block else 2
    if text == "-5 degrees":
        start = 0
    before = "Lead-in:\n"
    found, pieces = markup.item(
        before + text, len(before) + start, len(before + text), markdown=True
    )
    assert found == marker
    assert "".join(markup.visible(before + text, piece) for piece in pieces) == body


def test_a_later_paragraph_of_an_entry_has_no_marker() -> None:
    text = "- apples\n\n  They are red."
    start = text.index("They")
    assert markup.item(text, start, len(text), markdown=True)[0] == ""


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("| a | b c |", ["a", "b c"]),
        ("a | b", ["a", "b"]),
        (r"| a \| b | c |", ["a | b", "c"]),
        ("a\tb\tc", ["a", "b", "c"]),
        ("| a |  | c |", ["a", "", "c"]),
        ("alone", ["alone"]),
        ("| 2023 | 2024", ["", "2023", "2024"]),
    ],
)
def test_cells(row: str, expected: list[str]) -> None:
    cells = markup.cells(row, 0, len(row), markdown=True)
    assert ["".join(markup.visible(row, p) for p in cell) for cell in cells] == expected


@pytest.mark.parametrize("sign", ["**a ", "[a", "`a", "<!--", "_a ", "[a](", "<a ", "{%", "~~a "])
def test_unclosed_marks_do_not_take_quadratic_time(sign: str) -> None:
    started = time.process_time()
    shown(sign * 20_000)
    assert time.process_time() - started < 10
