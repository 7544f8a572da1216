"""What an answer does to the view when it arrives, and how a question is asked once more."""

from __future__ import annotations

import pytest
from browsing import Visit, Visitor, ready
from playwright.sync_api import expect
from sending import asked, questions

pytestmark = pytest.mark.browser

ANSWERED = "How many unused days of annual leave can I carry over?"
LAPSES = "And when does it lapse?"
UNANSWERED = "Which dragons guard the moon palace?"


def test_an_answer_takes_nothing_away_from_who_reads_something_else(chat: Visit) -> None:
    page = chat.page
    chip = page.locator(".arrived button")
    marked = page.locator(".panel-doc mark.active")
    chat.ask(ANSWERED)
    chat.ask("How long must a password be?")
    with asked(chat, "How many days a week may I work remotely?"):
        page.locator(".scroll").evaluate("node => { node.scrollTop = 0; }")
    expect(chip).to_be_visible()
    assert page.locator(".scroll").evaluate("node => node.scrollTop") == 0
    expect(page.locator(".where-now")).not_to_contain_text("Remote Work")
    chip.click()
    expect(chip).to_be_hidden()
    expect(page.locator(".where-now")).to_contain_text("Remote Work")
    expect(page.locator(".question").nth(2)).to_be_in_viewport(ratio=1)
    expect(page.locator(".turn").nth(2)).to_be_focused()

    with asked(chat, LAPSES):
        page.locator(".panel [data-do=list]").click()
    expect(page.locator(".panel-list")).to_be_visible()
    expect(chip).to_be_hidden()  # It is in sight.

    with asked(chat, ANSWERED):
        page.locator("[data-view=library]").click()
    expect(page.locator(".panel")).to_be_hidden()
    page.locator("[data-view=talk]").click()
    expect(chip).to_be_hidden()
    chat.ask(ANSWERED)
    expect(marked).to_be_in_viewport()
    expect(page.locator(".turn").last).to_be_focused()


def test_no_evidence_of_another_answer_stands_beside_an_abstention(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    expect(page.locator(".panel-doc mark.active")).to_be_visible()
    chat.ask(UNANSWERED)
    expect(page.locator(".panel")).to_be_hidden()
    expect(page.locator(".turn").last).to_be_focused()
    page.locator("[data-do=panel]").click()
    page.locator(".panel-list .document", has_text="Whistleblowing").first.click()
    expect(page.locator(".doc-title")).to_be_visible()
    chat.ask(UNANSWERED)
    expect(page.locator(".panel-doc")).to_be_visible()


def test_a_question_is_asked_again_as_it_was_or_alone(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    chat.ask(LAPSES)
    understood = page.locator(".turn").nth(1).locator(".understood")
    expect(understood).to_contain_text("Understood as:")
    understood.get_by_role("button", name="Edit the question").click()
    expect(page.locator("#rag-question")).to_have_value(LAPSES)
    page.locator("#rag-question").fill("")
    with questions(page) as sent:
        understood.get_by_role("button", name="Ask it alone").click()
        expect(page.locator(".turn.settled")).to_have_count(3)
    assert sent == [(LAPSES, [])]
    expect(page.locator(".turn").nth(2).locator(".understood")).to_be_hidden()


def test_what_leads_on_is_there_again_after_a_reload(chat: Visit) -> None:
    page = chat.page
    chat.ask("Is commuting paid?")
    ways = page.locator(".next h3")
    expect(ways.first).to_have_text("Ask with a term of these documents")
    before = ways.all_inner_texts()
    page.reload()
    ready(page)
    expect(ways).to_have_text(before)


def test_where_nothing_is_kept_it_is_there_again_too(visit: Visitor, sample_url: str) -> None:
    visited = visit(sample_url)
    visited.ask(ANSWERED)
    ways = visited.page.locator(".next h3")
    expect(ways).to_have_text(["Also in these documents"])
    visited.page.reload()
    ready(visited.page)
    expect(ways).to_have_text(["Also in these documents"])
