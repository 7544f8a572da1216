"""A generation is published by one rename, once it is whole and on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from generations import FIRST, SECOND, quote

from rag.errors import IndexDamaged, RagError
from rag.store import files as store_files
from rag.store import generation as store_generation
from rag.store.files import replace_file
from rag.store.generation import check_consistency, new_generation_id, open_current
from rag.store.manifest import current_generation, publish

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]


def test_a_reader_sees_the_old_generation_until_the_pointer_moves(workshop: Make) -> None:
    made = workshop(FIRST)
    first = made.build().generation
    made.write("a.md", SECOND)
    second = made.build().generation
    publish(made.index, first)
    assert quote(made) == "Staff get 13 days of leave."
    publish(made.index, second)
    assert quote(made) == "Staff get 14 days of leave."


FAIL_POINTS = {
    "sync_a_data_file": (store_generation, "sync_file"),
    "sync_a_folder": (store_generation, "sync_folder"),
    "check_the_new_generation": (store_generation, "check_consistency"),
    "write_the_manifest": (store_generation, "write_manifest"),
    "move_the_pointer": (store_generation, "publish"),
}


@pytest.mark.parametrize("fails", FAIL_POINTS.values(), ids=FAIL_POINTS.keys())
def test_whatever_fails_before_the_commit_the_old_generation_answers(
    workshop: Make, monkeypatch: pytest.MonkeyPatch, fails: tuple[object, str]
) -> None:
    made = workshop(FIRST)
    first = made.build().generation
    made.write("a.md", SECOND)

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*fails, no_space)
        with pytest.raises(RagError) as caught:
            made.build()
    assert str(caught.value) == (
        f"the index {made.index} cannot be written: No space left on device "
        "(the published generation, if there is one, is untouched)"
    )
    assert current_generation(made.index) == first
    assert quote(made) == "Staff get 13 days of leave."
    # At once, within the same second, the next build works and clears up.
    report = made.build()
    assert quote(made) == "Staff get 14 days of leave."
    assert report.generation not in (first, "")
    assert not [name for name in made.generations() if name.startswith(".")]
    left = sorted(path.name for path in made.index.iterdir())
    assert left == ["CURRENT", "LOCK", "corpus.json", "generations", "seen.json"]


def test_a_failed_rename_leaves_the_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "CURRENT"
    replace_file(target, b"old")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refuse)
        with pytest.raises(PermissionError):
            replace_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_new_content_is_synced_before_the_rename_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda file: (events.append("sync"), sync(file)))
    monkeypatch.setattr(Path, "replace", lambda *two: (events.append("rename"), replace(*two)))
    replace_file(tmp_path / "CURRENT", b"new")
    assert events == ["sync", "rename", "sync"]


def test_data_is_synced_before_the_pointer_and_the_pointer_before_done(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill does not show a missing sync; the order of calls does."""
    made = workshop(FIRST)
    events: list[str] = []
    sync, replace = store_files.sync_file, Path.replace

    def note_sync(path: Path) -> None:
        events.append(f"sync {path.name}")
        sync(path)

    def note_replace(path: Path, target: Path) -> Path:
        events.append(f"replace {target.name}")
        return replace(path, target)

    for module in (store_files, store_generation):
        monkeypatch.setattr(module, "sync_file", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    made.build()
    commit = events.index("replace CURRENT")
    data = {f"sync {name}" for name in ("documents.sqlite", "chunks.faiss", "sentences.npy",
                                        "offsets.npy", "moments.npy", "lexical")}  # fmt: skip
    assert data < set(events[:commit])
    assert "sync generations" in events[:commit]
    assert events[commit + 1] == f"sync {made.index.name}"


def test_numbers_are_never_used_twice(workshop: Make) -> None:
    made = workshop(FIRST)
    made.build()
    folder = made.index / "generations"
    (folder / ".building-g000041-20250101T000000Z").mkdir()
    assert new_generation_id(made.index).startswith("g000042-")
    (folder / ".deleted-g000050-20250101T000000Z").mkdir()
    assert new_generation_id(made.index).startswith("g000051-")
    (folder / "g000060-20250101T000000Z").mkdir()
    assert new_generation_id(made.index).startswith("g000061-")
    publish(made.index, "g1000000-20250101T000000Z")
    assert new_generation_id(made.index).startswith("g1000001-")


def test_a_new_generation_that_does_not_fit_together_is_refused(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(FIRST)
    made.build()
    generation = open_current(made.index)
    check_consistency(generation)
    with monkeypatch.context() as patch:
        patch.setattr(type(generation.vectors), "__len__", lambda _: 7)
        with pytest.raises(IndexDamaged, match="1 chunks and 1 sentences were written, but"):
            check_consistency(generation)
    with monkeypatch.context() as patch:
        zeros = np.zeros((1, 384), dtype=np.float32)
        patch.setattr(type(generation.vectors), "chunks", lambda *_: zeros)
        with pytest.raises(IndexDamaged, match=r"a chunk of a\.md lost its vector"):
            check_consistency(generation)
    generation.close()
