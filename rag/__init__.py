"""Ask a folder of policy documents and get answers that quote them.

    import rag
    report = rag.build("corpus", "index")
    index = rag.open("index")
    hits = index.retrieve("paid parental leave", k=5)
    answer = index.ask("And for part-time staff?", history=[...])

Importing this package loads nothing heavy. The types of what these calls take and give are here as
well, such as `rag.Index`, `rag.Answer` and `rag.Turn`; they are loaded when they are named.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.errors import (
    CorpusNotFound,
    DocumentNotFound,
    EncoderError,
    IndexDamaged,
    IndexIncompatible,
    IndexLocked,
    IndexNotFound,
    RagError,
    SettingsError,
    UsageError,
)

# ONNX Runtime reports its use to its maker from its import on, if this is not set before.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from rag.asking.asked import Asked
    from rag.index import Index
    from rag.store.tables import DocumentInfo
    from rag.types import (
        Answer,
        Block,
        BuildReport,
        Chunk,
        Citation,
        Detail,
        Document,
        Hit,
        Page,
        Passage,
        Problem,
        Renamed,
        Scores,
        Sentence,
        Turn,
    )

_TYPES = {
    "Answer": "rag.types",
    "Asked": "rag.asking.asked",
    "Block": "rag.types",
    "BuildReport": "rag.types",
    "Chunk": "rag.types",
    "Citation": "rag.types",
    "Detail": "rag.types",
    "Document": "rag.types",
    "DocumentInfo": "rag.store.tables",
    "Hit": "rag.types",
    "Index": "rag.index",
    "Page": "rag.types",
    "Passage": "rag.types",
    "Problem": "rag.types",
    "Renamed": "rag.types",
    "Scores": "rag.types",
    "Sentence": "rag.types",
    "Turn": "rag.types",
}
"""The public types, and the modules that are loaded when they are named."""

__all__ = [
    "Answer",
    "Asked",
    "Block",
    "BuildReport",
    "Chunk",
    "Citation",
    "CorpusNotFound",
    "Detail",
    "Document",
    "DocumentInfo",
    "DocumentNotFound",
    "EncoderError",
    "Hit",
    "Index",
    "IndexDamaged",
    "IndexIncompatible",
    "IndexLocked",
    "IndexNotFound",
    "Page",
    "Passage",
    "Problem",
    "RagError",
    "Renamed",
    "Scores",
    "Sentence",
    "SettingsError",
    "Turn",
    "UsageError",
    "build",
    "open",
]

if not TYPE_CHECKING:  # A type checker that saw it would take any name for a public one.

    def __getattr__(name: str) -> Any:
        if name not in _TYPES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_TYPES[name]), name)


def __dir__() -> list[str]:
    return [*__all__]


def build(
    corpus: str | Path | None = None, index: str | Path | None = None, **settings: Any
) -> BuildReport:
    """Build or update an index from a folder of documents.

    Args:
        corpus: the folder of documents; by default that of the build before, else `corpus`.
        index: the folder of the index, made if it is not there; by default `index`, or what the
            environment or `rag.toml` name.
        **settings: any other setting by name, see `rag config`.

    Raises:
        CorpusNotFound: there is no such folder.
        IndexLocked: another process is building this index.
        SettingsError: a setting is unknown or has a wrong value.
    """
    from rag.building.indexing import build_index
    from rag.settings import load_settings
    from rag.store.noted import with_noted_corpus

    given = {"corpus": corpus, "index": index, **settings}
    return build_index(with_noted_corpus(load_settings(given)).settings)


def open(index: str | Path | None = None, **settings: Any) -> Index:  # noqa: A001 - the contract's name
    """Open an index for questions.

    Args:
        index: the folder of the index; by default `index`, or what the environment or `rag.toml`
            name.
        **settings: any other setting by name, see `rag config`.

    Raises:
        IndexNotFound: nothing has been built there.
        IndexDamaged: a file of the index is missing or damaged.
        SettingsError: a setting is unknown or has a wrong value.
    """
    from rag.index import open_index
    from rag.settings import load_settings

    chosen = load_settings({"index": index, **settings}).settings
    return open_index(chosen.index, chosen)
