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
from rag.encoders import without_precision
from rag.pipeline import Models
from rag.retrieval import SENTENCE_SHARE, query_vectors
from rag.settings import Settings
from rag.store.files import fingerprint_of
from training.searched import indexed, spans_by_document, turns
from training.sentences import touched
from training.written import Corpus, by_kind, read_corpora

log = logging.getLogger(__name__)

SEED = 20260101
ROUNDS = 8
RATE = 1e-3
"""Of AdamW, falling linearly from round to round."""
DECAY, BATCH, TEMPERATURE = 1.0, 128, 0.05
DEPTHS = (1, 4, 8, 16)


@dataclass(frozen=True)
class Lesson:
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


def read_lesson(corpus: Corpus, work: Path, models: Models) -> Lesson:
    """Index a corpus in ``work`` and look up what answers."""
    with indexed(corpus, work, models) as generation:
        count = len(generation.vectors)
        chunks = generation.tables.chunks(range(count))
        vectors = generation.vectors.chunks(np.arange(count))
        sentences = generation.vectors.sentences(0, generation.vectors.sentence_count)
    understood, answering = [], []
    for written in corpus.documents:
        for question in written.questions:
            spans = spans_by_document(corpus, written, question)
            gold = [
                chunk.document in spans
                and any(touched([(s.start, s.end) for s in chunk.sentences], spans[chunk.document]))
                for chunk in chunks
            ]
            if any(gold):
                understood.append(understand(question.text, turns(question)))
                answering.append(gold)
    questions = query_vectors(models.encoder, understood, adapted=False)
    sizes = torch.tensor([len(chunk.sentences) for chunk in chunks])
    return Lesson(
        chunks=torch.from_numpy(vectors).float(),
        sentences=torch.from_numpy(sentences).float(),
        owners=torch.repeat_interleave(torch.arange(count), sizes),
        questions=torch.from_numpy(np.stack(questions)),
        answering=torch.tensor(answering),
    )


def scores(lesson: Lesson, questions: Tensor, matrix: Tensor) -> Tensor:
    """How near each chunk is to each of these questions, once turned: shape (q, n)."""
    turned = torch.nn.functional.normalize(questions + questions @ matrix, dim=1)
    whole = turned @ lesson.chunks.T
    each = turned @ lesson.sentences.T
    best = torch.full_like(whole, -1.0).scatter_reduce(
        1, lesson.owners.expand(len(questions), -1), each, "amax"
    )
    return (1 - SENTENCE_SHARE) * whole + SENTENCE_SHARE * best


def learn(lessons: Sequence[Lesson]) -> Tensor:
    """The matrix, float32, shape (d, d)."""
    torch.manual_seed(SEED)
    width = lessons[0].questions.shape[1]
    matrix = torch.zeros(width, width, requires_grad=True)
    optimizer = torch.optim.AdamW([matrix], RATE, weight_decay=DECAY)
    falling = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda done: 1 - done / ROUNDS)
    for done in range(ROUNDS):
        total = 0.0
        for number in torch.randperm(len(lessons)).tolist():
            lesson = lessons[number]
            for batch in torch.split(torch.randperm(len(lesson.questions)), BATCH):
                near = scores(lesson, lesson.questions[batch], matrix) / TEMPERATURE
                right = near.masked_fill(~lesson.answering[batch], -torch.inf)
                value = (near.logsumexp(1) - right.logsumexp(1)).mean()
                optimizer.zero_grad()
                torch.autograd.backward(value)
                optimizer.step()
                total += float(value.detach()) * len(batch)
        falling.step()
        asked = sum(len(lesson.questions) for lesson in lessons)
        log.info("round %d of %d: loss %.3f", done + 1, ROUNDS, total / asked)
    return matrix.detach()


def ranks(lesson: Lesson, matrix: Tensor) -> Tensor:
    """For each question how many chunks come before the first one that answers, shape (q,)."""
    near = scores(lesson, lesson.questions, matrix)
    best = near.masked_fill(~lesson.answering, -torch.inf).max(1, keepdim=True).values
    return (near > best).sum(1)


def recall(lessons: Sequence[Lesson], matrix: Tensor) -> dict[str, float]:
    """Share of the questions with a chunk that answers among the first, by how many of them."""
    found = torch.cat([ranks(lesson, matrix) for lesson in lessons])
    return {str(depth): round(float((found < depth).float().mean()), 3) for depth in DEPTHS}


def main() -> None:
    """Learn on the corpora that are trained on, judge on those held out, write both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--work", type=Path, default=Path(".checkpoints/reader"), help="folder for the indexes"
    )
    parser.add_argument("--output", type=Path, default=ADAPTER.parent, help="where it is written")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    models = Models(Settings())
    trained_on, held_out = read_corpora()
    lessons = [read_lesson(corpus, options.work / "trained-on", models) for corpus in trained_on]
    held = {
        name: [read_lesson(corpus, options.work / "held-out", models) for corpus in own]
        for name, own in by_kind(held_out).items()
    }
    matrix = learn(lessons).half()
    none = torch.zeros_like(matrix).float()
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / ADAPTER.name
    aside = path.with_suffix(".tmp.npy")
    np.save(aside, matrix.numpy())
    facts = {
        "xxh3": fingerprint_of(aside),
        "encoder": without_precision(models.encoder.digest),
        "trained": datetime.now(UTC).date().isoformat(),
        "corpora": len(lessons),
        "questions": sum(len(lesson.questions) for lesson in lessons),
        "recall": {
            name: {
                "questions": sum(len(lesson.questions) for lesson in own),
                "before": recall(own, none),
                "adapted": recall(own, matrix.float()),
            }
            for name, own in held.items()
        },
    }
    path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    aside.replace(path)
    log.info("wrote %s", path)


if __name__ == "__main__":
    main()
