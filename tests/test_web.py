"""Fetching by address: what is refused, what is followed, what is kept.

Every server is our own, on the loopback interface of this machine.
"""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpcore
import pytest
from awkward import lines_pdf

from rag import web
from rag.cli import main
from rag.errors import RagError, UsageError, WebError
from rag.loaders import load
from rag.web import Fetched, fetch, is_public
from rag.web_pages import Added, keep

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


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def get(url: str, **options: Any) -> Fetched:
    return fetch(url, **{"allow_private": True, "max_bytes": 100_000, **options})


def refused(url: str, **options: Any) -> str:
    with pytest.raises(WebError) as caught:
        get(url, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- what is allowed


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
            "that, set web_allow_private"
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


# --- redirects


def test_redirects_are_followed_and_the_last_address_counts(site: Site) -> None:
    site.answers["/a"] = (301, {"Location": "/b?x=1"}, b"")
    site.answers["/b?x=1"] = (302, {"Location": site.url("/c#part")}, b"")
    site.page("/c", "text", "text/plain; charset=utf-8")
    found = get(site.url("/a"))
    assert (found.url, found.content) == (site.url("/c"), b"text")
    assert (found.media_type, found.charset) == ("text/plain", "utf-8")


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


def test_redirects_end(site: Site) -> None:
    site.answers["/a"] = (302, {"Location": "/a"}, b"")
    assert refused(site.url("/a")).endswith("redirects more than 5 times: check the address")
    assert len(site.hosts) == 6


# --- sizes, times, broken servers


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
    assert "packed its answer in a way that is not understood: br" in refused(site.url("/odd"))


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


# --- what is kept

TODAY = date(2024, 6, 2)


def add(found: Fetched, corpus: Path, **options: Any) -> Added:
    return keep(found, corpus, TODAY, **options)


def test_the_main_text_of_a_page_is_kept_as_markdown(site: Site, tmp_path: Path) -> None:
    site.page("/policies/leave.html", PAGE, Last_Modified="Wed, 01 May 2024 10:00:00 GMT")
    added = add(get(site.url("/policies/leave.html")), tmp_path, collection="handbook")
    name = f"web/127.0.0.1-{site.port}/policies/leave.md"
    assert added == Added(site.url("/policies/leave.html"), name, "added")
    document = load(tmp_path / name, name)
    assert document.title == "Annual leave"
    expected = {
        "source": site.url("/policies/leave.html"),
        "author": "People Office",
        "published": "2024-05-01",
        "language": "en",
        "modified": "2024-05-01",
        "retrieved": "2024-06-02",
        "collection": "handbook",
    }
    assert expected.items() <= dict(document.metadata).items()
    blocks = [(b.kind, document.text[b.start : b.end].split("\n")[0]) for b in document.blocks]
    assert ("heading", "How to ask") in blocks
    assert ("item", "Open the leave form.") in blocks
    assert any(kind == "row" and "G1" in text for kind, text in blocks)
    assert "Imprint" not in document.text
    assert "All our policies" not in document.text


def test_other_documents_are_kept_as_they_are(site: Site, tmp_path: Path) -> None:
    data = lines_pdf(["Staff get 13 days."])
    site.page("/get?id=7", data, "application/pdf")
    added = add(get(site.url("/get?id=7")), tmp_path)
    path = tmp_path / added.document
    assert path.suffix == ".pdf"
    assert path.read_bytes() == data
    metadata = load(path, added.document).metadata
    assert metadata["source"] == site.url("/get?id=7")
    assert metadata["retrieved"] == "2024-06-02"


def test_a_changed_page_replaces_only_itself(site: Site, tmp_path: Path) -> None:
    url = site.page("/leave", PAGE)
    first = add(get(url), tmp_path)
    path = tmp_path / first.document
    text = path.read_text("utf-8").replace("title:", "tags: [mine]\ntitle:", 1)
    path.write_text(text, "utf-8")
    assert add(get(url), tmp_path).what == "unchanged"
    assert path.read_text("utf-8") == text
    site.page("/leave", PAGE.replace("13 days", "15 days"))
    again = keep(get(url), tmp_path, date(2025, 1, 1))
    assert again == Added(url, first.document, "changed")
    document = load(path, first.document)
    assert "15 days" in document.text
    assert document.metadata["retrieved"] == "2025-01-01"
    assert document.metadata["tags"] == ["mine"]
    assert [p.name for p in path.parent.iterdir()] == ["leave.md"]


def test_a_file_from_elsewhere_is_never_replaced(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / f"web/127.0.0.1-{site.port}"
    folder.mkdir(parents=True)
    (folder / "leave.md").write_text("written by hand")
    (folder / "rates.csv").write_text("a,b")
    page = add(get(site.page("/leave", PAGE)), tmp_path)
    table = add(get(site.page("/rates.csv", "x,y\n1,2\n", "text/csv")), tmp_path)
    assert (folder / "leave.md").read_text() == "written by hand"
    assert (folder / "rates.csv").read_text() == "a,b"
    assert Path(page.document).name.startswith("leave-")
    assert Path(table.document).name.startswith("rates-")
    (tmp_path / page.document).write_text("now by hand as well")
    with pytest.raises(WebError, match="is there already and from elsewhere: rename or remove it"):
        add(get(site.url("/leave")), tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/x",
        "/..%2f..%2fx",
        "/.hidden",
        "/" + "long" * 100,
        "/a" * 40,
        "/%00/x",
        "/a.md.meta.yaml",
        "/",
    ],
)
def test_names_stay_inside_and_can_be_indexed(site: Site, tmp_path: Path, path: str) -> None:
    from rag.corpus import scan

    site.answers[path] = (200, {"Content-Type": "text/plain"}, b"Text.")
    found = Fetched(site.url(path), b"Text.", "text/plain", "", "")
    added = add(found, tmp_path / "corpus")
    assert [p.name for p in tmp_path.iterdir()] == ["corpus"]
    scanned = scan(tmp_path / "corpus")
    assert [file.id for file in scanned.files] == [added.document]
    assert scanned.skipped == ()
    assert add(found, tmp_path / "corpus").what == "unchanged"


def test_links_and_folders_that_lead_out_are_refused(site: Site, tmp_path: Path) -> None:
    found = get(site.page("/leave", PAGE))
    corpus, outside = tmp_path / "corpus", tmp_path / "outside"
    with pytest.raises(UsageError, match=r"the folder \.\./outside leads out of the corpus"):
        add(found, corpus, folder="../outside")
    outside.mkdir()
    (corpus / "web").mkdir(parents=True)
    (corpus / f"web/127.0.0.1-{site.port}").symlink_to(outside)
    with pytest.raises(WebError, match="is there already and from elsewhere"):
        add(found, corpus)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        ("image/png", b"x", "is image/png, which cannot be indexed: save its text by hand"),
        ("", b"x", "is something unknown, which cannot be indexed"),
        ("text/html", b"<script>draw()</script>", "has no text (is it made by scripts?)"),
        ("text/html", b"", "is empty: save it from a browser"),
    ],
)
def test_what_cannot_be_indexed_is_not_kept(
    site: Site, tmp_path: Path, kind: str, body: bytes, reason: str
) -> None:
    found = get(site.page("/x", body, kind))
    with pytest.raises(WebError) as caught:
        add(found, tmp_path)
    assert reason in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("kind", "path", "suffix"),
    [
        ("text/plain", "/a.md", ".md"),
        ("application/octet-stream", "/a.docx", ".docx"),
        ("text/html; charset=utf-8", "/a.pdf", ".md"),
        ("application/pdf", "/a.html", ".pdf"),
        ("text/xml", "/feed", ".xml"),
        ("", "/page", ".md"),
    ],
)
def test_the_kind_is_what_the_server_says(
    site: Site, tmp_path: Path, kind: str, path: str, suffix: str
) -> None:
    found = get(site.page(path, PAGE, kind))
    assert Path(add(found, tmp_path).document).suffix == suffix


