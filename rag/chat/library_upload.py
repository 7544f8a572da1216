"""The way in for files: one request each, its body the file as it is, written as it comes.

    PUT library/files?name=leave.pdf&folder=handbook&replace=1

The reply is JSON: `{"saved": id}`, or `{"error": line, "exists": true or false}`. Gradio's own
upload is not used and stays closed: it takes files from anybody, keeps them where every visitor
can read them, and knows no limit but that of one file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rag.chat.library_access import Access
from rag.chat.library_files import Files, Refused
from rag.errors import NotAllowed

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from starlette.requests import Request

PATH = "/library/files"
TOKEN = "x-rag-owner"  # noqa: S105  the name of a header
_AT_ONCE = 1_000_000
_SWALLOWED = 10_000_000
_SWALLOWED_SECONDS = 5


def upload_route(files: Files, access: Access, changed: Callable[[], None]) -> Route:
    """The route.

    Args:
        files: where they go.
        access: who may.
        changed: called after a file was saved.
    """

    async def put(request: Request) -> Response:
        try:
            access.require(request.headers, request.headers.get(TOKEN, ""))
            saved = await _receive(request, files)
        except NotAllowed as error:
            return await _refuse(request, str(error), 403)
        except Refused as error:
            return await _refuse(request, str(error), error.status, exists=error.exists)
        except ClientDisconnect:
            return Response(status_code=400)
        changed()
        return JSONResponse({"saved": saved})

    return Route(PATH, put, methods=["PUT"])


async def _receive(request: Request, files: Files) -> str:
    try:
        size = int(request.headers["content-length"])
    except (KeyError, ValueError):
        raise Refused("came without its size", 411) from None
    asked = request.query_params
    opening = files.receive(
        asked.get("name", ""), asked.get("folder", ""), size, replace=asked.get("replace") == "1"
    )
    # Everything that touches the disk happens in a thread, so that no question waits for it.
    saved, file = await run_in_threadpool(opening.__enter__)
    try:
        await _copy(request, file)
    except BaseException as error:
        # Not in a thread: this may be a cancellation, which would not wait for one.
        _abandon(opening, error)
        raise
    await run_in_threadpool(opening.__exit__, None, None, None)
    return saved


def _abandon(opening: AbstractContextManager[tuple[str, BinaryIO]], error: BaseException) -> None:
    try:
        opening.__exit__(type(error), error, error.__traceback__)
    except BaseException as again:
        if again is not error:  # The caller raises that one itself.
            raise


async def _refuse(request: Request, reason: str, status: int, *, exists: bool = False) -> Response:
    """The reply, after what little is still to come: a browser that is sending does not listen."""
    with suppress(ClientDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(_SWALLOWED_SECONDS):
            read = 0
            async for piece in request.stream():
                read += len(piece)
                if read > _SWALLOWED:
                    break
    return JSONResponse({"error": reason, "exists": exists}, status)


async def _copy(request: Request, file: BinaryIO) -> None:
    waiting = bytearray()
    async for piece in request.stream():
        waiting += piece
        if len(waiting) >= _AT_ONCE:
            await run_in_threadpool(file.write, bytes(waiting))
            waiting.clear()
    await run_in_threadpool(file.write, bytes(waiting))
