"""What the page's script may ask of the server, each answered with ready HTML or one clear line.

Every call takes and returns a JSON object; `{"error": "…"}` is a sentence to show to the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from threading import Lock

from rag.answering.caveats import caveats
from rag.answering.conflicts import Conflict, contradictions
from rag.answering.text import unanswered_text
from rag.catalogue.versions import Version, age, families, relation
from rag.chat import examples, facets, library, payloads, pedigree, quoted, render
from rag.chat.database import now
from rag.chat.desk import Desk
from rag.chat.engine import Engine, snapshot
from rag.chat.payloads import Payload
from rag.chat.rephrase import rephrased
from rag.chat.sources import Known, Sources, documents, is_pdf
from rag.errors import RagError, UsageError
from rag.types import Answer, Document, Hit, Turn

MAX_QUESTION = 2_000
_EXAMPLES = 4
_SOURCES_OF_EXAMPLES = 24
_FOLLOW_UPS = 4
_REPHRASED = 3
_TRIED = 10
_TRIED_REPHRASED = 4
_REMEMBERED = 5_000
_OF_A_VERSION = 3
"""Passages of another version in which an answer's quotations may be contradicted."""
_NO_DOCUMENTS = (
    "There are no documents in this index yet. Add some in the library, or put them into the "
    "corpus folder and run `rag build`."
)


