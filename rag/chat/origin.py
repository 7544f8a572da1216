"""Where a request comes from: a page of this server or of another one, and which machine."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from rag.errors import NotAllowed

Headers = Mapping[str, str]
"""The headers of a request, names in lower case."""
CLIENT = "x-rag-client"
"""The header that holds the address of whoever asks; see `rag.chat.headers.NamesTheClient`."""


def require_same_origin(headers: Headers) -> None:
    """Return if a page of this server asked, or no page at all.

    Browsers say so themselves where the connection is safe. Elsewhere the page's address has to
    be the one that was asked, also behind a proxy.

    Raises:
        NotAllowed: a page of another site asked.
    """
    if not _is_same_origin(headers):
        raise NotAllowed("This request came from another site and was refused.")


def asked_host(headers: Headers) -> str:
    """The name by which this server was asked, without the port; "" if it makes no sense."""
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def client(headers: Headers) -> bytes:
    """Who asks, as far as an address tells; the same for all of whom nothing is known."""
    try:
        address = ip_address(headers.get(CLIENT, ""))
    except ValueError:
        return b""
    # Whoever has one address of IPv6 has all with the same first half.
    return (getattr(address, "ipv4_mapped", None) or address).packed[:8]


def is_loopback(host: str) -> bool:
    """Whether this name or address leads nowhere but to the machine itself."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_same_origin(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    ours = {headers.get("host", ""), *headers.get("x-forwarded-host", "").split(",")}
    return urlsplit(origin).netloc.lower() in {name.strip().lower() for name in ours if name}
