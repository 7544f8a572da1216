"""The calls about kept conversations and feedback; without a place to keep them, they say so."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.chat import export, listing, payloads
from rag.chat.conversations import Conversations, owner_of
from rag.chat.database import Database
from rag.chat.feedback import MAX_REASON, Feedback
from rag.chat.owner import Owner
from rag.chat.payloads import Payload
from rag.errors import RagError, UsageError

_MAX_ID = 200
_MAX_WORDS = 200


class Desk:
    """Conversations and feedback of one index, or nothing at all."""

    def __init__(self, folder: Path | None, owner: Owner | None = None) -> None:
        """Open what is kept in a folder; None keeps nothing.

        Args:
            folder: the folder.
            owner: knows who may see what people asked and thought; without it, nobody may.

        Raises:
            ConversationsUnusable: the folder cannot be used.
        """
        self.folder = folder
        self.owner = owner or Owner()
        self._database = Database(folder) if folder is not None else None
        self._conversations = Conversations(self._database) if self._database else None
        self._feedback = Feedback(self._database) if self._database else None

    def close(self) -> None:
        """Free the file."""
        if self._database:
            self._database.close()

    def keep(
        self, payload: Payload, reply: Mapping[str, Any], asked: str, filters: Mapping[str, str]
    ) -> Payload:
        """Keep a turn if the page wants that, and say under which number.

        `unkept` says what is not kept, and why.

        An answer is given even if it cannot be kept.
        """
        conversation = payloads.text(payload, "conversation", _MAX_ID)
        if self._conversations is None or not conversation:
            return {}
        try:
            copy_of = payloads.text(payload, "copy_of", _MAX_ID)
            turn = self._conversations.add(
                conversation,
                _owner(payload),
                str(reply["question"]),
                payloads.json_safe(dict(reply)),
                asked=asked,
                filters=filters,
                copy_of=copy_of,
                key=payloads.text(payload, "key", _MAX_ID),
            )
            if turn is None:
                return {"unkept": "This conversation was deleted meanwhile."}
            if copy_of and not self._conversations.has_copies(conversation):
                return {"turn": turn, "unkept": "The earlier turns were deleted meanwhile."}
        except RagError as error:
            return {"unkept": str(error)}
        return {"turn": turn}

    def conversations(self, payload: Payload) -> Payload:
        """The list of the browser's own conversations, those with all of `words` in them."""
        words = payloads.text(payload, "words", _MAX_WORDS)
        found = self._kept().listed(_owner(payload), words)
        return {"html": listing.conversations_html(found), "count": len(found)}

    def conversation(self, payload: Payload) -> Payload:
        """One conversation as it was, for whoever has its id."""
        found = self._kept().get(payloads.text(payload, "conversation", _MAX_ID))
        mine = found.owner == _owner(payload)
        return {
            "name": found.name,
            "mine": mine,
            "filters": dict(found.filters),
            "turns": [
                {
                    **turn.reply,
                    "question": turn.question,
                    "asked": turn.asked,
                    # Feedback is between the one who asked and the owner of the corpus.
                    **(
                        {"turn": turn.id, "verdict": turn.verdict, "reason": turn.reason}
                        if mine
                        else {}
                    ),
                }
                for turn in found.turns
            ],
        }

    def rename(self, payload: Payload) -> Payload:
        """Give one of the browser's own conversations a `name`."""
        name = payloads.text(payload, "name", _MAX_WORDS)
        conversation = payloads.text(payload, "conversation", _MAX_ID)
        return {"name": self._kept().rename(conversation, _owner(payload), name)}

    def delete(self, payload: Payload) -> Payload:
        """Delete one of the browser's own conversations."""
        self._kept().delete(payloads.text(payload, "conversation", _MAX_ID), _owner(payload))
        return {"deleted": True}

    def restore(self, payload: Payload) -> Payload:
        """Undo that."""
        self._kept().restore(payloads.text(payload, "conversation", _MAX_ID), _owner(payload))
        return {"restored": True}

    def export(self, payload: Payload) -> Payload:
        """A conversation as a file in one of `export.FORMATS`, in base64."""
        found = self._kept().get(payloads.text(payload, "conversation", _MAX_ID))
        file = export.exported(found, payloads.text(payload, "format", _MAX_ID))
        data = base64.b64encode(file.content).decode("ascii")
        return {"name": file.name, "type": file.media_type, "data": data}

    def feedback(self, payload: Payload) -> Payload:
        """Keep a `verdict` with its `reason` on the browser's own `turn`."""
        if self._feedback is None:
            raise _off()
        verdict = payloads.text(payload, "verdict", 10)
        reason = payloads.text(payload, "reason", MAX_REASON)
        self._feedback.give(payloads.number(payload, "turn"), _owner(payload), verdict, reason)
        return {"verdict": verdict, "reason": reason}

    def review(self, payload: Payload) -> Payload:
        """Feedback and unanswered questions, for whoever has signed in as owner (`token`)."""
        if self._feedback is None:
            raise _off()
        self.owner.require(payloads.text(payload, "token", _MAX_ID))
        return {"html": listing.review_html(self._feedback.opinions(), self._feedback.unanswered())}

    def _kept(self) -> Conversations:
        if self._conversations is None:
            raise _off()
        return self._conversations


def _owner(payload: Payload) -> str:
    return owner_of(payloads.text(payload, "me", _MAX_ID))


def _off() -> UsageError:
    return UsageError("Conversations are not kept here: the setting `conversations` is off.")
