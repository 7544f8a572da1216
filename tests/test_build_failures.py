"""Documents that fail, and builds that fail or die."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from awkward import unprivileged
from builds import LEAVE, SAFETY, TWO, changes, reading_noted
from workshop import Workshop

from rag.building import indexing, reading
from rag.encoders import Encoder
from rag.errors import CorpusNotFound, IndexLocked, RagError
from rag.store.lock import writer_lock
from rag.types import Problem

if TYPE_CHECKING:
    from rag.building.corpus import Scan

    Make = Callable[..., Workshop]


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
    tried = reading_noted(monkeypatch)
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
        patch.setattr("rag.building.changes.sha256_of", forbid)
        report = made.build()
    assert report.failed == [Problem("leave.md", "cannot be read: Permission denied")]
    assert made.build().added == ["leave.md"]


def test_a_file_that_changes_while_it_is_read_is_read_again_next_time(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)
    load = reading.load

    def change_meanwhile(path: Path, name: str) -> object:
        document = load(path, name)
        if name == "leave.md":
            made.write(name, LEAVE.replace("13", "99"))
        return document

    with monkeypatch.context() as patch:
        patch.setattr(reading, "load", change_meanwhile)
        made.build()
    assert made.build().changed == ["leave.md"]
    with made.open() as index:
        assert "99 days" in index.text("leave.md")


def test_a_file_that_is_saved_again_while_it_is_read_is_not_given_up(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)
    load = reading.load

    def half_saved(path: Path, name: str) -> object:
        path.write_bytes(b"")
        try:
            return load(path, name)
        finally:
            path.write_text(TWO[name])

    with monkeypatch.context() as patch:
        patch.setattr(reading, "load", half_saved)
        assert made.build().failed[0].reason == "is empty"
    assert (made.build().failed, made.build().documents) == ([], 2)


def test_a_momentary_fault_of_the_disk_is_not_remembered(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)
    read = Path.read_bytes

    def fail(path: Path) -> bytes:
        if path.name == "leave.md":
            raise OSError(5, "Input/output error")
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", fail)
        first = made.build()
        assert first.failed == [Problem("leave.md", "cannot be read: Input/output error")]
        assert made.build().generation == first.generation
    assert (made.build().added, made.build().failed) == (["leave.md"], [])


def test_a_failed_document_is_tried_again_when_it_was_touched(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop({**TWO, "broken.md": "  \n"})
    first = made.build()
    tried = reading_noted(monkeypatch)
    os.utime(made.corpus / "broken.md", (1, 1))
    for _ in range(2):
        assert made.build().generation == first.generation
    assert tried == ["broken.md"]


def test_a_sidecar_that_cannot_be_read_costs_only_itself(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop(TWO)
    open_file = Path.open

    def forbid(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "leave.md.meta.yaml":
            raise PermissionError(13, "Permission denied")
        return open_file(path, *arguments, **options)

    made.build()
    (made.corpus / "leave.md.meta.yaml").write_text("title: Holidays")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", forbid)
        first = made.build()
        assert (first.documents, first.warnings) == (
            2, [Problem("leave.md", "leave.md.meta.yaml cannot be read: Permission denied")],
        )  # fmt: skip
        assert made.build().generation == first.generation
    mended = made.build()
    assert (mended.changed, mended.warnings) == (["leave.md"], [])


def test_what_is_below_a_folder_that_cannot_be_read_says_so(encoder: Encoder) -> None:
    with unprivileged() as folder:
        made = Workshop(folder, encoder, {**TWO, "sub/deep/a.md": SAFETY})
        made.build()
        (made.corpus / "sub").chmod(0)
        report = made.build()
        (made.corpus / "sub").chmod(0o700)
    assert [(d.document, d.why) for d in report.details if d.what == "removed"] == [
        ("sub/deep/a.md", "its folder sub/ cannot be read: Permission denied")
    ]


def test_a_folder_that_was_emptied_is_warned_about(workshop: Make) -> None:
    made = workshop(TWO)
    first = made.build().generation
    for name in TWO:
        (made.corpus / name).unlink()
    [warning] = made.build().warnings
    assert (warning.document, warning.reason) == (
        str(made.corpus),
        "has no document left that can be read, so the index is empty: if it should have some, "
        f"`rag rollback` brings {first} back",
    )
    made.write("leave.md", LEAVE)
    assert made.build(keep_generations=1).warnings == []


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
        f"the index {made.index} cannot be written: Not a directory: "
        f"{made.index / 'generations'} "
        "(the published generation, if there is one, is untouched)"
    )
