"""Taking Markdown's signs out of text that is shown, searched or embedded; never out of a quote."""

from __future__ import annotations

import re
from functools import lru_cache

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
    (re.compile(r"^\s{0,3}(?:#{1,6}|>|[-*+])\s+", re.MULTILINE), ""),
    (re.compile(r"^\||\|$"), ""),
    (re.compile(r"\\([\\`*_{}\[\]()#+\-.!|>])"), r"\1"),
)


def plain_text(document: str, text: str) -> str:
    """`text`, a piece of the document with this id, without markup and on one line."""
    if document.lower().endswith(_MARKDOWN):
        text = _without_signs(text)
    return " ".join(text.split())


@lru_cache(_REMEMBERED)
def _without_signs(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
