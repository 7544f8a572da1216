"""The numbers that Word computes for headings and lists: "2.1", "(a)", "iv."."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from docx.oxml.ns import qn

from rag.loaders.numerals import roman

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from lxml import etree

_VAL = qn("w:val")


class _Level(NamedTuple):
    form: str = "decimal"
    pattern: str = ""
    start: int = 1


class Numbering:
    """Counts as Word does; `label` is called once per numbered paragraph, in document order."""

    def __init__(self, word: WordDocument) -> None:
        self._lists: dict[str, str] = {}
        self._levels: dict[str, dict[int, _Level]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._restarts: dict[tuple[str, int], int] = {}
        for relation in word.part.rels.values():
            if relation.reltype.endswith("/numbering") and not relation.is_external:
                self._read(relation.target_part.element)

    def _read(self, numbering: etree._Element) -> None:
        for abstract in numbering.iter(qn("w:abstractNum")):
            self._levels[abstract.get(qn("w:abstractNumId"), "")] = {
                int(level.get(qn("w:ilvl"), "0")): _Level(
                    _value(level, "w:numFmt", "decimal"),
                    _value(level, "w:lvlText", ""),
                    int(_value(level, "w:start", "1")),
                )
                for level in abstract.iter(qn("w:lvl"))
            }
        for number in numbering.iter(qn("w:num")):
            num_id = number.get(qn("w:numId"), "")
            self._lists[num_id] = _value(number, "w:abstractNumId", "")
            for override in number.iter(qn("w:lvlOverride")):
                start = _value(override, "w:startOverride", "")
                if start:
                    self._restarts[num_id, int(override.get(qn("w:ilvl"), "0"))] = int(start)

    def label(self, num_id: str, ilvl: int) -> str:
        """The number that stands before this paragraph; "" for bullets."""
        abstract = self._lists.get(num_id, "")
        levels = self._levels.get(abstract, {})
        # Lists of one definition go on counting, but for one that says where it starts.
        counts = self._counts.setdefault(abstract, {})
        for deeper in [depth for depth in counts if depth > ilvl]:
            del counts[deeper]
        level = levels.get(ilvl, _Level(form="bullet"))
        restart = self._restarts.pop((num_id, ilvl), None)
        counts[ilvl] = counts.get(ilvl, level.start - 1) + 1 if restart is None else restart
        if level.form in ("bullet", "none"):
            return ""

        def number(found: re.Match[str]) -> str:
            depth = int(found[1]) - 1
            other = levels.get(depth, level)
            return _format(counts.get(depth, other.start), other.form)

        return re.sub(r"%([1-9])", number, level.pattern).strip()


def _value(element: etree._Element, name: str, default: str) -> str:
    child = element.find(qn(name))
    return default if child is None else child.get(_VAL, default)


def _format(number: int, form: str) -> str:
    if form in ("lowerLetter", "upperLetter") and number > 0:
        text = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
    elif form in ("lowerRoman", "upperRoman"):
        text = roman(number).lower()
    else:
        return str(number)
    return text.upper() if form.startswith("upper") else text
