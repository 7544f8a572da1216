"""``python -m training.adapter``: learn the matrix that turns questions towards what answers them.

Vectors of passages and sentences stay as they are. A question's vector q becomes q + qW; W is
learnt by bringing q nearer to the chunks of its corpus that answer than to all others (InfoNCE),
where a chunk counts as in the search: half by its own vector, half by that of its best sentence.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rag.adapter import ADAPTER
from rag.asking.conversation import understand
from rag.pipeline import Models
from rag.retrieval import SENTENCE_SHARE, query_vectors
from rag.settings import Settings
from rag.store.files import fingerprint_of
from rag.store.generation import Generation
from training.searched import indexed, spans_by_document, turns
from training.sentences import touched
from training.written import Corpus, read_corpora

log = logging.getLogger(__name__)

SEED = 20260101
ROUNDS = 8
RATE = 1e-3
"""Of AdamW, falling to 0; ten times more or less decay changes nothing."""
DECAY = 1.0
BATCH = 128
TEMPERATURE = 0.05
"""Twice as much costs a point of recall@8."""
DEPTHS = (1, 4, 8, 16)


@dataclass(frozen=True)
class Asked:
    """A corpus and the questions that it answers, as vectors of length 1.

    Attributes:
        chunks: shape (n, d).
        sentences: shape (m, d).
        owners: for each sentence the row of its chunk, shape (m,).
        questions: shape (q, d).
        answering: for each question and chunk whether it answers, shape (q, n).
    """

    chunks: Tensor
    sentences: Tensor
    owners: Tensor
    questions: Tensor
    answering: Tensor


def read_asked(corpus: Corpus, work: Path, models: Models) -> Asked:
    """Index a corpus in ``work`` and look up what answers."""
    with indexed(corpus, work, models) as generation:
        return _asked(corpus, generation, models)


def _asked(corpus: Corpus, generation: Generation, models: Models) -> Asked:
    count = len(generation.vectors)
    chunks = generation.tables.chunks(range(count))
    understood, answering = [], []
    for written in corpus.documents:
        for question in written.questions:
            spans = spans_by_document(corpus, written, question)
            gold = [
                any(touched([(s.start, s.end) for s in chunk.sentences], spans[chunk.document]))
                if chunk.document in spans
                else False
                for chunk in chunks
            ]
            if any(gold):
                understood.append(understand(question.text, turns(question)))
                answering.append(gold)
    questions = query_vectors(models.encoder, understood, adapted=False)
    sizes = torch.tensor([len(chunk.sentences) for chunk in chunks])
    sentences = generation.vectors.sentences(0, int(sizes.sum()))
    return Asked(
        chunks=torch.from_numpy(generation.vectors.chunks(np.arange(count))).float(),
        sentences=torch.from_numpy(sentences).float(),
        owners=torch.repeat_interleave(torch.arange(count), sizes),
        questions=torch.from_numpy(np.stack(questions)),
        answering=torch.tensor(answering),
    )


def scores(asked: Asked, questions: Tensor, matrix: Tensor) -> Tensor:
    """How near each chunk is to each of these questions, once turned: shape (q, n)."""
    turned = torch.nn.functional.normalize(questions + questions @ matrix, dim=1)
    whole = turned @ asked.chunks.T
    each = turned @ asked.sentences.T
    best = torch.full_like(whole, -1.0).scatter_reduce(
        1, asked.owners.expand(len(questions), -1), each, "amax"
    )
    return (1 - SENTENCE_SHARE) * whole + SENTENCE_SHARE * best


def learn(corpora: Sequence[Asked]) -> Tensor:
    """The matrix, float32, shape (d, d)."""
    torch.manual_seed(SEED)
    width = corpora[0].questions.shape[1]
    matrix = torch.zeros(width, width, requires_grad=True)
    optimizer = torch.optim.AdamW([matrix], RATE, weight_decay=DECAY)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: 1 - done / ROUNDS)
    for done in range(ROUNDS):
        total = 0.0
        for number in torch.randperm(len(corpora)).tolist():
            asked = corpora[number]
            for batch in torch.randperm(len(asked.questions)).split(BATCH):
                near = scores(asked, asked.questions[batch], matrix) / TEMPERATURE
                right = near.masked_fill(~asked.answering[batch], -torch.inf)
                value = (near.logsumexp(1) - right.logsumexp(1)).mean()
                optimizer.zero_grad()
                torch.autograd.backward(value)
                optimizer.step()
                total += float(value.detach()) * len(batch)
        falling.step()
        asked_in_all = sum(len(asked.questions) for asked in corpora)
        log.info("round %d of %d: loss %.3f", done + 1, ROUNDS, total / asked_in_all)
    return matrix.detach()


def recall(asked: Asked, matrix: Tensor) -> dict[str, float]:
    """Share of the questions with a chunk that answers among the first, by how many of them."""
    near = scores(asked, asked.questions, matrix)
    best = near.masked_fill(~asked.answering, -torch.inf).max(1, keepdim=True).values
    rank = (near > best).sum(1)
    return {str(depth): round(float((rank < depth).float().mean()), 3) for depth in DEPTHS}


def main() -> None:
    """Learn on the corpora that are trained on, judge on those held out, write both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--work", type=Path, default=Path(".checkpoints/reader"), help="folder for the indexes"
    )
    parser.add_argument("--output", type=Path, default=ADAPTER.parent, help="where it is written")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    models = Models(Settings(reader=False))
    trained_on, held_out = read_corpora()
    corpora = [read_asked(corpus, options.work / "trained-on", models) for corpus in trained_on]
    matrix = learn(corpora).half()
    path = options.output / ADAPTER.name
    np.save(path, matrix.numpy())
    held = {
        corpus.name: read_asked(corpus, options.work / "held-out", models) for corpus in held_out
    }
    none = torch.zeros_like(matrix, dtype=torch.float32)
    facts = {
        "xxh3": fingerprint_of(path),
        "trained": datetime.now(UTC).date().isoformat(),
        "corpora": len(corpora),
        "questions": sum(len(asked.questions) for asked in corpora),
        "recall": {
            name: {
                "questions": len(asked.questions),
                "before": recall(asked, none),
                "adapted": recall(asked, matrix.float()),
            }
            for name, asked in held.items()
        },
    }
    path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    log.info("wrote %s", path)


if __name__ == "__main__":
    main()
