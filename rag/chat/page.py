"""The chat page: `build_page` makes it, `launch` serves it until it is stopped."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import click
import gradio as gr
from markupsafe import Markup

from rag.chat.database import folder_of
from rag.chat.desk import Desk
from rag.chat.engine import Engine
from rag.chat.hosts import guards
from rag.chat.library_service import LibraryService
from rag.chat.owner import Owner, owner_calls, owner_from
from rag.chat.payloads import Call, Payload, guarded, history_turns
from rag.chat.service import MAX_QUESTION, Service
from rag.errors import RagError, UsageError
from rag.settings import Settings

TITLE = "Ask the documents"
_ASSETS = Path(__file__).parent / "assets"
_STYLES = ("base.css", "talk.css", "kept.css", "panel.css", "library.css", "print.css")
_SCRIPTS = (
    "dom.js", "panel.js", "pages.js", "card.js", "filters.js", "address.js", "talk.js",
    "arrival.js", "feedback.js", "kept.js", "owner.js", "library.js", "library_builds.js",
    "library_uploads.js", "keys.js", "start.js",
)  # fmt: skip
_SECRETS = {"password": "Password", "key": "Key: the end of the owner's link"}
_MAX_HITS = 100
_QUEUE_LOOKS = 0.05
"""Seconds between two looks of Gradio at its queue, which only scripts use. By itself it looks a
thousand times a second, for which an idle page takes a twelfth of a core."""
_Made = TypeVar("_Made")


def build_page(
    engine: Engine,
    corpus: Path | None = None,
    desk: Desk | None = None,
    library: LibraryService | None = None,
) -> gr.Blocks:
    """The page over an engine; serve it with `serve`, or with Gradio's own `launch`.

    Args:
        engine: what answers.
        corpus: folder of the documents; with it, pages of PDF files can be shown as they look.
        desk: keeps conversations and feedback; without it, nothing is kept.
        library: lists the documents and changes them; without it, they are only listed.

    Raises:
        UsageError: desk and library ask two different owners: nobody could sign in for both.
    """
    library = library or LibraryService(engine, owner=desk.owner if desk else None)
    if desk and desk.owner is not library.owner:
        raise UsageError("The desk and the library of a page need one and the same owner.")
    return _in_a_loop(lambda: _build(engine, corpus, desk, library))


def _build(
    engine: Engine, corpus: Path | None, desk: Desk | None, library: LibraryService
) -> gr.Blocks:
    service = Service(engine, corpus, desk)
    overview = guarded(service.overview)({})
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True, fill_height=True) as page:
        gr.HTML(
            value=shell_html(overview, library.owner),
            js_on_load=_script(),
            server_functions=[
                *service.functions(),
                *map(_with_headers, [*library.functions(), *owner_calls(library.owner)]),
            ],
            apply_default_css=False,
            elem_id="rag-page",
        )
        _api(engine)
    page.rag_routes = library.routes()
    return page


def _with_headers(call: Call) -> Callable[[Payload, gr.Request], Payload]:
    """The call as Gradio makes it: with the request, whose headers it gets."""

    def called(payload: Payload, request: gr.Request) -> Payload:
        return call(payload, dict(request.headers))

    called.__name__ = getattr(call, "__name__", "")
    return called


def shell_html(overview: dict[str, Any], owner: Owner) -> str:
    """The page before the first question: styles, header, empty conversation, documents."""
    style = "\n".join(_asset(name) for name in _STYLES)
    return Markup(_asset("shell.html")).format(  # noqa: S704  our own file
        style=Markup(style),  # noqa: S704  our own file
        title=TITLE,
        library=Markup(_asset("library.html")),  # noqa: S704  our own file
        generation=overview.get("generation", ""),
        problem=overview.get("error") or overview.get("notice", ""),
        kept=overview.get("kept", ""),
        secret=_SECRETS[owner.types],
        longest=MAX_QUESTION,
        **{name: Markup(overview.get(name, "")) for name in ("facts", "examples", "documents")},  # noqa: S704  made by us
    )


def options(host: str, port: int, allowed: str = "") -> dict[str, Any]:
    """What `Blocks.launch` is called with: nothing leaves this machine, nothing is recorded."""
    return {
        "server_name": f"[{host}]" if ":" in host else host,  # Gradio makes an address of it.
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
        "app_kwargs": {"middleware": guards(host, allowed)},
    }


def launch(settings: Settings, announce: Callable[[str], None] | None = None) -> None:
    """Serve the chat over the index of the settings until it is interrupted.

    Args:
        settings: the effective ones; port 0 takes a free one.
        announce: called when the page is up, once with the address and once with each thing more
            that its owner should know; prints by default.

    Raises:
        RagError: the index cannot be opened, or the port is taken.
    """
    from rag.live import LiveIndex

    with ExitStack() as open_until_the_end:
        owner = owner_from(settings)
        desk = Desk(folder_of(settings), owner)
        open_until_the_end.callback(desk.close)
        engine = LiveIndex(settings.index, settings)
        open_until_the_end.callback(engine.close)
        library = LibraryService(engine, settings, owner=owner)
        open_until_the_end.callback(library.close)
        page = build_page(engine, settings.corpus, desk, library)
        url = serve(page, settings.host, settings.port, settings.allowed_hosts)
        say = announce or click.echo
        say(f"The chat is at {url}  (stop it with Ctrl+C)")
        if desk.folder:
            say(f"Conversations are kept in {desk.folder}")
            opens = "Feedback and unanswered questions"
            if library.access.mode == "owner":
                opens = "Feedback, unanswered questions and changes to the library"
            say(f"{opens}, for you alone: {url}#owner={owner.key}")
        page.block_thread()


def serve(page: gr.Blocks, host: str, port: int, allowed: str = "") -> str:
    """Serve a page from a thread of its own and return its address.

    A page for this machine answers to the names in `allowed` as well, with commas between them.

    Raises:
        UsageError: the port is taken, or the address is not one of this machine.
    """
    asked = options(host, _free_port(host, port), allowed)
    asked["app_kwargs"]["routes"] = getattr(page, "rag_routes", [])
    # Gradio has no other way to say so; a test sees that there still is this one.
    queue = page._queue  # noqa: SLF001
    queue.sleep_when_free = queue.progress_update_sleep_when_free = _QUEUE_LOOKS
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
