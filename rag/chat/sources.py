"""The calls that show evidence: a document for reading, and a page of a PDF as it looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.catalogue.versions import Version
from rag.chat import pages, payloads, reading
from rag.chat.engine import Engine, snapshot
from rag.chat.payloads import Payload
from rag.errors import DocumentNotFound, UsageError
from rag.store.tables import DocumentInfo
from rag.types import Document

MAX_NAME = 4_096


@dataclass(frozen=True)
class Known:
    """What is worth remembering of one generation; `files` are the hashes of its PDF files."""

    generation: str
    infos: Sequence[DocumentInfo]
    files: Mapping[str, str]
    families: Mapping[str, Sequence[Version]]


class Sources:
    """The calls, bound to an engine and to the folder of the documents."""

    def __init__(
        self, engine: Engine, corpus: Path | None, know: Callable[[Engine], Known]
    ) -> None:
        """Take what shows documents.

        Args:
            engine: what holds them.
            corpus: their folder, for pictures of pages; None if there are none to show.
            know: what is known of the generation of an engine.
        """
        self._engine, self._corpus, self._know = engine, corpus, know

    def source(self, payload: Payload) -> Payload:
        """One document as a page for reading, with `marks` highlighted."""
        with snapshot(self._engine) as index:
            document = _document(index, payloads.text(payload, "document", MAX_NAME))
            family = self._know(index).families.get(document.id, ())
        marks, moved = payloads.marks(payload.get("marks"), document)
        return {
            "html": reading.document_html(document, marks, family),
            "title": document.title,
            "moved": moved,
            "pages": len(document.pages) if self._corpus and is_pdf(document.id) else 0,
        }

    def page_picture(self, payload: Payload) -> Payload:
        """Page `number` of a PDF document as a picture, with the places of `marks` on it."""
        name = payloads.text(payload, "document", MAX_NAME)
        with snapshot(self._engine) as index:
            document = _document(index, name)
            digest = self._know(index).files.get(document.id)
        if self._corpus is None or digest is None:
            raise UsageError("Only pages of PDF documents can be shown.")
        number = payloads.number(payload, "number")
        marks, _ = payloads.marks(payload.get("marks"), document)
        quotes = [_on_page(document, number, mark) for mark in marks]
        picture = pages.picture(pages.find_file(self._corpus, document.id, digest), number, quotes)
        return {
            "image": picture.data,
            "width": picture.width,
            "height": picture.height,
            "boxes": [
                {"n": mark.n, "kind": mark.kind, **asdict(box)}
                for mark, boxes in zip(marks, picture.boxes, strict=True)
                for box in boxes
            ],
        }


def is_pdf(identifier: str) -> bool:
    """Whether a document was read from a PDF file."""
    return identifier.lower().endswith(".pdf")


def _document(index: Engine, identifier: str) -> Document:
    """A document, or words for a reader who may have no shell to look further."""
    try:
        return index.document(identifier)
    except DocumentNotFound as error:
        raise DocumentNotFound(f"{identifier} is no longer in the library.") from error


def documents(index: Engine, identifiers: Iterable[str]) -> dict[str, Document]:
    """The documents that are there, by id; those that are not are left out."""
    found: dict[str, Document] = {}
    for identifier in dict.fromkeys(identifiers):
        try:
            found[identifier] = index.document(identifier)
        except DocumentNotFound:
            continue
    return found


def _on_page(document: Document, number: int, mark: reading.Mark) -> str:
    """The part of a marked passage that stands on a page."""
    spans = [
        document.text[max(mark.start, page.start) : min(mark.end, page.end)]
        for page in document.pages
        if page.number == number and mark.start < page.end and page.start < mark.end
    ]
    return " ".join(spans)
