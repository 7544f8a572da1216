"""Plain text: titles of several lines, lead-in clauses, underlined headings, columns, labels."""

from __future__ import annotations

import pytest
from awkward import check_promises, texts

from rag.loaders import load_bytes
from rag.types import Document


def read(text: str) -> Document:
    document = load_bytes(text.encode(), "policies/travel-rules.txt")
    check_promises(document)
    return document


def outline(text: str) -> list[tuple[str, int, str]]:
    """(kind, level, text) of each block."""
    document = read(text)
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]


def test_a_title_of_several_lines_is_one_heading_and_a_clause_is_no_title() -> None:
    text = (
        "BERTH AGREEMENT\nbetween Selhaven Port (the Harbour) and Ole Lie (the Guest)\n"
        "No. 12, signed 3 May 2023\n\n1.  TERM\n\n1.1 It begins on 1 June 2023.\n"
    )
    document = read(text)
    assert document.title == (
        "BERTH AGREEMENT between Selhaven Port (the Harbour) and Ole Lie (the Guest) "
        "No. 12, signed 3 May 2023"
    )
    assert outline(text) == [
        ("heading", 1, text.partition("\n\n")[0]),
        ("heading", 2, "1.  TERM"),
        ("paragraph", 0, "1.1 It begins on 1 June 2023."),
    ]
    assert read(text.partition("\n\n")[2]).title == "Travel rules"


def test_fields_below_a_title_are_no_part_of_it() -> None:
    text = "Rules on berths\nVersion: 2.1\nOwner: Harbour Office\n\nA berth costs 20 euros.\n"
    assert outline(text)[:3] == [
        ("heading", 1, "Rules on berths"),
        ("paragraph", 0, "Version: 2.1"),
        ("paragraph", 0, "Owner: Harbour Office"),
    ]


@pytest.mark.parametrize(
    "first",
    [
        "From: Ole\nTo: Anna\nSubject: Berths",
        "Boats may stay.\nThey pay at noon",
        "- a key\n- a deposit",
        "One\nTwo\nThree\nFour\nFive",
        "Pier     Boats\nNorth    12\nSouth    14",
    ],
    ids=["fields", "sentences", "list", "many lines", "table"],
)
def test_what_is_no_title(first: str) -> None:
    document = read(f"{first}\n\nA berth costs 20 euros.\n")
    assert (document.title, texts(document, "heading")) == ("Travel rules", [])


def test_a_clause_that_leads_in_to_entries_is_no_heading() -> None:
    text = (
        "Berths\n\n3.2 The Harbour shall not refuse a boat unless\n\n(a) it is too long; or\n\n"
        "(b) it leaks.\n\n3.3 A guest pays\n\n(a) the fee;\n\n(b) the deposit.\n\n"
        "4.1 What the fee is for\n\nWater is included.\n\n4.2 Owners\n\n(1) They pay twice.\n\n"
        "Section 5. Exemptions\n\n(a) police boats;\n"
    )
    assert [block for block in outline(text) if block[0] != "item"] == [
        ("heading", 1, "Berths"),
        ("paragraph", 0, "3.2 The Harbour shall not refuse a boat unless"),
        ("paragraph", 0, "3.3 A guest pays"),
        ("heading", 3, "4.1 What the fee is for"),
        ("paragraph", 0, "Water is included."),
        ("heading", 3, "4.2 Owners"),
        ("heading", 2, "Section 5. Exemptions"),
    ]


def test_an_underlined_heading_needs_no_blank_line() -> None:
    assert outline(
        "========\nBERTHS\n========\n\nIntroduction here.\n\n"
        "Wardens\n-------\nAnna keeps the keys.\n---\nOle keeps the list.\n"
    ) == [
        ("heading", 1, "BERTHS"),
        ("paragraph", 0, "Introduction here."),
        ("heading", 2, "Wardens"),
        ("paragraph", 0, "Anna keeps the keys."),
        ("paragraph", 0, "Ole keeps the list."),
    ]


def test_columns_are_rows() -> None:
    assert outline(
        "Berths\n\nThe harbour answers within these times:\n\n"
        "    Fault      Answer     Repair\n    -----      ------     ------\n"
        "    Water      2 hours    8 hours\n    Power      4 hours    2 days\n"
        "Calls count.\n\nOle Lie\t4001\nAnna Berg\t4002\n"
    )[2:] == [
        ("row", 1, "Fault      Answer     Repair"),
        ("row", 0, "Water      2 hours    8 hours"),
        ("row", 0, "Power      4 hours    2 days"),
        ("paragraph", 0, "Calls count."),
        ("row", 0, "Ole Lie\t4001"),
        ("row", 0, "Anna Berg\t4002"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Boats may stay overnight if  the harbour master has\n"
        "been told of it  before they come to the pier.",
        "Boats may stay at the north pier.  They pay at noon,\n"
        "and they leave at noon the next day.  No boat stays.",
    ],
    ids=["justified", "two spaces between sentences"],
)
def test_spaces_in_prose_make_no_rows(text: str) -> None:
    assert outline(text) == [("paragraph", 0, text)]


def test_short_lines_and_lines_with_labels_are_not_joined() -> None:
    wardens = ["Floor 1: Anna Berg (deputy: Ole Lie)", "Floor 2: Ida Moe (deputy: vacant)"]
    wrapped = "Boats of guests lie at the north pier and are\nmoved when the ferry comes."
    kept = [f"{name}, a guest" for name in ("Anna", "Ole", "Ida", "Jan")]
    assert [text for _, _, text in outline("\n".join(kept))] == kept
    assert [text for _, _, text in outline("\n\n".join([wrapped, "\n".join(wardens)]))] == [
        wrapped,
        *wardens,
    ]
