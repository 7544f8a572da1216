"""What the API answers with."""

from __future__ import annotations

import json

from starlette.responses import Response

from rag.errors import DocumentNotFound, RagError, TooBusy, UsageError


def json_reply(data: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A response with JSON in UTF-8; what cannot be written (lone surrogates) becomes "?"."""
    body = json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, status, headers, "application/json")


def error_reply(status: int, message: str) -> Response:
    """One clear line."""
    later = {"retry-after": "1"} if status == 503 else None
    return json_reply({"error": " ".join(message.split())}, status, later)


def status_of(error: RagError) -> int:
    """Whose fault it is: 400 and 404 the caller's, 503 nobody's, 500 ours."""
    if isinstance(error, UsageError):
        return 400
    if isinstance(error, DocumentNotFound):
        return 404
    return 503 if isinstance(error, TooBusy) else 500
