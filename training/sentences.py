"""Sentence spans of a passage, the units that the reader chooses among."""

from __future__ import annotations

import re

from sentencex import segment

Span = tuple[int, int]

_LINE = re.compile(r"[^\n]+")
_HAS_WORD = re.compile(r"\w")
_MARKER = re.compile(r"\W*(?:\d{1,3}|[A-Za-z]|[ivx]{1,5})[.)]\W*")


def sentence_spans(text: str) -> list[Span]:
    """Split ``text`` into sentences.

    Every line stands for itself, so that list items, headings and table rows count as sentences.
    The number of a list item stays with its text.

    Returns:
        ``[start, end)`` code-point offsets in order, without surrounding white space; pieces
        without a letter or digit are left out.
    """
    spans: list[Span] = []
    for line in _LINE.finditer(text):
        start = end = line.start()
        for piece in segment("en", line.group()):
            end += len(piece)
            if _MARKER.fullmatch(text, start, end):
                continue
            inside = text[start:end]
            left = end - len(inside.lstrip())
            right = start + len(inside.rstrip())
            if left < right and _HAS_WORD.search(text, left, right):
                spans.append((left, right))
            start = end
    return spans


def touched(sentences: list[Span], answers: list[Span]) -> list[bool]:
    """Say for each sentence whether any answer span overlaps it."""
    return [any(a < end and start < b for a, b in answers) for start, end in sentences]
