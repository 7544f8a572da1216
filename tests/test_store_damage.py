"""What is damaged, missing or of another format is refused, named, and repaired by a build."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from generations import FIRST, quote

from rag.errors import IndexDamaged, IndexIncompatible, IndexNotFound
from rag.store.generation import open_current
from rag.store.manifest import current_generation, read_manifest, verify, write_manifest

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]


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
    verify(folder, read_manifest(folder), checked=None)


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


@pytest.mark.parametrize("older", [False, True])
def test_changed_bytes_of_the_same_length_are_found_by_the_deep_check(
    workshop: Make, older: bool
) -> None:
    """In older generations as well, whose manifest knows no fingerprints."""
    made = workshop(FIRST)
    folder = made.index / "generations" / made.build().generation
    manifest = read_manifest(folder)
    if older:
        files = {name: replace(info, xxh3="") for name, info in manifest.files.items()}
        write_manifest(folder, replace(manifest, files=files))
        manifest = read_manifest(folder)
    for name in manifest.files:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        verify(folder, manifest, checked=0)
        with pytest.raises(IndexDamaged) as caught:
            verify(folder, manifest, checked=None)
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
    assert second == first
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
