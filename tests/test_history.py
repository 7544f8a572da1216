"""`rag generations`, `rag check` and `rag rollback`: damage is found, and there is a way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import rag.store.generation as store_generation
from rag.cli import main
from rag.errors import IndexDamaged, IndexLocked, IndexNotFound, RagError, UsageError
from rag.live import LiveIndex
from rag.store.generation import open_current
from rag.store.history import Kept, check, kept_generations, rollback
from rag.store.lock import writer_lock
from rag.store.manifest import FORMAT, current_generation, read_manifest

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]

LEAVE = "# Leave\n\nStaff get {} days of leave.\n"
REMEDY = "run `rag build` for a new generation"


@pytest.fixture
def made(workshop: Make) -> Workshop:
    """Three generations: 13, 14 and 15 days of leave."""
    made = workshop({"leave.md": LEAVE.format(13), "travel.md": "# Travel\n\nBy train only.\n"})
    made.build()
    for days in (14, 15):
        made.write("leave.md", LEAVE.format(days))
        made.build()
    return made


def flip(path: Path, offset: int | None = None) -> None:
    """Change one bit: same size, and on a real disk the same times."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if offset is None else offset] ^= 1
    path.write_bytes(content)


def days(made: Workshop) -> str:
    with made.open() as index:
        return index.text("leave.md").split()[4]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


# Listing


def test_generations_are_listed_newest_first(
    made: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    names = made.generations()
    kept = kept_generations(made.index)
    assert [one.generation for one in kept] == names[::-1]
    assert [one.current for one in kept] == [True, False, False]
    assert {(one.documents, one.chunks, one.encoder, one.problem) for one in kept} == {
        (2, 2, "default", None)
    }
    code, out, _ = run(capsys, "generations", "--index", made.index)
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[:2] for line in lines[:1]] == [["*", names[2]]]
    assert all("2 documents  2 chunks" in line and "UTC" in line for line in lines)
    code, out, _ = run(capsys, "generations", "--index", made.index, "--json")
    assert [one["generation"] for one in json.loads(out)] == names[::-1]
    assert json.loads(out)[0]["bytes"] == sum(
        path.stat().st_size
        for path in (made.index / "generations" / names[2]).rglob("*")
        if path.is_file() and path.name != "manifest.json"
    )


def test_a_damaged_one_is_listed_as_such(
    made: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, _ = made.generations()
    (made.index / "generations" / first / "manifest.json").write_text("{")
    (made.index / "generations" / second / "chunks.faiss").unlink()
    kept = kept_generations(made.index)
    assert kept[0].problem is None
    assert "chunks.faiss is missing" in str(kept[1].problem)
    assert "manifest.json cannot be read" in str(kept[2].problem)
    _, out, _ = run(capsys, "generations", "--index", made.index)
    assert out.count("damaged: ") == 2


def test_one_of_another_version_is_not_called_damaged(
    made: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    first = made.generations()[0]
    path = made.index / "generations" / first / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))
    problem = (
        f"{path} has format 2, this program reads {FORMAT}: run `rag build` to make a new "
        "generation"
    )
    assert kept_generations(made.index)[2] == Kept(first, False, problem=problem, incompatible=True)
    _, out, _ = run(capsys, "generations", "--index", made.index)
    assert out.splitlines()[2] == f"  {first}  of another version: {problem}"


