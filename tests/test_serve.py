"""The HTTP API: what the command line says, over a socket; errors as one clear line."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from rag.errors import TooBusy
from rag.live import LiveIndex
from rag.serve import app as app_module
from rag.serve.app import MOST_BYTES, make_app

if TYPE_CHECKING:
    from pathlib import Path

    from commands import Run

    from rag.encoders import Encoder
    from rag.settings import Settings
    from rag.types import BuildReport

QUESTION = "How long are contracts kept?"
HISTORY = [{"role": "user", "content": "How much may a hotel cost?"}]


@pytest.fixture(scope="module")
def live(
    small_settings: Settings, small_report: BuildReport, encoder: Encoder
) -> Iterator[LiveIndex]:
    assert small_report.documents
    live = LiveIndex(small_settings.index, small_settings)
    live._models.__dict__["encoder"] = encoder
    yield live
    live.close()


@pytest.fixture
def client(live: LiveIndex) -> Iterator[TestClient]:
    app = make_app(live, "127.0.0.1")
    with TestClient(app, "http://127.0.0.1:7860", raise_server_exceptions=False) as client:
        yield client


def no_time(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "took_ms"}


def test_ask_answers_as_the_command_does(client: TestClient, live: LiveIndex) -> None:
    body = {
        "question": "And in capital cities?",
        "history": HISTORY,
        "where": ["path=travel*"],
        "id": "q-1",
    }
    reply = client.post("/ask", json=body)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    expected = live.ask(body["question"], HISTORY, "q-1", ["path=travel*"]).to_dict()
    assert no_time(reply.json()) == no_time(expected)
    assert reply.json()["where"] == ["path=travel*"]


def test_retrieve_gives_hits(client: TestClient, live: LiveIndex) -> None:
    reply = client.post("/retrieve", json={"question": QUESTION, "k": 2, "id": 7})
    expected = [hit.to_dict() for hit in live.retrieve(QUESTION, 2)]
    assert reply.json() == {"id": 7, "hits": expected}
    assert len(client.post("/retrieve", json={"question": QUESTION}).json()["hits"]) == 5


def test_text_is_the_canonical_text(client: TestClient, small_corpus: dict[str, str]) -> None:
    for name in ("records/retention.md", "travel.txt"):
        reply = client.get("/text", params={"document": name})
        assert reply.text == small_corpus[name]
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"


def test_status_and_health(client: TestClient, live: LiveIndex) -> None:
    status = client.get("/status").json()
    assert status["generation"] == live.generation
    assert status["documents"] == len(live.documents())
    assert client.get("/health").json() == {"ok": True}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "/ask", b"", 400, "the body is not JSON"),
        ("POST", "/ask", b"\xff", 400, "the body is not JSON"),
        ("POST", "/ask", b"[" * 100_000, 400, "the body is not JSON"),
        ("POST", "/ask", b"[]", 400, 'needs at least {"question": "…"}'),
        ("POST", "/ask", b'{"question": " "}', 400, "the question is empty"),
        ("POST", "/ask", b'{"question": "a", "history": "x"}', 400, "a history is a list"),
        ("POST", "/ask", b'{"question": "a", "where": "x"}', 400, '"where" is a list'),
        ("POST", "/ask", b'{"question": "a", "where": ["x"]}', 400, "is not understood"),
        (
            "POST",
            "/ask",
            b'{"question": "a", "wher": ["x"]}',
            400,
            "the body: 'wher' is not known here: use question, history, where, id",
        ),
        ("POST", "/retrieve", b'{"question": "a", "k": 0}', 400, '"k" is a number from 1 to 100'),
        ("POST", "/retrieve", b'{"question": "a", "k": "5"}', 400, '"k" is a number'),
        ("POST", "/retrieve", b'{"question": "a", "k": true}', 400, '"k" is a number'),
        ("GET", "/text", b"", 400, "say which document"),
        ("GET", "/text?document=../etc/passwd", b"", 404, "there is no document '../etc/passwd'"),
        ("GET", "/nothing", b"", 404, "there is no /nothing"),
        ("GET", "/ask", b"", 405, "/ask takes POST, not GET"),
        ("POST", "/ask", b" " * (MOST_BYTES + 1), 413, "longer than 256 KiB"),
    ],
)
def test_an_error_is_one_clear_line(
    client: TestClient, method: str, path: str, body: bytes, status: int, message: str
) -> None:
    reply = client.request(method, path, content=body)
    assert reply.status_code == status
    assert message in reply.json()["error"]
    assert "\n" not in reply.json()["error"]


def test_who_comes_when_all_is_full_is_told_to_come_back(
    client: TestClient, live: LiveIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise TooBusy("256 questions are waiting")

    with monkeypatch.context() as patch:
        patch.setattr(live, "ask", full)
        reply = client.post("/ask", json={"question": QUESTION})
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    monkeypatch.setattr(app_module, "_MOST_OPEN", 0)
    reply = client.post("/ask", json={"question": QUESTION})
    assert reply.status_code == 503
    assert "try again" in reply.json()["error"]


def test_a_fault_of_ours_tells_no_secrets(
    client: TestClient, live: LiveIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("secret")

    monkeypatch.setattr(live, "ask", broken)
    reply = client.post("/ask", json={"question": QUESTION})
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert "the log says more" in reply.json()["error"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:7860", 200),
        ("localhost", 200),
        ("LocalHost:1", 200),
        ("[::1]:7860", 200),
        ("192.0.2.7:7860", 200),
        ("evil.example", 403),
        ("evil.example:7860", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("", 403),
        ("[", 403),
    ],
)
def test_requests_for_other_hosts_are_refused(client: TestClient, host: str, status: int) -> None:
    reply = client.get("/status", headers={"host": host})
    assert reply.status_code == status
    assert ("generation" in reply.text) == (status == 200)


def test_responses_hold_a_browser_to_this_server(client: TestClient) -> None:
    headers = client.get("/text", params={"document": "travel.txt"}).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


SERVE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from rag.cli import main
try:
    main(sys.argv[1:])
finally:
    heavy = {"torch", "gradio", "transformers", "sentence_transformers"}
    print("heavy:", sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""


@contextmanager
def served(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`rag serve` in a process of its own, and its port."""
    command = [sys.executable, "-c", SERVE, "serve", "--index", str(settings.index)]
    environment = {**os.environ, "RAG_READER": "false", "RAG_PORT": "0", "RAG_THREADS": "1"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Answering at http://127.0.0.1:"), process.communicate()
        yield process, int(line.split()[2].rpartition(":")[2])
    finally:
        process.kill()
        process.communicate()


def test_the_command_serves_many_and_ends_well(
    small_settings: Settings, small_report: BuildReport, live: LiveIndex, questions: tuple[str, ...]
) -> None:
    assert small_report.documents

    def ask(port: int, question: str) -> dict[str, Any]:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("POST", "/ask", json.dumps({"question": question}))
            reply = connection.getresponse()
            assert reply.status == 200
            return dict(json.loads(reply.read()))

    expected = [no_time(live.ask(question).to_dict()) for question in questions]
    with served(small_settings) as (process, port):
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda question: ask(port, question), questions * 4))
        assert [no_time(answer) for answer in answers] == expected * 4
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, out, errors) == (0, "heavy: []\n", "")


def test_the_command_has_a_port_of_its_own(
    run: Run, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chat and the API may run side by side."""
    ports: list[int] = []
    monkeypatch.setattr("rag.serve.server.serve", lambda settings, _: ports.append(settings.port))
    run("serve", "--index", index)
    monkeypatch.setenv("RAG_PORT", "1")
    run("serve", "--index", index)
    assert ports == [8008, 1]


def test_a_port_that_is_taken_is_named(small_settings: Settings, small_report: BuildReport) -> None:
    assert small_report.documents
    with served(small_settings) as (_, port):
        command = [sys.executable, "-m", "rag", "serve", "--index", str(small_settings.index)]
        second = subprocess.run(
            [*command, "--port", str(port)], capture_output=True, text=True, check=False
        )
    assert second.returncode == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in second.stderr
