"""The shipped reader: whole or refused, and each sentence judged by its own tokens."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rag import reader
from rag.errors import EncoderError
from rag.reader import MODEL, Reader
from rag.types import Chunk

QUESTION = "How many days of leave do staff get?"
SENTENCES = [
    "The office has two doors.",
    "Staff get 25 days of annual leave a year.",
    "Lunch is served at noon.",
]


def passage(sentences: list[str]) -> tuple[Chunk, list[str]]:
    text = " ".join(sentences)
    chunk = Chunk("leave.md", 0, len(text), text, "Leave", ("Leave",), None, (), text)
    return chunk, sentences


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The reader's files, to be damaged."""
    for path in MODEL.parent.glob("reader.*"):
        shutil.copy(path, tmp_path)
    monkeypatch.setattr(reader, "MODEL", tmp_path / MODEL.name)
    return tmp_path


def test_the_sentence_that_answers_is_found_wherever_it_stands() -> None:
    own = Reader(threads=1)
    for order in ([0, 1, 2], [1, 2, 0], [2, 0, 1]):
        (logits,) = own.read(QUESTION, [passage([SENTENCES[i] for i in order])])
        assert len(logits) == 3
        assert order[max(range(3), key=logits.__getitem__)] == 1


def test_a_passage_has_the_same_scores_in_any_company() -> None:
    own = Reader(threads=2)
    alone = own.read(QUESTION, [passage(SENTENCES)])
    assert own.read(QUESTION, [passage(SENTENCES[:1]), passage(SENTENCES)])[1:] == alone
    assert own.read(QUESTION, []) == []


def test_what_does_not_fit_is_as_good_as_the_worst_that_did() -> None:
    long = "Forms are kept in a cabinet beside the door of the second office, " * 40 + "always."
    (logits,) = Reader(threads=1).read(QUESTION, [passage([*SENTENCES, long])])
    assert logits[3] == min(logits[:3])


@pytest.mark.parametrize("name", ["reader.onnx", "reader.weights"])
def test_a_damaged_file_is_refused_by_name(copied: Path, name: str) -> None:
    path = copied / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(EncoderError, match=f"{name} of the reader is damaged: reinstall rag"):
        Reader().read(QUESTION, [passage(SENTENCES)])


@pytest.mark.parametrize("name", ["reader.onnx", "reader.weights", "reader.json"])
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(EncoderError, match=f"{name}.*reinstall rag"):
        Reader().read(QUESTION, [passage(SENTENCES)])
