"""``python -m training.reader``: train the reader from scratch, or go on where it stopped."""

from __future__ import annotations

import argparse
import logging
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import torch
from tokenizers import Tokenizer

from rag.store.files import sha256_of
from training.card import write_card, write_description
from training.data import (
    JUDGING_ONLY,
    MAX_QUESTION_TOKENS,
    MAX_TOKENS,
    Row,
    load_tokenizer,
    read_all,
    read_source,
    train_folder,
)
from training.export import describe, export_float, export_int8
from training.judge import (
    CorpusFigures,
    PairFigures,
    Scorer,
    judge_corpus,
    judge_pairs,
    onnx_scorer,
    read_retrieved,
)
from training.model import Reader, encoder_folder
from training.negatives import MINED_QUESTIONS, hard_negatives
from training.restored import restored
from training.retrieved import retrieve, write_retrieved
from training.searched import searched_rows
from training.train import Stage, mean_weights, stage_plan, train_stage
from training.written import ORGANISATIONS, WRITTEN, by_kind, read_corpora

log = logging.getLogger(__name__)

WORK, OUTPUT = Path(".checkpoints/reader"), Path("rag/models")
SEED = 20260101
HELD_OUT = 300
JUDGED = 200
"""Held-out pairs of each source that are judged."""

SHARES = {
    "squad1_train": 0.38,
    "qed": 0.15,
    "h2oevals": 0.13,
    "doc2dial": 0.11,
    "policyqa": 0.05,
    "selqa": 0.05,
    "medquad": 0.04,
    "covidqa": 0.04,
    "contractnli": 0.04,
    "clapnq": 0.01,
    "squad1_train:mined": 0.06,
    "qed:mined": 0.04,
    "h2oevals:mined": 0.03,
    "doc2dial:mined": 0.02,
    "selqa:mined": 0.01,
    "squad1_train:swapped": 0.06,
    "h2oevals:swapped": 0.02,
    "selqa:swapped": 0.01,
}
"""Policy-like, conversational and searched questions weigh far more than their number of rows."""

POLICY_SHARES = SHARES | {
    "squad1_train": 0.22,
    "h2oevals": 0.19,
    "doc2dial": 0.17,
    "contractnli": 0.05,
    "medquad": 0.05,
    "h2oevals:mined": 0.05,
    "doc2dial:mined": 0.03,
}
"""Then policies, services and contracts outweigh the encyclopaedia."""

LAST_SHARES = POLICY_SHARES | {
    "squad2_dev": 0.16,
    "squad1_train": 0.20,
    "squad1_train:mined": 0.05,
    "squad1_train:swapped": 0.05,
    "qed:mined": 0.05,
    "h2oevals:mined": 0.08,
    "doc2dial:mined": 0.04,
}
"""Then near misses count more: mined ones, and those that people wrote to mislead a reader."""

_PUBLIC = sum(LAST_SHARES.values())

WRITTEN_SHARES = LAST_SHARES | {WRITTEN: _PUBLIC}
"""And then half of the pairs are our own: paraphrases, and the nearest misses of all."""

SEARCHED_SHARES = LAST_SHARES | {WRITTEN: _PUBLIC, ORGANISATIONS: _PUBLIC}
"""Two thirds, with handbooks of whole organisations."""

HANDBOOK_SHARES = LAST_SHARES | {WRITTEN: 0.6 * _PUBLIC, ORGANISATIONS: 1.8 * _PUBLIC}
"""At last more than half of the pairs are of handbooks."""

STAGES = (
    Stage(
        "short", pairs=47_000, shares=SHARES, words=(50, 120), rate=2e-4, falling=0.6, lowest=0.7
    ),
    Stage("long", pairs=32_000, shares=POLICY_SHARES, words=(60, 200), rate=1.5e-4, falling=1.0),
    Stage(
        "last",
        pairs=84_000,
        shares=LAST_SHARES,
        words=(60, 200),
        rate=1.1e-4,
        falling=1.0,
        averaged=True,
    ),
    Stage("written", pairs=52_000, shares=WRITTEN_SHARES, words=(60, 200), rate=1e-4, falling=1.0),
    Stage(
        "searched", pairs=56_000, shares=SEARCHED_SHARES, words=(60, 200), rate=1e-4, falling=1.0
    ),
    Stage(
        "handbooks", pairs=40_000, shares=HANDBOOK_SHARES, words=(60, 200), rate=1e-4, falling=1.0
    ),
    Stage(
        "together",
        pairs=62_000,
        shares=HANDBOOK_SHARES,
        words=(60, 200),
        rate=1e-4,
        falling=1.0,
        answerable=0.6,
        tokens=4096,
        together=True,
        averaged=True,
    ),
)

SOURCES = sorted({name for name in LAST_SHARES if ":" not in name})
"""The files that are trained on, beside our own."""


def shortened(stages: Sequence[Stage], pairs: int) -> tuple[Stage, ...]:
    """The same stages with ``pairs`` pairs in all, at least one each, in the same proportion."""
    total = sum(stage.pairs for stage in stages)
    return tuple(
        replace(stage, pairs=max(1, round(pairs * stage.pairs / total))) for stage in stages
    )


