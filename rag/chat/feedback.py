"""What people thought of answers, and what had none: for whoever cares for the corpus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rag.chat.database import Database, folded, now
from rag.errors import ConversationNotFound, UsageError

MAX_REASON = 1_000
VERDICTS = ("up", "down")


@dataclass(frozen=True, slots=True)
class Opinion:
    """Feedback with what it is about; times are UTC, ISO 8601."""

    given: str
    verdict: str
    reason: str
    question: str
    answer: str
    abstained: bool
    generation: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that the corpus could not answer, however often and in whatever capitals.

    Attributes:
        question: as it was asked last.
        times: how often.
        last: when it was asked last: UTC, ISO 8601.
        generation: the index that could not answer it then.
    """

    question: str
    times: int
    last: str
    generation: str


class Feedback:
    """Keeps and lists feedback; safe under several threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give(self, turn: int, owner: str, verdict: str, reason: str = "") -> None:
        """Keep what the one who asked thinks of a turn; "" as verdict takes it back.

        Raises:
            UsageError: the verdict is not known.
            ConversationNotFound: the owner has asked no such question.
        """
        if verdict not in (*VERDICTS, ""):
            raise UsageError('Feedback is "up" or "down".')
        with self._database.transaction() as connection:
            found = connection.execute(
                "SELECT 1 FROM turns t JOIN conversations c ON c.id = conversation "
                "WHERE t.id = ? AND owner = ? AND deleted IS NULL",
                (turn, owner),
            ).fetchone()
            if found is None:
                raise ConversationNotFound("There is no such answer of yours any more.")
            connection.execute("DELETE FROM feedback WHERE turn = ?", (turn,))
            if verdict:
                connection.execute(
                    "INSERT INTO feedback (turn, verdict, reason, given) VALUES (?, ?, ?, ?)",
                    (turn, verdict, reason[:MAX_REASON], now()),
                )

    def opinions(self) -> list[Opinion]:
        """All feedback, the newest first."""
        rows = self._rows(
            "SELECT given, verdict, reason, question, text AS answer, abstained, generation "
            "FROM feedback JOIN turns t ON t.id = turn JOIN conversations c ON c.id = conversation "
            "WHERE deleted IS NULL ORDER BY given DESC, turn DESC"
        )
        return [Opinion(**{**row, "abstained": bool(row["abstained"])}) for row in rows]

    def unanswered(self) -> list[Unanswered]:
        """Questions without an answer, those asked most often first, then the newest.

        A question counts once for each time that it was asked: what a shared conversation brings
        along into a copy does not count again.
        """
        rows = self._rows(
            "SELECT question, asked, generation FROM turns t JOIN conversations c "
            "ON c.id = conversation WHERE abstained AND NOT copied AND deleted IS NULL "
            "ORDER BY asked, t.id"
        )
        found: dict[str, Unanswered] = {}
        for row in rows:
            key = " ".join(folded(row["question"]).split()).rstrip(" ?.!")
            times = found[key].times + 1 if key in found else 1
            found[key] = Unanswered(row["question"], times, row["asked"], row["generation"])
        newest = sorted(found.values(), key=lambda one: one.last, reverse=True)
        return sorted(newest, key=lambda one: -one.times)

    def _rows(self, sql: str) -> Iterable[dict[str, Any]]:
        with self._database.transaction() as connection:
            return [dict(row) for row in connection.execute(sql).fetchall()]
