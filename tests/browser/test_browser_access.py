"""The page checked by axe-core, in light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from browsing import Visitor
from playwright.sync_api import Page, expect

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

pytestmark = pytest.mark.browser

ANSWERED = "How many unused days of annual leave can I carry over?"
UNANSWERED = "Which dragons guard the moon palace?"


def violations(page: Page) -> list[str]:
    found = axe.Axe().run(page).response["violations"]
    return [f"{entry['id']}: {entry['nodes'][0]['html'][:200]}" for entry in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit: Visitor, sample_url: str, scheme: str, width: int) -> None:
    visited = visit(sample_url, width, 740, color_scheme=scheme, reduced_motion="reduce")
    page = visited.page
    assert violations(page) == []
    visited.ask(UNANSWERED)
    visited.ask(ANSWERED)
    assert violations(page) == []
    page.locator(".cite").first.click()
    expect(page.locator(".panel-doc mark.active").first).to_be_in_viewport()
    assert violations(page) == []
    page.locator(".panel [data-do=list]").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator("[data-do=help]").click()
    assert violations(page) == []
