"""Questions as scripts send them: in a Python call, a line of a batch, the body of a request."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rag.catalogue.conditions import Given
from rag.errors import UsageError
from rag.types import Json, Turn

History = Sequence[Turn | Mapping[str, str]]
"""A conversation as callers write it, oldest turn first; `history_from` checks it."""

KEYS = ("question", "history", "where", "id")
_FORM = '[{"role": "user", "content": "…"}, …]'
_DEEPEST = 50
"""So many lists and objects may stand in one another in an id: it is written many calls deep."""


@dataclass(frozen=True)
class Asked:
    """A question, and what comes with it.

    Attributes:
        question: in the words of the user.
        history: the conversation before it, oldest turn first.
        where: which documents are searched, such as ["collection=handbook"]; see
            `rag.catalogue.filters`.
        id: given back in the answer.
    """

    question: str
    history: History = ()
    where: Given = None
    id: Json = None

    def __post_init__(self) -> None:
        """Refuse what is no question.

        Raises:
            UsageError: the question is no text, or the history no list of turns.
        """
        if not isinstance(self.question, str):
            raise UsageError(f"a question is text, not {type(self.question).__name__}")
        history_from(self.history)

    @property
    def turns(self) -> list[Turn]:
        """The history as it was checked."""
        return history_from(self.history)


def asked_from(data: object, place: str, keys: Collection[str] | None = None) -> Asked:
    """A question from {"question": "…", "id": "…", "history": […], "where": […]}.

    Args:
        data: what was parsed; everything but the question may be missing or null.
        place: where it stands, for the message of an error.
        keys: what it may hold; None for anything: files of questions carry their answers as well.

    Raises:
        UsageError: something is missing, of the wrong kind, or not among the keys.
    """
    if not isinstance(data, dict) or not isinstance(data.get("question"), str):
        raise UsageError(f'{place}: needs at least {{"question": "…"}}')
    for key in data:
        if keys is not None and key not in keys:
            raise UsageError(f"{place}: {key!r} is not known here: use {', '.join(keys)}")
    if not data["question"].strip():
        raise UsageError(f"{place}: the question is empty")
    history, where = ([] if data.get(key) is None else data[key] for key in ("history", "where"))
    if not isinstance(where, list) or not all(isinstance(limit, str) for limit in where):
        raise UsageError(f'{place}: "where" is a list such as ["collection=handbook"]')
    _check_id(data.get("id"), place)
    return Asked(data["question"], history_from(history, place), where, data.get("id"))


def _check_id(data: object, place: str) -> None:
    """Refuse what was read as JSON and could not be written as JSON again."""
    if _is_deeper(data, _DEEPEST):
        raise UsageError(f"{place}: the id is nested more than {_DEEPEST} deep")
    try:
        json.dumps(data, allow_nan=False)
    except ValueError:
        raise UsageError(f"{place}: the id is no number that JSON could give back") from None


def _is_deeper(data: object, most: int) -> bool:
    """Whether more than so many lists and objects stand in one another."""
    if not isinstance(data, (list, dict)):
        return False
    inner = data.values() if isinstance(data, dict) else data
    return most == 0 or any(_is_deeper(one, most - 1) for one in inner)


def history_from(data: object, place: str = "") -> list[Turn]:
    """A conversation from a list of {"role": "user" or "assistant", "content": "…"}.

    Args:
        data: anything.
        place: where it stands, for the message of an error.

    Raises:
        UsageError: it looks different.
    """
    where = f"{place}: " if place else ""
    if not isinstance(data, Sequence) or isinstance(data, (str, bytes)):
        raise UsageError(f"{where}a history is a list, {_FORM}")
    turns = [turn for turn in map(turn_from, data) if turn is not None]
    if len(turns) < len(data):
        raise UsageError(f"{where}a turn of a history looks different: {_FORM}")
    return turns


def turn_from(data: object) -> Turn | None:
    """One turn, without what else may come with it; None if it is none."""
    match data:
        case {"role": "user" | "assistant" as role, "content": str(content)}:
            return {"role": role, "content": content}
    return None
