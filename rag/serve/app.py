"""The routes of the API.

    POST /ask       {"question": "…", "history"?: […], "where"?: […], "id"?: "…"}  → an answer
    POST /retrieve  the same and "k"?: 1 to 100                        → {"id", "hits": […]}
    GET  /text?document=leave/annual.md                                → its canonical text, plain
    GET  /status    generation, when it was built, and what it holds
    GET  /health    {"ok": true} as long as questions are answered

Answers and hits are the JSON that `rag ask --json` and `rag retrieve --json` print.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from rag.asking.asked import KEYS, asked_from
from rag.chat.headers import HeldToThisServer
from rag.chat.hosts import OnlyThisHost
from rag.errors import DocumentNotFound, RagError, TooBusy, UsageError
from rag.live import LiveIndex
from rag.serve.replies import error_reply, json_reply, status_of

Result = TypeVar("Result")

MOST_BYTES = 256 * 1024
"""A longer body is refused."""
MOST_HITS = 100
_AT_ONCE = 64
"""Threads: enough for the encoder to find company, the computing is limited below."""
_MOST_OPEN = 1024
"""So many requests are held; one more is told to come back."""


class Api:
    """The endpoints over one live index."""

    def __init__(self, index: LiveIndex) -> None:
        self._index, self._open = index, 0
        self._threads = CapacityLimiter(_AT_ONCE)

    def routes(self) -> list[Route]:
        """What can be asked for."""
        return [
            Route("/ask", self.ask, methods=["POST"]),
            Route("/retrieve", self.retrieve, methods=["POST"]),
            Route("/text", self.text),
            Route("/status", self.status),
            Route("/health", self.health),
        ]

    async def ask(self, request: Request) -> Response:
        """An answer."""
        asked = asked_from(await _json_of(request), "the body", KEYS)
        answer = await self._in_thread(
            lambda: self._index.ask(asked.question, asked.history, asked.id, asked.where)
        )
        return json_reply(answer.to_dict())

    async def retrieve(self, request: Request) -> Response:
        """Hits."""
        data = await _json_of(request)
        asked = asked_from(data, "the body", (*KEYS, "k"))
        k = data.get("k", 5)
        if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MOST_HITS:
            raise UsageError(f'the body: "k" is a number from 1 to {MOST_HITS}')
        hits = await self._in_thread(
            lambda: self._index.retrieve(asked.question, k, asked.history, asked.where)
        )
        return json_reply({"id": asked.id, "hits": [hit.to_dict() for hit in hits]})

    async def text(self, request: Request) -> Response:
        """The canonical text of a document, exactly."""
        name = request.query_params.get("document")
        if not name:
            raise UsageError("say which document: /text?document=leave/annual.md")
        try:
            text = await self._in_thread(lambda: self._index.text(name))
        except DocumentNotFound:
            # The index's own words advise a command, which whoever asks here may not have.
            raise DocumentNotFound(f"there is no document {name!r}") from None
        return Response(text.encode("utf-8", "replace"), media_type="text/plain")

    async def status(self, _: Request) -> Response:
        """What answers now."""
        return json_reply(await self._in_thread(self._index.status))

    async def health(self, _: Request) -> Response:
        """That it answers."""
        return json_reply({"ok": True})

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._open >= _MOST_OPEN:
            raise TooBusy(f"{_MOST_OPEN} requests are open already: try again in a moment")
        self._open += 1
        try:
            return await to_thread.run_sync(work, limiter=self._threads)
        finally:
            self._open -= 1


def make_app(index: LiveIndex, host: str, allowed: str = "") -> Starlette:
    """The ASGI application over an index, as it is served at `host` and the `allowed` names."""
    return Starlette(
        routes=Api(index).routes(),
        middleware=[
            Middleware(HeldToThisServer),
            Middleware(OnlyThisHost, host=host, allowed=allowed),
        ],
        exception_handlers={
            RagError: _rag_error,
            HTTPException: _http_error,
            ClientDisconnect: _gone,
            Exception: _our_fault,
        },
    )


async def _json_of(request: Request) -> Any:
    """The body of a request, parsed.

    Raises:
        HTTPException: 413, it is too long.
        UsageError: it is not JSON.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"the body is longer than {MOST_BYTES // 1024} KiB")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the body is not JSON ({error})") from error


async def _rag_error(_: Request, error: Any) -> Response:
    return error_reply(status_of(error), str(error))


async def _http_error(request: Request, error: Any) -> Response:
    headers = error.headers or {}
    told = {
        404: f"there is no {request.url.path}: see `rag serve --help`",
        405: f"{request.url.path} takes {headers.get('Allow')}, not {request.method}",
    }
    reply = error_reply(error.status_code, told.get(error.status_code, error.detail))
    reply.headers.update(headers)
    return reply


async def _gone(_: Request, __: Any) -> Response:
    return error_reply(400, "the request ended early")


async def _our_fault(request: Request, _: Any) -> Response:
    return error_reply(500, f"something went wrong with {request.url.path}: the log says more")
