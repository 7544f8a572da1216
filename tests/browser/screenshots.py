"""Pictures of the chat at every width, in light and dark: `python screenshots.py FOLDER`.

Over the bundled corpus, with default settings. Look at them before you change how the page looks.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from browsing import CORPUS, Visit, build, find_chromium, open_index
from playwright.sync_api import Browser, sync_playwright

from rag.chat import page as chat

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


def library(visit: Visit) -> None:
    visit.page.locator("[data-do=panel]").click()


SCENES: tuple[Callable[[Visit], None], ...] = (empty, answer, source, pdf_page, abstention, library)


def shoot(browser: Browser, url: str, folder: Path) -> None:
    """Take every scene at every width, in light and dark."""
    for name, (width, height) in WIDTHS.items():
        for scheme in ("light", "dark"):
            for scene in SCENES:
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


def main(folder: Path) -> None:
    """Index the bundled corpus, serve it, take the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        index = Path(scratch) / "index"
        build(CORPUS, index)
        engine = open_index(index)
        page = chat.build_page(engine, CORPUS)
        url = chat.serve(page, "127.0.0.1", 0)
        browser = playwright.chromium.launch(**find_chromium())
        shoot(browser, url, folder)
        browser.close()
        page.close(verbose=False)
        engine.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
