"""Build, cold and warm speed against what people would use instead, in one run.

    python benchmarks/speed.py [CORPUS] [--rounds 3]

Prints medians and ratios. CORPUS defaults to the handbook of the shared evaluation data. Nothing
else should be running; the two sides of every ratio are measured alternately.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rag.encoders import load_encoder
from rag.encoders.minilm import model_folder
from rag.index import open_index
from rag.indexing import build_index
from rag.settings import Settings
from rag.store.generation import open_current

SHARED = Path(os.environ.get("RAG_SHARED", "../shared"))
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


def build_ratio(settings: Settings, rounds: int) -> dict[str, float]:
    """A whole build against `SentenceTransformer.encode` alone on the same chunks."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(model_folder()), device="cpu")
    encoder = load_encoder("default")
    encoder.encode(["warm"])
    build_index(settings, encoder=encoder)
    generation = open_current(settings.index)
    texts = list(generation.tables.enriched())
    generation.close()
    model.encode(texts[:64])
    ours, theirs = [], []
    for number in range(rounds):
        fresh = replace(settings, index=settings.index.with_name(f"again-{number}"))
        ours.append(seconds(lambda: build_index(fresh, encoder=encoder)))  # noqa: B023
        theirs.append(seconds(lambda: model.encode(texts)))
    return {
        "chunks": len(texts),
        "build chunks/s": len(texts) / statistics.median(ours),
        "SentenceTransformer.encode chunks/s": len(texts) / statistics.median(theirs),
        "ratio": statistics.median(theirs) / statistics.median(ours),
    }


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
    handbook = SHARED / "eval" / "handbook18f"
    parser.add_argument("corpus", nargs="?", type=Path, default=handbook / "corpus")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    lines = (handbook / "questions.jsonl").read_text("utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(corpus=arguments.corpus, index=Path(folder) / "index")
        results = {
            "build": build_ratio(settings, arguments.rounds),
            "cold": cold_ratio(settings, arguments.rounds),
            "warm": warm(settings, questions),
        }
    for title, figures in results.items():
        print(title)
        for name, value in figures.items():
            print(f"  {name:40} {value:10.2f}")


if __name__ == "__main__":
    main()
