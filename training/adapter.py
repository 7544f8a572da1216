"""``python -m training.adapter``: learn how questions are embedded, so that what answers is near.

Vectors of passages and sentences stay as they are. The encoder that makes them embeds questions
with low-rank changes of its weights, which are learnt here: a question is brought nearer to the
chunks of its corpus that answer than to all others (InfoNCE), where a chunk counts as in the
search: half by its own vector, half by that of its best sentence. Corpora are our own, and some of
public sources, so that what the encoder knew of other kinds of text is kept. Methods are named in
`rag.encoders.adapter`.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from transformers import AutoModel

from rag.asking.conversation import Understood, understand
from rag.encoders import without_precision
from rag.encoders.adapter import ADAPTER
from rag.encoders.minilm import token_ids, word_pieces
from rag.pipeline import Models
from rag.retrieval import SENTENCE_SHARE
from rag.settings import Settings
from rag.store.files import sha256_of
from rag.store.generation import Generation
from rag.types import Chunk, Turn
from training.data import JUDGING_ONLY, Row, read_all, read_source, train_folder
from training.mixed import drawn_questions, write_passages
from training.model import encoder_folder
from training.reader import HELD_OUT
from training.searched import brought_up_to_date, indexed, spans_by_document, turns
from training.sentences import touched
from training.written import Corpus, by_kind, read_corpora

log = logging.getLogger(__name__)

SEED = 20260101
ROUNDS = 3
RANK = 16
RATE = 1e-3
"""Of AdamW; rises over the first steps, then falls linearly to the end."""
RISING = 50
DECAY, BATCH, TEMPERATURE = 0.01, 128, 0.05
SHARE = 0.75
"""So much of the changes is kept in the end: as good on our own documents, nearer to what the
encoder was on others (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022)."""
DEPTHS = (1, 4, 8, 16)
PUBLIC = {
    "squad1_train": 1200, "h2oevals": 900, "doc2dial": 900, "qed": 700, "selqa": 500,
    "squad2_dev": 500, "medquad": 400, "covidqa": 300, "policyqa": 300, "clapnq": 150,
}  # fmt: skip
"""So many questions of each source at most."""
PUBLIC_CORPORA = 8
PUBLIC_TIMES = 2
"""So often in each round."""
JUDGED = 1000
"""So many questions of each source that is never trained on."""
_CHANGED = (
    "attention.self.query", "attention.self.key", "attention.self.value",
    "attention.output.dense", "intermediate.dense", "output.dense",
)  # fmt: skip
"""All products of a layer."""


@dataclass(frozen=True)
class Lesson:
    """A corpus and the questions that it answers.

    Attributes:
        chunks: vectors of length 1, shape (n, d).
        sentences: the same, shape (m, d).
        owners: for each sentence the row of its chunk, shape (m,).
        questions: as they are searched for.
        answering: for each question and chunk whether it answers, shape (questions, n).
    """

    chunks: Tensor
    sentences: Tensor
    owners: Tensor
    questions: Sequence[Understood]
    answering: Tensor


class LowRank(torch.nn.Module):
    """A linear layer and what is added to its weights: the product of two narrow matrices."""

    def __init__(self, layer: torch.nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        self.a = torch.nn.Parameter(
            torch.randn(RANK, layer.in_features) / math.sqrt(layer.in_features)
        )
        self.b = torch.nn.Parameter(torch.zeros(layer.out_features, RANK))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (..., in) to (..., out)."""
        plain: Tensor = self.layer(x)
        return plain + x @ self.a.T @ self.b.T


