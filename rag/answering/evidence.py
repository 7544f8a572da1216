"""Scoring the sentences of the hits as answers to the question."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rag.answering.mentions import is_mentioned, spelt_out
from rag.answering.questions import Kind, looks_like_answer, names, question_kind
from rag.asking.conversation import Understood
from rag.embedding import plain_sentences, sentence_texts
from rag.reader import Reader
from rag.retrieval import Found
from rag.store.generation import Generation
from rag.store.lexical import terms
from rag.text.connectives import ANNOUNCES
from rag.types import Chunk, Hit, Sentence

READING: tuple[tuple[int, float], ...] = ((2, 1.0), (4, 0.0))
"""How far down the hits are read: these many, unless the reader's log-odds that one of them answers
are as high as this; then the next step, and at last all of `MOST_PASSAGES_READ`."""
MOST_PASSAGES_READ = 8
PASSAGES_WITHOUT_READER = 5
"""How many of the best hits are looked at where there is no reader to ask for more."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each sign of an answer counts, in units of cosine.

    Attributes:
        coverage: share of the question's rare words in the sentence and its headings.
        passage: one standard deviation of the passage's own score.
        kind: the sentence has the form that the question asks for.
        reader: one unit of the reader's log-odds against "not answered here".
        rank: penalty per rank of the passage.
        outdated: penalty where the document names a successor that is in the index, or another
            version of it that was found is the one in effect: of equal sentences the one that
            holds is quoted first.
    """

    coverage: float = 0.3
    passage: float = 0.15
    kind: float = 0.15
    reader: float = 0.15
    rank: float = 0.01
    outdated: float = 0.15


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer.

    Attributes:
        hit: the passage it stands in.
        position: its number in the passage.
        plain: without markup.
        similarity: cosine with the question as it is searched with.
        coverage: share of the question's terms in it or its headings, weighted by rarity, 0 to 1.
        reader: log-odds of the reader against "not answered here"; 0 without the reader.
        score: all of it together.
    """

    hit: Hit
    position: int
    plain: str
    similarity: float
    coverage: float
    reader: float
    score: float

    @property
    def chunk(self) -> Chunk:
        """The passage."""
        return self.hit.chunk

    @property
    def sentence(self) -> Sentence:
        """Its span."""
        return self.hit.chunk.sentences[self.position]


@dataclass(frozen=True)
class Evidence:
    """All candidates, best first, with what confidence is judged by.

    Attributes:
        kind: the kind of answer that the question asks for.
        candidates: sentences of the passages that were read, best first.
        passage_coverage: for each passage by its rank, the share of the question's terms in it.
        missing: rarity of the rarest term that no passage has, as a share of all rarities.
        read: True if the reader has judged the candidates.
        rarities: the terms of the question itself, with their inverse document frequency.
        names: names and years in the question.
        unknown: those of them that no document of the index has.
    """

    kind: Kind
    candidates: tuple[Candidate, ...] = ()
    passage_coverage: Mapping[int, float] = field(default_factory=dict)
    missing: float = 0.0
    read: bool = False
    rarities: Mapping[str, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def rarity(generation: Generation, words: Sequence[str]) -> dict[str, float]:
    """Inverse document frequency of terms over the chunks; unknown terms weigh most."""
    total = generation.manifest.chunks
    weights = {}
    for word in dict.fromkeys(words):
        frequency = generation.lexical.frequency(word)
        weights[word] = math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))
    return weights


