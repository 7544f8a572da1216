"""How the lists of an OpenDocument text are marked, and what its automatic styles are based on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.loaders.numerals import roman

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml import etree

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"


class Lists:
    """Styles of lists and paragraphs, by name."""

    def __init__(self, parts: Iterable[etree._Element]) -> None:
        """Collect them from the parts of the document that define styles."""
        self._numbered: dict[tuple[str, int], tuple[str, str, str]] = {}
        self._parents: dict[str, str] = {}
        for part in parts:
            for style in part.iter(f"{_TEXT}list-style"):
                self._add(style)
            for style in part.iter(f"{_STYLE}style"):
                parent = style.get(f"{_STYLE}parent-style-name")
                if parent:
                    self._parents.setdefault(style.get(f"{_STYLE}name", ""), parent)

    def _add(self, style: etree._Element) -> None:
        name = style.get(f"{_STYLE}name", "")
        for level in style.iter(f"{_TEXT}list-level-style-number"):
            depth = level.get(f"{_TEXT}level", "")
            if depth.isdecimal():
                self._numbered[name, int(depth)] = (
                    level.get(f"{_STYLE}num-prefix", ""),
                    level.get(f"{_STYLE}num-format", ""),
                    level.get(f"{_STYLE}num-suffix", ""),
                )

    def marker(self, style: str, level: int, number: int) -> str:
        """What stands before the `number`-th entry (from 1) of a list."""
        prefix, form, suffix = self._numbered.get((style, level), ("", "", ""))
        if form in ("a", "A") and number <= 26:
            shown = chr(ord(form) + number - 1)
        elif form in ("i", "I"):
            shown = roman(number) if form == "I" else roman(number).lower()
        elif form:
            shown = str(number)
        else:
            return "-"
        return f"{prefix}{shown}{suffix}".strip()

    def named(self, style: str) -> str:
        """The style that somebody chose: an automatic style stands for the one it is based on."""
        return self._parents.get(style, style)
