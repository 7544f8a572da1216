"""Old generations are collected, but never from under those who read them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from generations import FIRST, QUESTION, SECOND, quote

from rag.store import generation as store_generation
from rag.store.generation import Generation, collect, list_generations, open_current
from rag.store.manifest import current_generation, publish

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]


# What is deleted


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


# Who reads meanwhile


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


@pytest.mark.parametrize("verified", [False, True])
def test_a_generation_collected_while_it_is_opened_is_looked_up_again(
    workshop: Make, monkeypatch: pytest.MonkeyPatch, verified: bool
) -> None:
    """Between reading the pointer and opening the files a build may pass by."""
    made = workshop(FIRST)
    first = made.build().generation
    made.write("a.md", SECOND)
    verify_files = store_generation.verify
    opened: list[str] = []

    def build_first(folder: Path, *arguments: object, **options: object) -> None:
        opened.append(folder.name)
        if verified:
            verify_files(folder, *arguments, **options)  # type: ignore[arg-type]
        if folder.name == first and len(opened) == 1:
            monkeypatch.setattr(store_generation, "verify", verify_files)
            made.build(keep_generations=1)
        if not verified:
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
