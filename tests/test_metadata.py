"""Metadata from front matter, from a file beside the document, and from its first lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from awkward import check_promises, lines_pdf, word_bytes

from rag.building.corpus import scan
from rag.loaders import load, load_bytes
from rag.loaders.fields import sidecar_names
from rag.loaders.remarks import remarks
from rag.types import Document

if TYPE_CHECKING:
    from workshop import Workshop

FIELDS = """\
title: Annual leave
author: [A. Author, B. Author]
source: https://agency.example/leave
language: en
published: 1 March 2024
effective from: 2024-05-01
review date: 2026-05
version: 1.10
collection: Handbook
tags: [leave, pay]
"""
EXPECTED = {
    "title": "Annual leave",
    "author": "A. Author, B. Author",
    "source": "https://agency.example/leave",
    "language": "en",
    "published": "2024-03-01",
    "effective_date": "2024-05-01",
    "review_date": "2026-05",
    "version": "1.10",
    "collection": "Handbook",
    "tags": ["leave", "pay"],
}


def read(folder: Path, name: str, data: bytes, **beside: str) -> Document:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    for sidecar, text in beside.items():
        (folder / f"{sidecar}.meta.yaml").write_text(text)
    document = load(folder / name, name)
    check_promises(document)
    return document


def test_front_matter() -> None:
    document = load_bytes(f"---\n{FIELDS}---\n# Leave\n\nText.\n".encode(), "a.md")
    assert dict(document.metadata) == EXPECTED
    assert document.title == "Annual leave"


@pytest.mark.parametrize("beside", ["leave.pdf", "leave"])
def test_a_file_beside_the_document(tmp_path: Path, beside: str) -> None:
    document = read(tmp_path, "leave.pdf", lines_pdf(["Staff get 13 days."]), **{beside: FIELDS})
    assert EXPECTED.items() <= dict(document.metadata).items()
    assert document.title == "Annual leave"
    assert "Annual" not in document.text


def test_the_more_exact_name_wins(tmp_path: Path) -> None:
    sidecars = {"a.txt": "version: exact", "a": "version: general"}
    assert read(tmp_path, "a.txt", b"Text.", **sidecars).metadata["version"] == "exact"
    assert sidecar_names("a.b.txt") == ("a.b.txt.meta.yaml", "a.b.meta.yaml")
    assert sidecar_names("a") == ("a.meta.yaml",)


def test_it_goes_before_what_the_document_says_of_itself(tmp_path: Path) -> None:
    text = b"---\ntitle: Own\nauthor: Own\n---\nText. Effective 1 June 2023.\n"
    document = read(tmp_path, "a.md", text, a="title: Beside\neffective_date: 2024-01-01")
    assert document.title == document.metadata["title"] == "Beside"
    assert document.metadata["author"] == "Own"
    assert document.metadata["effective_date"] == "2024-01-01"
    assert "effective_date_evidence" not in document.metadata


def test_dates_in_the_text_carry_their_evidence() -> None:
    text = "Leave\n\nVersion 2.3. Effective from 1 June 2024. Next review: June 2026.\n"
    document = load_bytes(text.encode(), "a.txt")
    for name, value, words in (
        ("version", "2.3", "Version 2.3"),
        ("effective_date", "2024-06-01", "Effective from 1 June 2024"),
        ("review_date", "2026-06", "Next review: June 2026"),
    ):
        assert document.metadata[name] == value
        assert document.metadata[f"{name}_evidence"] == words
        assert words in document.text


def test_what_front_matter_says_needs_no_evidence() -> None:
    text = b"---\neffective_date: 2024-01-01\n---\nEffective 1 June 2023.\n"
    metadata = load_bytes(text, "a.md").metadata
    assert metadata["effective_date"] == "2024-01-01"
    assert "effective_date_evidence" not in metadata


@pytest.mark.parametrize(
    ("yaml", "problem"),
    [
        (
            "title: a: b",
            "is not valid YAML and is not used, line 1: mapping values are not allowed",
        ),
        ("a: 1\nb: [1,\n", "is not valid YAML and is not used, line "),
        ("- a\n- b\n", 'is not used: write lines of the form "title: Annual leave"'),
        ("just words", 'is not used: write lines of the form "title: Annual leave"'),
        ("a: !!python/object/apply:os.system [id]", ""),
        ("x: " + "y" * 70_000, "is longer than 64 KB and is not used"),
        ("x: " + "ä" * 40_000, "is longer than 64 KB and is not used"),
        ("x: y" + "ä" * 40_000, "is longer than 64 KB and is not used"),
        (f"x: {'ä' * 30_000}", ""),
        (
            "effective_date: 3/4/2024",
            "has a effective_date that reads as no date or as two (3/4/2024): write 2024-06-01",
        ),
        (
            "published: 2024-02-30",
            "has a published that reads as no date or as two (2024-02-30): write 2024-06-01",
        ),
        ("published: 2024", ""),
        ("", ""),
        ("[" * 30_000, "is not valid YAML and is not used"),
    ],
    ids=lambda value: value[:20],
)
def test_bad_yaml_costs_only_itself(tmp_path: Path, yaml: str, problem: str) -> None:
    document = read(tmp_path, "a.txt", b"Text.", a=yaml)
    assert document.text == "Text."
    [said] = remarks(document.metadata) or [""]
    assert said.startswith(f"a.meta.yaml {problem}" if problem else "")
    assert bool(said) == bool(problem)
    assert "\n" not in said
    assert document.metadata.get("published") in (None, "2024")


def test_aliases_in_yaml_do_not_multiply(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    document = read(tmp_path, "a.txt", b"Text.", a="\n".join([*lines, "version: '2'"]))
    assert document.metadata["version"] == "2"


def test_a_list_without_end_is_cut(tmp_path: Path) -> None:
    sites = "\n".join([f"sites: &s [{', '.join(['Selhaven'] * 2_000)}]", "more: *s"])
    metadata = read(tmp_path, "a.txt", b"Text.", a=sites).metadata
    assert metadata["more"] == metadata["sites"] == ["Selhaven"] * 1_000


def test_bad_front_matter_is_said_and_stays_text() -> None:
    document = load_bytes(b"---\ntitle: a: b\n---\n# Leave\n\nText.\n", "a.md")
    assert document.title == "Leave"
    assert remarks(document.metadata)[0].startswith("the front matter is not valid YAML")


def test_long_front_matter_is_measured_in_bytes_too() -> None:
    document = load_bytes(f"---\ntitle: {'ä' * 40_000}\n---\nText.\n".encode(), "a.md")
    assert remarks(document.metadata) == ["the front matter is longer than 64 KB and is not used"]


STATED = "Version: 3\n\nEffective date: 13.05.2024\n\nReview date: 05/06/2026\n\nDate: 2024/4/30\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", f"Leave\n\n{STATED}\nText.\n".encode()),
        ("a.md", f"# Leave\n\n{STATED}\nText.\n".encode()),
        ("a.html", f"<h1>Leave</h1><p>{STATED.replace(chr(10), '<p>')}Text.".encode()),
        ("a.csv", STATED.replace(": ", ",").encode()),
        ("a.pdf", lines_pdf(["Leave", "", *STATED.split("\n"), "Text."])),
        ("a.docx", word_bytes(lambda word: [word.add_paragraph(p) for p in STATED.split("\n")])),
        ("a.rtf", b"{\\rtf1 " + STATED.replace("\n", "\\par ").encode() + b"}"),
        ("a.eml", f"From: a@b.example\nSubject: Leave\n\n{STATED}\n".encode()),
    ],
)
def test_every_format_states_the_same(name: str, data: bytes) -> None:
    """And nobody knows whether the review is in May or June."""
    document = load_bytes(data, name)
    fields = ("version", "effective_date", "review_date", "published")
    assert {field: document.metadata.get(field) for field in fields} == {
        "version": "3",
        "effective_date": "2024-05-13",
        "review_date": None,
        "published": "2024-04-30",
    }
    for field in ("version", "effective_date", "published"):
        assert document.metadata[f"{field}_evidence"] in document.text


def test_a_binary_sidecar_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Text.")
    (tmp_path / "a.meta.yaml").write_bytes(b"\xff\xfe\x00")
    assert remarks(load(tmp_path / "a.txt", "a.txt").metadata) == ["a.meta.yaml is not UTF-8"]


# --- in a folder


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("version: 1")


def test_a_sidecar_is_part_of_its_document(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "a.md.meta.yaml", "b.txt", "b.meta.yaml", "c.md")
    found = scan(tmp_path)
    assert found.skipped == ()
    assert [(file.id, file.extra and file.extra.name) for file in found.files] == [
        ("a.md", "a.md.meta.yaml"),
        ("b.txt", "b.meta.yaml"),
        ("c.md", None),
    ]


def test_any_change_of_a_sidecar_changes_the_stamp(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    stamps = [scan(tmp_path).files[0].stamp]
    for text in ("x: 1", "x: 22", "y: 1"):
        (tmp_path / "a.meta.yaml").write_text(text)
        stamps.append(scan(tmp_path).files[0].stamp)
    assert len(set(stamps)) == 4
    (tmp_path / "a.meta.yaml").unlink()
    assert scan(tmp_path).files[0].stamp == stamps[0]


def test_a_sidecar_without_a_document_or_as_a_link_is_reported(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "other.meta.yaml", "real.yaml.txt", "tool.exe", "tool.meta.yaml")
    (tmp_path / "real.yaml.txt").write_text("collection: linked")
    (tmp_path / "a.meta.yaml").symlink_to("real.yaml.txt")
    reasons = {problem.document: problem.reason for problem in scan(tmp_path).skipped}
    orphan = "describes no document: name it after one, as in leave.pdf.meta.yaml"
    assert reasons["other.meta.yaml"] == reasons["tool.meta.yaml"] == orphan
    assert reasons["a.meta.yaml"] == "is a link, which is not followed: copy the file here"
    assert "collection" not in load(tmp_path / "a.md", "a.md").metadata


# --- in a build


def test_a_change_of_a_sidecar_is_a_change_of_the_document(
    workshop: Callable[..., Workshop],
) -> None:
    work = workshop(
        {"a.md": "# Leave\n\nStaff get 13 days of leave.\n", "b.md": "# Pay\n\nMonthly.\n"}
    )
    first = work.build()
    assert work.build().generation == first.generation
    for text in ("version: '2'", "version: '3'"):
        (work.corpus / "a.md.meta.yaml").write_text(text)
        report = work.build()
        assert (report.changed, report.unchanged, report.embedded) == (["a.md"], 1, 0)
        with work.open() as index:
            assert index.document("a.md").metadata["version"] == text[-2]
    assert work.build().generation == report.generation
    (work.corpus / "a.md.meta.yaml").write_text("version: a: b")
    report = work.build()
    assert report.failed == []
    [warning] = report.warnings
    assert warning.document == "a.md"
    assert warning.reason.startswith("a.md.meta.yaml is not valid YAML and is not used, line 1: ")
    assert work.build().warnings == [warning]
    (work.corpus / "a.md.meta.yaml").unlink()
    report = work.build()
    assert (report.changed, report.warnings) == (["a.md"], [])


def test_filters_read_what_the_sidecar_says(workshop: Callable[..., Workshop]) -> None:
    work = workshop({"a.md": "# Leave\n\n13 days.\n", "b.md": "# Leave\n\n15 days.\n"})
    (work.corpus / "b.meta.yaml").write_text("collection: Lab\neffective_date: 2024-05-01")
    (work.corpus / "a.meta.yaml").write_text("effective_date: 2023-05-01\ncollection: lab")
    work.build()
    with work.open() as index:
        found = {
            where: {hit.chunk.document for hit in index.retrieve("leave", where=where)}
            for where in ("collection=lab", "effective_date>2023", "as_of=2024-01-01", "as_of=2025")
        }
    assert found == {
        "collection=lab": {"a.md", "b.md"},
        "effective_date>2023": {"b.md"},
        "as_of=2024-01-01": {"a.md"},
        "as_of=2025": {"b.md"},
    }
