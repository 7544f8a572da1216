"""Indexes to measure on, made once and kept in `.bench/`: ours, and each peer's of the same chunks.

Ours is built by `rag build`. Its chunks are written out as JSON lines, their vectors as one array,
and every peer makes its own index of them, with the vectors given, and saves it in its own way.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from environments import PeerError, Server, System, rag_command, run, say

from rag.store.generation import open_current


@dataclass(frozen=True)
class Prepared:
    """Indexes of the same chunks.

    Attributes:
        folder: holds an index of each system under its name.
        chunks: how many there are.
    """

    folder: Path
    chunks: int

    def index(self, system: System) -> Path:
        """The index of a system."""
        return self.folder / system.name

    @property
    def passages(self) -> Path:
        """The chunks as JSON lines."""
        return self.folder / "chunks.jsonl"

    @property
    def vectors(self) -> Path:
        """Their vectors."""
        return self.folder / "vectors.npy"


def prepare(corpus: Path, folder: Path) -> Prepared:
    """Build or update our index of `corpus`, and write out its chunks if they have changed."""
    folder.mkdir(parents=True, exist_ok=True)
    say(f"rag build of {corpus.name}: takes minutes the first time")
    run(rag_command(), "build", corpus, "--index", folder / "rag", "--json")
    generation = open_current(folder / "rag")
    try:
        texts = list(generation.tables.enriched())
        prepared = Prepared(folder, len(texts))
        lines = [
            json.dumps({"id": f"{chunk.document}#{chunk.start}", "text": text}) + "\n"
            for chunk, text in zip(generation.tables.chunks(range(len(texts))), texts, strict=True)
        ]
        content = "".join(lines)
        if prepared.passages.exists() and prepared.passages.read_text("utf-8") == content:
            return prepared
        prepared.passages.write_text(content, "utf-8")
        vectors = generation.vectors.chunks(np.arange(len(texts)))
        np.save(prepared.vectors, np.ascontiguousarray(vectors, dtype=np.float32))
    finally:
        generation.close()
    return prepared


def digest(system: System, prepared: Prepared) -> str:
    """Changes with the chunks, and with the peer's versions and script."""
    parts = (prepared.passages, system.script, system.script.with_suffix(".txt"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()


def peer_index(system: System, prepared: Prepared) -> None:
    """Make the peer's index unless it is there for the same chunks, versions and script.

    Raises:
        PeerError: it cannot be made.
    """
    key = digest(system, prepared)
    folder = prepared.index(system)
    stamp = folder.with_suffix(".sha256")
    if folder.exists() and stamp.exists() and stamp.read_text("utf-8") == key:
        return
    say(f"{system.title}: index of {prepared.chunks:,} chunks from known vectors")
    shutil.rmtree(folder, ignore_errors=True)
    with Server(system) as server:
        server.ask("build", passages=prepared.passages, vectors=prepared.vectors)
        server.ask("save", folder=folder)
    if not folder.exists():
        raise PeerError("it saved nothing")
    stamp.write_text(key, "utf-8")
