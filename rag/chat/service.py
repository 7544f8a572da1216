"""What the page's script may ask of the server, each answered with ready HTML or one clear line.

Every call takes and returns a JSON object. What comes in is checked as strictly as if it came from
a stranger, for it may. `{"error": "…"}` is a sentence to show to the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from itertools import islice
from threading import Lock
from typing import Any, Protocol

from rag.chat import examples, library, reading, render, wording
from rag.errors import DocumentNotFound, RagError, UsageError
from rag.markup import plain_text
from rag.types import Answer, Citation, Document, Hit, Passage, Turn

Payload = dict[str, Any]

MAX_QUESTION = 2_000
MAX_TURNS = 40
_MAX_TURN = 20_000
_MAX_MARKS = 50
_EXAMPLES = 4
_SOURCES_OF_EXAMPLES = 24
_FOLLOW_UPS = 4
_TRIED = 12
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


class Service:
    """The calls, bound to one engine. Holds no conversation: the page sends what it needs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._overview: Payload | None = None

    def functions(self) -> list[Callable[[Payload], Payload]]:
        """The calls, as plain functions with the names that the script uses."""
        return [
            _guarded(call) for call in (self.overview, self.answer, self.source, self.follow_ups)
        ]

    def overview(self, _: Payload) -> Payload:
        """What the index holds: facts, example questions and the list of documents."""
        with _snapshot(self._engine) as index, self._lock:
            if self._overview is None or self._overview["generation"] != index.generation:
                self._overview = _describe(index)
            return self._overview

    def answer(self, payload: Payload) -> Payload:
        """The answer to `question` after the turns in `history`."""
        question = _text(payload, "question", MAX_QUESTION)
        if not question:
            raise UsageError("Write a question first.")
        history = history_turns(payload.get("history"))
        with _snapshot(self._engine) as index:
            answer = index.ask(question, history)
            documents = _documents(index, (citation.document for citation in answer.citations))
            searched = render.Searched(self._count(index), answer.generation, index.created)
        return {
            "html": render.answer_html(answer, documents, searched),
            "text": answer.text,
            "abstained": answer.abstained,
            "standalone": answer.standalone_question,
            "generation": answer.generation,
            "citations": [
                _citation(citation, documents.get(citation.document), answer.generation)
                for citation in answer.citations
            ],
            "nearest": [
                _passage(passage, n) for n, passage in enumerate(answer.nearest[:3], start=1)
            ],
        }

    def source(self, payload: Payload) -> Payload:
        """One document as a page for reading, with `marks` highlighted."""
        document = self._engine.document(_text(payload, "document", 4_096))
        marks, moved = _marks(payload.get("marks"), document)
        return {
            "html": reading.document_html(document, marks),
            "title": document.title,
            "moved": moved,
        }

    def follow_ups(self, payload: Payload) -> Payload:
        """Sections beside the cited ones that the index can answer about, ready to be asked."""
        asked = _text(payload, "question", MAX_QUESTION).lower()
        known = {examples.bare(section) for section in _strings(payload.get("sections"))}
        with _snapshot(self._engine) as index:
            sources = _documents(index, _strings(payload.get("documents"))[:3]).values()
            candidates = [
                (section, examples.question(document, section))
                for document in sources
                for section in examples.headings(document)
                if section not in known
            ]
            topics = {question: topic for topic, question in reversed(candidates)}
            chosen = _answerable(
                index, (q for _, q in candidates if q.lower() != asked), _FOLLOW_UPS
            )
        return {"html": render.topics_html([(topics[question], question) for question in chosen])}

    def _count(self, index: Engine) -> int:
        known = self._overview
        if known is not None and known["generation"] == index.generation:
            return int(known["count"])
        return len(index.documents())


def _snapshot(engine: Engine) -> AbstractContextManager[Engine]:
    """The engine as it is now: one generation for calls that belong together."""
    take = getattr(engine, "snapshot", None)
    return take() if take is not None else nullcontext(engine)


def _describe(index: Engine) -> Payload:
    infos = index.documents()
    chosen = examples.spread([info.id for info in infos], _SOURCES_OF_EXAMPLES)
    candidates = examples.example_questions(_documents(index, chosen).values())
    notice = "" if infos else _NO_DOCUMENTS
    try:
        questions = _answerable(index, candidates, _EXAMPLES)
    except RagError as error:
        questions, notice = [], str(error)
    return {
        "generation": index.generation,
        "count": len(infos),
        "notice": notice,
        "facts": library.facts_html(infos, index.created),
        "examples": render.questions_html(questions),
        "documents": library.documents_html(infos),
    }


