"""Documents and questions of our own, in `training/written`: what other sources have too few of.

They teach paraphrases, and above all near misses: questions that a document seems to answer and
does not. A file is a Markdown document of sections, a line `%%%`, and questions:

    Q: My flight takes seven hours, can I sit somewhere better than economy?
    A: Longer flights may be booked in premium economy if the head of unit agrees.
    Q: Which airline does the travel desk prefer?
    N: detail

`A:` is a whole sentence, list item or table row of the document; several lines if several answer,
or only together. `N:` says that none does, and why. `H:` before `Q:` is an earlier question of the
same conversation.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rag.encoders.minilm import MiniLmEncoder
from training.data import Row
from training.sentences import Span, sentence_spans

SOURCE = "written"
FOLDER = Path(__file__).parent / "written"
HELD_OUT = 0.08
"""Share of the documents that is not trained on."""
NEAREST = 2
"""So many sections that do not answer are shown with a question that none answers."""

_MARKER = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)]|\([a-z0-9]{1,3}\)|[a-z][.)])\s+")
_QUESTION = re.compile(
    r"(?P<earlier>(?:H:.*\n)*)(?P<question>Q:.*\n)(?:(?P<answers>(?:A:.*\n)+)|N:.*\n)"
)
_HEADING = re.compile(r"^(#{1,6}) +(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """The text below one heading."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question, earlier ones of its conversation, and the sentences that answer, if any do."""

    text: str
    history: tuple[str, ...]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """One file."""

    name: str
    title: str
    text: str
    sections: tuple[Section, ...]
    questions: tuple[Question, ...]


def read_file(path: Path) -> Written:
    """Read one file.

    Raises:
        ValueError: it does not have the form above; the message names file and line.
    """
    text, line, questions = path.read_text("utf-8").partition("\n%%%\n")
    title, _, body = text.partition("\n")
    if not line or not title.startswith("# "):
        raise ValueError(f"{path.name}: a line '# Title' or '%%%' is missing")
    return Written(
        path.name,
        title[2:].strip(),
        text,
        tuple(_sections(body)),
        tuple(_questions(path.name, questions)),
    )


def _sections(body: str) -> Iterator[Section]:
    before, *rest = _HEADING.split(body)
    if before.strip():
        yield Section("", before.strip())
    above: list[str] = []
    for signs, heading, text in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        above = [*above[: len(signs) - 2], heading.strip()]
        if text.strip():
            yield Section(" > ".join(above), text.strip())


def _questions(name: str, lines: str) -> Iterator[Question]:
    text, end = f"{lines.strip()}\n", 0
    for block in _QUESTION.finditer(text):
        if block.start() != end:
            break
        end = block.end()
        history, question, answers = (
            tuple(line.partition(":")[2].strip() for line in part.splitlines())
            for part in block.groups(default="")
        )
        yield Question(question[0], history, answers)
    if end < len(text):
        raise ValueError(f"{name}: {text[end:].partition(chr(10))[0]!r} begins no question")


def read_folder(folder: Path = FOLDER) -> tuple[list[Written], list[Written]]:
    """All files, in order of their names: those to train on, and those held out.

    Raises:
        ValueError: a file does not have the form of this module.
    """
    parts: tuple[list[Written], list[Written]] = ([], [])
    for path in sorted(folder.glob("*.txt")):
        written = read_file(path)
        parts[_draw(written.title) < HELD_OUT].append(written)
    return parts


def _draw(title: str) -> float:
    """A number between 0 and 1 made of the title, so that it is the same everywhere."""
    return int.from_bytes(hashlib.sha256(title.encode()).digest()[:4], "big") / 2**32


def read_written(documents: Sequence[Written]) -> list[Row]:
    """All questions, each with the sections that answer it and the nearest that do not.

    Raises:
        ValueError: an answer is not in its document.
    """
    encoder = MiniLmEncoder()
    rows: list[Row] = []
    for written in documents:
        asked = [" ".join([*own.history, own.text]) for own in written.questions]
        texts = [f"{written.title}. {own.heading}. {own.text}" for own in written.sections]
        near = encoder.encode(asked) @ encoder.encode(texts).T
        for number, (question, likeness) in enumerate(zip(written.questions, near, strict=True)):
            rows += _rows(written, number, question, np.argsort(-likeness, kind="stable").tolist())
    return rows


def _rows(
    written: Written, number: int, question: Question, nearest: Sequence[int]
) -> Iterator[Row]:
    spans = answer_spans(written, question)
    others = [place for place in nearest if place not in spans]
    for place in [*spans, *others[: NEAREST - len(spans)]]:
        section = written.sections[place]
        yield Row(
            source=SOURCE,
            id=f"{written.name}-q{number}:{place}",
            question=question.text,
            history=question.history,
            title=written.title,
            heading=section.heading,
            text=section.text,
            answers=spans.get(place, ()),
        )


def answer_spans(written: Written, question: Question) -> dict[int, tuple[Span, ...]]:
    """Sections that answer, by number: `[start, end)` of the sentences that do.

    Raises:
        ValueError: an answer is no sentence of the document.
    """
    found: dict[int, tuple[Span, ...]] = {}
    for answer in question.answers:
        places = [
            (place, span)
            for place, section in enumerate(written.sections)
            for span in sentence_spans(section.text)
            if _bare(section.text[slice(*span)]) == _bare(answer)
        ]
        if not places:
            raise ValueError(f"{written.name}: no sentence of it is {answer!r}")
        for place, span in places:
            found[place] = (*found.get(place, ()), span)
    return found


def _bare(sentence: str) -> str:
    """Without what marks a list item or a table row."""
    return " ".join(_MARKER.sub("", sentence, count=1).strip("| ").split())
