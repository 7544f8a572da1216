from __future__ import annotations

import random
from dataclasses import replace
from math import exp, inf, log
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from training_fakes import TinyReader, rows

from training import train
from training.data import Encoded, Row, encode, load_tokenizer, whole_pair
from training.export import export_float, export_int8
from training.judge import judge_pairs, onnx_scorer, torch_scorer
from training.model import INPUTS, collate, encoder_folder, loss, sentence_logits, targets
from training.train import Stage, mean_weights, rate_at, train_stage

if TYPE_CHECKING:
    from pathlib import Path

STAGE = Stage(
    "tiny", pairs=24, shares={"made": 1.0}, words=(5, 40), rate=1e-2, falling=0.5, tokens=200
)
TOKENIZER = load_tokenizer(encoder_folder())


def item(*sentences: tuple[int, int], gold: tuple[bool, ...] = (), length: int = 6) -> Encoded:
    return Encoded(tuple(range(1, length + 1)), 2, sentences, gold or (False,) * len(sentences))


def test_pairs_are_padded_and_marked() -> None:
    ids, mask, types = collate([item(length=3), item(length=5)])
    assert ids.tolist() == [[1, 2, 3, 0, 0], [1, 2, 3, 4, 5]]
    assert mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert types.tolist() == [[0, 0, 1, 0, 0], [0, 0, 1, 1, 1]]


def test_a_sentence_scores_its_first_start_and_its_last_end() -> None:
    batch = [item((2, 3), (4, 4)), item((3, 5))]
    start = torch.tensor([[0.0, 0, 2, 0, 4, 0], [1.0, 0, 0, 3, 0, 0]])
    end = torch.tensor([[10.0, 0, 0, 30, 40, 0], [10.0, 0, 0, 0, 0, 50]])
    assert sentence_logits(start, end, batch).tolist() == [
        [0 + 10, 2 + 30, 4 + 40],
        [1 + 10, 3 + 50, -inf],
    ]


def test_targets_share_among_sentences_that_answer_or_go_to_null() -> None:
    batch = [item((2, 2), (3, 3), (4, 4), gold=(True, False, True)), item((2, 3))]
    assert targets(batch, 4).tolist() == [[0, 0.5, 0, 0.5], [1, 0, 0, 0]]


def test_the_loss_is_the_cross_entropy_of_the_softmax() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, -inf]])
    wanted = torch.tensor([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])
    first = log(exp(0) + exp(1) + exp(2)) - (0.5 * 1 + 0.5 * 2)
    second = log(exp(1) + exp(0)) - 1
    assert float(loss(logits, wanted, [1, 1])) == pytest.approx((first + second) / 2)


