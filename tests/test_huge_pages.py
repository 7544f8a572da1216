"""Huge pages: large, filled memory gets them, and a process that stays asks for them once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from rag import huge_pages, pipeline
from rag.huge_pages import use_huge_pages
from rag.index import open_index

if TYPE_CHECKING:
    from rag.settings import Settings
    from rag.types import BuildReport

SIZE = 32 * 2**20

FILLED = f"""
import mmap, re
from pathlib import Path
from rag import huge_pages

def huge_kb():
    text = Path("/proc/self/smaps_rollup").read_text()
    return int(re.search(r"AnonHugePages:\\s+(\\d+)", text)[1])

huge_pages._PAUSE = 0
with mmap.mmap(-1, {SIZE}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
    memory.write(b"x" * {SIZE})
    before = huge_kb()
    huge_pages.use_huge_pages()
    assert memory[:] == b"x" * {SIZE}
    print(huge_kb() - before)
"""


@pytest.mark.skipif(
    not huge_pages._on_request(), reason="no Linux that gives huge pages to who asks"
)
def test_filled_memory_comes_to_lie_in_huge_pages() -> None:
    # In a process of its own: all of this one's memory would be moved too.
    command = [sys.executable, "-c", FILLED]
    moved = int(subprocess.run(command, capture_output=True, check=True).stdout)
    if moved == 0:
        pytest.skip("this Linux moves nothing at once (before 6.1), or has no huge page left")
    assert moved >= SIZE // 2 // 1024


def test_only_large_filled_memory_of_no_file_is_chosen() -> None:
    smaps = "".join(
        f"{line}\nSize: {size} kB\nRss: {rss} kB\nAnonHugePages: 0 kB\n"
        for line, size, rss in (
            ("7f0000000000-7f0001000000 rw-p 00000000 00:00 0", 16384, 16000),
            ("7f1000000000-7f1000800000 rw-p 00000000 00:00 0 [stack]", 8192, 100),
            ("7f2000000000-7f2001000000 rw-p 00000000 fe:00 77 /weights", 16384, 16384),
            ("7f3000000000-7f3001000000 r--p 00000000 00:00 0", 16384, 16384),
            ("7f4000000000-7f4000010000 rw-p 00000000 00:00 0", 64, 64),
            ("558000000000-558001000000 rw-p 00000000 00:00 0 [heap]", 16384, 9000),
        )
    )
    found = [start for start, _ in huge_pages._filled(smaps)]
    assert found == [0x7F0000000000, 0x558000000000]


@pytest.mark.parametrize("setting", [None, "[always] madvise never", "always madvise [never]"])
def test_elsewhere_nothing_is_asked_for(
    setting: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if setting is not None:
        (tmp_path / "enabled").write_text(setting)
    monkeypatch.setattr(huge_pages, "_SETTING", tmp_path / "enabled")
    monkeypatch.delattr(huge_pages, "ctypes")
    use_huge_pages()


def test_a_process_that_stays_asks_once(
    small_settings: Settings, small_report: BuildReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    called = Event()

    def note() -> None:
        asked.append(1)
        called.set()

    monkeypatch.setattr(pipeline, "use_huge_pages", note)
    monkeypatch.setattr(pipeline, "_STAYS_AFTER", 3)
    with open_index(small_settings.index, small_settings) as index:
        for _ in range(2):
            index.retrieve("How long is annual leave?")
        assert not called.wait(0.1)
        for _ in range(4):
            index.ask("How long is annual leave?")
        assert called.wait(5)
    assert asked == [1]
