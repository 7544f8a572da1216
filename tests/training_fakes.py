"""A tiny reader and a few rows, so that training can be tested in seconds."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import torch
from torch import nn
from transformers import BertConfig, BertModel

from training.data import Row
from training.model import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PASSAGE = (
    "The handbook applies to all staff. Annual leave is 25 days a year. Part-time staff get a "
    "share of that. Unused days lapse in March. Managers may allow exceptions. Ask early."
)
LEAVE = "Annual leave is 25 days a year."
WRITTEN = """# Bicycles at work
Anybody may come by bicycle.
## Parking
The cellar has 40 stands. Locks are lent at the gate.
- Cargo bicycles stand in the yard.
### At night
The cellar is shut from 22:00.
## Allowance
| kilometres | a month |
| --- | --- |
| 5 | 12 euros |

Who rides more than ten kilometres (1) gets double.
%%%
Q: Where do I put my freight bike?
A: Cargo bicycles stand in the yard.
Q: Until when is the yard open?
N: other object
H: I live five kilometres away.
H: I cycle.
Q: What do I get?
A: | 5 | 12 euros |
A: Who rides more than ten kilometres (1) gets double.
Q: Can I get in at midnight?
A: The cellar is shut from 22:00.
"""


def row(
    number: int = 0,
    answer: str | None = LEAVE,
    text: str = PASSAGE,
    source: str = "made",
    title: str = "",
    question: str = "How many days of annual leave are there?",
    history: tuple[str, ...] = (),
) -> Row:
    """A row whose passage answers, or does not if `answer` is None."""
    at = text.index(answer) if answer else 0
    return Row(
        source=source,
        id=f"{source}-{number}:0",
        question=question,
        history=history,
        title=title or f"Title {number}",
        heading="Leave",
        text=text,
        answers=((at, at + len(answer)),) if answer else (),
    )


def rows(count: int, source: str = "made") -> list[Row]:
    """Rows of which every other one answers, each with a title and a question of its own."""
    return [
        row(
            number,
            answer=LEAVE if number % 2 else None,
            text=PASSAGE if number % 2 else PASSAGE.replace(LEAVE, "Leave is generous."),
            source=source,
            question=f"How many days of annual leave does level {number} get?",
        )
        for number in range(count)
    ]


def write_source(folder: Path, source: str, own: Iterable[Row]) -> None:
    """Write rows as a file of training pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / f"{source}.jsonl.gz", "wt", encoding="utf-8") as file:
        for each in own:
            turns = [{"role": "user", "content": text} for text in each.history]
            line = {
                "id": each.id,
                "question": each.question,
                "history": turns,
                "title": each.title.replace(" ", "_"),
                "heading": each.heading,
                "text": each.text,
                "answers": [list(span) for span in each.answers],
                "answerable": bool(each.answers),
            }
            file.write(json.dumps(line) + "\n")


class TinyReader(Reader):
    """The reader with a network of 16 units; its vocabulary is the real one."""

    def __init__(self, seed: int = 0) -> None:
        nn.Module.__init__(self)
        torch.manual_seed(seed)
        config = BertConfig(
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.encoder = BertModel(config, add_pooling_layer=False)
        self.head = nn.Linear(16, 2)
