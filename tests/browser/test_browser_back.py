"""Where "back" leads, and what a reload comes back to."""

from __future__ import annotations

import re

import pytest
from browsing import Visit, Visitor, ready
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

ANSWERED = "How many unused days of annual leave can I carry over?"
OTHER = "How long must a password be?"


def settle(page: Page) -> None:
    """Going back takes a moment, in which nothing can be seen."""
    page.wait_for_timeout(300)


def test_back_closes_the_sheet_and_no_more(visit: Visitor, url: str) -> None:
    page = visit(url, 360, 740).page
    panel = page.locator(".panel")
    Visit(page).ask(ANSWERED)
    link = page.url
    entries = page.evaluate("history.length")
    page.locator(".cite").first.click()
    expect(panel).to_be_visible()
    page.go_back()
    expect(panel).to_be_hidden()
    expect(page.locator(".cite").first).to_be_focused()
    assert page.url == link
    expect(page.locator(".turn")).to_have_count(1)

    for close in ("[data-do=close]", "Escape", "only"):
        page.locator(".cite").first.click()
        expect(panel).to_be_visible()
        assert page.evaluate("history.length") == entries + 1
        if close == "Escape":
            page.keyboard.press("Escape")
        elif close == "only":
            page.locator("[data-do=only]").click()
        else:
            page.locator(f".panel {close}").click()
        expect(panel).to_be_hidden()
        settle(page)
        assert not page.evaluate("history.state.sheet")
    expect(page.locator(".filters")).to_contain_text("Annual Leave")
    assert "document=" in page.url

    page.locator(".cite").first.click()
    expect(panel).to_be_visible()
    page.reload()
    ready(page)
    expect(panel).to_be_hidden()
    assert not page.evaluate("history.state.sheet")
    assert "document=" in page.url
    expect(page.locator(".turn")).to_have_count(1)
    page.go_forward()
    settle(page)
    assert not page.evaluate("history.state.sheet")
    page.locator("[data-view=library]").click()
    expect(page.locator(".library")).to_be_visible()
    page.go_back()
    expect(page.locator(".turn")).to_be_visible()


def test_back_leads_to_the_conversation_before(chat: Visit) -> None:
    page = chat.page
    question = page.locator(".question")
    fresh = page.locator("[data-do=fresh]")
    chat.ask(ANSWERED)
    first = page.url
    fresh.click()
    expect(page.locator(".empty")).to_be_visible()
    page.go_back()
    expect(question).to_have_text([ANSWERED])
    page.go_forward()
    expect(page.locator(".empty")).to_be_visible()
    chat.ask(OTHER)
    second = page.url
    page.go_back()
    expect(question).to_have_text([ANSWERED])
    expect(page).to_have_url(first)
    page.go_forward()
    expect(question).to_have_text([OTHER])
    expect(page).to_have_url(second)

    page.locator("[data-view=library]").click()
    page.locator("[data-do=talks]").click()
    page.locator(".talked", has_text=ANSWERED).first.click()
    expect(question).to_have_text([ANSWERED])
    expect(page).to_have_url(re.compile(r"/#c="))
    page.go_back()
    expect(page.locator(".library")).to_be_visible()
    page.go_back()
    expect(question).to_have_text([OTHER])
    expect(page).to_have_url(second)


def test_a_deleted_conversation_is_nothing_to_go_back_to(chat: Visit) -> None:
    page = chat.page
    page.locator("[data-view=library]").click()
    page.locator("[data-view=talk]").click()
    chat.ask(ANSWERED)
    page.locator("[data-do=talks]").click()
    row = page.locator(".talks li").first
    row.hover()
    row.locator("[data-delete]").click()
    page.keyboard.press("Escape")
    expect(page.locator(".turn")).to_have_count(0)
    page.go_back()
    expect(page.locator(".library")).to_be_visible()
    expect(page.locator(".notice")).to_be_hidden()


def test_a_reload_in_the_library_stays_there(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    page.locator("[data-view=library]").click()
    page.locator(".library").wait_for()
    for _ in range(2):
        page.reload()
        ready(page)
        expect(page.locator(".library")).to_be_visible()
        expect(page).to_have_url(re.compile(r"\?view=library#c=[\w-]{22}$"))
    page.locator("[data-view=talk]").click()
    expect(page.locator(".question")).to_have_text([ANSWERED])
