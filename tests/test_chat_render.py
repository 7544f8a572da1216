"""Answers and abstentions as HTML."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chat_fake import FakeEngine, markdown
from test_chat_reading import PAYLOADS, Page, assert_inert

from rag.catalogue.versions import Version
from rag.chat import library, render
from rag.chat.quoted import groups
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
    return [[(q.words, q.citation.n) for q in group] for group in groups(found, {})]


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
    html = render.answer_html(found, {"a.md": document}, SEARCHED, {})
    page = Page(html)
    for piece in (
        "Staff get 13 days.", "How much · p. 4", "effective 1 March 2024",
        "Very likely answers the question", "3 documents searched",
        "24 November 2026, 21:45 UTC", "g7", "90 %", "Q?",
    ):  # fmt: skip
        assert piece in page.text
    assert 'aria-label="Citation 1: Annual leave, How much · p. 4"' in html


TABLE = """# Procurement

Buy with care.

| Value | Procedure |
| Up to 1,000 | Direct purchase |

- ask three suppliers
- compare them
"""


def quoting(*quotes: str) -> tuple[Answer, Document]:
    document = markdown("a.md", "Procurement", TABLE)
    cited = [
        citation(n, quote, start=TABLE.index(quote), end=TABLE.index(quote) + len(quote))
        for n, quote in enumerate(quotes, start=1)
    ]
    text = " ".join(f"{c.quote.strip('| -')} [{c.n}]" for c in cited)
    return answer(text, *cited), document


def test_table_rows_are_shown_as_a_table() -> None:
    found, document = quoting("| Value | Procedure |", "| Up to 1,000 | Direct purchase |")
    html = render.answer_html(found, {"a.md": document}, SEARCHED, {})
    assert '<th><span class="sentence" data-n="1">Procedure</span></th>' in html
    assert '<td><span class="sentence" data-n="2">Direct purchase</span></td>' in html
    assert html.rindex('class="cite"') < html.index("Direct purchase")
    assert html.count("<table>") == 1
    assert html.count('class="cite"') == 2


def test_the_section_is_said_once_for_a_run_of_its_citations() -> None:
    found = answer(
        "A. [1] B. [2] C. [3] D. [4]", *(citation(n, "x") for n in (1, 2, 3)),
        citation(4, "D.", section="Other"),
    )  # fmt: skip
    html = render.answer_html(found, {}, SEARCHED, {})
    sources = Page(html[html.index("<ol") : html.index("</ol>")]).text
    assert sources.split() == ["1–3Annual", "leave", "How", "much", "4", "Other"]


def test_what_is_quoted_of_an_older_version_stands_under_its_age() -> None:
    family = [Version("b.md", "Leave (2025)", "2025-01-01", ""),
              Version("a.md", "Leave (2022)", "2022-06-01", "")]  # fmt: skip
    found = answer(
        "Three days. [1] Two days. [2]", citation(1, "x", document="b.md"), citation(2, "x")
    )
    html = render.answer_html(found, {}, SEARCHED, {"a.md": family, "b.md": family})
    newer, older = (Page(part).text for part in html.split('<div class="older">'))
    assert "Three days." in newer
    assert older.startswith("2022 versionTwo days.")


def test_list_entries_are_shown_as_a_list() -> None:
    found, document = quoting("Buy with care.", "- ask three suppliers", "- compare them")
    html = render.answer_html(found, {"a.md": document}, SEARCHED, {})
    body = html.split('<ol class="sources"')[0]
    assert (body.count("<p>"), body.count("<ul"), body.count("<li>")) == (1, 1, 2)


def test_other_versions_of_a_cited_document_are_named() -> None:
    older = Version("b.md", "Annual leave (2020)", "2020-01-01", "effective 1 January 2020")
    own = Version("a.md", "Annual leave", "2024-01-01", "")
    newer = Version("c.md", "Annual leave (2025)", "2025-01-01", "")
    families = {"a.md": [newer, own, older]}
    page = Page(render.answer_html(answer("A. [1]", citation(1, "A.")), {}, SEARCHED, families))
    assert "There is a newer version of Annual leave: Annual leave (2025)" in page.text
    assert "an older version" not in page.text
    newest = {"a.md": [own, older]}
    page = Page(render.answer_html(answer("A. [1]", citation(1, "A.")), {}, SEARCHED, newest))
    assert (
        "There is an older version of Annual leave: Annual leave (2020), effective 1 January 2020"
    ) in page.text


def test_the_title_is_not_repeated_for_the_same_document() -> None:
    found = answer("A. [1] B. [2]", citation(1, "A."), citation(2, "B.", section="Other"))
    assert Page(render.answer_html(found, {}, SEARCHED, {})).text.count("Annual leave") == 1


def test_a_cited_document_that_no_longer_applies_is_flagged() -> None:
    document = Document("a.md", "Annual leave", "", (), metadata={"superseded_by": "b.md"})
    html = render.answer_html(answer("A. [1]", citation(1, "A.")), {"a.md": document}, SEARCHED, {})
    assert "Superseded by b.md" in html


def test_an_abstention_shows_what_was_searched_and_what_came_nearest() -> None:
    passage = Passage("a.md", "Annual leave", "How much", None, 0, 9, "**13** days", 0.4)
    html = render.answer_html(answer("Nothing found.", nearest=(passage,) * 5), {}, SEARCHED, {})
    page = Page(html)
    assert "No answer found in the documents" in page.text
    assert "Nothing found." in page.text
    assert "13 days" in page.text
    assert "3 documents searched" in page.text
    assert html.count("data-near") == 3
    assert 'class="cite"' not in html


def test_an_empty_index_shows_no_passages() -> None:
    html = render.answer_html(answer("No documents yet."), {}, SEARCHED, {})
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
        render.answer_html(found, {payload: document}, SEARCHED, {}),
        render.answer_html(empty, {}, SEARCHED, {}),
        render.questions_html([payload]),
        render.topics_html([(payload, payload)]),
        library.documents_html(engine.documents()),
        library.facts_html(engine.documents(), payload),
    ):
        assert_inert(html)


def test_a_passage_with_a_table_reads_as_text() -> None:
    table = "Pay depends on service:\n\n| Service | Pay |\n| --- | :---: |\n| 1 year | Full |"
    passage = Passage("a.md", "Pay", None, None, 0, 9, table, 0.4)
    page = Page(render.answer_html(answer("Nothing.", nearest=(passage,)), {}, SEARCHED, {}))
    assert "Pay depends on service: · Service · Pay · 1 year · Full" in page.text
