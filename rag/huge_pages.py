"""Huge pages for the memory of a process that stays, where Linux gives them to who asks."""

from __future__ import annotations

import ctypes
import mmap
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_SETTING = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_SMALLEST = 4 * 2**20
_PAGE = 2 * 2**20
_PAUSE = 0.25
"""Seconds between two pages: memory is locked while one is moved, so few questions may meet it.

Measured: with pauses of 20 ms p95 was 1.6 times p50, with these 1.3 to 1.4 times."""
_MADV_COLLAPSE = 25
"""Since Linux 6.1; older ones refuse it, and come to these pages in their own time."""
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0\b")


def use_huge_pages() -> None:
    """Move the large, filled parts of this process's memory into pages of 2 MB.

    A question reads all weights of the networks. In pages of 4 KB the processor has to look up
    where most of them are, and after a pause, or after other work, it has forgotten. Takes half a
    second of one core, spread over half a minute, and no more memory than before (measured).
    Does nothing where pages are huge already, or where the system has none.
    """
    if not _on_request():
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in _filled(Path("/proc/self/smaps").read_text("ascii", "replace")):
        first, last = -(-start // _PAGE) * _PAGE, end // _PAGE * _PAGE
        # Advice: where it cannot be followed, or the memory has been freed, nothing changes.
        madvise(first, last - first, mmap.MADV_HUGEPAGE)
        for page in range(first, last, _PAGE):
            madvise(page, _PAGE, _MADV_COLLAPSE)
            time.sleep(_PAUSE)


def _on_request() -> bool:
    """True where huge pages are for those who ask."""
    try:
        return sys.platform == "linux" and "[madvise]" in _SETTING.read_text("ascii")
    except OSError:
        return False


def _filled(smaps: str) -> Iterator[tuple[int, int]]:
    """Large private mappings of no file that are in memory for the most part: not stacks."""
    own: tuple[int, int] | None = None
    for line in smaps.splitlines():
        if found := _MAPPING.match(line):
            own = int(found[1], 16), int(found[2], 16)
        elif own and line.startswith("Rss:"):
            size = own[1] - own[0]
            if size >= _SMALLEST and int(line.split()[1]) * 1024 * 2 >= size:
                yield own
            own = None
