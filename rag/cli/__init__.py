"""The command line: parse, call the library, format. No logic of its own.

Exit codes: 0 done, 1 failed (one line on stderr), 2 wrong use.
"""

from __future__ import annotations

import importlib
import io
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

import click

from rag.cli.output import say
from rag.errors import RagError, SettingsError, UsageError

_STOPPED = 130
# A subcommand's module is imported only when it is called: `rag --help` loads nothing heavy.
_COMMANDS = {
    "build": ("rag.cli.build:build", "Build or update the index from a folder of documents."),
    "add": ("rag.cli.add:add", "Save pages or files from the web into the corpus."),
    "ask": ("rag.cli.ask:ask", "Answer a question with quotations from the documents."),
    "retrieve": ("rag.cli.ask:retrieve", "Find the passages nearest to a question."),
    "chat": ("rag.cli.chat:chat", "Serve the chat page; builds the index if there is none."),
    "serve": ("rag.cli.serve:serve", "Answer scripts over HTTP with JSON."),
    "status": ("rag.cli.inspect:status", "Show what the index holds and how it was made."),
    "text": ("rag.cli.inspect:text", "Print the canonical text of one document, exactly."),
    "generations": ("rag.cli.history:generations", "List the states of the index that are kept."),
    "diff": ("rag.cli.diff:diff", "Compare two states: documents and the sentences that changed."),
    "check": ("rag.cli.history:check", "Verify that the index is whole; --deep reads all of it."),
    "rollback": ("rag.cli.history:rollback", "Answer from the previous state of the index again."),
    "feedback": (
        "rag.cli.feedback:feedback",
        "List feedback from the chat, and unanswered questions.",
    ),
    "config": ("rag.cli.inspect:config", "Show every setting, its value and where it came from."),
    "eval": ("rag.cli.evaluate:evaluate", "Measure retrieval and answers on a question set."),
}


class _LazyGroup(click.Group):
    """A group that knows its commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="rag")
@click.option("--debug", is_flag=True, help="Show a traceback with an error, and log details.")
def cli(debug: bool) -> None:
    """Ask a folder of policy documents and get answers that quote them.

    \b
    Start here:
      rag build my-documents        make the index (again after any change: it costs what changed)
      rag ask "How many days of annual leave do staff get?"
      rag chat                      the same in a browser

    Every setting that `rag config` lists is also an environment variable (--index: RAG_INDEX) and
    a key in rag.toml (index).
    """
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s" if debug else "%(message)s",
        stream=sys.stderr,
    )


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    debug = "--debug" in (sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # JSON and quotes are UTF-8 whatever the locale of the terminal says.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = cli.main(arguments, prog_name="rag", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        say("rag: stopped", err=True)
        sys.exit(_STOPPED)
    except RagError as error:
        if debug:
            logging.getLogger(__name__).exception("the error in full")
        say(f"rag: {' '.join(str(error).split())}", err=True)
        sys.exit(2 if isinstance(error, UsageError | SettingsError) else 1)
    except OSError as error:
        _give_up(error, debug=debug)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def entry() -> NoReturn:
    """The command `rag`: `main`, but who has stopped it does not wait for what still computes.

    Python would wait for the threads of the encoder, whose library may crash at the end.
    """
    try:
        main()
    except SystemExit as end:
        if end.code != _STOPPED:
            raise
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(_STOPPED)


def _give_up(error: OSError, *, debug: bool) -> None:
    """Say what failed, and keep Python from writing the rest of the output once more."""
    if debug:
        logging.getLogger(__name__).error("the error in full", exc_info=error)
    if not isinstance(error, BrokenPipeError):  # Else the reader has gone: leave quietly.
        # Errors of files name them; those of a stream that is open do not.
        of_output = error.errno is not None and error.filename is None
        reason = f"the output cannot be written: {error.strerror}" if of_output else str(error)
        say(f"rag: {reason}", err=True)
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
