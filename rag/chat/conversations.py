"""Conversations that outlive the page: kept, listed for their owner, opened by their link.

A conversation's id cannot be guessed, and whoever has it may read the conversation. Whose it is,
is known by the digest of a secret that the browser keeps: only with it is a conversation listed,
continued, renamed or deleted. Somebody else who goes on with a conversation gets a copy.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rag.chat.database import Database, folded, now
from rag.errors import ConversationNotFound, UsageError
from rag.text import wording

MAX_NAME = 120
UNDO_MINUTES = 10
"""A deleted conversation can be had back so long; then it is gone from the file."""
MAX_LISTED = 500
_SECRET = re.compile(r"[A-Za-z0-9_-]{22,128}")
_ID = re.compile(r"[A-Za-z0-9_-]{22,64}")


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as it is listed; times are UTC, ISO 8601."""

    id: str
    name: str
    updated: str
    questions: int


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """A question and the reply as it was given then.

    Attributes:
        id: number of the turn.
        asked: when: UTC, ISO 8601.
        question: in the words of the user.
        reply: what the page got: HTML, text, citations, generation and the rest.
        verdict: "up" or "down"; "" without feedback.
        reason: what was said with it.
    """

    id: int
    asked: str
    question: str
    reply: Mapping[str, Any]
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation with all its turns, oldest first."""

    id: str
    owner: str
    name: str
    filters: Mapping[str, str]
    created: str
    turns: tuple[KeptTurn, ...]


def owner_of(secret: str) -> str:
    """What is kept of a browser's secret: enough to know it again, too little to use it.

    Raises:
        UsageError: it is too short to be a secret.
    """
    if not _SECRET.fullmatch(secret):
        raise UsageError("This browser has no key for its conversations: reload the page.")
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


class Conversations:
    """What the chat does with kept conversations; safe under several threads and processes."""

    def __init__(self, database: Database) -> None:
        """Take a database, and finish what was deleted in an earlier run."""
        self._database = database
        self._purge()

    def add(
        self,
        conversation: str,
        owner: str,
        question: str,
        reply: Mapping[str, Any],
        *,
        asked: str,
        filters: Mapping[str, str] | None = None,
        copy_of: str = "",
        key: str = "",
    ) -> int | None:
        """Keep a turn and return its number; the first of a conversation makes it.

        Args:
            conversation: its id, chosen by the browser.
            owner: see `owner_of`.
            question: in the words of the user; names a new conversation.
            reply: what is shown again later, as JSON.
            asked: when; turns stand in this order.
            filters: what the conversation is limited to from now on.
            copy_of: id of another conversation whose turns a new one begins with, as long as they
                are there: what is deleted can be copied while it can be had back.
            key: names the question in its conversation: one that is sent again is kept once.

        Returns:
            None if nothing is kept: the conversation is somebody else's, or was deleted.

        Raises:
            UsageError: the id could be guessed.
        """
        if not _ID.fullmatch(conversation):
            raise UsageError("That is no id of a conversation: reload the page.")
        limits = json.dumps(dict(filters or {}), ensure_ascii=False)
        if copy_of:
            self._purge()
        with self._database.transaction() as connection:
            found = connection.execute(
                "SELECT owner, deleted FROM conversations WHERE id = ?", (conversation,)
            ).fetchone()
            if found is not None and (found["owner"] != owner or found["deleted"]):
                return None
            if found is None:
                connection.execute(
                    "INSERT INTO conversations (id, owner, name, created, updated) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (conversation, owner, wording.shorten(question, MAX_NAME), asked, asked),
                )
                _copy(connection, copy_of, conversation)
            if key:
                kept = connection.execute(
                    "SELECT id FROM turns WHERE conversation = ? "
                    "AND json_extract(reply, '$.key') = ?",
                    (conversation, key),
                ).fetchone()
                if kept is not None:
                    return int(kept["id"])
                reply = {**reply, "key": key}
            turn = connection.execute(
                "INSERT INTO turns (conversation, asked, question, text, abstained, generation, "
                "reply) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    conversation, asked, question, reply["text"], int(reply["abstained"]),
                    reply["generation"], json.dumps(reply, ensure_ascii=False),
                ),
            ).lastrowid  # fmt: skip
            connection.execute(
                "UPDATE conversations SET updated = max(updated, ?), filters = ? WHERE id = ?",
                (asked, limits, conversation),
            )
        return turn

    def has_copies(self, conversation: str) -> bool:
        """Whether a conversation began with the turns of another."""
        with self._database.transaction() as connection:
            found = connection.execute(
                "SELECT 1 FROM turns WHERE conversation = ? AND copied", (conversation,)
            ).fetchone()
        return found is not None

    def listed(self, owner: str, words: str = "") -> list[Summary]:
        """The owner's conversations, the newest first, at most `MAX_LISTED`.

        Args:
            owner: see `owner_of`.
            words: all of them have to occur in the name, a question or an answer.
        """
        wanted = folded(words).split()
        matches = " AND ".join(
            "(instr(folded(name), ?) OR EXISTS (SELECT 1 FROM turns WHERE conversation = c.id "
            "AND (instr(folded(question), ?) OR instr(folded(text), ?))))"
            for _ in wanted
        )
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT id, name, updated, (SELECT count(*) FROM turns WHERE conversation = c.id) "  # noqa: S608  repeats a fixed clause, words are bound
                "AS questions FROM conversations c WHERE owner = ? AND deleted IS NULL "
                f"{'AND ' + matches if matches else ''} ORDER BY updated DESC, id LIMIT ?",
                (owner, *(word for word in wanted for _ in range(3)), MAX_LISTED),
            ).fetchall()
        return [Summary(**dict(row)) for row in rows]

    def get(self, conversation: str) -> Conversation:
        """A conversation with its turns, for whoever has its id.

        Raises:
            ConversationNotFound: there is none, or it was deleted.
        """
        with self._database.transaction() as connection:
            found = connection.execute(
                "SELECT * FROM conversations WHERE id = ? AND deleted IS NULL", (conversation,)
            ).fetchone()
            if found is None:
                raise _not_found()
            turns = connection.execute(
                "SELECT t.id, asked, question, reply, coalesce(verdict, '') AS verdict, "
                "coalesce(reason, '') AS reason FROM turns t LEFT JOIN feedback ON turn = t.id "
                "WHERE conversation = ? ORDER BY asked, t.id",
                (conversation,),
            ).fetchall()
        return Conversation(
            found["id"],
            found["owner"],
            found["name"],
            json.loads(found["filters"]),
            found["created"],
            tuple(KeptTurn(**{**dict(row), "reply": json.loads(row["reply"])}) for row in turns),
        )

    def rename(self, conversation: str, owner: str, name: str) -> str:
        """Give a conversation a name, and return it as it is kept.

        Raises:
            UsageError: the name is empty.
            ConversationNotFound: the owner has no such conversation.
        """
        name = wording.shorten(name, MAX_NAME)
        if not name:
            raise UsageError("A conversation needs a name.")
        self._change("name = ?", name, conversation, owner)
        return name

    def delete(self, conversation: str, owner: str) -> None:
        """Delete a conversation with its feedback; `restore` has it back for a few minutes.

        Raises:
            ConversationNotFound: the owner has no such conversation.
        """
        self._purge()
        self._change("deleted = ?", now(), conversation, owner)

    def restore(self, conversation: str, owner: str) -> None:
        """Undo `delete`.

        Raises:
            ConversationNotFound: it is gone for good.
        """
        self._purge()
        self._change("deleted = ?", None, conversation, owner)

    def _change(self, assignment: str, value: str | None, conversation: str, owner: str) -> None:
        with self._database.transaction() as connection:
            changed = connection.execute(
                f"UPDATE conversations SET {assignment} WHERE id = ? AND owner = ?",  # noqa: S608  fixed in this file
                (value, conversation, owner),
            ).rowcount
        if not changed:
            raise _not_found()

    def _purge(self) -> None:
        before = datetime.now(UTC) - timedelta(minutes=UNDO_MINUTES)
        with self._database.transaction() as connection:
            gone = connection.execute(
                "DELETE FROM conversations WHERE deleted < ?",
                (before.isoformat(timespec="microseconds"),),
            ).rowcount
        if gone:
            self._database.forget()


def _copy(connection: sqlite3.Connection, source: str, target: str) -> None:
    """The name and turns of a conversation that somebody else has shared, if it is there."""
    found = connection.execute("SELECT name FROM conversations WHERE id = ?", (source,)).fetchone()
    if found is None:
        return
    connection.execute("UPDATE conversations SET name = ? WHERE id = ?", (found["name"], target))
    connection.execute(
        "INSERT INTO turns (conversation, asked, question, text, abstained, generation, reply, "
        "copied) SELECT ?, asked, question, text, abstained, generation, reply, 1 FROM turns "
        "WHERE conversation = ? ORDER BY asked, id",
        (target, source),
    )


def _not_found() -> ConversationNotFound:
    return ConversationNotFound(
        "There is no such conversation: it was deleted, or the link is not complete."
    )