class Service:
    """The calls, bound to one engine and to a desk that keeps conversations, if they are kept."""

    def __init__(
        self, engine: Engine, corpus: Path | None = None, desk: Desk | None = None
    ) -> None:
        self._engine = engine
        self._desk = desk or Desk(None)
        self._sources = Sources(engine, corpus, self._know)
        self._lock = Lock()
        self._known: Known | None = None
        self._overview: Payload | None = None
        self._answered: dict[tuple[str, str, tuple[str, ...]], bool] = {}

    def functions(self) -> list[Callable[[Payload], Payload]]:
        """The calls, as plain functions with the names that the script uses."""
        desk, sources = self._desk, self._sources
        calls = (
            self.overview, self.answer, self.follow_ups, self.filters,
            sources.source, sources.page_picture,
            desk.conversations, desk.conversation, desk.rename, desk.delete, desk.restore,
            desk.export, desk.feedback, desk.review,
        )  # fmt: skip
        return [payloads.guarded(call) for call in calls]

    def overview(self, payload: Payload) -> Payload:
        """What the index holds: facts, example questions and the list of documents.

        Only the generation, if that is the one that the page already knows as `known`.
        """
        with snapshot(self._engine) as index, self._lock:
            if index.generation == payload.get("known"):
                return {"generation": index.generation}
            if self._overview is None or self._overview["generation"] != index.generation:
                self._overview = self._describe(index)
            return self._overview

    def answer(self, payload: Payload) -> Payload:
        """The answer to `question` after the turns in `history`, from what `filters` let through.

        It is kept as a turn of `conversation`, if there is one.
        """
        asked = now()
        question = payloads.text(payload, "question", MAX_QUESTION)
        if not question:
            raise UsageError("Write a question first.")
        history = payloads.history_turns(payload.get("history"))
        filters = facets.checked(payload.get("filters"))
        with snapshot(self._engine) as index:
            answer = index.ask(question, history, where=facets.conditions(filters))
            reply = self._reply(index, answer, history, filters)
        return reply | self._desk.keep(payload, reply, asked, filters)

    def _reply(
        self, index: Engine, answer: Answer, history: Sequence[Turn], filters: Mapping[str, str]
    ) -> Payload:
        known = self._know(index)
        against = self._conflicts(index, answer, history)
        nearest = answer.nearest[: render.NEAREST]
        shown = [source.document for source in answer.citations or nearest]
        found = documents(index, [*shown, *(one.other.document for one in against)])
        searched = pedigree.Searched(
            facets.searched(known.infos, filters),
            answer.generation,
            index.created,
            facets.described(known.infos, filters),
            len(known.infos),
        )
        notes = [] if answer.abstained else caveats(answer, found, known.families)
        return {
            "html": render.answer_html(answer, found, searched, known.families, against),
            "question": answer.question,
            "text": answer.text,
            "parts": _parts(answer, found, known.families),
            "abstained": answer.abstained,
            "confidence": answer.confidence,
            "standalone": answer.standalone_question,
            "generation": answer.generation,
            "built": index.created,
            "searched": searched.documents,
            "of": searched.of,
            "limits": list(searched.filters),
            "filters": dict(filters),
            "citations": [
                payloads.citation(source, found.get(source.document), answer.generation)
                for source in answer.citations
            ],
            "nearest": [
                payloads.passage(source, n, found.get(source.document))
                for n, source in enumerate(nearest, start=1)
            ],
            "differs": [
                payloads.differing(
                    one,
                    n,
                    found.get(one.other.document),
                    relation(one.cited.document, one.other.document, known.families),
                    pedigree.difference_text(one, known.families),
                )
                for n, one in enumerate(against, start=1)
            ],
            "notes": [note.text for note in notes],
        }

    def _conflicts(self, index: Engine, answer: Answer, history: Sequence[Turn]) -> list[Conflict]:
        """What other passages, and other versions of what is cited, say instead."""

        def passages_of(name: str) -> list[Hit]:
            where = facets.conditions({"document": name})
            return index.retrieve(answer.question, _OF_A_VERSION, history, where=where)

        return contradictions(answer, self._know(index).families, passages_of)

    def follow_ups(self, payload: Payload) -> Payload:
        """What can be asked next: sections beside the cited ones, and other words for a question.

        Only questions that the index answers; the other words only if there was no answer.
        """
        question = payloads.text(payload, "question", MAX_QUESTION)
        known = {examples.bare(section) for section in payloads.strings(payload.get("sections"))}
        filters = facets.checked(payload.get("filters"))
        where = tuple(facets.conditions(filters))
        with snapshot(self._engine) as index:
            others: list[tuple[str, str]] = []
            if payload.get("abstained") is True and question:
                others = self._answerable_of(
                    index,
                    rephrased(question, lambda text: index.retrieve(text, where=where)),
                    _REPHRASED, _TRIED_REPHRASED, where,
                )  # fmt: skip
            sources = documents(index, payloads.strings(payload.get("documents"))[:3]).values()
            topics = (
                (examples.calm(section), examples.question(document, section))
                for document in sources
                for section in examples.headings(document)
                if section not in known and section not in {topic for topic, _ in others}
            )
            chosen = self._answerable_of(
                index, (one for one in topics if one[1].lower() != question.lower()),
                _FOLLOW_UPS, _TRIED, where,
            )  # fmt: skip
        return {"html": render.topics_html(chosen), "rephrased": render.topics_html(others)}

    def filters(self, payload: Payload) -> Payload:
        """The chosen `filters` as chips, what else can be chosen, and how many documents remain."""
        filters = facets.checked(payload.get("filters"))
        with snapshot(self._engine) as index:
            infos = self._know(index).infos
            return {
                "filters": filters,
                "chips": facets.chips_html(infos, filters),
                "choices": facets.choices_html(infos, filters),
                "searched": facets.searched(infos, filters),
                "of": len(infos),
            }

    def _know(self, index: Engine) -> Known:
        known = self._known
        if known is None or known.generation != index.generation:
            infos = index.documents()
            files = {info.id: info.file.sha256 for info in infos if is_pdf(info.id)}
            known = Known(index.generation, infos, files, families(infos))
            self._known = known
        return known

    def _describe(self, index: Engine) -> Payload:
        infos = index.documents()
        chosen = examples.spread([info.id for info in infos], _SOURCES_OF_EXAMPLES)
        candidates = examples.example_questions(documents(index, chosen).values())
        notice = "" if infos else _NO_DOCUMENTS
        try:
            questions = self._answerable_of(index, ((q, q) for q in candidates), _EXAMPLES, _TRIED)
        except RagError as error:
            questions, notice = [], str(error)
        return {
            "generation": index.generation,
            "notice": notice,
            "facts": library.facts_html(infos, index.created),
            "examples": render.questions_html([question for _, question in questions]),
            "documents": library.documents_html(infos),
            "kept": self._desk.folder.name if self._desk.folder else "",
        }

    def _answerable_of(
        self,
        index: Engine,
        topics: Iterable[tuple[str, str]],
        wanted: int,
        tried: int,
        where: tuple[str, ...] = (),
    ) -> list[tuple[str, str]]:
        """The first topics whose question is answered; what was tried once is remembered."""
        good: list[tuple[str, str]] = []
        for topic, question in islice(topics, tried):
            key = (index.generation, question, where)
            # Looked up once: another thread may forget it all at any moment.
            answered = self._answered.get(key)
            if answered is None:
                answered = not index.ask(question, where=where).abstained
                if len(self._answered) >= _REMEMBERED:
                    self._answered.clear()
                self._answered[key] = answered
            if answered:
                good.append((topic, question))
            if len(good) == wanted:
                break
        return good


def _parts(
    answer: Answer,
    found: Mapping[str, Document],
    known: Mapping[str, Sequence[Version]],
) -> list[Payload]:
    """The answer in the form that its documents give it; nothing of an abstention."""
    parts: list[Payload] = []
    if answer.abstained:
        return parts
    groups = quoted.groups(answer, found)
    for document, run in groupby(groups, key=lambda group: group[0].citation.document):
        said = age(document, known)
        parts += [payloads.part(group, said if n == 0 else "") for n, group in enumerate(run)]
    if answer.remark:
        parts.insert(0, payloads.remark(answer.remark))
    if answer.unanswered:
        parts.append(payloads.remark(unanswered_text(answer.unanswered)))
    return parts
