"""Rich text: changes, notes, lists, and files that cannot be read."""

from __future__ import annotations

import time

import pytest
from awkward import (
    check_promises,
    shown,
    texts,
)

from rag.errors import DocumentError
from rag.loaders import load_bytes
from rag.types import Document


def load(data: bytes) -> Document:
    document = load_bytes(data, "books/staff_rules.rtf")
    check_promises(document)
    return document


RTF = (
    rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\title Staff rules}{\author A. Author}"
    rb"{\creatim\yr2024\mo3\dy1\hr10}}{\b LEAVE RULES}\par Staff get 13 days a year, as f\'fcr all."
    rb"\par 1.\tab Open the form.\par 2.\tab Send it.\par "
    rb"\trowd\cellx1000\cellx2000 City\cell Rate\cell\row "
    rb"\trowd\cellx1000\cellx2000 Selhaven\cell 45\cell\row After \u8364? it.\par}"
)


def test_rich_text() -> None:
    document = load(RTF)
    assert document.title == "Staff rules"
    assert shown(document) == [
        ("heading", "LEAVE RULES"),
        ("paragraph", "Staff get 13 days a year, as für all."),
        ("item", "Open the form."),
        ("item", "Send it."),
        ("row", "City | Rate"),
        ("row", "Selhaven | 45"),
        ("paragraph", "After € it."),
    ]
    expected = {"author": "A. Author", "created": "2024-03-01"}
    assert expected.items() <= dict(document.metadata).items()


def test_changes_hidden_text_and_notes_of_rich_text() -> None:
    document = load(
        rb"{\rtf1\ansi{\fonttbl{\f0\fcharset204 Arial;}}\f0 "
        rb"The berth costs {\deleted\revauthdel1 900 {\footnote\plain Gone.}}"
        rb"{\revised 700}\deleted\revauth1 cents\par\deleted0  euros{\super 3}.{\super\chftn}"
        rb"{\footnote\pard\plain{\super\chftn} Except {\v secretly }in winter.}"
        rb" \v Ask legal.\v0 Pay at \'e4 once.\par The end.\par "
        rb"\trowd\cellx1\cellx2 Pier{\footnote\pard Of stone.}\par East\cell Fee\cell\row "
        rb"\pard Bye.{\footnote Unclosed"
    )
    assert shown(document) == [
        ("paragraph", "The berth costs 700 euros³. Pay at д once."),
        ("paragraph", "[1] Except in winter."),
        ("paragraph", "The end."),
        ("paragraph", "Pier"),
        ("row", "East | Fee"),
        ("paragraph", "Bye."),
        ("paragraph", "[2] Of stone."),
        ("paragraph", "[3] Unclosed"),
    ]


@pytest.mark.parametrize(
    "inside",
    [b"{\\footnote x" * 20_000, b"w{\\footnote x}" * 20_000, b"x\\v\\deleted " * 40_000],
    ids=["nested notes", "many notes", "many changes"],
)
def test_hostile_changes_take_no_time(inside: bytes) -> None:
    started = time.perf_counter()
    assert load(b"{\\rtf1 text " + inside + b"}").text.startswith("text")
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"plain text", "is damaged or not an RTF file: save it again as .rtf"),
        (b"\xd0\xcf\x11\xe0 word", "is damaged or not an RTF file: save it again as .rtf"),
        (rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}}", "has no text"),
        (rb"{\rtf1" + b"{" * 100_000, "has no text"),
    ],
    ids=["text", "binary", "empty", "open braces"],
)
def test_a_bad_rtf_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, "a.rtf")
    assert str(caught.value) == reason


def test_entries_of_rich_text_are_as_deep_as_it_says() -> None:
    source = (
        rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\pard Bring:\par "
        rb"{\listtext\pard\plain \'b7\tab}\pard\ls1 a boat;\par "
        rb"{\listtext\pard\plain o\tab}\pard\ls1\ilvl1 with oars\par "
        rb"\pard\plain\ilvl1\ls1{\listtext\pard\plain (b)\tab}or a sail;\par "
        rb"{\listtext\pard\plain \'b7\tab}\pard\ls1 a rope.\par \pard Moor.\par}"
    )
    document = load(source)
    assert document.text == (
        "Bring:\n\n- a boat;\n  - with oars\n  (b) or a sail;\n- a rope.\n\nMoor."
    )
    assert [block.level for block in document.blocks] == [0, 1, 2, 2, 1, 0]


def test_an_empty_corner_of_a_table_in_rich_text() -> None:
    rows = (rb"\trowd\cellx1000\cellx2000\cellx3000 " + cells + rb"\row " for cells in (
        rb"\cell 2023\cell 2024\cell", rb"East\cell 5\cell 7\cell"))  # fmt: skip
    document = load(rb"{\rtf1\ansi " + b"".join(rows) + rb"\pard End.\par}")
    assert [block.level for block in document.blocks] == [1, 0, 0]


def test_blocks_of_one_kind() -> None:
    assert texts(load(RTF), "heading") == ["LEAVE RULES"]
