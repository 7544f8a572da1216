"""`rag diff`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import click

from rag.cli.options import index_option, json_option, settings_from
from rag.cli.output import say, visible
from rag.comparing.generations import compare
from rag.comparing.page import summary, to_html, to_text
from rag.errors import RagError
from rag.store.files import describe_error, replace_file


@click.command()
@click.argument("before", required=False)
@click.argument("after", required=False)
@click.option(
    "--html", metavar="FILE", type=click.Path(path_type=Path), help="Write a page to send or print."
)
@index_option
@json_option
def diff(
    before: str | None, after: str | None, html: Path | None, as_json: bool, **flags: Any
) -> None:
    """Compare two states of the index: documents, and the changed sentences side by side.

    BEFORE and AFTER are generations, by id or its beginning (`rag generations` lists them). By
    default the one that answers is compared with the one before it.

    \b
    Examples:
      rag diff                      what the last build changed
      rag diff g000003              what changed since that one
      rag diff --html changes.html  the same as a page for a colleague
    """
    difference = compare(settings_from(flags).index, before, after)
    if html is not None:
        try:
            _write(html, visible(to_html(difference)).encode("utf-8", "replace"))
        except (OSError, RuntimeError) as error:  # The latter for links that go round.
            raise RagError(f"{html} cannot be written: {describe_error(error)}") from error
    if as_json:
        click.echo(json.dumps(difference.to_dict(), ensure_ascii=False))
    elif html is not None:
        # Where the page itself may have gone to standard output, nothing is added to it.
        say(f"{html}: {summary(difference)}", err=not html.is_file())
    else:
        say(to_text(difference, shutil.get_terminal_size((110, 24)).columns))


def _write(path: Path, page: bytes) -> None:
    """Set the content of a file at once, also behind a link; a device or pipe stays what it is."""
    if path.is_file() or not path.exists():
        replace_file(path.resolve(), page)
    else:
        path.write_bytes(page)
