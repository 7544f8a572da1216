"""Files of the corpus: names made safe, limits, nothing outside, nothing overwritten in silence."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.building.corpus import scan
from rag.chat.library_files import ASIDE, Files, Limits, Refused
from rag.chat.library_names import safe_folder, safe_name, shown
from rag.errors import RagError, UsageError


class InterruptedUpload(Exception):
    """What a browser that goes away looks like."""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    return folder


def make(corpus: Path, file: int = 1000, total: int = 10_000, files: int = 10) -> Files:
    return Files(corpus, Limits(file, total, files))


def put(
    files: Files, name: str, content: bytes = b"# A", folder: str = "", *, replace: bool = False
) -> str:
    with files.receive(name, folder, len(content), replace=replace) as (saved, file):
        file.write(content)
    return saved


def refused(files: Files, name: str, content: bytes = b"# A", folder: str = "") -> Refused:
    before = tree(files.corpus)
    with pytest.raises(Refused) as caught:
        put(files, name, content, folder)
    assert tree(files.corpus) == before
    assert "\n" not in str(caught.value)
    return caught.value


def tree(folder: Path) -> dict[str, bytes]:
    """Everything below a folder, hidden or not: files with their bytes, and folders."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("leave.md", "leave.md"),
        ("../../etc/passwd.md", "passwd.md"),
        ("C:\\Users\\me\\leave.docx", "leave.docx"),
        ("/etc/leave.md", "leave.md"),
        ("...hidden.md", "hidden.md"),
        ("a\nb\x00c\x1b[31m.md", "abc[31m.md"),
        ("what: why?.md", "what_ why_.md"),
        ("<img src=x onerror=alert(1)>.md", "_img src=x onerror=alert(1)_.md"),
        ("leave\u202efdp.md", "leavefdp.md"),
        ("  spaced   out .md", "spaced out .md"),
        ("nul.md", "_nul.md"),
        ("caf\u0065\u0301.md", "café.md"),
        ("leave.pdf.meta.yaml", "leave.pdf.meta.yaml"),
        ("年次休暇.md", "年次休暇.md"),
        ("LEAVE.PDF", "LEAVE.PDF"),
    ],
)
def test_a_name_is_made_safe(given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "no usable name"),
        ("...", "no usable name"),
        ("\u202e\u200f", "no usable name"),
        ("é" * 127 + ".md", "more than 255 bytes"),
        ("run.exe", ".exe files are not supported"),
        (".md", "files without a suffix"),
        ("meta.yaml", ".yaml files are not supported"),
        ("leave.md/", "no usable name"),
    ],
)
def test_a_name_that_cannot_be_kept_is_refused_with_one_line(name: str, words: str) -> None:
    with pytest.raises(RagError, match=words) as caught:
        safe_name(name)
    assert "\n" not in str(caught.value)


def test_a_name_of_250_bytes_is_kept(corpus: Path) -> None:
    name = "é" * 123 + "x.md"
    assert len(name.encode()) == 250
    assert put(make(corpus), name) == name
    assert scan(corpus).files[0].id == name


@given(st.text(max_size=40), st.sampled_from([".md", ".pdf", ".txt"]))
def test_whatever_the_name_it_is_one_part_and_found_by_a_build(stem: str, suffix: str) -> None:
    try:
        name = safe_name(stem + suffix)
    except RagError:
        return
    assert safe_name(name) == name
    assert Path(name).name == name
    assert not name.startswith(".")
    assert name.isprintable() or any(unicodedata.category(sign) == "Cf" for sign in name)
    assert not set(name) & set('<>:"|?*\\/\n\u202e\u2067')


@pytest.mark.parametrize(
    ("folder", "kept"),
    [("", ""), ("a/b", "a/b"), ("/a//b/", "a/b"), ("a\\b", "a/b"), (".git", "git"), ("ü", "ü")],
)
def test_a_folder_is_made_safe(folder: str, kept: str) -> None:
    assert safe_folder(folder) == kept


@pytest.mark.parametrize("folder", ["..", "a/../b", "a/./b", "../..", "a/b/c/d/e/f/g/h/i", "\x00"])
def test_a_folder_outside_is_refused(folder: str) -> None:
    with pytest.raises(UsageError):
        safe_folder(folder)


