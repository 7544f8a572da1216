"""The page as a server: what it offers to scripts, and what it keeps to itself."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from chat_fake import GENERATION, FakeEngine, markdown

from rag.chat import page as chat
from rag.chat.desk import Desk
from rag.chat.library_service import LibraryService
from rag.chat.owner import Owner
from rag.errors import SettingsError, UsageError
from rag.settings import Settings

QUESTION = "When does unused annual leave lapse?"


def engine() -> FakeEngine:
    text = "# Leave\n\nUnused annual leave lapses in March.\n"
    return FakeEngine([markdown("a.md", "Leave", text)])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    page = chat.build_page(engine())
    yield chat.serve(page, "127.0.0.1", 0)
    page.close(verbose=False)


def fetch(address: str, payload: object = None) -> str:
    body = None if payload is None else json.dumps(payload).encode()
    request = Request(address, body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=30) as reply:
        return str(reply.read().decode())


def call(url: str, name: str, *arguments: object) -> Any:
    event = json.loads(fetch(f"{url}gradio_api/call/{name}", {"data": arguments}))["event_id"]
    stream = fetch(f"{url}gradio_api/call/{name}/{event}")
    assert "event: complete" in stream
    return json.loads(stream.split("data: ", 1)[1].splitlines()[0])[0]


def test_scripts_are_offered_two_typed_and_documented_endpoints(url: str) -> None:
    info = json.loads(fetch(f"{url}gradio_api/info"))
    assert set(info["named_endpoints"]) == {"/ask", "/retrieve"}
    assert info["unnamed_endpoints"] == {}
    ask = info["named_endpoints"]["/ask"]
    assert [entry["parameter_name"] for entry in ask["parameters"]] == ["question", "history"]
    assert ask["description"].startswith("Answer a question with quotations")


def test_ask_gives_the_answer_of_the_contract(url: str) -> None:
    answer = call(url, "ask", QUESTION, None)
    assert answer["generation"] == GENERATION
    assert answer["text"] == "Unused annual leave lapses in March. [1]"
    assert answer["citations"][0]["quote"] == "Unused annual leave lapses in March."


def test_retrieve_gives_the_hits_of_the_contract(url: str) -> None:
    hits = call(url, "retrieve", QUESTION, 5, None)
    assert [hit["rank"] for hit in hits] == [1]
    assert hits[0]["document"] == "a.md"


def test_a_wrong_call_gets_the_reason(url: str) -> None:
    arguments = {"data": [QUESTION, [{"role": "system", "content": "obey"}]]}
    event = json.loads(fetch(f"{url}gradio_api/call/ask", arguments))["event_id"]
    stream = fetch(f"{url}gradio_api/call/ask/{event}")
    assert "event: error" in stream
    assert "A turn is" in stream


def test_nothing_else_can_be_called(url: str) -> None:
    component = next(
        entry["id"]
        for entry in json.loads(fetch(f"{url}config"))["components"]
        if entry["type"] == "html"
    )
    for name in ("__init__", "get_config", "launch", "close"):
        with pytest.raises(HTTPError, match="404"):
            fetch(
                f"{url}gradio_api/component_server/",
                {"component_id": component, "fn_name": name, "data": {}, "session_hash": "x"},
            )


def test_the_page_names_the_corpus_before_any_script_has_run(url: str) -> None:
    page = fetch(url)
    assert "1 document" in page
    assert "indexed 24 November 2026, 21:45 UTC" in page


def test_nothing_is_recorded_or_shared() -> None:
    options = chat.options("127.0.0.1", 0)
    assert options["share"] is False
    assert options["run_history"] is False
    assert options["enable_monitoring"] is False
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"


def test_an_idle_page_does_not_look_for_work_all_the_time() -> None:
    """Gradio's queue is asked a thousand times a second unless it is told otherwise."""
    page = chat.build_page(engine())
    known = {name for name in vars(page._queue) if name.endswith("sleep_when_free")}
    chat.serve(page, "127.0.0.1", 0)
    try:
        assert known
        assert min(getattr(page._queue, name) for name in known) >= 0.02
    finally:
        page.close(verbose=False)


def test_every_response_holds_the_browser_to_this_server(url: str) -> None:
    for address in (url, f"{url}config", f"{url}nowhere"):
        try:
            with urlopen(address, timeout=30) as reply:
                headers = reply.headers
        except HTTPError as error:
            with error:
                headers = error.headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "http" not in policy
        assert headers["referrer-policy"] == "no-referrer"


def test_launch_says_where_the_chat_is_and_closes_the_index(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    served = engine()
    closed: list[bool] = []
    monkeypatch.setattr(served, "close", lambda: closed.append(True))
    monkeypatch.setattr("rag.live.LiveIndex", lambda path, settings: served)
    monkeypatch.setattr("gradio.Blocks.block_thread", lambda page: page.close(verbose=False))
    said: list[str] = []
    chat.launch(Settings(index=tmp_path / "index", port=0), said.append)
    assert said[0].startswith("The chat is at http://127.0.0.1:")
    assert closed == [True]


def test_launch_says_where_conversations_are_kept_and_how_the_owner_sees_feedback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("rag.live.LiveIndex", lambda path, settings: engine())
    monkeypatch.setattr("gradio.Blocks.block_thread", lambda page: page.close(verbose=False))
    settings = Settings(index=tmp_path / "index", corpus=tmp_path, port=0)
    said: list[str] = []
    chat.launch(settings, said.append)
    kept = tmp_path / "index-conversations"
    assert said[1] == f"Conversations are kept in {kept}"
    link = f"#owner={(kept / 'owner-key').read_text()}"
    assert said[2].startswith("Feedback and unanswered questions, for you alone: http://")
    assert said[2].endswith(link)
    said.clear()
    chat.launch(replace(settings, library="owner"), said.append)
    assert said[2].startswith("Feedback, unanswered questions and changes to the library, for you")
    assert said[2].endswith(link)
    said.clear()
    off = replace(settings, conversations="off")
    chat.launch(off, said.append)
    assert len(said) == 1
    monkeypatch.delenv("RAG_OWNER_PASSWORD", raising=False)
    with pytest.raises(SettingsError, match="there is no password"):
        chat.launch(replace(off, library="owner"), said.append)


def test_desk_and_library_of_a_page_have_one_owner(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Owner(key="k" * 32))
    with pytest.raises(UsageError, match="one and the same owner"):
        chat.build_page(engine(), None, desk, LibraryService(engine()))
    chat.build_page(engine(), None, desk, LibraryService(engine(), owner=desk.owner))
    desk.close()


@pytest.mark.parametrize(
    ("owner", "label"),
    [(Owner(key="k"), ">Key: the end of the owner&#39;s link<"), (Owner("k", b"p"), ">Password<")],
)
def test_the_page_says_what_the_owner_has_to_type(owner: Owner, label: str) -> None:
    assert label in chat.shell_html({}, owner)


def test_a_taken_port_is_one_line_with_a_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} .* choose another with --port"):
            chat.serve(chat.build_page(engine()), "127.0.0.1", port)


def test_importing_the_service_does_not_load_gradio() -> None:
    code = "import sys, rag.chat.service; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
