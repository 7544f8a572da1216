"""The training loop: stages, learning rate up, flat and down, checkpoints."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.data import (
    Encoded,
    Group,
    Pair,
    Row,
    batches,
    by_question,
    by_title,
    encode,
    plan,
    training_pairs,
)
from training.model import Reader, collate, loss, sentence_logits, targets

log = logging.getLogger(__name__)

BLOCK = 2048
"""Groups of pairs that are cut, encoded and sorted by length together; a checkpoint follows."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass over a plan of pairs.

    Attributes:
        name: for logs and files.
        pairs: how many pairs are drawn.
        shares: how much of each source, in any unit.
        words: least and greatest length of a passage, in words.
        rate: the flat learning rate.
        falling: share of the stage, at its end, over which the rate falls linearly.
        lowest: where it ends, as a share of ``rate``.
        answerable: share of groups that have an answer.
        tokens: most tokens in a batch.
        averaged: ends with the mean of the weights before the stage and after it.
        together: a group is all pairs of a question, not a single one.
    """

    name: str
    pairs: int
    shares: Mapping[str, float]
    words: tuple[int, int]
    rate: float
    falling: float
    lowest: float = 0.0
    answerable: float = 0.5
    tokens: int = 3072
    averaged: bool = False
    together: bool = False


def rate_at(stage: Stage, done: int) -> float:
    """Learning rate after ``done`` pairs: 3% rising, then flat, then falling to ``lowest``."""
    share = done / stage.pairs
    rising = min(1.0, (share + 1e-4) / 0.03)
    left = min(1.0, max(0.0, 1 - share) / stage.falling)
    return stage.rate * min(rising, stage.lowest + (1 - stage.lowest) * left)


def stage_plan(stage: Stage, rows: Mapping[str, Sequence[Row]], seed: int) -> list[Group]:
    """The groups of rows that a stage draws, in order."""
    groups: dict[str, list[Group]] = {
        source: by_question(own) if stage.together else [(row,) for row in own]
        for source, own in rows.items()
    }
    return plan(
        groups, stage.shares, stage.pairs, stage.answerable, random.Random(f"{seed} {stage.name}")
    )


def _optimizer(model: Reader) -> torch.optim.AdamW:
    plain = [p for name, p in model.named_parameters() if p.ndim < 2 or "embeddings" in name]
    decayed = [
        p for name, p in model.named_parameters() if p.ndim >= 2 and "embeddings" not in name
    ]
    groups = [{"params": plain, "weight_decay": 0.0}, {"params": decayed, "weight_decay": 0.01}]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), fused=True)


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint aside and rename it, so that a kill leaves the old one."""
    aside = path.with_suffix(".tmp")
    torch.save(state, aside)
    aside.replace(path)


def mean_weights(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The network halfway between one state and a later one of the same training.

    It tends to do better on other texts than the later one (Wortsman et al., "Robust fine-tuning
    of zero-shot models", CVPR 2022).
    """
    return {name: ((first[name] + second[name]) / 2).to(second[name].dtype) for name in second}


def train_stage(
    model: Reader,
    stage: Stage,
    rows: Mapping[str, Sequence[Row]],
    tokenizer: Tokenizer,
    folder: Path,
    seed: int,
    device: torch.device,
    *,
    half: bool = True,
) -> None:
    """Train ``model`` in place on one stage, going on from ``folder/<stage>.pt`` if it exists.

    With ``half`` products are computed in bf16.

    Everything random depends on ``seed``, the stage's name and the number of the block only, so
    that a resumed run sees the same batches as one that was never interrupted.
    """
    checkpoint = folder / f"{stage.name}.pt"
    optimizer = _optimizer(model)
    done = groups = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        done, groups = state["done"], state["groups"]
        log.info("stage %s goes on after %d pairs", stage.name, done)
    titles = by_title(rows)
    drawn = stage_plan(stage, rows, seed)
    model.train()
    while block := drawn[groups : groups + BLOCK]:
        rng = random.Random(f"{seed} {stage.name} {groups}")
        pairs = [training_pairs(group, rows, titles, stage.words, rng) for group in block]
        started, seen, total = time.monotonic(), 0, 0.0
        for batch in batches(_encoded(pairs, tokenizer), stage.tokens, rng):
            for group in optimizer.param_groups:
                group["lr"] = rate_at(stage, done + seen)
            items = [item for own in batch for item in own]
            inputs = [t.to(device) for t in collate(items)]
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
                start, end = model(*inputs)
            logits = sentence_logits(start, end, items)
            wanted = targets(items, logits.shape[1]).to(device)
            value = loss(logits, wanted, [len(own) for own in batch])
            torch.autograd.backward(value)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            seen += len(items)
            total += float(value.detach()) * len(items)
        done += sum(map(len, block))
        groups += len(block)
        seconds = time.monotonic() - started
        log.info(
            "stage %s: %d of %d pairs, loss %.3f, %.0f pairs/s, rate %.1e",
            stage.name, done, stage.pairs, total / max(seen, 1), seen / seconds,
            rate_at(stage, done),
        )  # fmt: skip
        save(
            checkpoint,
            {
                "model": model.state_dict(),
                "optimizer": optimizer.state_dict(),
                "done": done,
                "groups": groups,
            },
        )


def _encoded(groups: Sequence[Sequence[Pair]], tokenizer: Tokenizer) -> list[list[Encoded]]:
    """Encode pairs, which stay with those of their group; what has no sentence is left out."""
    items = iter(encode([pair for group in groups for pair in group], tokenizer))
    kept = [[item for item in islice(items, len(group)) if item.sentences] for group in groups]
    return [group for group in kept if group]
