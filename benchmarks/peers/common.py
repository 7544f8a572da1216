"""What the peers' scripts have in common: one small interface, driven from the command line.

    python with_NAME.py first MODEL FOLDER QUERY [K]   load a saved index, print the hits, end
    python with_NAME.py serve MODEL                    obey the JSON lines of stdin

Each script runs in an environment of its own and defines one class, a `Peer`; what it imports is
imported at the top, so that a cold process pays for it as a user's would.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

FUSION_CONSTANT = 60
"""k of reciprocal rank fusion (Cormack et al. 2009)."""


@dataclass(frozen=True)
class Passage:
    """A chunk as we cut it: what is embedded and searched."""

    id: str
    text: str


class Peer(Protocol):
    """A hybrid search (embeddings and BM25) made with one library."""

    def __init__(self, model: str) -> None:
        """Load the encoder from the folder `model`, on the CPU."""

    def build(self, passages: list[Passage], vectors: Any = None) -> None:
        """Index the passages; `vectors`, shape (n, d), saves computing them."""

    def save(self, folder: Path) -> None:
        """Write the index as the library's documentation says."""

    def load(self, folder: Path) -> None:
        """Open what `save` wrote."""

    def search(self, query: str, k: int) -> list[Passage]:
        """The `k` best passages with their texts, best first."""
        ...


def read_passages(path: Path) -> list[Passage]:
    """Passages from JSON lines with id and text."""
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    return [Passage(row["id"], row["text"]) for row in rows]


def main(kind: type[Peer]) -> None:
    """Run the command in `sys.argv`."""
    # Libraries print to stdout as they please; results go to the real one.
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    command, model, *rest = sys.argv[1:]
    peer = kind(model)
    if command == "first":
        peer.load(Path(rest[0]))
        hits = peer.search(rest[1], int(rest[2]) if rest[2:] else 10)
        print(json.dumps([vars(hit) for hit in hits]), file=results, flush=True)
        return
    for line in sys.stdin:
        print(json.dumps(_obey(peer, json.loads(line))), file=results, flush=True)


def _obey(peer: Peer, order: dict[str, Any]) -> dict[str, Any]:
    match order["do"]:
        case "build":
            passages, vectors = read_passages(Path(order["passages"])), None
            if order.get("vectors"):
                import numpy as np

                vectors = np.load(order["vectors"])
            started = time.perf_counter()
            peer.build(passages, vectors)
            return {"seconds": time.perf_counter() - started}
        case "save":
            peer.save(Path(order["folder"]))
            return {}
        case "load":
            peer.load(Path(order["folder"]))
            return {}
        case "search":
            found, taken = [], []
            for query in order["queries"]:
                started = time.perf_counter()
                hits = peer.search(query, order["k"])
                taken.append(1000 * (time.perf_counter() - started))
                found.append([hit.id for hit in hits])
            return {"ids": found, "ms": taken}
        case "search together":
            started = time.perf_counter()
            together: Any = getattr(peer, "search_together")  # noqa: B009 - only one peer has it
            together(order["queries"], order["k"])
            return {"seconds": time.perf_counter() - started}
        case unknown:
            raise ValueError(unknown)
