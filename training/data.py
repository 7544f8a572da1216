"""Training pairs: reading, holding out, mixing, cutting and encoding.

The files are described in ``$RAG_SHARED/train/README.md``; default of RAG_SHARED: ``../shared``.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from urllib.parse import unquote

from tokenizers import Tokenizer

from training.augment import augment_question, standalone
from training.sentences import Span, sentence_spans, touched

MAX_TOKENS = 384
MAX_QUESTION_TOKENS = 64
CLS, SEP = 101, 102

JUDGING_ONLY = ("sharc", "covidfaq")
"""Never trained on."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question and one passage.

    ``answers`` are ``[start, end)`` code points in ``text``; none if the passage does not answer.
    """

    source: str
    id: str
    question: str
    history: tuple[str, ...]
    title: str
    heading: str
    text: str
    answers: tuple[Span, ...]


Group = tuple[Row, ...]
"""Rows that are drawn together: of one question, or a single one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What the reader sees: a question, a heading path, and sentences of which some answer."""

    question: str
    heading: str
    text: str
    sentences: tuple[Span, ...]
    gold: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of ``[CLS] question [SEP] heading. passage [SEP]``.

    ``second`` is the position where segment 1 begins; ``sentences`` holds the first and last token
    of each sentence that fits; ``gold`` says which of them answer.
    """

    ids: tuple[int, ...]
    second: int
    sentences: tuple[Span, ...]
    gold: tuple[bool, ...]


def train_folder() -> Path:
    """Where the training files lie."""
    return Path(os.environ.get("RAG_SHARED", "../shared")) / "train"


def read_source(source: str, folder: Path) -> list[Row]:
    """Read one file of training pairs, in file order."""
    rows = []
    with gzip.open(folder / f"{source}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            raw = json.loads(line)
            rows.append(
                Row(
                    source=source,
                    id=raw["id"],
                    question=raw["question"],
                    history=tuple(
                        t["content"] for t in raw["history"] or () if t["role"] == "user"
                    ),
                    title=unquote(raw["title"] or "").replace("_", " "),
                    heading=raw["heading"] or "",
                    text=raw["text"],
                    answers=tuple((a, b) for a, b in raw["answers"]) if raw["answerable"] else (),
                )
            )
    return rows


def hold_out(rows: Sequence[Row], at_least: int) -> tuple[list[Row], list[Row]]:
    """Split into training and validation by title, or by question if there are hardly any titles.

    Groups are taken in the order of their hash, so that the split is the same everywhere, until
    ``at_least`` rows are held out.
    """
    by_title = len({row.title for row in rows}) >= 5
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.title if by_title else _question(row)].append(row)
    order = sorted(groups, key=lambda name: hashlib.sha256(name.encode()).digest())
    train: list[Row] = []
    held: list[Row] = []
    for name in order:
        (held if len(held) < at_least else train).extend(groups[name])
    return train, held


def _question(row: Row) -> str:
    """The same for all rows of one question: ids end with the number of the passage."""
    return row.id.rsplit(":", 1)[0]


