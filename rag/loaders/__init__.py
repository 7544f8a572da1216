"""From a file to a `Document`: one module per format, found by the file's suffix.

A loader is a function `(data: bytes, document_id: str) -> Document`. To add a format, write one
and add a line to `LOADERS`; libraries are imported only when a file of their format turns up.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rag.errors import DocumentError, UnsupportedFormat
from rag.loaders.metadata import stated

if TYPE_CHECKING:
    from rag.types import Document

# Raise it when a loader returns other text or blocks than before: documents are read again.
LOADERS_VERSION = 1

LOADERS_VERSION = 1
"""Raised whenever a loader gives another text or other blocks for the same file."""

LOADERS = {
    ".docx": "rag.loaders.docx:load",
    ".htm": "rag.loaders.html:load",
    ".html": "rag.loaders.html:load",
    ".markdown": "rag.loaders.markdown:load",
    ".md": "rag.loaders.markdown:load",
    ".pdf": "rag.loaders.pdf:load",
    ".txt": "rag.loaders.plain:load",
}


def load(path: Path, document_id: str) -> Document:
    """Read one file.

    The same bytes and id always give the same document.

    Args:
        path: the file; it is read once, as a whole.
        document_id: the name that the document goes by; its suffix chooses the loader.

    Raises:
        UnsupportedFormat: no loader for this suffix.
        DocumentError: it cannot be read, or is broken, empty, encrypted, scanned or not text. The
            message is a reason of one line without the file's name. No other exception leaves.
    """
    suffix_of(document_id)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}") from error
    return load_bytes(data, document_id)


def load_bytes(data: bytes, document_id: str) -> Document:
    """Like `load`, for content that was read already."""
    suffix = suffix_of(document_id)
    if not data.strip():
        raise DocumentError("is empty")
    module, _, function = LOADERS[suffix].partition(":")
    try:
        loaded: Document = getattr(importlib.import_module(module), function)(data, document_id)
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
    metadata = {**stated(loaded.text), **loaded.metadata, "title": loaded.title}
    return replace(loaded, metadata=metadata)


def suffix_of(document_id: str) -> str:
    """The suffix that chooses the loader, in lower case.

    Raises:
        UnsupportedFormat: no loader for this suffix.
    """
    suffix = PurePosixPath(document_id).suffix.lower()
    if suffix not in LOADERS:
        kind = f"{suffix} files are" if suffix else "files without a suffix are"
        raise UnsupportedFormat(f"{kind} not supported: use one of {' '.join(sorted(LOADERS))}")
    return suffix
