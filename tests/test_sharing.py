"""What askers of one process share: the encoder, the answers, and the line they wait in."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import pytest

from rag.encoders import Encoder, Vectors
from rag.encoders.queries import encode_queries
from rag.errors import TooBusy
from rag.sharing.answers import Remembered
from rag.sharing.encoding import SharedEncoder
from rag.sharing.turns import Turns

LONG = 20.0
"""Seconds after which a test that waits has failed."""


def wait_until(condition: object) -> None:
    """Until it holds."""
    end = time.monotonic() + LONG
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.001)


class Slow:
    """An encoder that waits for the test; a text's vector is its length."""

    name, digest, dimension, window = "slow", "slow", 1, 100
    batch_invariant = True

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go = threading.Event()

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        assert self.go.wait(LONG)
        if "bad" in texts:
            raise ValueError("bad text")
        return np.array([[len(text)] for text in texts], dtype=np.float32)

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.array([[-1.0] for _ in texts], dtype=np.float32)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [1 for _ in texts]


@pytest.fixture
def slow() -> Slow:
    return Slow()


class TestSharedEncoder:
    def test_who_comes_while_it_is_busy_is_encoded_together(self, slow: Slow) -> None:
        shared = SharedEncoder(slow)
        with ThreadPoolExecutor(8) as pool:
            first = pool.submit(shared.encode_questions, ["a"])
            wait_until(lambda: slow.batches)
            others = [pool.submit(shared.encode_questions, ["b" * n, "c"]) for n in range(2, 6)]
            wait_until(lambda: len(shared._waiting) == 4)
            slow.go.set()
            assert first.result(LONG).tolist() == [[1]]
            for n, other in zip(range(2, 6), others, strict=True):
                assert other.result(LONG).tolist() == [[n], [1]]
        assert slow.batches[0] == ["a"]
        assert sorted(slow.batches[1]) == ["bb", "bbb", "bbbb", "bbbbb", "c"]
        assert len(slow.batches) == 2

    def test_a_lone_asker_is_encoded_at_once(self, slow: Slow) -> None:
        slow.go.set()
        shared = SharedEncoder(slow)
        for number in range(3):
            assert shared.encode_questions(["x" * number]).tolist() == [[number]]
        assert slow.batches == [[""], ["x"], ["xx"]]
        assert (shared.name, shared.count_tokens(["a", "b"])) == ("slow", [1, 1])
        assert shared.encode(["a passage"]).tolist() == [[-1]]

    def test_an_error_reaches_only_whose_text_it_was(self, slow: Slow) -> None:
        shared = SharedEncoder(slow)
        with ThreadPoolExecutor(8) as pool:
            first = pool.submit(shared.encode_questions, ["a"])
            wait_until(lambda: slow.batches)
            good = [pool.submit(shared.encode_questions, ["x" * n]) for n in (2, 3)]
            bad = pool.submit(shared.encode_questions, ["bad"])
            wait_until(lambda: len(shared._waiting) == 3)
            slow.go.set()
            assert first.result(LONG).tolist() == [[1]]
            assert [one.result(LONG).tolist() for one in good] == [[[2]], [[3]]]
            with pytest.raises(ValueError, match="bad text"):
                bad.result(LONG)
        assert shared.encode_questions(["abcd"]).tolist() == [[4]]

    def test_a_batch_has_an_end(self, slow: Slow) -> None:
        shared = SharedEncoder(slow)
        with ThreadPoolExecutor(128) as pool:
            first = pool.submit(shared.encode_questions, ["first"])
            wait_until(lambda: slow.batches)
            others = [pool.submit(shared.encode_questions, [f"text {n}"]) for n in range(100)]
            wait_until(lambda: len(shared._waiting) == 100)
            slow.go.set()
            assert first.result(LONG).shape == (1, 1)
            assert {one.result(LONG).shape for one in others} == {(1, 1)}
        assert [len(batch) for batch in slow.batches] == [1, 64, 36]

    def test_vectors_have_the_same_bits_alone_and_in_company(self, real_encoder: Encoder) -> None:
        texts = ["How many days of leave?", "leave", "Who approves trips abroad?", "", "😀 café"]
        alone = [real_encoder.encode_questions([text])[0].tobytes() for text in texts]
        assert [row.tobytes() for row in encode_queries(real_encoder, texts)] == alone
        shared = SharedEncoder(real_encoder)
        with ThreadPoolExecutor(5) as pool:
            found = list(
                pool.map(lambda text: shared.encode_questions([text])[0].tobytes(), texts * 4)
            )
        assert found == alone * 4


