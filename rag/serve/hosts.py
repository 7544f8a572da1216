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

from rag.serve.replies import error_reply


class OnlyThisHost:
    """ASGI middleware: requests for other hosts get a 403."""

    def __init__(self, app: Any, host: str) -> None:
        """`host` is where the server listens; a name that it was given is known, too."""
        self._app = app
        self._names = {"localhost", host.lower(), socket.gethostname().lower()}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and not self._is_ours(_asked_host(scope)):
            reply = error_reply(403, "this server does not answer for other hosts")
            await reply(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, name: str) -> bool:
        try:
            ip_address(name)
        except ValueError:
            return name in self._names
        return True


def _asked_host(scope: Any) -> str:
    """The `Host` of a request without its port; "" if there is none that can be read."""
    given = [value for name, value in scope["headers"] if name == b"host"]
    if len(given) != 1:
        return ""
    try:
        return urlsplit(f"//{given[0].decode('latin-1')}").hostname or ""
    except ValueError:
        return ""
