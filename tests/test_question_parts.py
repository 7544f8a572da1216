"""The questions that one question asks, and what only goes on in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.conversation import understand
from rag.asking.parts import split_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop import Workshop

    from rag.types import Turn

    Make = Callable[..., Workshop]

LEAVE = "How much leave do interns get?"
HISTORY: list[Turn] = [{"role": "user", "content": LEAVE}]


def parts_of(question: str) -> list[str]:
    return [part.question for part in split_parts(understand(question))]


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
        ("Is the gym open on Sundays? Is it heated?",
         ["Is the gym open on Sundays?", "Is it heated?"]),
        ("Who signs the lease? Please tell me what it costs.",
         ["Who signs the lease?", "Please tell me what it costs."]),
        ("May I teach abroad? I would like to know who signs.",
         ["May I teach abroad?", "I would like to know who signs."]),
        ("Do you pay guides who speak French? And who works at night?",
         ["Do you pay guides who speak French?", "who works at night?"]),
        ("Who decides, and by when?", ["Who decides", "by when?"]),
        ("Who decides and on which day?", ["Who decides", "on which day?"]),
        ("Who must be told, and when?", ["Who must be told", "when?"]),
        ("Where do I send the form, and to whom?", ["Where do I send the form", "to whom?"]),
        ("Who pays the fee and with whom do I speak?",
         ["Who pays the fee", "with whom do I speak?"]),
        ("Who is liable, and up to what amount?", ["Who is liable", "up to what amount?"]),
        *((f"Who signs the lease, and {asked}?", ["Who signs the lease", f"{asked}?"])
          for asked in ("within what time", "on what terms", "under what terms may I end it",
                        "after how many days", "since when", "of what size is it")),
        ("Who pays? And when must I book the hotel? Why?",
         ["Who pays? And when must I book the hotel? Why?"]),
    ],
)  # fmt: skip
def test_two_questions_in_one_are_two(question: str, parts: list[str]) -> None:
    assert parts_of(question) == parts


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
     "What do I hand in before I go and when I come back?",
     "How and where do I apply?", "By when and to whom must I write?",
     "How much and how often must I pay?", "Tell me if and when.",
     "I just joined, and who pays my trip?",
     "Is the gym open on Sundays or is it shut?"],
)  # fmt: skip
def test_a_clause_that_goes_on_is_no_question(question: str) -> None:
    assert parts_of(question) == [question]


@pytest.mark.parametrize("thanks", ["Thank you very much!", "Thanks a lot. 👍"])
def test_thanks_are_no_part(thanks: str) -> None:
    asked = "Who approves business trips outside the European Union?"
    (part,) = split_parts(understand(f"{asked} {thanks}", HISTORY))
    assert part == understand(asked, HISTORY)
    assert parts_of(f"{asked} {thanks} And who pays the hotel?") == [
        asked,
        f"{thanks} And who pays the hotel?",
    ]


@pytest.mark.parametrize(
    "said",
    ["I am a part-time employee of the agency.", "It does not sound right to me.",
     "When I travel I take the train.", "How I see it: nobody does.", "have a nice day"],
)  # fmt: skip
def test_what_is_only_said_is_part_of_the_question_before_it(said: str) -> None:
    asked = "Who approves trips abroad?"
    assert parts_of(f"{asked} {said}") == [f"{asked} {said}"]
    assert parts_of(f"{asked} {said} What does a hotel cost?") == [
        asked,
        f"{said} What does a hotel cost?",
    ]
    assert parts_of(f"What is a trip? {asked} {said}") == ["What is a trip?", f"{asked} {said}"]
    assert parts_of(f"Are you sure? {said}") == [f"Are you sure? {said}"]


def test_parts_keep_the_whole_and_the_conversation() -> None:
    question = "Who pays the hotel for them, and when must I book it?"
    whole = understand(question, HISTORY)
    first, second = parts = split_parts(whole)
    for part in parts:
        assert part.queries[0] == (part.question, 1.0)
        assert part.queries[1][0] == question
        assert part.queries[2:] == whole.queries[1:]
    assert first.standalone == f"{LEAVE} Who pays the hotel for them"
    assert second.standalone == f"{first.standalone} when must I book it?"
    assert second.for_reader == f"{first.standalone} ; when must I book it?"


def test_a_part_is_about_what_the_part_before_it_is_about(workshop: Make) -> None:
    made = workshop({"api.md": "# API\n\nA site shows the temperature wherever you are.\n"})
    made.build()
    with made.open() as index:
        alone = index.ask("At what temperature?").confidence
        whole = index.ask("How long do I bake banana bread, and at what temperature?").confidence
    assert whole < alone


@pytest.mark.parametrize("more", ["Thank you very much!", "I am an intern of the agency."])
def test_nothing_is_missed_where_nothing_is_asked(workshop: Make, more: str) -> None:
    made = workshop({"trips.md": "# Trips\n\nThe director approves all trips abroad.\n"})
    made.build()
    with made.open() as index:
        answer = index.ask(f"Who approves trips abroad? {more}")
    assert answer.text == "The director approves all trips abroad. [1]"


@given(st.lists(st.sampled_from(
    ["Who pays?", "Who approves the trip", ", and", "or", "when is it", "Thanks!", "?", "I am new.",
     "what I can", "tell me", "👍"]
), max_size=8))  # fmt: skip
def test_any_question_can_be_cut(words: list[str]) -> None:
    understood = understand(" ".join(words) or "?", HISTORY)
    parts = split_parts(understood)
    assert 1 <= len(parts) <= 3
    assert all(part.question and part.question in understood.question for part in parts)
    assert parts == (understood,) or all(part.queries[0][0] == part.question for part in parts)
