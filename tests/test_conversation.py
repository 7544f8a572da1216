"""Questions in their conversation: when the turns before count, and for how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.conversation import leans_on_history, understand

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop import Workshop

    from rag.types import Turn

    Make = Callable[..., Workshop]


def said(*contents: str, role: Literal["user", "assistant"] = "user") -> list[Turn]:
    return [{"role": role, "content": content} for content in contents]


FULL = "How many days of annual leave do new members of staff get?"


def test_a_first_question_stands_alone() -> None:
    understood = understand("  How many\n days?  ")
    assert understood.question == understood.standalone == "How many days?"
    assert understood.queries == (("How many days?", 1.0),)
    assert not understood.leans


@pytest.mark.parametrize(
    "question",
    ["And for contractors?", "What about part-time staff members abroad?", "Why?", "Is it paid?",
     "Do they need an approval by the head of office?", "Which one applies to travel abroad?",
     "No, for interns with a fixed contract of two years", "No wait, staff of the Vienna office",
     "No. Staff with a fixed contract of two years", "Does that limit apply to usability tests?",
     "Who works there during the summer holidays?", "Must interns with a contract sign one?",
     "What is charged for the ones without a permit?", "Which staff get that kind of permit?"],
)  # fmt: skip
def test_a_question_that_points_back_leans(question: str) -> None:
    assert leans_on_history(question)
    understood = understand(question, said(FULL))
    assert understood.leans
    assert understood.standalone == f"{FULL} {question}"


@pytest.mark.parametrize(
    "question",
    [FULL, "Who approves business trips outside the European Union?",
     "What happens to unused vacation days after an employee resigns?",
     "Is there a dress code for customer meetings?",
     "How many parking spaces are there for customers of the office?",
     "Is parking free for staff who work one day a week?",
     "Who signs a travel form that needs two stamps?",
     "Are rooms that the agency books for interns paid?",
     "No parking signs: who may put up new signs?", "No. 5 form: who signs the travel form?"],
)  # fmt: skip
def test_a_question_of_its_own_does_not_lean(question: str) -> None:
    assert not leans_on_history(question)
    assert understand(question, said("May I smoke?")).standalone == question


def test_weights_fall_with_age() -> None:
    one, two, three, four = "Is it paid?", "Second?", "Third?", "Fourth?"
    question = "And for interns with another contract?"
    understood = understand(question, said(four, three, two, one))
    assert understood.queries == (
        (question, 1.0),
        (one, 0.4),
        (two, 0.4**2),
        (three, 0.4**3),
    )


@pytest.mark.parametrize(
    ("question", "sought"),
    [
        ("And in 2023?", "And in 2023?"), ("in 2023", "in 2023"),
        ("Sorry, I meant in 2023.", "in 2023."), ("No wait, actually interns", "interns"),
        ("No, in Vienna.", "in Vienna."), ("Sorry", "Sorry"),
        ("Actually, I wanted to know it for 2023.", "for 2023."),
        ("No. 5 forms?", "No. 5 forms?"), ("What is an intern?", "What is an intern?"),
    ],
)  # fmt: skip
def test_what_says_hardly_anything_leans_more(question: str, sought: str) -> None:
    first, second = "Is it paid?", FULL
    queries = understand(question, said(first, second)).queries
    nearest = 0.4 if question in ("No. 5 forms?", "What is an intern?") else 0.8
    assert queries == ((sought, 1.0), (second, nearest), (first, nearest * 0.4))


def test_what_only_goes_on_brings_the_question_that_it_goes_on_from() -> None:
    history = said("May I smoke?", FULL, "And in the first year?")
    understood = understand("What about interns?", history)
    assert understood.standalone == f"{FULL} And in the first year? What about interns?"
    assert understood.for_reader == f"{FULL} And in the first year? ; What about interns?"
    weights = dict(understand("What about interns?", history).queries)
    assert weights["And in the first year?"] == weights[FULL] == 0.8
    assert weights["May I smoke?"] == 0.8 * 0.4
    alone = understand("What about interns?", said("And then?"))
    assert alone.standalone == "And then? What about interns?"


def test_a_chain_of_pronouns_keeps_its_subject() -> None:
    history = said(FULL, "What does a parking permit cost?", "How soon does it expire?")
    understood = understand("Who can renew it?", history)
    assert understood.before == "What does a parking permit cost? How soon does it expire?"
    subject = "Does this form have to be signed by the head of my own department?"
    assert understand("Who keeps it?", said(FULL, subject)).before == subject


@pytest.mark.parametrize(
    "turn", ["Thanks", "ok.", "Thank you very much!", "I see, that’s great", "Are you sure?", "👍"]
)
def test_thanks_and_greetings_ask_nothing(turn: str) -> None:
    understood = understand(turn, said(FULL))
    assert (understood.standalone, understood.queries) == ("", ((turn, 1.0),))
    assert understand("And interns?", said(FULL, turn)).before == FULL


@pytest.mark.parametrize("turn", ["Thanks, and for interns?", "Great outdoors", "Why?"])
def test_any_other_turn_is_a_question(turn: str) -> None:
    assert understand(turn, said(FULL)).standalone == f"{FULL} {turn}"


def test_thanks_get_no_answer(workshop: Make) -> None:
    made = workshop({"shop.md": "# Canteen\n\nThe canteen closes at 3 p.m. on every weekday.\n"})
    made.build()
    question = "When does the canteen close?"
    with made.open() as index:
        assert not index.ask(question).abstained
        assert index.ask("Perfect, thank you", history=said(question)).abstained


def test_the_topic_lingers_weakly_where_nothing_leans() -> None:
    understood = understand(FULL, said("May I smoke?"))
    assert understood.queries == ((FULL, 1.0), ("May I smoke?", 0.3))


def test_only_what_the_user_asked_counts() -> None:
    history = [*said("Leave?"), *said("13 days. [1]", role="assistant"), *said(" ", "\n")]
    assert [text for text, _ in understand("And then?", history).queries] == ["And then?", "Leave?"]
    assert not understand("And then?", said("13 days.", role="assistant")).leans


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    understood = understand("And \ud800 then?", said("Leave \udcff?"))
    assert understood.standalone == "Leave \ufffd? And \ufffd then?"


@given(
    question=st.text(min_size=1),
    history=st.lists(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "assistant"]), "content": st.text(max_size=20)}
        ),
        max_size=6,
    ),
)
def test_any_conversation_can_be_read(question: str, history: list[Turn]) -> None:
    understood = understand(question, history)
    assert understood == understand(question, history)
    sought, weight = understood.queries[0]
    assert (understood.question.endswith(sought), weight) == (True, 1.0)
    assert len(understood.queries) <= 1 + 3
    assert all(0 < weight <= 1 for _, weight in understood.queries)
    assert not understood.standalone or understood.standalone.endswith(understood.question)
