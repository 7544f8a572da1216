"""What stands beside an answer, in a real browser: feedback, ways on, what speaks against it."""

from __future__ import annotations

import pytest
from browsing import Visit, Visitor, listen, open_list, ready
from playwright.sync_api import expect

from rag.chat.desk import Desk

pytestmark = pytest.mark.browser

ANSWERED = "How many unused days of annual leave can I carry over?"
SENTENCE = "You may carry over up to five unused days into the next leave year."
UNANSWERED = "Which dragons guard the moon palace?"


def test_feedback_reaches_the_owner(chat: Visit, url: str, desk: Desk, visit: Visitor) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    down = page.get_by_role("button", name="Not helpful")
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    page.locator(".reason input").fill("It is <i>out of date</i>")
    page.keyboard.press("Enter")
    expect(page.locator(".thanks")).to_be_visible()
    expect(down).to_be_focused()
    chat.ask(UNANSWERED)
    page.reload()
    ready(page)
    expect(page.get_by_role("button", name="Not helpful").first).to_have_attribute(
        "aria-pressed", "true"
    )
    open_list(page)
    expect(page.locator("[data-do=review]")).to_be_hidden()
    owner = visit(f"{url}#owner={desk.owner.key}").page
    expect(owner.locator(".review")).to_be_visible()
    expect(owner.locator(".reviewed")).to_contain_text("Not helpful: It is <i>out of date</i>")
    expect(owner.locator(".reviewed section").first).to_contain_text(UNANSWERED)
    assert desk.owner.key not in owner.url
    owner.reload()
    ready(owner)
    open_list(owner)
    owner.locator("[data-do=review]").click()
    expect(owner.locator(".reviewed")).to_contain_text(UNANSWERED)


def test_thanks_go_with_the_feedback(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    down = page.get_by_role("button", name="Not helpful")
    down.click()
    page.locator(".reason .chip").first.click()
    expect(page.locator(".thanks")).to_be_visible()
    down.click()
    expect(down).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".thanks")).to_have_count(0)
    for name in ("Not helpful", "Helpful"):
        page.get_by_role("button", name=name, exact=True).click()
        page.locator(".reason input").fill("Because")
        page.keyboard.press("Enter")
        expect(page.locator(".thanks")).to_have_count(1)


def test_a_newer_version_that_says_otherwise_is_told(chat: Visit, url: str, visit: Visitor) -> None:
    page = visit(f"{url}#as_of=2024-06-01").page
    Visit(page).ask("How many days a week may I work remotely?")
    differs = page.locator(".differs")
    expect(differs).to_contain_text("The newer version differs from 1")
    expect(differs.locator("b")).to_have_text("three days")
    differs.locator(".other").click()
    expect(page.locator(".doc-title")).to_have_text("Remote Work (2025)")
    expect(page.locator(".panel-doc mark.m-near.active")).to_contain_text("up to three days a week")


def test_an_abstention_leads_on(visit: Visitor, url: str) -> None:
    visited = visit(f"{url}#collection=china-kazakhstan")
    page = visited.page
    visited.ask(ANSWERED)
    expect(page.locator(".abstention")).to_contain_text("Collection: china-kazakhstan")
    page.locator("[data-widen]").click()
    expect(page.locator(".turn").nth(1).locator(".answer-text")).to_contain_text(SENTENCE)
    expect(page.locator(".filter-row")).to_be_hidden()


def test_a_question_is_put_in_words_of_the_corpus(chat: Visit) -> None:
    page = chat.page
    chat.ask("Is commuting paid?")
    expect(page.locator(".abstention")).to_be_visible()
    offered = page.locator(".next", has_text="Ask with a term of these documents")
    offered.get_by_role("button", name="Travelling time").click()
    expect(page.locator(".turn").nth(1).locator(".question")).to_have_text(
        "Is travelling time paid?"
    )
    expect(page.locator(".turn").nth(1).locator(".answer-text")).to_be_visible()


def test_what_was_left_unanswered_is_told(chat: Visit) -> None:
    chat.ask(f"{ANSWERED[:-1]}, and who feeds the office cat?")
    expect(chat.page.locator(".open")).to_contain_text("who feeds the office cat")


def test_where_nothing_is_kept_nothing_is_offered(visit: Visitor, sample_url: str) -> None:
    visited = visit(sample_url)
    page = visited.page
    visited.ask(ANSWERED)
    for part in ("[data-do=talks]", ".talk-bar", ".privacy"):
        expect(page.locator(part)).to_be_hidden()
    expect(page.locator(".thumb")).to_have_count(0)
    assert "#" not in page.url


def test_the_page_says_where_conversations_are_kept(chat: Visit) -> None:
    expect(chat.page.locator(".privacy")).to_contain_text("in the folder index-conversations")


def test_one_thing_is_said_at_a_time(chat: Visit) -> None:
    page = chat.page
    listen(page)
    chat.ask(ANSWERED)
    page.wait_for_function("window.said.length > 0")
    page.wait_for_timeout(700)
    assert len(page.evaluate("window.said")) == 1
