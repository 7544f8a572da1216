"""Paragraph styles of a Word document: which are headings, list entries, contents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from docx.oxml.ns import qn

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from lxml import etree

_VAL = qn("w:val")
_DEEPEST = 9


class Style(NamedTuple):
    """What the style of a paragraph means for us.

    Attributes:
        heading: depth, 0 for none.
        title: whether it is the title of the document.
        item: depth in a list, 0 for none.
        continued: how deep an entry may be that it goes on with, 0 for none.
        contents: whether it is a line of a table of contents.
        num_id: the list that numbers it, "" for none.
        ilvl: its level in that list, from 0.
        bold: whether its text is in bold.
    """

    heading: int = 0
    title: bool = False
    item: int = 0
    continued: int = 0
    contents: bool = False
    num_id: str = ""
    ilvl: int = 0
    bold: bool = False


def read_styles(word: WordDocument) -> dict[str, Style]:
    """Paragraph styles by id, with what they inherit."""
    elements = {
        style.get(qn("w:styleId"), ""): style
        for style in word.styles.element.iter(qn("w:style"))
        if style.get(qn("w:type"), "paragraph") == "paragraph"
    }
    return {name: _resolve(name, elements, 0) for name in elements}


def _resolve(name: str, elements: dict[str, etree._Element], depth: int) -> Style:
    element = elements.get(name)
    if element is None or depth > 20:
        return Style()
    based_on = element.find(qn("w:basedOn"))
    style = Style()
    if based_on is not None:
        style = _resolve(based_on.get(_VAL, ""), elements, depth + 1)
    label = element.find(qn("w:name"))
    title = (label.get(_VAL, "") if label is not None else "").lower()
    heading = re.fullmatch(r"heading (\d)", title)
    listed = re.fullmatch(r"list (bullet|number|continue|paragraph)\s*(\d)?", title)
    if heading:
        style = style._replace(heading=int(heading[1]))
    elif title == "title":
        style = style._replace(heading=1, title=True)
    elif listed and listed[1] in ("bullet", "number"):
        style = style._replace(item=int(listed[2] or 1))
    elif listed:
        any_depth = _DEEPEST if listed[1] == "paragraph" else 1
        style = style._replace(continued=int(listed[2] or any_depth))
    elif re.fullmatch(r"toc \d", title):
        style = style._replace(contents=True)
    style = style._replace(bold=is_bold(element, otherwise=style.bold))
    properties = element.find(qn("w:pPr"))
    return style if properties is None else with_properties(style, properties)


def bold_characters(word: WordDocument) -> frozenset[str]:
    """Ids of the styles of characters that set them in bold."""
    return frozenset(
        style.get(qn("w:styleId"), "")
        for style in word.styles.element.iter(qn("w:style"))
        if style.get(qn("w:type")) == "character" and is_bold(style, otherwise=False)
    )


def is_bold(element: etree._Element, *, otherwise: bool) -> bool:
    """Whether a run or a style sets its text in bold."""
    mark = element.find(f"{qn('w:rPr')}/{qn('w:b')}")
    return otherwise if mark is None else mark.get(_VAL, "1") not in ("0", "false", "off")


def with_properties(style: Style, properties: etree._Element) -> Style:
    """The style with what the properties of a style or a paragraph change in it."""
    outline = properties.find(qn("w:outlineLvl"))
    if outline is not None and not style.heading:
        level = int(outline.get(_VAL, "9"))
        style = style._replace(heading=level + 1 if level < 9 else 0)
    numbers = properties.find(qn("w:numPr"))
    if numbers is not None:
        num_id = numbers.find(qn("w:numId"))
        ilvl = numbers.find(qn("w:ilvl"))
        number = num_id.get(_VAL, "0") if num_id is not None else style.num_id
        depth = int(ilvl.get(_VAL, "0")) if ilvl is not None else style.ilvl
        if number in ("", "0"):
            continued = style.item or style.continued
            return style._replace(num_id="", item=0, continued=continued)
        named_depth = style.item - 1 if style.item else 0
        item = 0 if style.heading else max(depth, named_depth) + 1
        style = style._replace(num_id=number, ilvl=depth, item=item)
    return style
