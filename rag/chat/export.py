"""A conversation as a file: Markdown, Word or JSON, with every quotation and where it stands."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag.chat import payloads
from rag.chat.conversations import Conversation, KeptTurn
from rag.errors import UsageError
from rag.text import wording

FORMATS = {
    "md": "text/markdown; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "json": "application/json",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&-])")
_CITED = (
    "n", "document", "title", "section", "page", "date", "start", "end", "quote", "sha256",
)  # fmt: skip
_OF_A_DIFFERENCE = ("relation", "other", "ours", "theirs", "sentence")
"""None where an older version kept the turn without."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to be saved."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Reference:
    """A quotation with where it stands, in words.

    Attributes:
        mark: what the text refers to it by, e.g. "[1]", or what it is quoted for.
        quote: without markup.
        place: title, section, page and date.
        address: document, characters, digest and index: enough to check it.
    """

    mark: str
    quote: str
    place: str
    address: str


def exported(conversation: Conversation, kind: str) -> File:
    """The conversation in one of `FORMATS`. Its id is left out: it would give access to it.

    Raises:
        UsageError: there is no such format.
    """
    if kind not in FORMATS:
        raise UsageError("A conversation can be exported as md, docx or json.")
    if kind == "docx":
        from rag.chat.export_docx import word

        content = word(conversation)
    else:
        text = markdown(conversation) if kind == "md" else as_json(conversation)
        content = text.encode("utf-8", "replace")
    stem = re.sub(r"[^\w-]+", "-", conversation.name).strip("-")[:60] or "conversation"
    return File(f"{stem}.{kind}", FORMATS[kind], content)


def as_json(conversation: Conversation) -> str:
    """The turns in the words of the contract, with when they were asked and what was searched."""
    data = {
        "format": "rag conversation",
        "version": 1,
        "name": conversation.name,
        "created": conversation.created,
        "turns": [_turn(turn) for turn in conversation.turns],
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _turn(turn: KeptTurn) -> dict[str, Any]:
    reply = turn.reply
    return {
        "asked": turn.asked,
        "question": turn.question,
        "standalone_question": reply["standalone"],
        "abstained": reply["abstained"],
        "confidence": reply["confidence"],
        "text": reply["text"],
        "citations": [_picked(one) for one in reply["citations"]],
        "nearest": [_picked(one) for one in reply["nearest"]],
        "differs": [
            {**_picked(one), "citation": one["cited"]}
            | {name: one.get(name) for name in _OF_A_DIFFERENCE}
            for one in reply["differs"]
        ],
        "notes": reply["notes"],
        "generation": reply["generation"],
        "built": reply["built"],
        "documents_searched": reply["searched"],
        "documents_in_index": reply.get("of"),
        "filters": reply["filters"],
    }


def _picked(source: Mapping[str, Any]) -> dict[str, Any]:
    return {name: source[name] for name in _CITED}


def markdown(conversation: Conversation) -> str:
    """The conversation as Markdown in which nothing from outside is markup."""
    lines = [f"# {escaped(conversation.name)}", ""]
    for turn in conversation.turns:
        reply = turn.reply
        lines += [f"## {escaped(turn.question)}", ""]
        if reply["standalone"] not in ("", turn.question):
            lines += [f"*Understood as: {escaped(reply['standalone'])}*", ""]
        for part in parts(reply):
            lines += [*_part(part), ""]
        for heading, references in sections(reply):
            lines += [f"**{heading}**", ""]
            for one in references:
                lines += [
                    f"- {escaped(one.mark)} “{escaped(one.quote)}”  ",
                    f"  {escaped(one.place)}  ",
                    f"  {escaped(one.address)}",
                ]
            lines.append("")
        lines += [f"{escaped(note)}\n" for note in reply["notes"]]
        lines += [f"*{escaped(pedigree(turn))}*", ""]
    return "\n".join(lines)


def parts(reply: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The answer or abstention, see `payloads.part`; an older version kept its text alone."""
    return reply.get("parts") or [payloads.remark(reply["text"])]


def cells(line: Mapping[str, Any]) -> list[str]:
    """What stands on a line of a part: its cells, with the number of its citation in the last."""
    *before, last = line["cells"]
    return [*before, f"{last} [{line['n']}]".strip() if line["n"] else last]


def _part(part: Mapping[str, Any]) -> list[str]:
    age = [f"*{escaped(part['age'])}*", ""] if part["age"] else []
    lines = part["lines"]
    if part["kind"] == "row":
        return age + _table(lines)
    if part["kind"] == "item":
        return age + list(map(_entry, lines))
    return [*age, escaped(" ".join(cell for line in lines for cell in cells(line)))]


def _table(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table; Markdown has none without a header, which may be empty."""
    rows = [list(map(escaped, cells(line))) for line in lines]
    if not lines[0]["header"]:
        rows.insert(0, [""] * len(rows[0]))
    rows.insert(1, ["---"] * len(rows[0]))
    return [f"| {' | '.join(row)} |" for row in rows]


def _entry(line: Mapping[str, Any]) -> str:
    """A list entry: numbers are Markdown's own signs, letters stand behind one."""
    marker = line["marker"]
    sign = marker if re.fullmatch(r"\d+[.)]", marker) else f"- {escaped(marker)}".strip()
    return f"{' ' * 4 * line['depth']}{sign} {escaped(*cells(line))}"


def escaped(text: str) -> str:
    """Text of one line that Markdown shows as it is."""
    line = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    # A line that begins with a number and a point would become a list.
    return re.sub(r"^(\d+)\.", r"\1\\.", line)


def sections(reply: Mapping[str, Any]) -> list[tuple[str, list[Reference]]]:
    """The references of a turn under their headings; a heading without any is left out."""
    index = f"index {reply['generation']}, built {wording.nice_time(reply['built'])}"
    found = [
        ("Quotations", [_reference(f"[{one['n']}]", one, index) for one in reply["citations"]]),
        (
            "Where sources differ",
            [_reference(_difference(one), one, index) for one in reply["differs"]],
        ),
        (
            "The passages that came nearest",
            [_reference(f"{one['n']}.", one, index) for one in reply["nearest"]]
            if reply["abstained"]
            else [],
        ),
    ]
    return [(heading, references) for heading, references in found if references]


def _difference(source: Mapping[str, Any]) -> str:
    """How a source differs; an older version kept no more than from which citation."""
    return str(source.get("sentence") or f"Another source differs from [{source['cited']}]:")


def _reference(mark: str, source: Mapping[str, Any], index: str) -> Reference:
    place = ", ".join(part for part in (source["title"], source["place"], source["date"]) if part)
    address = (
        f"{source['document']}, characters {source['start']}-{source['end']}, "
        f"sha256 {source['sha256']}, {index}"
    )
    return Reference(mark, source["shown"], place, address)


def pedigree(turn: KeptTurn) -> str:
    """When it was asked, how sure the answer is and what was searched, in one line."""
    reply = turn.reply
    limits = "; ".join(reply["limits"]) or "no filter"
    sure = "" if reply["abstained"] else f"{wording.certainty(reply['confidence'])[1]}. "
    # An older version kept no number of all documents.
    of = reply.get("of") if reply["limits"] else None
    searched = wording.counted(reply["searched"], "document")
    if of:
        searched = f"{reply['searched']:,} of {wording.counted(of, 'document')}"
    return (
        f"Asked {wording.nice_time(turn.asked)}. {sure}{searched} searched, {limits}, index "
        f"{reply['generation']} of {wording.nice_time(reply['built'])}."
    )