def test_passages_of_a_question_share_one_softmax() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0], [1.0, 4.0, -inf], [3.0, 0.0, -inf]])
    wanted = torch.tensor([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    alone = float(loss(logits, wanted, [1, 1, 1]))
    # Log-odds against the null of their own passage: 1 and 2 answer, 3 does not.
    answered = log(exp(0) + exp(1) + exp(2) + exp(3)) - (1 + 2) / 2
    unanswered = log(exp(0) + exp(-3))
    together = float(loss(logits, wanted, [2, 1]))
    assert together == pytest.approx((alone + (answered + unanswered) / 2) / 2)


def test_where_nothing_answers_the_whole_question_goes_to_null() -> None:
    logits = torch.tensor([[0.0, 1.0], [0.0, 2.0]])
    wanted = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    alone = float(loss(logits, wanted, [1, 1]))
    shared = log(exp(0) + exp(1) + exp(2))
    assert float(loss(logits, wanted, [2])) == pytest.approx((alone + shared) / 2)


def test_padding_changes_no_logit() -> None:
    model = TinyReader().eval()
    short, long = encode(
        [whole_pair(each) for each in (rows(1)[0], _longer(rows(2)[1]))], TOKENIZER
    )
    with torch.inference_mode():
        alone = sentence_logits(*model(*collate([short])), [short])[0]
        beside = sentence_logits(*model(*collate([short, long])), [short, long])[0]
    np.testing.assert_allclose(beside[: len(alone)], alone, atol=1e-5)
    assert torch.isinf(beside[len(alone) :]).all()


def _longer(row: Row) -> Row:
    return replace(row, text=f"{row.text} {row.text} {row.text}")


def test_the_rate_rises_stays_and_falls() -> None:
    stage = replace(STAGE, pairs=1000, rate=1.0, falling=0.5, lowest=0.2)
    assert rate_at(stage, 0) < 0.01
    assert rate_at(stage, 30) == pytest.approx(1.0, abs=0.01)
    assert rate_at(stage, 500) == 1.0
    assert rate_at(stage, 750) == pytest.approx(0.2 + 0.8 / 2)
    assert rate_at(stage, 1000) == pytest.approx(0.2)


def _train(folder: Path, seed: int = 0) -> dict[str, torch.Tensor]:
    model = TinyReader(seed)
    folder.mkdir(exist_ok=True)
    train_stage(model, STAGE, {"made": rows(10)}, TOKENIZER, folder, 7, torch.device("cpu"))
    return model.state_dict()


def test_an_interrupted_training_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "BLOCK", 10)
    whole = _train(tmp_path / "whole")
    save = train.save

    def save_and_stop(path: Path, state: dict[str, object]) -> None:
        save(path, state)
        if state["done"] == 10:
            raise KeyboardInterrupt

    monkeypatch.setattr(train, "save", save_and_stop)
    with pytest.raises(KeyboardInterrupt):
        _train(tmp_path / "cut")
    monkeypatch.setattr(train, "save", save)
    # Begun with other weights: all there is comes from the checkpoint.
    resumed = _train(tmp_path / "cut", seed=1)
    assert resumed.keys() == whole.keys()
    for name, weights in whole.items():
        assert torch.equal(resumed[name], weights), name
    state = torch.load(tmp_path / "cut" / "tiny.pt", weights_only=True)
    assert state["done"] == STAGE.pairs


def test_a_finished_stage_is_not_trained_again(tmp_path: Path) -> None:
    first = _train(tmp_path)
    again = _train(tmp_path, seed=1)
    assert all(torch.equal(again[name], weights) for name, weights in first.items())


def test_the_mean_of_two_states_is_a_state() -> None:
    first, second = TinyReader().state_dict(), TinyReader().state_dict()
    mean = mean_weights(first, second)
    TinyReader().load_state_dict(mean)
    for name, weight in mean.items():
        assert weight.dtype == second[name].dtype
        assert torch.allclose(weight.double() * 2, first[name].double() + second[name].double())


def test_training_learns_what_can_be_learnt() -> None:
    """Twelve pairs by heart: the loss falls below that of guessing at least threefold."""
    torch.manual_seed(0)
    model = TinyReader()
    batch = encode([whole_pair(each) for each in rows(12)], TOKENIZER)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    values = []
    for _ in range(60):
        logits = sentence_logits(*model(*collate(batch)), batch)
        value = loss(logits, targets(batch, logits.shape[1]), [1] * len(batch))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        values.append(float(value.detach()))
    assert values[-1] < values[0] / 3


# PyTorch's own exporter is deprecated in favour of one that onnxruntime cannot fuse.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_exported_files_agree_with_torch(tmp_path: Path) -> None:
    model = TinyReader().eval()
    # Larger than they begin: attention is then far from uniform, and an error in it shows.
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim == 2 and "embeddings" not in name:
                weights.mul_(15)
    whole, small = tmp_path / "float32.onnx", tmp_path / "int8.onnx"
    export_float(model, whole)
    export_int8(whole, small)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "float32.onnx", "int8.onnx", "int8.weights",
    ]  # fmt: skip
    assert small.with_suffix(".weights").stat().st_size < whole.stat().st_size
    assert small.with_suffix(".weights").stat().st_mode == small.stat().st_mode
    graphs = [onnx.load(path, load_external_data=False).graph for path in (whole, small)]
    operators = [{node.op_type for node in graph.node} for graph in graphs]
    assert ["SkipLayerNormalization" in own for own in operators] == [True, False]
    assert {each.name for each in graphs[1].input} == {"input_ids", "token_type_ids", "asked"}
    whole_session, small_session = (
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        for path in (whole, small)
    )
    asked = np.array([0, 7, 5, 5])
    for each in rows(5):
        ids, mask, types = feed = collate(encode([whole_pair(_longer(each))], TOKENIZER))
        with torch.inference_mode():
            expected = [tensor.numpy()[0] for tensor in model(*feed)]
        feeds = dict(zip(INPUTS, (ids.numpy(), mask.numpy(), types.numpy()), strict=True))
        exact = whole_session.run(["start", "end"], feeds)
        del feeds["attention_mask"]
        quantised = small_session.run(["start", "end"], {**feeds, "asked": asked})
        for own, found, wanted in zip(exact, quantised, expected, strict=True):
            np.testing.assert_allclose(own[0], wanted, atol=1e-4)
            np.testing.assert_allclose(found[0], wanted[asked], atol=0.5 * np.std(wanted))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_judging_gives_the_same_with_torch_and_with_the_file(tmp_path: Path) -> None:
    model = TinyReader().eval()
    export_float(model, tmp_path / "float32.onnx")
    export_int8(tmp_path / "float32.onnx", tmp_path / "int8.onnx")
    encoded = encode([whole_pair(each) for each in rows(8)], TOKENIZER)
    mine = torch_scorer(model)(encoded)
    theirs = onnx_scorer(tmp_path / "int8.onnx")(encoded)
    for item_, own, other in zip(encoded, mine, theirs, strict=True):
        assert own.shape == other.shape == (1 + len(item_.sentences),)
        np.testing.assert_allclose(own, other, atol=0.05)


def test_a_judge_counts_what_is_right() -> None:
    held = rows(8)

    def oracle(encoded: list[Encoded]) -> list[np.ndarray]:
        return [np.array([0.5, *(float(gold) for gold in each.gold)]) for each in encoded]

    figures = judge_pairs({"made": held}, oracle, TOKENIZER)["made"]
    assert (figures.pairs, figures.auroc, figures.right) == (8, 1.0, 1.0)
    rng = random.Random(0)
    worst = judge_pairs(
        {"made": held},
        lambda encoded: [
            np.array([0.5, *(-rng.random() - gold for gold in e.gold)]) for e in encoded
        ],
        TOKENIZER,
    )["made"]
    assert worst.right == 0
    assert worst.auroc < 0.5
