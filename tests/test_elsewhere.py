"""What belongs to a quotation comes from anywhere in its document."""

from __future__ import annotations

import pytest
from pieces import Cut, Piece, document, heading, item, paragraph

from rag.answering.elsewhere import with_what_belongs
from rag.answering.select import Quotation
from rag.types import Document


def belonging(made: Document, cut: Cut, *quotes: str) -> list[str]:
    """What is quoted when these pieces of a document were chosen."""
    chosen = []
    for rank, quote in enumerate(quotes):
        start = made.text.index(quote)
        chunk = next(one for one in cut(made) if one.start <= start < one.end)
        chosen.append(Quotation(chunk, rank, start, start + len(quote)))
    found = with_what_belongs(chosen, lambda _: made)
    return [made.text[one.start : one.end] for one in found]


RATES = (
    heading("Rates"), paragraph("A bed costs 40 euros.[^bed] Linen is free of charge.[^2]"),
    heading("Contact"), paragraph("Ring the bell."),
    paragraph("[^bed]: In August 50."), paragraph("[^2]: One set."),
)  # fmt: skip


def test_a_note_comes_with_the_sentence_that_has_its_mark(cut: Cut) -> None:
    bed, linen = "A bed costs 40 euros.", "Linen is free of charge."
    made = document(*RATES)
    assert belonging(made, cut, bed) == [bed, "[^bed]: In August 50."]
    assert belonging(made, cut, linen) == [linen, "[^2]: One set."]
    assert belonging(made, cut, "Ring the bell.") == ["Ring the bell."]
    # Once is enough, and in its place.
    assert belonging(made, cut, bed, "[^bed]: In August 50.") == [bed, "[^bed]: In August 50."]


@pytest.mark.parametrize(
    ("said", "notes", "come"),
    [
        ("A bed costs 40 euros.¹", ["¹ In August 50."], ["¹ In August 50."]),
        ("A bed costs¹ 40 euros.", ["¹ In August 50.", "² One set."], ["¹ In August 50."]),
        # It begins anew on every page: which one is meant?
        ("A bed costs 40 euros.¹", ["¹ In August 50.", "¹ One set."], []),
        ("The hall has 40 m².", ["² One set."], []),
        ("The hall has 4² rooms.", ["² One set."], []),
        ("A bed costs 40 euros.¹", ["¹² In August 50."], []),
    ],
)
def test_a_raised_number_is_a_mark_where_one_note_begins_with_it(
    said: str, notes: list[str], come: list[str], cut: Cut
) -> None:
    made = document(heading("Rates"), paragraph(said), heading("Notes"), *map(paragraph, notes))
    assert belonging(made, cut, said) == [said, *come]


def law(*last: Piece) -> Document:
    return document(
        heading("Section 4. Fee"), paragraph("A kite costs 9 francs."),
        heading("Section 14. Place"), paragraph("Kites fly on the hill."),
        heading("Section 20. Exemptions"), *last,
    )  # fmt: skip


@pytest.mark.parametrize(
    "taken_back",
    [
        "Section 4 does not apply to children.",
        "Section 4 of this act shall not apply on Sundays.",
        "Notwithstanding section 4, children pay nothing.",
    ],
)
def test_a_rule_comes_with_what_takes_back_its_section(taken_back: str, cut: Cut) -> None:
    made = law(item("Nobody flies two."), item(f"{taken_back} Bells ring."))
    fee, place = "A kite costs 9 francs.", "Kites fly on the hill."
    assert belonging(made, cut, fee) == [fee, taken_back]
    assert belonging(made, cut, place) == [place]


@pytest.mark.parametrize(
    "other",
    [
        "Section 4.2 does not apply to children.",
        "Section 44 does not apply to children.",
        "Section 4 applies. Bells do not apply.",
        "Article 4 does not apply to children.",
    ],
)
def test_what_takes_back_another_section_stays_away(other: str, cut: Cut) -> None:
    fee = "A kite costs 9 francs."
    assert belonging(law(paragraph(other)), cut, fee) == [fee]


def test_no_section_is_said_of_what_stands_elsewhere(cut: Cut) -> None:
    made = document(*RATES)
    (chunk, *_) = cut(made)
    quotation = Quotation(chunk, 0, chunk.start, chunk.start + len("A bed costs 40 euros."))
    sections = [one.chunk.section for one in with_what_belongs([quotation], lambda _: made)]
    assert sections == ["Rates", None]
