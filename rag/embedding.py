"""Chunk → vectors: of the chunk and of its sentences, computed only where they are not known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from rag.encoders import Encoder, Vectors
from rag.store.generation import Generation
from rag.store.journal import Journal
from rag.text.markup import plain_text
from rag.text.rows import cells_of
from rag.types import Chunk, Sentence

ChunkVectors = tuple[npt.NDArray[np.float32], npt.NDArray[np.float16]]
"""The vector of a chunk, shape (d,), and those of its sentences, shape (n, d)."""

Progress = Callable[[str, int, int], None]
"""Called with a stage of a build, how much of its work is done, and its total.

"reading" is measured in bytes of the files that have to be read, "embedding" in characters of
the passages whose vectors have to be computed, "finishing" in passages: equal steps take about
equal time. The first two go on at once, so the total of "embedding" grows until all is read.
"""


def plain_sentence(chunk: Chunk, at: int) -> str:
    """Sentence `at` of a chunk without markup, as it is shown."""
    sentence = chunk.sentences[at]
    words = chunk.text[sentence.start - chunk.start : sentence.end - chunk.start]
    return plain_text(chunk.document, words)


def plain_sentences(chunk: Chunk) -> list[str]:
    """The sentences of a chunk without markup."""
    return [plain_sentence(chunk, at) for at in range(len(chunk.sentences))]


def sentence_texts(chunk: Chunk) -> list[str]:
    """The sentences of a chunk as they are embedded and read.

    A table row names its columns ("Grade: G5 | Notice: 8 weeks") and has what earlier rows of the
    chunk say for it as well. List entries stand without their lead-in: with it they all look alike
    (measured on the handbook: hits .68 without, .64 with).
    """
    plains = plain_sentences(chunk)
    places = ((sentence.start, sentence.end) for sentence in chunk.sentences)
    rows = {
        place: cells_of(plain)
        for place, sentence, plain in zip(places, chunk.sentences, plains, strict=True)
        if sentence.kind == "row"
    }
    return [
        _in_full(sentence, plain, rows) if sentence.kind == "row" else plain
        for sentence, plain in zip(chunk.sentences, plains, strict=True)
    ]


def _in_full(sentence: Sentence, row: str, rows: dict[tuple[int, int], list[str]]) -> str:
    """A row with its columns named, the first cell that it lacks, and its group before it."""
    above = [rows[place] for place in sentence.above if place in rows]
    groups = [cells[0] for cells in above if not any(cells[1:])]
    named = next((cells[0] for cells in above if any(cells[1:])), "")
    row = f"{named} {row}" if row.startswith("|") else row
    return " | ".join([*groups, _with_header(sentence.lead_text, row.strip())])


def _with_header(header: str, row: str) -> str:
    names = [name.strip() for name in header.split("|")]
    cells = [cell.strip() for cell in row.split("|")]
    width = len(cells)
    if len(names) % width:
        return row
    # A header of several rows names a column several times: "Deposit Summer".
    columns = [" ".join(filter(None, dict.fromkeys(names[at::width]))) for at in range(width)]
    return " | ".join(
        f"{name}: {cell}" if name else cell
        for name, cell in zip(columns, cells, strict=True)
        if cell
    )


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

    def knows(self, key: bytes) -> bool:
        """True if nothing has to be computed for a chunk with this `vector_key`."""
        known = self._known
        return (known is not None and known.tables.find_vectors(key) is not None) or (
            self._journal.find(key) is not None
        )

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
        # Policies repeat themselves: an equal sentence is encoded once.
        distinct = list(dict.fromkeys([*texts, *(text for own in sentences for text in own)]))
        row = {text: number for number, text in enumerate(distinct)}
        matrix = self._encoder.encode(distinct)
        computed: dict[bytes, ChunkVectors] = {
            key: (
                matrix[row[text]],
                matrix[[row[sentence] for sentence in own]].astype(np.float16),
            )
            for key, text, own in zip(fresh, texts, sentences, strict=True)
        }
        self._journal.add((key, *vectors) for key, vectors in computed.items())
        self.embedded += len(fresh)
        return computed
