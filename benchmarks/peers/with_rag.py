"""Our own side of the comparison in a running process: `rag.open(...).retrieve`.

`build` here is the encoder alone on the same texts, without reading, cutting, BM25 and the
sentences' vectors; what a whole `rag build` takes is measured by the driver.
"""

from pathlib import Path
from typing import Any

from common import Passage, main

import rag
from rag.encoders import load_encoder


class RagPeer:
    """See `common.Peer`."""

    def __init__(self, model: str) -> None:
        self.encoder = load_encoder(model, bulk="auto")

    def build(self, passages: list[Passage], vectors: Any = None) -> None:
        """Encode the texts, at the precision that a build chooses here."""
        self.encoder.encode([passage.text for passage in passages])

    def save(self, folder: Path) -> None:
        """An index is saved by `rag build`."""
        raise NotImplementedError

    def load(self, folder: Path) -> None:
        """Open the published generation."""
        self.index = rag.open(folder)

    def search(self, query: str, k: int) -> list[Passage]:
        """One call of `retrieve`."""
        return [
            Passage(f"{hit.chunk.document}#{hit.chunk.start}", hit.chunk.text)
            for hit in self.index.retrieve(query, k=k)
        ]


if __name__ == "__main__":
    main(RagPeer)
