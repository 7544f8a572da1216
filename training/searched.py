"""Corpora of our own as they are in use: indexed, searched, and read in the form of their chunks.

But for one thing: a question of two parts is searched for as a whole.

``python -m training.searched FOLDER`` writes those that the reader was not trained on, each as a
folder of documents and a file of questions for `rag eval answers`.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from rag.asking.asked import Asked
from rag.building.indexing import build_index
from rag.embedding import sentence_texts
from rag.index import Index
from rag.pipeline import Models
from rag.settings import Settings
from rag.store.generation import Generation, open_current
from rag.types import Chunk, Hit, Turn
from training.data import Row
from training.sentences import Span, touched
from training.written import Corpus, Question, Written, answer_spans, read_corpora

DEPTH = 30
"""So many hits are looked through for what answers."""
BESIDE, INSTEAD = 2, 3
"""So many of the best hits that do not answer are shown with a question that has an answer, and
with one that has none."""


def write_documents(corpus: Corpus, folder: Path) -> Path:
    """Write the documents of a corpus; what lies there is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for written in corpus.documents:
        (folder / _document(written.name)).write_text(written.text, "utf-8")
    return folder


def turns(question: Question) -> list[Turn]:
    """The earlier questions of its conversation."""
    return [{"role": "user", "content": text} for text in question.history]


def searched_rows(corpora: Sequence[Corpus], work: Path) -> list[Row]:
    """All questions, each with the chunks that answer it and the first hits that do not.

    Args:
        corpora: what is asked about.
        work: folder for the indexes; they are used again.

    Raises:
        ValueError: an answer is not in its corpus.
    """
    models = Models(Settings())
    rows: list[Row] = []
    for corpus in corpora:
        asked = list(_questions(corpus))
        questions = [Asked(question.text, turns(question)) for _, _, question in asked]
        with indexed(corpus, work, models) as generation:
            found = Index(generation, models).retrieve_many(questions, DEPTH)
            for (name, written, question), hits in zip(asked, found, strict=True):
                spans = spans_by_document(corpus, written, question)
                rows += [_row(corpus.kind, name, question, *one) for one in _chosen(hits, spans)]
    return rows


def _questions(corpus: Corpus) -> Iterator[tuple[str, Written, Question]]:
    """All questions, each with a name and the file that it is in."""
    for written in corpus.documents:
        for number, question in enumerate(written.questions):
            yield f"{corpus.name}/{written.name}-q{number}", written, question


@contextmanager
def indexed(corpus: Corpus, work: Path, models: Models) -> Iterator[Generation]:
    """The index of a corpus in a folder of its own below ``work``, brought up to date."""
    folder = work / corpus.name
    with brought_up_to_date(write_documents(corpus, folder / "documents"), models) as generation:
        yield generation


@contextmanager
def brought_up_to_date(documents: Path, models: Models) -> Iterator[Generation]:
    """The index of a folder of documents, in a folder beside it."""
    settings = Settings(corpus=documents, index=documents.parent / "index")
    build_index(settings, encoder=models.encoder)
    with closing(open_current(settings.index)) as generation:
        yield generation


def spans_by_document(
    corpus: Corpus, written: Written, question: Question
) -> dict[str, list[Span]]:
    """Where a question is answered, by the name of the document in its index.

    Raises:
        ValueError: an answer is not in the corpus.
    """
    found = answer_spans(corpus, written, question)
    return {_document(name): spans for name, spans in found.items()}


def _document(name: str) -> str:
    return str(Path(name).with_suffix(".md"))


def _chosen(hits: Sequence[Hit], spans: dict[str, list[Span]]) -> Iterator[tuple[Hit, list[bool]]]:
    """Hits with whether each of their sentences answers."""
    others = BESIDE if spans else INSTEAD
    for hit in hits:
        sentences = [(own.start, own.end) for own in hit.chunk.sentences]
        gold = touched(sentences, spans.get(hit.chunk.document, []))
        if any(gold):
            yield hit, gold
        elif others > 0:
            others -= 1
            yield hit, gold


def _row(source: str, name: str, question: Question, hit: Hit, gold: Sequence[bool]) -> Row:
    chunk = hit.chunk
    lines = [" ".join(text.split()) for text in sentence_texts(chunk)]
    answers, at = [], 0
    for line, answer in zip(lines, gold, strict=True):
        if answer:
            answers.append((at, at + len(line)))
        at += len(line) + 1
    return Row(
        source=source,
        id=f"{name}:{hit.rank}",
        question=question.text,
        history=question.history,
        title=chunk.title,
        heading=_headings(chunk),
        text="\n".join(lines),
        answers=tuple(answers),
    )


def _headings(chunk: Chunk) -> str:
    return " > ".join(heading for heading in chunk.headings if heading != chunk.title)


def write_questions(corpus: Corpus, path: Path) -> None:
    """Write the questions of a corpus as `rag eval answers` reads them."""
    text = {_document(written.name): written.text for written in corpus.documents}
    lines = []
    for name, written, question in _questions(corpus):
        gold = [
            # Any one of them is an answer; only the writer knows whether it takes all.
            {"document": document, "evidence": text[document][slice(*span)], "alt": "a"}
            for document, spans in spans_by_document(corpus, written, question).items()
            for span in spans
        ]
        kind = "follow-up" if question.history else "single"
        lines.append(
            {
                "id": name,
                "kind": kind if gold else f"{kind}, no answer",
                "question": question.text,
                "history": turns(question),
                "answerable": bool(gold),
                "gold": gold,
            }
        )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def main() -> None:
    """Write the corpora that are held out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for corpus in read_corpora()[1]:
        write_documents(corpus, folder / corpus.name / "documents")
        write_questions(corpus, folder / corpus.name / "questions.jsonl")


if __name__ == "__main__":
    main()
