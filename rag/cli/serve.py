"""`rag serve`."""

from __future__ import annotations

from typing import Any

import click

from rag.cli.options import (
    answering_options,
    index_option,
    refuse_other_encoder,
    setting,
    settings_from,
)
from rag.cli.output import say

_PORT = 8008
"""Not the chat's: both may run."""


@click.command()
@index_option
@setting("host", "address to listen on", metavar="HOST")
@setting("allowed_hosts", metavar="NAMES")
@setting("port", "port to listen on; 0 takes a free one", _PORT, metavar="PORT", type=int)
@answering_options
def serve(**flags: Any) -> None:
    """Answer scripts over HTTP with JSON, from memory: each question saves the start of a process.

    \b
    POST /ask        {"question": "…", "history": […], "where": […]}: the JSON of `rag ask --json`
    POST /retrieve   the same, with "k": {"hits": […]} as `rag retrieve --json` prints them
    GET  /text?document=leave/annual.md    the canonical text of a document
    GET  /status     the generation that answers, and what it holds
    GET  /health     {"ok": true}

    New generations are followed while it runs. Errors are {"error": "…"} with status 400 (the
    question is wrong), 403 (meant for another host), 404, 405 (GET for POST), 413 (too long), 500
    (our fault) or 503 (too busy). Only this machine can ask unless --host says otherwise; there is
    no password.

    \b
    Example:
      curl 127.0.0.1:8008/ask -d '{"question": "How many days of annual leave do staff get?"}'
    """
    settings = settings_from(flags, port=_PORT)
    refuse_other_encoder(settings)
    from rag.serve.server import serve as run

    run(settings, lambda url: say(f"Answering at {url}  (stop it with Ctrl+C)"))
