"""The library over HTTP, as a stranger calls it: the page hides nothing that is not guarded."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from chat_fake import FakeEngine, markdown

from rag.chat import page as chat
from rag.chat.library_service import LibraryService
from rag.chat.owner import Owner
from rag.settings import Library, Settings

Serve = Callable[..., "Client"]
KEY = "k" * 32


class Client:
    """Requests to one page."""

    def __init__(self, url: str) -> None:
        self.address = url.removeprefix("http://").rstrip("/")
        self._component: int | None = None

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            text = reply.read().decode()
            return reply.status, json.loads(text) if text.startswith(("{", "[")) else text
        finally:
            connection.close()

    def put(self, name: str, body: bytes = b"# A", **more: str) -> tuple[int, Any]:
        headers = {key: value for key, value in more.items() if key in ("origin", "host")}
        query = {key: value for key, value in more.items() if key not in headers}
        return self.send(
            "PUT", f"/library/files?{urlencode({'name': name, **query}, quote_via=quote)}", body,
            headers,
        )  # fmt: skip

    def call(self, name: str, headers: dict[str, str] | None = None, **payload: Any) -> Any:
        if self._component is None:
            components = self.send("GET", "/config")[1]["components"]
            self._component = next(one["id"] for one in components if one["type"] == "html")
        body = {
            "component_id": self._component, "fn_name": name, "data": payload, "session_hash": "x"
        }  # fmt: skip
        kind = {"content-type": "application/json", **(headers or {})}
        return self.send("POST", "/gradio_api/component_server/", json.dumps(body).encode(), kind)[
            1
        ]


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[[Settings], Client]]:
    with ExitStack() as stack:

        def serve(settings: Settings) -> Client:
            engine = FakeEngine([markdown("a.md", "Leave", "# Leave\n\nText.\n")])
            page = chat.build_page(
                engine, None, None, LibraryService(engine, settings, owner=Owner(key=KEY))
            )
            url = chat.serve(page, "127.0.0.1", 0)
            stack.callback(page.close, verbose=False)
            return Client(url)

        yield serve


@pytest.fixture
def serve(start: Callable[[Settings], Client], tmp_path: Path) -> Serve:
    (tmp_path / "corpus").mkdir()

    def with_settings(library: Library, **more: Any) -> Client:
        return start(
            Settings(corpus=tmp_path / "corpus", index=tmp_path / "index", library=library, **more)
        )

    return with_settings


def content(folder: Path) -> dict[str, bytes]:
    corpus = folder / "corpus"
    return {
        path.relative_to(corpus).as_posix(): path.read_bytes()
        for path in corpus.rglob("*")
        if path.is_file()
    }


def test_a_file_is_kept_as_it_was_sent(serve: Serve, tmp_path: Path) -> None:
    client = serve("auto")
    body = bytes(range(256)) * 20_000
    assert client.put("leave.pdf", body, folder="handbook") == (
        200,
        {"saved": "handbook/leave.pdf"},
    )
    assert content(tmp_path) == {"handbook/leave.pdf": body}


def test_nothing_is_overwritten_unless_asked_for(serve: Serve, tmp_path: Path) -> None:
    client = serve("auto")
    client.put("a.md", b"# Old")
    assert client.put("a.md", b"# New") == (409, {"error": "is there already", "exists": True})
    assert content(tmp_path) == {"a.md": b"# Old"}
    assert client.put("a.md", b"# New", replace="1")[0] == 200
    assert content(tmp_path) == {"a.md": b"# New"}


def test_names_never_lead_out_of_the_folder(serve: Serve, tmp_path: Path) -> None:
    client = serve("auto")
    assert client.put("../../out.md")[1] == {"saved": "out.md"}
    assert client.put("a.md", folder="../..")[0] == 400
    assert (
        client.put("<img src=x onerror=alert(1)>.md")[1]["saved"]
        == "_img src=x onerror=alert(1)_.md"
    )
    assert client.put("x\u202efdp.md")[1]["saved"] == "xfdp.md"
    assert {path.name for path in tmp_path.iterdir()} == {"corpus"}


def test_what_is_not_taken_gets_one_line_and_leaves_nothing(serve: Serve, tmp_path: Path) -> None:
    client = serve("auto", max_file_mb=1, library_max_files=1)
    for status, name, body in (
        (415, "run.exe", b"x"), (413, "big.md", b"x" * 1_000_001), (400, "empty.md", b""),
        (400, "", b"x"), (400, "é" * 130 + ".md", b"x"),
    ):  # fmt: skip
        found, reply = client.put(name, body)
        assert found == status
        assert "\n" not in reply["error"]
    assert content(tmp_path) == {}
    assert client.put("a.md")[0] == 200
    assert client.put("b.md")[0] == 507


@pytest.mark.parametrize(
    ("library", "headers", "words"),
    [
        ("read", {}, "can only be read"),
        ("owner", {}, "Only the owner"),
        ("auto", {"host": "rebound.example"}, "does not answer for other hosts"),
        ("auto", {"origin": "http://evil.example"}, "another site"),
        ("open", {"origin": "http://evil.example"}, "another site"),
    ],
)
def test_the_endpoints_are_guarded(
    serve: Serve,
    tmp_path: Path,
    library: Library,
    headers: dict[str, str],
    words: str,
) -> None:
    client = serve(library)
    status, reply = client.put("a.md", **headers)
    assert status == 403
    assert words in reply["error"]
    for name in ("library_build", "library_delete", "library_stop", "library_check"):
        assert words in client.call(name, headers, document="a.md")["error"]
    assert content(tmp_path) == {}


def test_the_owner_signs_in_uploads_and_signs_out(serve: Serve, tmp_path: Path) -> None:
    client = serve("owner")
    evil = {"origin": "http://evil.example"}
    assert "another site" in client.call("sign_in", evil, secret=KEY)["error"]
    assert "not the owner's key" in client.call("sign_in", secret="guess")["error"]
    token = client.call("sign_in", secret=KEY)["token"]
    path = "/library/files?name=a.md"
    assert client.send("PUT", path, b"# A", {"x-rag-owner": "guess"})[0] == 403
    assert client.send("PUT", path, b"# A", {"x-rag-owner": token})[0] == 200
    assert content(tmp_path) == {"a.md": b"# A"}
    client.call("sign_out", token=token)
    assert client.send("PUT", path, b"# B", {"x-rag-owner": token})[0] == 403


def test_the_size_has_to_be_known(serve: Serve, tmp_path: Path) -> None:
    pieces = iter([b"# A"])
    status, reply = serve("auto").send("PUT", "/library/files?name=a.md", pieces)
    assert (status, content(tmp_path)) == (411, {}), reply


def test_an_upload_that_breaks_off_leaves_nothing(serve: Serve, tmp_path: Path) -> None:
    client = serve("auto")
    connection = http.client.HTTPConnection(client.address, timeout=30)
    connection.putrequest("PUT", "/library/files?name=a.md")
    connection.putheader("content-length", "100")
    connection.endheaders(b"# A")
    connection.close()
    assert client.put("b.md")[0] == 200
    for _ in range(50):
        if content(tmp_path) == {"b.md": b"# A"}:
            return
        client.send("GET", "/config")
    assert content(tmp_path) == {"b.md": b"# A"}


def test_only_put_is_a_way_in_and_nothing_can_be_read_there(serve: Serve) -> None:
    client = serve("auto")
    client.put("a.md")
    for method in ("GET", "POST", "DELETE"):
        assert client.send(method, "/library/files?name=a.md")[0] in (404, 405)


def test_gradios_own_upload_stays_closed(serve: Serve) -> None:
    part = b'Content-Disposition: form-data; name="files"; filename="a.md"'
    body = b"\r\n".join([b"--b", part, b"", b"# A", b"--b--", b""])
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert serve("open").send("POST", "/gradio_api/upload", body, headers)[0] in (400, 413)


def test_changes_are_no_tools_for_scripts(serve: Serve) -> None:
    named = serve("open").send("GET", "/gradio_api/info")[1]["named_endpoints"]
    assert set(named) == {"/ask", "/retrieve"}