def read_rows(
    work: Path, leave_out: Sequence[str] = ()
) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
    """Rows to train on, and rows to judge by: those held out, and sources never trained on.

    Indexes of our own documents are kept in ``work``.
    """
    sources = [source for source in SOURCES if source not in leave_out]
    rows, held = read_all(sources, train_folder(), HELD_OUT)
    trained_on, held_out = read_corpora()
    for name, own in by_kind(trained_on).items():
        rows[name] = searched_rows(own, work / "trained-on")
    for name, own in by_kind(held_out).items():
        held[name] = searched_rows(own, work / "held-out")
    for source in JUDGING_ONLY:
        held[source] = read_source(source, train_folder())
    return rows, held


def drawn_counts(stages: Sequence[Stage], rows: Mapping[str, Sequence[Row]]) -> dict[str, int]:
    """How many pairs of each source the stages draw."""
    counts: Counter[str] = Counter()
    for stage in stages:
        for row in chain.from_iterable(stage_plan(stage, rows, SEED)):
            made = row.id.rpartition(":")[2]
            counts[f"{row.source}:{made}" if made in ("mined", "swapped") else row.source] += 1
    return dict(counts)


def judge_reader(
    score: Scorer,
    held: Mapping[str, Sequence[Row]],
    tokenizer: Tokenizer,
    work: Path,
    judged: int = JUDGED,
) -> tuple[dict[str, PairFigures], dict[str, CorpusFigures]]:
    """Judge on ``judged`` held-out pairs of each source and, if it is there, the handbook."""
    sample = {
        name: random.Random(SEED).sample(rows, min(judged, len(rows)))
        for name, rows in held.items()
    }
    corpora = {}
    folder = train_folder().parent / "eval" / "handbook18f"
    if folder.exists():
        cache = work / "handbook18f.jsonl"
        if not cache.exists():
            write_retrieved(retrieve(folder / "corpus", folder / "questions.jsonl"), cache)
        corpora["handbook18f (development)"] = judge_corpus(read_retrieved(cache), score, tokenizer)
    return judge_pairs(sample, score, tokenizer), corpora


def judge_file(
    path: Path,
    held: Mapping[str, Sequence[Row]],
    tokenizer: Tokenizer,
    work: Path,
    judged: int = JUDGED,
) -> tuple[dict[str, PairFigures], dict[str, CorpusFigures]]:
    """The same for an exported file."""
    return judge_reader(onnx_scorer(path), held, tokenizer, work, judged)


def main() -> None:
    """Train all stages, export, judge the exported file, describe it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=WORK, help="folder for checkpoints")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder for the shipped files")
    parser.add_argument(
        "--leave-out", nargs="*", default=[], metavar="SOURCE", help="sources not to train on"
    )
    parser.add_argument(
        "--pairs",
        type=int,
        metavar="N",
        help="train on N pairs in all, to try the whole path in minutes; the result is no good",
    )
    parser.add_argument(
        "--fp32", action="store_true", help="instead of bf16, which not every processor multiplies"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--last-stage-from",
        type=Path,
        metavar="GRAPH",
        help="train the last stage only, going on from a reader that ships without it",
    )
    options = parser.parse_args()
    if options.pairs and (options.work == WORK or options.output == OUTPUT):
        parser.error("--pairs makes a reader that is no good: give it a --work and --output")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    torch.set_num_threads(options.threads)
    torch.manual_seed(SEED)
    for folder in (options.work, options.output):
        folder.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    stages = shortened(STAGES, options.pairs) if options.pairs else STAGES
    judged = min(JUDGED, options.pairs or JUDGED)
    rows, held = read_rows(options.work, options.leave_out)
    rows |= hard_negatives(rows, SEED, min(MINED_QUESTIONS, options.pairs or MINED_QUESTIONS))
    shipped_before = options.last_stage_from
    model = restored(shipped_before) if shipped_before else Reader(encoder_folder())
    model.to(device)
    tokenizer = load_tokenizer(encoder_folder())
    for stage in stages[-1:] if shipped_before else stages:
        before = {name: weight.clone() for name, weight in model.state_dict().items()}
        train_stage(
            model, stage, rows, tokenizer, options.work, SEED, device, half=not options.fp32
        )
        if stage.averaged:
            model.load_state_dict(mean_weights(before, model.state_dict()))

    whole, shipped = options.work / "float32.onnx", options.output / "reader.onnx"
    export_float(model.cpu(), whole)
    export_int8(whole, shipped)
    pairs, corpora = judge_file(shipped, held, tokenizer, options.work, judged)
    facts = {
        "files": describe(shipped, shipped.with_suffix(".weights")),
        "max_length": MAX_TOKENS,
        "max_question_tokens": MAX_QUESTION_TOKENS,
        "trained": datetime.now(UTC).date().isoformat(),
        "seed": SEED,
        "encoder_sha256": sha256_of(encoder_folder() / "model.safetensors"),
        "data": drawn_counts(stages, rows),
    }
    write_description(options.output / "reader.json", facts, pairs, corpora)
    write_card(options.output / "MODEL_CARD.md", facts, pairs, corpora, JUDGING_ONLY)
    log.info("wrote %s", shipped)


if __name__ == "__main__":
    main()
