"""How far a build is and how long it will take, from work done and not from a count of files.

Reading is measured in bytes and embedding in characters, and they go on at the same time: what
remains is what the slower of the two still needs, and then the finishing. How long a unit takes is
measured as the build goes; until something has been measured, the speed of an ordinary machine is
assumed. How much there is to embed is known only when everything has been read: until then it is
taken to grow with the bytes that are still to be read, as it has so far.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_MEASURABLE = 0.5
"""Seconds of work after which a measured speed counts for more than the assumed one."""
_USUAL_SHARE = 0.001
"""So much of the bytes, read, says as much about the rest as what is usual does."""


@dataclass
class _Stage:
    """A part of the work, in units that take about equal time."""

    assumed: float
    """Seconds a unit before any was measured."""
    done: int = 0
    total: int | None = None
    began: float | None = None
    measured: float = 0.0
    """When the last unit was done."""

    def update(self, done: int, total: int, now: float) -> None:
        if self.began is None and total:
            self.began = now
        if done != self.done:
            self.measured = now
        self.done, self.total = done, total

    @property
    def complete(self) -> bool:
        return self.total == self.done

    def seconds(self, units: float, now: float) -> float:
        """How long so many units will take, counted from `now`."""
        pace = self.assumed
        if self.done and self.began is not None:
            spent = self.measured - self.began
            trust = min(1.0, spent / _MEASURABLE)
            pace = trust * spent / self.done + (1 - trust) * self.assumed
        # Units are done many at a time: those under way have been for a while.
        since = now - (self.measured or self.began or now)
        return max(units * pace - since, 0.0)


class Estimate:
    """Fed by `build_index`; tells the share that is done and the seconds that remain.

    The share never falls, and is 1 only at the end.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = self._now = clock()
        self._stages = {
            "reading": _Stage(assumed=1e-6),  # about 1 MB a second
            "embedding": _Stage(assumed=1e-4),  # about 10,000 characters a second
            "finishing": _Stage(assumed=5e-5),  # about 20,000 passages a second
        }
        self._share = 0.0

    def update(self, stage: str, done: int, total: int) -> None:
        """A step of a stage, as `rag.embedding.Progress` tells it."""
        self._now = self._clock()
        self._stages[stage].update(done, total, self._now)
        elapsed, remaining = self._now - self._started, self.remaining
        if self._stages["finishing"].complete:
            self._share = 1.0
        elif elapsed + remaining > 0:
            self._share = min(max(self._share, elapsed / (elapsed + remaining)), 0.99)

    @property
    def stage(self) -> str:
        """What is being done, in words."""
        if self._stages["finishing"].total is not None and self._stages["embedding"].complete:
            return "finishing"
        begun = [name for name, stage in self._stages.items() if stage.total and not stage.complete]
        return " and ".join(name for name in begun if name != "finishing") or "reading"

    @property
    def share(self) -> float:
        """How much of the time is over, 0 to 1."""
        return self._share

    @property
    def remaining(self) -> float:
        """Seconds until the end, at the last step."""
        reading, embedding, finishing = self._stages.values()
        to_read = (reading.total or 0) - reading.done
        to_embed = (embedding.total or 0) - embedding.done + to_read * self._characters_a_byte
        to_finish = (finishing.total or 0) - finishing.done
        beside = max(reading.seconds(to_read, self._now), embedding.seconds(to_embed, self._now))
        return beside + finishing.seconds(to_finish, self._now)

    @property
    def _characters_a_byte(self) -> float:
        """How much there is to embed in what is to be read: so far, at first about one."""
        reading, embedding = self._stages["reading"], self._stages["embedding"]
        usual = _USUAL_SHARE * (reading.total or 0)
        read = reading.done + usual
        return ((embedding.total or 0) + usual) / read if read else 1.0


def duration(seconds: float) -> str:
    """In words, no more exact than an estimate is: "40 s", "5 min", "2 h 10 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
