"""`rag build --watch` keeps the index in step with the folder, whatever happens to either."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING

import pytest

from rag.building import watch as watching
from rag.building.watch import watch_and_build
from rag.errors import RagError
from rag.store.lock import writer_lock
from rag.types import BuildReport

if TYPE_CHECKING:
    from workshop import Workshop

    from rag.encoders import Encoder

    Make = Callable[..., Workshop]

pytestmark = pytest.mark.slow

LEAVE = "# Leave\n\nStaff get 13 days of leave.\n"
PATIENCE = 60


class Watcher:
    """`watch_and_build` in a thread of its own."""

    def __init__(self, made: Workshop) -> None:
        self.made = made
        self.reports: Queue[BuildReport] = Queue()
        self.failures: Queue[RagError] = Queue()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        for report in watch_and_build(self.made.settings, stop=self.stop, failed=self.failures.put):
            self.reports.put(report)

    def next(self) -> BuildReport:
        return self.reports.get(timeout=PATIENCE)

    def end(self) -> None:
        self.stop.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture
def watch(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Workshop], Watcher]]:
    """Start watching; ended with the test."""
    monkeypatch.setattr(watching, "load_encoder", lambda *_: encoder)
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.5)
    started: list[Watcher] = []

    def start(made: Workshop) -> Watcher:
        started.append(Watcher(made))
        return started[-1]

    yield start
    for watcher in started:
        watcher.end()


def test_every_change_is_followed(workshop: Make, watch: Callable[[Workshop], Watcher]) -> None:
    made = workshop({"leave.md": LEAVE})
    watcher = watch(made)
    assert watcher.next().added == ["leave.md"]
    made.write("deep/er/travel.md", "# Travel\n\nTrips are booked by the office.\n")
    assert watcher.next().added == ["deep/er/travel.md"]
    made.write("leave.md", LEAVE.replace("13", "14"))
    assert watcher.next().changed == ["leave.md"]
    (made.corpus / "leave.md").rename(made.corpus / "annual.md")
    report = watcher.next()
    assert (report.added, report.removed) == (["annual.md"], ["leave.md"])
    (made.corpus / "annual.md").unlink()
    assert watcher.next().removed == ["annual.md"]
    with made.open() as index:
        assert [info.id for info in index.documents()] == ["deep/er/travel.md"]


def test_many_changes_at_once_are_one_build(
    workshop: Make, watch: Callable[[Workshop], Watcher]
) -> None:
    made = workshop({"leave.md": LEAVE})
    watcher = watch(made)
    watcher.next()
    for number in range(20):
        made.write(f"{number}.md", f"# Rule {number}\n\nIt holds.\n")
        time.sleep(0.02)
    assert len(watcher.next().added) == 20
    time.sleep(1)
    with pytest.raises(Empty):
        watcher.reports.get_nowait()


def test_a_change_during_a_build_is_not_lost(
    workshop: Make, watch: Callable[[Workshop], Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop({"leave.md": LEAVE})
    build = watching.build_index
    during: list[str] = ["travel.md"]

    def slow_build(*arguments: object) -> BuildReport:
        report = build(*arguments)  # type: ignore[arg-type]
        if during:
            made.write(during.pop(), "# Travel\n\nTrips are booked by the office.\n")
        return report

    monkeypatch.setattr(watching, "build_index", slow_build)
    watcher = watch(made)
    assert watcher.next().added == ["leave.md"]
    assert watcher.next().added == ["travel.md"]


def test_hidden_files_and_the_index_itself_are_no_changes(
    workshop: Make, watch: Callable[[Workshop], Watcher]
) -> None:
    made = workshop({"leave.md": LEAVE})
    made.index = made.corpus / "index"
    made.settings = type(made.settings)(**{**vars(made.settings), "index": made.index})
    watcher = watch(made)
    watcher.next()
    made.write(".hidden/note.md", "no")
    made.write(".leave.md.swp", "no")
    time.sleep(2)
    with pytest.raises(Empty):
        watcher.reports.get_nowait()
    made.write(".ragignore", "leave.md\n")
    assert watcher.next().removed == ["leave.md"]


def test_a_failed_build_is_told_and_tried_again(
    workshop: Make, watch: Callable[[Workshop], Watcher]
) -> None:
    made = workshop({"leave.md": LEAVE})
    made.index.mkdir()
    with writer_lock(made.index):
        watcher = watch(made)
        told = watcher.failures.get(timeout=PATIENCE)
        assert f"is being written by process {os.getpid()} since" in str(told)
    assert watcher.next().added == ["leave.md"]


def test_a_folder_that_vanishes_is_awaited(
    workshop: Make, watch: Callable[[Workshop], Watcher]
) -> None:
    made = workshop({"leave.md": LEAVE})
    watcher = watch(made)
    watcher.next()
    shutil.move(made.corpus, made.corpus.with_name("away"))
    assert "there is no folder" in str(watcher.failures.get(timeout=PATIENCE))
    made.write("travel.md", "# Travel\n\nTrips are booked by the office.\n")
    found = {name for _ in range(1) for name in watcher.next().added}
    assert found == {"travel.md"}
    made.write("leave.md", LEAVE)
    assert watcher.next().added == ["leave.md"]


def test_a_link_to_another_folder_is_followed(
    workshop: Make, watch: Callable[[Workshop], Watcher]
) -> None:
    made = workshop({"leave.md": LEAVE})
    first, second = (made.corpus.with_name(name) for name in ("first", "second"))
    made.corpus.rename(first)
    second.mkdir()
    (second / "travel.md").write_text("# Travel\n\nTrips are booked by the office.\n")
    made.corpus.symlink_to(first)
    watcher = watch(made)
    assert watcher.next().added == ["leave.md"]
    link = made.corpus.with_name("link")
    link.symlink_to(second)
    link.replace(made.corpus)
    assert watcher.next().added == ["travel.md"]


def command(made: Workshop, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rag", "build", str(made.corpus), "--index", str(made.index),
         "--watch", "--threads", "1", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A test run in the background of a shell would hand down that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def test_the_command_ends_cleanly_on_ctrl_c(workshop: Make) -> None:
    made = workshop({"leave.md": LEAVE})
    with command(made, "--json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["added"] == ["leave.md"]
        made.write("travel.md", "# Travel\n\nTrips are booked by the office.\n")
        assert json.loads(process.stdout.readline())["added"] == ["travel.md"]
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, rest) == (0, "")
    assert errors.splitlines()[-1] == (
        "rag: stopped watching; the index is as the last build left it"
    )
    assert "Traceback" not in errors


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_a_killed_watcher_leaves_a_whole_index(workshop: Make) -> None:
    made = workshop({"leave.md": LEAVE})
    with command(made) as process:
        assert process.stdout is not None
        process.stdout.readline()
        for number in range(40):
            made.write(f"{number}.md", f"# Rule {number}\n\n" + "It holds for a year. " * 20)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and not any(
            name.startswith(".building") for name in made.generations()
        ):
            time.sleep(0.01)
        process.kill()
    with made.open() as index:
        assert len(index.documents()) in (1, 41)
    assert made.build().documents == 41
    assert not [name for name in made.generations() if name.startswith(".")]
    assert Path(made.index / "LOCK.holder").exists() is False
