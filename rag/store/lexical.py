"""BM25 over the chunks (Robertson and Zaragoza 2009, in Lucene's form). `postings.py` writes it."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import Stemmer

Scores = npt.NDArray[np.float32]

WORD = re.compile(r"\w+(?:['’]\w+)?")
# Function words carry no topic; question words neither.
STOPWORDS = frozenset(
    """a an and are as at be been but by can could did do does for from had has have how i if in
    into is it its me my of on or our shall should so than that the their them then there these
    they this to was we were what when where which who whom whose why will with would you your
    about also am any he her his she us""".split()
)
# "£25³" has a note, "m²" and "CO₂" are found as m2 and CO2.
_NOTE_MARK = re.compile("(?<=\\d)[⁰¹²³⁴-⁹]+")
_PLAIN_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉", "01234567890123456789")
_REMEMBERED = 4096
"""So many texts, and terms, that need not be looked at again: an answer does so several times."""
_stem = Stemmer.Stemmer("english").stemWords


def terms(text: str) -> list[str]:
    """The stemmed words of a text without stop words, in order.

    Counts of terms are taken over from one generation to the next: raise `manifest.FORMAT` when
    this changes.
    """
    return list(_terms(text))


@lru_cache(_REMEMBERED)
def _terms(text: str) -> list[str]:
    if not text.isascii():
        text = _NOTE_MARK.sub(" ", text).translate(_PLAIN_DIGITS)
    words = [word.replace("’", "'") for word in WORD.findall(text.lower())]
    stems: list[str] = _stem([w.removesuffix("'s") for w in words if w not in STOPWORDS])
    return stems


class Lexical:
    """A BM25 index, memory-mapped.

    A term has a column of postings: the texts that hold it, how often, and its share of their
    scores. A question's scores are a sum of columns. The counts serve the next build only.

    Attributes:
        lengths: how many terms each text has, int32, shape (texts,).
        columns: postings of term i are [columns[i], columns[i + 1]), int64, shape (terms + 1,).
        texts: int32, shape (postings,), ascending within a column.
        counts: uint16, shape (postings,).
        shares: float32, shape (postings,).
    """

    def __init__(self, folder: Path) -> None:
        """Open what `LexicalWriter` wrote."""
        self.lengths, self.columns, self.texts, self.counts, self.shares, self._starts = (
            # As plain arrays: each index into a memmap object would cost a microsecond.
            np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
            for name in ("lengths", "columns", "texts", "counts", "shares", "terms")
        )
        self._vocabulary = (folder / "terms.txt").read_bytes()
        self._column = lru_cache(_REMEMBERED)(self._find_column)
        self._peak = lru_cache(_REMEMBERED)(self._find_peak)

    def __len__(self) -> int:
        """How many texts."""
        return len(self.lengths)

    def scores(self, query: Sequence[str]) -> Scores:
        """BM25 of every text for these `terms`: float32, shape (texts,)."""
        total = np.zeros(len(self), dtype=np.float32)
        for term in query:
            column = self._column(term)
            total[self.texts[column]] += self.shares[column]
        return total

    def most(self, query: Sequence[str]) -> float:
        """What a text would score that has each of these `terms` as prominently as any text does.

        A term that no text has counts as much as the rarest one could.
        """
        return sum(map(self._peak, query))

    def frequency(self, term: str) -> int:
        """In how many texts a term occurs."""
        column = self._column(term)
        return int(column.stop - column.start)

    def share_a_text(self, one: str, other: str) -> bool:
        """Whether a text holds both of these terms."""
        mine, theirs = self.texts[self._column(one)], self.texts[self._column(other)]
        return bool(len(np.intersect1d(mine, theirs, assume_unique=True)))

    @cached_property
    def not_ascii(self) -> list[str]:
        """The terms with letters beyond ASCII, which may be written without their accents."""
        return [term for term in self.vocabulary() if not term.isascii()]

    def vocabulary(self) -> list[str]:
        """All terms, in the order of their columns: that of their code points."""
        return self._vocabulary.decode().splitlines()

    def _find_column(self, term: str) -> slice:
        wanted, count = term.encode("utf-8", "surrogatepass"), len(self._starts) - 1
        number = bisect_left(range(count), wanted, key=self._term)
        if number == count or self._term(number) != wanted:
            return slice(0, 0)
        return slice(int(self.columns[number]), int(self.columns[number + 1]))

    def _find_peak(self, term: str) -> float:
        shares = self.shares[self._column(term)]
        return float(shares.max()) if len(shares) else math.log(1 + (len(self) + 0.5) / 0.5)

    def _term(self, number: int) -> bytes:
        return self._vocabulary[self._starts[number] : self._starts[number + 1] - 1]
