"""Fetching one page or file from the web, by an address that somebody gave.

An address may lead anywhere, also to what only this machine can reach. So every connection, those
of redirects included, goes to an address that was looked up and judged just before, by this
process: there is no second look-up in which a name could turn into another address. The name is
still what the server is asked for and what its certificate has to show. Proxies are not used.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

import certifi
import httpcore

from rag.errors import WebError

_REDIRECTS_AT_MOST = 5
_REDIRECTS = frozenset([301, 302, 303, 307, 308])
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 20.0
_TOTAL_SECONDS = 120.0
_AGENT = "rag (+adds single documents to a local index)"
_ACCEPT = "text/html,application/xhtml+xml,application/pdf;q=0.9,*/*;q=0.8"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Fetched:
    """What an address led to.

    Attributes:
        url: where it was in the end, after redirects, without a fragment.
        content: the body, unpacked.
        media_type: "text/html" and the like, in lower case; "" if the server said nothing.
        charset: as the server said it, "" otherwise.
        modified: the Last-Modified header, "" if there is none.
    """

    url: str
    content: bytes
    media_type: str
    charset: str
    modified: str


def fetch(
    url: str, *, allow_private: bool = False, max_bytes: int = 20_000_000,
    seconds: float = _TOTAL_SECONDS,
) -> Fetched:  # fmt: skip
    """Get a page or file over HTTP or HTTPS.

    Args:
        url: the address.
        allow_private: whether addresses of this machine and of private networks are allowed.
        max_bytes: the largest body, unpacked.
        seconds: how long it may take in all.

    Raises:
        WebError: the address is not allowed or leads nowhere, redirects do not end, the body is
            too large, or it takes too long. One line that names the address or its server, unless
            a password stands in the address.
    """
    deadline = time.monotonic() + seconds
    backend = _Backend(allow_private, deadline)
    with httpcore.ConnectionPool(ssl_context=_trust(), network_backend=backend) as pool:
        parts = _checked(url, url)
        for _ in range(_REDIRECTS_AT_MOST + 1):
            address = urlunsplit(parts)
            with _errors(address):
                found = _ask(pool, address, max_bytes, deadline)
            if isinstance(found, Fetched):
                return found
            following = _checked(found, url, address)
            if parts.scheme == "https" and following.scheme == "http":
                raise WebError(f"{url} redirects from https to http, which is not followed")
            parts = following
    raise WebError(f"{url} redirects more than {_REDIRECTS_AT_MOST} times: check the address")


def _checked(url: str, asked: str, base: str = "") -> SplitResult:
    """The parts of an address that may be asked for, with what HTTP cannot carry encoded.

    Args:
        url: the address; in a redirect it may be relative to `base`.
        asked: what somebody asked for.
        base: where the redirect comes from, "" if it is none.
    """
    via = f"{asked} redirects to an address that is not allowed: " if base else ""
    try:
        url = urljoin(base, url.strip()) if base else url.strip()
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except (ValueError, UnicodeError) as error:
        raise WebError(f"{via}{url} is not a web address: {error}") from error
    if parts.scheme not in _PORTS:
        raise WebError(f"{via}{url} is not a web address: it has to begin with https:// or http://")
    if not host:
        raise WebError(f"{via}{url} is not a web address: it names no server")
    if "@" in parts.netloc:
        raise WebError(
            f"{via}the address holds a name or password, which is not sent: leave it out"
        )
    place = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS[parts.scheme]:
        place += f":{port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    return SplitResult(parts.scheme, place, path, query, "")


def _ask(pool: httpcore.ConnectionPool, url: str, max_bytes: int, deadline: float) -> Fetched | str:
    """The answer of one server: the content, or where else to look."""
    headers: list[tuple[bytes | str, bytes | str]] = [
        ("User-Agent", _AGENT),
        ("Accept", _ACCEPT),
        ("Accept-Encoding", "identity"),
    ]
    timeout = {"connect": _CONNECT_SECONDS, "read": _READ_SECONDS, "write": _READ_SECONDS,
               "pool": _CONNECT_SECONDS}  # fmt: skip
    with pool.stream("GET", url, headers=headers, extensions={"timeout": timeout}) as response:
        fields = {
            name.decode("latin-1").lower(): value.decode("latin-1").strip()
            for name, value in response.headers
        }
        if response.status in _REDIRECTS and fields.get("location"):
            return fields["location"]
        if response.status != 200:
            raise WebError(f"{url} answered with status {response.status}: check the address")
        length = fields.get("content-length", "")
        if length.isdigit() and int(length) > max_bytes:
            raise _too_large(url, max_bytes)
        packing = fields.get("content-encoding", "")
        pieces = _unpacked(url, response.iter_stream(), packing, max_bytes)
        content = bytearray()
        for piece in pieces:
            content += piece
            if len(content) > max_bytes:
                raise _too_large(url, max_bytes)
            if time.monotonic() > deadline:
                raise httpcore.ReadTimeout
    media_type, _, rest = fields.get("content-type", "").partition(";")
    charset = rest.partition("charset=")[2].partition(";")[0].strip(" \"'")
    return Fetched(
        url, bytes(content), media_type.strip().lower(), charset, fields.get("last-modified", "")
    )


def _unpacked(url: str, pieces: Iterable[bytes], encoding: str, max_bytes: int) -> Iterator[bytes]:
    """The body as it was meant: some servers pack it although they were asked not to."""
    if encoding.lower() in ("", "identity"):
        yield from pieces
        return
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        raise WebError(f"{url} is packed in a way that is not understood: {encoding}")
    unpack = None
    for piece in pieces:
        data = piece
        while data:
            if unpack is None or unpack.eof:  # There may be several parts.
                unpack = _unpacker(encoding.lower(), data[0])
            # In steps: a megabyte of zeros is packed into a kilobyte.
            yield unpack.decompress(data, min(max_bytes, 1_000_000) + 1)
            data = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
    if unpack is not None:
        yield unpack.flush()
    if unpack is None or not unpack.eof:
        raise zlib.error("the packed answer is cut off")


def _unpacker(encoding: str, first: int) -> zlib._Decompress:
    """For "deflate" some servers leave out the header, which tells by the first byte."""
    bare = encoding == "deflate" and first & 0x0F not in (0x08, 0x0F)
    return zlib.decompressobj(-zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32)


def _too_large(url: str, max_bytes: int) -> WebError:
    return WebError(
        f"{url} is larger than {max_bytes / 1e6:g} MB: save it by hand, or raise web_max_mb"
    )


@contextmanager
def _errors(url: str) -> Iterator[None]:
    """Everything that the network does wrong as one line."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise WebError(f"{url} took too long to answer: try again later") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, zlib.error) as error:
        detail = " ".join(str(error).split())[:150] or type(error).__name__
        raise WebError(f"{url} cannot be fetched: {detail}") from error
    except (
        httpcore.UnsupportedProtocol,
        httpcore.ProxyError,
        httpcore.ConnectionNotAvailable,
        RuntimeError,
    ) as error:
        raise WebError(f"{url} cannot be fetched: {type(error).__name__}") from error


