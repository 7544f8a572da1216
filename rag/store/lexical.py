"""BM25 over the chunks (Robertson and Zaragoza 2009, as implemented by bm25s in Lucene's form)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt
import Stemmer

Scores = npt.NDArray[np.float32]

# It logs every step, and would speak on our stdout.
logging.getLogger("bm25s").setLevel(logging.WARNING)

_WORD = re.compile(r"\w+(?:['’]\w+)?")
# Function words carry no topic; question words neither.
STOPWORDS = frozenset(
    """a an and are as at be been but by can could did do does for from had has have how i if in
    into is it its me my of on or our shall should so than that the their them then there these
    they this to was we were what when where which who whom whose why will with would you your
    about also am any he her his she us""".split()
)
_stem = Stemmer.Stemmer("english").stemWords


def terms(text: str) -> list[str]:
    """The stemmed words of a text without stop words, in order."""
    words = [word.replace("’", "'") for word in _WORD.findall(text.lower())]
    stems: list[str] = _stem([w.removesuffix("'s") for w in words if w not in STOPWORDS])
    return stems


def write_lexical(folder: Path, texts: Iterable[str]) -> None:
    """Write the BM25 index of `texts` into `folder`; text i gets score i."""
    vocabulary: dict[str, int] = {}
    corpus = [
        [vocabulary.setdefault(term, len(vocabulary)) for term in terms(text)] for text in texts
    ]
    folder.mkdir()
    if not vocabulary:
        # bm25s cannot index nothing; no file means that nothing matches.
        (folder / "empty.json").write_text(json.dumps({"texts": len(corpus)}), "utf-8")
        return
    index = bm25s.BM25(method="lucene")
    index.index((corpus, vocabulary), create_empty_token=False, show_progress=False)
    index.save(folder, show_progress=False)


class Lexical:
    """A BM25 index, memory-mapped."""

    def __init__(self, folder: Path) -> None:
        """Open what `write_lexical` wrote."""
        empty = folder / "empty.json"
        self._index: bm25s.BM25 | None = None
        self._size = 0
        if empty.exists():
            self._size = int(json.loads(empty.read_text("utf-8"))["texts"])
        else:
            self._index = bm25s.BM25.load(folder, mmap=True)
            self._size = int(self._index.scores["num_docs"])
            self._indptr = np.asarray(self._index.scores["indptr"])

    def scores(self, query: Sequence[str]) -> Scores:
        """BM25 of every text for these `terms`: float32, shape (texts,)."""
        if self._index is None:
            return np.zeros(self._size, dtype=np.float32)
        known = [term for term in query if term in self._index.vocab_dict]
        if not known:
            return np.zeros(self._size, dtype=np.float32)
        return np.asarray(self._index.get_scores(known), dtype=np.float32)

    def frequency(self, term: str) -> int:
        """In how many texts a term occurs."""
        number = None if self._index is None else self._index.vocab_dict.get(term)
        if number is None:
            return 0
        return int(self._indptr[number + 1] - self._indptr[number])
