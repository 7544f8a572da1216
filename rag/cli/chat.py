"""`rag chat`."""

from __future__ import annotations

from typing import Any

import click

from rag.cli.build import build_with_progress, describe
from rag.cli.options import (
    answering_options,
    index_option,
    refuse_other_encoder,
    setting,
    settings_from,
)
from rag.cli.output import say
from rag.errors import IndexNotFound
from rag.store.manifest import current_generation


@click.command()
@index_option
@setting("corpus", metavar="DIR")
@setting("host", metavar="HOST")
@setting("allowed_hosts", metavar="NAMES")
@setting("port", metavar="PORT", type=int)
@setting("conversations", metavar="DIR")
@setting("library", metavar="WHO")
@setting("owner_password_file", metavar="FILE")
@setting("library_max_mb", type=int)
@setting("library_max_files", type=int)
@answering_options
def chat(**flags: Any) -> None:
    """Serve the chat page to browsers of this machine; builds the index first if there is none.

    The page follows new generations by itself: run `rag build` in another window at any time.
    """
    settings = settings_from(flags)
    try:
        current_generation(settings.index)
    except IndexNotFound:
        say(f"building the index of {settings.corpus} …", err=True)
        say(describe(build_with_progress(settings)), err=True)
    refuse_other_encoder(settings)
    from rag.chat.page import launch

    launch(settings)
