"""Build, cold and warm speed against what people would use instead, in one run.

    python benchmarks/speed.py [CORPUS] [--rounds 3] [--sample 1000] [--encoding]

Prints medians and ratios. CORPUS defaults to the handbook of the shared evaluation data. Nothing
else should be running; the two sides of every ratio are measured alternately.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from made_corpus import HANDBOOK, need_shared

from rag.building.indexing import build_index
from rag.encoders import load_encoder
from rag.encoders.minilm import model_folder
from rag.index import open_index
from rag.settings import Settings
from rag.store.generation import open_current

QUESTION = "Who do I ask about leave?"


def seconds(action: Callable[[], object]) -> float:
    """Wall-clock time of a call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def run(*command: str, **environment: str) -> None:
    """Run a command silently; fail if it fails."""
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment}
    )


def encoding(settings: Settings, rounds: int, sample: int) -> dict[str, float]:
    """`SentenceTransformer.encode` of passages against ours, and against a whole build.

    A build embeds each sentence too, nearly as many tokens again. Rates are passages a second:
    the encoders' over the same random `sample`, the build's over all.
    """
    from sentence_transformers import SentenceTransformer

    peer = SentenceTransformer(str(model_folder()), device="cpu")
    exact = load_encoder("default", settings.threads, "fp32")
    fast = load_encoder("default", settings.threads, settings.precision)
    report = build_index(settings, encoder=fast)
    with closing(open_current(settings.index)) as generation:
        texts = list(generation.tables.enriched())
    texts = random.Random(0).sample(texts, min(sample, len(texts)))
    for model in (peer, exact, fast):
        model.encode(texts[:64])
    numbers = iter(range(rounds))
    actions: dict[str, Callable[[], object]] = {
        "SentenceTransformer.encode": lambda: peer.encode(texts),
        "ours, fp32": lambda: exact.encode(texts),
        f"ours, {settings.precision}": lambda: fast.encode(texts),
        "whole build": lambda: build_index(
            replace(settings, index=settings.index.with_name(f"again-{next(numbers)}")),
            encoder=fast,
        ),
    }
    done = dict.fromkeys(actions, len(texts)) | {"whole build": report.chunks}
    rates: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            rates[name].append(done[name] / seconds(action))
    base = statistics.median(rates["SentenceTransformer.encode"])
    cosines = (fast.encode(texts) * exact.encode(texts)).sum(axis=1)
    print(f"digest of the vectors: {fast.digest}")
    results: dict[str, float] = {"passages": report.chunks, "of them sampled": len(texts)}
    for name, values in rates.items():
        results[f"{name}, passages/s"] = statistics.median(values)
        results[f"{name}, lowest to highest, %"] = 100 * (max(values) / min(values) - 1)
        results[f"{name}, ratio"] = statistics.median(values) / base
    return results | {"least cosine of the two precisions": float(cosines.min())}


def cold_ratio(settings: Settings, rounds: int) -> dict[str, float]:
    """`rag ask` and `rag retrieve` from a cold process against importing sentence-transformers."""
    rag = str(Path(sys.executable).with_name("rag"))
    index = str(settings.index)
    names = ("import", "ask", "quick", "retrieve", "help")
    timed: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        timed["import"].append(
            seconds(lambda: run(sys.executable, "-c", "import sentence_transformers"))
        )
        timed["ask"].append(seconds(lambda: run(rag, "ask", QUESTION, "--index", index)))
        timed["quick"].append(
            seconds(lambda: run(rag, "ask", QUESTION, "--quick", "--index", index))
        )
        timed["retrieve"].append(seconds(lambda: run(rag, "retrieve", QUESTION, "--index", index)))
        timed["help"].append(seconds(lambda: run(rag, "--help")))
    medians = {name: statistics.median(values) for name, values in timed.items()}
    return {
        "import sentence_transformers, s": medians["import"],
        "rag ask, s": medians["ask"],
        "rag ask --quick, s": medians["quick"],
        "rag retrieve, s": medians["retrieve"],
        "rag --help, s": medians["help"],
    }


def warm(settings: Settings, questions: list[str]) -> dict[str, float]:
    """Milliseconds of an answer in a running process."""
    results = {}
    for reader in (False, True):
        with open_index(settings.index, replace(settings, reader=reader)) as index:
            index.ask(questions[0])
            taken = sorted(index.ask(question).took_ms for question in questions)
            hits = sorted(seconds(lambda: index.retrieve(q, 10)) * 1000 for q in questions)  # noqa: B023
        name = "ask" if reader else "ask --quick"
        results[f"{name} p50, ms"] = statistics.median(taken)
        results[f"{name} p95, ms"] = taken[int(len(taken) * 0.95)]
        results["retrieve p50, ms"] = statistics.median(hits)
        results["retrieve p95, ms"] = hits[int(len(hits) * 0.95)]
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", nargs="?", type=Path, default=HANDBOOK / "corpus")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sample", type=int, default=1000, help="passages for the encoders alone")
    parser.add_argument("--encoding", action="store_true", help="only encoding and building")
    arguments = parser.parse_args()
    need_shared()
    lines = (HANDBOOK / "questions.jsonl").read_text("utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(corpus=arguments.corpus, index=Path(folder) / "index")
        results = {
            "encoding": encoding(settings, arguments.rounds, arguments.sample),
        }
        if not arguments.encoding:
            results["cold"] = cold_ratio(settings, arguments.rounds)
            results["warm"] = warm(settings, questions)
    for title, figures in results.items():
        print(title)
        for name, value in figures.items():
            print(f"  {name:50} {value:10.5g}")


if __name__ == "__main__":
    main()