def gather(
    generation: Generation,
    understood: Understood,
    found: Found,
    reader: Reader | None,
    weights: Weights,
    before_reading_on: Callable[[], None] = lambda: None,
    outdated: Container[str] = (),
) -> Evidence:
    """Score every sentence of the best hits.

    With a reader, only as many are read as it takes to find an answer (see `READING`): most
    questions cost little, and none is given up early. `before_reading_on` is called where the
    first ones were not enough. Documents that are `outdated` count for less. Nothing is evidence
    for a question without a word of content.
    """
    kind = question_kind(understood.question)
    idf = rarity(generation, terms(understood.standalone))
    if not idf:
        return Evidence(kind=kind)
    if reader is None:
        without = found.hits[:PASSAGES_WITHOUT_READER]
        logits = [[0.0] * len(hit.chunk.sentences) for hit in without]
    else:
        logits = _read(reader, understood, found.hits[:MOST_PASSAGES_READ], before_reading_on)
    hits = found.hits[: len(logits)]
    candidates = [
        candidate
        for hit, similarities, own in zip(hits, found.similarities, logits, strict=False)
        for candidate in _candidates(
            hit,
            similarities,
            own,
            kind,
            idf,
            weights,
            weights.outdated if hit.chunk.document in outdated else 0.0,
        )
    ]
    candidates.sort(key=lambda c: (-c.score, c.hit.rank, c.position))
    words = [set(terms(hit.chunk.searched)) for hit in hits]
    everywhere = set().union(*words)
    total = sum(idf.values()) or 1.0
    named = tuple(names(understood.question))
    absent = [weight for term, weight in idf.items() if term not in everywhere]
    return Evidence(
        kind=kind,
        candidates=tuple(candidates),
        read=reader is not None,
        passage_coverage={
            hit.rank: _coverage(idf, own, set()) for hit, own in zip(hits, words, strict=True)
        },
        missing=max(absent, default=0.0) / total,
        rarities={term: idf[term] for term in terms(understood.question)},
        names=named,
        unknown=tuple(
            name
            for name in named
            if not is_mentioned(generation, name)
            and not any(spelt_out(name, hit.chunk.text) for hit in hits)
        ),
    )


def passage_log_odds(logits: Sequence[float]) -> float:
    """Log-odds of the reader that a passage answers at all, from those of its sentences.

    It was trained with a softmax over the sentences and "not answered here", so the odds add up.
    """
    odds = sum(math.exp(min(logit, 50.0)) for logit in logits)
    return math.log(odds) if odds > 0 else -math.inf


def _read(
    reader: Reader,
    understood: Understood,
    hits: Sequence[Hit],
    before_reading_on: Callable[[], None],
) -> list[list[float]]:
    """For each hit that is read the log-odds of its sentences; see `READING`."""
    logits: list[list[float]] = []
    for most, enough in (*READING, (len(hits), math.inf)):
        if len(logits) == len(hits):
            break
        if logits:
            before_reading_on()
        passages = [(hit.chunk, sentence_texts(hit.chunk)) for hit in hits[len(logits) : most]]
        logits += reader.read(understood.for_reader, passages)
        if any(passage_log_odds(own) >= enough for own in logits):
            break
    return logits


def _candidates(
    hit: Hit,
    similarities: npt.NDArray[np.float32],
    logits: Sequence[float],
    kind: Kind,
    idf: dict[str, float],
    weights: Weights,
    penalty: float,
) -> Iterator[Candidate]:
    """The sentences of one hit with their scores, less a penalty."""
    chunk = hit.chunk
    above = set(terms(" ".join([chunk.title, *chunk.headings])))
    texts = zip(plain_sentences(chunk), sentence_texts(chunk), strict=True)
    for position, ((plain, text), similarity, logit) in enumerate(
        zip(texts, similarities.tolist(), logits, strict=True)
    ):
        covered = _coverage(idf, set(terms(text)), above)
        score = (
            similarity
            + weights.coverage * covered
            + weights.passage * hit.scores.fused
            + weights.kind * looks_like_answer(kind, plain)
            + weights.reader * logit
            - weights.rank * hit.rank
            - _form_penalty(chunk, position, plain)
            - penalty
        )
        yield Candidate(hit, position, plain, similarity, covered, logit, score)


def _coverage(idf: dict[str, float], sentence: set[str], above: set[str]) -> float:
    """A term in the headings counts half: it sets the topic but does not answer."""
    total = sum(idf.values())
    if total == 0:
        return 0.0
    return (
        sum(
            weight * (1.0 if term in sentence else 0.5 if term in above else 0.0)
            for term, weight in idf.items()
        )
        / total
    )


def _form_penalty(chunk: Chunk, position: int, plain: str) -> float:
    """Questions, lead-ins, contents, table headers and fragments are rarely the answer itself."""
    penalty = 0.0
    sentence = chunk.sentences[position]
    if (sentence.start, sentence.end) in {other.lead for other in chunk.sentences}:
        penalty += 0.2 if sentence.kind == "row" else 0.0
    if plain.endswith("?") or ANNOUNCES.match(plain):
        penalty += 0.25
    if plain.endswith(":"):
        penalty += 0.1
    if len(plain.split()) < 4:
        penalty += 0.1
    return penalty
