"""What the browser tests share: one visit of the page, and engines behind it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any

from playwright.sync_api import Page, expect

from rag.live import LiveIndex
from rag.settings import load_settings

CHROMIUM_OPTIONS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
CORPUS = Path(__file__).parents[2] / "corpus"

expect.set_options(timeout=10_000)


@dataclass
class Visit:
    """One open page, with all that it asked for and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    was_offline: bool = False

    def complain(self, problem: str) -> None:
        """Note a problem; that there is no network is none where a test took it away.

        The browser may say so only after the network is back.
        """
        if not (self.was_offline and "ERR_INTERNET_DISCONNECTED" in problem):
            self.problems.append(problem)

    def ask(self, question: str) -> None:
        """Ask and wait until the answer is there."""
        settled = self.page.locator(".turn.settled").count()
        self.page.locator("#rag-question").fill(question)
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".turn.settled")).to_have_count(settled + 1)

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Without the server for a while."""
        self.was_offline = True
        self.page.context.set_offline(True)
        try:
            yield
        finally:
            self.page.context.set_offline(False)


Visitor = Callable[..., Visit]
Server = Callable[..., str]


def listen(page: Page) -> None:
    """From now on, note what is announced to screen readers in `window.said`."""
    page.evaluate(
        """() => {
          const status = document.querySelector(".rag > [role=status]");
          window.said = [];
          new MutationObserver(() => status.textContent && window.said.push(status.textContent))
            .observe(status, { childList: true });
        }"""
    )


def find_chromium() -> dict[str, Any]:
    """How Playwright has to start the Chromium of this machine; the path is None without one."""
    path = which("chromium") or which("chromium-browser") or which("google-chrome")
    return {"executable_path": path, "args": CHROMIUM_OPTIONS}


def open_index(index: Path) -> LiveIndex:
    """The engine behind the page; without the reader, for the page does not care how it reads."""
    return LiveIndex(index, load_settings({"index": index, "reader": False}).settings)


def build(corpus: Path, index: Path) -> None:
    """Build an index as anybody would: by the command, in a process of its own."""
    command = [sys.executable, "-m", "rag", "build", str(corpus), "--index", str(index)]
    subprocess.run(command, check=True, capture_output=True)


def ready(page: Page) -> None:
    """Wait until the page can be used."""
    expect(page.locator(".rag[data-ready]")).to_be_visible()


def open_list(page: Page) -> None:
    """Open the list of kept conversations."""
    page.locator("[data-do=talks]").click()
    expect(page.locator(".drawer")).to_be_visible()
