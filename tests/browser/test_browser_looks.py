"""The page at every width, in light and dark, while it is rebuilt, and when things go wrong."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from browsing import CORPUS, Server, Visitor, build, open_index
from playwright.sync_api import Page, expect

from rag.chat import page as chat_page
from rag.chat.desk import Desk
from rag.errors import IndexDamaged
from rag.live import LiveIndex

pytestmark = pytest.mark.browser

ANSWERED = "How many unused days of annual leave can I carry over?"
UNANSWERED = "Which dragons guard the moon palace?"


def assert_fits(page: Page) -> None:
    """Nothing sticks out of the window, and nothing scrolls sideways but tables and code."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for part in (".bar", ".scroll", ".panel-bar", ".panel-doc", ".panel-list"):
        assert page.locator(part).evaluate("node => node.scrollWidth <= node.clientWidth")


@pytest.mark.parametrize("width", [360, 768, 1280, 2560])
def test_it_fits_every_width(visit: Visitor, sample_url: str, width: int) -> None:
    visited = visit(sample_url, width, 740)
    page = visited.page
    visited.ask(ANSWERED)
    assert_fits(page)
    page.locator(".cite").first.click()
    expect(page.locator(".panel-doc mark.active").first).to_be_in_viewport()
    assert_fits(page)
    page.keyboard.press("Escape")
    visited.ask("How many written quotes does a purchase of 5,000 crowns need?")
    page.locator(".turn").last.locator(".cite").first.click()
    page.locator("[data-do=view]").click()
    expect(page.locator(".panel-page .hit.active").first).to_be_in_viewport()
    assert_fits(page)


def test_the_bar_is_within_reach_at_every_width(
    visit: Visitor, sample: LiveIndex, serve: Server, tmp_path: Path, servers: ExitStack
) -> None:
    desk = Desk(tmp_path)
    servers.callback(desk.close)
    served = chat_page.build_page(sample, CORPUS, desk)
    servers.callback(served.close, verbose=False)
    visited = visit(chat_page.serve(served, "127.0.0.1", 0), 1280, 600)
    visited.ask(ANSWERED)
    for width in (*range(320, 1300, 15), 1600, 2000, 2560):
        visited.page.set_viewport_size({"width": width, "height": 600})
        outside = visited.page.locator(".bar button:visible").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect())"
            ".filter(one => one.left < 0 || one.right > innerWidth).length"
        )
        assert (width, outside) == (width, 0)


WORD = "Donaudampfschiff" * 12


def test_words_without_end_are_broken(visit: Visitor, serve: Server, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "long.md").write_text(
        f"---\ntitle: {WORD}\n---\n# {WORD}\n\n## {WORD}\n\n"
        f"The code of the zeppelin hangar is {WORD}.\n",
        "utf-8",
    )
    build(tmp_path / "corpus", tmp_path / "index")
    engine = open_index(tmp_path / "index")
    visited = visit(serve(engine), 360, 740)
    page = visited.page

    def assert_broken() -> None:
        wide = page.locator(".rag *:visible").evaluate_all(
            "all => all.filter(one => one.getBoundingClientRect().right > innerWidth"
            " || one.matches('.card *, .scroll') && one.scrollWidth > one.clientWidth + 1"
            ").map(one => one.className)"
        )
        assert wide == []

    visited.ask("What is the code of the zeppelin hangar?")
    assert_broken()
    page.locator(".cite").first.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(page.locator(".card")).to_be_visible()
    assert_broken()
    visited.ask(f"And what is {WORD}?")
    expect(page.locator(".understood").last).to_be_visible()
    assert_broken()
    visited.ask(UNANSWERED)
    assert_broken()
    page.locator("[data-do=panel]").click()
    assert_broken()
    engine.close()


