"""Evaluation sets: folders in the BEIR layout, and files of questions with gold evidence."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.errors import UsageError
from rag.evaluation.jsonl import Row, read_lines, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rag.types import Turn


@dataclass(frozen=True, slots=True)
class BeirPassage:
    """One line of corpus.jsonl; `title` may be empty."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Query:
    """One line of queries.jsonl."""

    id: str
    text: str
    history: tuple[Turn, ...]

    @property
    def follow_up(self) -> bool:
        """Whether a conversation came before it."""
        return bool(self.history)


@dataclass(frozen=True)
class Beir:
    """A retrieval set.

    Attributes:
        name: the folder's name.
        passages: in file order.
        queries: in file order; also those without a relevant passage.
        qrels: query id → passage id → relevance, as judged in qrels/test.tsv.
    """

    name: str
    passages: tuple[BeirPassage, ...]
    queries: tuple[Query, ...]
    qrels: Mapping[str, Mapping[str, int]]

    @property
    def judged(self) -> tuple[Query, ...]:
        """The queries that have a relevant passage: the ones that measures are defined for."""
        return tuple(
            query
            for query in self.queries
            if any(relevance > 0 for relevance in self.qrels.get(query.id, {}).values())
        )

    def unknown(self) -> tuple[str, ...]:
        """Ids in the qrels that neither the corpus nor the queries know, sorted."""
        queries = {query.id for query in self.queries}
        passages = {passage.id for passage in self.passages}
        judged = {passage for judgements in self.qrels.values() for passage in judgements}
        return tuple(sorted((self.qrels.keys() - queries) | (judged - passages)))


@dataclass(frozen=True, slots=True)
class Gold:
    """A verbatim piece of a document that answers; those with the same `alt` are alternatives."""

    document: str
    evidence: str
    alt: str | None = None


@dataclass(frozen=True)
class Question:
    """One line of a question file.

    Attributes:
        id: unique in the file.
        kind: what sort of question, e.g. "paraphrase"; None if the file does not say.
        question: as a user would ask it.
        history: what was said before.
        answerable: whether the corpus holds the answer.
        gold: where it does.
        answer: in the words of whoever wrote the question.
        must_contain: every group must occur in a correct answer, by any one of its strings.
    """

    id: str
    kind: str | None
    question: str
    history: tuple[Turn, ...]
    answerable: bool
    gold: tuple[Gold, ...]
    answer: str
    must_contain: tuple[tuple[str, ...], ...]

    @property
    def follow_up(self) -> bool:
        """Whether a conversation came before it."""
        return bool(self.history)

    def evidence_groups(self) -> tuple[tuple[Gold, ...], ...]:
        """The gold entries, alternatives together, in file order."""
        groups: dict[object, list[Gold]] = {}
        for position, gold in enumerate(self.gold):
            groups.setdefault(position if gold.alt is None else gold.alt, []).append(gold)
        return tuple(tuple(group) for group in groups.values())


def read_beir(folder: Path) -> Beir:
    """Read corpus.jsonl (_id, title, text), queries.jsonl (_id, text, history) and qrels/test.tsv.

    Raises:
        UsageError: a file is missing or malformed, an id occurs twice, or no query is judged.
    """
    names = ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise UsageError(
            f"{folder} has no {missing[0]}; a BEIR folder holds corpus.jsonl, queries.jsonl "
            "and qrels/test.tsv"
        )
    corpus, queries, qrels = (folder / name for name in names)
    seen: dict[str, int] = {}
    passages = tuple(
        BeirPassage(_unique(row, "_id", seen), row.string("title", ""), row.string("text"))
        for row in read_rows(corpus)
    )
    seen = {}
    beir = Beir(
        name=folder.resolve().name,
        passages=passages,
        queries=tuple(
            Query(_unique(row, "_id", seen), row.text("text"), row.history())
            for row in read_rows(queries)
        ),
        qrels=_read_qrels(qrels),
    )
    if not beir.judged:
        raise UsageError(f"{qrels} gives no query of {queries} a relevant passage")
    return beir


