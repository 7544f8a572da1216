"""Filters in a real browser: chosen, typed, refused, and part of the link."""

from __future__ import annotations

import pytest
from browsing import Visit, Visitor
from playwright.sync_api import expect

from rag.chat.facets import KINDS

pytestmark = pytest.mark.browser

ANSWERED = "How many unused days of annual leave can I carry over?"
AWAY = "The server did not answer. Is it still running?"


def test_a_date_is_typed_digit_by_digit(chat: Visit) -> None:
    page = chat.page
    page.locator("[data-do=filters]").click()
    date = page.locator("[data-filter=as_of]")
    date.focus()
    page.keyboard.type("0601202", delay=50)
    page.wait_for_timeout(300)
    expect(page.locator(".filter")).to_have_count(0)
    page.keyboard.type("4")
    expect(page.locator(".filters")).to_contain_text("As of 1 June 2024")
    expect(date).to_have_value("2024-06-01")
    expect(date).to_be_focused()
    page.get_by_role("button", name="Remove the filter As of").click()
    expect(date).to_have_value("")
    date.focus()
    page.keyboard.type("06010850", delay=50)
    page.wait_for_timeout(300)
    expect(page.locator(".filter")).to_have_count(0)
    page.locator("[data-filter=collection]").focus()
    expect(page.locator(".filters")).to_contain_text("As of 1 June 850")


def test_the_field_with_the_focus_stays_while_the_others_are_counted_anew(chat: Visit) -> None:
    page = chat.page
    page.locator("[data-do=filters]").click()
    field = page.locator("[data-filter=collection]")
    field.evaluate("node => { node.dataset.same = 'yes'; }")
    before = page.locator("[data-filter=document]").inner_text()
    field.select_option("handbook")
    expect(page.locator(".filter")).to_have_count(1)
    expect(page.locator("[data-same]")).to_be_focused()
    assert page.locator("[data-filter=document]").inner_text() != before
    kinds = page.locator("[data-filter]").evaluate_all("all => all.map(one => one.dataset.filter)")
    assert kinds == [kind for kind in KINDS if kind in kinds]


def test_filters_that_cannot_be_set_leave_those_that_are(chat: Visit) -> None:
    page = chat.page
    page.locator("[data-do=filters]").click()
    page.locator("[data-filter=collection]").select_option("handbook")
    expect(page.locator(".filter")).to_have_count(1)
    link = page.url
    with chat.offline():
        page.locator("[data-filter=as_of]").fill("2024-06-01")
        expect(page.locator(".notice")).to_have_text(AWAY)
        expect(page.locator("[data-filter=as_of]")).to_have_value("")
        with page.expect_event("requestfailed"):
            page.get_by_role("button", name="Remove the filter Collection").click()
        expect(page.locator(".filter")).to_have_count(1)
        expect(page.locator("[data-filter=collection]")).to_have_value("handbook")
        assert page.url == link
    page.locator("[data-do=filters-done]").click()
    chat.ask("How many days a week may I work remotely?")
    page.locator(".pedigree summary").click()
    expect(page.locator(".pedigree")).to_contain_text("Collection: handbook")


def test_filters_are_chips_and_part_of_the_link(chat: Visit, visit: Visitor, url: str) -> None:
    page = chat.page
    page.locator("[data-do=filters]").click()
    expect(page.locator("[data-filter=collection]")).to_be_focused()
    page.locator("[data-filter=collection]").select_option("handbook")
    expect(page.locator(".filters")).to_contain_text("Collection handbook")
    expect(page.locator("[data-filter=collection]")).to_be_focused()
    page.locator("[data-filter=as_of]").fill("2024-06-01")
    expect(page.locator(".filter")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator(".filter-panel")).to_be_hidden()
    chat.ask("How many days a week may I work remotely?")
    expect(page.locator(".answer-text")).to_contain_text("up to two days a week")
    expect(page.locator(".answer-text")).not_to_contain_text("three days")
    page.locator(".pedigree summary").click()
    expect(page.locator(".pedigree")).to_contain_text("Collection: handbook; As of: 1 June 2024")
    other = visit(page.url).page
    expect(other.locator(".filter")).to_have_count(2)
    page.get_by_role("button", name="Remove the filter As of: 1 June 2024").click()
    expect(page.locator(".filter")).to_have_count(1)
    expect(page.locator(".filter button")).to_be_focused()
    assert "as_of" not in page.url
    page.locator("[data-do=fresh]").click()
    expect(page.locator(".filter")).to_have_count(1)


def test_a_document_that_is_open_can_be_asked_alone(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    page.locator("[data-do=only]").click()
    expect(page.locator("#rag-question")).to_be_focused()
    expect(page.locator(".filters")).to_contain_text("Document Annual Leave and Special Leave")
    expect(page.locator(".filter-row")).to_contain_text("1 of")
    assert "document=handbook%2Fannual-leave.md" in page.url
