"""Documents and questions of our own, in `training/written`: what other sources have too few of.

They teach paraphrases, and above all near misses: questions that a document seems to answer and
does not. A file is a Markdown document, a line `%%%`, and questions:

    Q: My flight takes seven hours, can I sit somewhere better than economy?
    A: Longer flights may be booked in premium economy if the head of unit agrees.
    Q: Which airline does the travel desk prefer?
    N: detail

`A:` is a whole sentence, list item or table row of the document, or of another one of the same
corpus; several lines if several answer, or only together. `N:` says that none does, and why. `H:`
before `Q:` is an earlier question of the same conversation.

A folder is the handbook of one organisation, and no page of it should answer an `N:` question.
Other files stand for themselves; a corpus is made of such on different subjects, so that hardly any
of them answers what another one leaves open.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from training.sentences import Span, sentence_spans

FOLDER = Path(__file__).parent / "written"
HELD_OUT = 0.08
"""Share of the files outside of the organisations that is not trained on."""
HELD_OUT_ORGANISATIONS = ("bank", "statistics")
WRITTEN, ORGANISATIONS = "written", "organisations"

_MARKER = re.compile(r"^\s*(?:(?:[-*+]|\d{1,3}[.)]|\([a-z0-9]{1,3}\)|[a-z][.)])\s+)+")
_QUESTION = re.compile(
    r"(?P<earlier>(?:H:.*\n)*)(?P<question>Q:.*\n)(?:(?P<answers>(?:A:.*\n)+)|N:.*\n)"
)


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
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents that are searched together, of many organisations or (`ORGANISATIONS`) of one."""

    name: str
    documents: tuple[Written, ...]
    kind: str = WRITTEN


def read_file(path: Path) -> Written:
    """Read one file.

    Raises:
        ValueError: it does not have the form above; the message names file and line.
    """
    text, line, questions = path.read_text("utf-8").partition("\n%%%\n")
    title = text.partition("\n")[0]
    if not line or not title.startswith("# "):
        raise ValueError(f"{path.name}: a line '# Title' or '%%%' is missing")
    return Written(path.name, title[2:].strip(), text, tuple(_questions(path.name, questions)))


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


def read_corpora(folder: Path = FOLDER) -> tuple[list[Corpus], list[Corpus]]:
    """All files as corpora: those to train on, and those held out.

    Raises:
        ValueError: a file does not have the form of this module.
    """
    loose: tuple[list[Written], list[Written]] = ([], [])
    for path in sorted(folder.glob("*.txt")):
        written = read_file(path)
        loose[_draw(written.title) < HELD_OUT].append(written)
    trained_on, held_out = (list(_corpora(documents)) for documents in loose)
    for own in sorted(path for path in folder.iterdir() if path.is_dir()):
        documents = tuple(map(read_file, sorted(own.glob("*.txt"))))
        corpus = Corpus(own.name, documents, ORGANISATIONS)
        (held_out if own.name in HELD_OUT_ORGANISATIONS else trained_on).append(corpus)
    return trained_on, held_out


def by_kind(corpora: Sequence[Corpus]) -> dict[str, list[Corpus]]:
    """Corpora of single documents as "written", and those of organisations as such."""
    kinds: dict[str, list[Corpus]] = defaultdict(list)
    for corpus in corpora:
        kinds[corpus.kind].append(corpus)
    return dict(kinds)


def _draw(title: str) -> float:
    """A number between 0 and 1 made of the title, so that it is the same everywhere."""
    return int.from_bytes(hashlib.sha256(title.encode()).digest()[:4], "big") / 2**32


def _corpora(documents: Sequence[Written]) -> Iterator[Corpus]:
    """At most one file on each subject in every corpus."""
    number_on_subject: Counter[str] = Counter()
    corpora: dict[int, list[Written]] = defaultdict(list)
    for written in documents:
        subject = written.name.rpartition("-")[0]
        corpora[number_on_subject[subject]].append(written)
        number_on_subject[subject] += 1
    for number, own in corpora.items():
        yield Corpus(f"{number:02}", tuple(own))


def answer_spans(corpus: Corpus, written: Written, question: Question) -> dict[str, list[Span]]:
    """Where a question of `written` is answered: `[start, end)` of sentences, by file name.

    Raises:
        ValueError: an answer is no sentence of the corpus.
    """
    found: dict[str, list[Span]] = defaultdict(list)
    for answer in question.answers:
        for document in (written, *corpus.documents):
            if spans := _spans(document.text).get(_bare(answer)):
                found[document.name] += spans
                break
        else:
            raise ValueError(f"{written.name}: no sentence of its corpus is {answer!r}")
    return dict(found)


@lru_cache(maxsize=1024)
def _spans(text: str) -> dict[str, list[Span]]:
    """Where each sentence stands; most are asked about several times."""
    found: dict[str, list[Span]] = defaultdict(list)
    for span in sentence_spans(text):
        found[_bare(text[slice(*span)])].append(span)
    return found


def _bare(sentence: str) -> str:
    """Without what marks a list item or a table row."""
    return " ".join(_MARKER.sub("", sentence, count=1).strip("| ").split())
