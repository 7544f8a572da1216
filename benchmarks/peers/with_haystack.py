"""Haystack: InMemoryDocumentStore with embedding and BM25 retrieval in one pipeline.

The pipeline of the tutorial on hybrid retrieval: text embedder, the two in-memory retrievers and
a DocumentJoiner. The tutorial ranks the joined documents with another model; without one, the
joiner's own "reciprocal_rank_fusion" ranks them. Store and embedders have their defaults. The
store is saved with `save_to_disk` and opened with `load_from_disk`, as its page says.
"""

from functools import cached_property
from pathlib import Path
from typing import Any

from common import Passage, main
from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import (
    InMemoryBM25Retriever,
    InMemoryEmbeddingRetriever,
)
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.utils import ComponentDevice
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)

FILE = "store.json"


class HaystackPeer:
    """See `common.Peer`."""

    def __init__(self, model: str) -> None:
        self.options = {
            "model": model,
            "device": ComponentDevice.from_str("cpu"),
            "progress_bar": False,
        }

    def build(self, passages: list[Passage], vectors: Any = None) -> None:
        """Embed the documents and write them to the store."""
        documents = [Document(id=passage.id, content=passage.text) for passage in passages]
        if vectors is None:
            documents = self._embedder.run(documents=documents)["documents"]
        else:
            documents = [
                Document(id=passage.id, content=passage.text, embedding=vector)
                for passage, vector in zip(passages, vectors.tolist(), strict=True)
            ]
        self.store = InMemoryDocumentStore()
        self.store.write_documents(documents)
        self._connect()

    def save(self, folder: Path) -> None:
        """One JSON file."""
        folder.mkdir(parents=True)
        self.store.save_to_disk(str(folder / FILE))

    def load(self, folder: Path) -> None:
        """The same file."""
        self.store = InMemoryDocumentStore.load_from_disk(str(folder / FILE))
        self._connect()

    def search(self, query: str, k: int) -> list[Passage]:
        """One run of the pipeline."""
        orders = {
            "embedder": {"text": query},
            "dense": {"top_k": k},
            "lexical": {"query": query, "top_k": k},
        }
        found = self.pipeline.run(orders)["joiner"]["documents"][:k]
        return [Passage(document.id, document.content) for document in found]

    @cached_property
    def _embedder(self) -> SentenceTransformersDocumentEmbedder:
        embedder = SentenceTransformersDocumentEmbedder(**self.options)
        embedder.warm_up()
        return embedder

    def _connect(self) -> None:
        self.pipeline = Pipeline()
        self.pipeline.add_component("embedder", SentenceTransformersTextEmbedder(**self.options))
        self.pipeline.add_component("dense", InMemoryEmbeddingRetriever(self.store))
        self.pipeline.add_component("lexical", InMemoryBM25Retriever(self.store))
        self.pipeline.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
        self.pipeline.connect("embedder.embedding", "dense.query_embedding")
        self.pipeline.connect("dense", "joiner")
        self.pipeline.connect("lexical", "joiner")


if __name__ == "__main__":
    main(HaystackPeer)
