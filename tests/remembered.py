"""An encoder that embeds each text once: in this run, and for the next one as well."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from rag.encoders import Encoder, Vectors

MOST_KEPT = 20_000


class RememberedEncoder:
    """The vectors of an encoder that is batch invariant, from memory where they are known."""

    batch_invariant = True

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        """Read what earlier runs have left in `folder` for this encoder."""
        assert encoder.batch_invariant
        self._encoder, self._folder = encoder, folder
        self.name, self.digest = encoder.name, encoder.digest
        self.dimension, self.window = encoder.dimension, encoder.window
        self._known: dict[bytes, Vectors] = {}
        for file in sorted(folder.glob(f"{self.digest}-*.npz")):
            with np.load(file, allow_pickle=False) as kept:
                self._known.update(zip(kept["keys"].tolist(), kept["vectors"], strict=True))
        self._found = len(self._known)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Encoder.count_tokens`."""
        return self._encoder.count_tokens(texts)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode`."""
        return self._remembered(self._encoder.encode, "", texts)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode_questions`."""
        return self._remembered(self._encoder.encode_questions, "question\0", texts)

    def _remembered(
        self, encode: Callable[[Sequence[str]], Vectors], prefix: str, texts: Sequence[str]
    ) -> Vectors:
        keys = [
            hashlib.sha256((prefix + text).encode("utf-8", "surrogatepass")).hexdigest().encode()
            for text in texts
        ]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if new:
            vectors = encode(list(new.values()))
            self._known.update(zip(new, vectors, strict=True))
        own = [self._known[key] for key in keys]
        return np.stack(own) if own else np.empty((0, self.dimension), dtype=np.float32)

    def keep(self, name: str) -> None:
        """Leave what was new to the next run, in a file of this name."""
        new = list(self._known.items())[self._found : MOST_KEPT]
        if new:
            keys, vectors = zip(*new, strict=True)
            path = self._folder / f"{self.digest}-{name}-{self._found}.npz"
            np.savez(path, keys=np.array(keys), vectors=np.stack(vectors))
