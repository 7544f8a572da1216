"""The progress of a build: percentages and times that come true."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rag.building.progress import Estimate, duration

BYTES = 1_000_000
STEPS = 100
WAITING = 5
"""Windows between reading and embedding."""


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def build(
    read_seconds: float, embed_seconds: float, characters: int = BYTES
) -> Iterator[tuple[float, str, int, int]]:
    """The steps of a build that reads and embeds at once, with the time of each.

    Reading goes ahead of embedding by a few windows at most, then it waits.
    """
    read_at: list[float] = []
    embedded_at: list[float] = []
    for step in range(STEPS):
        may_begin = [0.0]
        may_begin += read_at[-1:]
        may_begin += embedded_at[step - WAITING : step - WAITING + 1] if step >= WAITING else []
        read_at.append(max(may_begin) + read_seconds / STEPS)
        embedded_at.append(max([read_at[-1], *embedded_at[-1:]]) + embed_seconds / STEPS)
    events = [(time, 0, step + 1) for step, time in enumerate(read_at)]
    events += [(time, 1, step + 1) for step, time in enumerate(embedded_at)]
    read = 0
    yield 0.0, "reading", 0, BYTES
    for time, stage, steps in sorted(events):
        if stage == 0:
            read = steps
        # How much is embedded is counted by who asks.
        yield time, "embedding", stage, characters * read // STEPS
        if stage == 0:
            yield time, "reading", BYTES * steps // STEPS, BYTES
    yield embedded_at[-1], "finishing", 0, 10
    yield embedded_at[-1], "finishing", 10, 10


def told(
    read_seconds: float, embed_seconds: float, characters: int = BYTES
) -> list[tuple[float, float, float, float]]:
    """For every step: true share and remaining time, and those that were told."""
    steps = list(build(read_seconds, embed_seconds, characters))
    whole, clock, embedded, rows = steps[-1][0], Clock(), 0, []
    estimate = Estimate(clock)
    for time, stage, done, total in steps:
        clock.now = 100.0 + time
        if stage == "embedding":
            embedded += done
            done = characters * embedded // STEPS
            total = max(total, done)
        estimate.update(stage, done, total)
        rows.append((time / whole, estimate.share, whole - time, estimate.remaining))
    return rows


def test_the_share_never_falls_and_ends_at_one() -> None:
    shares = [share for _, share, _, _ in told(10, 200)]
    assert shares == sorted(shares)
    assert shares[0] < 0.05
    assert shares[-1] == 1.0
    assert all(share < 1 for share in shares[:-1])


@pytest.mark.parametrize(
    ("read_seconds", "embed_seconds"),
    [(5, 100), (100, 5), (60, 60), (0.5, 10), (50, 1_000), (1_000, 50)],
)
def test_the_slower_of_the_two_stages_is_what_counts(
    read_seconds: float, embed_seconds: float
) -> None:
    rows = told(read_seconds, embed_seconds)
    for true, share, left, remaining in rows:
        if true > 0.15:
            assert share == pytest.approx(true, abs=0.12)
            assert remaining == pytest.approx(
                left, rel=0.2, abs=0.02 * (read_seconds + embed_seconds)
            )


@pytest.mark.parametrize("ratio", [0.02, 0.3, 2.0], ids=["PDF", "HTML", "chunks with titles"])
def test_how_much_text_is_in_the_bytes_is_soon_known(ratio: float) -> None:
    for true, _, left, remaining in told(20, 200, int(BYTES * ratio)):
        if true > 0.25:
            assert remaining == pytest.approx(left, rel=0.25, abs=8)


def test_time_goes_on_between_two_steps() -> None:
    """A window of passages takes seconds: what it needs is not announced anew all the time."""
    clock = Clock()
    estimate = Estimate(clock)
    estimate.update("reading", 0, 1_000)
    estimate.update("reading", 1_000, 1_000)
    estimate.update("embedding", 0, 1_000)
    clock.now += 10
    estimate.update("embedding", 500, 1_000)
    assert estimate.remaining == pytest.approx(10)
    clock.now += 4
    estimate.update("embedding", 500, 1_000)
    assert estimate.remaining == pytest.approx(6)


def test_nothing_to_embed_is_done_when_all_is_finished() -> None:
    estimate = Estimate(Clock())
    estimate.update("reading", 0, 0)
    estimate.update("embedding", 0, 0)
    estimate.update("finishing", 0, 400)
    assert estimate.share < 1
    estimate.update("finishing", 400, 400)
    assert (estimate.share, estimate.remaining) == (1.0, 0.0)


def test_the_stage_says_what_goes_on() -> None:
    estimate = Estimate(Clock())
    assert estimate.stage == "reading"
    said = []
    for stage, done, total in (
        ("reading", 0, 9), ("embedding", 0, 5), ("reading", 9, 9), ("finishing", 0, 3),
        ("embedding", 5, 5), ("finishing", 3, 3),
    ):  # fmt: skip
        estimate.update(stage, done, total)
        said.append(estimate.stage)
    assert said == [
        "reading", "reading and embedding", "embedding", "embedding", "finishing", "finishing",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (41.4, "41 s"), (89, "89 s"), (91, "2 min"), (3_000, "50 min"),
     (7_800, "2 h 10 min")],
)  # fmt: skip
def test_times_are_said_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
