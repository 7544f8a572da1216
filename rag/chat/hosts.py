"""Refusing requests that were meant for another host: the defence against DNS rebinding.

A page on the web can point a name of its own at 127.0.0.1 and then talk to this server from a
browser as if it were its own. The browser still names that host in its request. Addresses and the
names of this machine cannot be pointed elsewhere.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.responses import JSONResponse

from rag.chat.headers import HeldToThisServer, NamesTheClient
from rag.chat.origin import is_loopback

_REFUSED = (
    "this server does not answer for other hosts: ask for it by its address, or allow that name "
    "with --allowed-hosts"
)


class OnlyThisHost:
    """ASGI middleware: requests for other hosts get a 403."""

    def __init__(self, app: Any, host: str, allowed: str = "") -> None:
        """`host` is where the server listens; a name that it was given is known, too.

        So are the names in `allowed`, with commas between them.
        """
        self._app = app
        own = socket.gethostname()
        named = ["localhost", host, own, f"{own}.local", *allowed.split(",")]
        self._names = {_plain(name) for name in named} - {""}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] in ("http", "websocket") and not self._is_ours(_plain(_asked_host(scope))):
            await JSONResponse({"error": _REFUSED}, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, name: str) -> bool:
        try:
            ip_address(name)
        except ValueError:
            return name in self._names
        return True


def guards(host: str, allowed: str = "") -> list[Middleware]:
    """What stands before the chat at `host`.

    A page for this machine alone has no names but its own and those in `allowed`; one for a network
    may have any.
    """
    always = [Middleware(HeldToThisServer), Middleware(NamesTheClient)]
    if not is_loopback(host):
        return always
    return [*always, Middleware(OnlyThisHost, host=host, allowed=allowed)]


def _plain(name: str) -> str:
    """The name as it is compared: "localhost." is "localhost"."""
    return name.strip().lower().removesuffix(".")


def _asked_host(scope: Any) -> str:
    """The `Host` of a request without its port; "" if there is none that can be read."""
    given = [value for name, value in scope["headers"] if name == b"host"]
    if len(given) != 1:
        return ""
    try:
        return urlsplit(f"//{given[0].decode('latin-1')}").hostname or ""
    except ValueError:
        return ""
