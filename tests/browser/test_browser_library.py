"""The library: looking through the documents, and who may do more than that."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import Visitor, build, listen
from libraries import DOCUMENTS, Make, choose, rows
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_library_is_a_view_of_its_own_with_an_address(visit: Visitor, make: Make) -> None:
    library = make()
    page = visit(library.url).page
    page.locator(".views [data-view=library]").click()
    expect(page.locator(".talk")).to_be_hidden()
    expect(rows(page)).to_have_count(len(DOCUMENTS))
    expect(page.locator(".lib-count")).to_have_text(
        f"{len(DOCUMENTS) - 1} documents, 1 file not read"
    )
    page.reload()
    expect(rows(page)).to_have_count(len(DOCUMENTS))
    page.locator(".views [data-view=talk]").click()
    expect(page.locator("#rag-question")).to_be_visible()
    page.go_back()
    expect(page.locator(".library")).to_be_visible()


def test_documents_are_searched_filtered_and_sorted(visit: Visitor, make: Make) -> None:
    page = make()(visit)
    listen(page)
    page.keyboard.press("/")
    page.keyboard.type("leave annual")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("1 Jan 2025")
    expect(rows(page).locator(".due")).to_contain_text("1 Jan 2020")
    page.wait_for_function("window.said.includes('1 found')")
    assert page.evaluate("window.said.length") == 1
    page.locator("#rag-lib-search").fill("")
    expect(rows(page)).to_have_count(len(DOCUMENTS))
    page.locator(".lib-states [data-state=failed]").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page).locator(".why")).to_contain_text("damaged or not a PDF")
    page.locator(".lib-states [data-state='']").click()
    page.locator(".lib-collection").select_option("handbook")
    expect(rows(page)).to_have_count(2)
    page.locator(".lib-collection").select_option("All collections")
    head = page.locator("th.c-size")
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(rows(page).first.locator(".path")).to_have_text("handbook/leave.md")
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(rows(page).first.locator(".path")).to_have_text("broken.pdf")
    page.locator("#rag-lib-search").fill("no such document")
    expect(page.locator(".lib-none")).to_be_visible()


def test_a_document_opens_beside_the_list(visit: Visitor, make: Make) -> None:
    page = make()(visit)
    button = page.locator("button.title", has_text="Annual leave")
    button.click()
    expect(page.locator(".panel .doc-title")).to_have_text("Annual leave")
    expect(rows(page).first).to_be_visible()
    expect(button).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".panel")).to_be_hidden()
    expect(button).to_be_focused()


def test_an_empty_library_invites(visit: Visitor, make: Make, tmp_path: Path) -> None:
    (tmp_path / "none" / "corpus").mkdir(parents=True)
    build(tmp_path / "none" / "corpus", tmp_path / "none" / "index")
    page = make(folder=tmp_path / "none")(visit)
    expect(page.locator(".lib-empty")).to_contain_text("Nothing here yet")
    expect(page.locator(".lib-find")).to_be_hidden()
    choose(page, ("first.md", b"# First"))
    expect(rows(page)).to_have_count(1)
    expect(page.locator(".lib-empty")).to_be_hidden()


def test_without_a_server_it_says_so_and_looks_again(visit: Visitor, make: Make) -> None:
    visited = visit(make().url)
    page = visited.page
    with visited.offline():
        page.locator(".views [data-view=library]").click()
        expect(page.locator(".lib-problem")).to_contain_text("The server did not answer.")
        expect(page.locator(".lib-none")).to_be_hidden()
    expect(rows(page)).to_have_count(len(DOCUMENTS))
    expect(page.locator(".lib-problem")).to_be_hidden()


def test_who_may_only_read_sees_nothing_to_change(visit: Visitor, make: Make) -> None:
    page = make(library="read")(visit)
    expect(rows(page)).to_have_count(len(DOCUMENTS))
    for hidden in ("rebuild", "choose", "sign"):
        expect(page.locator(f".lib-tools [data-lib={hidden}]")).to_be_hidden()
    expect(page.locator("[data-lib=delete]")).to_have_count(0)
    expect(page.locator(".lib-limits")).to_contain_text("can only be read here")


def test_the_owner_signs_in_and_out(
    visit: Visitor, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_OWNER_PASSWORD", "correct horse")
    page = make(library="owner")(visit)
    expect(page.locator("[data-lib=delete]")).to_have_count(0)
    page.locator("[data-lib=sign]").click()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#rag-sign-wrong")).to_have_text("That is not the owner's password.")
    page.keyboard.type("correct horse")
    page.keyboard.press("Enter")
    expect(page.locator(".signing")).to_be_hidden()
    expect(page.locator("[data-lib=delete]").first).to_be_visible()
    page.reload()
    expect(page.locator("[data-lib=delete]").first).to_be_visible()
    page.locator("[data-lib=sign]").click()
    expect(page.locator("[data-lib=delete]")).to_have_count(0)
