"""Many questions in one call: taken as they come, answered together, given back in order."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from queue import Empty, Full, Queue
from typing import TypeVar

Item = TypeVar("Item")

_GLANCE = 0.1
"""Seconds after which a reader that waits looks whether anybody still wants what it reads."""


def blocks(items: Iterable[Item], largest: int) -> Iterator[list[Item]]:
    """Whatever has come, at most `largest` at once: one that comes slowly is not kept waiting.

    Items are read in a thread, a block ahead. An error of theirs is raised after the items before
    it have been given out.
    """
    ahead: Queue[list[Item] | BaseException | None] = Queue(largest)
    unwanted = threading.Event()
    threading.Thread(target=_read, args=(items, ahead, unwanted), daemon=True).start()
    try:
        while True:
            block: list[Item] = []
            last = _take(ahead, block, largest)
            if block:
                yield block
            if isinstance(last, BaseException):
                raise last
            if last is None:
                return
    finally:
        unwanted.set()


def _read(
    items: Iterable[Item],
    ahead: Queue[list[Item] | BaseException | None],
    unwanted: threading.Event,
) -> None:
    """Put each item into the queue as a list of one, then None or an error."""
    last: BaseException | None = None
    try:
        for item in items:
            if not _put(ahead, [item], unwanted):
                return
    except BaseException as error:  # noqa: BLE001 - raised where the items are used
        last = error
    _put(ahead, last, unwanted)


def _put(
    ahead: Queue[list[Item] | BaseException | None],
    entry: list[Item] | BaseException | None,
    unwanted: threading.Event,
) -> bool:
    while not unwanted.is_set():
        try:
            ahead.put(entry, timeout=_GLANCE)
        except Full:
            continue
        return True
    return False


def _take(
    ahead: Queue[list[Item] | BaseException | None], block: list[Item], largest: int
) -> list[Item] | BaseException | None:
    """Fill a block; an empty list if there may be more, else what ended it."""
    entry = ahead.get()
    while isinstance(entry, list):
        block += entry
        if len(block) == largest:
            return []
        try:
            entry = ahead.get_nowait()
        except Empty:
            return []
    return entry
