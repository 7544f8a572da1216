"""Ours against what people would use instead: the same chunks, encoder, queries, machine and run.

    python benchmarks/peers.py                     everything
    python benchmarks/peers.py --quick             5,000 chunks, one round, fewer queries
    python benchmarks/peers.py --only cold,warm    some of the steps

Each peer has an environment of its own in `.bench/`, at the versions pinned beside its script in
`benchmarks/peers/`; a peer that cannot be installed is named and left out. Environments, indexes
and results are kept: a second run goes on where the first one stopped. Results, tables and charts:
`benchmarks/out/peers.json`, `benchmarks/out/peers.md`, `benchmarks/pictures/*.svg`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import measures
from environments import BENCH, OURS, PEERS, ROOT, System, say
from made_corpus import RETRIEVAL, SHARED, made_corpus, need_shared, questions, real_documents
from peer_quality import quality
from peer_tables import draw, tables
from prepared import Prepared, peer_index, prepare

OUT = ROOT / "benchmarks" / "out"
BARE = PEERS[0]
BATCHES = (1_000, 10_000)


@dataclass(frozen=True)
class Bench:
    """A run: how much of everything, and who takes part."""

    peers: list[System]
    quick: bool
    rounds: int

    @cached_property
    def large(self) -> Prepared:
        """The index that is searched."""
        size = 5_000 if self.quick else 20_000
        return prepare(made_corpus(size), BENCH / f"index-{size}")

    @cached_property
    def searched(self) -> list[System]:
        """The peers that have an index of it."""
        large = self.large
        return measures.working(self.peers, lambda peer: peer_index(peer, large))

    def build(self) -> measures.Figures:
        """Chunks a second."""
        corpus = real_documents(9 if self.quick else 3)
        prepared = prepare(corpus, BENCH / f"index-{corpus.name}")
        # Encoding takes long enough for one round less to do.
        return measures.build([OURS, *self.peers], corpus, prepared, max(1, self.rounds - 1))

    def cold(self) -> measures.Figures:
        """Seconds to the first hit."""
        return measures.cold(self.searched, self.large, questions(1)[0], self.rounds)

    def warm(self) -> measures.Figures:
        """Milliseconds a query."""
        asked = questions(30 if self.quick else 120)
        return measures.warm([OURS, *self.searched], self.large, asked, self.rounds)

    def batch(self) -> measures.Figures:
        """Queries a second, all at once: few, and so many that the start hardly counts."""
        return {str(count): self._batch_of(count) for count in ((200,) if self.quick else BATCHES)}

    def _batch_of(self, count: int) -> measures.Figures:
        asked = questions(count)
        path = BENCH / "batch.jsonl"
        rows = [json.dumps({"id": str(n), "question": q}) for n, q in enumerate(asked)]
        path.write_text("\n".join(rows) + "\n", "utf-8")
        return measures.together(BARE, self.large, path, asked, self.rounds)

    def start(self) -> measures.Figures:
        """CPU seconds of a command that does nothing."""
        return measures.start()

    def quality(self) -> measures.Figures:
        """Recall and nDCG."""
        limit = 100 if self.quick else None
        return {name: quality(self.peers, SHARED / "eval" / name, limit) for name in RETRIEVAL}


def machine() -> str:
    """Where and when, in a line."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if line.startswith("model name")
    ]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{time.strftime('%d %B %Y, %H:%M')}, on {os.cpu_count()} cores ({names[0]}), "
        f"{memory:.0f} GiB, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} "
        "at the start"
    )


def main() -> None:
    """Measure, write, draw."""
    steps = ("start", "cold", "warm", "batch", "build", "quality")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(steps), help="steps: " + ", ".join(steps))
    options = parser.parse_args()
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(steps) - {"prepare"}:
        parser.error(f"unknown steps: {', '.join(sorted(unknown))}")
    need_shared()
    BENCH.mkdir(exist_ok=True)
    OUT.mkdir(exist_ok=True)
    target = OUT / ("peers-quick.json" if options.quick else "peers.json")
    results = json.loads(target.read_text("utf-8")) if target.exists() else {}
    results["machine"] = machine()
    peers = measures.working(PEERS, System.install)
    bench = Bench(peers, options.quick, 1 if options.quick else options.rounds)
    results["versions"] = {system.name: system.versions for system in peers}
    if "prepare" in wanted:
        say(f"{bench.large.chunks:,} chunks, {len(bench.searched)} peers have an index of them")
    for name in steps:
        if name in wanted:
            step: Callable[[], measures.Figures] = getattr(bench, name)
            results[name] = step()
            if name == "batch" and "warm" in results:
                median = statistics.median(results["warm"]["ms"][OURS.name])
                for figures in results["batch"].values():
                    figures["one by one"] = 1000 / median
            target.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    text = tables(results)
    target.with_suffix(".md").write_text(text, "utf-8")
    if not options.quick:
        draw(results)
    print(text)


if __name__ == "__main__":
    main()
