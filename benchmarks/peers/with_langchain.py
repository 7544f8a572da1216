"""LangChain: FAISS and BM25Retriever in an EnsembleRetriever, as its pages on both show them.

`HuggingFaceEmbeddings` with its defaults; `FAISS.from_documents` (an exact index); the ensemble
with equal weights and its default c = 60; both retrievers are asked for as many documents as are
wanted in the end. `BM25Retriever` keeps its default, splitting at white space with capitals and
punctuation left in; that costs it much (238 queries of XQuAD: nDCG@10 .926, with lower-cased words
.975), and a user who passes a `preprocess_func` has it back. FAISS is saved with `save_local`.
LangChain has no way to save a BM25Retriever: it is pickled here, as people do, so that a cold
process need not index the texts again.
"""

import pickle
from pathlib import Path
from typing import Any

from common import Passage, main
from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings


class LangChainPeer:
    """See `common.Peer`."""

    def __init__(self, model: str) -> None:
        self.embeddings = HuggingFaceEmbeddings(model_name=model, model_kwargs={"device": "cpu"})

    def build(self, passages: list[Passage], vectors: Any = None) -> None:
        """Both stores from the same documents."""
        documents = [Document(p.text, metadata={"id": p.id}) for p in passages]
        if vectors is None:
            self.store = FAISS.from_documents(documents, self.embeddings)
        else:
            self.store = FAISS.from_embeddings(
                zip([p.text for p in passages], vectors.tolist(), strict=True),
                self.embeddings,
                metadatas=[document.metadata for document in documents],
            )
        self.lexical = BM25Retriever.from_documents(documents)

    def save(self, folder: Path) -> None:
        """`save_local`, and a pickle."""
        self.store.save_local(str(folder))
        with (folder / "bm25.pickle").open("wb") as file:
            pickle.dump(self.lexical, file)

    def load(self, folder: Path) -> None:
        """`load_local`, and the pickle."""
        self.store = FAISS.load_local(
            str(folder), self.embeddings, allow_dangerous_deserialization=True
        )
        with (folder / "bm25.pickle").open("rb") as file:
            self.lexical = pickle.load(file)

    def search(self, query: str, k: int) -> list[Passage]:
        """The ensemble."""
        self.lexical.k = k
        dense = self.store.as_retriever(search_kwargs={"k": k})
        ensemble = EnsembleRetriever(retrievers=[self.lexical, dense], weights=[0.5, 0.5])
        found = ensemble.invoke(query)[:k]
        return [Passage(document.metadata["id"], document.page_content) for document in found]


if __name__ == "__main__":
    main(LangChainPeer)
