"""A real browser on the real page: the bundled corpus is indexed once, then served."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from browsing import CORPUS, Server, Visit, Visitor, build, find_chromium, open_index
from libraries import DOCUMENTS, Library, Make
from playwright.sync_api import Browser, Playwright, Request, expect, sync_playwright

from rag.chat import page as chat_page
from rag.chat.database import folder_of
from rag.chat.desk import Desk
from rag.chat.library_builds import Builds
from rag.chat.library_service import LibraryService
from rag.chat.owner import Owner, owner_from
from rag.chat.service import Engine
from rag.live import LiveIndex
from rag.settings import Settings

OURS = ("http://127.0.0.1:", "data:", "blob:")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    how = find_chromium()
    if how["executable_path"] is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    opened = playwright.chromium.launch(**how)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Server]:
    """Serve the page over an engine until the end of the session."""
    with ExitStack() as stack:

        def start(engine: Engine, corpus: Path | None = None) -> str:
            page = chat_page.build_page(engine, corpus)
            url = chat_page.serve(page, "127.0.0.1", 0)
            stack.callback(page.close, verbose=False)
            return url

        yield start


@pytest.fixture(scope="session")
def sample_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    index = tmp_path_factory.mktemp("sample") / "index"
    build(CORPUS, index)
    return index


@pytest.fixture(scope="session")
def sample(sample_index: Path) -> Iterator[LiveIndex]:
    engine = open_index(sample_index)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def sample_url(sample: LiveIndex, serve: Server) -> str:
    return serve(sample, CORPUS)


@pytest.fixture
def servers() -> Iterator[ExitStack]:
    """What serves one test alone; closed after its pages, which would miss it and complain."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def visit(browser: Browser, servers: ExitStack) -> Iterator[Visitor]:
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
        visit.page.on("pageerror", lambda error: visit.complain(str(error)))
        visit.page.on("dialog", lambda dialog: visit.complain(dialog.message))
        visit.page.on(
            "console",
            lambda message: visit.complain(message.text) if message.type == "error" else None,
        )
        visit.page.goto(url)
        expect(visit.page.locator(".rag[data-ready]")).to_be_visible()
        return visit

    yield open_page
    for visit in visits:
        visit.page.context.close()
        assert [url for url in visit.requests if not url.startswith(OURS)] == []
        assert visit.problems == []


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the documents of the library and of their index; read only."""
    folder = tmp_path_factory.mktemp("library")
    for name, text in DOCUMENTS.items():
        path = folder / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    build(folder / "corpus", folder / "index")
    return folder


@pytest.fixture
def make(original: Path, tmp_path: Path, servers: ExitStack) -> Make:
    """Serve a copy of the library; with `worker`, builds are played by that script.

    Conversations are kept only if the settings say where.
    """

    def start(worker: str = "", folder: Path = original, **more: Any) -> Library:
        shutil.copytree(folder, tmp_path / "own")
        settings = Settings(
            corpus=tmp_path / "own" / "corpus", index=tmp_path / "own" / "index", reader=False,
            threads=1, **{"conversations": "off", **more},
        )  # fmt: skip
        owner = owner_from(settings)
        desk = Desk(folder_of(settings), owner)
        servers.callback(desk.close)
        engine = LiveIndex(settings.index, settings)
        servers.callback(engine.close)
        builds = Builds(settings, command=[sys.executable, "-c", worker]) if worker else None
        service = LibraryService(engine, settings, builds, owner)
        servers.callback(service.close)
        page = chat_page.build_page(engine, settings.corpus, desk, service)
        servers.callback(page.close, verbose=False)
        return Library(chat_page.serve(page, "127.0.0.1", 0), settings.corpus, service)

    return start


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Keeps conversations and feedback."""
    folder = tmp_path_factory.mktemp("kept") / "index-conversations"
    opened = Desk(folder, Owner(key="k" * 32))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def url(sample: LiveIndex, desk: Desk) -> Iterator[str]:
    """A page over the sample that keeps conversations."""
    page = chat_page.build_page(sample, CORPUS, desk)
    yield chat_page.serve(page, "127.0.0.1", 0)
    page.close(verbose=False)


@pytest.fixture
def chat(visit: Visitor, url: str) -> Visit:
    """A visit to it."""
    return visit(url)
