"""The same question is answered once: by whoever asks first, and from memory after that."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """The results of a function for the keys that were asked for last. Safe between threads.

    A failure is not remembered: those who waited for it fail as well, the next one tries again.
    """

    def __init__(self, most: int) -> None:
        """Keep `most` results."""
        self._most = most
        self._lock = threading.Lock()
        self._results: OrderedDict[Hashable, Future[Value]] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The result for a key; whoever comes while it is being computed waits for it."""
        with self._lock:
            result = self._results.get(key)
            ours = result is None
            if result is None:
                result = self._results[key] = Future()
                if len(self._results) > self._most:
                    self._results.popitem(last=False)
            self._results.move_to_end(key)
        if ours:
            self._settle(key, result, compute)
        return result.result()

    def _settle(self, key: Hashable, result: Future[Value], compute: Callable[[], Value]) -> None:
        try:
            result.set_result(compute())
        except BaseException as error:
            with self._lock:
                if self._results.get(key) is result:
                    del self._results[key]
            result.set_exception(error)
            if not isinstance(error, Exception):
                raise
