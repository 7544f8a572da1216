"""How far down the hits the reader reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from rag.answering.evidence import MOST_PASSAGES_READ, PASSAGES_WITHOUT_READER
from rag.index import open_index
from rag.types import Chunk
from tests.workshop import Workshop

DOCUMENTS = {
    f"rule-{number:02d}.md": f"# Rule {number}\n\nStaff of office {number} get leave in the year."
    for number in range(20)
}
QUESTION = "How much leave do staff get?"


class Reader:
    """Believes these log-odds of the passages, in the order in which it reads them."""

    def __init__(self, *believed: float) -> None:
        self.believed = believed
        self.read_so_far: list[str] = []

    def read(
        self, question: str, passages: Sequence[tuple[Chunk, Sequence[str]]]
    ) -> list[list[float]]:
        assert question == QUESTION
        logits = []
        for chunk, texts in passages:
            place = len(self.read_so_far)
            self.read_so_far.append(chunk.document)
            sure = self.believed[place] if place < len(self.believed) else -9.0
            logits.append([sure, *[-99.0] * (len(texts) - 1)])
        return logits


@pytest.mark.parametrize(
    ("believed", "read"),
    [
        ((2.0,), 2),
        ((-9.0, 1.5), 2),
        ((0.0,), 4),
        ((-9.0, -9.0, -9.0, 0.1), 4),
        ((-9.0, -9.0, -9.0, -0.4), 8),
        ((-1.0, -1.0, -1.0, -1.0), 8),
        ((-9.0,) * 7 + (5.0,), 8),
    ],
)
def test_it_is_read_until_an_answer_is_found(
    believed: tuple[float, ...],
    read: int,
    workshop: Callable[..., Workshop],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = workshop(DOCUMENTS)
    made.build()
    reader = Reader(*believed)
    monkeypatch.setattr("rag.pipeline.Reader", lambda threads: reader)
    settings = replace(made.settings, reader=True)
    with open_index(settings.index, settings) as index:
        hits = index.retrieve(QUESTION, k=MOST_PASSAGES_READ)
        (evidence,) = index.evidence(QUESTION)
    assert reader.read_so_far == [hit.chunk.document for hit in hits[:read]]
    assert {c.chunk.document for c in evidence.candidates} == set(reader.read_so_far)
    assert evidence.passage_coverage.keys() == set(range(1, read + 1))
    assert evidence.read


@pytest.mark.parametrize(("believed", "times"), [((2.0,), 0), ((-9.0, -9.0, 0.0), 1), ((), 2)])
def test_others_are_let_by_before_it_reads_on(
    believed: tuple[float, ...],
    times: int,
    workshop: Callable[..., Workshop],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = workshop(DOCUMENTS)
    made.build()
    let_by: list[int] = []
    reader = Reader(*believed)
    monkeypatch.setattr("rag.pipeline.Reader", lambda threads: reader)
    monkeypatch.setattr(
        "rag.pipeline.Models.let_others_by", lambda _: let_by.append(len(reader.read_so_far))
    )
    settings = replace(made.settings, reader=True)
    with open_index(settings.index, settings) as index:
        answer = index.ask(QUESTION)
        assert answer.hits == tuple(index.retrieve(QUESTION, k=MOST_PASSAGES_READ))
    assert let_by == [2, 4][:times]


def test_without_a_reader_some_are_looked_at(workshop: Callable[..., Workshop]) -> None:
    made = workshop(DOCUMENTS)
    made.build()
    with open_index(made.settings.index, made.settings) as index:
        (evidence,) = index.evidence(QUESTION)
    assert len({c.chunk.document for c in evidence.candidates}) == PASSAGES_WITHOUT_READER
    assert not evidence.read


def test_what_a_page_is_about_is_no_answer(workshop: Callable[..., Workshop]) -> None:
    made = workshop(
        {
            "pass.md": "# Passes\n\nThis page outlines how to cancel the transit pass.\n\n"
            "Who wants to cancel the transit pass hands it in at the gate.\n"
        }
    )
    made.build()
    with open_index(made.settings.index, made.settings) as index:
        (evidence,) = index.evidence("How do I cancel the transit pass?")
    assert [candidate.plain.split()[0] for candidate in evidence.candidates] == ["Who", "This"]
