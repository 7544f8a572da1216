"""Ask a folder of policy documents and get answers that quote them.

    import rag
    report = rag.build("corpus", "index")
    index = rag.open("index")
    hits = index.retrieve("paid parental leave", k=5)
    answer = index.ask("And for part-time staff?", history=[...])

Importing this package loads nothing heavy. `rag.Index` and `rag.Answer` are there as well; they are
loaded when they are named, and `from rag import *` leaves them out.
"""

from __future__ import annotations

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

if TYPE_CHECKING:
    from rag.index import Index as Index
    from rag.types import Answer as Answer
    from rag.types import BuildReport

__all__ = [
    "CorpusNotFound",
    "DocumentNotFound",
    "EncoderError",
    "IndexDamaged",
    "IndexIncompatible",
    "IndexLocked",
    "IndexNotFound",
    "RagError",
    "SettingsError",
    "UsageError",
    "build",
    "open",
]


def __getattr__(name: str) -> Any:
    if name == "Answer":
        from rag.types import Answer

        return Answer
    if name == "Index":
        from rag.index import Index

        return Index
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def build(
    corpus: str | Path | None = None, index: str | Path = "index", **settings: Any
) -> BuildReport:
    """Build or update an index from a folder of documents.

    Args:
        corpus: the folder of documents; by default that of the build before, else `corpus`.
        index: the folder of the index; made if it is not there.
        **settings: any other setting by name, see `rag config`.

    Raises:
        CorpusNotFound: there is no such folder.
        IndexLocked: another process is building this index.
        SettingsError: a setting is unknown or has a wrong value.
    """
    from rag.indexing import build_index
    from rag.settings import load_settings
    from rag.store.noted import with_noted_corpus

    given = {"corpus": corpus, "index": index, **settings}
    return build_index(with_noted_corpus(load_settings(given)).settings)


def open(index: str | Path = "index", **settings: Any) -> Index:  # noqa: A001 - the contract's name
    """Open an index for questions.

    Args:
        index: the folder of the index.
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
