"""A real browser on the real page: the bundled corpus is indexed once, then served."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

import pytest
from playwright.sync_api import Browser, Page, Playwright, Request, expect, sync_playwright

from rag.chat import page as chat
from rag.chat.service import Engine
from rag.live import LiveIndex
from rag.settings import load_settings

CORPUS = Path(__file__).parents[2] / "corpus"
CHROMIUM_OPTIONS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
OURS = ("http://127.0.0.1:", "data:", "blob:")

expect.set_options(timeout=10_000)


@dataclass
class Visit:
    """One open page, with all that it asked for and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def ask(self, question: str) -> None:
        """Ask and wait until the answer is there."""
        settled = self.page.locator(".turn.settled").count()
        self.page.locator("#rag-question").fill(question)
        self.page.keyboard.press("Enter")
        expect(self.page.locator(".turn.settled")).to_have_count(settled + 1)


Visitor = Callable[..., Visit]
Server = Callable[[Engine], str]


def open_index(index: Path) -> LiveIndex:
    """The engine behind the page, with default settings."""
    return LiveIndex(index, load_settings({"index": index, "reader": False}).settings)


def build(corpus: Path, index: Path) -> None:
    """Build an index as anybody would: by the command, in a process of its own."""
    command = [sys.executable, "-m", "rag", "build", str(corpus), "--index", str(index)]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = which("chromium") or which("chromium-browser") or which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    opened = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Server]:
    """Serve the page over an engine until the end of the session."""
    with ExitStack() as stack:

        def start(engine: Engine) -> str:
            page = chat.build_page(engine)
            url = chat.serve(page, "127.0.0.1", 0)
            stack.callback(page.close, verbose=False)
            return url

        yield start


@pytest.fixture(scope="session")
def sample(bundled_index: Path) -> Iterator[LiveIndex]:
    engine = LiveIndex(bundled_index, load_settings({"index": bundled_index}).settings)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def sample_url(sample: LiveIndex, serve: Server) -> str:
    return serve(sample)


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    """Open the page; at the end, nothing may have come from elsewhere or have gone wrong."""
    visits: list[Visit] = []

    def open_page(url: str, width: int = 1280, height: int = 800, **options: object) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            permissions=["clipboard-read", "clipboard-write"],
            **options,
        )
        context.set_default_timeout(10_000)
        visit = Visit(context.new_page())
        visits.append(visit)

        def note(request: Request) -> None:
            visit.requests.append(request.url)

        visit.page.on("request", note)
        visit.page.on("pageerror", lambda error: visit.problems.append(str(error)))
        visit.page.on("dialog", lambda dialog: visit.problems.append(dialog.message))
        visit.page.on(
            "console",
            lambda message: (
                visit.problems.append(message.text) if message.type == "error" else None
            ),
        )
        visit.page.goto(url)
        expect(visit.page.locator(".rag[data-ready]")).to_be_visible()
        return visit

    yield open_page
    for visit in visits:
        visit.page.context.close()
        assert [url for url in visit.requests if not url.startswith(OURS)] == []
        assert visit.problems == []
