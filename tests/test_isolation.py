"""A document that hangs, crashes or eats memory costs nothing but itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hostile_loaders
import pytest

from rag.building import isolation
from rag.building.isolation import IsolatedReader, needs_isolation
from rag.errors import DocumentError, NoText, RagError
from rag.loaders import LOADERS, Unopened, load
from rag.store.lock import writer_lock
from rag.types import Problem

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]

LEAVE = "# Leave\n\nStaff get 13 days of leave.\n"
REASONS = {
    "a.hang": "took longer than 2 s to read: split it, or raise document_seconds",
    "b.crash": "cannot be read, its parser was ended by SIGSEGV: open it and save it again",
    "c.leave": "cannot be read, its parser ended with code 3: open it and save it again",
    "d.eat": "needs more than 600 MB of memory to read: split it, or raise document_memory_mb",
    "e.huge": "has 25 million characters of text, over the limit of 20 million: split it",
    "f.broken": "holds characters that are not valid Unicode: save it again as UTF-8",
    "g.marred": "holds characters that are not valid Unicode: save it again as UTF-8",
}
LIMITS = {"document_seconds": 3, "document_memory_mb": 600}


@pytest.fixture(autouse=True)
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    """The formats whose loaders misbehave."""
    for suffix, place in hostile_loaders.LOADERS.items():
        monkeypatch.setitem(LOADERS, suffix, place)


@pytest.fixture
def reader() -> Iterator[IsolatedReader]:
    """A reader whose limit of time only a document that hangs reaches."""
    with IsolatedReader(seconds=20, memory_mb=600) as reader:
        yield reader


@pytest.fixture
def hasty() -> Iterator[IsolatedReader]:
    """A reader with a short limit of time."""
    with IsolatedReader(seconds=2, memory_mb=600) as reader:
        yield reader


def write(folder: Path, name: str, text: str = "x") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def reason(reader: IsolatedReader, path: Path) -> str:
    with pytest.raises(DocumentError) as caught:
        reader.load(path, path.name)
    return str(caught.value)


def process_of(reader: IsolatedReader) -> int:
    assert reader._process is not None
    return reader._process.pid


def test_documents_are_read_as_in_this_process(
    tmp_path: Path, reader: IsolatedReader, small_corpus: dict[str, str]
) -> None:
    processes = set()
    for number, (name, text) in enumerate(small_corpus.items()):
        path = write(tmp_path, f"{number}{Path(name).suffix}", text)
        assert reader.load(path, name) == load(path, name)
        processes.add(process_of(reader))
    assert len(processes) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
@pytest.mark.parametrize(
    "name", [name for name in REASONS if not name.endswith((".broken", ".marred"))]
)
def test_a_bad_document_is_named_and_the_next_is_read(
    tmp_path: Path, reader: IsolatedReader, hasty: IsolatedReader, name: str
) -> None:
    if name.endswith(".hang"):
        reader = hasty
    started = time.monotonic()
    assert reason(reader, write(tmp_path, name)) == REASONS[name]
    assert time.monotonic() - started < 30, "the limit of time did not hold"
    good = write(tmp_path, "good.md", LEAVE)
    reader._seconds = 20
    assert reader.load(good, "good.md").text == LEAVE


def test_what_a_library_prints_is_no_answer(tmp_path: Path, reader: IsolatedReader) -> None:
    for _ in range(3):
        assert reader.load(write(tmp_path, "a.chatty"), "a.chatty").text == "Staff may speak."


def test_nothing_is_imported_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: IsolatedReader
) -> None:
    """The working folder may be the corpus, and a document may be called json.py."""
    write(tmp_path, "json.py", "raise SystemExit('a document was run')")
    monkeypatch.chdir(tmp_path)
    assert reader.load(write(tmp_path, "good.md", LEAVE), "good.md").text == LEAVE


def test_the_process_ends_with_its_reader(tmp_path: Path, reader: IsolatedReader) -> None:
    reader.load(write(tmp_path, "good.md", LEAVE), "good.md")
    process = process_of(reader)
    reader.close()
    reader.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_file_that_cannot_be_opened_there_is_told_apart(
    tmp_path: Path, reader: IsolatedReader
) -> None:
    with pytest.raises(Unopened, match=r"^cannot be read: No such file or directory$"):
        reader.load(tmp_path / "gone.html", "gone.html")


def test_an_error_keeps_its_class(tmp_path: Path, reader: IsolatedReader) -> None:
    with pytest.raises(NoText, match=r"^has no text$"):
        reader.load(write(tmp_path, "a.html", "<script>draw()</script>"), "a.html")


@pytest.mark.parametrize(
    ("reason", "outgrown"),
    [
        ("took longer than 20 s to read: split it, or raise document_seconds", False),
        ("took longer than 10 s to read: split it, or raise document_seconds", True),
        (
            "needs more than 600 MB of memory to read: split it, or raise document_memory_mb",
            False,
        ),
        ("needs more than 60 MB of memory to read: split it, or raise document_memory_mb", True),
        ("cannot be read, its parser was ended by SIGKILL: open it and save it again", True),
        ("cannot be read, its parser was ended by SIGSEGV: open it and save it again", False),
        ("has no text layer (scanned?): install tesseract, or run OCR on it first", False),
        ("has no text", False),
    ],
)
def test_what_older_indexes_say_of_a_document_is_understood(
    reader: IsolatedReader, reason: str, outgrown: bool
) -> None:
    assert reader.outgrown(reason) == outgrown


def test_a_process_that_was_killed_while_idle_costs_no_document(
    tmp_path: Path, reader: IsolatedReader
) -> None:
    good = write(tmp_path, "good.md", LEAVE)
    reader.load(good, "good.md")
    os.kill(process_of(reader), signal.SIGKILL)
    time.sleep(0.2)
    assert reader.load(good, "good.md").text == LEAVE


def test_a_document_whose_process_is_killed_twice_is_tried_again_by_the_next_build(
    workshop: Make, tmp_path: Path
) -> None:
    peace = tmp_path / "peace"
    made = workshop({"a.killed": str(peace), "leave.md": LEAVE})
    killed = "cannot be read, its parser was ended by SIGKILL: open it and save it again"
    first = made.build()
    assert first.failed == [Problem("a.killed", killed)]
    assert made.build().generation == first.generation
    # Whatever was the matter with the machine is over.
    peace.touch()
    report = made.build()
    assert (report.failed, report.documents) == ([], 2)


def test_without_a_process_that_reads_nothing_is_published_and_nothing_lost(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop({"leave.html": "<p>Staff get 13 days of leave.</p>"})
    first = made.build().generation
    made.write("leave.html", "<p>Staff get 14 days of leave.</p>")
    for broken in ("/bin/false", "/no/such/python"):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", broken)
            with pytest.raises(RagError, match="the process that reads documents does not start"):
                made.build()
        with made.open() as index:
            assert (index.generation, index.text("leave.html")) == (
                first, "Staff get 13 days of leave.",
            )  # fmt: skip
    assert made.build().changed == ["leave.html"]


ORPHAN = """
import os, sys
sys.path.append(sys.argv[1])
import hostile_loaders
from pathlib import Path
from rag.store.lock import writer_lock
lock = writer_lock(Path(sys.argv[2]).parent)
lock.__enter__()
from rag.building.isolation import IsolatedReader
from rag.loaders import LOADERS
LOADERS.update(hostile_loaders.LOADERS)
# It is ended five seconds after its limit of time: here, two after it has begun.
reader = IsolatedReader(-3, 600)
reader._start()
print(reader._process.pid, flush=True)
reader._seconds = 1000
reader.load(Path(sys.argv[2]), "a.hang")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGALRM")
def test_a_hanging_process_does_not_outlive_a_killed_build(tmp_path: Path) -> None:
    path = write(tmp_path, "a.hang")
    command = [sys.executable, "-c", ORPHAN, str(Path(__file__).parent), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as build:
        assert build.stdout is not None
        hanging = int(build.stdout.readline())
        time.sleep(0.5)
        build.kill()
    with writer_lock(tmp_path):
        pass  # The lock has died with the build, although its child hangs on.
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(hanging, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{hanging}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return  # dead; whoever adopted it has not buried it yet
        time.sleep(0.2)
    os.kill(hanging, signal.SIGKILL)
    pytest.fail("it hangs on")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_memory_of_this_process_does_not_count(tmp_path: Path, reader: IsolatedReader) -> None:
    """The system hands the peak of a parent down to its child."""
    ballast = bytearray(500_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    good = write(tmp_path, "good.html", "<p>Staff may.</p>")
    reader.load(good, "good.html")
    process = process_of(reader)
    reader.load(good, "good.html")
    assert process_of(reader) == process
    assert ballast


def test_short_plain_text_is_read_here() -> None:
    assert not needs_isolation("a.md", 10_000)
    assert not needs_isolation("A.TXT", 10_000)
    assert needs_isolation("a.md", 1_000_000)
    assert needs_isolation("a.pdf", 10)
    assert needs_isolation("a.html", 10)


def test_a_corpus_of_plain_text_starts_no_process(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation.subprocess, "Popen", lambda *_, **__: 1 / 0)
    assert workshop({"leave.md": LEAVE, "travel.txt": "Trips."}).build().documents == 2


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_a_build_leaves_out_what_is_bad_and_nothing_else(workshop: Make) -> None:
    made = workshop({**dict.fromkeys(REASONS, "x"), "leave.md": LEAVE, "z.html": "<p>Last.</p>"})
    report = made.build(**LIMITS)
    reasons = {**REASONS, "a.hang": REASONS["a.hang"].replace("2 s", "3 s")}
    assert report.failed == [Problem(name, why) for name, why in reasons.items()]
    assert (report.documents, sorted(report.added)) == (2, ["leave.md", "z.html"])
    assert [(d.document, d.what, d.why) for d in report.details if d.what == "failed"] == [
        (name, "failed", why) for name, why in reasons.items()
    ]
    # They are not tried again until they change …
    started = time.monotonic()
    assert made.build(**LIMITS).failed == report.failed
    assert time.monotonic() - started < 4, "the hanging one was tried again"
    # … or the limits do.
    other = made.build(document_seconds=2, document_memory_mb=600)
    assert other.failed[0].reason == REASONS["a.hang"]
    assert other.failed[1:] == report.failed[1:]
