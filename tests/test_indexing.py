"""Builds: what they cost, what they report, and what other settings change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from builds import LEAVE, SAFETY, TRAVEL, TWO, CountingEncoder, assert_same, changes, content

from rag.building import indexing, writing
from rag.settings import load_settings
from rag.store.manifest import current_generation
from rag.store.noted import noted_corpus, with_noted_corpus

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]


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


def test_a_window_more_than_fits_one_batch(workshop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {f"{n}.md": f"# Rule {n}\n\nRule {n % 4} holds.\n" for n in range(9)}
    whole = workshop(texts, "whole")
    whole.build()
    monkeypatch.setattr(writing, "_WINDOW", 2)
    pieces = workshop(texts, "pieces")
    pieces.build()
    one, other = content(whole), content(pieces)
    assert one.chunks == other.chunks
    for mine, theirs in zip(one.vectors, other.vectors, strict=True):
        np.testing.assert_allclose(mine[0], theirs[0], atol=1e-5)


def test_an_index_knows_its_folder(
    workshop: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)
    assert noted_corpus(made.index) is None
    first = made.build().generation
    assert noted_corpus(made.index) == made.corpus
    monkeypatch.chdir(made.corpus)
    assert made.build(corpus=Path()).generation == first
    # The same documents elsewhere are noted, and no reason for a new generation.
    moved = made.corpus.rename(tmp_path / "moved")
    assert made.build(corpus=moved).generation == first
    assert noted_corpus(made.index) == moved
    (made.index / "generations" / first / "manifest.json").write_text("{")
    assert noted_corpus(made.index) == moved


def test_a_copied_project_keeps_to_its_own_folder(workshop: Make, tmp_path: Path) -> None:
    made = workshop(TWO, "project")
    made.build()
    copy = shutil.copytree(made.corpus.parent, tmp_path / "copy")
    assert noted_corpus(copy / "index") == copy / "corpus"
    far = shutil.copytree(made.corpus, tmp_path / "far")
    link = made.corpus.with_name("link")
    link.symlink_to(far)
    made.build(corpus=link)
    assert noted_corpus(made.index) == link
    made.build(corpus=far)
    shutil.copytree(made.index, tmp_path / "other/index")
    assert noted_corpus(tmp_path / "other/index") == far
    # From where a link leads, the same way ends elsewhere.
    made.index.rename(tmp_path / "real")
    made.index.symlink_to(tmp_path / "real")
    made.build()
    assert noted_corpus(made.index) == noted_corpus(tmp_path / "real") == made.corpus


@pytest.mark.parametrize(
    "note", [b"", b"[]", b"\xff", b'{"corpus": 5}', b'{"corpus": ""}', b'{"corpus": "a\\u0000"}',
             b'{"corpus": "\\ud800"}', b"[" * 100_000],
)  # fmt: skip
def test_an_odd_note_is_none(tmp_path: Path, note: bytes) -> None:
    (tmp_path / "corpus.json").write_bytes(note)
    assert noted_corpus(tmp_path) is None


def test_a_folder_that_is_gone_makes_way_for_the_default(
    workshop: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = workshop(TWO, "project")
    made.build()

    def chosen(**flags: Path) -> tuple[Path, str]:
        effective = with_noted_corpus(load_settings({"index": made.index, **flags}, {}))
        return effective.settings.corpus, effective.sources["corpus"]

    made.corpus.rename(tmp_path / "away")
    assert chosen() == (made.corpus, "index")
    Path("corpus").mkdir()
    assert chosen() == (Path("corpus"), "default")
    (tmp_path / "away").rename(made.corpus)
    assert chosen() == (made.corpus, "index")
    assert chosen(corpus=tmp_path) == (tmp_path, "flag")


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


def test_an_index_in_its_own_corpus_is_not_indexed(workshop: Callable[..., Workshop]) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days of leave.\n"})
    inside = made.corpus / "index"
    for folder in (inside, made.corpus):
        first = made.build(index=folder)
        assert (first.documents, first.skipped) == (1, [])
        made.write("leave.md", f"# Leave\n\nStaff get {len(str(folder))} days of leave.\n")
        # All that a build leaves is there now: a second generation, a note of stamps.
        assert made.build(index=folder).documents == 1
        os.utime(made.corpus / "leave.md")
        for _ in range(2):
            last = made.build(index=folder)
            assert (last.unchanged, last.failed) == (1, [])
        assert last.skipped == []
