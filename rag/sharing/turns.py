"""Waiting in line: so many at once, the others in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from rag.errors import TooBusy


class Turns:
    """A bounded number of calls at once. Fair, unlike a semaphore: nobody overtakes."""

    def __init__(self, at_once: int, most_waiting: int) -> None:
        """`most_waiting` callers wait at most; who comes then is sent away."""
        self._free, self._most_waiting = at_once, most_waiting
        self._lock = threading.Lock()
        self._line: deque[threading.Event] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it for the length of the block.

        Raises:
            TooBusy: too many are waiting already.
        """
        called = self._join()
        try:
            if called is not None:
                called.wait()
            yield
        finally:
            self._leave(called)

    def _join(self) -> threading.Event | None:
        """None if it is our turn at once, else what is set when it is."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            if len(self._line) >= self._most_waiting:
                raise TooBusy(
                    f"{self._most_waiting} questions are waiting for their answers already: try "
                    "again in a moment"
                )
            called = threading.Event()
            self._line.append(called)
            return called

    def _leave(self, called: threading.Event | None) -> None:
        """Give the turn to the next in line; who was interrupted while waiting just goes."""
        with self._lock:
            if called is not None and not called.is_set():
                self._line.remove(called)
            elif self._line:
                self._line.popleft().set()
            else:
                self._free += 1
