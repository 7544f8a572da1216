"""Question → hits: embeddings and BM25, always both, fused.

The two scores are brought to one scale by subtracting their mean over all chunks and dividing by
their standard deviation (z-scores), then added with fixed weights. Half of the embedding score
is that of the chunk's best sentence. Ties are broken by position, so the order is the same
everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.conversation import Understood
from rag.encoders import Encoder, Vectors
from rag.store.generation import Generation
from rag.store.lexical import terms
from rag.types import Hit, Scores

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_CANDIDATES = 100
"""How many chunks each side proposes."""
_SENTENCE_SHARE = 0.5
_LEAST_SPREAD = 0.05
"""Below this standard deviation of cosines (a handful of near-equal chunks) z-scores explode."""


@dataclass(frozen=True)
class Found:
    """Hits, and what was computed on the way that reading them needs again.

    Attributes:
        hits: best first.
        query: the question's vector with its history, shape (d,).
        similarities: for each hit, the cosine of `query` with each of its sentences.
    """

    hits: tuple[Hit, ...]
    query: Vectors
    similarities: tuple[Floats, ...]


def query_vectors(encoder: Encoder, questions: Sequence[Understood]) -> list[Vectors]:
    """For each question, the weighted sum of its own vector and those before it, normalised."""
    texts = list(dict.fromkeys(text for q in questions for text, _ in q.queries))
    known = dict(zip(texts, encoder.encode(texts), strict=True))
    vectors = []
    for question in questions:
        total = sum(np.float32(weight) * known[text] for text, weight in question.queries)
        norm = float(np.linalg.norm(total))
        vectors.append(np.asarray(total / norm if norm > 0 else total, dtype=np.float32))
    return vectors


def search(
    generation: Generation,
    query: Vectors,
    understood: Understood,
    k: int,
    dense_weight: float,
    allowed: Rows | None = None,
) -> Found:
    """The `k` best chunks for a question.

    What is allowed is decided before anything is ranked. It changes no score: means and spreads
    are those of the whole index, so that a score means the same with and without a filter.

    Args:
        generation: the snapshot to search.
        query: from `query_vectors`.
        understood: the question.
        k: how many hits at most.
        dense_weight: share of the embeddings in the fused score, 0 to 1; BM25 has the rest.
        allowed: rows that may be found, ascending; None allows all.
    """
    vectors = generation.vectors
    if len(vectors) == 0 or k < 1 or (allowed is not None and len(allowed) == 0):
        return Found((), query, ())
    lexical = np.zeros(len(vectors), dtype=np.float32)
    for text, weight in understood.queries:
        lexical += np.float32(weight) * generation.lexical.scores(terms(text))
    wanted = max(_CANDIDATES, k)
    _, near = vectors.search(query, wanted, allowed)
    rows = np.union1d(near, _best(lexical, wanted, allowed))
    dense = vectors.chunks(rows) @ query
    sentences, positions = vectors.sentences_of(rows)
    similarities = sentences @ query
    best = np.array(
        [similarities[a:b].max() if b > a else -1.0 for a, b in _pairs(positions)],
        dtype=np.float32,
    )
    mean, spread = vectors.spread(query)
    mixed = (1 - _SENTENCE_SHARE) * dense + _SENTENCE_SHARE * best
    fused = dense_weight * (mixed - mean) / max(spread, _LEAST_SPREAD)
    fused += (1 - dense_weight) * _standardised(lexical)[rows]
    order = np.lexsort((rows, -fused))[:k]
    chunks = generation.tables.chunks(rows[order].tolist())
    hits = tuple(
        Hit(
            rank=rank,
            row=int(rows[i]),
            chunk=chunk,
            scores=Scores(
                dense=float(dense[i]),
                sentence=float(best[i]),
                lexical=float(lexical[rows[i]]),
                fused=float(fused[i]),
            ),
        )
        for rank, (i, chunk) in enumerate(zip(order, chunks, strict=True), start=1)
    )
    own = tuple(similarities[positions[i] : positions[i + 1]] for i in order)
    return Found(hits, query, own)


def _best(scores: Floats, k: int, allowed: Rows | None = None) -> Rows:
    """Allowed rows of the `k` highest positive scores; among equals the first rows."""
    positive = np.flatnonzero(scores > 0) if allowed is None else allowed[scores[allowed] > 0]
    if len(positive) > k:
        threshold = np.partition(scores[positive], -k)[-k]
        above = positive[scores[positive] > threshold]
        equal = positive[scores[positive] == threshold]
        positive = np.concatenate([above, equal[: k - len(above)]])
    return positive.astype(np.int64)


def _standardised(scores: Floats) -> Floats:
    spread = float(scores.std())
    standard: Floats = (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)
    return standard


def _pairs(positions: npt.NDArray[np.int64]) -> Sequence[tuple[int, int]]:
    return list(zip(positions[:-1].tolist(), positions[1:].tolist(), strict=True))
