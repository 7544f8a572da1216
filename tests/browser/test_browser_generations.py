"""A page that is open, and answers that were given, while the index is built anew."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from browsing import Visitor
from chat_fake import FakeEngine, markdown
from playwright.sync_api import Page, expect
from sending import questions

from rag.chat import page as chat_page
from rag.chat.desk import Desk

pytestmark = pytest.mark.browser

QUESTION = "When does unused annual leave lapse?"


def index(generation: str, month: str = "March", documents: int = 1) -> FakeEngine:
    text = f"# Leave\n\nUnused annual leave lapses in {month}.\n"
    return FakeEngine(
        [markdown(f"{n}.md", f"Leave {n}", text) for n in range(documents)], generation
    )


@dataclass
class Followed:
    """Answers from the index that is the current one."""

    index: FakeEngine
    url: str = ""

    def __getattr__(self, name: str) -> object:
        return getattr(self.index, name)


@pytest.fixture
def engine(tmp_path: Path, servers: ExitStack) -> Followed:
    """What answers a page that keeps conversations."""
    followed = Followed(index("000001-a"))
    desk = Desk(tmp_path)
    servers.callback(desk.close)
    page = chat_page.build_page(followed, None, desk)  # type: ignore[arg-type]
    servers.callback(page.close, verbose=False)
    followed.url = chat_page.serve(page, "127.0.0.1", 0)
    return followed


def look_at(page: Page) -> None:
    page.evaluate("dispatchEvent(new Event('focus'))")


def test_answers_from_another_state_are_marked_and_no_others(
    visit: Visitor, engine: Followed
) -> None:
    author = visit(engine.url)
    author.ask(QUESTION)
    engine.index = index("000002-b")
    opened = visit(author.page.url).page
    expect(opened.locator(".old")).to_have_text(
        "Given by another state of the documents. Ask again"
    )
    author.ask(QUESTION)
    turns = author.page.locator(".turn")
    expect(turns.first.locator(".old")).to_have_count(1)
    expect(turns.last.locator(".old")).to_have_count(0)
    newcomer = visit(engine.url)
    newcomer.ask(QUESTION)
    for _ in range(3):
        expect(visit(newcomer.page.url).page.locator(".turn:not(:has(.old))")).to_have_count(1)
    engine.index = index("000001-a")
    look_at(author.page)
    expect(turns.last.locator(".old")).to_have_count(1)
    expect(turns.first.locator(".old")).to_have_count(0)


def test_an_open_page_follows_a_build(visit: Visitor, engine: Followed) -> None:
    visited = visit(engine.url)
    page = visited.page
    visited.ask(QUESTION)
    source = page.locator(".panel-doc")
    expect(source).to_contain_text("in March")
    engine.index = index("000002-b", "April")
    look_at(page)
    expect(page.locator(".old")).to_be_visible()
    page.locator(".cite").click()
    expect(source).to_contain_text("in April")
    page.clock.install()
    page.reload()
    expect(page.locator(".rag[data-ready]")).to_be_visible()
    engine.index = index("000003-c", documents=2)
    page.clock.fast_forward(31_000)
    expect(page.locator(".facts")).to_contain_text("2 documents")
    page.locator("[data-view=library]").click()
    expect(page.locator(".lib-count")).to_have_text("2 documents")
    engine.index = index("000004-d", documents=3)
    look_at(page)
    expect(page.locator(".lib-count")).to_have_text("3 documents")


def test_an_open_source_follows_a_build_where_it_is_read(visit: Visitor, engine: Followed) -> None:
    more = "\n".join(f"Paragraph {n} of the rules of leave.\n" for n in range(60))

    def built(generation: str, before: str = "", month: str = "March") -> FakeEngine:
        text = f"# Leave\n\n{before}Unused annual leave lapses in {month}.\n\n{more}"
        return FakeEngine([markdown("0.md", "Leave 0", text)], generation)

    def place() -> float:
        return float(mark.evaluate("node => node.getBoundingClientRect().top"))

    engine.index = built("000001-a")
    visited = visit(engine.url)
    page = visited.page
    visited.ask(QUESTION)
    mark = page.locator(".panel-doc mark.active")
    expect(mark).to_be_visible()
    page.locator(".panel-doc").evaluate("node => { node.scrollTop = 90; }")
    page.locator("#rag-question").fill("A draft")
    before = place()
    engine.index = built("000002-b", "A new rule stands before it.\n\n")
    look_at(page)
    expect(page.locator(".panel-doc")).to_contain_text("A new rule stands before it.")
    expect(page.locator(".panel-doc .standing")).to_contain_text("This document has changed")
    assert abs(place() - before) < 2
    expect(page.locator("#rag-question")).to_be_focused()
    expect(page.locator("#rag-question")).to_have_value("A draft")

    engine.index = built("000003-c", month="April")
    look_at(page)
    expect(page.locator(".panel-doc .lost")).to_have_text(
        "This quotation is no longer in it. "
        "The document said: “Unused annual leave lapses in March.”"
    )
    expect(mark).to_have_count(0)
    engine.index = built("000004-d")
    look_at(page)
    expect(mark).to_be_visible()
    expect(page.locator(".panel-doc .lost")).to_have_count(0)
    engine.index = FakeEngine([markdown("1.md", "Another", "# Another\n\nText.\n")], "000005-e")
    look_at(page)
    expect(page.locator(".panel-doc")).to_have_text("0.md is no longer in the library.")


def test_a_question_is_asked_again_as_it_was(visit: Visitor, engine: Followed) -> None:
    visited = visit(engine.url)
    page = visited.page
    visited.ask(QUESTION)
    visited.ask("And when does it lapse?")
    engine.index = index("000002-b", "April")
    look_at(page)
    with questions(page) as sent:
        page.locator(".turn").nth(1).locator(".old button").click()
        expect(page.locator(".turn.settled")).to_have_count(3)
    assert sent == [("And when does it lapse?", [QUESTION])]
