"""Pictures of the chat at every width, in light and dark: `python screenshots.py FOLDER`.

Over the bundled corpus with default settings but for the reader; for the library, documents in
every state are added to it. Look at them before you change how the page looks.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from browsing import CORPUS, Visit, build, find_chromium, open_index
from playwright.sync_api import Browser, sync_playwright

from rag.chat import page as chat
from rag.chat.library_service import LibraryService
from rag.settings import Settings

WIDTHS = {"phone": (360, 740), "desk": (1280, 800), "wide": (2560, 1440)}
ANSWERED = "How many unused days of annual leave can I carry over?"
IN_A_PDF = "How many written quotes does a purchase of 5,000 crowns need?"
UNANSWERED = "Which dragons guard the moon palace?"


def empty(visit: Visit) -> None:
    visit.page.locator("#rag-question").blur()


def answer(visit: Visit) -> None:
    visit.ask(ANSWERED)


def source(visit: Visit) -> None:
    visit.ask(ANSWERED)
    visit.page.locator(".cite").first.click()


def pdf_page(visit: Visit) -> None:
    visit.ask(IN_A_PDF)
    visit.page.locator(".source").last.click()
    visit.page.locator("[data-do=view]").click()


def abstention(visit: Visit) -> None:
    visit.ask(UNANSWERED)


def documents(visit: Visit) -> None:
    visit.page.locator("[data-do=panel]").click()


def library(visit: Visit) -> None:
    visit.page.locator("[data-view=library]").click()
    visit.page.locator(".lib-table tbody tr").first.wait_for()


def library_source(visit: Visit) -> None:
    library(visit)
    visit.page.locator("button.title", has_text="Remote Work (2025)").click()


def library_changes(visit: Visit) -> None:
    library(visit)
    visit.page.locator("[data-lib=changes]").click()
    visit.page.locator(".change summary").first.click()


def empty_corpus(visit: Visit) -> None:
    empty(visit)


def empty_library(visit: Visit) -> None:
    visit.page.locator("[data-view=library]").click()
    visit.page.locator(".lib-empty").wait_for()


Scene = Callable[[Visit], None]
SCENES: tuple[Scene, ...] = (
    empty, answer, source, pdf_page, abstention, documents, library, library_source,
    library_changes,
)  # fmt: skip
SCENES_WITHOUT_DOCUMENTS: tuple[Scene, ...] = (empty_corpus, empty_library)


def shoot(browser: Browser, url: str, folder: Path, scenes: tuple[Scene, ...]) -> None:
    """Take the scenes at every width, in light and dark."""
    for name, (width, height) in WIDTHS.items():
        for scheme in ("light", "dark"):
            for scene in scenes:
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,
                    reduced_motion="reduce",
                )
                visit = Visit(context.new_page())
                visit.page.goto(url)
                visit.page.locator(".rag[data-ready]").wait_for()
                scene(visit)
                visit.page.wait_for_timeout(900)
                visit.page.screenshot(path=folder / f"{scene.__name__}-{name}-{scheme}.png")
                context.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a page over `corpus` and `index` in a folder, with a library to change."""
    settings = Settings(corpus=folder / "corpus", index=folder / "index")
    engine = open_index(settings.index)
    service = LibraryService(engine, settings)
    page = chat.build_page(engine, settings.corpus, library=service)
    try:
        yield chat.serve(page, "127.0.0.1", 0)
    finally:
        page.close(verbose=False)
        service.close()
        engine.close()


def build_library(folder: Path) -> None:
    """Two generations of the bundled corpus, with documents in every state."""
    corpus = folder / "corpus"
    shutil.copytree(CORPUS, corpus)
    (corpus / "handbook" / "signed-contract.pdf").write_bytes(b"%PDF-1.4, or what was left of it")
    (corpus / "handbook" / "old-rules.doc").write_bytes(b"of a kind that no loader reads")
    changed = corpus / "handbook" / "annual-leave.md"
    now = changed.read_text("utf-8")
    changed.write_text(now.replace("up to five unused days", "up to three unused days"), "utf-8")
    build(corpus, folder / "index")
    changed.write_text(now, "utf-8")
    build(corpus, folder / "index")
    (corpus / "handbook" / "bicycles.md").write_text("# Bicycles\n\nThey have a shed.\n", "utf-8")
    (corpus / "handbook" / "ai-tools.md").unlink()


def main(folder: Path) -> None:
    """Index the bundled corpus and an empty one, serve them, take the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        full, none = Path(scratch, "full"), Path(scratch, "none")
        build_library(full)
        (none / "corpus").mkdir(parents=True)
        build(none / "corpus", none / "index")
        browser = playwright.chromium.launch(**find_chromium())
        with served(full) as url:
            shoot(browser, url, folder, SCENES)
        with served(none) as url:
            shoot(browser, url, folder, SCENES_WITHOUT_DOCUMENTS)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
