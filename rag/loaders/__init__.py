"""From a file to a `Document`: one module per format, found by the file's suffix.

A loader is a function `(data: bytes, document_id: str) -> Document`; the title is "" where the
document has none of its own. To add a format, write one and add a line to `LOADERS`; libraries are
imported only when a file of their format turns up.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rag.errors import DocumentError, NoText, UnsupportedFormat
from rag.loaders.fields import sidecar_of, with_sidecar
from rag.loaders.metadata import EVIDENCE, FILE_NAME, TITLE_FROM, readable_name

if TYPE_CHECKING:
    from rag.types import Document

LOADERS_VERSION = 8
"""Raised whenever a loader gives another text, other blocks or other metadata for the same file."""

LOADERS = {
    ".csv": "rag.loaders.csv:load",
    ".docx": "rag.loaders.docx:load",
    ".eml": "rag.loaders.eml:load",
    ".epub": "rag.loaders.epub:load",
    ".htm": "rag.loaders.html:load",
    ".html": "rag.loaders.html:load",
    ".json": "rag.loaders.structured:load_json",
    ".markdown": "rag.loaders.markdown:load",
    ".md": "rag.loaders.markdown:load",
    ".odt": "rag.loaders.odt:load",
    ".pdf": "rag.loaders.pdf:load",
    ".pptx": "rag.loaders.pptx:load",
    ".rtf": "rag.loaders.rtf:load",
    ".txt": "rag.loaders.plain:load",
    ".xlsx": "rag.loaders.xlsx:load",
    ".xml": "rag.loaders.structured:load_xml",
}


class Unopened(DocumentError):
    """The file itself could not be read, which may be over in a moment."""


def load(path: Path, document_id: str, ocr_seconds: float = 0.0) -> Document:
    """Read one file.

    The same bytes and id always give the same document; a file beside it, such as
    `leave.pdf.meta.yaml`, adds metadata.

    Args:
        path: the file; it is read once, as a whole.
        document_id: the name that the document goes by; its suffix chooses the loader.
        ocr_seconds: how long text in the pictures of a PDF may be recognised; 0 to leave it.

    Raises:
        UnsupportedFormat: no loader for this suffix.
        Unopened: the file cannot be opened or read.
        DocumentError: it cannot be read, or is broken, empty, encrypted, scanned or not text. The
            message is a reason of one line without the file's name. No other exception leaves.
    """
    suffix_of(document_id)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Unopened(f"cannot be read: {error.strerror or error}") from error
    document = load_bytes(data, document_id, ocr_seconds)
    beside = sidecar_of(path)
    return document if beside is None else with_sidecar(document, beside)


def load_bytes(data: bytes, document_id: str, ocr_seconds: float = 0.0) -> Document:
    """Like `load`, for content that was read already."""
    suffix = suffix_of(document_id)
    if not data.strip():
        raise NoText("is empty")
    module, _, function = LOADERS[suffix].partition(":")
    options = {"ocr_seconds": ocr_seconds} if suffix == ".pdf" and ocr_seconds else {}
    try:
        loaded: Document = getattr(importlib.import_module(module), function)(
            data, document_id, **options
        )
    except DocumentError:
        raise
    except MemoryError as error:
        raise DocumentError("needs more memory than there is: split it") from error
    except RecursionError as error:
        raise DocumentError("is nested too deeply to be read: simplify it") from error
    except Exception as error:
        # Parsers of hostile files raise anything; whatever it is, it concerns this one document.
        detail = " ".join(str(error).split())[:120]
        raise DocumentError(
            f"cannot be read as {suffix[1:].upper()} ({type(error).__name__}"
            f"{': ' if detail else ''}{detail}): open it and save it again"
        ) from error
    # Of what a question imports from here, too, nothing reads texts.
    from rag.loaders.stated import stated

    said = stated(loaded.text, loaded.blocks)
    read = {name: value for name, value in said.items() if _is_new(name, loaded)}
    metadata = {**read, **loaded.metadata, "title": loaded.title}
    if not loaded.title:
        metadata.update({"title": readable_name(document_id), TITLE_FROM: FILE_NAME})
    return replace(loaded, title=str(metadata["title"]), metadata=metadata)


def _is_new(name: str, document: Document) -> bool:
    """Whether the document's own metadata does not say it; then no evidence is needed either."""
    return name.removesuffix(EVIDENCE) not in document.metadata


def suffix_of(document_id: str) -> str:
    """The suffix that chooses the loader, in lower case.

    Raises:
        UnsupportedFormat: no loader for this suffix.
    """
    suffix = PurePosixPath(document_id).suffix.lower()
    if suffix not in LOADERS:
        kind = f"{suffix} files are" if suffix else "files without a suffix are"
        raise UnsupportedFormat(f"{kind} not supported: {use_another()}")
    return suffix


def use_another() -> str:
    """What to do about a file that no loader is for; the end of the reason."""
    return f"use one of {formats()}"


def formats() -> str:
    """The suffixes of all formats."""
    return " ".join(sorted(LOADERS))
