"""The library: looking through the documents, and changing them."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browsing import Visit, Visitor, build, listen
from playwright.sync_api import Locator, Page, expect

from rag.chat import page as chat
from rag.chat.library_builds import Builds
from rag.chat.library_service import LibraryService
from rag.live import LiveIndex
from rag.settings import Settings

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

pytestmark = pytest.mark.browser

RUNS = "window.hacked=1"
HOSTILE = f"<img src=x onerror={RUNS}>&quot;.md"
TURNED = "leave\u202efdp.md"
LONG = "x" * 247 + ".md"
DOCUMENTS = {
    "handbook/leave.md": "---\ntitle: Annual leave\neffective_date: 2025-01-01\n"
    "review_date: 2020-01-01\n---\n# Annual leave\n\nStaff get 13 days of annual leave a year.\n",
    "handbook/travel.txt": "Travel policy\n\nTrips are booked by the travel office.\n",
    "rules/parking.md": "# Parking\n\nCars are parked behind the gate of the harbour.\n",
    f"rules/{HOSTILE}": f"---\ntitle: '<script>{RUNS}</script>'\n---\n# A\n\nText of a document.\n",
    f"rules/{TURNED}": "# Turned \u202e name\n\nText of a document.\n",
    LONG: "# Long name\n\nText of a document.\n",
    "broken.pdf": "%PDF-1.4",
}
SLOW_WORKER = """
import json, sys, time
sys.stdin.readline()
for share in range(100):
    line = {"stage": "embedding", "share": share / 100, "remaining": 100 - share}
    print(json.dumps(line), flush=True)
    time.sleep(0.3)
"""


@dataclass(frozen=True)
class Library:
    """A page over a folder of its own."""

    url: str
    corpus: Path
    service: LibraryService

    def __call__(self, visit: Visitor, *size: int, **options: Any) -> Page:
        visited: Visit = visit(f"{self.url}?view=library", *size, **options)
        expect(visited.page.locator(".lib-none")).not_to_contain_text("Looking")
        return visited.page


Make = Callable[..., Library]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    for name, text in DOCUMENTS.items():
        path = folder / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    build(folder / "corpus", folder / "index")
    return folder


@pytest.fixture
def make(original: Path, tmp_path: Path, servers: ExitStack) -> Make:
    """Serve a copy of the library; with `worker`, builds are played by that script."""

    def start(worker: str = "", folder: Path = original, **more: Any) -> Library:
        shutil.copytree(folder, tmp_path / "own")
        settings = Settings(
            corpus=tmp_path / "own" / "corpus", index=tmp_path / "own" / "index", reader=False,
            threads=1, **more,
        )  # fmt: skip
        engine = LiveIndex(settings.index, settings)
        servers.callback(engine.close)
        builds = Builds(settings, command=[sys.executable, "-c", worker]) if worker else None
        service = LibraryService(engine, settings, builds)
        servers.callback(service.close)
        page = chat.build_page(engine, settings.corpus, None, service)
        servers.callback(page.close, verbose=False)
        return Library(chat.serve(page, "127.0.0.1", 0), settings.corpus, service)

    return start


def rows(page: Page) -> Locator:
    return page.locator(".lib-table tbody tr")


def choose(page: Page, *files: tuple[str, bytes], folder: str = "") -> None:
    page.locator(".lib-chooser").set_input_files(
        [{"name": name, "mimeType": "", "buffer": content} for name, content in files]
    )
    page.locator("#rag-folder").fill(folder)
    page.locator(".lib-into [value=yes]").click()


def test_the_library_is_a_view_of_its_own_with_an_address(visit: Visitor, make: Make) -> None:
    library = make()
    page = visit(library.url).page
    page.locator(".views [data-view=library]").click()
    expect(page.locator(".talk")).to_be_hidden()
    expect(rows(page)).to_have_count(len(DOCUMENTS))
    expect(page.locator(".lib-count")).to_have_text(f"{len(DOCUMENTS)} documents")
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
    page.wait_for_function("window.said.includes('1 document')")
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
    page = library(visit)
    listen(page)
    page.locator("[data-lib=rebuild-now]").click()
    expect(page.locator(".lib-now")).to_contain_text("1 changed, 1 failed", timeout=60_000)
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
    page.reload()
    expect(page.locator(".lib-now")).to_contain_text("1 changed, 1 failed")


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
    expect(page.locator(".lib-sign")).to_be_hidden()
    expect(page.locator("[data-lib=delete]").first).to_be_visible()
    page.reload()
    expect(page.locator("[data-lib=delete]").first).to_be_visible()
    page.locator("[data-lib=sign]").click()
    expect(page.locator("[data-lib=delete]")).to_have_count(0)


def test_the_keyboard_is_enough(visit: Visitor, make: Make) -> None:
    library = make()
    page = visit(library.url).page
    page.locator(".views [data-view=talk]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(len(DOCUMENTS))
    focused: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => {
              const node = document.activeElement;
              const style = getComputedStyle(node);
              const shows = style.outlineStyle !== "none" || style.boxShadow !== "none";
              const name = node.dataset.lib || node.dataset.sort || node.dataset.document || node.id
                || node.className || node.dataset.do;
              return shows ? String(name) : `no focus to be seen: ${name}`;
            }"""
        )
        focused.append(name)
        if name == "delete":
            break
    assert not [name for name in focused if name.startswith("no focus")]
    wanted = ["changes", "rebuild", "choose", "rag-lib-search", "lib-collection", "title", "state"]
    assert [name for name in focused if name in wanted] == wanted
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("tr.s-waiting")).to_have_count(1)


