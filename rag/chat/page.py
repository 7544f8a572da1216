"""The chat page: `build_page` makes it, `launch` serves it until it is stopped."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import click
import gradio as gr
from markupsafe import Markup
from starlette.middleware import Middleware

from rag.chat.headers import HeldToThisServer
from rag.chat.payloads import history_turns
from rag.chat.service import Engine, Service
from rag.errors import RagError, UsageError

TITLE = "Ask the documents"
_ASSETS = Path(__file__).parent / "assets"
_STYLES = ("base.css", "talk.css", "panel.css")
_SCRIPTS = ("dom.js", "panel.js", "pages.js", "card.js", "talk.js", "keys.js", "start.js")
_MAX_HITS = 100
_Made = TypeVar("_Made")


def build_page(engine: Engine, corpus: Path | None = None) -> gr.Blocks:
    """The page over an engine; serve it with `serve`, or with Gradio's own `launch`.

    Args:
        engine: what answers.
        corpus: folder of the documents; with it, pages of PDF files can be shown as they look.
    """
    return _in_a_loop(lambda: _build(engine, corpus))


def _build(engine: Engine, corpus: Path | None) -> gr.Blocks:
    service = Service(engine, corpus)
    overview = service.functions()[0]({})
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, fill_height=True) as page:
        gr.HTML(
            value=shell_html(overview),
            js_on_load=_script(),
            server_functions=service.functions(),
            apply_default_css=False,
            elem_id="rag-page",
        )
        _api(engine)
    return page


def shell_html(overview: dict[str, Any]) -> str:
    """The page before the first question: styles, header, empty conversation, documents."""
    style = "\n".join(_asset(name) for name in _STYLES)
    return Markup(_asset("shell.html")).format(  # noqa: S704  our own file
        style=Markup(style),  # noqa: S704  our own file
        title=TITLE,
        generation=overview.get("generation", ""),
        problem=overview.get("error") or overview.get("notice", ""),
        **{name: Markup(overview.get(name, "")) for name in ("facts", "examples", "documents")},  # noqa: S704  made by us
    )


def options(host: str, port: int) -> dict[str, Any]:
    """What `Blocks.launch` is called with: nothing leaves this machine, nothing is recorded."""
    return {
        "server_name": host,
        "server_port": port,
        "theme": _theme(),
        "favicon_path": str(_ASSETS / "favicon.svg"),
        "footer_links": [],
        "share": False,
        "quiet": True,
        "inbrowser": False,
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
        "max_file_size": 1,
        "app_kwargs": {"middleware": [Middleware(HeldToThisServer)]},
    }


def launch(
    index_dir: Path,
    host: str,
    port: int,
    settings: Any,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve the chat over the index in `index_dir` until it is interrupted.

    Args:
        index_dir: folder of the index.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        settings: the effective settings; handed to the engine.
        announce: called once with the address when the page is up; prints it by default.

    Raises:
        RagError: the index cannot be opened, or the port is taken.
    """
    from rag.live import LiveIndex

    engine = LiveIndex(index_dir, settings)
    try:
        page = build_page(engine, getattr(settings, "corpus", None))
        url = serve(page, host, port)
        (announce or click.echo)(f"The chat is at {url}  (stop it with Ctrl+C)")
        page.block_thread()
    finally:
        engine.close()


def serve(page: gr.Blocks, host: str, port: int) -> str:
    """Serve a page from a thread of its own and return its address.

    Raises:
        UsageError: the port is taken, or the address is not one of this machine.
    """
    asked = options(host, _free_port(host, port))
    _, url, _ = _in_a_loop(lambda: page.launch(prevent_thread_lock=True, **asked))
    return str(url)


def _in_a_loop(make: Callable[[], _Made]) -> _Made:
    """Call it with an event loop running: Gradio makes a loop where it finds none, and leaks it."""

    async def run() -> _Made:
        return make()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    return make()


def _free_port(host: str, port: int) -> int:
    """The port itself if it is free, or any free one for 0.

    Gradio would look for one by itself, but starts at 7860, and says less when it finds none.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}, port {port} ({error.strerror}): choose another with --port"
        ) from error


def _api(engine: Engine) -> None:
    """The two endpoints for scripts; the page itself does not need them."""

    def ask(question: str, history: list[dict[str, str]] | None = None) -> dict[str, Any]:
        """Answer a question with quotations from the documents, or abstain.

        Args:
            question: what to ask.
            history: earlier turns, {"role": "user" or "assistant", "content": "..."}.

        Returns:
            The answer as `rag ask --json` prints it.
        """
        with _errors_for_scripts():
            return engine.ask(question, history_turns(history)).to_dict()

    def retrieve(
        question: str, k: int = 5, history: list[dict[str, str]] | None = None
    ) -> list[dict[str, Any]]:
        """Find the passages that fit a question best.

        Args:
            question: what to look for.
            k: how many passages, 1 to 100.
            history: earlier turns, {"role": "user" or "assistant", "content": "..."}.

        Returns:
            Hits as `rag retrieve --json` prints them, best first.
        """
        with _errors_for_scripts():
            wanted = min(max(k, 1), _MAX_HITS)
            hits = engine.retrieve(question, k=wanted, history=history_turns(history))
            return [hit.to_dict() for hit in hits]

    for endpoint in (ask, retrieve):
        gr.api(endpoint, api_name=endpoint.__name__, concurrency_limit=8)


@contextmanager
def _errors_for_scripts() -> Iterator[None]:
    """Gradio keeps the text of other exceptions to itself."""
    try:
        yield
    except RagError as error:
        raise gr.Error(str(error), print_exception=False) from error


def _theme() -> gr.themes.Base:
    """Gradio's own colours and fonts, so that the page is ours from its first paint."""
    sans = ["system-ui", "sans-serif"]
    return gr.themes.Base(font=sans, font_mono=["ui-monospace", "monospace"]).set(
        body_background_fill="#faf8f4",
        body_background_fill_dark="#171715",
        body_text_color="#1d1c1a",
        body_text_color_dark="#ebe8e1",
    )


def _script() -> str:
    return "\n".join(_asset(name) for name in _SCRIPTS)


@cache
def _asset(name: str) -> str:
    return (_ASSETS / name).read_text("utf-8")
