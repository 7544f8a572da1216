"""Questions as scripts send them: checked JSON, from a line of a batch or the body of a request."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rag.conditions import Given
from rag.errors import UsageError
from rag.types import Turn


@dataclass(frozen=True)
class Asked:
    """A question, and what comes with it.

    Attributes:
        question: in the words of the user.
        history: the conversation before it, oldest turn first.
        where: which documents are searched, such as ["collection=handbook"]; see `rag.filters`.
        id: given back in the answer.
    """

    question: str
    history: Sequence[Turn] = ()
    where: Given = None
    id: str | None = None


KEYS = ("question", "history", "where", "id")


def asked_from(data: object, place: str, keys: Collection[str] | None = None) -> Asked:
    """A question from {"question": "…", "id": "…", "history": […], "where": […]}.

    Args:
        data: what was parsed; everything but the question may be missing.
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
    where = data.get("where") or []
    if not isinstance(where, list) or not all(isinstance(limit, str) for limit in where):
        raise UsageError(f'{place}: "where" is a list such as ["collection=handbook"]')
    try:
        json.dumps(data.get("id"), allow_nan=False)
    except ValueError:
        raise UsageError(f"{place}: the id is no number that JSON could give back") from None
    history = history_from(data.get("history") or [], place)
    return Asked(data["question"], history, where, data.get("id"))


def history_from(data: object, place: str) -> list[Turn]:
    """A conversation from a list of {"role": "user" or "assistant", "content": "…"}.

    Raises:
        UsageError: it looks different.
    """
    form = '[{"role": "user", "content": "…"}, …]'
    if not isinstance(data, list):
        raise UsageError(f"{place}: a history is a list, {form}")
    turns: list[Turn] = []
    for turn in data:
        if (
            not isinstance(turn, dict)
            or turn.get("role") not in ("user", "assistant")
            or not isinstance(turn.get("content"), str)
        ):
            raise UsageError(f"{place}: a turn of a history looks different: {form}")
        turns.append({"role": turn["role"], "content": turn["content"]})
    return turns
