"""Chunk → vectors: of the chunk and of its sentences, computed only where they are not known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rag.encoders import Encoder, Vectors
from rag.markup import plain_text
from rag.store.generation import Generation
from rag.store.journal import Journal
from rag.types import Chunk

ChunkVectors = tuple[npt.NDArray[np.float32], npt.NDArray[np.float16]]
"""The vector of a chunk, shape (d,), and those of its sentences, shape (n, d)."""


def sentence_texts(chunk: Chunk) -> list[str]:
    """The sentences of a chunk without markup, as they are embedded and shown."""
    return [
        plain_text(chunk.document, chunk.text[s.start - chunk.start : s.end - chunk.start])
        for s in chunk.sentences
    ]


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
