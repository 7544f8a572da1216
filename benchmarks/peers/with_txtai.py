"""txtai: `Embeddings(hybrid=True, content=True)`, as its page on the hybrid index shows it.

Everything else at its defaults: mean pooling on transformers (no sentence-transformers is
imported), its own BM25, convex combination of both scores, FAISS chosen by txtai (exact up to
5,000 rows; approximate, IVF, above). With `content=True`, because a hit without its text is of no
use; the texts then lie in SQLite. Known vectors are given through the method "external".
"""

from pathlib import Path
from typing import Any

from common import Passage, main
from txtai import Embeddings


class TxtaiPeer:
    """See `common.Peer`."""

    def __init__(self, model: str) -> None:
        self.options = {"path": model, "hybrid": True, "content": True, "gpu": False}
        # Loads the model when it is made, and again when an index is opened: not both.
        self.embeddings: Embeddings | None = None

    def build(self, passages: list[Passage], vectors: Any = None) -> None:
        """One call of `index`."""
        rows = [(passage.id, passage.text) for passage in passages]
        if vectors is None:
            if self.embeddings is None:
                self.embeddings = Embeddings(self.options)
            self.embeddings.index(rows)
            return
        known = {passage.text: row for row, passage in enumerate(passages)}

        def transform(texts: list[str]) -> Any:
            return vectors[[known[text] for text in texts]]

        external = {**self.options, "method": "external", "transform": transform}
        index = Embeddings(external)
        index.index(rows)
        # Queries are encoded with the model, as if it had encoded the texts too.
        del index.config["transform"], index.config["method"]
        self.embeddings = index

    def save(self, folder: Path) -> None:
        """One call of `save`."""
        self.embeddings.save(str(folder))

    def load(self, folder: Path) -> None:
        """One call of `load`."""
        self.embeddings = Embeddings()
        self.embeddings.load(str(folder))

    def search(self, query: str, k: int) -> list[Passage]:
        """One call of `search`."""
        return [Passage(hit["id"], hit["text"]) for hit in self.embeddings.search(query, k)]


if __name__ == "__main__":
    main(TxtaiPeer)
