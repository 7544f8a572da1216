"""The library when something goes wrong or comes to its end: nothing is lost, the focus least."""

from __future__ import annotations

import pytest
from browsing import Visitor
from libraries import SLOW_WORKER, Make, choose, rows
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

AWAY = "The server did not answer. Is it still running?"


def test_the_focus_goes_on_when_a_rebuild_begins_and_ends(visit: Visitor, make: Make) -> None:
    page = make(worker=SLOW_WORKER)(visit)
    page.locator(".lib-tools [data-lib=rebuild]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-lib=stop]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-lib=dismiss]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#rag-library-title")).to_be_focused()


def test_a_problem_goes_with_its_cause_and_takes_no_files(visit: Visitor, make: Make) -> None:
    library = make()
    visited = visit(f"{library.url}?view=library")
    page = visited.page
    page.clock.install()
    expect(rows(page).first).to_be_visible()
    problem = page.locator(".lib-problem")
    with visited.offline():
        page.get_by_role("button", name="Delete Parking").click()
        page.get_by_role("button", name="Delete", exact=True).click()
        expect(problem).to_have_text(AWAY)
        choose(page, ("shifts.md", b"# Shifts"), folder="handbook")
        wrong = page.locator("#rag-into-wrong")
        expect(wrong).to_have_text(AWAY)
    expect(page.locator("#rag-folder")).to_have_value("handbook")
    page.locator(".lib-into [value=yes]").click()
    expect(page.locator(".lib-files li")).to_contain_text("saved")
    assert (library.corpus / "handbook" / "shifts.md").read_bytes() == b"# Shifts"
    page.clock.run_for(11_000)
    expect(problem).to_be_hidden()
    expect(rows(page).first).to_be_visible()


def test_a_file_whose_way_was_cut_off_is_sent_again(visit: Visitor, make: Make) -> None:
    library = make()
    visited = visit(f"{library.url}?view=library")
    visited.was_offline = True
    page = visited.page
    expect(rows(page).first).to_be_visible()
    page.route("**/library/files*", lambda route: route.abort("internetdisconnected"))
    choose(page, ("shifts.md", b"# Shifts"))
    line = page.locator(".lib-files li")
    expect(line).to_contain_text("did not arrive: the connection broke off")
    page.unroute("**/library/files*")
    page.get_by_role("button", name="Try again shifts.md").click()
    expect(line).to_contain_text("saved")
    expect(line.locator("button")).to_have_count(0)
    assert (library.corpus / "shifts.md").read_bytes() == b"# Shifts"


def test_no_row_that_has_the_focus_lies_under_the_head(visit: Visitor, make: Make) -> None:
    page = make()(visit, 1280, 420)
    last = rows(page).last.locator("button").last
    last.focus()
    for _ in range(6):
        page.keyboard.press("Shift+Tab")
        hidden = page.evaluate(
            """() => {
              const at = document.activeElement.getBoundingClientRect();
              const head = document.querySelector(".lib-table thead th").getBoundingClientRect();
              return document.activeElement.closest("tbody") && at.top < head.bottom;
            }"""
        )
        assert not hidden


def test_what_can_be_chosen_looks_like_it(visit: Visitor, make: Make) -> None:
    page = make()(visit)
    arrow = "node => getComputedStyle(node).backgroundImage.startsWith('url')"
    assert page.locator(".lib-collection").evaluate(arrow)
    page.locator("[data-view=talk]").click()
    page.locator("[data-do=filters]").click()
    select = page.locator(".choices select").first
    expect(select).to_be_visible()
    assert select.evaluate(arrow)
    soft = page.locator(".filtered").last.evaluate("node => getComputedStyle(node).color")
    hint = "node => getComputedStyle(node, '::placeholder').color"
    for field in ("#rag-question", "#rag-filter", "#rag-talks-search", "#rag-lib-search"):
        assert page.locator(field).evaluate(hint) == soft, field
