"""Questions made of the corpus' own headings."""

from __future__ import annotations

import pytest
from chat_fake import markdown

from rag.chat import examples
from rag.types import Document


def document(*sections: str, title: str = "Annual leave", text: str = "words") -> Document:
    return markdown("a.md", title, "\n\n".join(f"## {section}\n\n{text}" for section in sections))


@pytest.mark.parametrize(
    ("section", "question"),
    [
        ("Can unused leave be carried over?", "Can unused leave be carried over?"),
        ("3. Carrying leave over", "What are the rules on carrying leave over?"),
        ("How to report a data breach", "How do I report a data breach?"),
        ("When to declare", "Annual leave: when do I have to declare?"),
        ("What you can report", "Annual leave: what can I report?"),
        ("How much leave you have", "Annual leave: how much leave do I have?"),
        ("Who may apply for paid sick leave", "Who may apply for paid sick leave?"),
        ("WHAT YOU CAN REPORT", "Annual leave: what can I report?"),
        ("Special leave", "What does “Annual leave” say about special leave?"),
        ("HRDA grades", "What does “Annual leave” say about HRDA grades?"),
    ],
)
def test_headings_become_questions(section: str, question: str) -> None:
    source = document(section)
    assert examples.question(source, examples.headings(source)[0]) == question


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("3. Lost badges", "Lost badges"),
        ("3.1 Lost badges", "Lost badges"),
        ("3 Lost badges", "Lost badges"),
        ("IV Lost badges", "Lost badges"),
        ("(b) Lost badges", "Lost badges"),
        ("Section 3: Lost badges", "Lost badges"),
        ("I lost my badge", "I lost my badge"),
        ("5 days of leave", "5 days of leave"),
        ("A staff member", "A staff member"),
    ],
)
def test_a_heading_without_its_number(heading: str, words: str) -> None:
    assert examples.bare(heading) == words


def test_a_name_keeps_its_capital() -> None:
    source = document("Kazakhstan and wind", text="Trade with Kazakhstan grows.")
    assert examples.question(source, "Kazakhstan and wind").endswith("about Kazakhstan and wind?")


@pytest.mark.parametrize(
    "heading", ["Introduction", "2. Purpose", "Appendix B", "Article IV", "FAQ", "a", "x" * 200]
)
def test_headings_that_say_nothing_are_left_out(heading: str) -> None:
    assert examples.headings(document(heading, "Special leave")) == ["Special leave"]


def test_natural_questions_come_first_and_each_document_once_a_round() -> None:
    documents = [
        document("Special leave", "Who may apply for paid sick leave"),
        document("Unpaid leave", "Rates", title="Pay"),
    ]
    assert list(examples.example_questions(documents)) == [
        "Who may apply for paid sick leave?",
        "What does “Annual leave” say about special leave?",
        "What does “Pay” say about unpaid leave?",
    ]


def test_no_documents_give_no_questions() -> None:
    assert list(examples.example_questions([])) == []


def test_documents_are_chosen_from_every_folder() -> None:
    identifiers = [f"a/{n}.md" for n in range(50)] + ["b/1.md", "c/d/2.md"]
    chosen = examples.spread(identifiers, 6)
    assert len(chosen) == len(set(chosen))
    assert {"b/1.md", "c/d/2.md"} < set(chosen)
    assert examples.spread([], 6) == []
