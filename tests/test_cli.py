"""The command itself: installed, with a version, and with help for all that it can do."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from commands import Run

import rag
from rag import cli
from rag.cli.output import visible
from rag.index import Index
from rag.settings import Settings
from rag.types import Answer


def test_the_installed_command_is_this_one(index: Path) -> None:
    command = Path(sys.executable).with_name("rag")
    ran = subprocess.run([command, "text", "travel.txt", "--index", index], capture_output=True,
                         text=True, check=True)  # fmt: skip
    assert ran.stdout.startswith("Travel policy\n")
    ran = subprocess.run([command, "ask", "x", "--index", "nowhere"], capture_output=True,
                         text=True, check=False)  # fmt: skip
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("rag: there is no index in nowhere")


def test_version_is_that_of_the_package(run: Run) -> None:
    from importlib.metadata import version

    assert version("rag") in run("--version").out


@pytest.mark.parametrize(
    "command", ["", *cli._COMMANDS, "eval answers", "eval compare", "eval retrieval"]
)
def test_every_command_and_option_has_help(run: Run, command: str) -> None:
    ran = run(*command.split(), "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: rag {command}".rstrip())
    context = cli.cli.make_context("rag", [], resilient_parsing=True)
    found: Any = cli.cli
    for name in command.split():
        found = found.get_command(context, name)
    assert found.help
    for option in found.params:
        if option.param_type_name == "option" and option.name != "help":
            assert option.help, f"{command} {option.opts}"


def test_the_list_of_commands_says_what_each_says_itself(run: Run) -> None:
    out = run("--help").out
    for name, (_, summary) in cli._COMMANDS.items():
        assert name in out
        assert " ".join(summary.split()) in " ".join(out.split())


def test_an_option_that_is_a_setting_is_spelled_like_it() -> None:
    types = get_type_hints(Settings)
    settings = {spec.name for spec in fields(Settings)}
    context = cli.cli.make_context("rag", [], resilient_parsing=True)
    spelled = {}
    for command in cli._COMMANDS:
        found: Any = cli.cli.get_command(context, command)
        for option in found.params:
            if option.param_type_name == "option" and option.name in settings:
                assert option.opts == [f"--{option.name.replace('_', '-')}"]
                kind = {int: "integer", float: "float"}.get(types[option.name], option.type.name)
                assert option.type.name == kind, f"{command} {option.opts}"
                spelled[option.name] = option.opts
    assert {"index", "encoder", "caution", "chunk_tokens"} <= spelled.keys()


def test_nothing_that_steers_a_terminal_is_shown_as_it_is() -> None:
    assert visible("a\tb\n\x1b[2J\x07\r\x9b1m\u202eé→😀שלום\u200f\u2066") == (
        "a\tb\n[U+001B][2J[U+0007][U+000D][U+009B]1m[U+202E]é→😀שלום\u200f[U+2066]"
    )


def test_the_package_has_what_it_returns() -> None:
    assert (rag.Index, rag.Answer) == (Index, Answer)
    with pytest.raises(AttributeError, match="module 'rag' has no attribute 'Nothing'"):
        _ = rag.Nothing  # type: ignore[attr-defined]
