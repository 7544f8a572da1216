"""Who may change the library."""

from __future__ import annotations

import socket

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from rag.chat.hosts import guards
from rag.chat.library_access import Access, access_from
from rag.chat.origin import CLIENT
from rag.chat.owner import Owner
from rag.errors import NotAllowed
from rag.settings import Settings

HERE = {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"}


@pytest.mark.parametrize(
    ("library", "host", "mode"),
    [
        ("auto", "127.0.0.1", "local"),
        ("auto", "localhost", "local"),
        ("auto", "::1", "local"),
        ("auto", "0.0.0.0", "read"),
        ("auto", "10.1.2.3", "read"),
        ("auto", "policies.example", "read"),
        ("open", "0.0.0.0", "open"),
        ("read", "127.0.0.1", "read"),
    ],
)
def test_by_default_only_a_page_for_this_machine_is_open(
    library: str, host: str, mode: str
) -> None:
    assert access_from(Settings(library=library, host=host), Owner()).mode == mode  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:80", "[::1]:7860", "localhost"])
def test_a_local_page_is_open_to_this_machine(host: str) -> None:
    Access("local").require({"host": host})


@pytest.mark.parametrize(
    "host", ["evil.example:7860", "", "127.0.0.1.evil.example", "[::1", "0.0.0.0"]
)
def test_a_local_page_is_closed_to_names_that_only_lead_here(host: str) -> None:
    with pytest.raises(NotAllowed, match="only be changed on the machine"):
        Access("local").require({"host": host})


@pytest.mark.parametrize("mode", ["open", "local"])
@pytest.mark.parametrize(
    "headers",
    [
        {**HERE, "sec-fetch-site": "cross-site"},
        {**HERE, "sec-fetch-site": "same-site"},
        {"host": "127.0.0.1:7860", "origin": "http://evil.example"},
        {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:3000"},
        {"host": "127.0.0.1:7860", "origin": "null"},
    ],
)
def test_pages_of_other_sites_are_refused(mode: str, headers: dict[str, str]) -> None:
    with pytest.raises(NotAllowed, match="another site"):
        Access(mode).require(headers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "headers",
    [
        HERE,
        {**HERE, "sec-fetch-site": "same-origin"},
        {"host": "127.0.0.1:7860"},
        {"host": "inner:80", "x-forwarded-host": "a.example", "origin": "https://a.example"},
    ],
)
def test_our_own_page_and_scripts_are_let_in(headers: dict[str, str]) -> None:
    Access("open").require(headers)


def test_a_library_for_reading_lets_nobody_change_it() -> None:
    with pytest.raises(NotAllowed, match="can only be read"):
        Access("read").require(HERE)


def test_a_library_of_an_owner_opens_to_the_token_of_the_owner() -> None:
    owner = Owner(key="k" * 32)
    access = access_from(Settings(library="owner"), owner)
    for token in ("", "guessed", owner.key):
        with pytest.raises(NotAllowed, match="Only the owner"):
            access.require(HERE, token)
    token = owner.sign_in(owner.key, HERE)
    access.require(HERE, token)
    assert "another site" in access.refusal({**HERE, "origin": "http://evil.example"}, token)
    owner.sign_out(token)
    assert access.refusal(HERE, token)


def test_without_an_owner_nobody_gets_into_the_library_of_one() -> None:
    with pytest.raises(NotAllowed, match="Only the owner"):
        Access("owner").require(HERE)


@pytest.mark.parametrize(
    ("listens", "asked", "status"),
    [
        ("127.0.0.1", "evil.example:7860", 403),
        ("127.0.0.1", "localhost:1", 200),
        ("127.0.0.1", "localhost.", 200),
        ("127.0.0.1", f"{socket.gethostname()}.local", 200),
        ("127.0.0.1", "Proxy.example:7860", 200),
        ("::1", "[::1]:7860", 200),
        ("localhost", "", 403),
        ("0.0.0.0", "policies.example", 200),
    ],
)
def test_a_page_for_this_machine_answers_for_no_other_host(
    listens: str, asked: str, status: int
) -> None:
    async def who(request: Request) -> PlainTextResponse:
        return PlainTextResponse(",".join(request.headers.getlist(CLIENT)))

    allowed = guards(listens, "a.example, proxy.example")
    app = Starlette(routes=[Route("/", who)], middleware=allowed)
    reply = TestClient(app).get("/", headers={"host": asked, CLIENT: "192.0.2.7"})
    assert reply.status_code == status
    assert "content-security-policy" in reply.headers
    assert (reply.text == "testclient") == (status == 200)