def test_without_a_pointer_they_are_still_listed(
    made: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = run(capsys, "generations", "--index", made.index)[1]
    (made.index / "CURRENT").unlink()
    assert run(capsys, "generations", "--index", made.index) == (0, lines.replace("*", " "), "")


@pytest.mark.parametrize("command", ["generations", "check", "rollback", "diff"])
def test_no_index_is_one_line(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, errors = run(capsys, command, "--index", tmp_path / "none")
    assert (code, out, len(errors.splitlines())) == (1, "", 1)
    assert "make one with `rag build" in errors


# Checking


def test_a_whole_index_is_said_to_be_whole(
    made: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    for options in ([], ["--deep"], [made.generations()[0][:7], "--deep"]):
        code, out, errors = run(capsys, "check", *options, "--index", made.index)
        assert (code, errors) == (0, "")
        assert " is whole: 2 documents, 2 chunks, " in out
    code, out, _ = run(capsys, "check", "--index", made.index, "--json")
    assert json.loads(out)["generation"] == current_generation(made.index)


def test_a_flipped_bit_in_any_file_is_refused_named_and_has_two_remedies(
    made: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    _, second, current = made.generations()
    folder = made.index / "generations" / current
    for name in read_manifest(folder).files:
        flip(folder / name)
        expected = (
            f"{folder / name} differs from its checksum: {REMEDY}, "
            f"or `rag rollback` to answer from {second}"
        )
        with pytest.raises(IndexDamaged) as caught:
            made.open()
        assert str(caught.value) == expected
        for options in ([], ["--deep"]):
            code, out, errors = run(capsys, "check", *options, "--index", made.index)
            assert (code, out, errors) == (1, "", f"rag: {expected}\n")
        code, _, errors = run(capsys, "ask", "How many days?", "--index", made.index)
        assert (code, errors) == (1, f"rag: {expected}\n")
        flip(folder / name)
    assert days(made) == "15"


@pytest.mark.parametrize("large", ["documents.sqlite", "sentences.npy", "chunks.faiss"])
def test_of_an_index_too_large_to_be_read_at_opening_no_damaged_text_is_served(
    made: Workshop, monkeypatch: pytest.MonkeyPatch, large: str
) -> None:
    """What is not compared at opening is found by the deep check, a text whenever it is read."""
    monkeypatch.setattr(store_generation, "CHECKED_AT_OPENING", 0)
    path = made.index / "generations" / current_generation(made.index) / large
    content = path.read_bytes()
    offset = content.find(b"15 days of leave") if large == "documents.sqlite" else None
    flip(path, offset)
    check_it = lambda: check(made.index, deep=True)  # noqa: E731
    with pytest.raises(IndexDamaged, match="differs from its checksum"):
        check_it()
    if large != "documents.sqlite":
        return
    generation = open_current(made.index)
    generation.close()
    for word in (b"# Leave", b"15 days of leave"):
        path.write_bytes(content)
        for place in range(len(content)):
            if content.startswith(word, place):
                flip(path, place)
        with made.open() as index, pytest.raises(IndexDamaged, match=r"the text of leave\.md"):
            index.text("leave.md")


def test_the_deep_check_reads_every_row(made: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where all checksums agree, as after a fault in the program that wrote them."""
    import sqlite3
    from dataclasses import replace

    from rag.store.manifest import describe_files, write_manifest

    folder = made.index / "generations" / current_generation(made.index)
    faults = {
        'UPDATE chunks SET "end" = "end" + 400 WHERE row = 1': "the passages of travel.md do not",
        "UPDATE chunks SET sentences = '[]' WHERE row = 1": "the passages of travel.md do not",
        "UPDATE texts SET text = 'other' WHERE row = 0": "the text of leave.md differs",
        "UPDATE documents SET first_chunk = 1 WHERE row = 0": "leave.md do not fit",
        "DELETE FROM chunks WHERE row = 0": "chunk 0 is missing",
    }
    content = (folder / "documents.sqlite").read_bytes()
    manifest = read_manifest(folder)
    monkeypatch.setattr("rag.store.history.check_consistency", lambda _: None)
    for fault, message in faults.items():
        (folder / "documents.sqlite").write_bytes(content)
        with sqlite3.connect(folder / "documents.sqlite") as connection:
            connection.execute(fault)
        connection.close()
        write_manifest(folder, replace(manifest, files=describe_files(folder)))
        with pytest.raises(IndexDamaged) as caught:
            check(made.index, deep=True)
        assert message in str(caught.value), fault


# Going back


def test_rollback_publishes_the_previous_generation(
    made: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, _ = made.generations()
    assert run(capsys, "rollback", "--index", made.index) == (0, f"{second} answers now\n", "")
    assert days(made) == "14"
    code, out, _ = run(capsys, "rollback", "--index", made.index, "--json")
    assert (code, json.loads(out)) == (0, {"generation": first})
    assert days(made) == "13"
    code, out, errors = run(capsys, "rollback", "--index", made.index)
    assert (code, out) == (1, "")
    assert errors == (
        f"rag: there is no whole generation before {first} in {made.index}: "
        "run `rag build` for a new one\n"
    )
    assert days(made) == "13"


def test_any_generation_may_be_named(made: Workshop) -> None:
    first, _, third = made.generations()
    assert rollback(made.index, first[:7]) == first
    assert rollback(made.index, third) == third
    with pytest.raises(UsageError, match="there is no generation"):
        rollback(made.index, "g9")
    with pytest.raises(UsageError, match="3 generations begin with"):
        rollback(made.index, "g")


def test_damaged_generations_are_passed_over(
    made: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, _ = made.generations()
    flip(made.index / "generations" / second / "documents.sqlite")
    assert rollback(made.index) == first
    assert f"{second} is passed over" in caplog.text
    with pytest.raises(IndexDamaged):
        rollback(made.index, second)
    assert current_generation(made.index) == first


def lose(pointer: Path, left: bytes | None) -> None:
    pointer.unlink()
    if left is not None:
        pointer.write_bytes(left)


LOST = pytest.mark.parametrize("left", [None, b"", b"{}", b"\xff"])


@LOST
def test_a_lost_or_damaged_pointer_is_mended(made: Workshop, left: bytes | None) -> None:
    third = made.generations()[2]
    lose(made.index / "CURRENT", left)
    assert rollback(made.index) == third
    assert days(made) == "15"


@LOST
def test_a_build_without_a_pointer_goes_on_from_the_newest_whole_generation(
    made: Workshop, caplog: pytest.LogCaptureFixture, left: bytes | None
) -> None:
    _, second, third = made.generations()
    flip(made.index / "generations" / third / "sentences.npy")
    lose(made.index / "CURRENT", left)
    report = made.build()
    assert (report.changed, report.embedded, report.reused) == (["leave.md"], 1, 1)
    assert days(made) == "15"
    passed, gone_on = caplog.messages
    assert passed.startswith(f"{third} is passed over: ")
    assert gone_on == f"{made.index / 'CURRENT'} was lost or damaged: going on from {second}"


def test_a_build_that_finds_nothing_changed_mends_the_pointer(made: Workshop) -> None:
    third = made.generations()[2]
    (made.index / "CURRENT").unlink()
    assert made.build().generation == third
    assert days(made) == "15"


def test_without_a_pointer_and_a_whole_generation_a_build_starts_from_scratch(
    made: Workshop,
) -> None:
    for name in made.generations():
        flip(made.index / "generations" / name / "sentences.npy")
    (made.index / "CURRENT").unlink()
    report = made.build()
    assert (report.added, report.embedded) == (["leave.md", "travel.md"], 2)
    assert days(made) == "15"


def test_the_remedy_for_damage_works_both_ways(made: Workshop) -> None:
    _, second, third = made.generations()
    flip(made.index / "generations" / third / "sentences.npy")
    with pytest.raises(IndexDamaged):
        made.open()
    assert rollback(made.index) == second
    assert days(made) == "14"
    report = made.build()
    assert (report.changed, report.reused) == (["leave.md"], 1)
    assert days(made) == "15"
    # The damaged one is gone, and its number was not used again.
    assert third not in made.generations()
    assert report.generation[:7] > third[:7]


def test_nothing_is_published_while_a_build_runs(made: Workshop) -> None:
    current = current_generation(made.index)
    with writer_lock(made.index), pytest.raises(IndexLocked):
        rollback(made.index)
    assert current_generation(made.index) == current


def test_a_running_chat_follows_a_rollback(made: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.live._LOOK_EVERY", 0.0)
    live = LiveIndex(made.index, made.settings)
    with live.snapshot() as before:
        rollback(made.index)
        assert "15 days" in before.text("leave.md")
        assert "14 days" in live.text("leave.md")
        assert "15 days" in before.text("leave.md")
    live.close()


def test_a_build_does_not_copy_from_a_damaged_generation(
    made: Workshop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However large it is: what a build takes over is compared with its checksum first."""
    monkeypatch.setattr(store_generation, "CHECKED_AT_OPENING", 0)
    current = current_generation(made.index)
    flip(made.index / "generations" / current / "sentences.npy")
    made.write("new.md", "# New\n\nThis is new.\n")
    report = made.build()
    assert "building from scratch: " in caplog.text
    assert (report.documents, report.embedded) == (3, 3)
    assert check(made.index, deep=True).documents == 3


def test_rolling_back_without_an_index_says_so(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound):
        rollback(tmp_path)
    assert not (tmp_path / "LOCK").exists()


def test_an_error_is_one_of_ours(made: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    current = current_generation(made.index)
    monkeypatch.setattr("rag.store.history.publish", full)
    with pytest.raises(RagError, match="cannot be written: No space left on device"):
        rollback(made.index)
    assert current_generation(made.index) == current


def test_the_file_that_is_in_the_way_is_named(made: Workshop) -> None:
    pointer = made.index / "CURRENT"
    pointer.unlink()
    pointer.mkdir()
    with pytest.raises(RagError) as caught:
        rollback(made.index)
    assert str(caught.value) == (
        f"the index {made.index} cannot be written: Is a directory: {pointer}"
    )