def test_pages_in_other_encodings(site: Site, tmp_path: Path) -> None:
    page = PAGE.replace("13 days", "13 Tage für alle").encode("iso-8859-1")
    found = get(site.page("/x", page, "text/html; charset=ISO-8859-1"))
    assert "13 Tage für alle" in (tmp_path / add(found, tmp_path).document).read_text("utf-8")


# --- the command


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main(["add", *arguments])
    out, err = capsys.readouterr()
    return int(exit_.value.code or 0), out, err


def test_the_command(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    url = site.page("/leave", PAGE)
    code, out, err = run(capsys, url, "--web-allow-private")
    name = f"web/127.0.0.1-{site.port}/leave.md"
    assert (code, out) == (0, f"+ {name}  (added, from {url})\n")
    assert err == "Run `rag build` to index what was added.\n"
    assert (Path("corpus") / name).is_file()
    code, out, err = run(capsys, url, site.url("/none"), "--web-allow-private", "--json")
    assert code == 1
    rows = json.loads(out)
    assert rows[0] == {"url": url, "document": name, "what": "unchanged"}
    assert rows[1]["error"] == f"{site.url('/none')} answered with status 404: check the address"


def test_the_command_refuses_private_addresses_unless_allowed(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.page("/leave", PAGE)
    code, out, err = run(capsys, url)
    assert (code, out) == (1, "")
    assert err.startswith("rag: 127.0.0.1 is at 127.0.0.1, an address of this machine")
    assert not Path("corpus").exists()
    Path("rag.toml").write_text("web_allow_private = true\nweb_max_mb = 1\n")
    assert run(capsys, url)[0] == 0
    monkeypatch.setenv("RAG_WEB_ALLOW_PRIVATE", "off")
    assert run(capsys, url)[0] == 1


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