def _trust() -> ssl.SSLContext:
    """The system's certificate authorities, an organisation's own included, and Mozilla's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class _Backend(httpcore.NetworkBackend):
    """Connects to judged addresses only."""

    def __init__(self, allow_private: bool, deadline: float) -> None:
        self._allow_private, self._deadline = allow_private, deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Look the name up, judge every address, and connect to the first that answers."""
        addresses = _addresses(host, port)
        refused = [a for a in addresses if not (self._allow_private or is_public(a))]
        if refused:
            raise WebError(
                f"{host} is at {refused[0]}, an address of this machine or of a private network: "
                "to allow that, give --web-allow-private or set web_allow_private"
            )
        error: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                stream = self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                error = failure
            else:
                return _Stream(stream, self._deadline)
        raise error


class _Stream(httpcore.NetworkStream):
    """A connection that ends at the deadline, however slowly the other side drips."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def _left(self, timeout: float | None) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left if timeout is None else min(left, timeout)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._left(timeout))
        return _Stream(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WebError(f"{host} is not known: check the address and the connection") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether anybody on the internet could reach the address, not only this machine or network.

    An IPv4 address inside an IPv6 address is judged as well.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner)) and (ip.is_global or ip.ipv4_mapped is not None)
    return ip.is_global and not ip.is_multicast
