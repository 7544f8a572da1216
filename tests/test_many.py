"""Many questions in one call: the same as one by one, in order, as they come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.asking.asked import Asked
from rag.asking.batches import blocks
from rag.encoders import Encoder
from rag.errors import UsageError
from rag.index import Index, open_index
from rag.settings import Settings
from rag.store.arrays import RowReader
from rag.store.exact import Exact

if TYPE_CHECKING:
    from rag.types import Answer

LONG = 60.0
HISTORY = [{"role": "user", "content": "How much may a hotel cost?"}]
HARD = ("?", "the of and", "\ud800 leave", "leave " * 400)


@pytest.fixture(scope="module")
def bundled(bundled_index: Path, real_encoder: Encoder) -> Iterator[Index]:
    """The bundled corpus, quick: what is compared does not depend on the reader."""
    with open_index(bundled_index, Settings(index=bundled_index, reader=False)) as index:
        index._models.__dict__["encoder"] = real_encoder
        yield index


@pytest.fixture(scope="module")
def asked(questions: tuple[str, ...]) -> list[Asked]:
    """Plain ones, follow-ups and filtered ones, mixed."""
    plain = [Asked(text, id=str(n)) for n, text in enumerate((*questions, *HARD))]
    later = [Asked("And in capital cities?", HISTORY), Asked("And for them?", HISTORY)]
    limited = [
        Asked(question, where=[limit])
        for question in questions[:3]
        for limit in ("path=handbook/*", "path=nothing/*", "version!=1.0")
    ]
    mixed = [*plain, *later, *limited]
    return [*mixed[::2], *mixed[1::2]]


def no_time(answer: Answer) -> Answer:
    return replace(answer, took_ms=0.0)


def test_hits_are_the_same_to_the_last_bit(bundled: Index, asked: list[Asked]) -> None:
    one_by_one = [bundled.retrieve(a.question, 10, a.history, a.where) for a in asked]
    assert list(bundled.retrieve_many(asked, 10)) == one_by_one
    assert any(one_by_one)


def test_answers_are_the_same_to_the_last_bit(bundled: Index, asked: list[Asked]) -> None:
    one_by_one = [bundled.ask(a.question, a.history, a.id, a.where) for a in asked]
    together = list(bundled.ask_many(asked))
    assert [no_time(answer) for answer in together] == [no_time(one) for one in one_by_one]
    assert {answer.abstained for answer in together} == {True, False}


def test_plain_text_is_a_question_too(small_index: Index) -> None:
    (hits,) = small_index.retrieve_many(["How long are contracts kept?"], 1)
    assert hits == small_index.retrieve("How long are contracts kept?", 1)


def test_more_than_one_block(small_index: Index) -> None:
    numbered = [f"How many days of leave in year {n}?" for n in range(300)]
    found = small_index.retrieve_many(iter(numbered), 2)
    for question, hits in zip(numbered[:260:37], list(found)[:260:37], strict=True):
        assert hits == small_index.retrieve(question, 2)


def test_no_questions_no_hits(small_index: Index) -> None:
    assert list(small_index.retrieve_many([])) == []
    assert list(small_index.ask_many([])) == []


def test_an_answer_comes_before_the_next_question(small_index: Index) -> None:
    """A pipe that asks, waits for the answer and then asks again is not kept waiting."""
    answered = threading.Event()

    def conversation() -> Iterator[str]:
        for _ in range(3):
            yield "How long are contracts kept?"
            assert answered.wait(LONG)
            answered.clear()

    count = 0
    for hits in small_index.retrieve_many(conversation(), 1):
        assert "ten years" in hits[0].chunk.text
        count += 1
        answered.set()
    assert count == 3


def test_what_comes_before_an_error_is_answered(small_index: Index) -> None:
    def questions() -> Iterator[str]:
        yield from ["leave", "travel"]
        raise UsageError("line 3 is not JSON")

    found = small_index.retrieve_many(questions(), 1)
    assert len(next(found)) == 1
    assert len(next(found)) == 1
    with pytest.raises(UsageError, match="line 3"):
        next(found)


@pytest.mark.parametrize("wrong", [Asked(" "), Asked("leave", where="nothing")])
def test_what_comes_before_a_wrong_question_is_answered(small_index: Index, wrong: Asked) -> None:
    found = small_index.ask_many(["leave", "travel", wrong, "leave"])
    assert [next(found).question for _ in range(2)] == ["leave", "travel"]
    with pytest.raises(UsageError):
        next(found)


def test_a_wrong_count_is_refused_at_once(small_index: Index) -> None:
    with pytest.raises(UsageError, match="k must be at least 1"):
        small_index.retrieve_many(["leave"], 0)


@given(st.lists(st.integers(), max_size=40), st.integers(1, 7))
def test_blocks_hold_everything_in_order(items: list[int], largest: int) -> None:
    made = list(blocks(iter(items), largest))
    assert [item for block in made for item in block] == items
    assert all(1 <= len(block) <= largest for block in made)


def test_few_items_are_read_ahead() -> None:
    read: list[int] = []

    def endless() -> Iterator[int]:
        number = 0
        while True:
            read.append(number)
            yield number
            number += 1

    source = blocks(endless(), 8)
    for _ in range(5):
        block = next(source)
        assert len(read) <= block[-1] + 1 + 2 * 8 + 1
    source.close()
    before = threading.active_count()
    count = len(read)
    for thread in threading.enumerate():
        if thread.name.endswith("(_read)"):
            thread.join(LONG)
    assert len(read) <= count + 1
    assert threading.active_count() <= before


@pytest.mark.parametrize("k", [1, 7, 100, 400])
def test_one_vector_finds_the_same_alone_and_among_others(tmp_path: Path, k: int) -> None:
    """Chunks that are equal are as many as a candidate list is long: ties are everywhere."""
    chance = np.random.default_rng(1)
    different = chance.standard_normal((30, 384)).astype(np.float32)
    vectors = np.repeat(different / np.linalg.norm(different, axis=1, keepdims=True), 10, axis=0)
    np.save(tmp_path / "vectors.npy", vectors)
    index = Exact(RowReader.of_npy(tmp_path / "vectors.npy"))
    queries = np.concatenate([vectors[::60], -vectors[5:7], vectors[:3] + vectors[20:23]])
    for query, (scores, rows) in zip(queries, index.search_many(queries, k), strict=True):
        alone = index.search(query, k)
        assert (scores.tobytes(), rows.tolist()) == (alone[0].tobytes(), alone[1].tolist())
        products = (vectors.astype(np.float64) * query).sum(axis=1).round(5)
        assert rows.tolist() == np.lexsort((np.arange(len(vectors)), -products))[:k].tolist()
