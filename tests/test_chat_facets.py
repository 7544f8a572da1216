"""Filters: what is offered, with which counts, and what reaches the index."""

from __future__ import annotations

from typing import Any

import pytest
from chat_fake import FakeEngine, Info, markdown
from hypothesis import given
from hypothesis import strategies as st
from test_chat_reading import PAYLOADS, Page, assert_inert

from rag.catalogue.conditions import parse_where
from rag.chat import facets
from rag.errors import UsageError

LEAVE = "Unused leave lapses."
INFOS = FakeEngine(
    [
        markdown("a.md", "Leave (2023)", LEAVE, collection="Handbook", language="en",
                 effective_date="2023-03-01"),
        markdown("b.md", "Leave (2025)", LEAVE, collection="Handbook", language="en",
                 effective_date="2025-05-01"),
        markdown("c.md", "Zwei", LEAVE, collection="Notes", language="de"),
    ]
).documents()  # fmt: skip


def offered(filters: dict[str, str]) -> str:
    return Page(facets.choices_html(INFOS, filters)).text


def test_values_are_offered_with_the_number_of_documents() -> None:
    shown = offered({})
    for words in (
        "Handbook (2)", "Notes (1)", "English (en) (2)", "German (de) (1)", "2025 (1)", "2023 (2)",
        "dates here go from 1 March 2023 to 1 May 2025",
    ):  # fmt: skip
        assert words in shown


def test_counts_are_those_under_the_other_filters() -> None:
    shown = offered({"language": "de"})
    assert "Notes (1)" in shown
    assert "Handbook" not in shown
    assert "English (en) (2)" in shown  # another choice of the same kind


def test_what_is_no_date_is_neither_offered_nor_counted() -> None:
    infos = FakeEngine(
        [
            markdown("a.md", "Tides", LEAVE, published="spring 2019", effective_date="soon"),
            markdown("b.md", "Berths", LEAVE, published="2019 or so"),
            markdown("c.md", "Cranes", LEAVE, published="2018-02-01"),
        ]
    ).documents()
    shown = Page(facets.choices_html(infos, {})).text
    assert "2018 (1)" in shown
    assert "2019" not in shown
    assert "dates here go from 1 February 2018 to 1 February 2018" in shown
    for year, documents in (("2018", 1), ("2019", 0)):
        assert facets.searched(infos, {"published": year}) == documents


def test_a_document_of_two_dates_is_counted_once() -> None:
    info = Info("a.md", "Tides", {"published": ["2018-02-01", "2020-03"]}, 1)
    assert "2020 (1)" in Page(facets.choices_html([info], {})).text
    assert "(2)" not in Page(facets.choices_html([info], {})).text


def test_what_is_chosen_stays_visible_though_nothing_is_left() -> None:
    html = facets.choices_html(INFOS, {"language": "de", "collection": "Handbook"})
    assert '<option value="Handbook" selected>Handbook (0)</option>' in html


def test_kinds_that_make_no_difference_are_not_offered() -> None:
    only = FakeEngine([markdown("a.md", "One", LEAVE, language="en")]).documents()
    assert facets.choices_html(only, {}) == ""


@pytest.mark.parametrize(
    ("filters", "documents"),
    [
        ({}, 3),
        ({"collection": "Handbook"}, 2),
        ({"collection": "Handbook", "as_of": "2024-06-01"}, 1),
        ({"as_of": "2025-06-01"}, 2),
        ({"since": "2025"}, 1),
        ({"document": "c.md"}, 1),
        ({"collection": "Gone"}, 0),
    ],
)
def test_how_many_documents_are_searched(filters: dict[str, str], documents: int) -> None:
    assert facets.searched(INFOS, filters) == documents


def test_filters_in_words() -> None:
    filters = {"as_of": "2024-06-01", "document": "a.md", "language": "en-GB"}
    assert facets.described(INFOS, filters) == [
        "Document: Leave (2023)", "Language: English (en-GB)", "As of: 1 June 2024",
    ]  # fmt: skip


def test_documents_of_the_same_title_are_told_apart() -> None:
    infos = FakeEngine([markdown(f"{n}.md", "Leave", LEAVE) for n in "ab"]).documents()
    assert facets.described(infos, {"document": "a.md"}) == ["Document: Leave (a.md)"]
    assert "Leave (b.md)" in Page(facets.choices_html(infos, {})).text


@pytest.mark.parametrize(
    "wrong",
    ["x", ["a"], {"path": "a.md"}, {"collection": 3}, {"collection": "x" * 501},
     {"as_of": "yesterday"}, {"as_of": "2024-13-01"}],
)  # fmt: skip
def test_filters_that_nobody_offered_are_refused(wrong: Any) -> None:
    with pytest.raises(UsageError):
        facets.checked(wrong)


def test_empty_values_are_no_filters() -> None:
    assert facets.checked({"collection": " ", "language": ""}) == {}
    assert facets.checked(None) == {}


@given(st.text(min_size=1, max_size=40).filter(lambda text: text.strip()))
def test_a_value_reaches_the_index_as_it_is(value: str) -> None:
    chosen = facets.checked({"collection": value})
    (condition,) = parse_where(facets.conditions(chosen)).conditions
    assert (condition.field, condition.operator) == ("collection", "=")
    assert condition.value.strip() == value.strip()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_are_inert(payload: str) -> None:
    document = markdown("x.md", payload, LEAVE, collection=payload, language=payload)
    infos = FakeEngine([document, *(markdown(f"{n}.md", "T", LEAVE) for n in "ab")]).documents()
    filters = {"collection": payload, "language": payload, "document": "x.md"}
    assert_inert(facets.chips_html(infos, filters))
    assert_inert(facets.choices_html(infos, filters))
