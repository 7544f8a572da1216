"""Which addresses are fetched, which are refused, and that no name or redirect gets around it."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import httpcore
import pytest
from websites import Site, refused

from rag.errors import WebError
from rag.web import fetching as web
from rag.web.fetching import fetch, is_public


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://agency.example/a", "has to begin with https:// or http://"),
        ("file:///etc/passwd", "has to begin with https:// or http://"),
        ("agency.example/a", "has to begin with https:// or http://"),
        ("javascript:alert(1)", "has to begin with https:// or http://"),
        ("http://", "names no server"),
        ("http:///a", "names no server"),
        ("http://user:secret@agency.example/", "holds a name or password"),
        ("http://agency.example:99999/", "is not a web address"),
        ("http://[::1", "is not a web address"),
        ("http://xn--\u0080.example/", "is not a web address"),
    ],
)
def test_other_schemes_and_odd_addresses_are_refused(url: str, reason: str) -> None:
    message = refused(url)
    assert reason in message
    assert "secret" not in message


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1", "2130706433", "0x7f000001"]
)
def test_this_machine_is_refused_however_it_is_written(site: Site, host: str) -> None:
    message = refused(site.url("/", host), allow_private=False)
    assert "an address of this machine or of a private network" in message or "not known" in message
    assert site.hosts == []


def test_a_name_that_leads_to_a_private_address_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def lookup(host: str, *args: Any, **options: Any) -> Any:
        known = {"inside.example": "127.0.0.1", "both.example": "127.0.0.1"}
        found = real(known.get(host, host), *args, **options)
        public = [(*found[0][:4], ("8.8.8.8", site.port))] if host == "both.example" else []
        return [*public, *found]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    for host in ("inside.example", "both.example"):
        message = refused(site.url("/", host), allow_private=False)
        assert message == (
            f"{host} is at 127.0.0.1, an address of this machine or of a private network: to allow "
            "that, give --web-allow-private or set web_allow_private"
        )
    assert site.hosts == []


def test_the_name_is_looked_up_once_and_that_address_is_used(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look-up might give another address (DNS rebinding)."""
    site.page("/", "x", "text/plain")
    real, asked = socket.getaddrinfo, []

    def lookup(host: Any, *args: Any, **options: Any) -> Any:
        if str(host).endswith(".example"):
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1")
    assert fetch(site.url("/", "agency.example")).content == b"x"
    assert asked == ["agency.example"]
    assert site.hosts == [f"agency.example:{site.port}"]


def test_https_shows_the_name_not_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str | None] = []

    class Secured(httpcore.NetworkStream):
        def start_tls(self, context: ssl.SSLContext, name: Any = None, timeout: Any = None) -> Any:
            shown.append(name)
            assert context.check_hostname
            assert context.verify_mode == ssl.CERT_REQUIRED
            raise httpcore.ConnectError("enough")

        def close(self) -> None:
            pass

        def get_extra_info(self, info: str) -> Any:
            return None

    places: list[str] = []

    def connect(self: Any, host: str, *args: Any) -> Secured:
        places.append(host)
        return Secured()

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    monkeypatch.setattr(web, "_addresses", lambda host, port: ["8.8.8.8"])
    with pytest.raises(WebError, match=r"^https://agency\.example/ cannot be fetched: enough$"):
        fetch("https://agency.example")
    assert (places, shown) == (["8.8.8.8"], ["agency.example"])


def test_redirects_to_what_is_not_allowed_are_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "is_public", lambda address: address == "127.0.0.1")
    for target, reason in (
        (site.url("/", "127.0.0.2"), "127.0.0.2 is at 127.0.0.2, an address of this machine"),
        ("file:///etc/passwd", "redirects to an address that is not allowed: file:///etc/passwd"),
        ("http://a:b@127.0.0.1/", "redirects to an address that is not allowed: the address holds"),
        ("//[", "is not a web address"),
    ):
        site.answers["/a"] = (302, {"Location": target}, b"")
        assert reason in refused(site.url("/a"), allow_private=False)
    assert len(site.hosts) == 4
