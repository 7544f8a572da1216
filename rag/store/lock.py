"""One writer at a time. The lock is the operating system's and dies with its process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import IndexLocked


@contextmanager
def writer_lock(index: Path) -> Iterator[None]:
    """Hold the writer lock of an index folder, or fail at once.

    The file `LOCK` is never deleted: left over, it means nothing. Who holds the lock is written
    beside it for people to read; it is not the lock.

    Raises:
        IndexLocked: another process, or another thread of this one, is writing.
    """
    holder = index / "LOCK.holder"
    lock = FileLock(index / "LOCK", is_singleton=False, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise IndexLocked(
            f"the index {index} is being written by {_describe(holder)}: "
            "wait until that build has finished, or stop it"
        ) from None
    try:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        holder.write_text(json.dumps({"pid": os.getpid(), "since": started}), "utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _describe(holder: Path) -> str:
    try:
        data = json.loads(holder.read_text("utf-8"))
        return f"process {data['pid']} since {data['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