class TestTurns:
    def test_first_come_first_served(self) -> None:
        turns, order = Turns(1, 100), list[int]()
        release = threading.Event()

        def call(number: int) -> None:
            with turns.turn():
                order.append(number)
                assert release.wait(LONG)

        with ThreadPoolExecutor(20) as pool:
            calls = []
            for number in range(20):
                calls.append(pool.submit(call, number))
                wait_until(lambda n=number: len(order) + len(turns._line) == n + 1)
            assert order == [0]
            release.set()
            for one in calls:
                one.result(LONG)
        assert order == list(range(20))

    def test_so_many_at_once_and_no_more(self) -> None:
        turns, inside = Turns(3, 100), list[int]()
        counts: list[int] = []

        def call(number: int) -> None:
            with turns.turn():
                inside.append(number)
                counts.append(len(inside))
                time.sleep(0.001)
                inside.remove(number)

        with ThreadPoolExecutor(20) as pool:
            list(pool.map(call, range(60)))
        assert max(counts) == 3

    def test_a_line_that_is_too_long_takes_nobody_more(self) -> None:
        turns = Turns(1, 1)
        with ThreadPoolExecutor(1) as pool, turns.turn():

            def wait() -> None:
                with turns.turn():
                    pass

            waiting = pool.submit(wait)
            wait_until(lambda: turns._line)
            with pytest.raises(TooBusy, match="try again in a moment"), turns.turn():
                pass
            assert not waiting.done()
        waiting.result(LONG)
        with turns.turn():
            pass

    def test_a_long_call_lets_short_ones_by(self) -> None:
        now, order, lock = [0.0], list[str](), threading.Lock()
        turns = Turns(1, 100, clock=lambda: now[0])
        begun, go = threading.Event(), threading.Event()

        def note(name: str) -> None:
            with lock:
                order.append(name)

        def long() -> None:
            with turns.turn():
                note("long begins")
                begun.set()
                assert go.wait(LONG)
                turns.let_by(2.0)
                note("long ends")

        def short(name: str) -> None:
            with turns.turn():
                note(name)

        with ThreadPoolExecutor(4) as pool:
            calls = [pool.submit(long)]
            assert begun.wait(LONG)
            for number, came in enumerate((1.0, 7.0, 1.5), start=1):
                now[0] = came
                calls.append(pool.submit(short, f"came at {came}"))
                wait_until(lambda n=number: len(turns._line) == n)
            now[0] = 4.0
            go.set()
            for one in calls:
                one.result(LONG)
        assert order == ["long begins", "came at 1.0", "came at 1.5", "long ends", "came at 7.0"]
        assert not turns._line
        assert turns._free == 1

    def test_letting_by_nobody_or_without_a_turn_is_nothing(self) -> None:
        turns = Turns(1, 0)
        turns.let_by(1.0)
        with turns.turn():
            turns.let_by(1.0)
            assert turns._free == 0
        assert turns._free == 1

    def test_who_is_interrupted_while_letting_others_by_holds_no_turn(self) -> None:
        class Interrupted(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                raise KeyboardInterrupt

        turns = Turns(1, 100)
        with ThreadPoolExecutor(1) as pool:
            go = threading.Event()

            def other() -> None:
                with turns.turn():
                    assert go.wait(LONG)

            def ours() -> None:
                with turns.turn(), pytest.MonkeyPatch.context() as patched:
                    waiting.append(pool.submit(other))
                    wait_until(lambda: turns._line)
                    patched.setattr("rag.sharing.turns.threading.Event", Interrupted)
                    turns.let_by(1.0)

            waiting: list[Future[None]] = []
            with pytest.raises(KeyboardInterrupt):
                ours()
            go.set()
            waiting[0].result(LONG)
        assert turns._free == 1
        assert not turns._line

    def test_an_error_gives_the_turn_back(self) -> None:
        turns = Turns(1, 0)
        for _ in range(3):
            with pytest.raises(KeyError), turns.turn():
                raise KeyError


class TestRemembered:
    def test_a_key_is_computed_once_however_many_ask(self) -> None:
        remembered: Remembered[object] = Remembered(10)
        calls: list[int] = []
        go = threading.Event()

        def compute() -> object:
            calls.append(1)
            assert go.wait(LONG)
            return object()

        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(remembered.get, "key", compute) for _ in range(8)]
            wait_until(lambda: calls)
            go.set()
            assert len({one.result(LONG) for one in asked}) == 1
        assert calls == [1]

    def test_what_was_asked_for_longest_ago_is_forgotten(self) -> None:
        remembered: Remembered[int] = Remembered(2)
        calls: list[str] = []

        def get(key: str) -> None:
            remembered.get(key, lambda: calls.append(key) or 0)

        for key in "abacab":
            get(key)
        assert calls == ["a", "b", "c", "b"]

    def test_a_failure_is_tried_again(self) -> None:
        remembered: Remembered[int] = Remembered(2)
        with pytest.raises(ZeroDivisionError):
            remembered.get("key", lambda: 1 // 0)
        assert remembered.get("key", lambda: 5) == 5
