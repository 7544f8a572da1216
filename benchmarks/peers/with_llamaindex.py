"""LlamaIndex: FaissVectorStore and BM25Retriever in a QueryFusionRetriever.

As the pages on the Faiss vector store, the BM25 retriever and reciprocal rerank fusion show them:
`HuggingFaceEmbedding` with its defaults, BM25 with the English stemmer, fusion mode
"reciprocal_rerank". `num_queries=1` switches off the rewriting of queries by a language model,
`use_async=False` the event loop, which a script has no use for.

Two choices are in its favour. FAISS, because the default vector store keeps its vectors as JSON.
And `IndexFlatIP` where the page on FAISS has `IndexFlatL2`: the store hands FAISS's distances on
as scores and the fusion takes the highest for the best, so that with L2 the dense ranking is
turned round (XQuAD nDCG@10 .288). The embedding normalises its vectors: the neighbours are equal.
"""

from pathlib import Path
from typing import Any

import faiss
import Stemmer
from common import Passage, main
from llama_index.core import StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.retrievers.bm25 import BM25Retriever
from llama_index.vector_stores.faiss import FaissVectorStore

DIMENSION = 384


class LlamaIndexPeer:
    """See `common.Peer`."""

    def __init__(self, model: str) -> None:
        self.embedding = HuggingFaceEmbedding(model_name=model, device="cpu")

    def build(self, passages: list[Passage], vectors: Any = None) -> None:
        """Both indexes from the same nodes; nodes with a vector are not embedded again."""
        known = [None] * len(passages) if vectors is None else vectors.tolist()
        nodes = [
            TextNode(id_=passage.id, text=passage.text, embedding=vector)
            for passage, vector in zip(passages, known, strict=True)
        ]
        store = FaissVectorStore(faiss_index=faiss.IndexFlatIP(DIMENSION))
        storage = StorageContext.from_defaults(vector_store=store)
        self.dense = VectorStoreIndex(nodes, storage_context=storage, embed_model=self.embedding)
        self.lexical = BM25Retriever.from_defaults(
            nodes=nodes, stemmer=Stemmer.Stemmer("english"), language="english"
        )

    def save(self, folder: Path) -> None:
        """`persist` twice."""
        self.dense.storage_context.persist(persist_dir=str(folder))
        self.lexical.persist(str(folder / "bm25"))

    def load(self, folder: Path) -> None:
        """`from_persist_dir` three times."""
        store = FaissVectorStore.from_persist_dir(str(folder))
        storage = StorageContext.from_defaults(vector_store=store, persist_dir=str(folder))
        self.dense = load_index_from_storage(storage, embed_model=self.embedding)
        self.lexical = BM25Retriever.from_persist_dir(str(folder / "bm25"))

    def search(self, query: str, k: int) -> list[Passage]:
        """The fusion of both."""
        k = min(k, len(self.dense.docstore.docs))
        self.lexical.similarity_top_k = k
        fusion = QueryFusionRetriever(
            [self.dense.as_retriever(similarity_top_k=k), self.lexical],
            llm=MockLLM(),
            mode="reciprocal_rerank",
            similarity_top_k=k,
            num_queries=1,
            use_async=False,
        )
        return [Passage(hit.node.node_id, hit.node.text) for hit in fusion.retrieve(query)]


if __name__ == "__main__":
    main(LlamaIndexPeer)