def by_question(rows: Iterable[Row]) -> list[Group]:
    """Group the rows of a source by question, in the order in which they come first."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[_question(row)].append(row)
    return [tuple(own) for own in groups.values()]


def plan(
    groups: Mapping[str, Sequence[Group]],
    shares: Mapping[str, float],
    pairs: int,
    answerable: float,
    rng: random.Random,
) -> list[Group]:
    """Draw groups until there are ``pairs`` rows in them, or a few more.

    ``answerable`` says how many groups have an answer, ``shares`` how many of the rows come from
    each source. A source without groups of one kind (mined negatives) takes part in the other kind
    only.

    Each source's groups are gone through in random order, again from the start when they run out.
    A longer plan begins with the shorter one: a stage may be lengthened or cut while it runs.
    """
    kinds: dict[bool, dict[str, Iterator[Group]]] = {True: {}, False: {}}
    weights: dict[bool, list[float]] = {True: [], False: []}
    for source in sorted(shares):
        for has_answer, streams in kinds.items():
            kind = [
                group
                for group in groups.get(source, ())
                if any(row.answers for row in group) == has_answer
            ]
            rng.shuffle(kind)
            if kind:
                streams[source] = cycle(kind)
                # Larger groups are drawn as much more seldom.
                weights[has_answer].append(shares[source] * len(kind) / sum(map(len, kind)))
    drawn: list[Group] = []
    rows = 0
    while rows < pairs:
        has_answer = rng.random() < answerable
        streams = kinds[has_answer]
        source = rng.choices(list(streams), weights[has_answer])[0]
        drawn.append(next(streams[source]))
        rows += len(drawn[-1])
    return drawn


def heading_path(title: str, heading: str) -> str:
    """``"Leave > Annual leave"``; either part may be missing."""
    return " > ".join(part for part in (title.strip(), heading.strip()) if part)


def whole_pair(row: Row) -> Pair:
    """Turn a row into a pair as it stands, for judging."""
    sentences = sentence_spans(row.text)
    return Pair(
        question=standalone(row.question, list(row.history[-1:])),
        heading=heading_path(row.title, row.heading),
        text=row.text,
        sentences=tuple(sentences),
        gold=tuple(touched(sentences, list(row.answers))),
    )


def _window(pair: Pair, words: int, rng: random.Random) -> Pair:
    """Keep a random run of about ``words`` words, with an answer sentence if there is one."""
    sizes = [len(pair.text[a:b].split()) for a, b in pair.sentences]
    if sum(sizes) <= words * 1.15:
        return pair
    golds = [i for i, gold in enumerate(pair.gold) if gold]
    first = last = rng.choice(golds) if golds else rng.randrange(len(sizes))
    total = sizes[first]
    while total < words:
        left, right = first > 0, last + 1 < len(sizes)
        if left and (not right or rng.random() < 0.5):
            first -= 1
            total += sizes[first]
        elif right:
            last += 1
            total += sizes[last]
        else:
            break
    start = pair.sentences[first][0]
    kept = pair.sentences[first : last + 1]
    return Pair(
        question=pair.question,
        heading=pair.heading,
        text=pair.text[start : kept[-1][1]],
        sentences=tuple((a - start, b - start) for a, b in kept),
        gold=pair.gold[first : last + 1],
    )


def _without_answer(pair: Pair) -> Pair | None:
    """The longer side of a passage beside its answer sentences: same topic, detail absent."""
    golds = [i for i, gold in enumerate(pair.gold) if gold]
    before, after = pair.sentences[: golds[0]], pair.sentences[golds[-1] + 1 :]
    kept = max(before, after, key=len)
    if len(kept) < 3:
        return None
    start = kept[0][0]
    return Pair(
        question=pair.question,
        heading=pair.heading,
        text=pair.text[start : kept[-1][1]],
        sentences=tuple((a - start, b - start) for a, b in kept),
        gold=(False,) * len(kept),
    )


def by_title(rows: Mapping[str, Sequence[Row]]) -> dict[tuple[str, str], list[Row]]:
    """Group rows by source and title."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for own in rows.values():
        for row in own:
            groups[row.source, row.title].append(row)
    return dict(groups)


def asked_question(
    row: Row, titles: Mapping[tuple[str, str], Sequence[Row]], rng: random.Random
) -> str:
    """The question of a row, changed, with its conversation before it or sometimes another.

    Args:
        row: the row.
        titles: all rows by source and title, from which earlier questions are taken.
        rng: the only source of chance.
    """
    history = (
        list(row.history[-rng.choice((1, 1, 2)) :]) if row.history and rng.random() < 0.9 else []
    )
    if not row.history and rng.random() < 0.06:
        # An earlier question on the same document must not be answered in place of the last one.
        history = [rng.choice(titles[row.source, row.title]).question]
    return standalone(augment_question(row.question, rng), history)


