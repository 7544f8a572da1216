"""What is quoted with a sentence: what it leans on, what limits it, what its numbers name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from candidates import blocks, evidence, passage

from rag.answering.context import in_context

if TYPE_CHECKING:
    from rag.answering.evidence import Evidence
    from rag.types import Hit


def quoted_with(hit: Hit, at: int) -> list[str]:
    """What is quoted with a sentence of a passage, itself included."""
    return quoted(evidence("other", (hit, at, 0.9)))


def quoted(asked: Evidence) -> list[str]:
    """What is quoted with the best sentence, without line breaks."""
    best = asked.candidates[0]
    spans = in_context(best, asked)
    return [" ".join(best.chunk.text[start:end].split()) for start, end in spans]


def marked(hit: Hit, at: int, marker: str) -> Hit:
    """The same passage with a marker before a sentence."""
    sentences = list(hit.chunk.sentences)
    sentences[at] = replace(sentences[at], marker=marker)
    return replace(hit, chunk=replace(hit.chunk, sentences=tuple(sentences)))


@pytest.mark.parametrize(
    ("marker", "entry", "limit", "comes"),
    [
        ("(iv)", "trams by day", "Only the head may grant (iv).", True),
        ("b)", "trams by day", "Only the head may grant (b).", True),
        ("(iv)", "trams by day", "Only the head may grant (v).", False),
        ("-", "A tram by day", "Only the head may grant (A).", False),
    ],
)
def test_a_limit_may_name_an_entry(marker: str, entry: str, limit: str, comes: bool) -> None:
    hit = passage(("paragraph", "You may take:"), ("item", entry), ("paragraph", limit))
    expected = ["You may take:", entry, *([limit] if comes else [])]
    assert quoted_with(marked(hit, 1, marker), 1) == expected


@pytest.mark.parametrize(("number", "comes"), [("(5)", True), ("5.", True), ("5", False)])
def test_an_exception_names_a_paragraph_by_its_number(number: str, comes: bool) -> None:
    rule, exception = f"{number} Days may be carried over.", "Paragraph 5 does not apply to guards."
    hit = passage(("paragraph", rule), ("paragraph", "Caps are worn."), ("paragraph", exception))
    assert quoted_with(hit, 0) == [rule, *([exception] if comes else [])]


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        ("Owners are told of leaks.", "This is not required where the data were locked."),
        ("A pass is needed by all guests.", "It is not needed by the police."),
        ("Reports are read in a week.", "The limit does not apply to reports without a name."),
        ("Forms are read within a month.", "The time may be extended by two months."),
        ("Contracts last four years.", "They may be extended once."),
        ("A watch stays for an hour.", "With sprinklers the watch may be reduced by half."),
        ("You get 400 euros for a bicycle.", "They are paid only if the bicycle is used."),
        ("All homes must be warm by May.", "Listed buildings are exempt."),
        ("Many wanted taxis to go free.", "We did not agree, since taxis drive all day."),
        ("The owners speak of 90 flats.", "The city disputes this and counts 70."),
        ("Motion of Ms Falk to wait.", "Lost, 23 votes to 32."),
        ("The fee is 40 crowns.", "No fee is charged to pensioners."),
        ("Guests must be escorted.", "Escorts need not stay in the hall."),
        ("Each diver is lent a suit.", "Day visitors are not eligible."),
        ("Each diver is lent a suit.", "Cadets get one after their first dive."),
        ("Each diver is lent a suit.", "Volunteers are excluded from this."),
        ("Sailors pay 80 crowns.", "Cadets pay half."),
        ("Sailors are paid 80 crowns.", "Cadets receive none."),
        ("Mr Lund proposed to sell the pier.", "The proposal was narrowly rejected."),
        ("The club spoke of a new slip.", "It decided against it."),
        ("Until now a berth cost 70 crowns.", "From May it costs 90 crowns."),
        ("Berths were free so far.", "As of May they cost 90 crowns."),
    ],
)
def test_the_next_sentence_may_limit_a_rule(rule: str, limit: str) -> None:
    assert quoted_with(blocks((rule, limit)), 0) == [rule, limit]


@pytest.mark.parametrize(
    "other",
    [
        "The canteen may be extended in June.", "Money is lent only if you ask.",
        "The board rejected a bid.", "We did not agree on a date.", "Lost property is kept here.",
        "It is not new.", "Cadets are entitled to a bunk.", "Cadets pay half a crown for soap.",
        "Cadets get one blanket.", "The idea was born in May.", "It was agreed that ropes be dyed.",
        "From May ropes are dyed.",
    ],
)  # fmt: skip
def test_a_sentence_of_its_own_does_not(other: str) -> None:
    assert quoted_with(blocks(("A watch stays for an hour.", other)), 0) == [
        "A watch stays for an hour."
    ]


def test_what_holds_since_is_of_the_same() -> None:
    before = "Until now a berth cost 70 crowns."
    assert quoted_with(blocks((before, "From May ropes are dyed.")), 0) == [before]
    assert quoted_with(blocks((before, "It was cheap.")), 0) == [before]


@pytest.mark.parametrize(
    ("later", "comes"),
    [
        ("This does not apply to cadets, whose suits are old.", True),
        ("Day visitors are excluded from this.", True),
        ("Day visitors are excluded.", False),
        # "This" is more likely what was said last.
        ("This does not apply to cadets.", False),
        ("This does not apply on days without a tide.", False),
        ("However, cadets get old suits.", False),
    ],
)
def test_a_later_sentence_of_the_paragraph_takes_back_a_rule(later: str, comes: bool) -> None:
    rule, other = "Divers get suits for three days.", "Boats sail all days."
    assert quoted_with(blocks((rule, other, later)), 0) == [rule, *([later] if comes else [])]
    assert quoted_with(blocks((rule, other), (later,)), 0) == [rule]


ANOTHER = ("2.2 Caps are worn.",)


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ("2.1 Gifts are allowed.", "2.3 Rule 2.1 does not apply to tenders."),
        ("2.1 Gifts are allowed.", "2.3 Rules 2.1 and 2.2 do not apply to tenders."),
        ("6. Power is lent.", "8. Paragraphs 5 to 7 do not apply to farms."),
        ("(c) the same firm;", "8. Point (c) does not apply to farms."),
        ("1. Staff get 26 days.", "4. Notwithstanding paragraph 1, guards get 30."),
        ("1. Cars go slowly.", "4. By way of derogation from paragraph 1, doctors may rush."),
        ("7.1 Subject to clause 7.4, we pay.", "7.4 We never pay for fraud."),
        ("1. Leave is granted, except as provided in paragraph 3.", "3. Guards get none."),
        ("1. Leave is granted unless paragraph 3 applies.", "3. Guards get none."),
    ],
)
def test_numbers_lead_to_what_limits_a_paragraph(rule: str, named: str) -> None:
    assert quoted_with(blocks((rule,), ANOTHER, (named,)), 0) == [rule, named]


def test_a_number_leads_back_to_what_does_not_hold() -> None:
    rule, exception = "(2) Rents rise by 4 per cent.", "(4) Subsection (2) does not apply to barns."
    hit = blocks((rule,), ("(3) Rents are paid in May.",), (exception,))
    assert quoted_with(hit, 2) == [rule, exception]
    assert quoted_with(hit, 1) == ["(3) Rents are paid in May."]


@pytest.mark.parametrize(
    ("exception", "comes"),
    [
        ("4. Article 2 does not apply to guards.", False),
        ("4. Article 4(2) does not apply to guards.", True),
        ("4. Article 5(2) does not apply to guards.", False),
        ("4. Paragraph 2 does not apply to guards.", True),
    ],
)
def test_below_an_article_another_article_is_no_paragraph(exception: str, comes: bool) -> None:
    rule = "2. Staff get 30 days."
    hit = blocks((rule,), ("3. Ask first.",), (exception,), headings=("Article 4 Leave",))
    assert quoted_with(hit, 0) == [rule, *([exception] if comes else [])]


@pytest.mark.parametrize(("number", "comes"), [(2, True), (4, False)])
def test_what_follows_a_list_names_its_entry(number: int, comes: bool) -> None:
    exception = f"Paragraph {number} does not apply to guards."
    hit = passage(("item", "Hours are kept."), ("item", "Forty at most."), ("paragraph", exception))
    hit = marked(marked(hit, 0, "1."), 1, "2.")
    assert quoted_with(hit, 1) == ["Forty at most.", *([exception] if comes else [])]


def test_a_lead_in_brings_what_it_leans_on() -> None:
    hit = passage(
        ("paragraph", "Leave lapses in May."), ("paragraph", "This does not hold where:"),
        ("item", "you were ill"), ("item", "you were away"),
    )  # fmt: skip
    lead = ["Leave lapses in May.", "This does not hold where:"]
    assert quoted_with(hit, 2) == [*lead, "you were ill"]
    assert quoted_with(hit, 1) == [lead[0], f"{lead[1]} - you were ill - you were away"]


def test_what_leans_back_behind_a_list_brings_the_list() -> None:
    hit = passage(
        ("paragraph", "Leave lapses, except where:"), ("item", "you were ill"),
        ("item", "you were away"), ("paragraph", "In these cases ten days are kept."),
    )  # fmt: skip
    assert quoted_with(hit, 3) == [
        "Leave lapses, except where: - you were ill - you were away",
        "In these cases ten days are kept.",
    ]


@pytest.mark.parametrize(
    ("text", "comes"),
    [
        ("This does not apply to guards.", True),
        ("Then ask the head.", False),
        ("It is new.", False),
    ],
)
def test_not_all_that_leans_back_means_a_list(text: str, comes: bool) -> None:
    hit = passage(("paragraph", "You need:"), ("item", "a form"), ("paragraph", text))
    assert quoted_with(hit, 2) == [*(["You need: - a form"] if comes else []), text]


def test_what_leans_back_may_lean_on_what_does() -> None:
    told = ("The agency is in Halden.", "It has 30 people.", "It pays rent.", "It is old.")
    assert quoted_with(blocks(("Trees are green.", *told)), 4) == list(told)


@pytest.mark.parametrize("label", ["Trainees.", "Fixed terms."])
def test_a_label_before_a_sentence_of_its_block_comes_along(label: str) -> None:
    assert quoted_with(blocks((label, "Notice is two weeks.")), 1) == [
        f"{label} Notice is two weeks."
    ]
    assert quoted_with(blocks((label,), ("Notice is two weeks.",)), 1) == ["Notice is two weeks."]


def test_a_reply_or_a_remark_is_no_label() -> None:
    for before in ("None.", "Not yet.", "It depends."):
        assert quoted_with(blocks((before, "Notice is two weeks.")), 1) == ["Notice is two weeks."]


def test_every_sentence_of_an_answer_brings_its_question() -> None:
    one = blocks(("What if I lose my phone?", "Call 4499 at once.", "The device is wiped."))
    two = blocks(
        ("Q: What if I lose my phone?",), ("A: Call 4499 at once.", "The device is wiped.")
    )
    assert quoted_with(one, 1) == ["What if I lose my phone? Call 4499 at once."]
    assert quoted_with(one, 2) == ["What if I lose my phone?", "The device is wiped."]
    assert quoted_with(two, 1) == ["Q: What if I lose my phone? A: Call 4499 at once."]
    assert quoted_with(two, 2) == ["Q: What if I lose my phone?", "The device is wiped."]


def test_a_question_in_the_middle_of_a_text_asks_nobody() -> None:
    text = ("Firms do it.", "Why not the state?", "Our goal is twofold.", "Is it easy?", "No.")
    assert quoted_with(blocks(text), 2) == ["Our goal is twofold."]
    assert quoted_with(blocks(text), 4) == ["Is it easy? No."]


def test_a_question_is_quoted_with_all_of_its_reply() -> None:
    reply = ("We do not know.", "Our survey found 214.", "I expect 400.")
    whole = ["How many are used? We do not know.", *reply[1:]]
    assert quoted_with(blocks(("How many are used?",), reply, ("Trees are green.",)), 0) == whole
    in_a_row = blocks(("When was it?", "It was in May 2019.", "It rose in June.", "Trees bloom."))
    assert quoted_with(in_a_row, 0) == ["When was it? It was in May 2019.", "It rose in June."]


def test_speech_brings_its_speaker() -> None:
    speech = ('"We shall build it," said Mayor Hale.', '"Shops get 4,000 crowns."')
    assert quoted_with(blocks(speech), 1) == list(speech)
    assert quoted_with(blocks((speech[1], speech[0])), 1) == [speech[0]]


def test_in_minutes_a_turn_brings_its_speaker() -> None:
    horn = ("Mr Horn: Farmers complain of silt.", "Trees fell.", "The bed rose by half a metre.")
    minutes = blocks(horn, ("The Minister (Mr Reza): I see.",))
    assert quoted_with(minutes, 2) == [horn[0], horn[2]]
    # One speaker alone may be anything: "Chair: the one at the table.".
    assert quoted_with(blocks(horn), 2) == [horn[2]]


def test_a_turn_that_ends_in_a_question_brings_the_reply() -> None:
    asks = ("Ms Falk: It was promised for May.", "Work has not begun.", "Will it be ready?")
    minutes = blocks(asks, ("Mr Reza: I cannot say.",))
    assert quoted_with(minutes, 0) == [asks[0], f"{asks[2]} Mr Reza: I cannot say."]


@pytest.mark.parametrize("mark", ["[^core]", "¹", "*", "†"])
def test_the_mark_of_a_note_brings_the_note(mark: str) -> None:
    colon = ":" if mark.startswith("[") else ""
    note = f"{mark}{colon} Guards have none."
    hit = blocks((f"Core time is noon.{mark}",), ("Breaks are unpaid.",), (note,))
    assert quoted_with(hit, 0) == [f"Core time is noon.{mark}", note]
    assert quoted_with(hit, 1) == ["Breaks are unpaid."]


def test_where_several_entries_answer_the_list_is_quoted_whole() -> None:
    hit = passage(
        ("paragraph", "We propose:"), ("item", "one pet"), ("item", "a deposit"), ("item", "walks")
    )
    whole = ["We propose: - one pet - a deposit - walks"]
    for second, expected in ((0.85, whole), (0.7, ["We propose:", "one pet"])):
        asked = evidence("other", (hit, 1, 0.9), (hit, 2, second))
        assert quoted(asked) == expected


@pytest.mark.parametrize(
    ("rarities", "whole"),
    [({"propos": 2.0}, True), ({"propos": 2.0, "pet": 1.0}, False), ({"tax": 3.0}, False)],
)
def test_so_it_is_where_the_question_stands_above_it(
    rarities: dict[str, float], whole: bool
) -> None:
    hit = passage(("paragraph", "We propose:"), ("item", "one pet"), ("item", "a deposit"))
    asked = replace(evidence("other", (hit, 1, 0.9)), rarities=rarities)
    expected = ["We propose: - one pet - a deposit"] if whole else ["We propose:", "one pet"]
    assert quoted(asked) == expected


@pytest.mark.parametrize(
    ("lead", "first", "second", "whole"),
    [
        ("A boat may leave if:", "the tide is high; and", "the crew is sober.", True),
        ("A boat may leave if:", "the tide is high; or", "a pilot is aboard.", False),
        ("A boat may leave if:", "the tide is high", "a pilot is aboard", False),
        ("A boat may leave if all of these are true:", "the tide is high", "it is day", True),
        ("A boat may leave, provided both conditions are met:", "high tide", "daylight", True),
        ("A boat may leave under the following conditions:", "high tide", "daylight", True),
        ("A boat may leave if any of these conditions is met:", "high tide", "daylight", False),
        ("A boat may leave if one of these is true:", "it is high tide; and", "it is day", False),
        ("All of these are lent:", "a compass", "a flare", False),
        ("We lend you:", "a compass; and", "a flare.", False),
        ("If there is a fire:", "ring the bell; and", "leave the boat.", False),
    ],
)
def test_a_condition_is_quoted_with_those_that_must_hold_too(
    lead: str, first: str, second: str, whole: bool
) -> None:
    hit = passage(("paragraph", lead), ("item", first), ("item", second))
    expected = [f"{lead} - {first} - {second}"] if whole else [lead, first]
    assert quoted_with(hit, 1) == expected


def test_words_that_close_a_list_belong_to_it() -> None:
    hit = passage(
        ("paragraph", "Sailors who:"), ("item", "sing at night, or"), ("item", "feed gulls"),
        ("paragraph", "wash the deck."), ("paragraph", "Ropes are dyed."),
    )  # fmt: skip
    closing = "wash the deck."
    assert quoted_with(hit, 1) == ["Sailors who:", "sing at night, or", closing]
    assert quoted_with(hit, 3) == ["Sailors who: - sing at night, or - feed gulls", closing]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("Gulls are fed.", "gulls wash the deck."),
        ("gulls", "Wash it."),
        ("gulls", "iPads are lent."),
    ],
)
def test_other_words_behind_a_list_do_not(entry: str, text: str) -> None:
    hit = passage(("paragraph", "We have:"), ("item", entry), ("paragraph", text))
    assert quoted_with(hit, 1) == ["We have:", entry]
    assert quoted_with(hit, 2) == [text]
