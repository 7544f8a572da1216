"""The library: documents come and go, and the index is rebuilt."""

from __future__ import annotations

import re

import pytest
from browsing import Visitor, listen
from libraries import SLOW_WORKER, Make, choose
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


# Uploads and deletions


def test_files_are_uploaded_each_with_its_own_fate(visit: Visitor, make: Make) -> None:
    library = make()
    page = library(visit)
    listen(page)
    choose(
        page, ("shifts.md", b"# Shifts\n\nNights are paid double."), ("tool.exe", b"x"),
        ("leave.md", b"# New leave"), ("travel.txt", b"New travel"), folder="handbook",
    )  # fmt: skip
    fates = page.locator(".lib-files li")
    expect(fates.nth(0)).to_contain_text("saved")
    expect(fates.nth(1)).to_contain_text(".exe files are not supported")
    expect(fates.nth(2)).to_contain_text("is there already")
    assert (library.corpus / "handbook" / "shifts.md").read_bytes().startswith(b"# Shifts")
    assert (library.corpus / "handbook" / "leave.md").read_text().endswith("a year.\n")
    page.wait_for_function("window.said.length > 0")
    assert page.evaluate("window.said") == ["Uploads: 1 saved, 1 refused, 2 already there"]
    page.get_by_role("button", name="Keep travel.txt").click()
    expect(fates.nth(3)).to_contain_text("kept as it was")
    page.get_by_role("button", name="Replace leave.md").click()
    expect(fates.nth(2)).to_contain_text("saved")
    assert (library.corpus / "handbook" / "leave.md").read_bytes() == b"# New leave"
    assert (library.corpus / "handbook" / "travel.txt").read_bytes().startswith(b"Travel policy")
    expect(page.locator(".lib-now")).to_have_text("Waiting for a rebuild: 1 new, 1 changed.")
    page.get_by_role("button", name="Close the list of uploads").click()
    expect(page.locator(".lib-uploads")).to_be_hidden()


def test_files_can_be_dropped_and_the_page_stays(visit: Visitor, make: Make) -> None:
    library = make()
    page = library(visit)
    dropped = """(type) => {
      const data = new DataTransfer();
      data.items.add(new File(["# Dropped"], "dropped.md"));
      document.body.dispatchEvent(new DragEvent(type, {
        dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(dropped, "dragenter")
    expect(page.locator(".lib-drop")).to_be_visible()
    page.evaluate(dropped, "drop")
    expect(page.locator(".lib-drop")).to_be_hidden()
    expect(page.locator(".lib-chosen")).to_contain_text("dropped.md")
    page.locator(".lib-into [value=yes]").click()
    expect(page.locator(".lib-files li")).to_contain_text("saved")
    assert (library.corpus / "dropped.md").read_bytes() == b"# Dropped"


def test_an_upload_can_be_called_off(visit: Visitor, make: Make) -> None:
    library = make()
    page = library(visit)
    page.locator(".lib-chooser").set_input_files(
        [{"name": "a.md", "mimeType": "", "buffer": b"# A"}]
    )
    page.keyboard.press("Escape")
    expect(page.locator(".lib-uploads")).to_be_hidden()
    assert not (library.corpus / "a.md").exists()


def test_a_document_is_deleted_only_after_confirmation(visit: Visitor, make: Make) -> None:
    library = make()
    page = library(visit)
    button = page.get_by_role("button", name="Delete Parking")
    button.click()
    expect(page.locator(".lib-ask")).to_contain_text("rules/parking.md")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".lib-ask")).to_be_hidden()
    expect(button).to_be_focused()
    assert (library.corpus / "rules" / "parking.md").exists()
    button.click()
    page.get_by_role("button", name="Delete", exact=True).click()
    row = page.locator("tr", has_text="Parking")
    expect(row).to_contain_text("Deleted, answers until the next rebuild")
    expect(button).to_have_count(0)
    assert not (library.corpus / "rules" / "parking.md").exists()
    assert page.evaluate("document.activeElement.closest('.library') !== null")


# Rebuilds


def test_a_rebuild_shows_true_progress_that_outlives_a_reload(visit: Visitor, make: Make) -> None:
    library = make(worker=SLOW_WORKER)
    page = library(visit)
    page.locator(".lib-tools [data-lib=rebuild]").click()
    bar = page.get_by_role("progressbar", name="Rebuild")
    expect(page.locator(".lib-now")).to_contain_text(
        re.compile(r"Rebuilding: embedding, \d+ s left")
    )
    before = int(bar.get_attribute("aria-valuenow") or 0)
    page.reload()
    expect(page.locator(".lib-now")).to_contain_text("embedding")
    page.wait_for_function(
        "before => Number(document.querySelector('.lib-bar').ariaValueNow) > before", arg=before
    )
    expect(page.locator("[data-lib=rebuild]")).to_be_hidden()
    other = library(visit)
    expect(other.locator(".lib-now")).to_contain_text("embedding")
    page.locator("[data-lib=stop]").click()
    expect(page.locator(".lib-now")).to_contain_text("The build was stopped")
    expect(other.locator(".lib-now")).to_contain_text("The build was stopped")
    page.locator("[data-lib=dismiss]").click()
    expect(page.locator(".lib-build")).to_be_hidden()
    expect(page.locator(".lib-tools [data-lib=rebuild]")).to_be_visible()


@pytest.mark.slow
def test_after_a_rebuild_the_report_and_the_changes_are_there(visit: Visitor, make: Make) -> None:
    library = make()
    (library.corpus / "handbook" / "travel.txt").write_text(
        "Travel policy\n\nTrips are booked by the finance office.\n", "utf-8"
    )
    (library.corpus / "rules" / "long.md").write_text(f"# {'Long' * 50}\n\nText.\n", "utf-8")
    page = library(visit, 360, 740)
    listen(page)
    page.locator("[data-lib=rebuild-now]").click()
    expect(page.locator(".lib-now")).to_contain_text("1 added, 1 changed, 1 failed", timeout=60_000)
    expect(page.locator(".lib-report details[open]")).to_contain_text("broken.pdf")
    expect(page.locator(".lib-states [data-state=waiting]")).to_be_hidden()
    page.wait_for_function("window.said.length > 1")
    assert [words.split(" in ")[0] for words in page.evaluate("window.said")] == [
        "Rebuilding", "Rebuilt",
    ]  # fmt: skip
    page.locator("[data-lib=changes]").click()
    page.locator(".lib-changes .change summary").click()
    expect(page.locator(".lib-changes del")).to_have_text("travel")
    expect(page.locator(".lib-changes ins")).to_have_text("finance")
    assert page.locator(".lib-changes").evaluate("node => node.scrollWidth <= node.clientWidth")
    page.reload()
    expect(page.locator(".lib-now")).to_contain_text("1 changed, 1 failed")
