"""A live index: follows what is published, and never answers from half of anything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rag import live as live_module
from rag.errors import IndexDamaged, IndexIncompatible, IndexNotFound
from rag.live import LiveIndex
from rag.store.manifest import publish

if TYPE_CHECKING:
    from workshop import Workshop

    from rag.index import Index

    Make = Callable[..., Workshop]

QUESTION = "How many days of leave do staff get?"


def leave(days: int) -> str:
    return f"# Leave\n\nStaff get {days} days of leave.\n"


@pytest.fixture
def made(workshop: Make) -> Workshop:
    """A built index whose answer is "13 days"."""
    made = workshop({"leave.md": leave(13)})
    made.build()
    return made


@pytest.fixture
def live(made: Workshop) -> Iterator[LiveIndex]:
    live = LiveIndex(made.index, made.settings)
    live._models.__dict__["encoder"] = made.encoder
    yield live
    live.close()


@pytest.fixture
def eyes_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the pointer at every call."""
    monkeypatch.setattr(live_module, "_LOOK_EVERY", 0.0)


@pytest.mark.usefixtures("eyes_open")
def test_a_new_generation_answers_the_next_question(made: Workshop, live: LiveIndex) -> None:
    first = live.generation
    assert "13 days" in live.retrieve(QUESTION)[0].chunk.text
    made.write("leave.md", leave(14))
    report = made.build()
    assert live.generation == report.generation != first
    assert "14 days" in live.retrieve(QUESTION)[0].chunk.text
    assert "14 days" in live.text("leave.md")
    assert live.ask(QUESTION).generation == report.generation
    assert [info.id for info in live.documents()] == ["leave.md"]


