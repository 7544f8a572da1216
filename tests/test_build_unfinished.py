"""Builds that died, and builds that cannot write."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pytest
from builds import TWO, CountingEncoder, assert_same, content
from workshop import Workshop

from rag.building import writing
from rag.encoders import Vectors
from rag.errors import RagError

if TYPE_CHECKING:
    Make = Callable[..., Workshop]


def test_a_dead_build_goes_on_where_it_was(workshop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vectors of finished windows are in the journal; only the others are computed."""
    texts = {f"{n}.md": f"# Rule {n}\n\nIt holds for {n} days.\n" for n in range(6)}
    made = workshop(texts)
    monkeypatch.setattr(writing, "_WINDOW", 2)

    class Dying(CountingEncoder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            if self.texts:
                raise KeyboardInterrupt
            return super().encode(texts)

    with pytest.raises(KeyboardInterrupt):
        made.build(Dying(made.encoder))
    counting = CountingEncoder(made.encoder)
    report = made.build(counting)
    assert (report.embedded, report.reused) == (4, 2)
    assert len(counting.texts) == 4 * 2  # four chunks of one sentence each
    full = workshop(texts, "full")
    full.build()
    assert_same(content(made), content(full))
    assert not (made.index / "journal.sqlite").exists()


def test_a_dead_build_with_another_encoder_gives_nothing_away(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)
    with monkeypatch.context() as patch:
        patch.setattr(writing.LexicalWriter, "close", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made.build(CountingEncoder(made.encoder, digest="another"))
    assert (made.index / "journal.sqlite").exists()
    assert made.build().embedded == 2


def test_a_damaged_journal_costs_only_time(workshop: Make) -> None:
    made = workshop(TWO)
    made.index.mkdir()
    (made.index / "journal.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff" * 5_000)
    assert made.build().embedded == 2
    assert not (made.index / "journal.sqlite").exists()


def test_a_left_over_journal_goes_even_if_nothing_changed(workshop: Make) -> None:
    made = workshop(TWO)
    made.build()
    (made.index / "journal.sqlite").write_bytes(b"")
    made.build()
    assert not (made.index / "journal.sqlite").exists()


def test_a_database_that_cannot_be_written_is_one_line(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(writing.Journal, "add", full)
    with pytest.raises(RagError) as caught:
        made.build()
    assert str(caught.value) == (
        f"the index {made.index} cannot be written: database or disk is full "
        "(the published generation, if there is one, is untouched)"
    )


def test_a_full_disk_is_named_and_left_tidy(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)

    def full(*_: object) -> None:
        raise OSError("147840 requested and 103392 written")  # as NumPy says it

    monkeypatch.setattr(writing.VectorWriter, "close", full)
    with pytest.raises(RagError, match=r"cannot be written: the disk is full \(147840 requested"):
        made.build()
    assert made.generations() == []


LITTLE_ROOM = """
import json, resource, sys
from contextlib import contextmanager
from pathlib import Path
from rag.encoders import load_encoder
from rag.errors import RagError
from rag.index import open_index
from rag.building.indexing import build_index
from rag.settings import Settings

corpus, index = Path(sys.argv[1]), Path(sys.argv[2])

@contextmanager
def small_files(size):
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

settings = Settings(corpus=corpus, index=index, reader=False, threads=1)
encoder = load_encoder("default", 1)
encoder.encode(["ready"])
build_index(settings, encoder=encoder)
leave = corpus / "leave.md"
leave.write_text(leave.read_text().replace("13 days", "14 days"))
for n in range(12):
    text = " ".join(f"It holds for {n} days." for _ in range(9))
    (corpus / f"{n}.md").write_text(f"# Rule {n}\\n\\n{text}\\n")
failures = []
for size in [100, 5_000, 30_000, 60_000, 150_000, 1_000_000, 10_000_000]:
    try:
        with small_files(size):
            build_index(settings, encoder=encoder)
        break
    except RagError as error:
        failures.append(str(error))
        assert not list(index.glob("generations/.*")), "what was half written is still there"
    with open_index(index, settings) as opened:
        assert opened.text("leave.md").count("13 days") == 1, "the old generation is gone"
        assert opened.ask("How many days of leave?").nearest
with open_index(index, settings) as opened:
    assert opened.text("leave.md").count("14 days") == 1
    assert len(opened.documents()) == 14
left = sorted(path.name for path in index.iterdir())
left += [path.name for path in (index / "generations").iterdir() if path.name.startswith(".")]
print(json.dumps({"failures": failures, "left": left}))
"""


def test_files_that_may_not_grow_are_all_or_nothing(workshop: Make) -> None:
    """More room each time until the build succeeds; after each failure the old index answers."""
    pytest.importorskip("resource")
    made = workshop(TWO)
    command = [sys.executable, "-c", LITTLE_ROOM, str(made.corpus), str(made.index)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["left"] == ["CURRENT", "LOCK", "corpus.json", "generations", "seen.json"]
    assert len(told["failures"]) >= 3
    for failure in told["failures"]:
        assert failure.startswith(f"the index {made.index} cannot be written: ")