def test_names_and_titles_are_inert(visit: Visitor, make: Make) -> None:
    library = make()
    (library.corpus / "rules" / "new\nline.md").write_text("# A", "utf-8")
    page = library(visit)
    expect(page.locator("tr", has_text="new\\nline.md")).to_contain_text("cannot be printed")
    expect(page.locator("tr", has_text=f"<script>{RUNS}</script>")).to_contain_text(HOSTILE)
    expect(page.locator("tr", has_text="leave⟨U+202E⟩fdp.md")).to_have_count(1)
    expect(page.locator("tr", has_text=LONG)).to_have_count(1)
    page.get_by_role("button", name=f"Delete <script>{RUNS}</script>").click()
    expect(page.locator(".lib-doomed")).to_contain_text(HOSTILE)
    page.keyboard.press("Escape")
    choose(page, (HOSTILE.replace("/", ""), b"# A"))
    expect(page.locator(".lib-files li")).to_contain_text("_img src=x onerror=")
    assert page.evaluate("window.hacked") is None
    assert page.locator(".library :is(img, script, iframe, link, style, b)").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_empty_library_invites(visit: Visitor, make: Make, tmp_path: Path) -> None:
    (tmp_path / "none" / "corpus").mkdir(parents=True)
    build(tmp_path / "none" / "corpus", tmp_path / "none" / "index")
    page = make(folder=tmp_path / "none")(visit)
    expect(page.locator(".lib-empty")).to_contain_text("Nothing here yet")
    expect(page.locator(".lib-find")).to_be_hidden()
    choose(page, ("first.md", b"# First"))
    expect(rows(page)).to_have_count(1)
    expect(page.locator(".lib-empty")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 768, 1280, 2560])
def test_it_fits_every_width(visit: Visitor, make: Make, width: int) -> None:
    page = make()(visit, width, 740)

    def fits() -> bool:
        return bool(
            page.evaluate(
                """() => [".library", ".lib-page", ".bar"].every((part) => {
                  const node = document.querySelector(part);
                  return node.scrollWidth <= node.clientWidth;
                }) && document.documentElement.scrollWidth <= innerWidth"""
            )
        )

    assert fits()
    choose(page, ("a.exe", b"x"), ("broken.pdf", b"x"))
    expect(page.locator(".lib-files li")).to_have_count(2)
    assert fits()
    page.locator("button.title").first.click()
    expect(page.locator(".doc-title")).to_be_visible()
    assert fits()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit: Visitor, make: Make, scheme: str, width: int) -> None:
    library = make(worker=SLOW_WORKER)
    (library.corpus / "new.md").write_text("# New", "utf-8")
    page = library(visit, width, 740, color_scheme=scheme, reduced_motion="reduce")

    def violations() -> list[str]:
        found = axe.Axe().run(page).response["violations"]
        return [f"{entry['id']}: {entry['nodes'][0]['html'][:200]}" for entry in found]

    assert violations() == []
    page.locator("[data-lib=delete]").first.click()
    assert violations() == []
    page.keyboard.press("Escape")
    choose(page, ("a.exe", b"x"), ("broken.pdf", b"x"))
    expect(page.locator(".lib-files li")).to_have_count(2)
    page.locator("[data-lib=rebuild-now]").click()
    expect(page.locator(".lib-now")).to_contain_text("embedding")
    page.locator("[data-lib=changes]").click()
    assert violations() == []
