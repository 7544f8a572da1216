from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hard_texts import TEXTS
from training_fakes import WRITTEN

from rag.asking.conversation import understand
from rag.encoders.adapter import ADAPTER, changes
from rag.pipeline import Models
from rag.retrieval import query_vectors
from rag.settings import Settings
from rag.store.files import sha256_of
from training import adapter
from training.adapter import Lesson, QuestionEncoder, learn, ranks, read_lesson, recall, scores
from training.written import Corpus, read_file

if TYPE_CHECKING:
    from rag.encoders import Encoder


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    folder = tmp_path_factory.mktemp("lesson")
    (folder / "bicycles-01.txt").write_text(WRITTEN, "utf-8")
    corpus = Corpus("made", (read_file(folder / "bicycles-01.txt"),))
    return read_lesson(corpus, folder / "work", Models(Settings()))


def test_a_corpus_is_read_with_what_answers_its_questions(lesson: Lesson) -> None:
    # One of the four questions has no answer.
    assert len(lesson.questions) == 3
    assert lesson.answering.shape == (3, len(lesson.chunks))
    assert lesson.answering.any(1).all()
    assert len(lesson.sentences) == len(lesson.owners)
    assert lesson.owners.max() == len(lesson.chunks) - 1
    for vectors in (lesson.chunks, lesson.sentences):
        assert torch.allclose(vectors.norm(dim=1), torch.ones(len(vectors)), atol=1e-2)


def test_a_chunk_counts_half_by_itself_and_half_by_its_best_sentence() -> None:
    own = Lesson(
        chunks=torch.eye(4)[:2],
        sentences=torch.stack([torch.eye(4)[2], torch.eye(4)[3], torch.eye(4)[3]]),
        owners=torch.tensor([0, 0, 1]),
        questions=[understand("What?")] * 4,
        answering=torch.tensor([[True, False]] * 4),
    )
    assert scores(own, torch.eye(4)).tolist() == [[0.5, 0], [0, 0.5], [0.5, 0], [0.5, 0.5]]


def test_an_equal_score_does_not_put_the_right_chunk_further_down(
    lesson: Lesson,
) -> None:
    equal = torch.zeros(3, lesson.chunks.shape[1])
    assert ranks(lambda _: equal, lesson).tolist() == [0, 0, 0]  # type: ignore[arg-type]


def test_it_begins_as_the_encoder_that_ships_and_learns(
    monkeypatch: pytest.MonkeyPatch, lesson: Lesson, encoder: Encoder
) -> None:
    monkeypatch.setattr(adapter, "ROUNDS", 12)
    monkeypatch.setattr(adapter, "RISING", 2)
    torch.manual_seed(7)
    own = QuestionEncoder()
    with torch.no_grad():
        before = own(lesson.questions)
    plain = np.stack(query_vectors(encoder, lesson.questions, adapted=False))
    assert (np.vecdot(before.numpy(), plain) > 0.9999).all()
    learn(own, [lesson])
    with torch.no_grad():
        after = own(lesson.questions)
    right = lesson.answering

    def margin(vectors: torch.Tensor) -> float:
        near = scores(lesson, vectors)
        return float(near[right].mean() - near[~right].mean())

    assert margin(after) > margin(before) + 0.05
    assert recall(own, [lesson])["1"] == 1.0


def test_what_is_learnt_is_named_after_the_weights_that_it_changes() -> None:
    own = QuestionEncoder()
    factors = own.factors()
    assert len(factors) == 2 * 6 * 6
    known = {
        name.replace(".layer.weight", ".weight"): weight.shape
        for name, weight in own.transformer.named_parameters()
    }
    for name in {name.rpartition(":")[0] for name in factors}:
        a, b = factors[f"{name}:a"], factors[f"{name}:b"]
        assert (b.shape[0], a.shape[1]) == known[name]
        assert a.dtype == np.float16
        assert not b.any()


def test_what_is_learnt_is_what_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = QuestionEncoder()
    torch.manual_seed(7)
    for changed in own.changed.values():
        torch.nn.init.normal_(changed.b)
    path = tmp_path / "made.npz"
    np.savez(path, **own.factors())  # type: ignore[arg-type]
    path.with_suffix(".json").write_text(json.dumps({"sha256": sha256_of(path)}))
    monkeypatch.setattr("rag.encoders.adapter.ADAPTER", path)
    read = changes()
    assert read.keys() == own.changed.keys()
    for name, changed in own.changed.items():
        product = (changed.b.half().float() @ changed.a.half().float()).detach().numpy()
        np.testing.assert_allclose(read[name], product, atol=1e-5)


def test_questions_are_embedded_as_they_were_in_training(real_encoder: Encoder) -> None:
    own = QuestionEncoder()
    with np.load(ADAPTER) as factors:
        for name, changed in own.changed.items():
            for factor in ("a", "b"):
                getattr(changed, factor).data = torch.tensor(factors[f"{name}:{factor}"]).float()
    asked = [understand(text) for text in TEXTS if text.strip()]
    with torch.no_grad():
        trained = own(asked).numpy()
    cosines = np.vecdot(trained, np.stack(query_vectors(real_encoder, asked)))
    assert cosines.min() > 0.9999
