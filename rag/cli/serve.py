"""`rag serve`."""

from __future__ import annotations

from typing import Any

import click

from rag.cli.options import answering_options, index_option, setting, settings_from


@click.command()
@index_option
@setting("host", metavar="HOST")
@setting("port", metavar="PORT", type=int)
@answering_options
def serve(**flags: Any) -> None:
    """Answer scripts over HTTP with JSON, from memory: each question saves the start of a process.

    \b
    POST /ask        {"question": "…", "history": […], "where": […]}: the JSON of `rag ask --json`
    POST /retrieve   the same, with "k": {"hits": […]} as `rag retrieve --json` prints them
    GET  /text?document=leave/annual.md    the canonical text of a document
    GET  /status     the generation that answers, and what it holds
    GET  /health     {"ok": true}

    New generations are followed while it runs. Errors are {"error": "…"} with status 400, 404,
    413 or 503. Only this machine can ask unless --host says otherwise; there is no password.

    \b
    Example:
      curl 127.0.0.1:7860/ask -d '{"question": "How many days of annual leave do staff get?"}'
    """
    settings = settings_from(flags)
    from rag.serve.server import serve as run

    run(settings, lambda url: click.echo(f"Answering at {url}  (stop it with Ctrl+C)"))
