"""Which sentences make the answer, and what they bring along."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, get_args

import pytest
from candidates import evidence, passage, sentence_of
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.questions import Kind
from rag.answering.select import Quotation, select

if TYPE_CHECKING:
    from rag.types import BlockKind, Hit


def quotes(found: list[Quotation]) -> list[str]:
    return [q.chunk.text[q.start - q.chunk.start : q.end - q.chunk.start] for q in found]


def test_one_clear_sentence_is_the_whole_answer() -> None:
    hit = passage(("paragraph", "Staff get 13 days."), ("paragraph", "Trees are green."))
    assert quotes(select([evidence("quantity", (hit, 0, 0.9), (hit, 1, 0.1))])) == [
        "Staff get 13 days."
    ]


def test_no_candidate_is_no_answer() -> None:
    assert select([evidence("other")]) == []


def test_a_sentence_that_leans_back_brings_the_one_before() -> None:
    hit = passage(("paragraph", "Interns get leave."), ("paragraph", "It is paid."))
    assert quotes(select([evidence("yes_no", (hit, 1, 0.9))])) == [
        "Interns get leave.", "It is paid.",
    ]  # fmt: skip


def test_an_exception_comes_along() -> None:
    hit = passage(("paragraph", "Staff get 13 days."), ("paragraph", "However, interns get five."))
    assert quotes(select([evidence("quantity", (hit, 0, 0.9))])) == [
        "Staff get 13 days.", "However, interns get five.",
    ]  # fmt: skip


@pytest.mark.parametrize("opening", ["In no case", "Under no circumstances", "Only"])
def test_so_does_what_limits_it(opening: str) -> None:
    limit = f"{opening} is this true for guests."
    hit = passage(("paragraph", "The canteen is free for staff."), ("paragraph", limit))
    found = quotes(select([evidence("yes_no", (hit, 0, 0.9))]))
    assert found == ["The canteen is free for staff.", limit]


def test_what_goes_on_about_the_subject_comes_along() -> None:
    hit = passage(
        ("paragraph", "The rate is 38 cents for cars."), ("paragraph", "Bicycles: none."),
        ("paragraph", "The board sets it."),
    )  # fmt: skip
    asked = replace(evidence("quantity", (hit, 0, 0.9)), rarities={"rate": 1.0, "bicycl": 3.0})
    assert quotes(select([asked])) == ["The rate is 38 cents for cars.", "Bicycles: none."]
    # A word that is in every other passage is no subject, and one that was said needs no more.
    common = replace(asked, rarities={"cent": 3.0, "bicycl": 1.0})
    assert quotes(select([common])) == ["The rate is 38 cents for cars."]
    assert quotes(select([asked], context=False)) == ["The rate is 38 cents for cars."]


def test_a_definition_goes_on() -> None:
    hit = passage(
        ("paragraph", "The measure is cost recovery."),
        ("paragraph", "It is how we earn our costs."),
        ("paragraph", "It is old."),
    )
    both = ["The measure is cost recovery.", "It is how we earn our costs."]
    assert quotes(select([evidence("definition", (hit, 0, 0.9))])) == both
    assert quotes(select([evidence("other", (hit, 0, 0.9))])) == both[:1]


def test_a_list_is_quoted_whole_where_its_lead_was_quoted_with_an_item() -> None:
    hit = passage(("paragraph", "Take:"), ("item", "a pen"), ("item", "a seal"))
    found = select([evidence("other", (hit, 2, 0.9), (hit, 0, 0.88))])
    assert quotes(found) == ["Take: - a pen - a seal"]


def test_an_exception_that_announces_a_list_brings_it() -> None:
    hit = passage(
        ("paragraph", "Staff may accept gifts."), ("paragraph", "Exceptions:"),
        ("item", "cash"), ("item", "gifts over 50 euros"), ("paragraph", "Ask first."),
    )  # fmt: skip
    found = quotes(select([evidence("yes_no", (hit, 0, 0.9))]))
    assert found == ["Staff may accept gifts.", "Exceptions: - cash - gifts over 50 euros"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Staff in grade A get 10 extra days a year.",
            "Staff in grade B get 12 extra days a year.",
        ),
        ("You may park in the yard until 18:00.", "You may park in the yard until 19:00."),
        ("New staff get ten days of leave a year.", "Other staff get twelve days of leave a year."),
        ("Guests may use the lift at night.", "Guests may not use the lift at night."),
        ("You can bring a dog to the office.", "You can't bring a dog to the office."),
        ("The gate to the yard is shut from April.", "The gate to the yard is shut from October."),
        ("Fires on the beach are allowed in summer.", "Fires on the beach are banned in summer."),
    ],
)
def test_what_differs_in_a_word_of_content_is_not_the_same(one: str, other: str) -> None:
    hits = [passage(("paragraph", one)), passage(("paragraph", other), document="other.md")]
    found = select([evidence("other", (hits[0], 0, 0.9), (hits[1], 0, 0.89))])
    assert sorted(quotes(found)) == sorted([one, other])


@pytest.mark.parametrize(
    ("rule", "exception"),
    [
        ("Staff travel second class.", "This rule does not apply to night trains."),
        ("Recordings are kept for 3 days.", "Paragraph 1 shall not apply to the vault."),
        ("Recordings are kept for 3 days.", "The above does not apply to the vault."),
        ("(1) Shops close at 20:00.", "(2) However, chemists may stay open."),
        ("Staff pay for seats.", "By way of derogation, the office may pay."),
    ],
)
def test_an_exception_is_known_by_its_beginning(rule: str, exception: str) -> None:
    hit = passage(("paragraph", rule), ("paragraph", exception))
    assert quotes(select([evidence("other", (hit, 0, 0.9))])) == [rule, exception]


def test_exceptions_to_a_rule_may_come_a_little_later() -> None:
    hit = passage(
        ("paragraph", "Five days may be carried over."), ("paragraph", "They lapse in March."),
        ("paragraph", "There are two exceptions:"), ("item", "illness"), ("item", "refused leave"),
    )  # fmt: skip
    exceptions = "There are two exceptions: - illness - refused leave"
    found = quotes(select([evidence("quantity", (hit, 0, 0.9))]))
    assert found == ["Five days may be carried over.", exceptions]


def test_markup_does_not_hide_an_exception() -> None:
    hit = passage(
        ("paragraph", "Flights are economy."), ("paragraph", "**However**, directors may fly."),
        document="a.md",
    )  # fmt: skip
    assert len(select([evidence("other", (hit, 0, 0.9))])) == 2


def test_a_question_is_quoted_with_its_answer_or_not_at_all() -> None:
    asked = ("paragraph", "Are photographs allowed?")
    hit = passage(asked, ("paragraph", "Yes, without flash."), ("paragraph", "Trees are green."))
    both = ["Are photographs allowed? Yes, without flash."]
    assert quotes(select([evidence("yes_no", (hit, 0, 0.9))])) == both
    assert quotes(select([evidence("yes_no", (hit, 1, 0.9))])) == both
    assert select([evidence("yes_no", (passage(asked), 0, 0.9))]) == []


@pytest.mark.parametrize("at", [2, 3])
def test_an_answer_ends_where_the_next_question_begins(at: int) -> None:
    hit = passage(
        ("paragraph", "Are dogs allowed?"), ("paragraph", "Yes."),
        ("paragraph", "Is there a lift?"), ("paragraph", "No."), ("paragraph", "Is it warm?"),
    )  # fmt: skip
    assert quotes(select([evidence("yes_no", (hit, at, 0.9))])) == ["Is there a lift? No."]


def test_a_checklist_of_questions_is_no_chain() -> None:
    hit = passage(
        ("paragraph", "Check:"), ("item", "Has the ward been called?"), ("item", "Are masks there?")
    )
    found = quotes(select([evidence("other", (hit, 1, 0.9))]))
    assert found == ["Check:", "Has the ward been called?"]


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        ("The fee is 75 dollars.", "Except in an emergency, forms are sent by post."),
        ("Sticks may be hired.", "Only adults may skate."),
        ("Flights are economy.", "Exception reports are filed each month."),
    ],
)
def test_a_rule_of_its_own_is_no_exception(rule: str, other: str) -> None:
    hit = passage(("paragraph", rule), ("paragraph", other))
    assert quotes(select([evidence("other", (hit, 0, 0.9))])) == [rule]


def test_an_exception_may_name_its_paragraph() -> None:
    hit = passage(
        ("paragraph", "(1) Dogs are kept on a lead."), ("paragraph", "(2) Dogs stay off the lawn."),
        ("paragraph", "(3) The park shuts at ten."), ("paragraph", "(4) Bells are rung."),
        ("paragraph", "(5) Paragraphs 1 and 3 do not apply to guards."),
    )  # fmt: skip
    exception = "(5) Paragraphs 1 and 3 do not apply to guards."
    assert quotes(select([evidence("other", (hit, 0, 0.9))]))[1:] == [exception]
    assert exception not in quotes(select([evidence("other", (hit, 1, 0.9))]))


def test_an_entry_brings_all_that_leads_in_to_it() -> None:
    hit = passage(("paragraph", "We never pay for:"), ("item", "losses caused by"), ("item", "war"))
    never, losses, _ = ((s.start, s.end) for s in hit.chunk.sentences)
    war = replace(hit.chunk.sentences[2], lead=losses, above=(never,))
    sentences = (*hit.chunk.sentences[:2], war)
    hit = replace(hit, chunk=replace(hit.chunk, sentences=sentences))
    found = quotes(select([evidence("yes_no", (hit, 2, 0.9))]))
    assert found == ["We never pay for:", "losses caused by", "war"]


def test_what_follows_a_table_may_be_about_something_else() -> None:
    hit = passage(
        ("row", "Kind | Years"), ("row", "payroll | seven"),
        ("paragraph", "Footage of an incident is exempt."),
    )  # fmt: skip
    found = quotes(select([evidence("time", (hit, 1, 0.9))]))
    assert found == ["Kind | Years", "payroll | seven"]


@pytest.mark.parametrize(
    "limit",
    ["Only members may use the sauna.", "except with leave of the head.", "Unless told so."],
)
def test_what_limits_a_row_comes_after_its_table(limit: str) -> None:
    hit = passage(("row", "Place | Opens"), ("row", "sauna | ten"), ("paragraph", limit))
    found = quotes(select([evidence("time", (hit, 1, 0.9))]))
    assert (limit in found) == (limit != "Unless told so.")


def test_a_label_is_quoted_with_what_it_names() -> None:
    hit = passage(("paragraph", "Opening hours."), ("paragraph", "From nine to five."))
    found = quotes(select([evidence("time", (hit, 0, 0.9))]))
    assert found == ["Opening hours. From nine to five."]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_bare_reply_stands_between_question_and_reason(at: int) -> None:
    hit = passage(
        ("paragraph", "Is gear paid for?"), ("paragraph", "A: No."), ("paragraph", "It is lent."),
    )  # fmt: skip
    found = quotes(select([evidence("yes_no", (hit, at, 0.9))]))
    assert found == ["Is gear paid for? A: No. It is lent."]


def test_a_list_ends_where_the_list_around_it_goes_on() -> None:
    hit = passage(
        ("paragraph", "Fees:"), ("item", "waived for:"), ("item", "pensioners"),
        ("item", "doubled for:"), ("item", "lorries"),
    )  # fmt: skip
    fees, waived, _, doubled, _ = ((s.start, s.end) for s in hit.chunk.sentences)
    leads = [None, fees, waived, fees, doubled]
    sentences = tuple(
        replace(sentence, lead=lead)
        for sentence, lead in zip(hit.chunk.sentences, leads, strict=True)
    )
    hit = replace(hit, chunk=replace(hit.chunk, sentences=sentences))
    assert quotes(select([evidence("other", (hit, 1, 0.9))])) == [
        "Fees:",
        "waived for: - pensioners",
    ]
    assert quotes(select([evidence("list", (hit, 2, 0.9))])) == [
        "Fees:",
        "waived for: - pensioners",
    ]
    assert quotes(select([evidence("other", (hit, 4, 0.9))])) == ["doubled for:", "lorries"]


def test_what_limits_an_entry_comes_along_in_it_and_after_the_list() -> None:
    hit = passage(
        ("paragraph", "You may take:"), ("item", "a taxi."), ("item", "Trams by day."),
        ("paragraph", "The head may waive these limits."),
    )  # fmt: skip
    limits = "The head may waive these limits."
    found = quotes(select([evidence("other", (hit, 1, 0.9))]))
    assert found == ["You may take:", "a taxi.", limits]
    one_entry = replace(hit.chunk, text=hit.chunk.text.replace("- Trams", "  Trams"))
    leaning = replace(hit, chunk=replace(one_entry, text=one_entry.text.replace("Trams", "These")))
    found = quotes(select([evidence("other", (leaning, 2, 0.9))]))
    assert found == ["You may take:", "a taxi.", "These by day.", limits]


def test_the_best_row_stands_for_a_header() -> None:
    hit = passage(("row", "Level | Time"), ("row", "low | a day"), ("row", "high | an hour"))
    asked = evidence("time", (hit, 0, 0.9), (hit, 1, 0.2), (hit, 2, 0.4))
    assert quotes(select([asked])) == ["Level | Time", "high | an hour"]


def test_a_lead_in_brings_its_list() -> None:
    hit = passage(("paragraph", "You need:"), ("item", "a form"), ("item", "a stamp"))
    (quote,) = quotes(select([evidence("list", (hit, 0, 0.9))]))
    assert quote == "You need: - a form - a stamp"


def test_a_table_row_brings_its_header() -> None:
    hit = passage(("row", "Level | Time"), ("row", "low | a day"), ("row", "high | an hour"))
    assert quotes(select([evidence("time", (hit, 2, 0.9))])) == ["Level | Time", "high | an hour"]


def test_what_was_said_is_not_said_again() -> None:
    first = passage(("paragraph", "Staff get 13 days of leave."))
    second = passage(("paragraph", "Staff get 13 days of leave."), document="b.txt", rank=2)
    assert len(select([evidence("list", (first, 0, 0.9), (second, 0, 0.89))])) == 1


@pytest.mark.parametrize(
    "again",
    [
        "The staff get 13 days of leave.",
        "Staff will get 13 days of leave.",
        "Staff get 13 days of leave in a calendar year.",
    ],
)
def test_nor_in_nearly_the_same_words(again: str) -> None:
    first = passage(("paragraph", "Staff get 13 days of leave."))
    second = passage(("paragraph", again), document="b.txt", rank=2)
    assert len(select([evidence("list", (first, 0, 0.9), (second, 0, 0.89))])) == 1


def test_what_the_reader_doubts_is_said_only_if_it_doubts_all() -> None:
    hit = passage(("paragraph", "Staff get 13 days."), ("paragraph", "The canteen is shut."))
    asked = evidence("quantity", (hit, 0, 0.9), (hit, 1, 0.89))
    sure, unsure = asked.candidates
    doubted = replace(unsure, reader=-3.0)
    assert quotes(select([replace(asked, candidates=(sure, doubted))])) == ["Staff get 13 days."]
    both = replace(asked, candidates=(replace(sure, reader=-4.0), doubted))
    assert quotes(select([both])) == ["Staff get 13 days.", "The canteen is shut."]


def test_a_line_that_repeats_the_headings_is_no_answer() -> None:
    hit = passage(("paragraph", "Rules 2024"), ("paragraph", "Rules are made by the board."))
    hit = replace(hit, chunk=replace(hit.chunk, title="Rules"))
    assert quotes(select([evidence("other", (hit, 0, 0.9), (hit, 1, 0.5))])) == [
        "Rules are made by the board."
    ]


def test_no_part_goes_without_its_best_sentence() -> None:
    entries = [("item", f"The head decides on matter {n} of some weight here.") for n in range(12)]
    listed = passage(("paragraph", "Matters:"), *entries)
    other = passage(("paragraph", "The board pays."), document="b.txt", rank=2)
    found = select([evidence("list", (listed, 0, 0.9)), evidence("person", (other, 0, 0.9))])
    assert quotes(found)[-1] == "The board pays."


def test_quotations_come_in_reading_order() -> None:
    hit = passage(*[("paragraph", f"Rule {n} says something of its own {n}.") for n in range(4)])
    other = passage(("paragraph", "Another matter altogether."), document="b.txt", rank=2)
    found = select([evidence("list", (hit, 3, 0.9), (hit, 1, 0.89), (other, 0, 0.88))])
    assert [(q.chunk.document, q.start) for q in found] == [
        ("a.txt", 36), ("a.txt", 108), ("b.txt", 0)
    ]  # fmt: skip


def unanswered(hit: Hit, at: int) -> bool:
    """Whether a sentence is a question, and nothing or another question follows."""
    follows = sentence_of(hit, at + 1) if at + 1 < len(hit.chunk.sentences) else "?"
    asks = hit.chunk.sentences[at].kind == "paragraph" and sentence_of(hit, at).endswith("?")
    return asks and follows.endswith("?")


KINDS = st.sampled_from(get_args(Kind))
BLOCKS = st.sampled_from(["paragraph", "item", "row", "code"])
SENTENCES = st.sampled_from(
    ["Staff get 13 days.", "It is paid.", "However, not all.", "You need:", "a form", "low | high",
     "word " * 80 + "end.", "Why?", "[12]", "Only in May."]
)  # fmt: skip


@given(
    kind=KINDS,
    passages=st.lists(
        st.lists(st.tuples(BLOCKS, SENTENCES), min_size=1, max_size=6), min_size=1, max_size=3
    ),
    seed=st.randoms(use_true_random=False),
)
def test_any_choice_is_of_whole_sentences_without_overlap(
    kind: Kind, passages: list[list[tuple[BlockKind, str]]], seed: object
) -> None:
    hits = [
        passage(*sentences, document=f"{rank}.txt", rank=rank)
        for rank, sentences in enumerate(passages, start=1)
    ]
    scored = [
        (hit, at, seed.random())  # type: ignore[attr-defined]
        for hit in hits
        for at in range(len(hit.chunk.sentences))
    ]
    found = select([evidence(kind, *scored)])
    for quotation in found:
        assert quotation.start in {s.start for s in quotation.chunk.sentences}
        assert quotation.end in {s.end for s in quotation.chunk.sentences}
    spans = sorted((q.chunk.document, q.start, q.end) for q in found)
    for (document, _, end), (next_document, start, _) in pairwise(spans):
        assert document != next_document or end <= start
    # The best sentence of all is always part of the answer, unless it asks and nothing follows.
    quotable = [(hit, at, score) for hit, at, score in scored if not unanswered(hit, at)]
    assert bool(found) == bool(quotable)
    best = max(quotable, key=lambda one: one[2], default=None)
    if best is None:
        return
    sentence = best[0].chunk.sentences[best[1]]
    assert any(
        q.chunk is best[0].chunk and q.start <= sentence.start < sentence.end <= q.end
        for q in found
    )
