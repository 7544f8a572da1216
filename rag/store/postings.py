"""Writing a BM25 index of any size: an external sort, and postings taken over from the last build.

A posting is one number, its term, text and count side by side, so that sorting postings by term
and text is sorting numbers. Runs of a few million go to disk sorted; the end of a build merges
them a few terms at a time. Memory grows with the vocabulary, not with the texts. The terms of a
text that was there before are not looked for again: the index of the generation before is one
more run, whose texts have moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rag.store.arrays import ArrayWriter
from rag.store.lexical import WORD, Lexical, terms

Packed = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]
Lengths = npt.NDArray[np.int32]

K1, B = 1.5, 0.75

_RUN = 4_000_000
"""Words sorted at once, and about as many postings merged at once."""
_COUNT_BITS, _TEXT_BITS = 14, 26
_MOST_COUNTED = (1 << _COUNT_BITS) - 1
MOST_TEXTS = 1 << _TEXT_BITS


def _pack(term: npt.NDArray[np.integer], text: npt.NDArray[np.integer]) -> Packed:
    """Postings that count nothing yet; a count is added to them."""
    shifted = (term.astype(np.uint64) << np.uint64(_TEXT_BITS)) + text.astype(np.uint64)
    return shifted << np.uint64(_COUNT_BITS)


def _term(postings: Packed) -> Numbers:
    return (postings >> np.uint64(_COUNT_BITS + _TEXT_BITS)).astype(np.int64)


def _text(postings: Packed) -> npt.NDArray[np.int32]:
    text = (postings >> np.uint64(_COUNT_BITS)) & np.uint64(MOST_TEXTS - 1)
    return text.astype(np.int32)


def _count(postings: Packed) -> npt.NDArray[np.uint16]:
    return (postings & np.uint64(_MOST_COUNTED)).astype(np.uint16)


def _before(postings: Packed, terms: Numbers) -> Numbers:
    """How many sorted postings come before those of each term."""
    return np.searchsorted(postings, _pack(terms, np.zeros_like(terms)))


def _sizes(postings: Packed, terms: Numbers) -> Numbers:
    """How many sorted postings each term has, the last one left out."""
    return np.diff(_before(postings, terms))


class _Terms(dict[str, int]):
    """Word → number of its term in order of appearance; -1 for words that carry no topic."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, int] = {}

    def __missing__(self, word: str) -> int:
        own = terms(word)
        self[word] = self.numbers.setdefault(own[0], len(self.numbers)) if own else -1
        return self[word]


class _Source(Protocol):
    """Postings in the order of the new vocabulary."""

    def sizes(self) -> Numbers:
        """How many postings each term has at most."""

    def postings(self, first: int, last: int) -> Packed:
        """Those of the terms [first, last), sorted."""


class _Run:
    """Postings of new texts, sorted."""

    def __init__(self, postings: Packed, terms: int) -> None:
        self._postings, self._terms = postings, terms

    def sizes(self) -> Numbers:
        """How many postings each term has."""
        return _sizes(self._postings, np.arange(self._terms + 1))

    def postings(self, first: int, last: int) -> Packed:
        """Those of the terms [first, last)."""
        start, end = _before(self._postings, np.array([first, last])).tolist()
        return self._postings[start:end]


class _Moved:
    """Postings of the generation before, for the texts that are still there."""

    def __init__(self, index: Lexical, ranks: Numbers, terms: int, moved: Numbers) -> None:
        """`ranks`: new number of each of its terms; `moved`: of each of its texts, or -1."""
        self._index, self._ranks, self._terms, self._moved = index, ranks, terms, moved

    def sizes(self) -> Numbers:
        """How many postings each term had."""
        sizes = np.zeros(self._terms, dtype=np.int64)
        sizes[self._ranks] = np.diff(self._index.columns)
        return sizes

    def postings(self, first: int, last: int) -> Packed:
        """Those of the terms [first, last)."""
        index = self._index
        start, end = np.searchsorted(self._ranks, [first, last]).tolist()
        columns = index.columns[start : end + 1]
        own = slice(int(columns[0]), int(columns[-1]))
        text = self._moved[index.texts[own]]
        firsts = _pack(self._ranks[start:end], np.zeros(end - start, dtype=np.int64))
        postings: Packed = np.repeat(firsts, np.diff(columns))
        postings += text.astype(np.uint64) << np.uint64(_COUNT_BITS)
        postings += index.counts[own]
        gone = text < 0
        return postings[~gone] if gone.any() else postings


