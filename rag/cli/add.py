"""`rag add`."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from rag.cli.options import effective_from, json_option, setting
from rag.cli.output import say
from rag.errors import CorpusNotFound, RagError
from rag.web.fetching import fetch
from rag.web.pages import keep

_SIGNS = {"added": "+", "changed": "~", "unchanged": "="}


@click.command()
@click.argument("urls", metavar="URL…", nargs=-1, required=True)
@setting("corpus", metavar="DIR")
@click.option(
    "--folder", default="web", show_default=True, metavar="NAME", help="Where in the corpus."
)
@click.option("--collection", default="", metavar="NAME", help="Note this as their collection.")
@setting("web_allow_private")
@setting("web_max_mb", type=int)
@json_option
@click.pass_context
def add(
    context: click.Context,
    /,
    urls: tuple[str, ...],
    folder: str,
    collection: str,
    as_json: bool,
    **flags: Any,
) -> None:
    """Save pages or files from the web into the corpus, each with its address and date.

    Of a web page the main text is kept, as Markdown; a PDF, a Word file and the like as they are.
    The same address always goes to the same file, so adding it again brings it up to date; a file
    that is from elsewhere is never replaced. `rag build` indexes what was added.

    Only http and https are followed, and only to addresses on the public internet unless
    --web-allow-private is given.

    \b
    Examples:
      rag add https://agency.example/policies/leave --collection handbook
      rag add https://agency.example/travel.pdf https://agency.example/rates.xlsx
    """
    effective = effective_from(flags)
    settings, source = effective.settings, effective.sources["corpus"]
    if source == "index" and not os.path.isdir(settings.corpus):  # noqa: PTH112
        # It would be made anew, in place of a disk that is not mounted.
        raise CorpusNotFound(
            f"there is no folder {settings.corpus}, which the index was built from: name another "
            "with --corpus"
        )
    today = datetime.now(UTC).date()
    rows: list[dict[str, str]] = []
    for url in urls:
        try:
            fetched = fetch(
                url,
                allow_private=settings.web_allow_private,
                max_bytes=settings.web_max_mb * 1_000_000,
            )
            added = keep(fetched, settings.corpus, today, folder, collection)
        except RagError as error:
            if len(urls) == 1:
                raise
            rows.append({"url": url, "error": str(error)})
            say(f"rag: {error}", err=True)
            continue
        rows.append(asdict(added))
        if not as_json:
            say(f"{_SIGNS[added.what]} {added.document}  ({added.what}, from {added.url})")
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    elif any(row.get("what") in ("added", "changed") for row in rows):
        elsewhere = f" {shlex.quote(str(settings.corpus))}" if source == "flag" else ""
        say(f"Run `rag build{elsewhere}` to index what was added.", err=True)
    if any("error" in row for row in rows):
        context.exit(1)
