"""JSON between the page's script and the server: what comes in is checked, what goes out shaped.

What comes in is checked as strictly as if it came from a stranger, for it may.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from rag.answering.conflicts import Conflict, Statement
from rag.asking.asked import turn_from
from rag.chat.origin import Headers
from rag.chat.quoted import Quoted, cells, depths, width
from rag.chat.reading import Mark
from rag.chat.wording import reference
from rag.errors import NotAllowed, RagError, UsageError
from rag.text import wording
from rag.text.markup import plain_text
from rag.types import Citation, Document, Passage, Turn

Payload = dict[str, Any]
Call = Callable[[Payload, Headers], Payload]
"""A call of the page's script that also has to know where it comes from."""
_More = ParamSpec("_More")

MAX_TURNS = 40
_MAX_TURN = 20_000
_MAX_MARKS = 50
_MAX_NUMBER = 2**63 - 1
"""The largest that SQLite takes."""


def guarded(
    call: Callable[Concatenate[Payload, _More], Payload],
) -> Callable[Concatenate[Payload, _More], Payload]:
    """The call as the script makes it: anything may come in, only JSON goes out.

    An error is `{"error": line}`, and `refused` with it if the caller is not the one who may.
    """

    @wraps(call)
    def answered(payload: Payload, /, *more: _More.args, **named: _More.kwargs) -> Payload:
        try:
            result = call(payload if isinstance(payload, dict) else {}, *more, **named)
        except RagError as error:
            result = {"error": str(error) or type(error).__name__}
            if isinstance(error, NotAllowed):
                result["refused"] = True
        return {key: json_safe(value) for key, value in result.items()}

    return answered


def text(payload: Payload, key: str, limit: int) -> str:
    """The text under a key, stripped and fit to be kept; empty if there is none.

    Raises:
        UsageError: it is longer than `limit` characters.
    """
    value = payload.get(key)
    if not isinstance(value, str):
        return ""
    if len(value) > limit:
        raise UsageError(f"That is too long: {len(value):,} characters, at most {limit:,}.")
    return str(json_safe(value.strip()))


def number(payload: Payload, key: str) -> int:
    """The whole number under a key; 0 if there is none that anything here could have."""
    value = payload.get(key)
    return value if isinstance(value, int) and abs(value) <= _MAX_NUMBER else 0


def strings(value: object) -> list[str]:
    """The texts in a list from outside; empty for anything else."""
    entries = value if isinstance(value, list) else []
    return [str(json_safe(entry)) for entry in entries if isinstance(entry, str)]


def history_turns(value: object) -> list[Turn]:
    """The last turns of a conversation from outside.

    Raises:
        UsageError: it is no list, or one of them is a turn without a known role or without text.
    """
    turns: list[Turn] = []
    if value is None:
        return turns
    if not isinstance(value, list):
        raise UsageError("The history must be a list of turns.")
    for entry in value[-MAX_TURNS:]:
        turn = turn_from(entry)
        if turn is None:
            raise UsageError('A turn is {"role": "user" or "assistant", "content": "…"}.')
        turns.append({"role": turn["role"], "content": json_safe(turn["content"][:_MAX_TURN])})
    return turns


def marks(value: object, document: Document) -> tuple[list[Mark], bool]:
    """Marks from outside, and whether the document changed since they were made.

    In a changed document a quotation that still occurs once is marked where it is now; one that
    does not is left out, so that nothing is ever highlighted that was not quoted.
    """
    found: list[Mark] = []
    moved = False
    for entry in value[:_MAX_MARKS] if isinstance(value, list) else ():
        if not isinstance(entry, Mapping):
            continue
        n, start, end = (entry.get(key) for key in ("n", "start", "end"))
        if not (isinstance(n, int) and isinstance(start, int) and isinstance(end, int)):
            continue
        kind = "near" if entry.get("kind") == "near" else "cite"
        quote, digest = entry.get("quote"), entry.get("sha256")
        if isinstance(digest, str) and digest and digest != document.sha256:
            moved = True
            if not isinstance(quote, str) or document.text.count(quote) != 1:
                continue
            start = document.text.index(quote)
            end = start + len(quote)
        found.append(Mark(n, start, end, kind))
    return found, moved


def part(group: Sequence[Quoted], age: str) -> Payload:
    """Sentences that belong together, as they are exported and copied; rows by their cells."""
    kind = group[0].kind
    columns = width(group) if kind == "row" else 0
    nested = depths(group) if kind == "item" else [0] * len(group)
    return {
        "kind": kind,
        "age": age,
        "lines": [
            {
                "n": one.citation.n if one.numbered else 0,
                "marker": one.marker,
                "depth": depth,
                "header": one.header,
                "cells": cells(one, columns) if columns else [one.words],
            }
            for one, depth in zip(group, nested, strict=True)
        ],
    }


def remark(words: str) -> Payload:
    """What an answer says without a quotation, in the same form."""
    line = {"n": 0, "marker": "", "depth": 0, "header": False, "cells": [words]}
    return {"kind": "paragraph", "age": "", "lines": [line]}


def citation(source: Citation, document: Document | None, generation: str) -> Payload:
    """What the script needs of a citation: to show it, to open it, and to copy it."""
    return {
        "n": source.n,
        "document": source.document,
        "start": source.start,
        "end": source.end,
        "sha256": source.sha256,
        "title": source.title,
        "section": source.section or "",
        "page": source.page,
        "place": wording.place(source),
        "date": wording.dated(document),
        "quote": source.quote,
        "shown": plain_text(source.document, source.quote),
        "reference": reference(source, document, generation),
    }


def passage(source: Passage, n: int, document: Document | None) -> Payload:
    """The same of a passage that came near but answers nothing."""
    return _place(source, document) | {
        "n": n,
        "quote": source.text,
        "shown": plain_text(source.document, source.text),
    }


def differing(
    conflict: Conflict, n: int, document: Document | None, relation: str, sentence: str
) -> Payload:
    """The same of a sentence that speaks against the citation with the number `cited`.

    Args:
        conflict: what speaks against what.
        n: its number among the conflicts.
        document: the one that says otherwise.
        relation: whether that is a "newer" or "older" version, or an "other" source.
        sentence: how they differ, as the page shows it.
    """
    return _place(conflict.other, document) | {
        "n": n,
        "cited": conflict.cited.n,
        "other": conflict.other.n,
        "relation": relation,
        "sentence": sentence,
        "ours": conflict.ours,
        "theirs": conflict.theirs,
        "quote": conflict.other.quote,
        "shown": conflict.other.words,
    }


def _place(source: Passage | Statement, document: Document | None) -> Payload:
    return {
        "document": source.document,
        "start": source.start,
        "end": source.end,
        "sha256": document.sha256 if document else "",
        "title": source.title,
        "section": source.section or "",
        "page": source.page,
        "place": wording.place(source),
        "date": wording.dated(document),
    }


def json_safe(value: Any) -> Any:
    """A value without lone surrogates, which text from damaged files can hold and JSON cannot."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [json_safe(entry) for entry in value]
    if isinstance(value, dict):
        return {key: json_safe(entry) for key, entry in value.items()}
    return value
