"""Chunk → vectors: of the chunk and of its sentences, computed only where they are not known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.encoders import Encoder, Vectors
from rag.markup import plain_text
from rag.store.generation import Generation
from rag.store.journal import Journal
from rag.store.tables import Tables
from rag.store.vectors import VectorWriter
from rag.types import Chunk

ChunkVectors = tuple[npt.NDArray[np.float32], npt.NDArray[np.float16]]
"""The vector of a chunk, shape (d,), and those of its sentences, shape (n, d)."""

Progress = Callable[[str, int, int], None]
"""Called with a stage of a build, how much of its work is done, and its total.

"reading" is measured in bytes of the files that have to be read, "embedding" in characters of
the passages whose vectors have to be computed: equal steps take about equal time.
"""


@dataclass(frozen=True)
class Run:
    """Chunks [start, end) of the new generation; `old` is the row of the first if it was copied."""

    start: int
    end: int
    old: int | None

    def windows(self, longest: int) -> Iterator[Run]:
        """The same in pieces of at most `longest` chunks."""
        for start in range(self.start, self.end, longest):
            old = None if self.old is None else self.old + start - self.start
            yield Run(start, min(start + longest, self.end), old)


def plain_sentences(chunk: Chunk) -> list[str]:
    """The sentences of a chunk without markup, as they are shown."""
    return [
        plain_text(chunk.document, chunk.text[s.start - chunk.start : s.end - chunk.start])
        for s in chunk.sentences
    ]


def sentence_texts(chunk: Chunk) -> list[str]:
    """The sentences of a chunk as they are embedded and read.

    A table row names its columns ("Grade: G5 | Notice: 8 weeks"). List entries stand without
    their lead-in: with it they all look alike (measured on the handbook: hits .68 without, .64
    with).
    """
    return [
        _with_header(sentence.lead_text, plain) if sentence.kind == "row" else plain
        for sentence, plain in zip(chunk.sentences, plain_sentences(chunk), strict=True)
    ]


def _with_header(header: str, row: str) -> str:
    names, cells = header.split("|"), row.split("|")
    if len(names) != len(cells):
        return row
    pairs = zip(names, cells, strict=True)
    return " | ".join(f"{n.strip()}: {c.strip()}" for n, c in pairs if c.strip())


def vector_key(chunk: Chunk) -> bytes:
    """Digest of all that is embedded for a chunk; equal keys have equal vectors."""
    parts = "\x1f".join([chunk.enriched, *sentence_texts(chunk)])
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).digest()[:16]


class Embedder:
    """Finds vectors in the published generation or the journal, and computes the rest.

    Attributes:
        embedded: chunks computed so far; the same text twice counts once.
    """

    def __init__(self, encoder: Encoder, known: Generation | None, journal: Journal) -> None:
        """`known` must be None if it was made with another encoder."""
        self._encoder, self._known, self._journal = encoder, known, journal
        self.embedded = 0

    def vectors(self, chunks: Sequence[Chunk], keys: Sequence[bytes]) -> list[ChunkVectors]:
        """Vectors of `chunks`, whose `vector_key`s are `keys`; new ones go into the journal."""
        found = {key: self._find(key) for key in keys}
        fresh = {k: c for k, c in zip(keys, chunks, strict=True) if found[k] is None}
        found.update(self._compute(fresh))
        return [vectors for key in keys if (vectors := found[key]) is not None]

    def write(
        self, windows: Sequence[Run], tables: Tables, writer: VectorWriter, progress: Progress
    ) -> None:
        """Write the vectors of all chunks, one window at a time, and close the writer.

        Args:
            windows: all chunks in row order, in pieces that are embedded at once.
            tables: of the new generation, complete.
            writer: empty.
            progress: told of "embedding".
        """
        planned: set[bytes] = set()
        work = [self._work(window, tables, planned) for window in windows]
        done, total = 0, sum(work)
        for window, own in zip(windows, work, strict=True):
            if own or not done:
                progress("embedding", done, total)
            length = window.end - window.start
            if window.old is not None and self._known is not None:
                block = self._known.vectors.block(window.old, window.old + length)
                writer.add_block(*block)
            else:
                keys = tables.chunk_keys(window.start, length)
                writer.add(self.vectors(tables.chunks(range(window.start, window.end)), keys))
            done += own
        progress("embedding", total, total)
        writer.close()

    def _work(self, window: Run, tables: Tables, planned: set[bytes]) -> int:
        """Characters of the chunks whose vectors will have to be computed."""
        if window.old is not None:
            return 0
        fresh = {
            key: size
            for key, size in tables.sizes(window.start, window.end - window.start)
            if key not in planned and self._find(key) is None
        }
        planned |= fresh.keys()
        return sum(fresh.values())

    def _find(self, key: bytes) -> ChunkVectors | None:
        if self._known is not None:
            place = self._known.tables.find_vectors(key)
            if place is not None:
                row, first, last = place
                vectors = self._known.vectors
                chunk: Vectors = vectors.chunks(np.array([row]))[0]
                return chunk, vectors.sentences(first, last)
        return self._journal.find(key)

    def _compute(self, fresh: dict[bytes, Chunk]) -> dict[bytes, ChunkVectors]:
        if not fresh:
            return {}
        sentences = [sentence_texts(chunk) for chunk in fresh.values()]
        texts = [chunk.enriched for chunk in fresh.values()]
        matrix = self._encoder.encode([*texts, *(text for own in sentences for text in own)])
        computed: dict[bytes, ChunkVectors] = {}
        first = len(texts)
        for row, (key, own) in enumerate(zip(fresh, sentences, strict=True)):
            last = first + len(own)
            computed[key] = (matrix[row], matrix[first:last].astype(np.float16))
            first = last
        self._journal.add((key, *vectors) for key, vectors in computed.items())
        self.embedded += len(fresh)
        return computed
