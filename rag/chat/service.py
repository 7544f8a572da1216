"""What the page's script may ask of the server, each answered with ready HTML or one clear line.

Every call takes and returns a JSON object; `{"error": "…"}` is a sentence to show to the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import wraps
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from rag.chat import examples, library, pages, payloads, reading, render, versions
from rag.chat.payloads import Payload
from rag.errors import DocumentNotFound, RagError, UsageError
from rag.types import Answer, Document, Hit, Turn

MAX_QUESTION = 2_000
_MAX_NAME = 4_096
_EXAMPLES = 4
_SOURCES_OF_EXAMPLES = 24
_FOLLOW_UPS = 4
_TRIED = 10
_REMEMBERED = 5_000
_PDF = ".pdf"
_NO_DOCUMENTS = (
    "There are no documents in this index yet. Put some into the corpus folder and run `rag build`."
)


class Engine(Protocol):
    """What the page needs of `rag.index.Index` or `rag.live.LiveIndex`."""

    @property
    def generation(self) -> str:
        """Id of the generation that answers now."""

    @property
    def created(self) -> str:
        """When that was built: UTC, ISO 8601."""

    def ask(self, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Answer with quotations, or abstain."""

    def retrieve(self, question: str, k: int = 5, history: Sequence[Turn] = ()) -> list[Hit]:
        """The best passages."""

    def document(self, document_id: str) -> Document:
        """One document with its blocks."""

    def documents(self) -> Sequence[Any]:
        """Id, title, metadata and number of chunks of every document."""


@dataclass(frozen=True)
class _Known:
    """What is worth remembering of one generation; `files` are the hashes of its PDF files."""

    generation: str
    documents: int
    files: Mapping[str, str]
    families: Mapping[str, Sequence[versions.Version]]