def _read_qrels(path: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for number, line in read_lines(path):
        fields = line.split("\t")
        if number == 1 and fields[-1].strip() == "score":
            continue
        try:
            query, passage, relevance = fields[0], fields[1], int(fields[2])
        except (IndexError, ValueError):
            raise UsageError(
                f"{path}, line {number}: not query id, passage id and a whole number, "
                "separated by tabs"
            ) from None
        qrels.setdefault(query, {})[passage] = relevance
    return qrels


def read_questions(path: Path) -> tuple[Question, ...]:
    """Read a question file (see the contract); `gold` may say "document" or "doc".

    Raises:
        UsageError: the file is missing, empty or malformed, an id occurs twice, or nothing says
            what a right answer is.
    """
    seen: dict[str, int] = {}
    questions = tuple(_question(row, seen) for row in read_rows(path))
    if not questions:
        raise UsageError(f"{path} holds no question")
    return questions


def _question(row: Row, seen: dict[str, int]) -> Question:
    question = Question(
        id=_unique(row, "id", seen),
        kind=row.string("kind", "") or None,
        question=row.text("question"),
        history=row.history(),
        answerable=row.boolean("answerable"),
        gold=tuple(_gold(row, entry) for entry in row.sequence("gold")),
        answer=row.string("answer", ""),
        must_contain=tuple(
            _alternatives(row, group) for group in row.sequence("answer_must_contain")
        ),
    )
    if question.answerable and not question.gold and not question.must_contain:
        raise row.error('an answerable question must have "gold" or "answer_must_contain"')
    return question


def _unique(row: Row, name: str, seen: dict[str, int]) -> str:
    identifier = row.identifier(name)
    first = seen.setdefault(identifier, row.line)
    if first != row.line:
        raise row.error(f'"{name}" {identifier!r} is already on line {first}')
    return identifier


def _gold(row: Row, entry: Any) -> Gold:
    match entry:
        case {"evidence": str(evidence), "document": str(document)} if evidence.strip():
            pass
        case {"evidence": str(evidence), "doc": str(document)} if evidence.strip():
            pass
        case _:
            raise row.error('an entry of "gold" must have "document" and "evidence", not empty')
    # Composed, as the ids of an index are.
    return Gold(unicodedata.normalize("NFC", document), evidence, _alt(entry))


def _alt(entry: Mapping[Any, Any]) -> str | None:
    alt = entry.get("alt")
    return None if alt is None else str(alt)


def _alternatives(row: Row, group: object) -> tuple[str, ...]:
    options = group if isinstance(group, list) else []
    texts = tuple(option for option in options if isinstance(option, str) and option.strip())
    if not texts or len(texts) != len(options):
        raise row.error(
            'a group of "answer_must_contain" must be a list of strings that are not empty'
        )
    return texts


def write_corpus(beir: Beir, folder: Path) -> dict[str, str]:
    """Write every passage as one text document, for the product's own build.

    A passage with a title becomes Markdown with the title in its front matter, one without
    becomes plain text. Names say nothing: the product may search by file name, and neither an
    id nor a running number is part of what a passage says, so each lies in a folder named by the
    hash of its id, and all files have one name. Passages keep their name when the set grows.

    Args:
        beir: the set.
        folder: where to write; created if missing.

    Returns:
        document id (path in the folder, "/" separated) → passage id.
    """
    documents: dict[str, str] = {}
    for passage in beir.passages:
        digest = hashlib.sha256(passage.id.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        document = f"{digest}/passage{'.md' if passage.title.strip() else '.txt'}"
        path = folder / document
        path.parent.mkdir(parents=True)
        # Bytes, because text mode would translate line ends on some systems.
        path.write_bytes(_as_document(passage).encode("utf-8", "surrogatepass"))
        documents[document] = passage.id
    return documents


def _as_document(passage: BeirPassage) -> str:
    if not passage.title.strip():
        return passage.text
    # Imported here because only this call needs it.
    import yaml

    # Double quotes, because PyYAML's other styles do not give every line separator back.
    front = yaml.safe_dump(
        {"title": passage.title}, allow_unicode=True, default_style='"', width=2**31
    )
    return f"---\n{front}---\n\n{passage.text}"