def training_pair(
    row: Row, question: str, rows: Sequence[Row], words: Span, rng: random.Random
) -> Pair | None:
    """Turn a row into a pair: cut, sometimes made unanswerable.

    Args:
        row: the row.
        question: its question, as it is asked.
        rows: all rows of its source, from which unrelated passages are taken.
        words: least and greatest length of the passage.
        rng: the only source of chance.

    Returns:
        The pair, or None if nothing is left of the passage.
    """
    passage = row
    if not row.answers and rng.random() < 0.12:
        other = rng.choice(rows)
        passage = other if other.title != row.title else row
    sentences = sentence_spans(passage.text)
    answers = list(row.answers) if passage is row else []
    pair = Pair(
        question=question,
        heading="" if rng.random() < 0.25 else heading_path(passage.title, passage.heading),
        text=passage.text,
        sentences=tuple(sentences),
        gold=tuple(touched(sentences, answers)),
    )
    if not sentences or (answers and not any(pair.gold)):
        return None
    if answers and rng.random() < 0.12:
        pair = _without_answer(pair) or pair
    return _window(pair, rng.randint(*words), rng)


def training_pairs(
    group: Group,
    rows: Mapping[str, Sequence[Row]],
    titles: Mapping[tuple[str, str], Sequence[Row]],
    words: Span,
    rng: random.Random,
) -> list[Pair]:
    """The pairs of a group, which share a question; none for a passage of which nothing is left.

    Args:
        group: the rows.
        rows: all rows by source.
        titles: the same by source and title.
        words: least and greatest length of a passage.
        rng: the only source of chance.
    """
    question = asked_question(group[0], titles, rng)
    made = [training_pair(row, question, rows[row.source], words, rng) for row in group]
    return [pair for pair in made if pair]


def encode(
    pairs: Sequence[Pair], tokenizer: Tokenizer, max_tokens: int = MAX_TOKENS
) -> list[Encoded]:
    """Tokenise pairs.

    Questions keep their last 64 tokens; passages are cut at the end, by whole sentences.
    ``tokenizer`` must neither truncate nor pad.
    """
    questions = tokenizer.encode_batch([p.question for p in pairs], add_special_tokens=False)
    prefixes = [f"{p.heading}. " if p.heading else "" for p in pairs]
    contexts = tokenizer.encode_batch(
        [prefix + p.text for prefix, p in zip(prefixes, pairs, strict=True)],
        add_special_tokens=False,
    )
    encoded = []
    for pair, prefix, question, context in zip(pairs, prefixes, questions, contexts, strict=True):
        head = [CLS, *question.ids[-MAX_QUESTION_TOKENS:], SEP]
        room = max_tokens - len(head) - 1
        starts = [a for a, _ in context.offsets]
        spans: list[Span] = []
        gold: list[bool] = []
        for (a, b), is_gold in zip(pair.sentences, pair.gold, strict=True):
            first = bisect_left(starts, a + len(prefix))
            last = bisect_left(starts, b + len(prefix)) - 1
            if first <= last < room:
                spans.append((len(head) + first, len(head) + last))
                gold.append(is_gold)
        encoded.append(
            Encoded(
                ids=(*head, *context.ids[:room], SEP),
                second=len(head),
                sentences=tuple(spans),
                gold=tuple(gold),
            )
        )
    return encoded


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load ``tokenizer.json`` with truncation and padding off."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def batches(
    groups: Sequence[Sequence[Encoded]], tokens: int, rng: random.Random
) -> list[list[Sequence[Encoded]]]:
    """Put groups of like length together, so that little is padded, in random order.

    A batch has at most ``tokens``, or one group.
    """
    by_length = sorted((max(len(e.ids) for e in group), rng.random(), group) for group in groups)
    result: list[list[Sequence[Encoded]]] = []
    size = 0
    for length, _, group in by_length:
        if not result or length * (size + len(group)) > tokens:
            result.append([])
            size = 0
        result[-1].append(group)
        size += len(group)
    rng.shuffle(result)
    return result


def read_all(
    sources: Iterable[str], folder: Path, held_out: int
) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
    """Read sources and hold out ``held_out`` rows or a little more of each.

    Returns:
        Training rows and validation rows by source.
    """
    train: dict[str, list[Row]] = {}
    held: dict[str, list[Row]] = {}
    for source in sources:
        train[source], held[source] = hold_out(read_source(source, folder), held_out)
    return train, held
