from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rag.answering.stages import Stages
from rag.asking.conversation import understand
from rag.encoders import adapter
from rag.encoders.adapter import ADAPTER, changes
from rag.encoders.minilm import VECTORS_VERSION, WEIGHTS_SHA256
from rag.errors import EncoderError
from rag.retrieval import query_vectors

if TYPE_CHECKING:
    from pathlib import Path

    from rag.encoders import Encoder
    from rag.index import Index
    from rag.types import Turn


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The adapter's file, in a folder where it may be damaged."""
    for suffix in (".npz", ".json"):
        shutil.copy(ADAPTER.with_suffix(suffix), tmp_path)
    monkeypatch.setattr(adapter, "ADAPTER", tmp_path / ADAPTER.name)
    return tmp_path / ADAPTER.name


def test_questions_are_embedded_in_their_own_way(encoder: Encoder) -> None:
    (plain,) = query_vectors(encoder, [understand("Who covers my shift?")], adapted=False)
    assert np.allclose(plain, encoder.encode(["Who covers my shift?"])[0], atol=1e-7)
    (turned,) = query_vectors(encoder, [understand("Who covers my shift?")])
    assert turned.dtype == np.float32
    assert np.linalg.norm(turned) == pytest.approx(1, abs=1e-6)
    # Another direction, but not far from where it was.
    assert 0.3 < float(turned @ plain) < 0.999


def test_a_question_has_the_same_vector_in_any_company(real_encoder: Encoder) -> None:
    texts = ("Who covers my shift?", "Until when?", "May I work from Spain?", "Is there a canteen?")
    before: list[Turn] = [{"role": "user", "content": "Is the library open late?"}]
    asked = [*map(understand, texts), understand("And on Sunday?", before)]
    together = query_vectors(real_encoder, asked)
    for question, vector in zip(asked, together, strict=True):
        assert np.array_equal(query_vectors(real_encoder, [question])[0], vector)


def test_colloquial_questions_come_nearer_to_what_answers_them(encoder: Encoder) -> None:
    answers = encoder.encode(
        [
            "Members of the household may not use vehicles of the company.",
            "Drivers report any damage to the fleet office on the same day.",
            "Fuel is paid with the card that lies in the vehicle.",
        ]
    )
    asked = understand("My wife would love a spin in the van, is that all right?")
    (plain,), (turned,) = (query_vectors(encoder, [asked], adapted=own) for own in (False, True))
    assert (answers @ turned)[0] - (answers @ turned)[1:].max() > (
        (answers @ plain)[0] - (answers @ plain)[1:].max()
    )


def test_without_the_adapter_scores_are_plain_cosines(small_index: Index, encoder: Encoder) -> None:
    question = "How many weeks of parental leave are paid?"
    plain = small_index.with_stages(Stages(adapter=False)).retrieve(question, 5)
    (vector,) = encoder.encode([question])
    for hit in plain:
        (chunk,) = encoder.encode([hit.chunk.enriched])
        assert hit.scores.dense == pytest.approx(float(chunk @ vector), abs=1e-4)
    turned = {hit.row: hit.scores.dense for hit in small_index.retrieve(question, 5)}
    assert any(abs(turned.get(hit.row, 0) - hit.scores.dense) > 1e-3 for hit in plain)


def test_the_adapter_belongs_to_the_vectors_of_today() -> None:
    facts = json.loads(ADAPTER.with_suffix(".json").read_text("utf-8"))
    assert facts["encoder"] == f"minilm-{WEIGHTS_SHA256[:16]}-v{VECTORS_VERSION}"


def test_it_changes_the_products_of_each_layer() -> None:
    own = changes()
    assert {name.split(".")[2] for name in own} == {str(layer) for layer in range(6)}
    for name, change in own.items():
        assert change.dtype == np.float32
        assert change.any(), name


@pytest.mark.parametrize("damage", ["cut", "other", "undescribed", "missing"])
def test_a_damaged_adapter_is_named(damage: str, elsewhere: Path) -> None:
    if damage == "cut":
        elsewhere.write_bytes(elsewhere.read_bytes()[:-100])
    elif damage == "other":
        np.savez(elsewhere, weight=np.zeros(3))
    elif damage == "undescribed":
        elsewhere.with_suffix(".json").write_text("{}", "utf-8")
    else:
        elsewhere.unlink()
    with pytest.raises(EncoderError, match=r"question_adapter\.npz .*: reinstall rag"):
        changes()
