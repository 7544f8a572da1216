"""BM25 over the chunks (Robertson and Zaragoza 2009, as implemented by bm25s in Lucene's form)."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import Stemmer

Scores = npt.NDArray[np.float32]

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
    # Slow to import, and only needed here.
    import bm25s

    # It sets its level as it is imported, and would then tell every step on our stderr.
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    index = bm25s.BM25(method="lucene")
    index.index((corpus, vocabulary), create_empty_token=False, show_progress=False)
    index.save(folder, show_progress=False)


class Lexical:
    """A BM25 index, memory-mapped.

    bm25s stores each term's share of every text's score as a column of a sparse matrix, so a
    question's scores are a sum of columns. They are read here with numpy alone: importing bm25s
    would cost a cold question more than answering it.
    """

    def __init__(self, folder: Path) -> None:
        """Open what `write_lexical` wrote."""
        empty = folder / "empty.json"
        self._vocabulary: dict[str, int] = {}
        if empty.exists():
            self._size = int(json.loads(empty.read_text("utf-8"))["texts"])
            self._shares = self._texts = self._columns = np.zeros(0, dtype=np.int64)
            return
        self._size = int(json.loads((folder / "params.index.json").read_text("utf-8"))["num_docs"])
        self._vocabulary = json.loads((folder / "vocab.index.json").read_text("utf-8"))
        self._shares, self._texts, self._columns = (
            np.load(folder / f"{name}.csc.index.npy", mmap_mode="r", allow_pickle=False)
            for name in ("data", "indices", "indptr")
        )

    def __len__(self) -> int:
        """How many texts."""
        return self._size

    def scores(self, query: Sequence[str]) -> Scores:
        """BM25 of every text for these `terms`: float32, shape (texts,)."""
        total = np.zeros(self._size, dtype=np.float32)
        for term in query:
            column = self._column(term)
            total[self._texts[column]] += self._shares[column]
        return total

    def frequency(self, term: str) -> int:
        """In how many texts a term occurs."""
        column = self._column(term)
        return int(column.stop - column.start)

    def _column(self, term: str) -> slice:
        number = self._vocabulary.get(term)
        if number is None:
            return slice(0, 0)
        return slice(int(self._columns[number]), int(self._columns[number + 1]))
