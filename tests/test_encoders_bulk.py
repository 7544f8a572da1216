"""The engine for many texts: its vectors, its digest, and what happens where it is missing."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hard_texts import TEXTS

from rag.encoders import can_search, load_encoder
from rag.encoders.minilm import bulk_engine
from rag.encoders.onnx import OnnxEngine
from rag.index import open_index

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workshop import Workshop

    from rag.encoders import Encoder
    from rag.settings import Precision

# By way of our module, which keeps it from reporting to its makers.
ours = pytest.importorskip("rag.encoders.openvino", reason="there is no OpenVINO for this machine")
openvino = ours.openvino

LEAST_COSINE = {"fp32": 0.99999, "bf16": 0.9999}
"""Between vectors of OpenVINO and of ONNX Runtime; measured on 60 passages and 400 sentences of a
handbook: .999945 at least in bf16, .9999995 in fp32."""


@pytest.fixture(scope="module", params=["auto", "fp32"])
def bulk(request: pytest.FixtureRequest) -> Encoder:
    return load_encoder("default", 2, request.param)


def precision(real_encoder: Encoder) -> str:
    return next(name for name in LEAST_COSINE if f"-{name}-" in real_encoder.digest)


def test_both_engines_have_the_same_vectors(bulk: Encoder, real_encoder: Encoder) -> None:
    vectors = bulk.encode(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    cosines = np.sum(vectors * real_encoder.encode(TEXTS), axis=1)
    for text, cosine in zip(TEXTS, cosines, strict=True):
        assert cosine >= LEAST_COSINE[precision(bulk)], text[:40]


def test_a_vector_is_the_same_to_the_last_bit_in_any_company(bulk: Encoder) -> None:
    texts = [f"{text[:300]} {n}" for n in range(9) for text in TEXTS]
    together = bulk.encode(texts)
    alone = np.vstack([bulk.encode([text]) for text in texts])
    assert together.tobytes() == alone.tobytes()
    shuffled = np.random.default_rng(7).permutation(len(texts))
    mixed = bulk.encode([texts[i] for i in shuffled])
    assert mixed.tobytes() == together[shuffled].tobytes()


def test_a_vector_does_not_depend_on_the_number_of_threads(bulk: Encoder) -> None:
    choice: Precision = "fp32" if precision(bulk) == "fp32" else "auto"
    other = load_encoder("default", 1, choice)
    assert other.digest == bulk.digest
    assert other.encode(TEXTS).tobytes() == bulk.encode(TEXTS).tobytes()


def test_no_text_is_no_vector(bulk: Encoder) -> None:
    assert bulk.encode([]).shape == (0, 384)


def test_the_digest_says_the_precision(real_encoder: Encoder) -> None:
    exact = load_encoder("default", 1, "fp32")
    assert exact.digest == real_encoder.digest
    native = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert (load_encoder("default", 1, "auto").digest != real_encoder.digest) == native


def test_without_native_bf16_it_is_fp32(
    real_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino.Core, "get_property", lambda *_: ["FP32", "INT8"])
    assert load_encoder("default", 1, "auto").digest == real_encoder.digest


def test_without_openvino_it_is_onnx_runtime(
    real_encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rag.encoders.openvino", None)
    assert isinstance(bulk_engine("auto"), OnnxEngine)
    without = load_encoder("default", 1, "auto")
    assert without.digest == real_encoder.digest
    assert without.encode(TEXTS).tobytes() == real_encoder.encode(TEXTS).tobytes()


@pytest.mark.parametrize(
    ("digest", "possible"),
    [
        ("minilm-53aa51172d142c89-fp32-v2", True),
        ("minilm-53aa51172d142c89-bf16-v2", True),
        ("minilm-53aa51172d142c89-bf16-v1", False),
        ("minilm-0000000000000000-bf16-v2", False),
        ("st-53aa51172d142c89", False),
    ],
)
def test_questions_search_vectors_of_another_precision_only(
    real_encoder: Encoder, digest: str, possible: bool
) -> None:
    assert real_encoder.digest == "minilm-53aa51172d142c89-fp32-v2"
    assert can_search(real_encoder, digest) == possible


def test_precisions_are_never_mixed_and_each_answers(
    workshop: Callable[..., Workshop], real_encoder: Encoder
) -> None:
    fast = load_encoder("default", 1, "auto")
    if fast.digest == real_encoder.digest:
        pytest.skip("this processor has no native bf16")
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n", "safety.md": "Wear a hat.\n"})
    made.build(fast)
    with open_index(made.settings.index, made.settings) as index:
        assert index.retrieve("How many days of leave?", 1)[0].chunk.document == "leave.md"
    (made.settings.corpus / "more.md").write_text("# Travel\n\nBook early.\n")
    report = made.build(real_encoder)
    assert (report.embedded, report.reused) == (3, 0)
    assert made.build(real_encoder).generation == report.generation


def in_a_new_process(code: str, home: Path) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, env={"HOME": str(home)}, timeout=120)


def test_openvino_reports_to_nobody(tmp_path: Path) -> None:
    code = """
import socket, sys
def refuse(*_): raise AssertionError("network")
socket.socket.connect = socket.getaddrinfo = refuse
import rag.encoders.openvino
assert sys.modules["openvino_telemetry"] is None
assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]
"""
    in_a_new_process(code, tmp_path)
    assert list(tmp_path.iterdir()) == []  # no identity was made either


def test_questions_do_not_load_openvino(tmp_path: Path) -> None:
    code = """
import sys
from rag.encoders import load_encoder
load_encoder("default")
assert "openvino" not in sys.modules
"""
    in_a_new_process(code, tmp_path)
