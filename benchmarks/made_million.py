"""A corpus of any size, and an encoder that is fast enough for it.

**Texts.** Every document takes two places in the pool of real sentences (`made_corpus.py`); each
of its passages is made of neighbouring sentences of the first place and a few of the second, and
ends in a number of its own. So documents have topics, words have the frequencies of real text, and
the vocabulary grows with the corpus.

**Vectors.** All real sentences are embedded by the real encoder, and so are the first passages.
For these, the cosine between a passage and the mean of its sentences is measured, and what is left
of the passage (heading, number, what a mean does not say). The vector of any other passage is the
mean of its sentences' real vectors, turned by a measured angle towards the sum of two measured
remainders, both chosen by the digest of its text.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from made_corpus import real_sentences

from rag.encoders import Encoder, load_encoder

Matrix = npt.NDArray[np.float32]

SECTIONS = 20
"""Passages a document."""
POOL, REAL = 5_000, 1_000
"""Sentences of the pool, and passages, that the real encoder embeds."""
_TOKENS = 150
_END = re.compile(r"(?<=[.?!])\s+")


class MadeCorpus:
    """The documents; document n is the same in a corpus of any size."""

    def __init__(self, encoder: Encoder) -> None:
        """Collect the pool of real sentences."""
        self.pool = list(dict.fromkeys(real_sentences()))[:POOL]
        self.tokens = encoder.count_tokens(self.pool)

    def passages(self, number: int) -> list[str]:
        """The texts of a document's passages."""
        chance = random.Random(number)
        places = chance.sample(range(len(self.pool)), 2)
        return [self._passage(chance, places, number, own) for own in range(SECTIONS)]

    def _passage(self, chance: random.Random, places: Sequence[int], number: int, own: int) -> str:
        chosen: list[str] = []
        left = _TOKENS
        at = places[0] + chance.randrange(40)
        while True:
            if chance.random() < 0.3:
                at = chance.choice(places) + chance.randrange(40)
            at = (at + 1) % len(self.pool)
            left -= self.tokens[at] - 2
            if left < 0 and chosen:
                return " ".join([*chosen, f"See file k{number}-{own}."])
            chosen.append(self.pool[at])

    def document(self, number: int) -> str:
        """A document as Markdown."""
        passages = self.passages(number)
        sections = [f"## Part {n}\n\n{passage}" for n, passage in enumerate(passages, start=1)]
        return "\n\n".join([f"# Rule {number}", *sections, ""])

    def write(self, folder: Path, first: int, last: int) -> None:
        """Write the documents [first, last) that are not there yet, and remove later ones."""
        for path in folder.rglob("rule-*.md"):
            if int(path.stem.removeprefix("rule-")) >= last:
                path.unlink()
        for number in range(first, last):
            path = folder / f"{number % 500:03d}" / f"rule-{number:06d}.md"
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self.document(number), "utf-8")


class MadeEncoder:
    """Real vectors where they are known, and made ones for everything else.

    It says that it is the real encoder: questions are embedded by that.
    """

    def __init__(self, real: Encoder, corpus: MadeCorpus, cache: Path) -> None:
        """Embed what has to be real, or read it from `cache`, an `.npz` file."""
        self.name, self.digest = real.name, real.digest
        self.dimension, self.window = real.dimension, real.window
        self._counts = dict(zip(corpus.pool, corpus.tokens, strict=True))
        texts = [text for n in range(REAL // SECTIONS) for text in corpus.passages(n)]
        if not cache.exists():
            np.savez(cache, sentences=real.encode(corpus.pool), passages=real.encode(texts))
        with np.load(cache, allow_pickle=False) as found:
            self._sentences, passages = found["sentences"], found["passages"]
        self._rows = {sentence: row for row, sentence in enumerate(corpus.pool)}
        self._passages = dict(zip(texts, passages, strict=True))
        means = self._means(texts)
        self.cosines = (means * passages).sum(axis=1)
        self._rest = _unit(passages - self.cosines[:, None] * means)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As the real encoder counts real sentences; three characters a token for other texts."""
        return [self._counts.get(text, len(text) // 3 + 2) for text in texts]

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Vectors of sentences and passages, shape (len(texts), dimension)."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        made: list[int] = []
        for number, text in enumerate(texts):
            real = self._known(text)
            if real is None:
                made.append(number)
            else:
                vectors[number] = real
        if made:
            vectors[made] = self._make([texts[number] for number in made])
        return vectors

    def _known(self, text: str) -> Matrix | None:
        row = self._rows.get(text)
        body = text.rsplit("\n", 1)[-1]
        return self._passages.get(body) if row is None else self._sentences[row]

    def _make(self, texts: Sequence[str]) -> Matrix:
        digests = b"".join(hashlib.sha256(text.encode()).digest()[:12] for text in texts)
        chosen = np.frombuffer(digests, dtype=np.uint32).reshape(-1, 3) % len(self._rest)
        means = self._means([text.rsplit("\n", 1)[-1] for text in texts])
        rest = self._rest[chosen[:, 0]] + self._rest[chosen[:, 1]]
        rest = _unit(rest - (rest * means).sum(axis=1, keepdims=True) * means)
        cosines = self.cosines[chosen[:, 2], None]
        return (cosines * means + np.sqrt(1 - cosines**2) * rest).astype(np.float32)

    def _means(self, texts: Sequence[str]) -> Matrix:
        """The mean of each text's real sentences; of a text without any, of the first one."""
        rows = [[self._rows[s] for s in _END.split(text) if s in self._rows] for text in texts]
        counts = [len(own or [0]) for own in rows]
        every = self._sentences[[row for own in rows for row in own or [0]]]
        return _unit(np.add.reduceat(every, np.cumsum([0, *counts[:-1]]), axis=0))


def _unit(vectors: Matrix) -> Matrix:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Matrix = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return unit


def load(cache: Path) -> tuple[MadeCorpus, MadeEncoder]:
    """The corpus, and the encoder for it."""
    real = load_encoder("default")
    corpus = MadeCorpus(real)
    return corpus, MadeEncoder(real, corpus, cache)
