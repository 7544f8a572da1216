"""What kind of answer a question wants, and which sentences are of that kind."""

from __future__ import annotations

import pytest

from rag.answering.questions import Kind, looks_like_answer, names, question_kind


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many days of leave?", "quantity"),
        ("What is the maximum amount?", "quantity"),
        ("When does it end?", "time"),
        ("How soon must I report it?", "time"),
        ("Who approves it?", "person"),
        ("Which office handles travel?", "person"),
        ("How do I ask for leave?", "procedure"),
        ("What is an incident?", "definition"),
        ("What does PTO stand for?", "definition"),
        ("May I work from home?", "yes_no"),
        ("And do interns get it?", "yes_no"),
        ("Is the process mandatory?", "yes_no"),
        ("Can I keep it when I leave?", "yes_no"),
        ("Can you tell me when it starts?", "time"),
        ("And since when?", "time"),
        ("What must I do when I have lost my badge?", "procedure"),
        ("Who is told when a visitor is injured?", "person"),
        ("To whom do I report it?", "person"),
        ("What do the staff who left get?", "other"),
        ("How is a tenant defined?", "definition"),
        ("How are decisions taken?", "other"),
        ("What is not allowed?", "other"),
        ("Tell me about leave.", "other"),
        ("What does the form have to contain?", "list"),
        ("What has to be in the letter from the bank?", "list"),
        ("What goes into the green bin?", "list"),
        ("What is in the green bin?", "other"),
    ],
)
def test_a_question_says_what_kind_of_answer_it_wants(question: str, kind: Kind) -> None:
    assert question_kind(question) == kind


@pytest.mark.parametrize(
    ("kind", "yes", "no"),
    [
        ("quantity", "Staff get 13 days.", "Staff get leave."),
        ("time", "It ends on 31 March.", "It ends well."),
        ("person", "Ask the director.", "Ask somebody."),
        ("person", "It was signed by Ada Byron.", "It was signed by both sides."),
        ("definition", "An incident means any loss.", "Report any loss."),
        ("procedure", "Submit the form.", "Forms exist."),
    ],
)
def test_a_sentence_shows_what_kind_of_answer_it_is(kind: Kind, yes: str, no: str) -> None:
    assert looks_like_answer(kind, yes)
    assert not looks_like_answer(kind, no)
    assert looks_like_answer("other", no)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the fee at the Rembrandt Museum in 2031?", ["Rembrandt", "Museum", "2031"]),
        ("May I travel (Oslo, Bergen) by train?", ["Oslo", "Bergen"]),
        ("Does the VAT apply?", ["VAT"]),
        ("What is in Ms Quist's report?", ["Quist"]),
        ("What may I do when I am ill?", []),
        ("How Many Days Do Interns Get?", []),
        ("Hello, Please tell me who pays, Sir: is it OK?", []),
        ("Does the U.S. office open at 9 PM in May?", ["U.S"]),
        ("Who pays 2000 euros under Section 5?", []),
        ("Wie viele Tage Urlaub gibt es?", []),
    ],
)
def test_names_and_years_in_a_question(question: str, expected: list[str]) -> None:
    assert names(question) == expected
