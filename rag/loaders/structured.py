"""JSON and XML as text that can be read and quoted: headings, "name: value" entries, tables.

Both become a tree of nodes. A node with a value is an entry, one with parts is a section; parts
that are records of the same fields are a table.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from rag.errors import DocumentError
from rag.loaders.builder import TextBuilder, clean
from rag.loaders.decoding import decode
from rag.loaders.metadata import LABELS, field_of, normalise
from rag.loaders.package import parse_xml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rag.types import Document

_DEEPEST = 60
_CELL_AT_MOST = 200
_COLUMNS_AT_MOST = 20
_LEAST_FILLED = 0.5
_NAMES = ("title", "name", "label", "heading", "head", "id", "key", "code")
_PROSE = frozenset(["p", "para", "paragraph", "text", "body", "description", "content"])
_OTHER_WORDS = ("by", "review")
"""Labels that records use for other things."""


@dataclass
class _Node:
    """`label` is "" for an entry of a list; either `value` or `parts` is used."""

    label: str
    value: str = ""
    parts: Sequence[_Node] = ()


def load_json(data: bytes, document_id: str) -> Document:
    """Read JSON; the scalars of an object at the top that have our names are its metadata.

    Raises:
        DocumentError: it is empty, not JSON, nested too deeply, or has no text.
    """
    try:
        # Numbers as they are written: 1.10 is no 1.1, and long ones would lose their end.
        content = json.loads(decode(data), parse_float=str, parse_int=str)
    except ValueError as error:
        raise DocumentError(f"is not valid JSON: {' '.join(str(error).split())}") from error
    raw = content if isinstance(content, dict) else {}
    return _build(_from_json("", content, 0), document_id, raw)


def load_xml(data: bytes, document_id: str) -> Document:
    """Read XML of any vocabulary.

    Raises:
        DocumentError: it is not well-formed, defines entities, is nested too deeply, or has no
            text.
    """
    root = _from_xml(parse_xml(data, "XML"), 0)
    raw = {part.label: part.value for part in root.parts if part.value}
    return _build(root, document_id, raw)


def _build(root: _Node, document_id: str, raw: Mapping[str, object]) -> Document:
    fields = {
        name: value
        for name, value in raw.items()
        if field_of(name) in LABELS and name.strip().lower() not in _OTHER_WORDS
    }
    metadata = normalise(fields)
    named = str(metadata.pop("title", ""))
    builder = TextBuilder()
    builder.heading(named, 1)
    _add(root, builder, 1, shown=named)
    return builder.build(document_id, named, metadata)


def _from_json(label: str, content: object, depth: int) -> _Node:
    if depth > _DEEPEST:
        raise DocumentError("is nested too deeply to be read: simplify it")
    if isinstance(content, dict):
        parts = [_from_json(str(name), value, depth + 1) for name, value in content.items()]
        return _Node(label, parts=parts)
    if isinstance(content, list):
        return _Node(label, parts=[_from_json("", value, depth + 1) for value in content])
    if isinstance(content, bool):
        return _Node(label, "yes" if content else "no")
    return _Node(label, "" if content is None else clean(str(content)))


def _from_xml(element: etree._Element, depth: int) -> _Node:
    if depth > _DEEPEST:
        raise DocumentError("is nested too deeply to be read: simplify it")
    label = _local(element.tag)
    attributes = [
        _Node(_local(name), clean(value))
        for name, value in element.attrib.items()
        if "{http://www.w3.org/" not in name and not _local(name).startswith(("xmlns", "xsi"))
    ]
    children = [child for child in element if isinstance(child.tag, str)]
    own = clean("".join([element.text or "", *(child.tail or "" for child in element)]))
    if own or not children:
        # Text, perhaps with markup inside it; attributes of markup say little to a reader.
        text = clean("".join(element.itertext()))
        return _Node(label, text) if text else _Node(label, parts=attributes)
    return _Node(label, parts=[*attributes, *(_from_xml(child, depth + 1) for child in children)])


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _add(node: _Node, builder: TextBuilder, level: int, shown: str = "") -> None:
    """Add the parts of a node, runs of like records as tables.

    Args:
        node: the node.
        builder: where they are added.
        level: depth of the headings among them.
        shown: the name of the node if its heading has it; not said again.
    """
    parts = [p for p in node.parts if not (shown and p.value == shown and _names(p))]
    for run in _runs(parts):
        columns = _columns(run)
        if columns:
            builder.row(map(_spoken, columns), header=True)
            for record in run:
                values = {part.label: part.value for part in record.parts}
                builder.row([values.get(column, "") for column in columns])
        else:
            for number, part in enumerate(run, start=1):
                _add_one(part, builder, level, str(number) if len(run) > 1 else "")
    if node.value and not node.label:
        builder.paragraph(node.value)


def _add_one(node: _Node, builder: TextBuilder, level: int, number: str) -> None:
    label = _spoken(node.label)
    if not node.parts:
        if node.label.lower() in _PROSE:
            builder.paragraph(node.value)
        elif node.value:
            builder.item(f"{label}: {node.value}" if label else node.value)
        return
    if all(not part.label and not part.parts for part in node.parts):
        values = [part.value for part in node.parts if part.value]
        if label and sum(map(len, values)) <= _CELL_AT_MOST:
            builder.item(f"{label}: {', '.join(values)}")
            return
    names = {part.label.lower(): part.value for part in reversed(node.parts) if _names(part)}
    named = next((names[name] for name in _NAMES if names.get(name)), "")
    name = named if 0 < len(named) <= _CELL_AT_MOST else number
    heading = ": ".join(part for part in (label, name) if part) if named else f"{label} {name}"
    builder.heading(heading, min(level, 6))
    _add(node, builder, level + 1, shown=name)


def _names(part: _Node) -> bool:
    return part.label.lower() in _NAMES


def _runs(parts: Sequence[_Node]) -> Iterator[list[_Node]]:
    """Neighbours with the same label together."""
    run: list[_Node] = []
    for part in parts:
        if run and run[-1].label != part.label:
            yield run
            run = []
        run.append(part)
    if run:
        yield run


def _columns(run: Sequence[_Node]) -> list[str]:
    """The fields of a run of records that make a good table, or none."""
    if len(run) < 2:
        return []
    columns: dict[str, None] = {}
    cells = 0
    for record in run:
        labels = [part.label for part in record.parts]
        plain = all(
            part.label and not part.parts and len(part.value) <= _CELL_AT_MOST
            for part in record.parts
        )
        if not labels or not plain or len(set(labels)) < len(labels):
            return []
        columns.update(dict.fromkeys(labels))
        cells += len(labels)
    wide = len(columns) > _COLUMNS_AT_MOST or len(columns) < 2
    sparse = cells < _LEAST_FILLED * len(columns) * len(run)
    return [] if wide or sparse else list(columns)


def _spoken(label: str) -> str:
    """A name as words: effectiveDate and effective_date as "effective date"."""
    return clean(re.sub(r"[_\s-]+|(?<=[a-z\d])(?=[A-Z])", " ", label))
