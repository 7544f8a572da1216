"""Feedback, and the list of what could not be answered: in the store and on the command line."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rag.chat.conversations import MAX_LISTED, Conversations, Summary, owner_of
from rag.chat.database import Database, now
from rag.chat.feedback import Feedback
from rag.chat.listing import conversations_html
from rag.cli import cli
from rag.errors import ConversationNotFound, IndexNotFound, UsageError
from rag.store.manifest import POINTER

ME, OTHER = owner_of("m" * 32), owner_of("o" * 32)
ONE, TWO = "1" * 22, "2" * 22


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "index-conversations")
    yield opened
    opened.close()


def ask(
    database: Database, question: str, *, abstained: bool = False, conversation: str = ONE,
    generation: str = "g1", **more: Any,
) -> int:  # fmt: skip
    reply = {"text": "Twenty-five. [1]", "abstained": abstained, "generation": generation}
    turn = Conversations(database).add(
        conversation, more.pop("owner", ME), question, reply, asked=now(), **more
    )
    assert turn is not None
    return turn


def test_feedback_is_kept_with_what_it_is_about(database: Database) -> None:
    feedback = Feedback(database)
    feedback.give(ask(database, "How many days?"), ME, "down", "Out of date")
    (opinion,) = feedback.opinions()
    assert (opinion.verdict, opinion.reason) == ("down", "Out of date")
    assert (opinion.question, opinion.answer, opinion.generation) == (
        "How many days?", "Twenty-five. [1]", "g1",
    )  # fmt: skip


def test_the_last_word_counts_and_can_be_taken_back(database: Database) -> None:
    feedback, turn = Feedback(database), ask(database, "How many days?")
    feedback.give(turn, ME, "down", "Wrong")
    feedback.give(turn, ME, "up")
    assert [(one.verdict, one.reason) for one in feedback.opinions()] == [("up", "")]
    feedback.give(turn, ME, "")
    assert feedback.opinions() == []


def test_only_the_one_who_asked_gives_feedback(database: Database) -> None:
    turn = ask(database, "How many days?")
    with pytest.raises(ConversationNotFound):
        Feedback(database).give(turn, OTHER, "down")
    with pytest.raises(ConversationNotFound):
        Feedback(database).give(turn + 99, ME, "down")
    with pytest.raises(UsageError):
        Feedback(database).give(turn, ME, "sideways")


def test_a_deleted_conversation_takes_its_feedback_along(database: Database) -> None:
    feedback = Feedback(database)
    feedback.give(ask(database, "How many days?", abstained=True), ME, "down")
    Conversations(database).delete(ONE, ME)
    assert feedback.opinions() == []
    assert feedback.unanswered() == []


def test_unanswered_questions_are_counted_whatever_their_form(database: Database) -> None:
    for question in ("May I bring a dog?", "Is there a  pool", "is there a pool?"):
        ask(database, question, abstained=True)
    ask(database, "How many days?")
    ask(
        database, "Is there a pool?", abstained=True, conversation=TWO, owner=OTHER, generation="g2"
    )
    first, second = Feedback(database).unanswered()
    assert (first.question, first.times, first.generation) == ("Is there a pool?", 3, "g2")
    assert (second.question, second.times) == ("May I bring a dog?", 1)


def test_a_copied_conversation_counts_once(database: Database) -> None:
    ask(database, "Is there a pool?", abstained=True)
    ask(database, "How many days?", conversation=TWO, owner=OTHER, copy_of=ONE)
    assert [one.times for one in Feedback(database).unanswered()] == [1]


def test_every_word_is_searched_for_however_it_is_encoded(database: Database) -> None:
    ask(database, unicodedata.normalize("NFD", "Wie viele Überstunden?"))
    kept = Conversations(database)
    assert kept.listed(ME, "überstunden")
    assert not kept.listed(ME, f"{'wie ' * 10}urlaub")


def test_a_list_that_is_cut_off_says_so() -> None:
    one = Summary(ONE, "Leave", now(), 1)
    assert "newest 500" in conversations_html([one] * MAX_LISTED)
    assert "newest" not in conversations_html([one])


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["feedback", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_command_lists_both(database: Database, tmp_path: Path) -> None:
    Feedback(database).give(ask(database, "How many days?"), ME, "down", "Out of\x1b[2J date")
    ask(database, "Is there a pool?", abstained=True)
    index = str(tmp_path / "index")
    shown = run("--index", index)
    assert "Is there a pool?" in shown
    assert "not helpful: Out of[2J date" in shown
    data = json.loads(run("--index", index, "--json"))
    assert [one["question"] for one in data["unanswered"]] == ["Is there a pool?"]
    assert data["feedback"][0]["reason"] == "Out of\x1b[2J date"
    assert data["feedback"][0]["generation"] == "g1"


def test_without_conversations_the_lists_are_empty_and_nothing_is_made(tmp_path: Path) -> None:
    index = tmp_path / "index"
    with pytest.raises(IndexNotFound):
        run("--index", str(index))
    index.mkdir()
    (index / POINTER).write_text('{"generation": "g1"}')
    assert json.loads(run("--index", str(index), "--json")) == {"unanswered": [], "feedback": []}
    assert run("--index", str(index)).count("none") == 2
    assert list(tmp_path.iterdir()) == [index]


def test_where_nothing_is_kept_the_command_says_so() -> None:
    with pytest.raises(UsageError, match="`conversations` is off"):
        CliRunner().invoke(cli, ["feedback", "--conversations", "off"], catch_exceptions=False)
