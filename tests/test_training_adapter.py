from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from training_fakes import WRITTEN

from rag.pipeline import Models
from rag.settings import Settings
from training import adapter
from training.adapter import Lesson, learn, read_lesson, recall, scores
from training.written import Corpus, read_file

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = 8


def lesson(seed: int, turn: torch.Tensor, chunks: int = 40) -> Lesson:
    """Questions that are their chunk's vector, turned away from it; a chunk is one sentence."""
    torch.manual_seed(seed)
    vectors = torch.nn.functional.normalize(torch.randn(chunks, WIDTH), dim=1)
    return Lesson(
        chunks=vectors,
        sentences=vectors,
        owners=torch.arange(chunks),
        questions=torch.nn.functional.normalize(vectors @ turn, dim=1),
        answering=torch.eye(chunks, dtype=torch.bool),
    )


def test_what_lies_between_questions_and_answers_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "RATE", 0.02)
    torch.manual_seed(7)
    turn = torch.eye(WIDTH) + 0.7 * torch.randn(WIDTH, WIDTH)
    matrix = learn([lesson(number, turn) for number in range(12)])
    other = [lesson(99, turn)]
    before, after = recall(other, torch.zeros(WIDTH, WIDTH))["1"], recall(other, matrix)["1"]
    assert before < 0.7
    assert after > before + 0.2


def test_a_chunk_counts_half_by_itself_and_half_by_its_best_sentence() -> None:
    own = Lesson(
        chunks=torch.eye(4)[:2],
        sentences=torch.stack([torch.eye(4)[2], torch.eye(4)[3], torch.eye(4)[3]]),
        owners=torch.tensor([0, 0, 1]),
        questions=torch.eye(4),
        answering=torch.tensor([[True, False]] * 4),
    )
    near = scores(own, own.questions, torch.zeros(4, 4))
    assert near.tolist() == [[0.5, 0], [0, 0.5], [0.5, 0], [0.5, 0.5]]
    # An equal score does not put the right one further down.
    assert recall([own], torch.zeros(4, 4)) == {"1": 0.75, "4": 1.0, "8": 1.0, "16": 1.0}


def test_a_corpus_is_read_with_what_answers_its_questions(tmp_path: Path) -> None:
    (tmp_path / "bicycles-01.txt").write_text(WRITTEN, "utf-8")
    corpus = Corpus("made", (read_file(tmp_path / "bicycles-01.txt"),))
    own = read_lesson(corpus, tmp_path / "work", Models(Settings()))
    # One of the four questions has no answer.
    assert own.questions.shape == (3, 384)
    assert own.answering.shape == (3, len(own.chunks))
    assert own.answering.any(1).all()
    assert len(own.sentences) == len(own.owners)
    assert own.owners.max() == len(own.chunks) - 1
    for vectors in (own.questions, own.chunks, own.sentences):
        assert torch.allclose(vectors.norm(dim=1), torch.ones(len(vectors)), atol=1e-2)
