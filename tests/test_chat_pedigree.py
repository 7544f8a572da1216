"""What stands under an answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_chat_reading import PAYLOADS, Page, assert_inert
from test_chat_render import SEARCHED, answer, citation

from rag.answering.conflicts import Conflict, Statement
from rag.answering.text import unknown_text
from rag.catalogue.versions import Version
from rag.chat import pedigree, render
from rag.chat.pedigree import Searched

FILTERED = Searched(1, "g7", "2026-11-24T21:45:00Z", ("Collection: Handbook",), 34)
ANSWER = answer("Two days. [1]", citation(1, "Two days."))


def statement(words: str, document: str = "b.md", n: int = 0, title: str = "Remote") -> Statement:
    return Statement(document, title, "Days", None, 0, len(words), words, n)


def conflict(n: int = 0) -> Conflict:
    cited = statement("Up to two days.", "a.md", 1)
    return Conflict(cited, statement("Up to three days.", n=n), "two days", "three days")


def shown(found: Conflict, families: dict[str, list[Version]] | None = None) -> Page:
    return Page(render.answer_html(ANSWER, {}, SEARCHED, families or {}, [found]))


def test_filters_are_told_with_how_many_documents_they_left() -> None:
    page = Page(render.answer_html(ANSWER, {}, FILTERED, {}))
    assert "1 of 34 documents searched" in page.text
    assert "1 of 34 documents, Collection: Handbook" in page.text


def test_an_abstention_under_a_filter_offers_to_search_everything() -> None:
    nothing = answer("Nothing found.")
    html = render.answer_html(nothing, {}, FILTERED, {})
    assert "data-widen" in html
    assert "Search all 34 documents instead" in Page(html).text
    assert "data-widen" not in render.answer_html(nothing, {}, SEARCHED, {})


def test_a_part_without_an_answer_is_named() -> None:
    text = "Two days. [1] I found no sentence that answers “who pays”."
    found = replace(ANSWER, text=text, unanswered=("who pays?",))
    page = Page(render.answer_html(found, {}, SEARCHED, {}))
    assert page.text.count("I found no sentence that answers “who pays”.") == 2
    assert "Left unanswered." in page.text
    assert "Left unanswered." not in Page(render.answer_html(ANSWER, {}, SEARCHED, {})).text


def test_another_source_that_differs_is_quoted_and_can_be_opened() -> None:
    html = render.answer_html(ANSWER, {}, SEARCHED, {}, [conflict()])
    page = Page(html)
    assert "Another source differs from 1: “two days” there, “three days” here." in page.text
    assert "Remote › Days".replace(" › ", " ") in page.text
    assert 'data-other="1"' in html
    assert "<b>three days</b>" in html
    assert "Remote says “three days”" in page.text


def test_without_another_source_the_pedigree_says_so() -> None:
    page = Page(render.answer_html(ANSWER, {}, SEARCHED, {}))
    assert "nothing found that says otherwise" in page.text


def test_two_citations_that_disagree_point_at_each_other() -> None:
    page = shown(conflict(n=2))
    assert "These sources differ: “two days” in 1, “three days” in 2." in page.text


@pytest.mark.parametrize(
    ("own", "other", "words"),
    [
        ("2022", "2025", "The newer version differs"),
        ("2025", "2022", "An older version differs"),
    ],
)
def test_versions_are_called_what_they_are(own: str, other: str, words: str) -> None:
    family = [Version("a.md", "Remote", own, ""), Version("b.md", "Remote", other, "")]
    families = {"a.md": family, "b.md": family}
    assert words in shown(conflict(), families).text
    newer = "2 is the newer version of 1" if other > own else "1 is the newer version of 2"
    assert newer in shown(conflict(n=2), families).text
    assert pedigree.difference_text(conflict(n=2), families) == (
        f"These sources differ: “two days” in [1], “three days” in [2]; [{newer[0]}] is the newer "
        f"version of [{newer[-1]}]."
    )


def test_a_successor_can_be_opened() -> None:
    family = [Version("b.md", "Remote", "2025", "effective 1 May 2025"),
              Version("a.md", "Remote", "2022", "", "b.md")]  # fmt: skip
    cited = answer("Two days. [1]", citation(1, "Two days.", title="Remote"))
    assert (
        '<p class="standing"><strong>Remote (a.md)</strong>: Superseded by '
        '<button type="button" class="document" data-document="b.md">Remote (b.md)</button>, '
        "effective 1 May 2025</p>"
    ) in render.answer_html(cited, {}, SEARCHED, {"a.md": family})


def test_a_name_that_no_document_has_is_told_first_and_not_as_left_unanswered() -> None:
    said = unknown_text(["Rembrandt"])
    found = replace(ANSWER, text=f"{ANSWER.text} {said}", remark=said)
    page = Page(render.answer_html(found, {}, SEARCHED, {}))
    assert page.text.index(said) < page.text.index("Two days.")
    assert "Left unanswered." not in page.text
    nothing = replace(answer(f"Nothing found. {said}"), remark=said)
    nothing = render.answer_html(nothing, {}, SEARCHED, {})
    assert Page(nothing).text.count(said) == 1


def test_a_long_sentence_is_cut_to_what_differs() -> None:
    long = f"{'Many words that do not matter here. ' * 20}Up to three days. And more."
    found = replace(conflict(), other=statement(long))
    assert "… " in shown(found).text
    assert "three days" in shown(found).text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_are_inert(payload: str) -> None:
    bad = statement(payload, payload, title=payload)
    for n in (0, 2):
        found = Conflict(statement(payload, "a.md", 1), replace(bad, n=n), payload, payload)
        searched = Searched(1, payload, payload, (payload,), 3)
        text = f"{payload} [1] Left: {payload}"
        assert_inert(render.answer_html(replace(ANSWER, text=text), {}, searched, {}, [found]))
        assert_inert(render.answer_html(answer(payload), {}, searched, {}))