def test_on_a_phone_the_source_is_a_sheet_over_the_conversation(
    visit: Visitor, sample_url: str
) -> None:
    visited = visit(sample_url, 360, 740, has_touch=True)
    page = visited.page
    visited.ask(ANSWERED)
    expect(page.locator(".panel")).to_be_hidden()
    page.locator(".cite").first.tap()
    expect(page.locator(".panel-doc mark.active").first).to_be_in_viewport()
    assert page.locator(".talk").evaluate("node => node.inert")
    page.touchscreen.tap(180, 20)
    expect(page.locator(".panel")).to_be_hidden()
    assert not page.locator(".talk").evaluate("node => node.inert")


def test_dark_follows_the_system_and_can_be_switched(visit: Visitor, sample_url: str) -> None:
    page = visit(sample_url, color_scheme="dark").page

    def brightness() -> int:
        colour = page.locator(".rag").evaluate("node => getComputedStyle(node).backgroundColor")
        return sum(int(part) for part in re.findall(r"\d+", colour)[:3])

    assert brightness() < 150
    page.locator("[data-do=theme]").click()
    assert brightness() > 600
    page.reload()
    expect(page.locator(".rag[data-ready]")).to_be_visible()
    assert brightness() > 600


def test_the_first_paint_takes_less_than_two_seconds(visit: Visitor, sample_url: str) -> None:
    page = visit(sample_url).page
    page.reload()
    expect(page.locator(".rag[data-ready]")).to_be_visible()
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert painted < 2_000


def test_the_page_follows_a_rebuild(
    visit: Visitor, bundled_index: Path, serve: Server, tmp_path: Path
) -> None:
    corpus, index = tmp_path / "corpus", tmp_path / "index"
    shutil.copytree(CORPUS, corpus)
    shutil.copytree(bundled_index, index)
    engine = open_index(index)
    visited = visit(serve(engine))
    before = len(engine.documents())
    expect(visited.page.locator(".facts")).to_contain_text(f"{before} documents")
    (corpus / "parking.md").write_text(
        "# Parking\n\nBicycles may be parked in the blue shed behind the harbour gate.\n", "utf-8"
    )
    build(corpus, index)
    time.sleep(0.6)
    visited.ask("Where may bicycles be parked?")
    expect(visited.page.locator(".answer-text")).to_contain_text("blue shed")
    expect(visited.page.locator(".facts")).to_contain_text(f"{before + 1} documents")
    expect(visited.page.locator(".panel-doc mark.active")).to_contain_text("blue shed")
    engine.close()


class Failing:
    """An engine that has been damaged since the page was built."""

    generation, created, snapshot = "g1", "2026-11-24T21:45:00Z", None
    broken = True

    def documents(self) -> list[Any]:
        return []

    def ask(self, question: str, history: object = (), *, where: object = None) -> Any:
        if self.broken:
            raise IndexDamaged("vectors.npy is missing: run `rag build`")
        raise ValueError("a defect")


def test_an_error_is_one_friendly_line(visit: Visitor, serve: Server) -> None:
    visited = visit(serve(Failing()))  # type: ignore[arg-type]
    visited.ask("Why?")
    expect(visited.page.locator(".reply .error")).to_contain_text(
        "vectors.npy is missing: run `rag build`"
    )
    expect(visited.page.locator("[data-retry]")).to_be_visible()


def test_a_server_that_fails_and_one_that_is_away_are_told_apart(
    visit: Visitor, serve: Server
) -> None:
    engine = Failing()
    engine.broken = False
    visited = visit(serve(engine))  # type: ignore[arg-type]
    error = visited.page.locator(".reply .error").last
    visited.ask("Why?")
    expect(error).to_contain_text("Something went wrong on the server; its log says more.")
    visited.problems.clear()  # The browser reports the status 500.
    with visited.offline():
        visited.ask("Why not?")
        expect(error).to_contain_text("The server did not answer. Is it still running?")


def test_an_index_without_documents_says_so(visit: Visitor, serve: Server) -> None:
    page = visit(serve(Failing())).page  # type: ignore[arg-type]
    expect(page.locator(".facts")).to_contain_text("0 documents")
    expect(page.locator(".empty")).to_contain_text("no documents")
    expect(page.locator(".tryout")).to_be_hidden()
