"""What leads in to list entries, and the headers of tables, as chunks carry them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pieces import Cut, document, item, paragraph, row

from rag.embedding import sentence_texts
from rag.types import Block, Chunk, Document


def leads(chunks: Sequence[Chunk]) -> list[tuple[str, str, str]]:
    """Of each sentence what it leans on, its kind, and itself."""
    return [
        (s.lead_text, s.kind, chunk.text[s.start - chunk.start : s.end - chunk.start])
        for chunk in chunks
        for s in chunk.sentences
    ]


def test_an_entry_carries_the_nearest_lead(cut: Cut) -> None:
    made = document(
        paragraph("Staff may accept:"), item("pens"), item("But they must refuse:"),
        item("cash", 2), item("loans", 2), item("cups"), paragraph("Ask first."), item("a friend"),
    )  # fmt: skip
    assert [lead for lead, _, _ in leads(cut(made))] == [
        "", "Staff may accept:", "Staff may accept:", "But they must refuse:",
        "But they must refuse:", "Staff may accept:", "", "",
    ]  # fmt: skip


def test_lettered_paragraphs_are_entries_where_a_sentence_leads_in_to_them(cut: Cut) -> None:
    made = document(
        paragraph("(1) Data may be disclosed only if"), paragraph("(a) the person agrees; or"),
        paragraph("(b) a court orders it by"), paragraph("(i) a ruling, or"),
        paragraph("(ii) a letter."), paragraph("(2) It is free."), paragraph("(a) Note one."),
    )  # fmt: skip
    first, second = "(1) Data may be disclosed only if", "(b) a court orders it by"
    assert [(lead, kind) for lead, kind, _ in leads(cut(made))] == [
        ("", "paragraph"), (first, "item"), (first, "item"), (second, "item"), (second, "item"),
        ("", "paragraph"), ("", "paragraph"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "entries",
    [
        ["5.1.1 keep reptiles;", "5.1.2 sublet the flat."],
        ["(A) a pipe has burst;", "(B) the roof leaks."],
        ["– rent is unpaid;", "– keys are missing."],
    ],
)
def test_entries_may_be_decimal_capital_or_dashed(cut: Cut, entries: list[str]) -> None:
    made = document(paragraph("5.1 The tenant may not"), *map(paragraph, entries))
    assert [lead for lead, _, _ in leads(cut(made))][1:] == ["5.1 The tenant may not"] * 2


def test_letters_inside_an_entry_are_its_entries(cut: Cut) -> None:
    made = document(
        paragraph("Rules:"), item("A hut may be used"), item("a) for storage,"),
        item("b) for rest."), item("Huts are locked."),
    )  # fmt: skip
    assert [lead for lead, _, _ in leads(cut(made))][1:] == [
        "Rules:", "A hut may be used", "A hut may be used", "Rules:",
    ]  # fmt: skip
    assert cut(made)[0].sentences[2].above == ((0, 6),)


@pytest.mark.parametrize(
    "text", ["Last updated 3 March 2024", "Present: Karl Nagy", "Members pay in advance.[^a]"]
)
def test_not_every_paragraph_before_a_list_leads_in_to_it(cut: Cut, text: str) -> None:
    made = document(paragraph(text), item("Two visitors may come."), item("Dogs stay out."))
    assert {lead for lead, _, _ in leads(cut(made))} == {""}


def test_a_lead_that_cannot_end_there_leads_whatever_follows(cut: Cut) -> None:
    made = document(paragraph("Staff must not"), item("Smoke in the yard."), item("Park there."))
    assert [lead for lead, _, _ in leads(cut(made))] == ["", "Staff must not", "Staff must not"]


def test_a_later_paragraph_of_an_entry_brings_the_entry(cut: Cut) -> None:
    text = "Not paid are:\n\n- Taxis.\n\n  Rides after ten are.\n"
    blocks = [("paragraph", "Not paid are:"), ("item", "Taxis."), ("item", "Rides after ten are.")]
    made = Document(
        "a.txt", "Rules", text,
        tuple(
            Block(kind, text.index(own), text.index(own) + len(own), int(kind == "item"))
            for kind, own in blocks
        ),
    )  # fmt: skip
    (chunk,) = cut(made)
    assert [sentence.lead_text for sentence in chunk.sentences] == ["", "Not paid are:", "Taxis."]
    assert [sentence.marker for sentence in chunk.sentences] == ["", "-", ""]


def test_a_table_ends_what_led_in_to_it(cut: Cut) -> None:
    made = document(
        paragraph("The rates are:"), row("Room | Day", header=True), row("Hall | 20"),
        item("open the form,"), item("sign it."),
    )  # fmt: skip
    assert [lead for lead, kind, _ in leads(cut(made)) if kind == "item"] == ["", ""]


def test_after_h_an_i_is_a_letter(cut: Cut) -> None:
    made = document(
        paragraph("These count:"), paragraph("(h) the house,"), paragraph("(i) the island."),
    )  # fmt: skip
    assert [lead for lead, _, _ in leads(cut(made))][1:] == ["These count:"] * 2


@pytest.mark.parametrize(
    "entries",
    [
        ["A. a pipe has burst;", "B. the roof leaks."],
        ["(aa) a pipe has burst;", "(bb) the roof leaks."],
        ["IV. a pipe has burst;", "V. the roof leaks."],
    ],
)
def test_entries_may_be_those_of_an_outline(cut: Cut, entries: list[str]) -> None:
    lead = "The landlord may enter if"
    made = document(paragraph(lead), *map(paragraph, entries))
    assert [(text, kind) for text, kind, _ in leads(cut(made))] == [
        ("", "paragraph"), (lead, "item"), (lead, "item"),
    ]  # fmt: skip


def test_an_outline_goes_from_roman_numbers_to_letters_and_numbers(cut: Cut) -> None:
    made = document(
        paragraph("I. The tenant must"), paragraph("A. pay for"), paragraph("1. heat,"),
        paragraph("2. water,"), paragraph("B. keep the stairs clean."),
        paragraph("II. The landlord must"), paragraph("A. paint the stairs."),
    )  # fmt: skip
    assert [lead for lead, _, _ in leads(cut(made))] == [
        "", "I. The tenant must", "A. pay for", "A. pay for", "I. The tenant must",
        "", "II. The landlord must",
    ]  # fmt: skip


def test_a_short_word_is_no_enumerator(cut: Cut) -> None:
    made = document(paragraph("Staff may not"), paragraph("yes. smoke"), paragraph("no) park"))
    assert [lead for lead, _, _ in leads(cut(made))] == ["", "", ""]


@pytest.mark.parametrize(
    "lead",
    ["The following goods are not insured.", "Guests are exempt from the following rules.",
     "Fines are as follows."],
)  # fmt: skip
def test_what_announces_entries_leads_in_to_them_despite_its_full_stop(cut: Cut, lead: str) -> None:
    made = document(paragraph(lead), item("furs"), item("Boats are washed."), paragraph("Ask."))
    assert [text for text, _, _ in leads(cut(made))] == ["", lead, lead, ""]


@pytest.mark.parametrize(
    "text",
    ["Orders arrive on the following day.", "Dues are paid by the following Monday.",
     "Leave lapses in the following calendar year.", "Following this, ask the porter."],
)  # fmt: skip
def test_a_following_day_announces_nothing(cut: Cut, text: str) -> None:
    made = document(paragraph(text), item("furs"), paragraph(text), paragraph("Boats stay."))
    (chunk,) = cut(made)
    assert {(sentence.lead_text, sentence.above) for sentence in chunk.sentences} == {("", ())}


def over(made: Document, chunks: Sequence[Chunk]) -> dict[str, list[str]]:
    """Of each sentence, what else it cannot be understood without."""
    return {
        made.text[s.start : s.end]: [made.text[slice(*span)] for span in s.above]
        for chunk in chunks
        for s in chunk.sentences
    }


def test_a_sentence_that_limits_prose_stands_over_the_rest_or_the_next_paragraph(cut: Cut) -> None:
    night, ferry = "At night the following applies.", "On ferries the following is forbidden."
    made = document(
        paragraph(f"Gates are grey. {night} Gates are shut. Dogs are loose."),
        paragraph("Bells ring."), paragraph(ferry), paragraph("Open fires. Loud music."),
        paragraph("Tickets are blue."),
    )  # fmt: skip
    assert over(made, cut(made)) == {
        "Gates are grey.": [], night: [], "Gates are shut.": [night], "Dogs are loose.": [night],
        "Bells ring.": [], ferry: [], "Open fires.": [ferry], "Loud music.": [ferry],
        "Tickets are blue.": [],
    }  # fmt: skip
    assert {s.kind for chunk in cut(made) for s in chunk.sentences} == {"paragraph"}


def test_what_only_announces_prose_does_not_stand_over_it(cut: Cut) -> None:
    made = document(paragraph("Please note the following."), paragraph("Gates are shut."))
    assert over(made, cut(made))["Gates are shut."] == []


@pytest.mark.parametrize(
    ("line", "explains"),
    [
        ("Prices in pence per mile:", True),
        ("All sums are given in thousand euros.", True),
        ("Prices include VAT.", True),
        ("The rent is shown without heating.", True),
        ("For members:", True),
        ("Outside the port the following fares apply:", True),
        ("Here are our boats:", False),
        ("Bikes are lent in Oslo.", False),
        ("Boats are repaired in ten days.", False),
    ],
)
def test_the_line_above_a_table_that_says_its_unit_stands_over_its_rows(
    cut: Cut, line: str, explains: bool
) -> None:
    made = document(
        paragraph(line), row("Boat | Rent", header=True), row("canoe | 7"),
        paragraph("Ask."), row("ferry | 9"),
    )  # fmt: skip
    found = over(made, cut(made))
    assert found["canoe | 7"] == found["Boat | Rent"] == ([line] if explains else [])
    assert found["ferry | 9"] == []


def test_a_row_without_its_first_cell_has_the_row_that_names_it(cut: Cut) -> None:
    made = document(
        row("Crew | Years | Pay", header=True), row("| any | 1"), row("cooks | 1 | 20"),
        row("| 2 | 30"), row("| 3 | 40"), row("pilots | 1 | 50"), row("| 2 | 60"), gap="\n",
    )  # fmt: skip
    found = over(made, cut(made))
    assert found["| any | 1"] == found["pilots | 1 | 50"] == []
    assert found["| 2 | 30"] == found["| 3 | 40"] == ["cooks | 1 | 20"]
    assert found["| 2 | 60"] == ["pilots | 1 | 50"]
    (chunk,) = cut(made)
    assert sentence_texts(chunk)[-1] == "Crew: pilots | Years: 2 | Pay: 60"
    assert sentence_texts(chunk)[1] == "Years: any | Pay: 1"


@pytest.mark.parametrize("after", ["", " |"])
def test_rows_have_the_row_that_names_their_group(cut: Cut, after: str) -> None:
    low, high = f"Low season{after}", f"High season{after}"
    made = document(
        row("Hut | Price", header=True), row(low), row("oak | 3"), row("elm | 4"),
        row(high), row("oak | 5"), gap="\n",
    )  # fmt: skip
    found = over(made, cut(made))
    assert found[low] == found[high] == []
    assert found["oak | 3"] == found["elm | 4"] == [low]
    assert found["oak | 5"] == [high]
    (chunk,) = cut(made)
    assert sentence_texts(chunk)[-1] == "High season | Hut: oak | Price: 5"


@pytest.mark.parametrize(
    "rows",
    [
        ["Ada | 11", "Bo |", "Cy | 12", "Di |", "Ed | 13"],
        ["Ada | 11", "Ada | 12", "Bo |", "Cy | 1"],
    ],
)
def test_a_row_whose_other_cells_are_not_known_names_no_group(cut: Cut, rows: list[str]) -> None:
    made = document(row("Name | Room", header=True), *map(row, rows), gap="\n")
    assert not any(over(made, cut(made)).values())


def test_a_header_of_two_rows_leads_as_a_whole(cut: Cut) -> None:
    made = document(
        row("Group | Deposit | Deposit", header=True), row("Group | Summer | Winter", header=True),
        row("adults | 5 | 7"), gap="\n",
    )  # fmt: skip
    (chunk,) = cut(made)
    assert chunk.sentences[-1].lead == (
        0,
        len("Group | Deposit | Deposit\nGroup | Summer | Winter"),
    )
    assert sentence_texts(chunk)[-1] == "Group: adults | Deposit Summer: 5 | Deposit Winter: 7"


def test_table_rows_carry_their_header(cut: Cut) -> None:
    rows = [row(f"level {n} | answered within {n} days | by the team") for n in range(12)]
    chunks = cut(document(row("Severity | Time | Who", header=True), *rows), max_tokens=48)
    assert len(chunks) > 2
    for chunk in chunks[1:]:
        assert chunk.enriched.split("\n")[:2] == ["Rules", "Severity | Time | Who"]


def test_a_second_table_does_not_inherit_the_first_ones_header(cut: Cut) -> None:
    made = document(
        row("Severity | Time", header=True), row("low | five days"),
        paragraph("And the people:"), row("Dana Reyes | director"),
    )  # fmt: skip
    for limit in range(32, 64):
        for chunk in cut(made, max_tokens=limit):
            if chunk.text.startswith("Dana"):
                assert "Severity" not in chunk.enriched
