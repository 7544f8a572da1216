"""Fetching: redirects, sizes, times, and servers that are broken."""

from __future__ import annotations

import gzip
import socket
import ssl
import time
import zlib
from typing import Any

import httpcore
import pytest
from websites import Site, get, refused

from rag.errors import RagError
from rag.web import fetching as web


def test_redirects_are_followed_and_the_last_address_counts(site: Site) -> None:
    site.answers["/a"] = (301, {"Location": "/b?x=1"}, b"")
    site.answers["/b?x=1"] = (302, {"Location": site.url("/c#part")}, b"")
    site.page("/c", "text", "text/plain; charset=utf-8")
    found = get(site.url("/a"))
    assert (found.url, found.content) == (site.url("/c"), b"text")
    assert (found.media_type, found.charset) == ("text/plain", "utf-8")


def test_redirects_end(site: Site) -> None:
    site.answers["/a"] = (302, {"Location": "/a"}, b"")
    assert refused(site.url("/a")).endswith("redirects more than 5 times: check the address")
    assert len(site.hosts) == 6


def test_large_bodies_are_refused_before_and_while_they_are_read(site: Site) -> None:
    def endless(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
        except OSError:
            pass

    site.answers["/said"] = (200, {"Content-Length": "100001"}, b"x")
    site.answers["/endless"] = endless
    for path in ("/said", "/endless"):
        assert refused(site.url(path)).endswith(
            f"{path} is larger than 0.1 MB: save it by hand, or raise web_max_mb"
        )


def test_packed_bodies_are_unpacked_up_to_the_limit(site: Site) -> None:
    site.page("/good", gzip.compress(b"text"), "text/plain", Content_Encoding="gzip")
    site.page("/bomb", gzip.compress(b"\0" * 50_000_000), "text/plain", Content_Encoding="gzip")
    site.page("/bad", b"no gzip", "text/plain", Content_Encoding="gzip")
    site.page("/odd", b"x", "text/plain", Content_Encoding="br")
    assert get(site.url("/good")).content == b"text"
    assert "is larger than 0.1 MB" in refused(site.url("/bomb"))
    assert "cannot be fetched" in refused(site.url("/bad"))
    odd = site.url("/odd")
    assert refused(odd) == f"{odd} is packed in a way that is not understood: br"


def test_packed_bodies_are_whole_or_refused(site: Site) -> None:
    text = b"".join(b"Rule %d holds." % number for number in range(1000))
    bare = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    for path, body, encoding in (
        ("/two", gzip.compress(text[:500]) + gzip.compress(text[500:]), "gzip"),
        ("/zlib", zlib.compress(text), "deflate"),
        ("/bare", bare.compress(text) + bare.flush(), "deflate"),
    ):
        site.page(path, body, "text/plain", Content_Encoding=encoding)
        assert get(site.url(path)).content == text, path
        site.page(path, body[:-20], "text/plain", Content_Encoding=encoding)
        assert refused(site.url(path)).endswith(
            f"{path} cannot be fetched: the packed answer is cut off"
        )


def test_a_server_that_drips_is_left(site: Site) -> None:
    def drip(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(100):
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    site.answers["/drip"] = drip
    started = time.monotonic()
    assert refused(site.url("/drip"), seconds=0.5).endswith(
        "took too long to answer: try again later"
    )
    assert time.monotonic() - started < 4


def test_status_and_broken_connections(site: Site) -> None:
    assert refused(site.url("/none")).endswith("answered with status 404: check the address")
    site.answers["/junk"] = lambda handler: handler.wfile.write(b"junk\r\n\r\n")
    assert "cannot be fetched" in refused(site.url("/junk"))
    site.answers["/cut"] = (200, {"Content-Length": "50"}, b"short")
    assert "cannot be fetched" in refused(site.url("/cut"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "cannot be fetched" in refused(f"http://127.0.0.1:{port}/")


def test_odd_characters_in_an_address_are_encoded(site: Site) -> None:
    site.page("/caf%C3%A9%20menu?q=%C3%BC", "x", "text/plain")
    assert get(site.url("/café menu?q=ü")).content == b"x"


def test_every_failure_of_the_network_is_one_of_ours(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = [
        kind
        for kind in vars(httpcore).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]
    assert len(kinds) > 10
    for kind in [*kinds, OSError, ssl.SSLError, RuntimeError]:

        def fail(*_: object, kind: Any = kind, **__: object) -> None:
            raise kind("two\nlines")

        monkeypatch.setattr(web, "_ask", fail)
        with pytest.raises(RagError) as caught:
            get(site.url("/"))
        assert "\n" not in str(caught.value)