class QuestionEncoder(torch.nn.Module):
    """The default encoder with changes to learn; until something is learnt it is the encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.transformer: Any = AutoModel.from_pretrained(str(encoder_folder())).eval()
        self.requires_grad_(False)
        self.changed: dict[str, LowRank] = {}
        for number, layer in enumerate(self.transformer.encoder.layer):
            for place in _CHANGED:
                changed = LowRank(layer.get_submodule(place))
                layer.set_submodule(place, changed)
                self.changed[f"encoder.layer.{number}.{place}.weight"] = changed

    def forward(self, questions: Sequence[Understood]) -> Tensor:
        """The vectors that they are searched with, shape (questions, d)."""
        asked = [query for question in questions for query in question.queries]
        owners = [row for row, own in enumerate(questions) for _ in own.queries]
        weights = torch.tensor([weight for _, weight in asked])
        each = self._embed([text for text, _ in asked]) * weights[:, None]
        total = torch.zeros(len(questions), each.shape[1])
        return functional.normalize(total.index_add(0, torch.tensor(owners), each), dim=1)

    def _embed(self, texts: Sequence[str]) -> Tensor:
        ids = [torch.tensor(own) for own in token_ids(word_pieces(), texts)]
        padded = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True)
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(own) for own in ids], True)
        states = self.transformer(input_ids=padded, attention_mask=mask).last_hidden_state
        mean = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        return functional.normalize(mean, dim=1)

    def factors(self) -> dict[str, NDArray[np.float16]]:
        """What was learnt, float16, in the form that `rag.encoders.adapter` reads."""
        return {
            f"{name}:{factor}": getattr(own, factor).detach().half().numpy()
            for name, own in self.changed.items()
            for factor in ("a", "b")
        }


def read_lesson(corpus: Corpus, work: Path, models: Models) -> Lesson:
    """Index a corpus in ``work`` and look up what answers."""

    def asked(chunks: Sequence[Chunk]) -> Iterator[tuple[Understood, list[bool]]]:
        for written in corpus.documents:
            for question in written.questions:
                spans = spans_by_document(corpus, written, question)
                gold = [
                    own.document in spans
                    and any(touched([(s.start, s.end) for s in own.sentences], spans[own.document]))
                    for own in chunks
                ]
                yield understand(question.text, turns(question)), gold

    with indexed(corpus, work, models) as generation:
        return _lesson(generation, asked)


def public_lessons(rows: list[Row], work: Path, models: Models) -> list[Lesson]:
    """Corpora of the passages of public rows, each with a question, indexed in ``work``."""
    random.Random(SEED).shuffle(rows)
    return [
        _public_lesson(rows[number::PUBLIC_CORPORA], work / f"{number}", models)
        for number in range(PUBLIC_CORPORA)
    ]


def _public_lesson(rows: Sequence[Row], work: Path, models: Models) -> Lesson:
    document_of = write_passages(rows, work / "documents")

    def asked(chunks: Sequence[Chunk]) -> Iterator[tuple[Understood, list[bool]]]:
        for row in rows:
            document = document_of(row)
            answers = [" ".join(row.text[start:end].split()) for start, end in row.answers]
            gold = [
                chunk.document == document
                and any(answer in " ".join(chunk.text.split()) for answer in answers)
                for chunk in chunks
            ]
            history: list[Turn] = [{"role": "user", "content": text} for text in row.history]
            yield understand(row.question, history), gold

    with brought_up_to_date(work / "documents", models) as generation:
        return _lesson(generation, asked)


def _lesson(
    generation: Generation,
    asked: Callable[[Sequence[Chunk]], Iterable[tuple[Understood, list[bool]]]],
) -> Lesson:
    """`asked` gives for the chunks of the index all questions, and which of them answer each."""
    count = len(generation.vectors)
    chunks = generation.tables.chunks(range(count))
    answered = [(question, gold) for question, gold in asked(chunks) if any(gold)]
    vectors = generation.vectors.chunks(np.arange(count))
    sentences = generation.vectors.sentences(0, generation.vectors.sentence_count)
    sizes = torch.tensor([len(chunk.sentences) for chunk in chunks])
    return Lesson(
        chunks=torch.from_numpy(vectors).float(),
        sentences=torch.from_numpy(sentences).float(),
        owners=torch.repeat_interleave(torch.arange(count), sizes),
        questions=[question for question, _ in answered],
        answering=torch.tensor([gold for _, gold in answered]),
    )


def scores(lesson: Lesson, vectors: Tensor) -> Tensor:
    """How near each chunk is to questions with these vectors: shape (q, d) to (q, n)."""
    whole = vectors @ lesson.chunks.T
    each = vectors @ lesson.sentences.T
    best = torch.full_like(whole, -1.0).scatter_reduce(
        1, lesson.owners.expand(len(vectors), -1), each, "amax"
    )
    return (1 - SENTENCE_SHARE) * whole + SENTENCE_SHARE * best


def _batches(lesson: Lesson) -> Iterator[list[int]]:
    """All of its questions in random order, but those of one length together: little is padded."""
    order = torch.randperm(len(lesson.questions)).tolist()
    for start in range(0, len(order), 8 * BATCH):
        near = sorted(order[start : start + 8 * BATCH], key=lambda row: _length(lesson, row))
        for first in range(0, len(near), BATCH):
            yield near[first : first + BATCH]


def _length(lesson: Lesson, row: int) -> int:
    return max(len(text) for text, _ in lesson.questions[row].queries)


def learn(encoder: QuestionEncoder, lessons: Sequence[Lesson]) -> None:
    """Train what is to be learnt of the encoder; it is left as it ships, in half precision."""
    torch.manual_seed(SEED)
    learnt = [own for own in encoder.parameters() if own.requires_grad]
    optimizer = torch.optim.AdamW(learnt, RATE, betas=(0.9, 0.98), weight_decay=DECAY)
    plan = [
        [(lesson, rows) for lesson in lessons for rows in _batches(lesson)] for _ in range(ROUNDS)
    ]
    steps, count = sum(map(len, plan)), sum(len(lesson.questions) for lesson in lessons)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda done: min(1.0, (done + 1) / RISING) * (1 - done / steps)
    )
    for number, steps_now in enumerate(plan, start=1):
        total = 0.0
        for place in torch.randperm(len(steps_now)).tolist():
            lesson, rows = steps_now[place]
            vectors = encoder([lesson.questions[row] for row in rows])
            near = scores(lesson, vectors) / TEMPERATURE
            right = near.masked_fill(~lesson.answering[rows], -torch.inf)
            value = (near.logsumexp(1) - right.logsumexp(1)).mean()
            optimizer.zero_grad()
            torch.autograd.backward(value)
            optimizer.step()
            scheduler.step()
            total += float(value.detach()) * len(rows)
        log.info("round %d of %d: loss %.3f", number, ROUNDS, total / count)
    for own in encoder.changed.values():
        own.b.data *= SHARE
        for factor in (own.a, own.b):
            factor.data = factor.data.half().float()


@torch.no_grad()
def ranks(encoder: QuestionEncoder, lesson: Lesson) -> Tensor:
    """For each question how many chunks come before the first one that answers, in any order."""
    found = []
    for rows in _batches(lesson):
        near = scores(lesson, encoder([lesson.questions[row] for row in rows]))
        best = near.masked_fill(~lesson.answering[rows], -torch.inf).max(1, keepdim=True).values
        found.append((near > best).sum(1))
    return torch.cat(found)


def recall(encoder: QuestionEncoder, lessons: Sequence[Lesson]) -> dict[str, float]:
    """Share of the questions with a chunk that answers among the first, by how many of them."""
    found = torch.cat([ranks(encoder, lesson) for lesson in lessons])
    return {str(depth): round(float((found < depth).float().mean()), 3) for depth in DEPTHS}


def main() -> None:
    """Learn on the corpora that are trained on, judge on those held out, write both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--work", type=Path, default=Path(".checkpoints/reader"), help="folder for the indexes"
    )
    parser.add_argument("--output", type=Path, default=ADAPTER.parent, help="where it is written")
    parser.add_argument(
        "--leave-out", nargs="*", default=[], metavar="SOURCE", help="sources not to train on"
    )
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    models = Models(Settings())
    trained_on, held_out = read_corpora()
    lessons = [read_lesson(corpus, options.work / "trained-on", models) for corpus in trained_on]
    sources = [source for source in PUBLIC if source not in options.leave_out]
    drawn = drawn_questions(read_all(sources, train_folder(), HELD_OUT)[0], PUBLIC, SEED)
    public = public_lessons(drawn, options.work / "public", models)
    held = {
        name: [read_lesson(corpus, options.work / "held-out", models) for corpus in own]
        for name, own in by_kind(held_out).items()
    }
    for source in JUDGING_ONLY:
        rows = drawn_questions(
            {source: read_source(source, train_folder())}, {source: JUDGED}, SEED
        )
        held[source] = [_public_lesson(rows, options.work / source, models)]
    torch.manual_seed(SEED)
    encoder = QuestionEncoder()
    before = {name: recall(encoder, own) for name, own in held.items()}
    learn(encoder, [*lessons, *PUBLIC_TIMES * public])
    options.output.mkdir(parents=True, exist_ok=True)
    path, aside = options.output / ADAPTER.name, options.work / ADAPTER.name
    np.savez(aside, **encoder.factors())  # type: ignore[arg-type]  # none is "allow_pickle"
    facts = {
        "sha256": sha256_of(aside),
        "encoder": without_precision(models.encoder.digest),
        "trained": datetime.now(UTC).date().isoformat(),
        "corpora": len(lessons),
        "questions": sum(len(lesson.questions) for lesson in lessons),
        "public": dict(Counter(row.source for row in drawn)),
        "recall": {
            name: {
                "questions": sum(len(lesson.questions) for lesson in own),
                "before": before[name],
                "adapted": recall(encoder, own),
            }
            for name, own in held.items()
        },
    }
    shutil.move(aside, path)
    path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    log.info("wrote %s", path)


if __name__ == "__main__":
    main()