class Service:
    """The calls, bound to one engine. Holds no conversation: the page sends what it needs."""

    def __init__(self, engine: Engine, corpus: Path | None = None) -> None:
        self._engine, self._corpus = engine, corpus
        self._lock = Lock()
        self._known: _Known | None = None
        self._overview: Payload | None = None
        self._answered: dict[tuple[str, str], bool] = {}

    def functions(self) -> list[Callable[[Payload], Payload]]:
        """The calls, as plain functions with the names that the script uses."""
        calls = (self.overview, self.answer, self.source, self.page_picture, self.follow_ups)
        return [_guarded(call) for call in calls]

    def overview(self, payload: Payload) -> Payload:
        """What the index holds: facts, example questions and the list of documents.

        Only the generation, if that is the one that the page already knows as `known`.
        """
        with _snapshot(self._engine) as index, self._lock:
            if index.generation == payload.get("known"):
                return {"generation": index.generation}
            if self._overview is None or self._overview["generation"] != index.generation:
                self._overview = self._describe(index)
            return self._overview

    def answer(self, payload: Payload) -> Payload:
        """The answer to `question` after the turns in `history`."""
        question = payloads.text(payload, "question", MAX_QUESTION)
        if not question:
            raise UsageError("Write a question first.")
        history = payloads.history_turns(payload.get("history"))
        with _snapshot(self._engine) as index:
            answer = index.ask(question, history)
            known = self._know(index)
            shown = answer.citations or answer.nearest[: render.NEAREST]
            documents = _documents(index, (source.document for source in shown))
            searched = render.Searched(known.documents, answer.generation, index.created)
        return {
            "html": render.answer_html(answer, documents, searched, known.families),
            "text": answer.text,
            "abstained": answer.abstained,
            "standalone": answer.standalone_question,
            "generation": answer.generation,
            "citations": [
                payloads.citation(source, documents.get(source.document), answer.generation)
                for source in answer.citations
            ],
            "nearest": [
                payloads.passage(source, n, documents.get(source.document))
                for n, source in enumerate(answer.nearest[: render.NEAREST], start=1)
            ],
        }

    def source(self, payload: Payload) -> Payload:
        """One document as a page for reading, with `marks` highlighted."""
        document = self._engine.document(payloads.text(payload, "document", _MAX_NAME))
        marks, moved = payloads.marks(payload.get("marks"), document)
        return {
            "html": reading.document_html(document, marks),
            "title": document.title,
            "moved": moved,
            "pages": len(document.pages) if self._corpus and document.id.endswith(_PDF) else 0,
        }

    def page_picture(self, payload: Payload) -> Payload:
        """Page `number` of a PDF document as a picture, with the places of `marks` on it."""
        name = payloads.text(payload, "document", _MAX_NAME)
        with _snapshot(self._engine) as index:
            document = index.document(name)
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

    def follow_ups(self, payload: Payload) -> Payload:
        """Sections beside the cited ones that the index can answer about, ready to be asked."""
        asked = payloads.text(payload, "question", MAX_QUESTION).lower()
        known = {examples.bare(section) for section in payloads.strings(payload.get("sections"))}
        with _snapshot(self._engine) as index:
            sources = _documents(index, payloads.strings(payload.get("documents"))[:3]).values()
            candidates = [
                (section, examples.question(document, section))
                for document in sources
                for section in examples.headings(document)
                if section not in known
            ]
            topics = {question: topic for topic, question in reversed(candidates)}
            chosen = self._answerable(
                index, (q for _, q in candidates if q.lower() != asked), _FOLLOW_UPS
            )
        return {"html": render.topics_html([(topics[question], question) for question in chosen])}

    def _know(self, index: Engine) -> _Known:
        known = self._known
        if known is None or known.generation != index.generation:
            infos = index.documents()
            files = {info.id: info.file.sha256 for info in infos if info.id.endswith(_PDF)}
            known = _Known(index.generation, len(infos), files, versions.families(infos))
            self._known = known
        return known

    def _describe(self, index: Engine) -> Payload:
        infos = index.documents()
        chosen = examples.spread([info.id for info in infos], _SOURCES_OF_EXAMPLES)
        candidates = examples.example_questions(_documents(index, chosen).values())
        notice = "" if infos else _NO_DOCUMENTS
        try:
            questions = self._answerable(index, candidates, _EXAMPLES)
        except RagError as error:
            questions, notice = [], str(error)
        return {
            "generation": index.generation,
            "notice": notice,
            "facts": library.facts_html(infos, index.created),
            "examples": render.questions_html(questions),
            "documents": library.documents_html(infos),
        }

    def _answerable(self, index: Engine, questions: Iterable[str], wanted: int) -> list[str]:
        """The first questions that are answered; what was tried once is remembered."""
        good: list[str] = []
        for question in islice(questions, _TRIED):
            key = (index.generation, question)
            if key not in self._answered:
                if len(self._answered) >= _REMEMBERED:
                    self._answered.clear()
                self._answered[key] = not index.ask(question).abstained
            if self._answered[key]:
                good.append(question)
            if len(good) == wanted:
                break
        return good


def _on_page(document: Document, number: int, mark: reading.Mark) -> str:
    """The part of a marked passage that stands on a page."""
    spans = [
        document.text[max(mark.start, page.start) : min(mark.end, page.end)]
        for page in document.pages
        if page.number == number and mark.start < page.end and page.start < mark.end
    ]
    return " ".join(spans)


def _guarded(call: Callable[[Payload], Payload]) -> Callable[[Payload], Payload]:
    @wraps(call)
    def guarded(payload: Payload) -> Payload:
        try:
            result = call(payload if isinstance(payload, dict) else {})
        except RagError as error:
            result = {"error": str(error) or type(error).__name__}
        return {key: payloads.json_safe(value) for key, value in result.items()}

    return guarded


def _snapshot(engine: Engine) -> AbstractContextManager[Engine]:
    """The engine as it is now: one generation for calls that belong together."""
    take = getattr(engine, "snapshot", None)
    return take() if take is not None else nullcontext(engine)


def _documents(index: Engine, identifiers: Iterable[str]) -> dict[str, Document]:
    """The documents that are there, by id; those that are not are left out."""
    found: dict[str, Document] = {}
    for identifier in dict.fromkeys(identifiers):
        try:
            found[identifier] = index.document(identifier)
        except DocumentNotFound:
            continue
    return found