def _documents(index: Engine, identifiers: Iterable[str]) -> dict[str, Document]:
    """The documents that are there, by id; those that are not are left out."""
    found: dict[str, Document] = {}
    for identifier in dict.fromkeys(identifiers):
        try:
            found[identifier] = index.document(identifier)
        except DocumentNotFound:
            continue
    return found


def _answerable(index: Engine, questions: Iterable[str], wanted: int) -> list[str]:
    tried = islice(questions, _TRIED)
    return list(islice((q for q in tried if not index.ask(q).abstained), wanted))


def history_turns(value: object) -> list[Turn]:
    """The last turns of a conversation from outside; what is not a turn raises.

    Raises:
        UsageError: a turn without a known role or without text.
    """
    turns: list[Turn] = []
    if value is None:
        return turns
    if not isinstance(value, list):
        raise UsageError("The history must be a list of turns.")
    for entry in value[-MAX_TURNS:]:
        role = entry.get("role") if isinstance(entry, Mapping) else None
        content = entry.get("content") if isinstance(entry, Mapping) else None
        if role not in ("user", "assistant") or not isinstance(content, str):
            raise UsageError('A turn is {"role": "user" or "assistant", "content": "…"}.')
        turns.append({"role": role, "content": content[:_MAX_TURN]})
    return turns


def _guarded(call: Callable[[Payload], Payload]) -> Callable[[Payload], Payload]:
    @wraps(call)
    def guarded(payload: Payload) -> Payload:
        try:
            result = call(payload if isinstance(payload, dict) else {})
        except RagError as error:
            result = {"error": str(error) or type(error).__name__}
        return {key: _json_safe(value) for key, value in result.items()}

    return guarded


def _citation(citation: Citation, document: Document | None, generation: str) -> Payload:
    dated = wording.document_date(document.metadata) if document else None
    return {
        "n": citation.n,
        "document": citation.document,
        "start": citation.start,
        "end": citation.end,
        "sha256": citation.sha256,
        "title": citation.title,
        "section": citation.section or "",
        "place": wording.place(citation),
        "date": " ".join(dated) if dated else "",
        "quote": citation.quote,
        "shown": plain_text(citation.document, citation.quote),
        "reference": wording.reference(citation, document, generation),
    }


def _passage(passage: Passage, n: int) -> Payload:
    return {
        "n": n,
        "document": passage.document,
        "start": passage.start,
        "end": passage.end,
        "title": passage.title,
        "section": passage.section or "",
        "place": wording.place(passage),
    }


def _marks(value: object, document: Document) -> tuple[list[reading.Mark], bool]:
    """Marks from outside, and whether the document changed since they were made.

    In a changed document a quotation that still occurs once is marked where it is now; one that
    does not is left out, so that nothing is ever highlighted that was not quoted.
    """
    marks: list[reading.Mark] = []
    moved = False
    for entry in value[:_MAX_MARKS] if isinstance(value, list) else ():
        if not isinstance(entry, Mapping):
            continue
        n, start, end = (entry.get(key) for key in ("n", "start", "end"))
        if not (isinstance(n, int) and isinstance(start, int) and isinstance(end, int)):
            continue
        kind = "near" if entry.get("kind") == "near" else "cite"
        quote, digest = entry.get("quote"), entry.get("sha256")
        if isinstance(digest, str) and digest and digest != document.sha256:
            moved = True
            if not isinstance(quote, str) or document.text.count(quote) != 1:
                continue
            start = document.text.index(quote)
            end = start + len(quote)
        marks.append(reading.Mark(n, start, end, kind))
    return marks, moved


def _text(payload: Payload, key: str, limit: int) -> str:
    value = payload.get(key)
    if not isinstance(value, str):
        return ""
    if len(value) > limit:
        raise UsageError(f"That is too long: {len(value):,} characters, at most {limit:,}.")
    return value.strip()


def _strings(value: object) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _json_safe(value: Any) -> Any:
    """A value without lone surrogates, which text from damaged files can hold and JSON cannot."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_json_safe(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _json_safe(entry) for key, entry in value.items()}
    return value
