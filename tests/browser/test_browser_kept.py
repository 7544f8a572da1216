"""One conversation in two tabs and by a link, and the list of conversations."""

from __future__ import annotations

import re

import pytest
from browsing import Visit, Visitor, ready
from playwright.sync_api import Page, expect
from sending import asked

pytestmark = pytest.mark.browser

ANSWERED = "How many unused days of annual leave can I carry over?"
LAPSES = "And when does it lapse?"
PASSWORD = "How long must a password be?"


def open_list(page: Page) -> None:
    page.locator("[data-do=talks]").click()
    expect(page.locator(".talks li").first).to_be_visible()


def test_two_tabs_of_one_conversation_stay_together(chat: Visit) -> None:
    page = chat.page
    look = "dispatchEvent(new Event('focus'))"
    chat.ask(ANSWERED)
    other = page.context.new_page()
    other.goto(page.url)
    ready(other)
    Visit(other).ask(LAPSES)
    other.locator("[data-do=name]").click()
    other.keyboard.type("Leave")
    other.keyboard.press("Enter")
    page.evaluate(look)
    expect(page.locator(".question")).to_have_text([ANSWERED, LAPSES])
    expect(page.locator(".turn.settled")).to_have_count(2)
    expect(page.locator(".talk-name")).to_have_text("Leave")
    page.evaluate(look)
    with asked(chat, PASSWORD):
        Visit(other).ask("Who approves travel?")
        page.evaluate(look)
        page.wait_for_timeout(300)
    expect(page.locator(".question")).to_have_text([ANSWERED, LAPSES, PASSWORD])
    page.evaluate(look)
    expect(page.locator(".question")).to_have_text(
        [ANSWERED, LAPSES, "Who approves travel?", PASSWORD]
    )
    labels = page.locator(".turn").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert labels == [f"Question {n}" for n in range(1, 5)]


def test_a_shared_conversation_begins_with_saying_so(visit: Visitor, chat: Visit, url: str) -> None:
    for question in (ANSWERED, LAPSES, PASSWORD):
        chat.ask(question)
    page = visit(chat.page.url).page
    expect(page.locator(".question")).to_have_count(3)
    expect(page.locator(".shared")).to_be_in_viewport(ratio=1)
    expect(page.locator(".next").last).to_be_attached()
    assert page.locator(".scroll").evaluate("node => node.scrollTop") == 0
    chat.page.reload()
    ready(chat.page)
    expect(chat.page.locator(".question").last).to_be_in_viewport(ratio=1)


def test_a_click_that_ends_a_rename_does_what_it_says(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    page.locator("[data-do=fresh]").click()
    chat.ask(PASSWORD)
    open_list(page)
    rows = page.locator(".talks li")
    rows.last.hover()
    rows.first.locator("[data-rename]").click()
    page.keyboard.type("Passwords")
    rows.last.locator("[data-delete]").click()
    expect(rows.last).to_contain_text("Deleted:")
    expect(rows.last.locator("[data-undo]")).to_be_focused()
    expect(rows.first.locator(".title")).to_have_text("Passwords")
    expect(rows.first.locator("[data-delete]")).to_have_attribute(
        "aria-label", "Delete “Passwords”"
    )
    rows.first.locator("[data-rename]").click()
    page.keyboard.type("Not this")
    page.keyboard.press("Escape")
    expect(rows.first.locator(".title")).to_have_text("Passwords")
    expect(rows.first.locator("[data-rename]")).to_be_focused()
    rows.last.locator("[data-undo]").click()
    expect(rows.last.locator(".talked")).to_be_focused()
    expect(rows.first.locator(".title")).to_have_text("Passwords")


def test_what_is_cut_off_can_be_read_in_full(visit: Visitor, url: str) -> None:
    visited = visit(url, 360, 740)
    page = visited.page
    long = f"{ANSWERED[:-1]}, {'and I would like to know it well, ' * 12}for I have asked before?"
    expect(page.locator("#rag-question")).to_have_attribute("placeholder", "Ask a question")
    visited.ask(long)
    question = page.locator(".question")
    short = question.bounding_box()
    unfold = page.get_by_role("button", name="Show all")
    unfold.click()
    whole = question.bounding_box()
    assert short
    assert whole
    assert whole["height"] > short["height"] * 1.5
    page.get_by_role("button", name="Show less").click()
    assert question.bounding_box() == short
    page.locator(".cite, .near").first.click()
    place = page.locator(".where-now")
    words = re.sub(r"^\d+", "", place.inner_text())
    expect(place).to_have_attribute("title", re.compile(r"^(quotation|passage) 1: "))
    assert (place.get_attribute("title") or "").endswith(words)
    page.keyboard.press("Escape")
    open_list(page)
    row = page.locator(".talked").first
    expect(row.locator(".when")).to_have_text(re.compile(r"^1 question · \d\d:\d\d UTC$"))
    assert long.startswith((row.get_attribute("title") or "").rstrip("…"))


def test_documents_are_one_click_from_a_source(chat: Visit) -> None:
    page = chat.page
    button = page.locator("[data-do=panel]")
    chat.ask(ANSWERED)
    expect(page.locator(".panel-doc mark.active")).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "false")
    button.click()
    expect(page.locator(".panel-list")).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    button.click()
    expect(page.locator(".panel")).to_be_hidden()
    expect(button).to_be_focused()


def test_what_has_the_focus_lies_under_no_bar(chat: Visit) -> None:
    page = chat.page
    for question in (ANSWERED, LAPSES, PASSWORD):
        chat.ask(question)
    page.locator(".turn").last.focus()
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        hidden = page.evaluate(
            """() => {
              const at = document.activeElement.getBoundingClientRect();
              const bar = document.querySelector(".talk-bar").getBoundingClientRect();
              return document.activeElement.closest(".turns") && at.top < bar.bottom;
            }"""
        )
        assert not hidden
