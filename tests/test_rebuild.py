"""A rebuild costs what changed: what is read, hashed, embedded and written again, and what not."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import faiss
import numpy as np
import pytest
from builds import CountingEncoder, assert_same, content

from rag.building import changes
from rag.store.lexical import terms
from rag.store.vectors import VectorWriter
from rag.types import Renamed

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]

TEXTS = {f"{letter}.md": f"# Rule {letter}\n\nRule {letter} holds.\n" for letter in "bdfhj"}


@pytest.fixture
def made(workshop: Make) -> Workshop:
    """Five documents, built."""
    made = workshop(TEXTS)
    made.build()
    return made


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read to be hashed."""
    names: list[str] = []
    sha256_of = changes.sha256_of

    def note(path: Path) -> str:
        names.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr(changes, "sha256_of", note)
    return names


def state(made: Workshop) -> dict[str, bytes]:
    return {
        path.relative_to(made.index).as_posix(): path.read_bytes()
        for path in made.index.rglob("*")
        if path.is_file()
    }


# Reading


def test_nothing_to_do_reads_and_writes_nothing(made: Workshop, hashed: list[str]) -> None:
    before = state(made)
    counting = CountingEncoder(made.encoder)
    report = made.build(counting)
    assert (report.unchanged, report.details) == (5, [])
    assert (hashed, counting.texts) == ([], [])
    assert state(made) == before


def test_a_touched_file_is_hashed_once_and_not_for_ever(made: Workshop, hashed: list[str]) -> None:
    generation = made.build().generation
    os.utime(made.corpus / "d.md", (1, 1))
    assert made.build().generation == generation
    assert hashed == ["d.md"]
    assert made.build().generation == generation
    assert hashed == ["d.md"]
    # A new generation knows the new time itself.
    made.write("x.md", "# New\n\nThis is new.\n")
    assert made.build().unchanged == 5
    assert hashed == ["d.md", "x.md"]
    made.build()
    assert hashed == ["d.md", "x.md"]


def test_a_touched_file_that_changes_later_is_noticed(made: Workshop) -> None:
    os.utime(made.corpus / "d.md", (1, 1))
    made.build()
    (made.corpus / "d.md").write_text(TEXTS["d.md"].replace("holds", "bends"))
    assert made.build().changed == ["d.md"]


@pytest.mark.parametrize(
    "note",
    ["", "{}", "[]", "\0", '{"generation": "other", "files": {"d.md": 1}}',
     '{"generation": "%s", "files": {"d.md": [3]}}', '{"generation": "%s", "files": [3]}'],
)  # fmt: skip
def test_a_wrong_note_of_stamps_misleads_nobody(made: Workshop, note: str) -> None:
    generation = made.build().generation
    (made.index / "seen.json").write_text(note.replace("%s", generation))
    (made.corpus / "d.md").write_text(TEXTS["d.md"].replace("holds", "bends"))
    os.utime(made.corpus / "d.md", (1, 1))
    assert made.build().changed == ["d.md"]


def test_another_file_of_the_same_size_and_time_is_noticed(made: Workshop) -> None:
    """As they come out of an archive, for example."""
    b, d = made.corpus / "b.md", made.corpus / "d.md"
    for path in (b, d):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    made.build()
    b.rename(made.corpus / "x")
    d.rename(b)
    (made.corpus / "x").rename(d)
    counting = CountingEncoder(made.encoder)
    assert (made.build(counting).changed, counting.texts) == (["b.md", "d.md"], [])


def test_the_content_of_a_moved_index_is_known(
    made: Workshop, hashed: list[str], tmp_path: Path
) -> None:
    """On another machine no file looks as it did: each is hashed, once, and none is read."""
    shutil.copytree(made.corpus, tmp_path / "copy")
    counting = CountingEncoder(made.encoder)
    report = made.build(counting, corpus=tmp_path / "copy")
    assert (report.unchanged, report.details, counting.texts) == (5, [], [])
    assert hashed == sorted(TEXTS)
    assert made.build(corpus=tmp_path / "copy").generation == report.generation
    assert hashed == sorted(TEXTS)


@pytest.mark.parametrize("when", [-62_135_596_800, 0, 13_569_465_600])
def test_any_date_of_a_file_will_do(made: Workshop, when: int) -> None:
    os.utime(made.corpus / "d.md", (when, when))
    made.write("x.md", "# New\n\nThis is new.\n")
    assert made.build().unchanged == 5


def test_a_change_within_one_tick_of_the_clock_is_noticed(workshop: Make) -> None:
    """Same size, and no pause between the build and the change."""
    made = workshop({"a.md": "# Leave\n\nStaff get 10 days.\n"})
    made.build()
    for days in range(11, 16):
        (made.corpus / "a.md").write_text(f"# Leave\n\nStaff get {days} days.\n")
        assert made.build().changed == ["a.md"]


