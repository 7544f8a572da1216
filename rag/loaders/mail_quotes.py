"""Older messages that an e-mail quotes or forwards: who wrote what, as the text has it."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKS = re.compile(r"[ \t]?((?:>[ \t]?)*)")
_WROTE = re.compile(
    r"(?:On|Am|Le|El|Il|Op|Den)\b(?=.*(?:\d{4}|\d[:.]\d\d)).{5,250}\b"
    r"(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|skrev)\b.{0,100}:"
)
_FIELD = re.compile(r"\*?[A-Z][\w-]{1,15}\*?[ \t]?:\*?[ \t]*\S.*")
_FROM = re.compile(r"\*?(?:From|Von|De|Da|Van|Fra|Från)\*?[ \t]?:")
_SENT = re.compile(
    r"\*?(?:Sent|Date|Gesendet|Datum|Envoyé|Fecha|Enviado|Inviato|Data|Verzonden|Sendt|Skickat)"
    r"\*?[ \t]?:"
)
_DIVIDER = re.compile(r"[-_]{2,}[ \t]*(?:\w[\w \t]{3,30}[-_]{2,})?|_{5,}")
_WRAPPED_AT_MOST, _SEEN = 3, 12
"""So many lines may say who wrote, and so many have fields."""
_UNNAMED = "Quoted message"


class Quoted(NamedTuple):
    """A message, or a part of one that others interrupt.

    Attributes:
        heading: who wrote it and when; "" for the beginning of the e-mail itself.
        text: what it says, without marks of quotation.
    """

    heading: str
    text: str


def messages(text: str, sender: str) -> list[Quoted]:
    """An e-mail and what it quotes, in the order of the text.

    Args:
        text: the e-mail, with ">" before what is quoted.
        sender: what stands above text of the e-mail itself that follows a quotation.
    """
    lines = [_unmarked(line) for line in text.split("\n")]
    # Who speaks, by the depth of quotation.
    heads = {0: sender}
    found: list[tuple[str, list[str]]] = [("", [])]
    depth, opened, at = 0, "", 0
    while at < len(lines):
        own, line = lines[at]
        begun = introduction(_equally_quoted(lines[at : at + _SEEN]))
        if begun:
            heads = {level: head for level, head in heads.items() if level <= own}
            opened = begun.heading
            found.append((opened, [*begun.rest, ""]))
            at += begun.lines
            continue
        at += 1
        if _DIVIDER.fullmatch(line.strip()):
            continue
        if not line.strip():
            found[-1][1].append("")
            continue
        if opened:
            heads[own], depth, opened = opened, own, ""
        elif own != depth:
            heads = {level: head for level, head in heads.items() if level <= own}
            depth = own
            found.append((heads.setdefault(own, _UNNAMED), []))
        found[-1][1].append(line)
    return [
        Quoted(heading, "\n".join(part)) for heading, part in found if any(map(str.strip, part))
    ]


def _equally_quoted(lines: Sequence[tuple[int, str]]) -> list[str]:
    """The first lines that are quoted as deep as the first of all."""
    return [line for _, line in takewhile(lambda each: each[0] == lines[0][0], lines)]


class Introduction(NamedTuple):
    """What stands above a quoted message.

    Attributes:
        heading: its writer and date.
        rest: whatever else is said of it, line by line.
        lines: how many lines it takes.
    """

    heading: str
    rest: list[str]
    lines: int


def introduction(lines: Sequence[str]) -> Introduction | None:
    """What the first of some lines say of the message below them, if they do."""
    if not lines or not lines[0].strip():
        return None
    for count in range(1, min(_WRAPPED_AT_MOST, len(lines)) + 1):
        joined = " ".join(" ".join(lines[:count]).split())
        if _WROTE.fullmatch(joined):
            return Introduction(joined, [], count)
    if not _FROM.match(lines[0]):
        return None
    end = next(
        (at for at, line in enumerate(lines) if not _FIELD.fullmatch(line.strip())), len(lines)
    )
    fields = [line.strip().replace("*", "") for line in lines[:end]]
    sent = next((field for field in fields if _SENT.match(field)), "")
    if not sent:
        return None
    rest = [field for field in fields[1:] if field != sent]
    return Introduction(f"{fields[0]}, {sent}", rest, end)


def _unmarked(line: str) -> tuple[int, str]:
    """How deep a line is quoted, and the line without the marks."""
    marks = _MARKS.match(line)
    return (marks[1].count(">"), line[marks.end() :]) if marks and marks[1] else (0, line)
