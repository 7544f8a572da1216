"""How everything grows from ten thousand to a million chunks.

    python benchmarks/million.py                          all sizes, and the plots (hours)
    python benchmarks/million.py --sizes 10000 100000     fewer (about ten minutes)
    python benchmarks/million.py --step ask --sizes 1000000      one step again

Texts and vectors are made as `made_million.py` says; everything else is the product: `build_index`
from a folder of Markdown files, `rag.open`, `retrieve` with the real encoder. The build therefore
is one without the time of the encoder, which is the same for every chunk. Every step runs in a
process of its own. Figures are kept in `benchmarks/out/million.json`, so that steps can be run one
by one; `.bench/million` holds corpora and indexes (20 GB for a million).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from environments import BENCH
from growth_plot import draw
from made_corpus import need_shared, questions
from made_million import SECTIONS, load

import rag
from rag.asking.conversation import understand
from rag.building.indexing import build_index
from rag.encoders import load_encoder
from rag.retrieval import query_vectors
from rag.settings import Settings
from rag.store.generation import open_current
from rag.store.lexical import terms

FOLDER = BENCH / "million"
RESULTS = Path(__file__).resolve().parent / "out" / "million.json"
QUESTIONS, ADDED = 200, 100

Figures = dict[str, Any]


def settings_for(size: int) -> Settings:
    """Where a size lies; two generations are there at most, to spare the disk."""
    return Settings(
        corpus=FOLDER / f"corpus-{size}", index=FOLDER / f"index-{size}", keep_generations=1
    )


def peak_mb() -> float:
    """Most memory of this process so far, mapped files included."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def resident_mb() -> float:
    """Memory of this process now, mapped files included."""
    pages = int(Path("/proc/self/statm").read_text("utf-8").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def texts(size: int) -> Figures:
    """Write the corpus, and embed what has to be real."""
    corpus, encoder = load(FOLDER / "real.npz")
    corpus.write(settings_for(size).corpus, 0, size // SECTIONS)
    low, middle, high = np.percentile(encoder.cosines, [5, 50, 95]).round(3).tolist()
    return {"pool": len(corpus.pool), "cosine_with_mean_p5_p50_p95": [low, middle, high]}


def build(size: int) -> Figures:
    """The whole index from nothing, without the time of the encoder."""
    corpus, encoder = load(FOLDER / "real.npz")
    corpus.write(settings_for(size).corpus, 0, size // SECTIONS)
    shutil.rmtree(settings_for(size).index, ignore_errors=True)
    started = time.perf_counter()
    report = build_index(settings_for(size), encoder=encoder)
    seconds = time.perf_counter() - started
    generation = open_current(settings_for(size).index)
    manifest = generation.manifest
    generation.close()
    return {
        "chunks": report.chunks,
        "sentences": manifest.sentences,
        "build_s": round(seconds, 1),
        "build_peak_mb": peak_mb(),
        "index_mb": round(sum(info.size for info in manifest.files.values()) / 1e6),
        "files_mb": {name: round(i.size / 1e6, 1) for name, i in manifest.files.items()},
        "vector_index": dict(manifest.vector_index),
    }


def ask(size: int) -> Figures:
    """Open, and retrieve with real questions, one after the other."""
    started = time.perf_counter()
    index = rag.open(settings_for(size).index)
    opened = time.perf_counter() - started
    asked = questions(QUESTIONS)
    index.retrieve(asked[-1])
    taken = []
    for question in asked:
        started = time.perf_counter()
        index.retrieve(question)
        taken.append(time.perf_counter() - started)
    resident = resident_mb()
    p50, p95 = (1000 * np.percentile(taken, [50, 95])).round(1).tolist()
    return {
        "open_ms": round(1000 * opened, 1),
        "retrieve_p50_ms": p50,
        "retrieve_p95_ms": p95,
        "resident_mb": resident,
    }


def parts(size: int) -> Figures:
    """Recall against comparing everything, and milliseconds of the parts, medians."""
    asked, encoder = questions(QUESTIONS), load_encoder("default")
    generation = open_current(settings_for(size).index)
    vectors, lexical = generation.vectors, generation.lexical
    queries = np.stack(query_vectors(encoder, [understand(question) for question in asked]))
    best = np.zeros((len(queries), 0), dtype=np.float32)
    rows = np.zeros((len(queries), 0), dtype=np.int64)
    for first in range(0, len(vectors), 20_000):
        last = min(first + 20_000, len(vectors))
        chunks, _, _ = vectors.stored(first, last)
        best = np.hstack([best, queries @ chunks.T])
        rows = np.hstack([rows, np.tile(np.arange(first, last), (len(queries), 1))])
        order = np.argsort(-best, axis=1, kind="stable")[:, :10]
        best, rows = (np.take_along_axis(own, order, axis=1) for own in (best, rows))
    found = [vectors.search(query, 100)[1][:10] for query in queries]
    recall = [len(set(a) & set(b)) / 10 for a, b in zip(found, rows.tolist(), strict=True)]
    words = [terms(question) for question in asked]

    def median_ms(call: Callable[[int], object]) -> float:
        taken = []
        for number in range(len(asked)):
            started = time.perf_counter()
            call(number)
            taken.append(time.perf_counter() - started)
        return round(1000 * float(np.median(taken)), 2)

    return {
        "recall_at_10": round(float(np.mean(recall)), 4),
        "encode_ms": median_ms(lambda n: encoder.encode_questions([asked[n]])),
        "dense_ms": median_ms(lambda n: vectors.search(queries[n], 100)),
        "lexical_ms": median_ms(lambda n: lexical.scores(words[n])),
    }


def filtered(size: int) -> Figures:
    """Recall and time of the vector search where a filter allows only a share of the chunks."""
    vectors = open_current(settings_for(size).index).vectors
    asked = [understand(question) for question in questions(QUESTIONS)[:50]]
    queries = query_vectors(load_encoder("default"), asked)
    chance = np.random.default_rng(1)
    figures: Figures = {}
    for share in (0.001, 0.02, 0.2):
        # Whole documents, as filters allow them.
        count = len(vectors) // SECTIONS
        documents = np.sort(chance.choice(count, max(5, round(share * count)), replace=False))
        allowed = (documents[:, None] * SECTIONS + np.arange(SECTIONS)).ravel()
        exact = np.vstack([vectors.chunks(part) for part in np.array_split(allowed, 64)])
        right, taken = [], []
        for query in queries:
            best = allowed[np.argsort(-(exact @ query), kind="stable")[:10]]
            started = time.perf_counter()
            _, found = vectors.search(query, 100, allowed)
            taken.append(time.perf_counter() - started)
            right.append(len(set(found[:10].tolist()) & set(best.tolist())) / 10)
        figures[f"filter_{share:g}"] = {
            "recall_at_10": round(float(np.mean(right)), 4),
            "p50_ms": round(1000 * float(np.median(taken)), 1),
        }
    return figures


def add(size: int) -> Figures:
    """A hundred documents more, through the same build."""
    corpus, encoder = load(FOLDER / "real.npz")
    settings = settings_for(size)
    # Two thousand passages that the real encoder would embed in some twenty seconds.
    first = sum(1 for _ in settings.corpus.rglob("*.md"))
    corpus.write(settings.corpus, first, first + ADDED)
    started = time.perf_counter()
    report = build_index(settings, encoder=encoder)
    seconds = time.perf_counter() - started
    if len(report.added) != ADDED:
        raise SystemExit(f"{len(report.added)} documents were added instead of {ADDED}")
    return {"add_s": round(seconds, 1), "add_peak_mb": peak_mb(), "add_embedded": report.embedded}


STEPS: dict[str, Callable[[int], Figures]] = {
    "texts": texts,
    "build": build,
    "ask": ask,
    "parts": parts,
    "filtered": filtered,
    "add": add,
}


def run(step: str, size: int) -> None:
    """One step in a fresh process; its figures are added to the file."""
    command = [sys.executable, __file__, "--child", "--step", step, "--sizes", str(size)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        sys.exit(f"{step} at {size:,} chunks failed")
    found = json.loads(result.stdout)
    print(f"{size:>9,} {step:9}", json.dumps(found), flush=True)
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    known.setdefault(str(size), {}).update(found)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(known, indent=1), "utf-8")


def main() -> None:
    """Measure, keep the figures, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--step", choices=STEPS, action="append")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    need_shared()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for size in arguments.sizes:
        for step in arguments.step or STEPS:
            if arguments.child:
                print(json.dumps(STEPS[step](size)))
            else:
                run(step, size)
    if not arguments.child:
        draw(json.loads(RESULTS.read_text("utf-8")))


if __name__ == "__main__":
    main()
