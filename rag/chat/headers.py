"""Headers that this server sets: on responses for the browser, on requests for itself."""

from __future__ import annotations

from typing import Any

from rag.chat.origin import CLIENT

# Gradio needs inline scripts and evaluates templates; nothing needs another host.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
_HEADERS = (
    (b"content-security-policy", POLICY.encode("ascii")),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class HeldToThisServer:
    """ASGI middleware: a browser asks no other server, whatever a document may contain."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on, and the response with the headers."""

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


class NamesTheClient:
    """ASGI middleware that says in the header `CLIENT` which machine asks."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the request on with the header, in place of any that came with it."""
        if scope["type"] == "http":
            name = CLIENT.encode("ascii")
            address, *_ = scope.get("client") or ("",)
            given = [header for header in scope["headers"] if header[0] != name]
            scope = {**scope, "headers": [*given, (name, address.encode("latin-1"))]}
        await self._app(scope, receive, send)
