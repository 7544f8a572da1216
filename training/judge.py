"""Judging a reader: held-out pairs by source, and retrieved passages of a development corpus."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer

from training.asked import ASKED
from training.data import Encoded, Pair, Row, batches, encode, whole_pair
from training.model import OUTPUTS, Reader, collate, sentence_logits

log = logging.getLogger(__name__)

Scorer = Callable[[Sequence[Encoded]], list[NDArray[np.float32]]]
"""Gives for each pair the logits of null and of each sentence, float32 ``[1 + sentences]``."""


@dataclass(frozen=True, slots=True)
class PairFigures:
    """Figures on held-out pairs of one source.

    Attributes:
        pairs: how many were judged.
        auroc: of (best sentence - null) for pairs with an answer against those without; nan if
            there is one kind only.
        right: share of pairs with an answer whose best sentence answers.
    """

    pairs: int
    auroc: float
    right: float


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved passage: sentences, which of them touch the evidence, retrieval score (z)."""

    heading: str
    sentences: tuple[str, ...]
    gold: tuple[bool, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A question of a development set and its best passages by retrieval."""

    id: str
    kind: str
    question: str
    answerable: bool
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class CorpusFigures:
    """Figures on a development corpus.

    Attributes:
        auroc: answerable against unanswerable questions by the greatest (best sentence - null).
        hit1: share of answerable questions whose best sentence touches the evidence.
        hit3: the same for one of the best three.
        reachable: share whose evidence is in a retrieved passage at all.
    """

    auroc: float
    hit1: float
    hit3: float
    reachable: float


def torch_scorer(model: Reader, tokens: int = 8192) -> Scorer:
    """Score with the model in torch (bfloat16 products), pairs of like length together."""

    def score(encoded: Sequence[Encoded]) -> list[NDArray[np.float32]]:
        result: dict[int, NDArray[np.float32]] = {}
        model.eval()
        device = next(model.parameters()).device
        for groups in batches([[item] for item in encoded], tokens, random.Random(0)):
            batch = [item for group in groups for item in group]
            with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16):
                start, end = model(*(t.to(device) for t in collate(batch)))
            logits = sentence_logits(start, end, batch).cpu().numpy()
            for item, row in zip(batch, logits, strict=True):
                result[id(item)] = row[: 1 + len(item.sentences)]
        return [result[id(item)] for item in encoded]

    return score


def onnx_scorer(path: Path, threads: int = 2) -> Scorer:
    """Score with a file as it ships (see `training.asked`): as in use, one pair a run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def score_one(item: Encoded) -> NDArray[np.float32]:
        ids, _, types = (tensor.numpy() for tensor in collate([item]))
        asked = np.array([0, *(place for span in item.sentences for place in span)])
        feed = {"input_ids": ids, "token_type_ids": types, ASKED: asked}
        (start,), (end,) = session.run(list(OUTPUTS), feed)
        null = start[:1] + end[:1]
        return np.concatenate([null, start[1::2] + end[2::2]])

    return lambda encoded: [score_one(item) for item in encoded]


def margin(logits: NDArray[np.float32]) -> float:
    """Best sentence over null: the log odds that the passage answers, by its best sentence."""
    return float(logits[1:].max() - logits[0])


def judge_pairs(
    rows: Mapping[str, Sequence[Row]], score: Scorer, tokenizer: Tokenizer
) -> dict[str, PairFigures]:
    """Judge whole passages of held-out rows, source by source."""
    figures = {}
    for source, held in rows.items():
        encoded = [e for e in encode([whole_pair(row) for row in held], tokenizer) if e.sentences]
        logits = score(encoded)
        answers = [any(e.gold) for e in encoded]
        right = [
            e.gold[int(row[1:].argmax())]
            for e, row in zip(encoded, logits, strict=True)
            if any(e.gold)
        ]
        figures[source] = PairFigures(
            pairs=len(encoded),
            auroc=float(roc_auc_score(answers, [margin(row) for row in logits]))
            if len(set(answers)) > 1
            else np.nan,
            right=float(np.mean(right)),
        )
    return figures


def read_retrieved(path: Path) -> list[Retrieved]:
    """Read a file made by :func:`write_retrieved`."""
    result = []
    for line in path.read_text(encoding="utf-8").splitlines():
        raw = json.loads(line)
        passages = tuple(
            Passage(p["heading"], tuple(p["sentences"]), tuple(p["gold"]), p["score"])
            for p in raw["passages"]
        )
        result.append(
            Retrieved(raw["id"], raw["kind"], raw["question"], raw["answerable"], passages)
        )
    return result


def passage_pair(question: str, passage: Passage) -> Pair:
    """Join the sentences by spaces and pair them with the question."""
    spans, at = [], 0
    for sentence in passage.sentences:
        spans.append((at, at + len(sentence)))
        at += len(sentence) + 1
    return Pair(question, passage.heading, " ".join(passage.sentences), tuple(spans), passage.gold)


def judge_corpus(
    questions: Sequence[Retrieved],
    score: Scorer,
    tokenizer: Tokenizer,
    retrieval_weight: float = 1.0,
) -> CorpusFigures:
    """Judge the choice of sentences and the wish to abstain on retrieved passages.

    A sentence is ranked by (its logit - null) + ``retrieval_weight`` * the passage's score in
    standard deviations.
    """
    encoded = [
        e
        for q in questions
        for e in encode([passage_pair(q.question, p) for p in q.passages], tokenizer)
    ]
    logits = iter(score(encoded))
    items = iter(encoded)
    confidence, answerable, ranks, reachable = [], [], [], []
    for question in questions:
        best, ranked = -np.inf, []
        for passage in question.passages:
            item, row = next(items), next(logits)
            if not item.sentences:
                continue
            best = max(best, margin(row))
            extra = retrieval_weight * passage.score - row[0]
            ranked += [
                (float(value + extra), gold) for value, gold in zip(row[1:], item.gold, strict=True)
            ]
        confidence.append(best)
        answerable.append(question.answerable)
        if question.answerable:
            order = [gold for _, gold in sorted(ranked, key=lambda pair: -pair[0])]
            reachable.append(any(order))
            ranks.append(order.index(True) if any(order) else 10**6)
    return CorpusFigures(
        auroc=float(roc_auc_score(answerable, confidence)),
        hit1=float(np.mean([rank < 1 for rank in ranks])),
        hit3=float(np.mean([rank < 3 for rank in ranks])),
        reachable=float(np.mean(reachable)),
    )