def test_a_name_that_would_turn_the_text_is_shown_as_its_number() -> None:
    assert shown("leave\u202efdp.exe") == "leave⟨U+202E⟩fdp.exe"
    assert shown("a\nb") == "a⟨U+000A⟩b"
    assert shown("سياسة.md") == "سياسة.md"


def test_a_file_is_there_as_a_whole_or_not_at_all(corpus: Path) -> None:
    files = make(corpus)
    with files.receive("a.md", "handbook", 6, replace=False) as (saved, file):
        file.write(b"# One")
        file.flush()
        assert saved == "handbook/a.md"
        assert scan(corpus).files == ()
        file.write(b"!")
    assert tree(corpus) == {"handbook": b"", "handbook/a.md": b"# One!"}


def test_an_upload_that_breaks_off_leaves_nothing(corpus: Path) -> None:
    files = make(corpus)

    def receive(error: Exception | None) -> None:
        with files.receive("a.md", "", 6, replace=False) as (_, file):
            file.write(b"# O")
            if error:
                raise error

    with pytest.raises(InterruptedUpload):
        receive(InterruptedUpload())
    with pytest.raises(Refused, match="did not arrive whole"):
        receive(None)
    assert tree(corpus) == {}


def test_what_is_there_is_replaced_only_if_asked_for(corpus: Path) -> None:
    files = make(corpus)
    put(files, "a.md", b"# Old")
    error = refused(files, "a.md", b"# New")
    assert (error.status, error.exists) == (409, True)
    assert put(files, "a.md", b"# New", replace=True) == "a.md"
    assert tree(corpus) == {"a.md": b"# New"}


def test_two_at_the_same_time_do_not_overwrite_each_other(corpus: Path) -> None:
    files = make(corpus)

    def slowly() -> None:
        with files.receive("a.md", "", 5, replace=False) as (_, file):
            put(files, "a.md", b"first")
            file.write(b"later")

    with pytest.raises(Refused, match="already") as caught:
        slowly()
    assert caught.value.exists
    assert tree(corpus) == {"a.md": b"first"}


def test_the_other_unicode_form_of_a_name_is_the_same_name(corpus: Path) -> None:
    other = unicodedata.normalize("NFD", "café.md")
    (corpus / other).write_bytes(b"# Old")
    files = make(corpus)
    assert refused(files, "café.md").exists
    put(files, "café.md", b"# New", replace=True)
    assert [path.read_bytes() for path in corpus.iterdir()] == [b"# New"]
    files.delete("café.md")
    assert tree(corpus) == {}


def test_so_is_the_other_unicode_form_of_a_folder(corpus: Path) -> None:
    folder = corpus / unicodedata.normalize("NFD", "Fähren")
    folder.mkdir()
    (folder / unicodedata.normalize("NFD", "Übersicht.md")).write_bytes(b"# Old")
    (file,) = scan(corpus).files
    make(corpus).delete(file.id)
    assert tree(folder) == {}


def test_limits_are_kept(corpus: Path) -> None:
    files = make(corpus, file=100, total=250, files=3)
    assert refused(files, "a.md", b"x" * 101).status == 413
    assert refused(files, "a.md", b"").status == 400
    put(files, "a.md", b"x" * 100)
    put(files, "b.md", b"x" * 100)
    error = refused(files, "c.md", b"x" * 51)
    assert error.status == 507
    assert "does not fit" in str(error)
    put(files, "c.md", b"x" * 50)
    assert "one too many" in str(refused(files, "d.md", b"x"))


def test_what_is_on_its_way_counts_against_the_limits(corpus: Path) -> None:
    files = make(corpus, total=150)
    with files.receive("a.md", "", 100, replace=False) as (_, file):
        with pytest.raises(Refused, match="does not fit"):
            put(files, "b.md", b"x" * 51)
        file.write(b"x" * 100)
    assert list(tree(corpus)) == ["a.md"]


def test_what_is_replaced_makes_room(corpus: Path) -> None:
    files = make(corpus, total=100, files=1)
    put(files, "a.md", b"x" * 80)
    put(files, "a.md", b"y" * 100, replace=True)
    put(files, "a.md", b"z" * 30, replace=True)
    assert tree(corpus) == {"a.md": b"z" * 30}
    with pytest.raises(Refused, match="does not fit"):
        put(files, "a.md", b"x" * 101, replace=True)
    with pytest.raises(Refused, match="one too many"):
        put(files, "b.md", replace=True)
    assert (files._room.size, files._room.files, files._room.coming) == (30, 1, {})


