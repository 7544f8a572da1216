"""How far a build is and how long it will take, from work done and not from a count of files.

Reading is measured in bytes, embedding in characters. How long a unit takes is measured as the
build goes; until something has been measured, the speed of an ordinary machine is assumed. How
much there is to embed is known only when everything has been read: until then it is taken to grow
with the bytes that are still to be read.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_READ_SECONDS = 1e-6
"""Of a byte, before any was read: about 1 MB a second."""
_EMBED_SECONDS = 1e-4
"""Of a character, before any was embedded: about 10,000 a second."""
_MEASURABLE = 0.5
"""Seconds of work after which a measured speed counts for more than the assumed one."""


class Estimate:
    """Fed by `build_index`; tells the share that is done and the seconds that remain.

    The share never falls, and is 1 only at the end.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = self._since = clock()
        self._stage = ""
        self._spent = {"reading": 0.0, "embedding": 0.0}
        self._done = {"reading": 0, "embedding": 0}
        self._total: dict[str, int | None] = {"reading": None, "embedding": None}
        self._share = 0.0

    def update(self, stage: str, done: int, total: int) -> None:
        """A step of a stage, as `rag.embedding.Progress` tells it."""
        now = self._clock()
        if stage != self._stage:
            self._stage, self._since = stage, now
        self._spent[stage] = now - self._since
        self._done[stage], self._total[stage] = done, total
        elapsed, remaining = now - self._started, self.remaining
        if self._total["embedding"] == self._done["embedding"]:
            self._share = 1.0
        elif elapsed + remaining > 0:
            self._share = min(max(self._share, elapsed / (elapsed + remaining)), 0.99)

    @property
    def share(self) -> float:
        """How much of the time is over, 0 to 1."""
        return self._share

    @property
    def remaining(self) -> float:
        """Seconds until the end."""
        to_read = (self._total["reading"] or 0) - self._done["reading"]
        to_embed = self._total["embedding"]
        if to_embed is None:
            # Characters searched are about as many as the bytes of a text.
            to_embed = self._total["reading"] or 0
        else:
            to_read, to_embed = 0, to_embed - self._done["embedding"]
        return to_read * self._pace("reading", _READ_SECONDS) + to_embed * self._pace(
            "embedding", _EMBED_SECONDS
        )

    def _pace(self, stage: str, assumed: float) -> float:
        """Seconds a unit: measured, and assumed as far as there is little to measure yet."""
        done, spent = self._done[stage], self._spent[stage]
        if not done:
            return assumed
        trust = min(1.0, spent / _MEASURABLE)
        return trust * spent / done + (1 - trust) * assumed


def duration(seconds: float) -> str:
    """In words, no more exact than an estimate is: "40 s", "5 min", "2 h 10 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
