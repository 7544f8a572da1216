"""A page that is open, and answers that were given, while the index is built anew."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from browsing import Visitor
from chat_fake import FakeEngine, markdown
from playwright.sync_api import Page, expect

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
