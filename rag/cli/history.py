"""`rag generations`, `rag check` and `rag rollback`: the states of the index that are kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from rag.cli.options import index_option, json_option, settings_from
from rag.cli.output import say
from rag.store import history
from rag.text.wording import counted, short_time


@click.command()
@index_option
@json_option
def generations(as_json: bool, **flags: Any) -> None:
    """List the generations of the index, newest first; * marks the one that answers.

    Every build that changes something makes one. The newest few are kept (keep_generations), so
    that an answer can be verified against what it was made from, two states can be compared
    (`rag diff`), and an earlier one can answer again (`rag rollback`).
    """
    kept = history.kept_generations(settings_from(flags).index)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in kept], ensure_ascii=False))
        return
    for one in kept:
        mark = "*" if one.current else " "
        if one.created is None or one.problem:
            fault = "of another version" if one.incompatible else "damaged"
            say(f"{mark} {one.generation}  {fault}: {one.problem}")
            continue
        say(
            f"{mark} {one.generation}  {short_time(one.created)}  "
            f"{counted(one.documents or 0, 'document')}  {counted(one.chunks or 0, 'chunk')}  "
            f"{(one.bytes or 0) / 1e6:.1f} MB  {one.encoder}"
        )


@click.command()
@click.argument("generation", required=False)
@click.option("--deep", is_flag=True, help="Read everything: all checksums, texts and offsets.")
@index_option
@json_option
def check(generation: str | None, deep: bool, as_json: bool, **flags: Any) -> None:
    """Verify that the index is whole: exit code 0, or 1 and a line with the file and the remedy.

    GENERATION is an id or its beginning (g000012); by default the one that answers. Nothing is
    changed, and a build may run meanwhile.

    \b
    Examples:
      rag check
      rag check --deep              after a disk error, or once a week from cron
    """
    checked = history.check(settings_from(flags).index, generation, deep=deep)
    if as_json:
        click.echo(json.dumps(asdict(checked), ensure_ascii=False))
        return
    say(
        f"{checked.generation} is whole: {counted(checked.documents, 'document')}, "
        f"{counted(checked.chunks, 'chunk')}, {counted(checked.files, 'file')}, "
        f"{checked.bytes / 1e6:.1f} MB"
        f"{'' if deep else ' (--deep reads all of it)'}"
    )


@click.command()
@click.argument("generation", required=False)
@index_option
@json_option
def rollback(generation: str | None, as_json: bool, **flags: Any) -> None:
    """Answer from an earlier generation again; a running chat follows by itself.

    GENERATION is an id or its beginning (`rag generations` lists them); by default the newest
    whole one before the current. All its files are verified first. Documents are not touched: the
    next `rag build` brings the index in step with the folder again, and deletes the generations
    that are newer than the one that answers.
    """
    name = history.rollback(settings_from(flags).index, generation)
    if as_json:
        click.echo(json.dumps({"generation": name}))
    else:
        say(f"{name} answers now")