class LexicalWriter:
    """Writes the BM25 index of a new generation; texts come in row order."""

    def __init__(self, folder: Path, previous: Lexical | None = None) -> None:
        """Create the folder. `copy` takes over texts of `previous`."""
        folder.mkdir()
        self._folder, self._previous = folder, previous
        self._moved = np.full(len(previous) if previous else 0, -1, dtype=np.int64)
        self._terms = _Terms()
        self._lengths: list[Lengths] = []
        self._runs: list[Path] = []
        self._waiting: list[Packed] = []
        self._waiting_words = self._texts = 0

    def add(self, texts: Iterable[str]) -> None:
        """Append texts.

        Raises:
            OverflowError: there are more than `MOST_TEXTS`.
            OSError: a run cannot be written.
        """
        number_of = self._terms
        words = [
            [number for word in WORD.findall(text.lower()) if (number := number_of[word]) >= 0]
            for text in texts
        ]
        lengths = np.array([len(own) for own in words], dtype=np.int32)
        numbers = np.array([number for own in words for number in own], dtype=np.int64)
        rows = np.repeat(np.arange(self._texts, self._texts + len(words)), lengths)
        self._append(lengths)
        self._waiting.append(_pack(numbers, rows))
        self._waiting_words += len(numbers)
        if self._waiting_words >= _RUN:
            path = self._folder / f"run{len(self._runs)}.npy"
            np.save(path, self._take())
            self._runs.append(path)

    def copy(self, first: int, last: int) -> None:
        """Append texts [first, last) of the previous index; later calls take later texts."""
        if self._previous is None:
            raise ValueError("there is no previous index to take texts from")
        self._moved[first:last] = np.arange(self._texts, self._texts + last - first)
        self._append(np.array(self._previous.lengths[first:last]))

    def _append(self, lengths: Lengths) -> None:
        self._lengths.append(lengths)
        self._texts += len(lengths)
        if self._texts > MOST_TEXTS:
            raise OverflowError(f"an index holds at most {MOST_TEXTS} passages")

    def _take(self) -> Packed:
        """What waits, counted and sorted; afterwards nothing waits."""
        words = np.concatenate([*self._waiting, np.zeros(0, dtype=np.uint64)])
        self._waiting, self._waiting_words = [], 0
        postings, counts = np.unique(words, return_counts=True)
        return postings + np.minimum(counts, _MOST_COUNTED).astype(np.uint64)

    def close(self) -> None:
        """Merge what was added and copied, and write the files.

        Raises:
            OSError: they cannot be written.
        """
        known = self._previous.vocabulary() if self._previous else []
        vocabulary = sorted({*self._terms.numbers, *known})
        sources = list(self._sources(vocabulary, known))
        lengths = np.concatenate([*self._lengths, np.zeros(0, dtype=np.int32)])
        frequencies = _merge(self._folder, sources, len(vocabulary), lengths)
        np.save(self._folder / "lengths.npy", lengths)
        columns = np.concatenate([[0], np.cumsum(frequencies[frequencies > 0])])
        np.save(self._folder / "columns.npy", columns.astype(np.int64))
        own = [f"{vocabulary[i]}\n".encode() for i in np.flatnonzero(frequencies).tolist()]
        (self._folder / "terms.txt").write_bytes(b"".join(own))
        starts = np.cumsum([0, *map(len, own)], dtype=np.int64)
        np.save(self._folder / "terms.npy", starts)
        for path in self._runs:
            path.unlink()

    def _sources(self, vocabulary: Sequence[str], known: Sequence[str]) -> Iterator[_Source]:
        rank_of = {term: rank for rank, term in enumerate(vocabulary)}
        ranks = np.array([rank_of[term] for term in self._terms.numbers], dtype=np.int64)
        yield _Run(_ranked(self._take(), ranks), len(vocabulary))
        for path in self._runs:
            np.save(path, _ranked(np.load(path, allow_pickle=False), ranks))
            run = np.load(path, mmap_mode="r", allow_pickle=False)
            yield _Run(np.asarray(run), len(vocabulary))
        if self._previous is not None:
            old = np.array([rank_of[term] for term in known], dtype=np.int64)
            yield _Moved(self._previous, old, len(vocabulary), self._moved)


def _ranked(postings: Packed, ranks: Numbers) -> Packed:
    """Postings with the final numbers of their terms, sorted."""
    own = _pack(ranks[_term(postings)], _text(postings)) + _count(postings)
    return np.sort(own)


def _merge(folder: Path, sources: Sequence[_Source], terms: int, lengths: Lengths) -> Numbers:
    """Write all postings, and return how many each term has, shape (terms,)."""
    norms = K1 * ((1 - B) + B * lengths / (lengths.mean() if lengths.any() else 1.0))
    texts = ArrayWriter(folder / "texts.npy", np.int32)
    counts = ArrayWriter(folder / "counts.npy", np.uint16)
    shares = ArrayWriter(folder / "shares.npy", np.float32)
    ends = np.cumsum(sum((source.sizes() for source in sources), np.zeros(terms, np.int64)))
    total = int(ends[-1]) if terms else 0
    cuts = np.searchsorted(ends, np.arange(_RUN, total, _RUN)) + 1
    bounds = np.unique(np.concatenate([[0], cuts, [terms]])).tolist()
    frequencies = np.zeros(terms, dtype=np.int64)
    for first, last in pairwise(bounds):
        postings = np.concatenate([s.postings(first, last) for s in sources])
        postings.sort()
        own = _sizes(postings, np.arange(first, last + 1))
        text, count = _text(postings), _count(postings)
        idf = np.log(1 + (len(lengths) - own + 0.5) / (own + 0.5)).astype(np.float32)
        texts.append(text)
        counts.append(count)
        shares.append(np.repeat(idf, own) * (count / (norms[text] + count)))
        frequencies[first:last] = own
    for file in (texts, counts, shares):
        file.close()
    return frequencies
