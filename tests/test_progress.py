"""The progress of a build: percentages and times that come true."""

from __future__ import annotations

import pytest

from rag.progress import Estimate, duration


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run(
    read_seconds: float, embed_seconds: float, total_bytes: int = 1_000_000, steps: int = 100
) -> list[tuple[float, float, float]]:
    """A build that reads and embeds so fast: (true share of time, told share, told remaining)."""
    clock = Clock()
    estimate = Estimate(clock)
    told = []
    whole = read_seconds + embed_seconds
    for stage, seconds, total in (
        ("reading", read_seconds, total_bytes), ("embedding", embed_seconds, total_bytes),
    ):  # fmt: skip
        begin = clock.now
        for step in range(steps + 1):
            clock.now = begin + seconds * step / steps
            estimate.update(stage, total * step // steps, total)
            told.append(((clock.now - 100.0) / whole, estimate.share, estimate.remaining))
    return told


def test_the_share_never_falls_and_ends_at_one() -> None:
    shares = [share for _, share, _ in run(10, 200)]
    assert shares == sorted(shares)
    assert shares[0] < 0.05
    assert shares[-1] == 1.0
    assert all(share < 1 for share in shares[:-1])


def test_half_way_is_half_the_time_and_not_half_the_files() -> None:
    """Reading is 5 % of the time here: when all is read, the bar stands near 5 %, not at 100 %."""
    told = run(read_seconds=5, embed_seconds=95)
    assert told[100][1] == pytest.approx(0.05, abs=0.02)
    true, share, remaining = next(row for row in told if row[0] >= 0.5)
    assert share == pytest.approx(true, abs=0.03)
    assert remaining == pytest.approx(50, rel=0.05)


@pytest.mark.parametrize("slower", [0.1, 1, 10], ids=["fast machine", "as assumed", "slow machine"])
def test_a_machine_of_another_speed_is_soon_known(slower: float) -> None:
    told = run(read_seconds=1 * slower, embed_seconds=100 * slower)
    for true, share, remaining in told[110:]:
        assert share == pytest.approx(true, abs=0.12)
        assert remaining == pytest.approx((1 - true) * 101 * slower, rel=0.1, abs=0.5)


def test_nothing_to_embed_is_done_when_all_is_read() -> None:
    estimate = Estimate(Clock())
    estimate.update("reading", 0, 0)
    estimate.update("reading", 0, 0)
    assert estimate.share < 1
    estimate.update("embedding", 0, 0)
    assert (estimate.share, estimate.remaining) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (41.4, "41 s"), (89, "89 s"), (91, "2 min"), (3_000, "50 min"),
     (7_800, "2 h 10 min")],
)  # fmt: skip
def test_times_are_said_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words
