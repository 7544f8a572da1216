"""The owner signs in once, by link or by hand, for what people said and for the library."""

from __future__ import annotations

import pytest
from browsing import Visitor, open_list
from libraries import Library, Make, rows
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PASSWORD = "correct horse"
REMOVE = "[data-lib=delete]"


@pytest.fixture
def library(make: Make) -> Library:
    return make(library="owner", conversations="beside")


def show(page: Page, view: str) -> None:
    page.locator(f".views [data-view={view}]").click()


def send(page: Page, secret: str) -> None:
    page.locator("#rag-secret").fill(secret)
    page.keyboard.press("Enter")


def link(library: Library, key: str = "", address: str = "") -> str:
    return f"{library.url}{address}#owner={key or library.service.owner.key}"


def expect_locked(page: Page) -> None:
    """In both places; ends in the library."""
    show(page, "talk")
    open_list(page)
    expect(page.locator("[data-do=review]")).to_be_hidden()
    page.keyboard.press("Escape")
    show(page, "library")
    expect(page.locator("[data-lib=sign]")).to_have_text("Sign in as owner")
    expect(page.locator(REMOVE)).to_have_count(0)


def test_the_link_signs_in_for_both_and_its_key_is_gone(visit: Visitor, library: Library) -> None:
    page = visit(link(library)).page
    expect(page.locator(".review")).to_be_visible()
    expect(page.locator(".reviewed section")).to_have_count(2)
    key = library.service.owner.key
    assert "owner" not in page.url
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, history.state])")
    assert key not in kept
    page.keyboard.press("Escape")
    show(page, "library")
    expect(page.locator(REMOVE).first).to_be_visible()
    page.reload()
    expect(page.locator(REMOVE).first).to_be_visible()
    page.locator("[data-lib=sign]").click()
    expect_locked(page)
    assert library.service.owner.key not in page.content()


def test_the_link_works_in_a_page_that_is_open_in_the_library(
    visit: Visitor, library: Library
) -> None:
    page = library(visit)
    expect(page.locator(REMOVE)).to_have_count(0)
    page.goto(link(library, address="?view=library"))
    expect(page.locator(".review")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(REMOVE).first).to_be_visible()


def test_a_wrong_link_opens_nothing_but_the_box(visit: Visitor, library: Library) -> None:
    page = visit(link(library, "wrong")).page
    expect(page.locator("#rag-sign-wrong")).to_have_text("That is not the owner's key.")
    assert "wrong" not in page.url
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".review")).to_be_hidden()
    expect_locked(page)


def test_the_password_is_typed_in_the_list_of_conversations(
    visit: Visitor, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_OWNER_PASSWORD", PASSWORD)
    library = make(library="owner", conversations="beside")
    page = library(visit)
    show(page, "talk")
    open_list(page)
    sign = page.locator("[data-do=sign]")
    sign.click()
    expect(page.get_by_label("Password")).to_be_focused()
    send(page, "wrong")
    expect(page.locator("#rag-sign-wrong")).to_have_text("That is not the owner's password.")
    send(page, PASSWORD)
    expect(page.locator(".signing")).to_be_hidden()
    expect(sign).to_have_text("Sign out")
    expect(sign).to_be_focused()
    page.locator("[data-do=review]").click()
    expect(page.locator(".reviewed section")).to_have_count(2)
    page.keyboard.press("Escape")
    show(page, "library")
    expect(page.locator(REMOVE).first).to_be_visible()
    show(page, "talk")
    open_list(page)
    sign.click()
    expect(sign).to_have_text("Sign in as owner")
    page.keyboard.press("Escape")
    expect_locked(page)
    other = visit(link(library)).page
    expect(other.locator(".review")).to_be_visible()


def test_the_key_is_typed_in_the_library_where_there_is_no_password(
    visit: Visitor, library: Library
) -> None:
    page = library(visit)
    page.locator("[data-lib=sign]").click()
    expect(page.get_by_label("Key: the end of the owner's link")).to_be_focused()
    send(page, library.service.owner.key)
    expect(page.locator(REMOVE).first).to_be_visible()
    show(page, "talk")
    open_list(page)
    page.locator("[data-do=review]").click()
    expect(page.locator(".reviewed section")).to_have_count(2)


def test_a_session_that_is_over_leads_back_to_the_box(visit: Visitor, library: Library) -> None:
    page = visit(link(library)).page
    expect(page.locator(".review")).to_be_visible()
    page.keyboard.press("Escape")
    library.service.owner.clock = lambda: float("inf")
    open_list(page)
    page.locator("[data-do=review]").click()
    expect(page.locator("#rag-sign-wrong")).to_contain_text("sign in first")
    page.keyboard.press("Escape")
    expect_locked(page)
    expect(rows(page).first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_where_one_signs_in(
    visit: Visitor, library: Library, scheme: str, width: int
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    looks = {"color_scheme": scheme, "reduced_motion": "reduce"}
    page = visit(link(library, "wrong"), width, 740, **looks).page

    def check() -> None:
        found = axe.Axe().run(page).response["violations"]
        assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    expect(page.locator("#rag-sign-wrong")).not_to_be_empty()
    check()
    send(page, library.service.owner.key)
    expect(page.locator(".signing")).to_be_hidden()
    open_list(page)
    expect(page.locator("[data-do=review]")).to_be_visible()
    check()
