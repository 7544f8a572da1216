"""Footnotes and endnotes of a Word document, each after the paragraph that refers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docx.oxml.ns import qn

from rag.loaders.package import parse_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docx.document import Document as WordDocument
    from lxml import etree

_KINDS = ("footnote", "endnote")
_REFERENCES = {qn(f"w:{kind}Reference"): kind for kind in _KINDS}
_ID = qn("w:id")
_GONE = (qn("w:del"), qn("w:moveFrom"))


class Notes:
    """The notes of a document, numbered in the order in which the text refers to them."""

    def __init__(self, word: WordDocument) -> None:
        """Read the parts that hold the notes.

        Raises:
            DocumentError: such a part is damaged.
        """
        self._notes: dict[tuple[str, str], etree._Element] = {}
        self._numbers = dict.fromkeys(_KINDS, 0)
        for relation in word.part.rels.values():
            kind = relation.reltype.rpartition("/")[2].removesuffix("s")
            if kind in _KINDS and not relation.is_external:
                root = parse_xml(relation.target_part.blob, "a Word document")
                for note in root.iter(qn(f"w:{kind}")):
                    self._notes[kind, note.get(_ID, "")] = note

    def of(self, element: etree._Element) -> Iterator[tuple[int, list[etree._Element]]]:
        """Number and paragraphs of each note that a paragraph or table refers to."""
        if not self._notes:
            return
        for reference in element.iter(*_REFERENCES):
            kind = _REFERENCES[reference.tag]
            note = self._notes.get((kind, reference.get(_ID, "")))
            if note is None or next(reference.iterancestors(*_GONE), None) is not None:
                continue
            self._numbers[kind] += 1
            yield self._numbers[kind], list(note.iter(qn("w:p")))
