"""Generations: published by one rename, kept, collected, and refused when damaged."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import rag
from rag.cli import _COMMANDS
from rag.errors import IndexDamaged, IndexIncompatible, IndexNotFound, RagError
from rag.store import files as store_files
from rag.store import generation as store_generation
from rag.store.files import replace_file
from rag.store.generation import (
    Generation,
    check_consistency,
    collect,
    list_generations,
    new_generation_id,
    open_current,
)
from rag.store.manifest import current_generation, publish, read_manifest, verify

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]

SOURCES = Path(rag.__file__).parent
FIRST = {"a.md": "# Leave\n\nStaff get 13 days of leave.\n"}
SECOND = "# Leave\n\nStaff get 14 days of leave.\n"
QUESTION = "How many days of leave?"


def quote(workshop: Workshop) -> str:
    with workshop.open() as index:
        return index.retrieve(QUESTION)[0].chunk.text


# Publishing


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
    assert sorted(path.name for path in made.index.iterdir()) == ["CURRENT", "LOCK", "generations"]


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


# Damage


def damaged_files(made: Workshop) -> list[str]:
    """Every file of the generation, as its manifest lists them."""
    generation = made.index / "generations" / current_generation(made.index)
    return [*read_manifest(generation).files, "manifest.json"]


def test_every_file_is_in_the_manifest(workshop: Make) -> None:
    made = workshop(FIRST)
    made.build()
    folder = made.index / "generations" / current_generation(made.index)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == set(damaged_files(made))
    assert {"documents.sqlite", "chunks.faiss", "sentences.npy", "offsets.npy"} < found
    verify(folder, read_manifest(folder), deep=True)


@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "longer"])
def test_a_damaged_file_is_named_with_its_remedy(workshop: Make, damage: str) -> None:
    made = workshop(FIRST)
    made.build()
    for name in damaged_files(made):
        path = made.index / "generations" / current_generation(made.index) / name
        content = path.read_bytes()
        if damage == "missing":
            path.unlink()
        else:
            cut = {"truncated": content[: len(content) // 2], "empty": b"", "longer": content * 2}
            path.write_bytes(cut[damage])
        with pytest.raises(IndexDamaged) as caught:
            made.open()
        message = str(caught.value)
        assert message.startswith(f"{path} "), name
        assert message.endswith(": run `rag build` for a new generation"), name
        assert "\n" not in message
        path.write_bytes(content)
    assert quote(made) == "Staff get 13 days of leave."


def test_the_remedy_works(workshop: Make, caplog: pytest.LogCaptureFixture) -> None:
    made = workshop(FIRST)
    broken = made.build().generation
    (made.index / "generations" / broken / "documents.sqlite").unlink()
    report = made.build()
    assert "building from scratch: " in caplog.text
    assert (report.documents, report.embedded) == (1, 1)
    assert quote(made) == "Staff get 13 days of leave."


def test_damage_that_shows_only_while_building_is_repaired_too(
    workshop: Make, caplog: pytest.LogCaptureFixture
) -> None:
    made = workshop(FIRST)
    path = made.index / "generations" / made.build().generation / "documents.sqlite"
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * (4096 - 100)
    path.write_bytes(content)
    made.write("b.md", "# Travel\n\nTrips are booked by the office.\n")
    assert made.build().documents == 2
    assert "building from scratch: " in caplog.text


def test_changed_bytes_of_the_same_length_are_found_by_the_deep_check(workshop: Make) -> None:
    made = workshop(FIRST)
    folder = made.index / "generations" / made.build().generation
    manifest = read_manifest(folder)
    for name in manifest.files:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        verify(folder, manifest, deep=False)
        with pytest.raises(IndexDamaged) as caught:
            verify(folder, manifest, deep=True)
        assert str(caught.value) == (
            f"{folder / name} differs from its checksum: run `rag build` for a new generation"
        )
        (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"generation": 3}',
                b'{"generation": "../../etc"}', b'{"generation": ""}'],
)  # fmt: skip
def test_an_unreadable_pointer_is_damage_and_is_repaired(
    workshop: Make, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    made = workshop(FIRST)
    first = made.build().generation
    (made.index / "CURRENT").write_bytes(content)
    with pytest.raises(IndexDamaged) as caught:
        made.open()
    assert str(caught.value).startswith(f"{made.index / 'CURRENT'} cannot be read (")
    assert str(caught.value).endswith("): run `rag build` for a new generation")
    second = made.build().generation
    assert second > first
    assert quote(made) == "Staff get 13 days of leave."


def test_a_pointer_to_nothing_is_damage(workshop: Make) -> None:
    made = workshop(FIRST)
    folder = made.index / "generations" / made.build().generation
    shutil.rmtree(folder)
    with pytest.raises(IndexDamaged, match="run `rag build` for a new generation"):
        made.open()
    made.build()
    assert quote(made) == "Staff get 13 days of leave."


def test_another_format_is_refused_and_rebuilt(
    workshop: Make, caplog: pytest.LogCaptureFixture
) -> None:
    made = workshop(FIRST)
    path = made.index / "generations" / made.build().generation / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(IndexIncompatible) as caught:
        made.open()
    assert str(caught.value) == (
        f"{path} has format 99, this program reads 3: run `rag build` to make a new generation"
    )
    made.build()
    assert quote(made) == "Staff get 13 days of leave."


@pytest.mark.parametrize("where", ["missing", "empty", "file"])
def test_no_index_says_how_to_make_one(tmp_path: Path, where: str) -> None:
    index = tmp_path / where
    if where == "empty":
        index.mkdir()
    if where == "file":
        index.write_text("")
    with pytest.raises(IndexNotFound) as caught:
        open_current(index)
    assert str(caught.value) == (
        f"there is no index in {index}: make one with `rag build CORPUS --index {index}`"
    )


# Collecting


def fake_generations(index: Path, *numbers: int) -> list[str]:
    names = [f"g{number:06d}-20250101T000000Z" for number in numbers]
    for name in names:
        (index / "generations" / name).mkdir(parents=True)
        (index / "generations" / name / "manifest.json").write_text("{}")
    return names


@pytest.mark.parametrize(
    ("keep", "left"), [(1, [4]), (2, [3, 4]), (3, [2, 3, 4]), (9, [1, 2, 3, 4])]
)
def test_the_newest_are_kept(tmp_path: Path, keep: int, left: list[int]) -> None:
    names = fake_generations(tmp_path, 1, 2, 3, 4)
    publish(tmp_path, names[3])
    collect(tmp_path, keep)
    assert list_generations(tmp_path) == [names[n - 1] for n in left]


def test_the_published_one_stays_whatever_its_age(tmp_path: Path) -> None:
    names = fake_generations(tmp_path, 1, 2, 3)
    publish(tmp_path, names[0])
    collect(tmp_path, 1)
    assert list_generations(tmp_path) == [names[0]]


def test_generations_are_ordered_by_number_not_by_spelling(tmp_path: Path) -> None:
    names = fake_generations(tmp_path, 999_999, 1_000_000)
    publish(tmp_path, names[1])
    assert list_generations(tmp_path) == names
    collect(tmp_path, 1)
    assert list_generations(tmp_path) == [names[1]]


@pytest.mark.parametrize("pointer", [None, b"unreadable"])
def test_without_a_pointer_no_generation_is_deleted(tmp_path: Path, pointer: bytes | None) -> None:
    names = fake_generations(tmp_path, 1, 2)
    if pointer is not None:
        (tmp_path / "CURRENT").write_bytes(pointer)
    collect(tmp_path, 1)
    assert list_generations(tmp_path) == names


def test_leftovers_go_and_foreign_things_stay(tmp_path: Path) -> None:
    (name,) = fake_generations(tmp_path, 1)
    publish(tmp_path, name)
    folder = tmp_path / "generations"
    for left in (".building-g000002-20250101T000000Z", ".deleted-g000009-20250101T000000Z"):
        (folder / left / "lexical").mkdir(parents=True)
        (folder / left / "lexical" / "data.npy").write_bytes(b"half")
    foreign = ["notes.txt", "g1", "g000001-backup", ".DS_Store", ".building-mine"]
    for other in foreign:
        (folder / other).mkdir()
    collect(tmp_path, 1)
    assert sorted(path.name for path in folder.iterdir()) == sorted([name, *foreign])


def test_a_failed_deletion_is_logged_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names = fake_generations(tmp_path, 1, 2)
    publish(tmp_path, names[1])

    def busy(path: Path) -> None:
        raise OSError(16, "Device or resource busy", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", busy)
        for _ in range(3):
            collect(tmp_path, 1)
    assert caplog.text.count("could not be removed, will try again") == 3
    # What is half deleted no longer looks like a generation.
    assert list_generations(tmp_path) == [names[1]]
    collect(tmp_path, 1)
    assert [path.name for path in (tmp_path / "generations").iterdir()] == [names[1]]


def test_a_reader_opened_before_its_generation_is_collected_still_answers(workshop: Make) -> None:
    made = workshop(FIRST)
    made.build()
    with made.open() as index:
        before = index.ask(QUESTION)
        made.write("a.md", SECOND)
        made.build(keep_generations=1)
        assert made.generations() != [index.generation]
        assert not (made.index / "generations" / index.generation).exists()
        after = index.ask(QUESTION)
        assert after.text == before.text == "Staff get 13 days of leave. [1]"
        assert index.text("a.md") == FIRST["a.md"]
    assert quote(made) == "Staff get 14 days of leave."


def test_a_generation_collected_while_it_is_opened_is_looked_up_again(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading the pointer and opening the files a build may pass by."""
    made = workshop(FIRST)
    first = made.build().generation
    made.write("a.md", SECOND)
    verify_files = store_generation.verify
    opened: list[str] = []

    def build_first(folder: Path, *arguments: object, **options: object) -> None:
        opened.append(folder.name)
        if folder.name == first and len(opened) == 1:
            monkeypatch.setattr(store_generation, "verify", verify_files)
            made.build(keep_generations=1)
        verify_files(folder, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(store_generation, "verify", build_first)
    generation = open_current(made.index)
    assert opened == [first]
    assert generation.id == current_generation(made.index) != first
    generation.close()


def test_many_generations_may_be_open_at_once(workshop: Make) -> None:
    made = workshop(FIRST)
    made.build()
    folder = made.index / "generations" / current_generation(made.index)
    opened = [Generation(folder) for _ in range(20)]
    assert {len(generation.vectors) for generation in opened} == {1}
    for generation in opened:
        generation.close()


# What may not be in the code


def calls_of(name: str) -> list[ast.Call]:
    """Calls of `….name(…)` anywhere in the package."""
    trees = [ast.parse(path.read_text("utf-8")) for path in SOURCES.rglob("*.py")]
    return [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("np", "numpy", "torch")
    ]


def test_opening_an_index_runs_no_code_from_it() -> None:
    loads = calls_of("load")
    assert loads
    for call in loads:
        options = {keyword.arg: keyword.value for keyword in call.keywords}
        allowed = options.get("allow_pickle")
        assert isinstance(allowed, ast.Constant), ast.unparse(call)
        assert allowed.value is False, ast.unparse(call)
    for path in SOURCES.rglob("*.py"):
        imported = re.findall(
            r"^\s*(?:import|from)\s+(\S*pickle|dill|joblib|marshal|shelve)",
            path.read_text("utf-8"),
            re.MULTILINE,
        )
        assert imported == [], path


def test_no_file_of_an_index_is_a_pickle(workshop: Make) -> None:
    made = workshop(FIRST)
    made.build()
    for path in (made.index / "generations").rglob("*.npy"):
        assert np.load(path, allow_pickle=False).dtype.hasobject is False
    for path in made.index.rglob("*"):
        assert path.suffix not in (".pkl", ".pickle", ".pt", ".bin")


def test_every_command_that_a_message_recommends_exists() -> None:
    for path in SOURCES.rglob("*.py"):
        for command in re.findall(r"`rag ([a-z]+)\b", path.read_text("utf-8")):
            assert command in _COMMANDS, f"{path.name} recommends `rag {command}`"
