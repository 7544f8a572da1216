"""Taking Markdown's signs out of text that is shown, searched or embedded; never out of a quote."""

from __future__ import annotations

import re
from functools import lru_cache

from rag.types import BlockKind

_MARKDOWN = (".md", ".markdown")
_REMEMBERED = 4096
"""So many texts, for an answer asks for the same sentence several times."""
# Repetitions have limits: without them a long line of opening signs alone would take hours.
_RULES = (
    (re.compile(r"<!--.{0,2000}?-->", re.DOTALL), " "),
    (re.compile(r"!\[([^\]]{0,500})\]\((?:[^()]|\([^()]*\))*\)"), r"\1"),
    (re.compile(r"\[([^\]]{1,500})\]\((?:[^()]|\([^()]*\))*\)(?:\{[^}]{0,500}\})?"), r"\1"),
    (re.compile(r"\[([^\]]{1,500})\]\[[^\]]{0,500}\]"), r"\1"),
    (re.compile(r"<((?:https?|mailto):[^>\s]{1,2000})>"), r"\1"),
    (re.compile(r"</?[a-zA-Z][^>]{0,2000}>"), " "),
    (re.compile(r"\{[{%].{0,500}?[%}]\}"), " "),
    (re.compile(r"(\*\*|__)(?=\S)(.{1,2000}?)(?<=\S)\1", re.DOTALL), r"\2"),
    (re.compile(r"(?<![\w*])[*_](?=\S)([^*_]+?)(?<=\S)[*_](?![\w*])"), r"\1"),
    (re.compile(r"`+([^`]*)`+"), r"\1"),
    # Loaders leave the marker of a block out: only where a line begins within a text is one. But a
    # later sentence of a quotation may begin with its arrow, unlike the row of a table.
    (re.compile(r"(?<=\n)[ \t]*(?:(?:#{1,6}|>|[-*+])[ \t]+)+|^>[ \t]+(?!.*\|)"), ""),
    # An outer pipe has its counterpart; a single one is the edge of an empty cell.
    (re.compile(r"^\|(.*)\|$"), r"\1"),
    (re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>])"), r"\1"),
)


def plain_text(document: str, text: str) -> str:
    """`text`, a piece of the document with this id, without markup and on one line."""
    if document.lower().endswith(_MARKDOWN):
        text = _without_signs(text)
    return " ".join(text.split())


def plain_lead(document: str, text: str, kind: BlockKind) -> str:
    """What leads in to a sentence of this kind; of a header all rows, each cell as a column."""
    if kind != "row":
        return plain_text(document, text)
    return " | ".join(plain_text(document, line) for line in text.splitlines())


@lru_cache(_REMEMBERED)
def _without_signs(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
