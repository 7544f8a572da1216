"""Answers and abstentions as HTML."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chat_fake import FakeEngine, markdown
from test_chat_reading import PAYLOADS, Page, assert_inert

from rag.chat import library, render
from rag.chat.render import Searched
from rag.types import Answer, Citation, Document, Passage

SEARCHED = Searched(3, "g7", "2026-11-24T21:45:00Z")


def citation(n: int, quote: str, **changes: object) -> Citation:
    values = {
        "n": n, "document": "a.md", "title": "Annual leave", "section": "How much", "page": None,
        "start": 0, "end": len(quote), "quote": quote, "sha256": "0",
    } | changes  # fmt: skip
    return Citation(**values)  # type: ignore[arg-type]


def answer(text: str, *citations: Citation, nearest: tuple[Passage, ...] = ()) -> Answer:
    return Answer(
        question="Q?", standalone_question="Q?", abstained=not citations, confidence=0.9,
        text=text, citations=citations, nearest=nearest, generation="g7", took_ms=12.4,
    )  # fmt: skip


def words(found: Answer) -> list[list[tuple[str, int]]]:
    return [[(text, c.n) for text, c in paragraph] for paragraph in render.paragraphs(found)]


def test_sentences_go_with_their_numbers() -> None:
    found = answer("One a. [1] Two b. [2]", citation(1, "One a."), citation(2, "Two b."))
    assert words(found) == [[("One a.", 1), ("Two b.", 2)]]


def test_a_new_section_is_a_new_paragraph() -> None:
    found = answer("A. [1] B. [2]", citation(1, "A."), citation(2, "B.", section="Other"))
    assert words(found) == [[("A.", 1)], [("B.", 2)]]


def test_numbers_that_belong_to_the_text_are_left_alone() -> None:
    found = answer("See list[2] here. [1] B. [2]", citation(1, "x"), citation(2, "B."))
    assert words(found) == [[("See list[2] here.", 1), ("B.", 2)]]


def test_a_missing_number_falls_back_to_the_quotation() -> None:
    found = answer("A. [1]", citation(1, "A."), citation(2, "B."))
    assert words(found) == [[("A.", 1), ("B.", 2)]]


def test_an_answer_shows_sentences_numbers_sources_and_pedigree() -> None:
    found = answer("Staff get 13 days. [1]", citation(1, "Staff get 13 days.", page=4))
    document = Document("a.md", "Annual leave", "", (), metadata={"effective_date": "2024-03-01"})
    html = render.answer_html(found, {"a.md": document}, SEARCHED)
    page = Page(html)
    for piece in (
        "Staff get 13 days.", "How much · p. 4", "effective 1 March 2024",
        "Very likely answers the question", "3 documents searched",
        "24 November 2026, 21:45 UTC", "g7", "90 %", "Q?",
    ):  # fmt: skip
        assert piece in page.text
    assert 'aria-label="Citation 1: Annual leave, How much · p. 4"' in html


def test_the_title_is_not_repeated_for_the_same_document() -> None:
    found = answer("A. [1] B. [2]", citation(1, "A."), citation(2, "B.", section="Other"))
    assert Page(render.answer_html(found, {}, SEARCHED)).text.count("Annual leave") == 1


def test_a_cited_document_that_no_longer_applies_is_flagged() -> None:
    document = Document("a.md", "Annual leave", "", (), metadata={"superseded_by": "b.md"})
    html = render.answer_html(answer("A. [1]", citation(1, "A.")), {"a.md": document}, SEARCHED)
    assert "Superseded by b.md" in html


def test_an_abstention_shows_what_was_searched_and_what_came_nearest() -> None:
    passage = Passage("a.md", "Annual leave", "How much", None, 0, 9, "**13** days", 0.4)
    html = render.answer_html(answer("Nothing found.", nearest=(passage,) * 5), {}, SEARCHED)
    page = Page(html)
    assert "No answer found in the documents" in page.text
    assert "Nothing found." in page.text
    assert "13 days" in page.text
    assert "3 documents searched" in page.text
    assert html.count("data-near") == 3
    assert 'class="cite"' not in html


def test_an_empty_index_shows_no_passages() -> None:
    html = render.answer_html(answer("No documents yet."), {}, SEARCHED)
    assert "nearest" not in html


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_are_inert_everywhere(payload: str) -> None:
    cited = citation(1, payload, document=payload, title=payload, section=payload)
    passage = Passage(payload, payload, payload, 1, 0, 9, payload, 0.4)
    document = Document(payload, payload, "", (), metadata={"superseded_by": payload})
    found = replace(answer(f"{payload} [1]", cited), standalone_question=payload)
    empty = answer(payload, nearest=(passage,))
    engine = FakeEngine([markdown(f"{payload}/{payload}.md", payload, payload, date=payload)])
    for html in (
        render.answer_html(found, {payload: document}, SEARCHED),
        render.answer_html(empty, {}, SEARCHED),
        render.questions_html([payload]),
        render.topics_html([(payload, payload)]),
        library.documents_html(engine.documents()),
        library.facts_html(engine.documents(), payload),
    ):
        assert_inert(html)
