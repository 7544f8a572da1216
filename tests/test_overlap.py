"""Reading and embedding at once: both go on, little waits between them, and nothing is lost."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from awkward import lines_pdf
from builds import CountingEncoder, assert_same, content, reading_noted

from rag.building import reading, writing
from rag.building.indexing import build_index
from rag.errors import RagError

if TYPE_CHECKING:
    from workshop import Workshop

    from rag.encoders import Vectors
    from rag.types import Document

    Make = Callable[..., Workshop]

PATIENCE = 60.0
RULES = {f"{n:02d}.md": f"# Rule {n}\n\nIt holds for {n} days.\n" for n in range(40)}


class Gated(CountingEncoder):
    """The real encoder, which waits with its first batch until it is let."""

    def __init__(self, made: Workshop) -> None:
        super().__init__(made.encoder)
        self.gate = threading.Event()
        self.asked = threading.Event()

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked.set()
        assert self.gate.wait(PATIENCE)
        return super().encode(texts)


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of two chunks, of which two may wait."""
    monkeypatch.setattr(writing, "_WINDOW", 2)
    monkeypatch.setattr(writing, "_AHEAD", 2)


def settled(names: Sequence[str]) -> int:
    """How many there are once there are no more."""
    seen = -1
    while seen != len(names):
        seen = len(names)
        time.sleep(0.5)
    return seen


@pytest.mark.usefixtures("small_windows")
def test_reading_goes_on_while_a_window_is_embedded_but_not_far(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(RULES)
    names, gated = reading_noted(monkeypatch), Gated(made)
    build = threading.Thread(target=made.build, args=(gated,))
    build.start()
    try:
        assert gated.asked.wait(PATIENCE)
        # A window is embedded, two wait, and one more has been read: the rest stays on the disk.
        assert settled(names) == 2 * (1 + 2 + 1)
        assert gated.texts == []
    finally:
        gated.gate.set()
        build.join(PATIENCE)
    assert names == sorted(RULES)
    with made.open() as index:
        assert len(index.documents()) == len(RULES)


@pytest.mark.usefixtures("small_windows")
def test_an_error_of_the_encoder_ends_the_build_and_leaves_the_index(workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n"})
    first = made.build().generation
    for name, text in RULES.items():
        made.write(name, text)

    class Broken(CountingEncoder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            if len(self.texts) > 8:
                raise RagError("the encoder is broken")
            return super().encode(texts)

    before = threading.active_count()
    with pytest.raises(RagError, match="the encoder is broken"):
        made.build(Broken(made.encoder))
    assert threading.active_count() <= before
    assert "embedding" not in {thread.name for thread in threading.enumerate()}
    with made.open() as index:
        assert (index._generation.id, len(index.documents())) == (first, 1)
    report = made.build()
    assert (report.documents, report.embedded < 40) == (41, True)  # the journal had some


@pytest.mark.usefixtures("small_windows")
def test_an_error_while_reading_ends_the_embedding(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(RULES)
    load = reading.load

    def interrupted(path: Path, name: str) -> Document:
        if name == "20.md":
            raise KeyboardInterrupt
        return load(path, name)

    monkeypatch.setattr(reading, "load", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made.build()
    assert not {"embedding", "reading_0"} & {thread.name for thread in threading.enumerate()}


def test_rows_keep_their_order_whatever_takes_long(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PDFs are read by other processes, ahead of their turn; the index does not show it."""
    made = workshop({})
    for number in range(6):
        made.write(f"{number}-a.md", f"# Rule {number}\n\nIt holds.\n")
        made.write_bytes(f"{number}-b.pdf", lines_pdf([f"Form {number} is on the first floor."]))
    made.build(threads=4)
    with made.open() as index:
        names = [info.id for info in index.documents()]
        rows = [hit.document for hit in index._generation.tables.chunks(range(len(names)))]
    assert names == rows == sorted(names)
    assert len(names) == 12


def test_the_same_corpus_gives_the_same_bytes(workshop: Make, small_corpus: dict[str, str]) -> None:
    files = []
    for name in ("one", "two"):
        made = workshop({**small_corpus, **RULES}, name)
        made.write_bytes("form.pdf", lines_pdf(["The form is on the first floor."]))
        for path in made.corpus.rglob("*"):
            if path.is_file():
                # The time of change is kept in the index.
                os.utime(path, (1, 1))
        (folder,) = (made.index / "generations" / made.build().generation,)
        files.append(
            {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*")
                if path.is_file() and path.name != "manifest.json"
            }
        )
    assert files[0].keys() == files[1].keys()
    assert [name for name in files[0] if files[0][name] != files[1][name]] == []


@pytest.mark.usefixtures("small_windows")
def test_new_chunks_between_old_ones_are_embedded_together(workshop: Make) -> None:
    """One window for the new chunks of many places: few batches, and every row in its place."""
    made = workshop(RULES)
    made.build()
    for number in (3, 4, 17, 39):
        made.write(f"{number:02d}.md", f"# Rule {number}\n\nIt holds for {100 + number} days.\n")
    (made.corpus / "20.md").unlink()
    batches: list[int] = []

    class Noting(CountingEncoder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            batches.append(len(texts))
            return super().encode(texts)

    report = made.build(Noting(made.encoder))
    assert (report.embedded, batches) == (4, [4, 4])  # two chunks of one sentence each, twice
    full = workshop({}, "full")
    for path in sorted(made.corpus.iterdir()):
        full.write(path.name, path.read_text())
    full.build()
    assert_same(content(made), content(full))


def test_progress_is_told_by_the_thread_that_builds(workshop: Make) -> None:
    made = workshop(RULES)
    told: list[tuple[str, int, int]] = []
    threads = set()

    def progress(stage: str, done: int, total: int) -> None:
        told.append((stage, done, total))
        threads.add(threading.get_ident())

    build_index(made.settings, progress, made.encoder)
    assert threads == {threading.get_ident()}
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == [
        "reading", "finishing", "embedding",
    ]  # fmt: skip
    for stage in ("reading", "embedding", "finishing"):
        steps = [(done, total) for name, done, total in told if name == stage]
        assert steps == sorted(steps)
        assert steps[0][0] == 0
        assert steps[-1][0] == steps[-1][1] == max(total for _, total in steps) > 0
    assert told[-1][0] == "finishing"