def test_a_date_in_the_future_is_not_waited_for(
    made: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, waits = time.time_ns(), list[float]()
    clock = SimpleNamespace(time_ns=lambda: now + 10**9, sleep=waits.append)
    monkeypatch.setattr("rag.building.changes.time", clock)
    os.utime(made.corpus / "d.md", ns=(now + 10**15, now + 10**15))
    assert made.build().unchanged == 5
    # Nor is the clock, where it was set back.
    clock.time_ns = lambda: now - 10**9
    made.write("b.md", "# New\n\nThis is new.\n")
    assert (made.build().changed, waits) == (["b.md"], [])


def test_metadata_beside_a_document_belongs_to_it(made: Workshop, hashed: list[str]) -> None:
    beside = made.corpus / "d.md.meta.yaml"
    beside.write_text("author: Imani Okafor\n")
    assert made.build().changed == ["d.md"]
    assert hashed == ["d.md", "d.md.meta.yaml"]
    assert made.build().changed == []
    beside.unlink()
    assert made.build().changed == ["d.md"]


# Embedding


def test_one_change_embeds_one_document(made: Workshop) -> None:
    made.write("d.md", "# Rule d\n\nRule d bends.\n")
    made.write("e.md", "# Rule e\n\nRule e is new.\n")
    (made.corpus / "h.md").unlink()
    counting = CountingEncoder(made.encoder)
    report = made.build(counting)
    assert (report.embedded, report.reused) == (2, 3)
    assert set(counting.texts) == {
        "Rule d bends.", "Rule d\nRule d bends.", "Rule e is new.", "Rule e\nRule e is new.",
    }  # fmt: skip
    assert len(counting.texts) == 4


def test_a_renamed_file_embeds_nothing(made: Workshop) -> None:
    (made.corpus / "b.md").rename(made.corpus / "z.md")
    counting = CountingEncoder(made.encoder)
    report = made.build(counting)
    assert (report.added, report.removed, counting.texts) == (["z.md"], ["b.md"], [])
    assert report.renamed == [Renamed(was="b.md", document="z.md")]
    assert [(d.document, d.what, d.why) for d in report.details] == [
        ("b.md", "removed", "is now z.md"),
        ("z.md", "renamed", "has the text of b.md, which is gone"),
    ]


@pytest.mark.parametrize(
    ("suffix", "text"),
    [("txt", "Staff may take the train."), ("md", "Staff may *take* it.\n\n## When\n\nDaily."),
     ("csv", "Grade,Days\nG5,13\nG6,14\n"), ("html", "<p>Staff may take the train to work.</p>")],
)  # fmt: skip
def test_a_renamed_file_whose_title_is_its_name_embeds_nothing(
    workshop: Make, suffix: str, text: str
) -> None:
    """It is found by its new name all the same, as it would be after a full build."""
    made = workshop({f"commuting.{suffix}": text, "other.md": "# Other\n\nOther rules.\n"})
    made.build()
    (made.corpus / f"commuting.{suffix}").rename(made.corpus / f"railways.{suffix}")
    counting = CountingEncoder(made.encoder)
    report = made.build(counting)
    assert report.renamed == [Renamed(was=f"commuting.{suffix}", document=f"railways.{suffix}")]
    assert (report.embedded, counting.texts) == (0, [])
    full = workshop({}, "full")
    shutil.copytree(made.corpus, full.corpus, dirs_exist_ok=True)
    full.build()
    assert_same(content(made), content(full))
    with made.open() as index:
        assert index.document(f"railways.{suffix}").title == "Railways"
        best = index.retrieve("railways")[0]
        assert (best.chunk.document, best.scores.lexical > 0) == (f"railways.{suffix}", True)
        assert index._generation.lexical.frequency(terms("commuting")[0]) == 0


def test_the_same_text_twice_is_embedded_once_and_indexed_twice(workshop: Make) -> None:
    made = workshop(dict.fromkeys(("a.md", "b.md", "c.md"), "# Rule\n\nIt holds.\n"))
    counting = CountingEncoder(made.encoder)
    report = made.build(counting)
    assert (report.documents, report.chunks, report.embedded) == (3, 3, 1)
    assert counting.texts == ["Rule\nIt holds.", "It holds."]
    with made.open() as index:
        assert {hit.chunk.document for hit in index.retrieve("Rule?")} == {"a.md", "b.md", "c.md"}


# The report


def test_the_report_says_of_each_document_what_happened_and_why(made: Workshop) -> None:
    made.write("d.md", "# Rule d\n\nRule d bends now.\n")
    made.write("e.md", "# Rule e\n\nRule e is new.\n")
    made.write("g.md", "")
    made.write("picture.xyz", "x")
    (made.corpus / "h.md").unlink()
    made.write("j.md", "")
    report = made.build()
    assert [(d.document, d.what, d.why.split(":")[0]) for d in report.details] == [
        ("d.md", "changed", "its content differs, 24 → 28 bytes"),
        ("e.md", "added", "is new"),
        ("g.md", "failed", "is empty"),
        ("h.md", "removed", "is no longer in the folder"),
        ("j.md", "failed", "is empty"),
        ("j.md", "removed", "cannot be read any more"),
        ("picture.xyz", "skipped", ".xyz files are not supported"),
    ]
    assert json.loads(json.dumps(asdict(report)))["details"][0]["chunks"] == 1


# Writing


def test_vectors_are_written_block_by_block(tmp_path: Path) -> None:
    """They are appended to the file one block after the other: none of them stays in memory."""
    vectors = np.random.default_rng(1).random((70, 384), dtype=np.float32)
    writer = VectorWriter(tmp_path, 384)
    for start in (0, 30, 60):
        block = vectors[start : start + 30]
        writer.add_block(block, np.zeros((2 * len(block), 384), np.float16), [2] * len(block))
    writer.close()
    index = faiss.read_index(str(tmp_path / "chunks.faiss"))
    np.testing.assert_array_equal(index.reconstruct_n(0, len(vectors)), vectors)
