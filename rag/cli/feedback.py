"""`rag feedback`: what people thought of answers, and what the corpus could not answer."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from typing import Any

import click

from rag.cli.options import index_option, json_option, setting, settings_from
from rag.cli.output import say
from rag.errors import UsageError
from rag.store.manifest import current_generation
from rag.text.wording import short_time

_WIDTH = 96


@click.command()
@index_option
@setting("conversations", metavar="DIR")
@json_option
def feedback(as_json: bool, **flags: Any) -> None:
    """List feedback on answers of the chat, and the questions that the corpus could not answer.

    Both come from the conversations that the chat keeps, the newest feedback first and the
    questions asked most often first. With --json: {"unanswered": […], "feedback": […]}.

    \b
    Examples:
      rag feedback
      rag feedback --json > feedback.json
    """
    from rag.chat.database import FILE, Database, folder_of
    from rag.chat.feedback import Feedback, Opinion, Unanswered

    settings = settings_from(flags)
    folder = folder_of(settings)
    if folder is None:
        raise UsageError("nothing is kept: the setting `conversations` is off")
    opinions: list[Opinion] = []
    unanswered: list[Unanswered] = []
    if (folder / FILE).exists():
        database = Database(folder)
        try:
            kept = Feedback(database)
            opinions, unanswered = kept.opinions(), kept.unanswered()
        finally:
            database.close()
    else:
        current_generation(settings.index)  # raises if it is the index that is not there
    if as_json:
        data = {
            "unanswered": [asdict(one) for one in unanswered],
            "feedback": [asdict(one) for one in opinions],
        }
        click.echo(json.dumps(data, ensure_ascii=False))
        return
    say("Questions that the corpus could not answer:")
    for question in unanswered:
        times = f"{question.times} times, last " if question.times > 1 else ""
        _entry(question.question, f"{times}{short_time(question.last)}, {question.generation}")
    say("" if unanswered else "  none\n")
    say("Feedback:")
    for opinion in opinions:
        _entry(opinion.question, f"{short_time(opinion.given)}, {opinion.generation}")
        reason = f": {_line(opinion.reason)}" if opinion.reason else ""
        say(f"    {_VERDICTS[opinion.verdict]}{reason}")
        say(textwrap.indent(textwrap.fill(_line(opinion.answer), _WIDTH - 4), "    "))
    if not opinions:
        say("  none")


_VERDICTS = {"up": "helpful", "down": "not helpful"}


def _entry(question: str, about: str) -> None:
    say(f"  {_line(question)}  ({about})")


def _line(text: str) -> str:
    """What came from a browser, on one line and without what steers a terminal."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())
