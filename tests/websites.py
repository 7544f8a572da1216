"""What the tests of the web share: a server of our own on this machine, and a page of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from rag.errors import WebError
from rag.web.fetching import Fetched, fetch

PAGE = """<!doctype html><html lang="en"><head><title>Leave | Agency</title>
<meta name="author" content="People Office"><meta name="date" content="2024-05-01"></head><body>
<nav><a href="/">Home</a> <a href="/all">All our policies and everything else</a></nav>
<main><h1>Annual leave</h1><p>Staff get 13 days of annual leave a year, and may take them after
three months of service with the agency.</p><h2>How to ask</h2><ul><li>Open the leave form.</li>
<li>Name the days.</li></ul><table><tr><th>Grade</th><th>Days</th></tr><tr><td>G1</td><td>13</td>
</tr></table></main><footer>Imprint</footer></body></html>"""
Answer = tuple[int, dict[str, str], bytes]


class Site:
    """A server whose answers are set by path; it notes what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[Any], None]] = {}
        self.hosts: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.hosts.append(self.headers["Host"])
                answer = site.answers.get(self.path, (404, {}, b"none"))
                if callable(answer):
                    answer(self)
                    return
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def page(self, path: str, body: str | bytes, kind: str = "text/html", **more: str) -> str:
        data = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": kind, **{k.replace("_", "-"): v for k, v in more.items()}}
        self.answers[path] = (200, headers, data)
        return self.url(path)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def get(url: str, **options: Any) -> Fetched:
    return fetch(url, **{"allow_private": True, "max_bytes": 100_000, **options})


def refused(url: str, **options: Any) -> str:
    with pytest.raises(WebError) as caught:
        get(url, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)
