"""The writer lock: one at a time, told who, and gone with its process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import IndexLocked
from rag.store.lock import writer_lock

HOLD = """
import sys, time
from pathlib import Path
from rag.store.lock import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of `tmp_path`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def refused(index: Path) -> str:
    with pytest.raises(IndexLocked) as caught, writer_lock(index):
        pass
    return str(caught.value)


def test_a_writer_in_another_process_is_named(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    assert re.fullmatch(
        rf"the index {re.escape(str(tmp_path))} is being written by process {holder.pid} since "
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00: wait until that build has finished, or stop it",
        refused(tmp_path),
    )


def test_the_lock_dies_with_a_killed_process(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "LOCK.holder").exists()
    with writer_lock(tmp_path):
        assert json.loads((tmp_path / "LOCK.holder").read_text())["pid"] == os.getpid()


def test_a_second_writer_in_the_same_process_is_refused(tmp_path: Path) -> None:
    with writer_lock(tmp_path):
        assert f"process {os.getpid()} since" in refused(tmp_path)
    with writer_lock(tmp_path):
        pass


def test_a_refusal_does_not_free_the_lock(tmp_path: Path) -> None:
    with writer_lock(tmp_path):
        refused(tmp_path)
        refused(tmp_path)


def test_the_lock_is_freed_by_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), writer_lock(tmp_path):
        raise RuntimeError
    with writer_lock(tmp_path):
        pass


@pytest.mark.parametrize("note", ["", "{}", "[]", "\0", '{"pid": 1}'])
def test_an_unreadable_note_is_no_obstacle(tmp_path: Path, note: str) -> None:
    with writer_lock(tmp_path):
        (tmp_path / "LOCK.holder").write_text(note)
        assert "is being written by another process: wait" in refused(tmp_path)


def test_left_over_files_mean_nothing(tmp_path: Path) -> None:
    (tmp_path / "LOCK").write_text("")
    (tmp_path / "LOCK.holder").write_text(json.dumps({"pid": 1, "since": "yesterday"}))
    with writer_lock(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["LOCK"]
