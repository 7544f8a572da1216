"""Which files of a folder are documents, and why the others are not."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from awkward import unprivileged

from rag.building.corpus import Scan, is_left_out, scan
from rag.errors import CorpusNotFound
from rag.loaders import LOADERS

KINDS = f"use one of {' '.join(sorted(LOADERS))}"


def put(folder: Path, *names: str, text: str = "x") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def ids(found: Scan) -> list[str]:
    return [file.id for file in found.files]


def reasons(found: Scan) -> dict[str, str]:
    return {problem.document: problem.reason for problem in found.skipped}


def test_files_are_sorted_with_their_size(tmp_path: Path) -> None:
    put(tmp_path, "b.md", "a/z.txt", "a.PDF", "B.html", text="four")
    found = scan(tmp_path)
    assert ids(found) == ["B.html", "a.PDF", "a/z.txt", "b.md"]
    assert found.skipped == ()
    assert found.files[3].size == 4
    assert found.files[2].path.read_text() == "four"


def test_hidden_files_and_folders_are_silent(tmp_path: Path) -> None:
    put(tmp_path, ".hidden.md", ".git/a.md", "sub/.x/a.md", "a.md")
    assert scan(tmp_path) == Scan(scan(tmp_path).files, ())
    assert ids(scan(tmp_path)) == ["a.md"]


def test_an_index_in_the_corpus_is_no_document(tmp_path: Path) -> None:
    notes = ("corpus.json", "seen.json")
    of_an_index = ("CURRENT", "LOCK", *notes, "generations/g000001/manifest.json")
    put(tmp_path, "a.md", "index/README.md", *(f"index/{name}" for name in of_an_index))
    put(tmp_path, "generations/of-staff.md", "minutes/CURRENT.md", "minutes/generations/b.md")
    documents = ["a.md", "generations/of-staff.md", "index/README.md", "minutes/CURRENT.md",
                 "minutes/generations/b.md"]  # fmt: skip
    assert (ids(scan(tmp_path)), scan(tmp_path).skipped) == (documents, ())
    put(tmp_path, "LOCK")
    assert ids(scan(tmp_path)) == [name for name in documents if name != "generations/of-staff.md"]


def test_other_formats_have_a_reason(tmp_path: Path) -> None:
    put(tmp_path, "a.exe", "Makefile", "a.md")
    assert reasons(scan(tmp_path)) == {
        "a.exe": f".exe files are not supported: {KINDS}",
        "Makefile": f"files without a suffix are not supported: {KINDS}",
    }


def test_ragignore_has_the_syntax_of_gitignore(tmp_path: Path) -> None:
    put(
        tmp_path,
        "a.md",
        "draft-a.md",
        "keep/draft-b.md",
        "old/a.md",
        "x/old/a.md",
        "build/a.md",
        "x/build/b.md",
        "n.exe",
    )
    (tmp_path / ".ragignore").write_text(
        "# drafts\ndraft-*\n!keep/draft-b.md\nold/\n/build\n*.exe\n"
    )
    found = scan(tmp_path)
    assert ids(found) == ["a.md", "keep/draft-b.md", "x/build/b.md"]
    assert found.skipped == ()


def test_a_deeper_ragignore_wins(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", "sub/a.txt", "sub/b.md", "sub/deep/b.md", "b.md")
    (tmp_path / ".ragignore").write_text("*.txt\n")
    (tmp_path / "sub/.ragignore").write_text("!a.txt\n/b.md\n")
    assert ids(scan(tmp_path)) == ["b.md", "sub/a.txt", "sub/deep/b.md"]


def test_bad_lines_of_a_ragignore_cost_only_themselves(tmp_path: Path) -> None:
    put(tmp_path, "a.md", "secret.md", "late.md")
    (tmp_path / ".ragignore").write_text("secret.md\n!\n***\\\n[z-a]\nlate.md\n")
    found = scan(tmp_path)
    assert ids(found) == ["a.md"]
    wrong = "is obeyed but for what is no pattern: line 2, line 3, line 4"
    assert reasons(found) == {".ragignore": wrong}


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_a_ragignore_in_another_encoding_is_obeyed(tmp_path: Path, encoding: str) -> None:
    put(tmp_path, "a.md", "secret.md", "Gehälter.md")
    (tmp_path / ".ragignore").write_bytes("secret.md\nGehälter.md\n".encode(encoding))
    assert (ids(scan(tmp_path)), reasons(scan(tmp_path))) == (["a.md"], {})
    put(tmp_path, ".ragignore", text="")
    assert len(ids(scan(tmp_path))) == 3


@pytest.mark.parametrize("what", ["a folder", "binary", "a dead link"])
def test_below_a_ragignore_that_cannot_be_read_is_nothing(tmp_path: Path, what: str) -> None:
    put(tmp_path, "a.md", "sub/b.md", "sub/deep/c.md")
    rules = tmp_path / "sub/.ragignore"
    if what == "a folder":
        rules.mkdir()
    elif what == "binary":
        rules.write_bytes(b"secret.md\n\0\1\2")
    else:
        rules.symlink_to("nowhere")
    found = scan(tmp_path)
    assert ids(found) == ["a.md"]
    assert reasons(found)["sub/"].startswith("is left out, for its .ragignore ")
    assert is_left_out(tmp_path, "sub/new.md")
    assert not is_left_out(tmp_path, "new.md")
    rules.rename(tmp_path / ".ragignore")
    why = "is a link that leads nowhere" if what == "a dead link" else ""
    with pytest.raises(CorpusNotFound, match=rf"\.ragignore leaves out is not known, for it {why}"):
        scan(tmp_path)


def test_links(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    put(tmp_path, "outside.md", "other/b.md")
    put(folder, "a.md", "sub/b.md")
    for name, target in (
        ("inside.md", "a.md"),
        ("out.md", "../outside.md"),
        ("out", "../other"),
        ("in", "sub"),
        ("gone.md", "nowhere"),
        ("loop.md", "loop.md"),
    ):
        (folder / name).symlink_to(target)
    found = scan(folder)
    assert ids(found) == ["a.md", "inside.md", "sub/b.md"]
    assert reasons(found) == {
        "gone.md": "is a link that leads nowhere: remove it or mend it",
        "in": "is a link to a folder: its documents are read where they are",
        "loop.md": "is a link that leads nowhere: remove it or mend it",
        "out": "is a link that leads out of the folder: copy the file here",
        "out.md": "is a link that leads out of the folder: copy the file here",
    }


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    put(tmp_path, "real/a.md")
    (tmp_path / "link").symlink_to("real")
    assert ids(scan(tmp_path / "link")) == ["a.md"]


def test_large_files(tmp_path: Path) -> None:
    with (tmp_path / "big.md").open("wb") as file:
        file.truncate(2_000_000_000)
    put(tmp_path, "a.md")
    found = scan(tmp_path)
    assert ids(found) == ["a.md"]
    assert reasons(found) == {"big.md": "is 2,000 MB, over the limit of 200 MB: split it"}
    assert ids(scan(tmp_path, max_bytes=2_000_000_000)) == ["a.md", "big.md"]


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        (b"two\nlines.md", "two\\nlines.md"),
        (b"bad\xff.md", "bad\\udcff.md"),
        (b"bell\x07.md", "bell\\x07.md"),
        ("sep\u2028.md".encode(), "sep\\u2028.md"),
    ],
)
def test_names_that_cannot_be_printed(tmp_path: Path, name: bytes, printed: str) -> None:
    with open(os.fsencode(tmp_path) + b"/" + name, "w") as file:  # noqa: PTH123 - Path refuses bytes
        file.write("x")
    found = scan(tmp_path)
    assert ids(found) == []
    assert reasons(found) == {printed: "has a name that cannot be printed: rename it"}


@pytest.mark.parametrize(
    "name", ['it\'s "quoted".md', "ü 中文 😀.md", "x" * 240 + ".md", " lead.md"]
)
def test_names_that_are_merely_unusual(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    assert ids(scan(tmp_path)) == [name]


def test_ids_are_nfc_and_paths_are_as_on_disk(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "Übung.md")
    put(tmp_path, f"{name}")
    [file] = scan(tmp_path).files
    assert file.id == unicodedata.normalize("NFC", "Übung.md")
    assert file.path.read_text() == "x"
    put(tmp_path, unicodedata.normalize("NFC", name))
    again = scan(tmp_path)
    assert len(again.files) == 1
    assert reasons(again) == {file.id: "differs from another name only in Unicode form: rename it"}


def test_unreadable_folders_and_files_are_reported() -> None:
    with unprivileged() as folder:
        put(folder, "closed/a.md", "locked.md", "a.md")
        (folder / "closed").chmod(0)
        (folder / "locked.md").chmod(0)
        found = scan(folder)
        (folder / "closed").chmod(0o700)
    assert ids(found) == ["a.md"]
    assert reasons(found) == {
        "closed/": "cannot be read: Permission denied",
        "locked.md": "cannot be read: Permission denied",
    }


def test_a_folder_that_cannot_be_read() -> None:
    with unprivileged() as folder:
        folder.chmod(0)
        with pytest.raises(
            CorpusNotFound, match=r"cannot be read \(Permission denied\): check its"
        ):
            scan(folder)
        folder.chmod(0o700)


def test_pipes_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    assert reasons(scan(tmp_path)) == {"pipe.md": "is not a regular file: remove it"}


def test_an_empty_folder_is_a_corpus(tmp_path: Path) -> None:
    assert scan(tmp_path) == Scan((), ())


def test_deep_folders(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 300)
    put(tmp_path, f"{deep}/a.md")
    assert ids(scan(tmp_path)) == [f"{deep}/a.md"]


def test_folders_nested_more_deeply_than_calls_may_be(tmp_path: Path) -> None:
    folders = [tmp_path]
    for _ in range(1_200):
        folders.append(folders[-1] / "d")
        folders[-1].mkdir()
    put(folders[-1], "a.md")
    found = ids(scan(tmp_path))
    (folders[-1] / "a.md").unlink()
    for folder in reversed(folders):  # pytest's own clearing up would not get there
        folder.rmdir()
    assert found == ["d/" * 1_200 + "a.md"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(CorpusNotFound) as caught:
        scan(missing)
    assert str(caught.value) == (
        f"there is no folder {missing}: create it and put documents into it, or name another"
    )
    put(tmp_path, "file.md")
    with pytest.raises(
        CorpusNotFound, match=r"file\.md is not a folder: name a folder of documents$"
    ):
        scan(tmp_path / "file.md")
