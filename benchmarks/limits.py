"""What this machine can do at most, and how much of it the encoder uses.

    python benchmarks/limits.py

Prints a Markdown table: the matrix-multiply peak in float32 and bfloat16 and the memory bandwidth
on one thread and on all, and the share of that peak which encoding real passages reaches. Also
written to `benchmarks/out/limits.json`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from environments import BENCH, ROOT
from made_corpus import real_documents
from prepared import prepare

from rag.encoders import load_encoder
from rag.settings import Precision
from rag.store.generation import open_current

LAYERS, HIDDEN, INNER = 6, 384, 1536
"""Of all-MiniLM-L6-v2."""
_SIDE = 3072
_MEGABYTES = 512


def best(action: Callable[[], object], seconds: float = 2.0) -> float:
    """Least time of a call, repeated for some seconds: what the machine can do undisturbed."""
    action()
    least, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        action()
        least = min(least, time.perf_counter() - started)
    return least


def matrix_peak(threads: int, kind: torch.dtype) -> float:
    """GFLOP/s of a large square product."""
    torch.set_num_threads(threads)
    one, other = torch.rand(_SIDE, _SIDE).to(kind), torch.rand(_SIDE, _SIDE).to(kind)
    with torch.inference_mode():
        return 2 * _SIDE**3 / best(lambda: one @ other) / 1e9


def bandwidth(threads: int) -> float:
    """GB/s read and written by copying arrays that fit no cache."""
    size = _MEGABYTES * 2**20 // 4 // threads
    pairs = [(np.ones(size, np.float32), np.zeros(size, np.float32)) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        # NumPy lets go of the interpreter lock while it copies.
        taken = best(lambda: list(pool.map(lambda pair: np.copyto(pair[1], pair[0]), pairs)))
    return 2 * _MEGABYTES * 2**20 / taken / 1e9


def flops(tokens: int) -> float:
    """Floating-point operations of the encoder on one text, multiply and add counted as two.

    Per layer: four projections and two feed-forward products for every token, and two products of
    attention, quadratic in the length. Norms, softmax and GELU are left out, as is usual.
    """
    products = 2 * tokens * (4 * HIDDEN**2 + 2 * HIDDEN * INNER)
    attention = 4 * tokens**2 * HIDDEN
    return float(LAYERS * (products + attention))


def encoder_rate() -> dict[str, float]:
    """What the encoder reaches on the chunks of real documents."""
    corpus = real_documents(9)
    prepared = prepare(corpus, BENCH / f"index-{corpus.name}")
    generation = open_current(prepared.folder / "rag")
    texts = list(generation.tables.enriched())
    generation.close()
    tokens = load_encoder("default").count_tokens(texts)
    work = sum(map(flops, tokens))
    found = {
        "chunks": len(texts),
        "mean tokens": sum(tokens) / len(texts),
        "GFLOP a chunk": work / len(texts) / 1e9,
    }
    precisions: tuple[Precision, ...] = ("fp32", "auto")
    for precision in precisions:
        encoder = load_encoder("default", bulk=precision)
        taken = best(lambda: encoder.encode(texts), seconds=15)  # noqa: B023
        found[f"{precision}: chunks/s"] = len(texts) / taken
        found[f"{precision}: GFLOP/s"] = work / taken / 1e9
    return found


def main() -> None:
    """Measure and print."""
    cores = os.cpu_count() or 1
    rows: dict[str, dict[str, float]] = {}
    for threads in sorted({1, cores}):
        name = f"{threads} thread" + ("s" if threads > 1 else "")
        rows[name] = {
            "float32 GFLOP/s": matrix_peak(threads, torch.float32),
            "bfloat16 GFLOP/s": matrix_peak(threads, torch.bfloat16),
            "copy GB/s": bandwidth(threads),
        }
    encoder = encoder_rate()
    peak = rows[name]
    encoder["fp32: share of the float32 peak"] = encoder["fp32: GFLOP/s"] / peak["float32 GFLOP/s"]
    encoder["auto: share of the bfloat16 peak"] = (
        encoder["auto: GFLOP/s"] / peak["bfloat16 GFLOP/s"]
    )
    out = ROOT / "benchmarks" / "out" / "limits.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"peak": rows, "encoder": encoder}, indent=1) + "\n", "utf-8")
    print("| peak | float32 GFLOP/s | bfloat16 GFLOP/s | copy GB/s |\n| --- | --- | --- | --- |")
    for label, own in rows.items():
        print(f"| {label} | " + " | ".join(f"{value:.0f}" for value in own.values()) + " |")
    print("\n| encoder on real passages | |\n| --- | --- |")
    for label, value in encoder.items():
        print(f"| {label} | {value:.3g} |" if value < 1000 else f"| {label} | {value:.0f} |")


if __name__ == "__main__":
    main()
