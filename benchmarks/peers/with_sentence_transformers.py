"""The bare parts: sentence-transformers, FAISS and bm25s, fused by reciprocal rank.

What a careful engineer writes without a framework. The encoder with its default batch size (32)
and threads; an exact inner-product index (`IndexFlatIP`, the vectors are normalised); bm25s as its
README shows it, with English stop words and the Snowball stemmer. The best 100 of each side are
fused with k = 60. FAISS and bm25s are saved with their own functions, the texts as JSON lines.
"""

import json
from pathlib import Path
from typing import Any

import bm25s
import faiss
import numpy as np
import Stemmer
from common import FUSION_CONSTANT, Passage, main, read_passages
from sentence_transformers import SentenceTransformer

CANDIDATES = 100


class SentenceTransformersPeer:
    """See `common.Peer`."""

    def __init__(self, model: str) -> None:
        self.encoder = SentenceTransformer(model, device="cpu")
        self.stemmer = Stemmer.Stemmer("english")

    def build(self, passages: list[Passage], vectors: Any = None) -> None:
        """Encode, add to the flat index, index with BM25."""
        texts = [passage.text for passage in passages]
        vectors = self.encoder.encode(texts) if vectors is None else vectors
        self.dense = faiss.IndexFlatIP(vectors.shape[1])
        self.dense.add(vectors)
        self.lexical = bm25s.BM25()
        self.lexical.index(self._tokens(texts), show_progress=False)
        self.passages = passages

    def save(self, folder: Path) -> None:
        """Three files of three libraries."""
        folder.mkdir(parents=True)
        faiss.write_index(self.dense, str(folder / "dense.faiss"))
        self.lexical.save(folder / "lexical", show_progress=False)
        lines = (json.dumps(vars(passage)) + "\n" for passage in self.passages)
        (folder / "passages.jsonl").write_text("".join(lines), "utf-8")

    def load(self, folder: Path) -> None:
        """The same three."""
        self.dense = faiss.read_index(str(folder / "dense.faiss"))
        self.lexical = bm25s.BM25.load(folder / "lexical")
        self.passages = read_passages(folder / "passages.jsonl")

    def search(self, query: str, k: int) -> list[Passage]:
        """Both sides, fused."""
        return self.search_together([query], k)[0]

    def search_together(self, queries: list[str], k: int) -> list[list[Passage]]:
        """All queries encoded and searched in one call of each library."""
        depth = min(max(CANDIDATES, k), len(self.passages))
        _, near = self.dense.search(self.encoder.encode(queries), depth)
        found, scores = self.lexical.retrieve(self._tokens(queries), k=depth, show_progress=False)
        return [
            [self.passages[row] for row in self._fuse(dense, lexical[score > 0])[:k]]
            for dense, lexical, score in zip(near, found, scores, strict=True)
        ]

    def _tokens(self, texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=self.stemmer, show_progress=False)

    @staticmethod
    def _fuse(*rankings: np.ndarray) -> list[int]:
        scores: dict[int, float] = {}
        for ranking in rankings:
            for rank, row in enumerate(ranking.tolist(), start=1):
                scores[row] = scores.get(row, 0.0) + 1 / (FUSION_CONSTANT + rank)
        return sorted(scores, key=lambda row: -scores[row])


if __name__ == "__main__":
    main(SentenceTransformersPeer)
