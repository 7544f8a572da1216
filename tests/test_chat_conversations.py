"""Conversations are kept, listed for their owner, read by their link, and really deleted."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.chat.conversations import Conversations, owner_of
from rag.chat.database import FILE, VERSION, Database, folder_of, now
from rag.errors import ConversationNotFound, ConversationsUnusable, UsageError
from rag.settings import Settings

ME, OTHER = owner_of("m" * 32), owner_of("o" * 32)
ONE, TWO = "1" * 22, "2" * 22


def reply(text: str = "Staff get 25 days. [1]", *, abstained: bool = False) -> dict[str, Any]:
    return {"text": text, "abstained": abstained, "generation": "g1", "html": f"<p>{text}</p>"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "kept")
    yield opened
    opened.close()


@pytest.fixture
def kept(database: Database) -> Conversations:
    return Conversations(database)


def ask(
    kept: Conversations, question: str, conversation: str = ONE, owner: str = ME, **more: Any
) -> int | None:
    return kept.add(
        conversation, owner, question, more.pop("reply", reply()), asked=more.pop("asked", now()),
        **more,
    )  # fmt: skip


def test_a_conversation_is_named_by_its_first_question_and_keeps_all_turns(
    kept: Conversations,
) -> None:
    assert ask(kept, "How much leave do I get?", filters={"language": "en"})
    assert ask(kept, "And if I am new?", reply=reply("Half of it. [1]"))
    found = kept.get(ONE)
    assert found.name == "How much leave do I get?"
    assert [turn.question for turn in found.turns] == [
        "How much leave do I get?",
        "And if I am new?",
    ]
    assert found.turns[1].reply == reply("Half of it. [1]")
    assert found.filters == {}  # those of the last question


def test_it_survives_a_restart(tmp_path: Path) -> None:
    first = Database(tmp_path)
    ask(Conversations(first), "How much leave do I get?")
    first.close()
    second = Database(tmp_path)
    assert [one.id for one in Conversations(second).listed(ME)] == [ONE]
    second.close()


def test_turns_stand_in_the_order_in_which_they_were_asked(kept: Conversations) -> None:
    ask(kept, "Second, but answered first", asked="2026-01-01T00:00:02")
    ask(kept, "First, but slow", asked="2026-01-01T00:00:01")
    assert [turn.question for turn in kept.get(ONE).turns] == [
        "First, but slow",
        "Second, but answered first",
    ]


def test_nobody_sees_the_list_of_another(kept: Conversations) -> None:
    ask(kept, "Mine")
    ask(kept, "Theirs", TWO, OTHER)
    assert [one.name for one in kept.listed(ME)] == ["Mine"]
    assert [one.name for one in kept.listed(OTHER)] == ["Theirs"]


def test_whoever_has_the_link_reads_but_changes_nothing(kept: Conversations) -> None:
    ask(kept, "Mine")
    assert kept.get(ONE).name == "Mine"
    assert ask(kept, "Intruding", owner=OTHER) is None
    with pytest.raises(ConversationNotFound):
        kept.rename(ONE, OTHER, "Theirs now")
    with pytest.raises(ConversationNotFound):
        kept.delete(ONE, OTHER)
    assert [turn.question for turn in kept.get(ONE).turns] == ["Mine"]


def test_a_shared_conversation_goes_on_as_a_copy(kept: Conversations) -> None:
    ask(kept, "Mine")
    kept.rename(ONE, ME, "Leave")
    ask(kept, "Theirs", TWO, OTHER, copy_of=ONE)
    copy = kept.get(TWO)
    assert (copy.name, copy.owner) == ("Leave", OTHER)
    assert [turn.question for turn in copy.turns] == ["Mine", "Theirs"]
    assert len(kept.get(ONE).turns) == 1


@pytest.mark.parametrize("gone_for_good", [False, True])
def test_what_is_deleted_can_be_copied_while_it_can_be_had_back(
    kept: Conversations, database: Database, *, gone_for_good: bool
) -> None:
    ask(kept, "Mine")
    kept.delete(ONE, ME)
    if gone_for_good:
        with database.transaction() as connection:
            connection.execute("UPDATE conversations SET deleted = '2020-01-01T00:00:00'")
    ask(kept, "Theirs", TWO, OTHER, copy_of=ONE)
    questions = [turn.question for turn in kept.get(TWO).turns]
    assert questions == (["Theirs"] if gone_for_good else ["Mine", "Theirs"])
    assert kept.has_copies(TWO) is not gone_for_good


def test_a_question_that_is_sent_again_is_kept_once(kept: Conversations) -> None:
    first = ask(kept, "Mine", key="a")
    assert ask(kept, "Mine", key="a") == first
    assert ask(kept, "Mine", key="b") != first
    assert len(kept.get(ONE).turns) == 2
    assert ask(kept, "Theirs", TWO, OTHER, key="a") != first


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("leave", {ONE, TWO}),
        ("LEAVE sick", {TWO}),
        ("überstunden", {ONE}),
        ("100%", {TWO}),
        ("_", set()),
        ("' OR 1=1 --", set()),
        ("", {ONE, TWO}),
    ],
)
def test_searching_names_questions_and_answers(
    kept: Conversations, words: str, found: set[str]
) -> None:
    ask(kept, "Annual leave?", reply=reply("ÜBERSTUNDEN count. [1]"))
    ask(kept, "Pay", TWO, reply=reply("Sick leave is paid at 100% for a year. [1]"))
    assert {one.id for one in kept.listed(ME, words)} == found


def test_the_newest_comes_first(kept: Conversations) -> None:
    ask(kept, "Old", asked="2026-01-01T00:00:00")
    ask(kept, "New", TWO, asked="2026-01-02T00:00:00")
    assert [one.id for one in kept.listed(ME)] == [TWO, ONE]
    ask(kept, "Again", asked="2026-01-03T00:00:00")
    assert [(one.id, one.questions) for one in kept.listed(ME)] == [(ONE, 2), (TWO, 1)]


def test_a_name_is_one_line_of_bounded_length(kept: Conversations) -> None:
    ask(kept, "Mine")
    assert kept.rename(ONE, ME, "  Leave\n in   2026 ") == "Leave in 2026"
    assert len(kept.rename(ONE, ME, "x" * 500)) <= 120
    with pytest.raises(UsageError, match="needs a name"):
        kept.rename(ONE, ME, " \n ")


def test_a_deleted_conversation_is_away_at_once_and_can_be_had_back(kept: Conversations) -> None:
    ask(kept, "Mine")
    kept.delete(ONE, ME)
    assert kept.listed(ME) == []
    assert ask(kept, "Too late") is None
    with pytest.raises(ConversationNotFound):
        kept.get(ONE)
    kept.restore(ONE, ME)
    assert [turn.question for turn in kept.get(ONE).turns] == ["Mine"]


def test_after_a_while_nothing_of_it_is_left_in_the_file(tmp_path: Path) -> None:
    database = Database(tmp_path)
    kept = Conversations(database)
    ask(kept, "A very secret question", reply=reply("A very secret answer. [1]"))
    kept.delete(ONE, ME)
    with database.transaction() as connection:
        connection.execute("UPDATE conversations SET deleted = '2020-01-01T00:00:00'")
    with pytest.raises(ConversationNotFound):
        kept.restore(ONE, ME)
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    database.close()
    assert b"very secret" not in left


@pytest.mark.parametrize("guessable", ["", "1", "short", "x" * 21, "a b" * 9, "x" * 65])
def test_ids_that_could_be_guessed_are_refused(kept: Conversations, guessable: str) -> None:
    with pytest.raises(UsageError):
        ask(kept, "Mine", guessable)


@pytest.mark.parametrize("secret", ["", "short", "ä" * 30, "x" * 129])
def test_a_secret_must_be_one(secret: str) -> None:
    with pytest.raises(UsageError):
        owner_of(secret)


def test_the_secret_itself_is_not_kept(tmp_path: Path) -> None:
    database = Database(tmp_path)
    ask(Conversations(database), "Mine", owner=owner_of("very-secret-of-the-browser"))
    database.close()
    assert b"very-secret-of-the-browser" not in (tmp_path / FILE).read_bytes()


def test_many_threads_and_two_processes_lose_nothing(tmp_path: Path) -> None:
    databases = [Database(tmp_path), Database(tmp_path)]
    stores = [Conversations(database) for database in databases]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(5):
                ask(stores[number % 2], f"{number}/{turn}", f"{number % 4}" * 22)
        except BaseException as error:  # noqa: BLE001  told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(one.questions for one in stores[0].listed(ME)) == 60
    for database in databases:
        database.close()


def test_a_failed_change_leaves_nothing_of_it(database: Database) -> None:
    kept = Conversations(database)
    with pytest.raises(KeyError):
        kept.add(ONE, ME, "Mine", {"text": "no generation", "abstained": False}, asked=now())
    assert kept.listed(ME) == []


def test_only_the_user_of_the_server_may_read_the_file(database: Database) -> None:
    assert database.path.stat().st_mode & 0o077 == 0
    assert database.path.parent.stat().st_mode & 0o077 == 0


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(ConversationsUnusable, match="format 2, this version of rag knows 1"):
        Database(tmp_path)


def test_a_damaged_file_is_one_line_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to be one" * 99)
    with pytest.raises(ConversationsUnusable, match="or to off"):
        Database(tmp_path)


def test_where_conversations_are_kept(tmp_path: Path) -> None:
    index = tmp_path / "my-index"
    assert folder_of(Settings(index=index)) == tmp_path / "my-index-conversations"
    assert folder_of(Settings(index=index, conversations="off")) is None
    assert folder_of(Settings(index=index, conversations="/srv/kept")) == Path("/srv/kept")
