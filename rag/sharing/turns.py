"""Waiting in line: so many at once, the others in the order in which they came."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.errors import TooBusy


class Turns:
    """A bounded number of calls at once. Fair, unlike a semaphore: nobody overtakes.

    A call that finds that it will take long can let others by: whoever comes up to so many seconds
    after that goes first, so that many short calls do not wait for a few long ones, and no long
    one waits for ever.
    """

    def __init__(
        self, at_once: int, most_waiting: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`most_waiting` callers wait at most; who comes then is sent away."""
        self._free, self._most_waiting, self._clock = at_once, most_waiting, clock
        self._lock = threading.Lock()
        self._line: list[tuple[float, int, threading.Event]] = []
        self._came = 0
        self._own = threading.local()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it for the length of the block.

        Raises:
            TooBusy: too many are waiting already.
        """
        with self._lock:
            if self._free:
                self._free -= 1
                called = None
            elif len(self._line) >= self._most_waiting:
                raise TooBusy(
                    f"{self._most_waiting} questions are waiting for their answers already: try "
                    "again in a moment"
                )
            else:
                called = self._join(self._clock())
        self._wait(called)
        self._own.turn = True
        try:
            yield
        finally:
            # False for who was interrupted while letting others by: the turn is theirs.
            if self._own.turn:
                self._own.turn = False
                with self._lock:
                    self._pass_on()

    def let_by(self, seconds: float) -> None:
        """Go on after those who wait, and those who come up to `seconds` from now.

        Without a turn in this thread, or with nobody waiting, it returns at once.
        """
        if not getattr(self._own, "turn", False):
            return
        with self._lock:
            due = self._clock() + seconds
            if not self._line or self._line[0][0] > due:
                return
            called = self._join(due)
            self._pass_on()
        self._own.turn = False
        self._wait(called)
        self._own.turn = True

    def _join(self, due: float) -> threading.Event:
        """Stand in line behind all that are due before; what is set when it is our turn."""
        called = threading.Event()
        self._came += 1
        heapq.heappush(self._line, (due, self._came, called))
        return called

    def _pass_on(self) -> None:
        """Give a turn to the next in line."""
        if self._line:
            heapq.heappop(self._line)[2].set()
        else:
            self._free += 1

    def _wait(self, called: threading.Event | None) -> None:
        """Until it is our turn; who is interrupted leaves the line, or passes the turn on."""
        if called is None:
            return
        try:
            called.wait()
        except BaseException:
            with self._lock:
                if called.is_set():
                    self._pass_on()
                else:
                    self._line = [one for one in self._line if one[2] is not called]
                    heapq.heapify(self._line)
            raise
