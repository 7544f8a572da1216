"""Rich Text Format: the text through striprtf, tables as rows, headings as in plain text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from striprtf.striprtf import rtf_to_text

from rag.errors import DocumentError
from rag.loaders.builder import TextBuilder, clean
from rag.loaders.metadata import believable_title, normalise
from rag.loaders.plain import add_prose

if TYPE_CHECKING:
    from rag.types import Document

_PROPERTIES = {"title": "title", "author": "author", "keywords": "tags", "subject": "description"}
_PROPERTY = re.compile(r"\{\\(title|author|keywords|subject)\s([^{}]{1,1000})\}")
_DAY = re.compile(r"\{\\(creatim|revtim)\\yr(\d{1,4})\\mo(\d{1,2})\\dy(\d{1,2})")
_BEGINNING = 50_000
_ROW = re.compile(r"[^\n|]*\|[^\n]*\|\s*")


def load(data: bytes, document_id: str) -> Document:
    """Read an RTF file.

    Raises:
        DocumentError: it is no RTF, damaged, or has no text.
    """
    if not data.lstrip()[:5].startswith(b"{\\rtf"):
        raise DocumentError("is damaged or not an RTF file: save it again as .rtf")
    source = data.decode("latin-1")
    try:
        text = rtf_to_text(source, errors="replace")
    except (ValueError, IndexError, KeyError, LookupError, TypeError) as error:
        raise DocumentError("is damaged or not an RTF file: save it again as .rtf") from error
    builder = TextBuilder()
    for part in _parts(text):
        if isinstance(part, list):
            for index, cells in enumerate(part):
                header = index == 0 and len(part) > 1 and not any(map(_has_digit, cells))
                builder.row(cells, header=header)
        else:
            # Each line is a paragraph, which blank lines tell the guesses of plain text.
            add_prose("\n\n".join(filter(str.strip, part.split("\n"))), builder)
    metadata = normalise(_properties(source[:_BEGINNING]))
    named = believable_title(str(metadata.pop("title", "")))
    return builder.build(document_id, named, metadata)


def _parts(text: str) -> list[str | list[list[str]]]:
    """Runs of prose, and tables: striprtf ends each cell with "|"."""
    parts: list[str | list[list[str]]] = []
    for line in text.split("\n"):
        if _ROW.fullmatch(line):
            cells = [cell.strip() for cell in line.strip().removesuffix("|").split("|")]
            if parts and isinstance(parts[-1], list):
                parts[-1].append(cells)
            else:
                parts.append([cells])
        elif parts and isinstance(parts[-1], str):
            parts[-1] += f"\n{line}"
        else:
            parts.append(line)
    return parts


def _properties(source: str) -> dict[str, object]:
    found: dict[str, object] = {
        _PROPERTIES[match[1]]: clean(rtf_to_text("{\\rtf1 " + match[2] + "}", errors="replace"))
        for match in _PROPERTY.finditer(source)
    }
    for match in _DAY.finditer(source):
        name = "created" if match[1] == "creatim" else "modified"
        found[name] = f"{int(match[2]):04d}-{int(match[3]):02d}-{int(match[4]):02d}"
    return found


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))
