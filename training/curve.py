"""``python -m training.curve CHECKPOINT…``: how good the reader is after how many pairs.

A checkpoint is what the training keeps: its weights under "model", the pairs of its stage under
"done". The figures of each go to a file of JSON lines, so that a curve can be continued, and all of
them into an SVG.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from rag.evaluation.plots import Series, plot
from training.data import Row, load_tokenizer
from training.judge import torch_scorer
from training.model import Reader, encoder_folder
from training.reader import JUDGED, STAGES, judge_reader, read_rows

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Point:
    """One checkpoint.

    Attributes:
        checkpoint: name of its file.
        pairs: pairs seen since the start of the training.
        auroc: answerable against unanswerable held-out pairs, mean over the sources.
        right: share of answerable pairs whose best sentence answers, mean over the sources.
        corpora: corpus → measure → figure.
    """

    checkpoint: str
    pairs: int
    auroc: float
    right: float
    corpora: Mapping[str, Mapping[str, float]]


def pairs_seen(stage: str, done: int) -> int:
    """Pairs since the start: those of the stages before, if the stage is one of ours."""
    names = [each.name for each in STAGES]
    before = STAGES[: names.index(stage)] if stage in names else ()
    return done + sum(each.pairs for each in before)


def judge_checkpoint(
    path: Path,
    model: Reader,
    held: Mapping[str, Sequence[Row]],
    tokenizer: Tokenizer,
    work: Path,
    judged: int,
) -> Point:
    """Load a checkpoint into ``model`` and judge it."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    pairs, corpora = judge_reader(torch_scorer(model), held, tokenizer, work, judged)
    return Point(
        checkpoint=path.name,
        pairs=pairs_seen(path.stem.partition("-")[0], int(state["done"])),
        auroc=float(np.nanmean([each.auroc for each in pairs.values()])),
        right=float(np.nanmean([each.right for each in pairs.values()])),
        corpora={name: asdict(each) for name, each in corpora.items()},
    )


def read_points(path: Path) -> list[Point]:
    """The points of a file of JSON lines by the number of pairs; none if it does not exist."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return sorted((Point(**json.loads(line)) for line in lines), key=lambda point: point.pairs)


def draw(points: Sequence[Point]) -> str:
    """The curves as SVG: AUROC and hit@1, on held-out pairs and on each corpus."""
    lines = [
        Series("AUROC, held-out pairs", [(p.pairs / 1000, p.auroc) for p in points]),
        Series("right sentence, held-out pairs", [(p.pairs / 1000, p.right) for p in points]),
    ]
    for corpus in points[0].corpora:
        for measure, name in (("auroc", "AUROC"), ("hit1", "hit@1")):
            values = [(p.pairs / 1000, p.corpora[corpus][measure]) for p in points]
            lines.append(Series(f"{name}, {corpus}", values))
    first, last = points[0].pairs / 50_000, points[-1].pairs / 50_000
    lowest = min(value for line in lines for _, value in line.points)
    drawing = plot(
        "Learning curve of the reader",
        lines,
        "thousand training pairs",
        "",
        x_range=(50.0 * np.floor(first), 50.0 * max(np.ceil(last), np.floor(first) + 1)),
        # Above 1 there is nothing but the legend.
        y_range=(np.floor(lowest * 10) / 10, 1.2),
    )
    # On a page of its own it needs a ground that its lines stand out from.
    return drawing.replace("<svg ", '<svg style="background:#fff;color:#222" ', 1)


def main() -> None:
    """Judge the checkpoints that the file has not yet, and draw them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="+", type=Path)
    parser.add_argument(
        "--work", type=Path, default=Path(".checkpoints/reader"), help="folder of the cache"
    )
    parser.add_argument("--output", type=Path, default=Path(".checkpoints/curve.jsonl"))
    parser.add_argument("--judged", type=int, default=JUDGED, help="held-out pairs of each source")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    known = {point.checkpoint for point in read_points(options.output)}
    _, held = read_rows(options.work)
    tokenizer, model = load_tokenizer(encoder_folder()), Reader(None)
    for path in options.checkpoints:
        if path.name not in known:
            point = judge_checkpoint(path, model, held, tokenizer, options.work, options.judged)
            with options.output.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(point)) + "\n")
            log.info("%s", point)
    drawing = options.output.with_suffix(".svg")
    drawing.write_text(draw(read_points(options.output)), encoding="utf-8")
    log.info("drew %s", drawing)


if __name__ == "__main__":
    main()
