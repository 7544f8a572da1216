"""Asking, and looking at the evidence: what people do all day."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import pytest
from browsing import Server, Visit, Visitor, listen
from playwright.sync_api import expect

from rag.chat.service import MAX_QUESTION
from rag.live import LiveIndex
from rag.types import Answer, Turn

pytestmark = pytest.mark.browser

ANSWERED = "How many unused days of annual leave can I carry over?"
SENTENCE = "You may carry over up to five unused days into the next leave year."
UNANSWERED = "Which dragons guard the moon palace?"


@pytest.fixture
def chat(visit: Visitor, sample_url: str) -> Visit:
    return visit(sample_url)


def test_the_empty_page_says_what_it_is_and_offers_questions(
    chat: Visit, sample: LiveIndex
) -> None:
    expect(chat.page.locator(".facts")).to_contain_text(f"{len(sample.documents())} documents")
    expect(chat.page.locator(".talk .lead")).to_contain_text("word for word")
    suggestions = chat.page.locator(".empty .suggestion")
    assert suggestions.count() >= 3
    suggestions.first.click()
    expect(chat.page.locator(".turn.settled .cite").first).to_be_visible()


def test_an_answer_opens_where_it_stands(chat: Visit, sample: LiveIndex) -> None:
    chat.ask(ANSWERED)
    citation = sample.ask(ANSWERED).citations[0]
    assert citation.quote == SENTENCE
    expect(chat.page.locator(".answer-text")).to_contain_text(SENTENCE)
    chat.page.locator('.cite[data-n="1"]').click()
    mark = chat.page.locator('.panel-doc mark[data-n="1"]')
    expect(mark).to_have_text(SENTENCE)
    expect(mark).to_be_in_viewport()
    expect(mark).to_have_class(re.compile(r"\bactive\b"))
    expect(chat.page.locator(".where-now")).to_contain_text("Annual Leave and Special Leave")
    expect(chat.page.locator(".where-now")).to_contain_text("Carrying leave over")
    expect(chat.page.locator(".where-now")).to_contain_text("effective 1 January 2024")
    expect(chat.page.locator(".panel-doc")).to_contain_text("There are two exceptions:")


def test_on_a_wide_screen_the_first_source_opens_by_itself(chat: Visit) -> None:
    chat.ask(ANSWERED)
    expect(chat.page.locator('.panel-doc mark.active[data-n="1"]')).to_be_in_viewport()


def test_a_closed_panel_stays_closed(chat: Visit) -> None:
    chat.ask(ANSWERED)
    chat.page.locator(".panel [data-do=close]").click()
    chat.ask(ANSWERED)
    expect(chat.page.locator(".panel")).to_be_hidden()


def test_hovering_a_number_shows_its_quotation(chat: Visit) -> None:
    chat.ask(ANSWERED)
    chat.page.locator(".cite").first.hover()
    card = chat.page.locator(".card")
    expect(card).to_contain_text(SENTENCE)
    expect(card).to_contain_text("Annual Leave and Special Leave")
    chat.page.mouse.move(3, 500)
    expect(card).to_be_hidden()


def test_an_abstention_looks_different_and_leads_on(chat: Visit) -> None:
    chat.ask(UNANSWERED)
    abstention = chat.page.locator(".abstention")
    expect(abstention).to_contain_text("No answer found in the documents")
    expect(abstention).to_contain_text("documents searched")
    expect(chat.page.locator(".turn .cite")).to_have_count(0)
    nearest = chat.page.locator(".near")
    expect(nearest).to_have_count(3)
    nearest.nth(1).click()
    expect(chat.page.locator(".panel-doc mark.m-near.active").first).to_be_in_viewport()


def test_an_answer_is_announced_once(chat: Visit) -> None:
    page = chat.page
    listen(page)
    chat.ask(ANSWERED)
    expect(page.locator(".panel-doc mark.active")).to_be_visible()
    page.wait_for_function("window.said.length > 0")
    page.wait_for_timeout(500)
    said = page.evaluate("window.said")
    assert len(said) == 1
    assert said[0].startswith("Answer with")
    assert SENTENCE in said[0]
    assert page.locator(".log [aria-live], .log [role=log]").count() == 0


def test_the_keyboard_is_enough(chat: Visit) -> None:
    page = chat.page
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#rag-question")).to_be_focused()
    page.keyboard.type(ANSWERED)
    page.keyboard.press("Enter")
    expect(page.locator(".turn.settled")).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator(".panel-doc mark.active")).to_have_text(SENTENCE)
    expect(page.locator(".panel-doc")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_be_hidden()
    expect(page.locator('.cite[data-n="1"]')).to_be_focused()
    expect(page.locator(".card")).to_contain_text(SENTENCE)
    page.keyboard.press("Escape")
    expect(page.locator(".card")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#rag-help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#rag-help")).to_be_hidden()


def test_digits_can_be_typed_in_a_question(chat: Visit) -> None:
    chat.ask(ANSWERED)
    chat.page.keyboard.press("Escape")
    chat.page.keyboard.press("/")
    chat.page.keyboard.type("1/2?")
    expect(chat.page.locator("#rag-question")).to_have_value("1/2?")
    expect(chat.page.locator("#rag-help")).to_be_hidden()


def test_after_an_abstention_keys_open_its_own_passages(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    expect(page.locator(".panel-doc mark.active")).to_have_text(SENTENCE)
    chat.ask(UNANSWERED)
    expect(page.locator(".turn.settled").last).to_be_focused()
    page.keyboard.press("1")
    first = page.locator(".turn").last.locator('.near[data-near="1"]')
    expect(first).to_have_attribute("aria-current", "true")
    expect(page.locator(".panel-doc mark.m-near.active").first).to_be_visible()
    page.locator(".cite").first.click()
    expect(page.locator(".panel-doc")).to_be_focused()
    page.keyboard.press("1")
    expect(page.locator('.cite[data-n="1"]')).to_have_attribute("aria-current", "true")


def test_single_key_shortcuts_can_be_switched_off(chat: Visit) -> None:
    chat.page.locator("[data-do=help]").click()
    chat.page.locator("[data-do=shortcuts]").uncheck()
    chat.page.keyboard.press("Escape")
    chat.page.keyboard.press("?")
    expect(chat.page.locator("#rag-help")).to_be_hidden()


def test_a_quotation_is_copied_with_its_reference(chat: Visit) -> None:
    chat.ask(ANSWERED)
    chat.page.locator(".panel [data-do=copy]").click()
    expect(chat.page.locator(".panel [data-do=copy]")).to_contain_text("Copied")
    copied = chat.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"“{SENTENCE}”\n— Annual Leave and Special Leave, section “3. Carry")
    assert "effective 1 January 2024 (handbook/annual-leave.md, characters " in copied


def test_the_pedigree_is_under_the_answer(chat: Visit, sample: LiveIndex) -> None:
    chat.ask(ANSWERED)
    chat.page.locator(".pedigree summary").click()
    pedigree = chat.page.locator(".pedigree")
    expect(pedigree).to_contain_text("documents searched")
    expect(pedigree).to_contain_text(sample.generation)
    expect(pedigree).to_contain_text(re.compile("answers? the question"))


def test_documents_can_be_found_and_read(chat: Visit) -> None:
    page = chat.page
    page.locator("[data-do=panel]").click()
    page.locator("#rag-filter").fill("whistle")
    documents = page.locator(".document:visible")
    expect(documents).to_have_count(1)
    documents.first.click()
    expect(page.locator(".doc-title")).to_have_text("WHISTLEBLOWING")
    page.locator(".panel [data-do=list]").click()
    page.locator("#rag-filter").fill("no such title")
    expect(page.locator(".panel-list .none")).to_be_visible()


def test_the_outline_leads_to_a_heading(chat: Visit) -> None:
    page = chat.page
    page.locator("[data-do=panel]").click()
    page.locator(".document", has_text="Procurement").first.click()
    page.locator(".outline summary").click()
    page.locator(".outline button", has_text="8. Complaints").click()
    expect(page.locator(".doc-body :focus")).to_have_text("8. Complaints")
    expect(page.locator(".doc-body :focus")).to_be_in_viewport()


def test_a_new_conversation_starts_empty(chat: Visit) -> None:
    chat.ask(ANSWERED)
    chat.page.locator("[data-do=fresh]").click()
    expect(chat.page.locator(".turn")).to_have_count(0)
    expect(chat.page.locator(".empty")).to_be_visible()


def test_the_conversation_outlives_a_reload(chat: Visit) -> None:
    chat.ask(ANSWERED)
    chat.page.reload()
    expect(chat.page.locator(".rag[data-ready]")).to_be_visible()
    expect(chat.page.locator(".answer-text")).to_contain_text(SENTENCE)
    chat.page.locator(".cite").first.click()
    expect(chat.page.locator(".panel-doc mark.active")).to_have_text(SENTENCE)
    chat.page.locator("[data-do=fresh]").click()
    chat.page.reload()
    expect(chat.page.locator(".rag[data-ready]")).to_be_visible()
    expect(chat.page.locator(".turn")).to_have_count(0)


def test_a_pdf_is_shown_as_the_page_itself(chat: Visit) -> None:
    page = chat.page
    chat.ask("How many written quotes does a purchase of 5,000 crowns need?")
    page.locator(".source", has_text="Procurement").first.click()
    expect(page.locator(".panel-doc mark.active").first).to_be_in_viewport()
    page.locator("[data-do=view]").click()
    expect(page.locator(".panel-page .hit.active").first).to_be_in_viewport()
    assert page.locator(".panel-page img").evaluate("image => image.naturalWidth > 1000")
    expect(page.locator(".page-bar")).to_contain_text("Page 1 of 4")
    page.locator(".page-bar button").last.click()
    expect(page.locator(".page-bar")).to_contain_text("Page 2 of 4")
    page.locator("[data-do=view]").click()
    expect(page.locator(".panel-doc mark.active").first).to_be_visible()
    expect(page.locator(".panel-page")).to_be_hidden()


def test_pages_are_turned_with_the_keyboard(chat: Visit) -> None:
    page = chat.page
    chat.ask("How many written quotes does a purchase of 5,000 crowns need?")
    page.locator(".source", has_text="Procurement").first.click()
    page.locator("[data-do=view]").click()
    bar = page.locator(".page-bar")
    expect(bar).to_contain_text("Page 1 of 4")
    page.get_by_role("button", name="Next page").focus()
    for number in (2, 3, 4):
        page.keyboard.press("Enter")
        expect(bar).to_contain_text(f"Page {number} of 4")
    expect(page.locator(".panel-page")).to_be_focused()
    page.get_by_role("button", name="Previous page").focus()
    page.keyboard.press("Enter")
    expect(bar).to_contain_text("Page 3 of 4")
    expect(page.get_by_role("button", name="Previous page")).to_be_focused()


def test_pages_once_chosen_are_shown_of_the_next_document_too(chat: Visit) -> None:
    page = chat.page
    chat.ask("How many written quotes does a purchase of 5,000 crowns need?")
    page.locator(".source", has_text="Procurement").first.click()
    view = page.locator("[data-do=view]")
    view.click()
    expect(page.locator(".panel-page img")).to_be_visible()
    page.locator(".panel [data-do=list]").click()
    page.locator(".panel-list .document", has_text="Data Protection").first.click()
    expect(page.locator(".panel-page")).to_be_visible()
    expect(page.locator(".page-bar")).to_contain_text("Page 1 of")
    expect(view).to_have_text("Text")
    view.click()
    expect(page.locator(".panel-page")).to_be_hidden()
    expect(page.locator(".doc-title")).to_be_visible()
    expect(view).to_have_text("Page")


def test_an_older_version_of_the_source_is_named(chat: Visit) -> None:
    chat.ask("What is the hotel limit under Travel and Per Diem (2025)?")
    version = chat.page.locator(".turn .version", has_text="Travel and Per Diem (2023)")
    expect(version).to_contain_text("effective 1 March 2023")
    version.locator("button").click()
    expect(chat.page.locator(".doc-title")).to_have_text("Travel and Per Diem (2023)")


def test_a_whole_answer_is_copied_with_its_references(chat: Visit) -> None:
    chat.ask(ANSWERED)
    chat.page.locator("[data-do=copy-answer]").click()
    expect(chat.page.locator("[data-do=copy-answer]")).to_contain_text("Copied")
    copied = chat.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"{ANSWERED}\n\n{SENTENCE} [1]")
    assert f"[1] “{SENTENCE}”\n— Annual Leave and Special Leave" in copied


def test_a_follow_up_shows_how_it_was_understood(chat: Visit) -> None:
    chat.ask(ANSWERED)
    chat.ask("And when does it lapse?")
    understood = chat.page.locator(".turn").nth(1).locator(".understood")
    expect(understood).to_contain_text("Understood as:")
    understood.locator("[data-edit]").click()
    expect(chat.page.locator("#rag-question")).to_have_value("And when does it lapse?")


def test_a_follow_up_leans_on_a_question_without_an_answer(chat: Visit) -> None:
    with chat.offline():
        chat.ask(ANSWERED)
    chat.ask("And when does it lapse?")
    expect(chat.page.locator(".turn .error")).to_have_count(1)
    expect(chat.page.locator(".understood").nth(1)).to_contain_text(ANSWERED)


def test_a_draft_comes_back_after_a_question_was_taken_to_edit(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    chat.ask("And when does it lapse?")
    page.locator("#rag-question").focus()
    page.keyboard.type("A draft, half written")
    page.locator("[data-edit]").click()
    expect(page.locator("#rag-question")).to_have_value(re.compile("lapse"))
    page.keyboard.press("Control+z")
    expect(page.locator("#rag-question")).to_have_value("A draft, half written")


def test_a_question_that_is_too_long_stays_whole_and_is_not_sent(chat: Visit) -> None:
    page = chat.page
    box = page.locator("#rag-question")
    fitting = "Why? " + "\N{GRINNING FACE}" * (MAX_QUESTION - 5)
    page.evaluate("text => navigator.clipboard.writeText(text)", f"{fitting} And why not?")
    box.focus()
    page.keyboard.press("Control+v")
    expect(box).to_have_value(f"{fitting} And why not?")
    expect(page.locator(".too-long")).to_have_text(
        "A question has at most 2,000 characters; this one has 2,013."
    )
    page.keyboard.press("Enter")
    expect(page.locator(".turn")).to_have_count(0)
    expect(box).to_have_value(f"{fitting} And why not?")
    chat.ask(f"{fitting}  ")
    expect(page.locator(".too-long")).to_be_hidden()
    expect(page.locator(".turn .error")).to_have_count(0)


class SlowIndex:
    """The sample index, except that some questions take long."""

    snapshot = None

    def __init__(self, engine: LiveIndex) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def ask(
        self, question: str, history: Sequence[Turn] = (), *, where: Sequence[str] = ()
    ) -> Answer:
        if question.startswith("Slowly:"):
            time.sleep(6)
        return self._engine.ask(question, history, where=where)


def test_a_slow_question_holds_up_no_other(
    visit: Visitor, sample: LiveIndex, serve: Server
) -> None:
    page = visit(serve(SlowIndex(sample))).page  # type: ignore[arg-type]
    for question in (f"Slowly: {ANSWERED}", ANSWERED):
        page.locator("#rag-question").fill(question)
        page.keyboard.press("Enter")
    turns = page.locator(".turn")
    expect(turns.nth(1).locator(".cite").first).to_be_visible(timeout=4_000)
    expect(turns.nth(0).locator(".waiting")).to_be_visible()
    expect(turns.nth(0).locator(".cite, .abstention").first).to_be_visible()


def test_sessions_do_not_see_each_other(visit: Visitor, sample_url: str) -> None:
    one, other = visit(sample_url), visit(sample_url)
    one.ask(ANSWERED)
    expect(other.page.locator(".turn")).to_have_count(0)
    other.ask("And when does it lapse?")
    expect(other.page.locator(".understood")).to_be_hidden()
