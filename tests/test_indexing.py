"""Builds: a rebuild costs what changed, and ends up where a full build would."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rag import indexing
from rag.encoders import Encoder, Vectors
from rag.errors import CorpusNotFound, IndexLocked, RagError
from rag.index import Index
from rag.store.lexical import terms
from rag.store.lock import writer_lock
from rag.store.manifest import current_generation
from rag.types import BuildReport, Chunk, Problem

if TYPE_CHECKING:
    from workshop import Workshop

    from rag.corpus import Scan

    Make = Callable[..., Workshop]

LEAVE = "# Leave\n\nStaff get 13 days of leave. New staff wait for three months.\n"
TRAVEL = "# Travel\n\nTrips are booked by the office. A hotel may cost 90 euro.\n"
SAFETY = "# Safety\n\nReport an incident within one hour.\n"
TWO = {"leave.md": LEAVE, "travel.md": TRAVEL}


class CountingEncoder:
    """The real encoder, which notes every text that it was given."""

    def __init__(self, encoder: Encoder, digest: str = "") -> None:
        self._encoder = encoder
        self.name, self.dimension, self.window = encoder.name, encoder.dimension, encoder.window
        self.digest = digest or encoder.digest
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.texts += texts
        return self._encoder.encode(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.count_tokens(texts)


def changes(report: BuildReport) -> tuple[list[str], list[str], list[str], int]:
    """Added, changed, removed, unchanged; checked against the totals."""
    assert report.documents == len(report.added) + len(report.changed) + report.unchanged
    assert report.chunks == report.embedded + report.reused
    return (
        list(report.added), list(report.changed), list(report.removed), report.unchanged,
    )  # fmt: skip


@dataclass
class Content:
    """All that a generation says, row by row."""

    documents: list[tuple[Any, ...]]
    chunks: list[tuple[Chunk, bytes]]
    vectors: list[tuple[Any, Any]]
    words: dict[str, int]
    failures: dict[str, Any]


def content(made: Workshop) -> Content:
    with made.open() as index:
        generation = index._generation
        tables, rows = generation.tables, range(generation.manifest.chunks)
        keys = tables.chunk_keys(0, len(rows))
        assert all(tables.find_vectors(key) for key in keys)
        words = sorted({term for text in tables.enriched() for term in terms(text)})
        return Content(
            documents=[
                (info.id, info.title, info.metadata, info.first_chunk, info.chunks, info.tokens,
                 info.file.sha256, tables.document(info.id))
                for info in tables.documents()
            ],
            chunks=list(zip(tables.chunks(rows), keys, strict=True)),
            vectors=[
                (
                    generation.vectors.chunks(np.array([row])),
                    generation.vectors.sentences_of(np.array([row]))[0],
                )
                for row in rows
            ],
            words={word: generation.lexical.frequency(word) for word in words},
            failures=tables.failures(),
        )  # fmt: skip


def assert_same(one: Content, other: Content) -> None:
    """Equal to the last bit, but for the rounding of vectors computed in another batch."""
    assert one.documents == other.documents
    assert one.chunks == other.chunks
    assert one.words == other.words
    assert one.failures == other.failures
    for mine, theirs in zip(one.vectors, other.vectors, strict=True):
        np.testing.assert_allclose(mine[0], theirs[0], atol=1e-5)
        np.testing.assert_allclose(mine[1], theirs[1], atol=1e-3)  # float16


def assert_same_answers(one: Index, other: Index, questions: Sequence[str]) -> None:
    for question in questions:
        mine, theirs = one.ask(question), other.ask(question)
        assert mine.text == theirs.text
        assert mine.citations == theirs.citations
        assert mine.confidence == pytest.approx(theirs.confidence, abs=1e-3)
        hits = [[hit.chunk for hit in index.retrieve(question, 10)] for index in (one, other)]
        assert hits[0] == hits[1]


# What a build costs and reports


def test_a_first_build_embeds_everything(workshop: Make) -> None:
    made = workshop(TWO)
    report = made.build()
    assert changes(report) == (["leave.md", "travel.md"], [], [], 0)
    assert (report.chunks, report.embedded, report.reused) == (2, 2, 0)
    assert report.generation == current_generation(made.index)


def test_nothing_changed_publishes_nothing(workshop: Make) -> None:
    made = workshop(TWO)
    first = made.build()
    before = sorted((made.index / "generations").rglob("*"))
    counting = CountingEncoder(made.encoder)
    again = made.build(counting)
    assert again.generation == first.generation
    assert changes(again) == ([], [], [], 2)
    assert (again.embedded, again.reused) == (0, 2)
    assert counting.texts == []
    assert sorted((made.index / "generations").rglob("*")) == before


def test_only_the_text_that_changed_is_embedded(workshop: Make) -> None:
    made = workshop(TWO)
    made.build()
    made.write("travel.md", TRAVEL.replace("90", "95"))
    counting = CountingEncoder(made.encoder)
    report = made.build(counting)
    assert changes(report) == ([], ["travel.md"], [], 1)
    assert (report.embedded, report.reused) == (1, 1)
    assert counting.texts == [
        "Travel\nTrips are booked by the office. A hotel may cost 95 euro.",
        "Trips are booked by the office.",
        "A hotel may cost 95 euro.",
    ]


def test_documents_come_and_go(workshop: Make) -> None:
    made = workshop(TWO)
    made.build()
    made.write("safety.md", SAFETY)
    (made.corpus / "leave.md").unlink()
    report = made.build()
    assert changes(report) == (["safety.md"], [], ["leave.md"], 1)
    with made.open() as index:
        assert [info.id for info in index.documents()] == ["safety.md", "travel.md"]
        assert "leave.md" not in {hit.chunk.document for hit in index.retrieve("leave", 10)}


def test_a_renamed_document_costs_no_embedding(workshop: Make) -> None:
    made = workshop(TWO)
    made.build()
    (made.corpus / "leave.md").rename(made.corpus / "annual.md")
    counting = CountingEncoder(made.encoder)
    report = made.build(counting)
    assert changes(report) == (["annual.md"], [], ["leave.md"], 1)
    assert (report.embedded, counting.texts) == (0, [])
    with made.open() as index:
        assert index.retrieve("leave days")[0].chunk.document == "annual.md"


def test_the_same_text_under_two_names_is_embedded_once_and_kept_twice(workshop: Make) -> None:
    made = workshop({"one.md": LEAVE, "two/copy.md": LEAVE})
    counting = CountingEncoder(made.encoder)
    report = made.build(counting)
    assert (report.documents, report.chunks, report.embedded, report.reused) == (2, 2, 1, 1)
    assert len(counting.texts) == 1 + 2  # the chunk and its two sentences
    with made.open() as index:
        hits = index.retrieve("leave days", 5)
        assert [hit.chunk.document for hit in hits] == ["one.md", "two/copy.md"]
        assert hits[0].scores == hits[1].scores


def test_a_touched_file_is_the_same_file(workshop: Make) -> None:
    made = workshop(TWO)
    first = made.build().generation
    os.utime(made.corpus / "leave.md", (1, 1))
    assert made.build().generation == first


def test_a_change_that_keeps_the_size_is_seen(workshop: Make) -> None:
    made = workshop(TWO)
    made.build()
    made.write("leave.md", LEAVE.replace("13", "31"))
    assert changes(made.build()) == ([], ["leave.md"], [], 1)
    with made.open() as index:
        assert "31 days" in index.text("leave.md")


def test_a_change_back_is_seen_too(workshop: Make) -> None:
    made = workshop(TWO)
    made.build()
    first = content(made)
    made.write("leave.md", SAFETY)
    made.build()
    made.write("leave.md", LEAVE)
    made.build()
    assert_same(content(made), first)


def test_an_empty_folder_is_an_empty_index(workshop: Make) -> None:
    made = workshop({})
    report = made.build()
    assert (report.documents, report.chunks) == (0, 0)
    made.write("leave.md", LEAVE)
    assert made.build().documents == 1
    (made.corpus / "leave.md").unlink()
    assert changes(made.build()) == ([], [], ["leave.md"], 0)


def test_progress_is_told_from_nothing_to_all(workshop: Make) -> None:
    made = workshop(TWO)
    told: list[tuple[str, int, int]] = []
    indexing.build_index(made.settings, lambda *step: told.append(step), made.encoder)
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["reading", "embedding"]
    for stage in stages:
        done = [step[1] for step in told if step[0] == stage]
        (total,) = {step[2] for step in told if step[0] == stage}
        assert (done[0], done[-1]) == (0, total)
        assert done == sorted(done)


def test_a_window_more_than_fits_one_batch(workshop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {f"{n}.md": f"# Rule {n}\n\nRule {n % 4} holds.\n" for n in range(9)}
    whole = workshop(texts, "whole")
    whole.build()
    monkeypatch.setattr(indexing, "_WINDOW", 2)
    pieces = workshop(texts, "pieces")
    pieces.build()
    one, other = content(whole), content(pieces)
    assert one.chunks == other.chunks
    for mine, theirs in zip(one.vectors, other.vectors, strict=True):
        np.testing.assert_allclose(mine[0], theirs[0], atol=1e-5)


# Incremental equals full


def test_an_incremental_build_equals_a_full_one(
    workshop: Make, small_corpus: dict[str, str], questions: tuple[str, ...]
) -> None:
    made = workshop({"gone.md": SAFETY, "leave/annual.md": LEAVE, "travel.txt": "Old.\n"})
    made.build()
    (made.corpus / "gone.md").unlink()
    for name, text in small_corpus.items():
        made.write(name, text)
    made.build()
    full = workshop({}, "full")
    shutil.copytree(made.corpus, full.corpus, dirs_exist_ok=True)
    full.build()
    assert_same(content(made), content(full))
    with made.open() as one, full.open() as other:
        assert_same_answers(one, other, questions)


def test_a_storm_of_changes_ends_where_a_dict_does(workshop: Make) -> None:
    """Random adds, changes, deletes, renames and touches, against a plain dict."""
    chance = random.Random(5)
    made = workshop({})
    expected: dict[str, str] = {}
    for round_ in range(int(os.environ.get("RAG_STORM", "8"))):
        before = dict(expected)
        for _ in range(chance.randint(0, 4)):
            name = f"{chance.choice('abcde')}.{chance.choice(['md', 'txt'])}"
            action = chance.choice(["write", "write", "delete", "rename", "touch"])
            path = made.corpus / name
            if action == "write":
                expected[name] = f"# Rule {name}\n\nIt holds for {chance.randint(1, 3)} days.\n"
                made.write(name, expected[name])
            elif name in expected and action == "delete":
                path.unlink()
                del expected[name]
            elif name in expected and action == "rename":
                expected["moved-" + name] = expected.pop(name)
                path.rename(made.corpus / f"moved-{name}")
            elif name in expected and action == "touch":
                os.utime(path, (round_, round_))
        report = made.build()
        with made.open() as index:
            assert {info.id: index.text(info.id) for info in index.documents()} == expected
            for hit in index.retrieve("How many days?", 50):
                chunk = hit.chunk
                assert expected[chunk.document][chunk.start : chunk.end] == chunk.text
        added, changed, removed, _ = changes(report)
        assert set(added) == expected.keys() - before.keys()
        assert set(removed) == before.keys() - expected.keys()
        assert set(changed) == {n for n in expected.keys() & before if expected[n] != before[n]}
        assert len(made.generations()) <= made.settings.keep_generations
    full = workshop(expected, "full")
    full.build()
    assert_same(content(made), content(full))


# Other settings


def test_another_chunk_size_cuts_again_but_reuses_what_stays(workshop: Make) -> None:
    long = "# Leave\n\n" + " ".join(f"Rule {n} holds for all staff." for n in range(30)) + "\n"
    made = workshop({"long.md": long, "leave.md": LEAVE})
    made.build()
    report = made.build(chunk_tokens=64)
    assert changes(report) == ([], [], [], 2)
    assert report.embedded == report.chunks - 1  # leave.md is one small chunk as before
    full = workshop({"long.md": long, "leave.md": LEAVE}, "full")
    full.build(chunk_tokens=64)
    assert content(made).chunks == content(full).chunks
    assert made.build(chunk_tokens=64).generation == report.generation


def test_another_encoder_embeds_everything_again(workshop: Make) -> None:
    made = workshop(TWO)
    first = made.build()
    other = CountingEncoder(made.encoder, digest="another")
    report = made.build(other)
    assert report.generation != first.generation
    assert (report.embedded, report.reused) == (2, 0)
    assert made.open()._generation.manifest.encoder_digest == "another"


def test_other_loaders_or_rules_read_everything_again(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)
    first = made.build()
    for constant in ("LOADERS_VERSION", "CHUNKING_VERSION"):
        monkeypatch.setattr(indexing, constant, 1_000)
        counting = CountingEncoder(made.encoder)
        report = made.build(counting)
        assert report.generation != first.generation
        assert changes(report) == ([], [], [], 2)
        assert counting.texts == []


@pytest.mark.parametrize("keep", [1, 2])
def test_as_many_generations_are_kept_as_the_settings_say(workshop: Make, keep: int) -> None:
    made = workshop(TWO)
    made_names = []
    for n in range(4):
        made.write("leave.md", LEAVE.replace("13", str(n)))
        made_names.append(made.build(keep_generations=keep).generation)
    assert made.generations() == made_names[-keep:]


# Documents that fail


def test_a_failed_document_is_named_and_the_others_go_on(workshop: Make) -> None:
    made = workshop({**TWO, "broken.pdf": "not a PDF", "empty.md": "  \n", "data.zzz": "1,2"})
    report = made.build()
    assert report.documents == 2
    assert [problem.document for problem in report.failed] == ["broken.pdf", "empty.md"]
    assert report.failed[1].reason == "is empty"
    assert [problem.document for problem in report.skipped] == ["data.zzz"]


def test_a_failed_document_is_remembered_until_it_changes(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop({**TWO, "broken.md": "  \n"})
    first = made.build()
    tried: list[str] = []
    load = indexing.load

    def note(path: Path, name: str) -> object:
        tried.append(name)
        return load(path, name)

    monkeypatch.setattr(indexing, "load", note)
    again = made.build()
    assert again.generation == first.generation
    assert again.failed == first.failed == [Problem("broken.md", "is empty")]
    made.write("leave.md", LEAVE.replace("13", "14"))
    assert made.build().failed == first.failed
    assert tried == ["leave.md"]
    made.write("broken.md", SAFETY)
    mended = made.build()
    assert tried == ["leave.md", "broken.md"]
    assert (mended.failed, changes(mended)) == ([], (["broken.md"], [], [], 2))


def test_a_document_that_breaks_leaves_the_index(workshop: Make) -> None:
    made = workshop(TWO)
    made.build()
    made.write("leave.md", "")
    report = made.build()
    assert report.failed == [Problem("leave.md", "is empty")]
    assert changes(report) == ([], [], ["leave.md"], 1)
    (made.corpus / "leave.md").unlink()
    gone = made.build()
    assert (gone.failed, changes(gone)) == ([], ([], [], [], 1))


def test_a_file_that_vanishes_after_the_scan_is_reported(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)
    scan = indexing.scan

    def scan_then_delete(*arguments: Any, **options: Any) -> Scan:
        found = scan(*arguments, **options)
        (made.corpus / "leave.md").unlink(missing_ok=True)
        return found

    for built_before in (False, True):
        if built_before:
            made.write("leave.md", LEAVE)
            made.build()
            made.write("leave.md", SAFETY)
        with monkeypatch.context() as patch:
            patch.setattr(indexing, "scan", scan_then_delete)
            report = made.build()
        assert report.failed == [Problem("leave.md", "cannot be read: No such file or directory")]
        assert report.documents == 1
    assert made.build().failed == []


def test_a_file_that_cannot_be_read_is_looked_at_again(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)

    def forbid(path: Path) -> str:
        if path.name == "leave.md":
            raise PermissionError(13, "Permission denied", str(path))
        return "digest of " + path.name

    with monkeypatch.context() as patch:
        patch.setattr("rag.changes.sha256_of", forbid)
        report = made.build()
    assert report.failed == [Problem("leave.md", "cannot be read: Permission denied")]
    assert made.build().added == ["leave.md"]


def test_a_file_that_changes_while_it_is_read_is_read_again_next_time(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)
    load = indexing.load

    def change_meanwhile(path: Path, name: str) -> object:
        document = load(path, name)
        if name == "leave.md":
            made.write(name, LEAVE.replace("13", "99"))
        return document

    with monkeypatch.context() as patch:
        patch.setattr(indexing, "load", change_meanwhile)
        made.build()
    assert made.build().changed == ["leave.md"]
    with made.open() as index:
        assert "99 days" in index.text("leave.md")


# Builds that fail or die


def test_a_folder_that_is_not_there_is_one_line(workshop: Make) -> None:
    made = workshop(TWO)
    shutil.rmtree(made.corpus)
    with pytest.raises(CorpusNotFound) as caught:
        made.build()
    assert str(caught.value) == (
        f"there is no folder {made.corpus}: create it and put documents into it, or name another"
    )
    assert not made.index.exists()


def test_a_second_build_is_refused_while_the_first_runs(workshop: Make) -> None:
    made = workshop(TWO)
    first = made.build().generation
    made.write("leave.md", SAFETY)
    with writer_lock(made.index), pytest.raises(IndexLocked, match=f"process {os.getpid()} since"):
        made.build()
    assert made.generations() == [first]


def test_an_index_folder_that_is_a_file_is_one_line(workshop: Make) -> None:
    made = workshop(TWO)
    made.index.write_text("")
    with pytest.raises(RagError) as caught:
        made.build()
    assert str(caught.value) == (
        f"the index {made.index} cannot be written: Not a directory "
        "(the published generation, if there is one, is untouched)"
    )


def test_a_dead_build_goes_on_where_it_was(workshop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vectors of finished windows are in the journal; only the others are computed."""
    texts = {f"{n}.md": f"# Rule {n}\n\nIt holds for {n} days.\n" for n in range(6)}
    made = workshop(texts)
    monkeypatch.setattr(indexing, "_WINDOW", 2)

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
        patch.setattr(indexing, "write_lexical", lambda *_: 1 / 0)
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
    assert sorted(path.name for path in made.index.iterdir()) == ["CURRENT", "LOCK", "generations"]


def test_a_database_that_cannot_be_written_is_one_line(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(indexing.Journal, "add", full)
    with pytest.raises(RagError) as caught:
        made.build()
    assert str(caught.value) == (
        f"the index {made.index} cannot be written: database or disk is full "
        "(the published generation, if there is one, is untouched)"
    )


LITTLE_ROOM = """
import json, resource, sys
from contextlib import contextmanager
from pathlib import Path
from rag.encoders import load_encoder
from rag.errors import RagError
from rag.index import open_index
from rag.indexing import build_index
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
    assert told["left"] == ["CURRENT", "LOCK", "generations"]
    assert len(told["failures"]) >= 3
    for failure in told["failures"]:
        assert failure.startswith(f"the index {made.index} cannot be written: ")
