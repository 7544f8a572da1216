"""Metadata that people write as YAML: front matter, and a file beside the document.

`leave.pdf.meta.yaml` or `leave.meta.yaml` describes `leave.pdf`; what it says goes before what the
document says of itself. Bad YAML costs only itself: the document is read, and a line says so.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.loaders.metadata import (
    EVIDENCE,
    STATED_DATES,
    TITLE_FROM,
    iso_date,
    looks_iso,
    normalise,
)
from rag.loaders.remarks import PROBLEM

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rag.types import Document

SIDECAR = ".meta.yaml"
_LARGEST = 64_000
_TOO_LONG = f"is longer than {_LARGEST // 1000} KB and is not used"


def sidecar_names(name: str) -> tuple[str, ...]:
    """How a file that describes the file `name` may be called; the first that exists counts."""
    stem = name[: name.rfind(".")] if "." in name[1:] else name
    return tuple(dict.fromkeys((f"{name}{SIDECAR}", f"{stem}{SIDECAR}")))


def sidecar_of(path: Path) -> Path | None:
    """The file that describes a document, or None. A link is not followed."""
    for name in sidecar_names(path.name):
        beside = path.with_name(name)
        # A name may become too long by the suffix; then there is none.
        with suppress(OSError):
            if beside.is_file() and not beside.is_symlink():
                return beside
    return None


def with_sidecar(document: Document, path: Path) -> Document:
    """The document with what the file beside it says."""
    fields: dict[str, str | list[str]] = {}
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            problem = _TOO_LONG
        else:
            fields, problem = read_fields(data.decode("utf-8-sig"))
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
    except UnicodeDecodeError:
        problem = "is not UTF-8"
    metadata: dict[str, str | list[str]] = dict(document.metadata)
    for name, value in fields.items():
        metadata.pop(f"{name}{EVIDENCE}", None)
        metadata[name] = value
    if "title" in fields:
        metadata.pop(TITLE_FROM, None)
    if problem:
        metadata[PROBLEM] = f"{path.name} {problem}"
    title = str(metadata.get("title") or document.title)
    return replace(document, title=title, metadata={**metadata, "title": title})


def read_fields(text: str) -> tuple[dict[str, str | list[str]], str]:
    """Metadata from YAML, under our names, and what is wrong with it ("" if nothing is)."""
    # Imported here because most documents have none.
    import yaml

    if len(text.encode("utf-8", "replace")) > _LARGEST:
        return {}, _TOO_LONG
    # The base loader makes strings only, so that "version: 1.10" stays what was written.
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        found = yaml.load(text, loader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        return {}, f"is not valid YAML and is not used{line}: {error.problem or 'check it'}"
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return {}, f"is not valid YAML and is not used: {' '.join(str(error).split())[:100]}"
    if not found:
        return {}, ""
    if not isinstance(found, dict):
        return {}, 'is not used: write lines of the form "title: Annual leave"'
    fields = normalise(found)
    problem = _wrong_date(fields)
    kept = {k: v for k, v in fields.items() if not (k in STATED_DATES and _is_no_day(str(v)))}
    return kept, problem


def _wrong_date(fields: Mapping[str, str | list[str]]) -> str:
    for name in STATED_DATES:
        given = fields.get(name, "")
        value = given if isinstance(given, str) else ", ".join(given)
        if value and (not looks_iso(value) or _is_no_day(value)):
            return f"has a {name} that reads as no date or as two ({value}): write 2024-06-01"
    return ""


def _is_no_day(value: str) -> bool:
    """True for 2024-02-30, which looks like a date and is none."""
    return len(value) > 4 and looks_iso(value) and iso_date(value) is None