def test_the_pointer_is_looked_at_twice_a_second(
    made: Workshop, live: LiveIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [time.monotonic()]
    monkeypatch.setattr(live_module.time, "monotonic", lambda: now[0])
    first = live.generation
    made.write("leave.md", leave(14))
    made.build()
    now[0] += 0.4
    assert live.generation == first
    now[0] += 0.6
    assert live.generation != first


@pytest.mark.usefixtures("eyes_open")
def test_one_snapshot_is_one_generation(made: Workshop, live: LiveIndex) -> None:
    with live.snapshot() as index:
        made.write("leave.md", leave(14))
        made.build(keep_generations=1)
        with live.snapshot() as newer:
            assert newer.generation != index.generation
        assert "13 days" in index.text("leave.md")
        assert "13 days" in index.retrieve(QUESTION)[0].chunk.text


@pytest.mark.usefixtures("eyes_open")
def test_the_old_generation_is_closed_when_its_last_user_has_gone(
    made: Workshop, live: LiveIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    close = live_module.Index.close
    monkeypatch.setattr(
        live_module.Index, "close", lambda index: (closed.append(index.generation), close(index))
    )
    first = live.generation
    with live.snapshot():
        made.write("leave.md", leave(14))
        made.build()
        second = live.generation
        assert second != first
        assert closed == []
    assert closed == [first]
    made.write("leave.md", leave(15))
    made.build()
    assert live.generation != second
    assert closed == [first, second]


@pytest.mark.usefixtures("eyes_open")
def test_a_generation_that_cannot_be_opened_is_logged_and_not_followed(
    made: Workshop, live: LiveIndex, caplog: pytest.LogCaptureFixture
) -> None:
    first = live.generation
    publish(made.index, "g000099-20250101T000000Z")
    assert "13 days" in live.retrieve(QUESTION)[0].chunk.text
    assert f"going on with generation {first}: " in caplog.text
    (made.index / "CURRENT").unlink()
    assert live.generation == first
    made.write("leave.md", leave(14))
    made.build()
    assert live.generation != first


@pytest.mark.usefixtures("eyes_open")
def test_a_generation_of_another_encoder_is_not_followed(
    made: Workshop,
    live: LiveIndex,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = live.generation

    def refuse(mine: str, theirs: str) -> None:
        raise IndexIncompatible(f"made with {theirs}, not {mine}")

    monkeypatch.setattr(live_module, "check_names", refuse)
    made.write("leave.md", leave(14))
    made.build()
    assert live.generation == first
    assert "13 days" in live.ask(QUESTION).text
    assert caplog.messages[0] == f"going on with generation {first}: made with default, not default"


def test_there_must_be_an_index_to_begin_with(made: Workshop) -> None:
    with pytest.raises(IndexNotFound):
        LiveIndex(made.corpus)
    (made.index / "CURRENT").write_text("{")
    with pytest.raises(IndexDamaged):
        LiveIndex(made.index)


@pytest.mark.usefixtures("eyes_open")
def test_threads_ask_while_generations_change(made: Workshop, live: LiveIndex) -> None:
    """Each answer comes from one whole generation: its quote, its text and its id agree."""
    days_of = {live.generation: 13}
    done = threading.Event()

    def ask(_: int) -> set[tuple[str, str]]:
        seen = set()
        while not done.is_set():
            with live.snapshot() as index:
                text = index.retrieve(QUESTION, 1)[0].chunk.text
                assert text in index.text("leave.md")
                answer = index.ask(QUESTION)
                assert answer.generation == index.generation
                for citation in answer.citations:
                    assert citation.quote in text
                seen.add((index.generation, text))
        return seen

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, n) for n in range(4)]
        try:
            for days in range(14, 20):
                made.write("leave.md", leave(days))
                days_of[made.build(keep_generations=1).generation] = days
                time.sleep(0.02)
        finally:
            done.set()
        seen = set().union(*(one.result(60) for one in asking))
    assert len(seen) > 1
    for generation, text in seen:
        assert text == f"Staff get {days_of[generation]} days of leave."


@pytest.mark.usefixtures("eyes_open")
def test_a_slow_opener_cannot_bring_back_an_older_generation(
    made: Workshop, live: LiveIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call opens the second generation; as it lets the others in, a third is published."""
    made.write("leave.md", leave(14))
    second = made.build().generation
    real, seen = live._opening, list[str]()

    class Gate:
        acquire = staticmethod(real.acquire)

        @staticmethod
        def release() -> None:
            real.release()
            if not seen:
                seen.append("")
                made.write("leave.md", leave(15))
                third = made.build().generation
                seen[0] = third
                assert live.generation == third

    monkeypatch.setattr(live, "_opening", Gate)
    assert live.generation in (second, seen[0])
    assert live._lease.index.generation == seen[0]


def test_the_same_question_is_answered_once(
    live: LiveIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answer = live_module.Index.ask
    monkeypatch.setattr(
        live_module.Index,
        "ask",
        lambda index, question, *more, **named: (
            asked.append(question) or answer(index, question, *more, **named)
        ),
    )
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: live.ask(QUESTION, id=str(n)), range(24)))
    assert asked == [QUESTION]
    assert [one.id for one in answers] == [str(n) for n in range(24)]
    assert len({replace(one, id=None, took_ms=0.0) for one in answers}) == 1
    live.ask(QUESTION, [{"role": "user", "content": "And?"}])
    live.ask(QUESTION, where="path=leave*")
    assert len(asked) == 3


@pytest.mark.usefixtures("eyes_open")
def test_a_new_generation_remembers_no_answer_of_the_old(made: Workshop, live: LiveIndex) -> None:
    first = live.ask(QUESTION)
    made.write("leave.md", leave(14))
    made.build()
    second = live.ask(QUESTION)
    assert "14 days" in second.text + second.nearest[0].text
    assert second.generation != first.generation


def test_only_as_many_are_answered_at_once_as_there_are_threads(
    live: LiveIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert live._models.threads == 1
    inside, most, lock = [0], [0], threading.Lock()
    find = live_module.Index._hits

    def counted(index: Index, *more: object) -> object:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.002)
        try:
            return find(index, *more)  # type: ignore[arg-type]
        finally:
            with lock:
                inside[0] -= 1

    monkeypatch.setattr(live_module.Index, "_hits", counted)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: live.retrieve(f"leave in year {n}", 1), range(16)))
    assert len(found) == 16
    assert most == [1]
