"""Question → hits: embeddings and BM25, always both, fused.

The default encoder embeds questions with weights of their own (`rag.encoders.adapter`). The two
scores are brought to one scale by subtracting their mean over all chunks and dividing by their
standard deviation (z-scores), then added with weights. Where BM25 has found next to nothing of the
question's words, its order says nothing, and its weight goes to the embeddings. Half of the
embedding score is that of the chunk's best sentence. Ties are broken by position, so the order is
the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.asking.conversation import Understood
from rag.encoders import Encoder, Vectors
from rag.encoders.queries import encode_queries
from rag.store.generation import Generation
from rag.store.highest import floor
from rag.store.lexical import terms
from rag.types import Hit, Scores

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_CANDIDATES = 100
"""How many chunks each side proposes."""
SENTENCE_SHARE = 0.5
_REACH = (0.1, 0.2)
"""BM25 counts for nothing up to the first reach, and in full from the second on."""
_LEAST_SPREAD = 0.05
"""Below this standard deviation of cosines (a handful of near-equal chunks) z-scores explode."""


@dataclass(frozen=True)
class Found:
    """Hits, and what was computed on the way that reading them needs again.

    Attributes:
        hits: best first.
        query: the question's vector with its history, as it is searched with, shape (d,).
        similarities: for each hit, the cosine of `query` with each of its sentences.
    """

    hits: tuple[Hit, ...]
    query: Vectors
    similarities: tuple[Floats, ...]


def query_vectors(
    encoder: Encoder, questions: Sequence[Understood], *, adapted: bool = True
) -> list[Vectors]:
    """For each question, the weighted sum of its own vector and those before it, normalised.

    With `adapted` false questions are embedded as if they were passages.

    Raises:
        EncoderError: the encoder cannot be loaded.
    """
    texts = list(dict.fromkeys(text for q in questions for text, _ in q.queries))
    known = dict(zip(texts, encode_queries(encoder, texts, adapted=adapted), strict=True))
    vectors = []
    for question in questions:
        total = sum(np.float32(weight) * known[text] for text, weight in question.queries)
        norm = float(np.linalg.norm(total))
        vectors.append(np.asarray(total / norm if norm > 0 else total, dtype=np.float32))
    return vectors


def candidates(generation: Generation, queries: Sequence[Vectors], k: int) -> list[Rows]:
    """For each of many questions the rows that its vector proposes to `search`."""
    if not queries or len(generation.vectors) == 0:
        return [np.zeros(0, dtype=np.int64) for _ in queries]
    found = generation.vectors.search_many(np.stack(queries), max(_CANDIDATES, k))
    return [rows for _, rows in found]


def search(
    generation: Generation,
    query: Vectors,
    understood: Understood,
    k: int,
    dense_weight: float,
    allowed: Rows | None = None,
    sentence_share: float = SENTENCE_SHARE,
    near: Rows | None = None,
) -> Found:
    """The `k` best chunks for a question.

    What is allowed is decided before anything is ranked. It changes no score: means and spreads
    are those of the whole index, so that a score means the same with and without a filter.

    Args:
        generation: the snapshot to search.
        query: from `query_vectors`.
        understood: the question.
        k: how many hits at most.
        dense_weight: share of the embeddings in the fused score, 0 to 1; BM25 has the rest, or
            less of it where it reaches little.
        allowed: rows that may be found, ascending; None allows all.
        sentence_share: share of the best sentence in the embedding score, 0 to 1.
        near: from `candidates` with this `k`, if they are known and all rows are allowed.
    """
    vectors = generation.vectors
    if len(vectors) == 0 or k < 1 or (allowed is not None and len(allowed) == 0):
        return Found((), query, ())
    lexical, reach = _lexical(generation, understood)
    if dense_weight:
        dense_weight = 1 - (1 - dense_weight) * float(np.interp(reach, _REACH, (0, 1)))
    wanted = max(_CANDIDATES, k)
    if near is None:
        _, near = vectors.search(query, wanted, allowed)
    rows = np.union1d(near, _best(lexical, wanted, allowed))
    # Row by row, unlike a matrix product: equal passages get equal scores wherever they stand.
    dense = np.vecdot(vectors.chunks(rows), query)
    similarities, positions = vectors.sentence_cosines(rows, query)
    best = _highest(similarities, positions)
    mean, spread = vectors.spread(query)
    mixed = (1 - sentence_share) * dense + sentence_share * best
    fused = dense_weight * (mixed - mean) / max(spread, _LEAST_SPREAD)
    fused += (1 - dense_weight) * _standardised(lexical, rows)
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
    cosines = tuple(similarities[positions[i] : positions[i + 1]] for i in order)
    return Found(hits, query, cosines)


def _lexical(generation: Generation, understood: Understood) -> tuple[Floats, float]:
    """BM25 of every chunk, and its reach; earlier questions are weighted.

    The reach is the best score as a share of what a chunk would score that has all words, each as
    prominently as any chunk does: 0 to 1.
    """
    total, most = np.zeros(len(generation.lexical), dtype=np.float32), 0.0
    for text, weight in understood.queries:
        words = terms(text)
        own = generation.lexical.scores(words)
        total += own if weight == 1 else np.float32(weight) * own
        most += weight * generation.lexical.most(words)
    return total, float(total.max()) / most if most else 0.0


def _highest(similarities: Floats, positions: Rows) -> Floats:
    """The highest similarity of each chunk's sentences; -1 for a chunk without any."""
    best = np.full(len(positions) - 1, -1, dtype=np.float32)
    some = positions[1:] > positions[:-1]
    if some.any():
        best[some] = np.maximum.reduceat(similarities, positions[:-1][some])
    return best


def _best(scores: Floats, k: int, allowed: Rows | None = None) -> Rows:
    """Allowed rows of the `k` highest positive scores; among equals the first rows."""
    own = scores if allowed is None else scores[allowed]
    least = floor(own, k)
    found = np.flatnonzero(own >= least if least > 0 else own > 0)
    if len(found) > k:
        candidates = own[found]
        threshold = np.partition(candidates, -k)[-k]
        above, equal = found[candidates > threshold], found[candidates == threshold]
        found = np.concatenate([above, equal[: k - len(above)]])
    return found if allowed is None else allowed[found]


def _standardised(scores: Floats, rows: Rows) -> Floats:
    """How many standard deviations the scores of these rows lie above the mean of all."""
    mean = float(scores.mean(dtype=np.float64))
    variance = float(scores @ scores) / len(scores) - mean**2
    spread = max(variance, 0.0) ** 0.5
    own: Floats = scores[rows] - np.float32(mean)
    return own / np.float32(spread) if spread > 0 else np.zeros_like(own)
