"""Questions in their conversation: when the turns before count, and for how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conversation import leans_on_history, split_parts, understand

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
     "Do they need an approval by the head of office?", "Which one applies to travel abroad?"],
)  # fmt: skip
def test_a_question_that_points_back_leans(question: str) -> None:
    assert leans_on_history(question)
    understood = understand(question, said(FULL))
    assert understood.leans
    assert understood.standalone == f"{FULL} {question}"


@pytest.mark.parametrize(
    "question",
    [FULL, "Who approves business trips outside the European Union?",
     "What happens to unused vacation days after an employee resigns?"],
)  # fmt: skip
def test_a_question_of_its_own_does_not_lean(question: str) -> None:
    assert not leans_on_history(question)
    assert understand(question, said("May I smoke?")).standalone == question


def test_weights_fall_with_age() -> None:
    one, two, three, four = "Is it paid?", "Second?", "Third?", "Fourth?"
    understood = understand("And then?", said(four, three, two, one), leaning_weight=0.5)
    assert understood.queries == (
        ("And then?", 1.0),
        (one, 0.5),
        (two, 0.5**2),
        (three, 0.5**3),
    )


def test_what_only_goes_on_brings_the_question_that_it_goes_on_from() -> None:
    history = said("May I smoke?", FULL, "And in the first year?")
    understood = understand("What about interns?", history)
    assert understood.standalone == f"{FULL} And in the first year? What about interns?"
    assert understood.for_reader == f"{FULL} And in the first year? ; What about interns?"
    weights = dict(understand("What about interns?", history, leaning_weight=0.5).queries)
    assert weights["And in the first year?"] == weights[FULL] == 0.5
    assert weights["May I smoke?"] == 0.5**2
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
    understood = understand(FULL, said("May I smoke?"), topic_weight=0.25)
    assert understood.queries == ((FULL, 1.0), ("May I smoke?", 0.25))


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
    assert understood.queries[0] == (understood.question, 1.0)
    assert len(understood.queries) <= 1 + 3
    assert all(0 < weight <= 1 for _, weight in understood.queries)
    assert not understood.standalone or understood.standalone.endswith(understood.question)
    parts = split_parts(understood)
    assert 1 <= len(parts) <= 3
    assert all(part.question in understood.question for part in parts)
    assert parts == (understood,) or all(part.question for part in parts)


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Who pays the hotel, and when must I book it?",
         ["Who pays the hotel", "when must I book it?"]),
        ("How much may a hotel cost? Who approves the trip?",
         ["How much may a hotel cost?", "Who approves the trip?"]),
        ("Who approves travel and training?", ["Who approves travel and training?"]),
        ("Bread and butter", ["Bread and butter"]),
        ("What is a sabbatical and is it paid?", ["What is a sabbatical", "is it paid?"]),
        ("Under what terms may I teach and what must I declare?",
         ["Under what terms may I teach", "what must I declare?"]),
        ("Tell me who signs the lease, and who keeps it.",
         ["Tell me who signs the lease", "who keeps it."]),
        ("Do you know who opens the gym and who locks it?",
         ["Do you know who opens the gym", "who locks it?"]),
        ("I am not sure by when I must sign up and by when I hear back.",
         ["I am not sure by when I must sign up", "by when I hear back."]),
        ("I need to hear what a locker costs and what it holds.",
         ["I need to hear what a locker costs", "what it holds."]),
    ],
)  # fmt: skip
def test_two_questions_in_one_are_two(question: str, parts: list[str]) -> None:
    assert [part.question for part in split_parts(understand(question))] == parts


@pytest.mark.parametrize(
    "question",
    ["Who is told if and when a visitor gets hurt?",
     "Which badges expire after a year and are renewed by post?",
     "What if I miss the exam or do not pass?",
     "What do we pay to guides who speak French and who work at night?",
     "Where is the list of what we may and what we may not lend?",
     "Tell me what I can and what I cannot bring along.",
     "Who decides what is lent and what is sold?",
     "Show me the list of what is lent and what is sold.",
     "What do I hand in before I go and when I come back?"],
)  # fmt: skip
def test_a_clause_that_goes_on_is_no_question(question: str) -> None:
    assert [part.question for part in split_parts(understand(question))] == [question]


def test_parts_keep_the_whole_and_the_conversation() -> None:
    question = "Who pays the hotel for them, and when must I book it?"
    whole = understand(question, said(FULL))
    first, second = parts = split_parts(whole)
    for part in parts:
        assert part.queries[0] == (part.question, 1.0)
        assert part.queries[1][0] == question
        assert part.queries[2:] == whole.queries[1:]
    assert first.standalone == f"{FULL} Who pays the hotel for them"
    assert second.standalone == f"{first.standalone} when must I book it?"
    assert second.for_reader == f"{first.standalone} ; when must I book it?"


def test_a_part_is_about_what_the_part_before_it_is_about(workshop: Make) -> None:
    made = workshop({"api.md": "# API\n\nA site shows the temperature wherever you are.\n"})
    made.build()
    with made.open() as index:
        alone = index.ask("At what temperature?").confidence
        whole = index.ask("How long do I bake banana bread, and at what temperature?").confidence
    assert whole < alone