def test_a_smaller_file_is_taken_where_a_limit_is_passed(corpus: Path) -> None:
    for name in ("a.md", "b.md"):
        (corpus / name).write_bytes(b"x" * 80)
    files = make(corpus, total=100, files=1)
    put(files, "a.md", b"y" * 70, replace=True)
    with pytest.raises(Refused, match="does not fit"):
        put(files, "a.md", b"x" * 71, replace=True)


def test_room_is_there_again_after_a_deletion(corpus: Path) -> None:
    files = make(corpus, files=1)
    put(files, "a.md")
    refused(files, "b.md")
    files.delete("a.md")
    put(files, "b.md")


def test_no_link_leads_out_of_the_corpus(corpus: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.md").write_bytes(b"# Outside")
    (corpus / "way-out").symlink_to(outside)
    (corpus / "a.md").symlink_to(outside / "a.md")
    files = make(corpus)
    assert "outside" in str(refused(files, "b.md", folder="way-out"))
    assert refused(files, "a.md").exists
    put(files, "a.md", b"# New", replace=True)
    assert not (corpus / "a.md").is_symlink()
    with pytest.raises(UsageError):
        files.delete("way-out/a.md")
    with pytest.raises(UsageError):
        files.delete("../outside/a.md")
    assert tree(outside) == {"a.md": b"# Outside"}


def test_the_folder_for_uploads_may_be_no_link(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (corpus / ASIDE).symlink_to(tmp_path / "outside")
    refused(make(corpus), "a.md")
    assert list((tmp_path / "outside").iterdir()) == []


def test_of_a_link_the_link_is_deleted(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_bytes(b"# Outside")
    (corpus / "a.md").symlink_to(tmp_path / "outside.md")
    make(corpus).delete("a.md")
    assert tree(corpus) == {}
    assert (tmp_path / "outside.md").read_bytes() == b"# Outside"


def test_a_folder_is_neither_replaced_nor_deleted(corpus: Path) -> None:
    (corpus / "a.md").mkdir()
    (corpus / "b").write_bytes(b"a file")
    files = make(corpus)
    assert "name of a folder" in str(refused(files, "a.md"))
    assert "no folder" in str(refused(files, "c.md", folder="b"))
    with pytest.raises(UsageError):
        files.delete("a.md")
    assert (corpus / "a.md").is_dir()


def test_its_own_metadata_is_deleted_with_a_document(corpus: Path) -> None:
    for name in ("a.md", "a.md.meta.yaml", "a.meta.yaml", "b.md"):
        (corpus / name).write_bytes(b"title: A")
    make(corpus).delete("a.md")
    assert set(tree(corpus)) == {"a.meta.yaml", "b.md"}


def test_what_a_build_would_leave_out_is_not_taken(corpus: Path) -> None:
    (corpus / ".ragignore").write_text("drafts/\n*.draft.*\n!/keep.draft.md\n", "utf-8")
    (corpus / "deep").mkdir()
    (corpus / "deep" / ".ragignore").write_text("/own.md\n", "utf-8")
    files = make(corpus)
    for name, folder in (("a.md", "drafts"), ("a.draft.md", ""), ("own.md", "deep")):
        assert ".ragignore" in str(refused(files, name, folder=folder))
    for name, folder in (("keep.draft.md", ""), ("own.md", ""), ("a.md", "deep")):
        put(files, name, folder=folder)
    assert {file.id for file in scan(corpus).files} == {"keep.draft.md", "own.md", "deep/a.md"}


def test_forgotten_parts_are_cleared_away(corpus: Path) -> None:
    aside = corpus / ASIDE
    aside.mkdir()
    (aside / "old").write_bytes(b"x")
    os.utime(aside / "old", (0, 0))
    put(make(corpus), "a.md")
    assert list(tree(corpus)) == ["a.md"]


def test_many_at_once_all_arrive(corpus: Path) -> None:
    files = make(corpus, files=100)
    threads = [Thread(target=put, args=(files, f"{n}.md", b"x" * n)) for n in range(1, 31)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tree(corpus) == {f"{n}.md": b"x" * n for n in range(1, 31)}


def test_without_a_corpus_nothing_is_taken(tmp_path: Path) -> None:
    error = refused(make(tmp_path / "none"), "a.md")
    assert "is not there" in str(error)
