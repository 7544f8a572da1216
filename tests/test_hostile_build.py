"""Whatever lies in the folder: one clear line each, within the limits, and nothing else is lost."""

from __future__ import annotations

import io
import os
import random
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from awkward import unprivileged, zip_bomb

from rag.building import reading
from rag.building.indexing import build_index
from rag.chunking import chunk_document
from rag.loaders import load
from rag.settings import Settings

if TYPE_CHECKING:
    from conftest import Workshop

    from rag.encoders import Encoder
    from rag.types import BuildReport, Document

    Make = Callable[..., Workshop]

pytestmark = pytest.mark.slow

GOOD = "# Leave\n\nStaff get 13 days of leave.\n"
SECONDS, MEMORY_MB = 30, 1_000


def build(made: Workshop) -> BuildReport:
    """Build within the limits, and check what holds of every report."""
    started = time.monotonic()
    report = made.build(document_seconds=SECONDS, document_memory_mb=MEMORY_MB)
    assert time.monotonic() - started < SECONDS + 60
    for problem in (*report.failed, *report.skipped):
        assert problem.document.isprintable(), problem
        assert problem.reason, problem
        assert problem.reason.isprintable(), problem
        assert len(problem.reason) < 300, problem
    with made.open() as index:
        assert index.text("good.md") == GOOD
        assert index.retrieve("How many days of leave?")[0].chunk.document == "good.md"
    return report


def problem(made: Workshop) -> tuple[str, str]:
    """The one line of the report about a bad file."""
    report = build(made)
    (found,) = (*report.failed, *report.skipped)
    again = build(made)
    assert again.generation == report.generation
    assert (*again.failed, *again.skipped) == (found,)
    return found.document, found.reason


@pytest.fixture
def made(workshop: Make) -> Workshop:
    """A folder with one good document."""
    return workshop({"good.md": GOOD})


# Encodings


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-8-sig", "iso8859-15"])
def test_other_encodings_are_read(made: Workshop, encoding: str) -> None:
    text = (
        "Größe und Übergröße: Die Prüfung läuft bis März, sagte die Behörde für Öffentlichkeit.\n"
    )
    (made.corpus / "other.txt").write_bytes((text * 5).encode(encoding))
    report = build(made)
    assert report.failed == []
    with made.open() as index:
        assert "Größe" in index.text("other.txt")


def test_junk_that_is_called_markdown(made: Workshop) -> None:
    (made.corpus / "junk.md").write_bytes(random.Random(1).randbytes(100_000))
    name, reason = problem(made)
    assert name == "junk.md"
    assert "text" in reason


def test_an_executable_that_is_called_text(made: Workshop) -> None:
    (made.corpus / "program.txt").write_bytes(Path(sys.executable).resolve().read_bytes()[:500_000])
    assert problem(made)[0] == "program.txt"


@pytest.mark.parametrize("suffix", ["md", "txt", "html", "pdf", "docx"])
def test_nothing_at_all(made: Workshop, suffix: str) -> None:
    (made.corpus / f"nothing.{suffix}").touch()
    assert problem(made) == (f"nothing.{suffix}", "is empty")


# Sizes


def test_two_gigabytes_are_not_even_opened(made: Workshop) -> None:
    path = made.corpus / "huge.txt"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)
    started = time.monotonic()
    name, reason = problem(made)
    assert (name, reason) == ("huge.txt", "is 2,000 MB, over the limit of 200 MB: split it")
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "line", ["word " * 10_000_000, "x" * 50_000_000], ids=["of words", "without a space"]
)
def test_one_line_of_fifty_megabytes(made: Workshop, line: str) -> None:
    (made.corpus / "line.txt").write_text(line)
    name, reason = problem(made)
    assert name == "line.txt"
    assert reason.startswith(
        ("has 50 million characters of text, over the limit of 20 million: split it",
         "took longer than", "needs more than")
    )  # fmt: skip


def test_thousands_of_tiny_files(made: Workshop) -> None:
    for number in range(3_000):
        path = made.corpus / f"{number % 10}" / f"{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("# Rule\n\nIt holds.\n" if number % 3 else "", "utf-8")
    report = build(made)
    assert (report.documents, report.embedded) == (2_001, 2)
    assert [p.reason for p in report.failed] == ["is empty"] * 1_000
    assert build(made).generation == report.generation


# Formats


@pytest.mark.parametrize("depth", [1_000, 200_000])
def test_deeply_nested_html(made: Workshop, depth: int) -> None:
    (made.corpus / "deep.html").write_text("<div>" * depth + "Staff may." + "</div>" * depth)
    report = build(made)
    problems = [p.document for p in (*report.failed, *report.skipped)]
    assert problems == ([] if "deep.html" in report.added else ["deep.html"])


def test_deeply_nested_markdown(made: Workshop) -> None:
    (made.corpus / "quote.md").write_text(">" * 50_000 + " Staff may.\n")
    (made.corpus / "list.md").write_text("\n".join(" " * n + "- Staff may." for n in range(2_000)))
    (made.corpus / "links.md").write_text("[" * 50_000 + "Staff may.")
    (made.corpus / "stars.md").write_text("*a **b " * 10_000 + "Staff may.")
    report = build(made)
    assert len(report.failed) + report.documents == 5


@pytest.mark.parametrize("suffix", ["docx", "pptx", "xlsx", "odt", "epub"])
def test_a_zip_bomb(made: Workshop, suffix: str) -> None:
    (made.corpus / f"bomb.{suffix}").write_bytes(zip_bomb())
    assert problem(made)[0] == f"bomb.{suffix}"


def test_a_zip_bomb_that_lies_about_its_size(made: Workshop) -> None:
    """Real parts of a real document, whose directory says that they are small."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", b" " * 1_200_000_000)
    data = buffer.getvalue()
    size = (1_200_000_000).to_bytes(4, "little")
    assert data.count(size) == 2
    (made.corpus / "bomb.docx").write_bytes(data.replace(size, (9_000).to_bytes(4, "little")))
    assert problem(made)[0] == "bomb.docx"


PDF_LOOP = b"""%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R/Outlines 5 0 R>> endobj
2 0 obj <</Type/Pages/Count 2/Kids[2 0 R 3 0 R]>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>> endobj
4 0 obj <</Length 4 0 R>> stream
BT (x) Tj ET
endstream endobj
5 0 obj <</Type/Outlines/First 6 0 R/Last 6 0 R>> endobj
6 0 obj <</Title(a)/Parent 5 0 R/Next 6 0 R/First 6 0 R/Dest[3 0 R/Fit]>> endobj
trailer <</Root 1 0 R/Size 7/Prev 0>>
startxref
0
%%EOF
"""


def test_a_pdf_that_goes_round_in_circles(made: Workshop) -> None:
    (made.corpus / "loop.pdf").write_bytes(PDF_LOOP)
    report = build(made)
    assert [p.document for p in report.failed] == ["loop.pdf"] or "loop.pdf" in report.added


@pytest.mark.parametrize("suffix", ["pdf", "docx", "pptx", "xlsx", "odt", "epub", "rtf", "eml",
                                    "json", "xml", "csv", "html"])  # fmt: skip
def test_junk_of_any_format(made: Workshop, suffix: str) -> None:
    chance = random.Random(suffix)
    for number in range(4):
        junk = chance.randbytes(chance.choice([1, 100, 50_000]))
        head = chance.choice(
            [b"", b"PK\x03\x04", b"%PDF-1.7\n", b"{\\rtf1 ", b"<?xml version='1.0'?>"]
        )
        (made.corpus / f"junk{number}.{suffix}").write_bytes(head + junk)
    report = build(made)
    assert report.documents + len(report.failed) == 5


# Names and folders


@pytest.mark.skipif(sys.platform == "win32", reason="needs names as Unix has them")
def test_odd_names(made: Workshop) -> None:
    fine = ["it's.md", 'say "yes".md', "a;b&c|d.md", "$(id).md", "-rf.md", "ünïcode 文件 😀.md",
            " space .md", "%s%n.md", "<b>.md", "\\.md", "x" * 247 + ".md"]  # fmt: skip
    for number, name in enumerate(fine):
        (made.corpus / name).write_text(f"# Rule {number}\n\nRule {number} holds.\n", "utf-8")
    for name in ("new\nline.md", "tab\there.md", "escape\x1b[31m.md"):
        (made.corpus / name).write_text(GOOD, "utf-8")
    (made.corpus / os.fsdecode(b"not-utf8-\xff.md")).write_text(GOOD, "utf-8")
    report = build(made)
    assert sorted(report.added) == sorted([*fine, "good.md"])
    assert len(report.skipped) == 4
    assert all("has a name that cannot be printed" in p.reason for p in report.skipped)
    with made.open() as index:
        for number, name in enumerate(fine):
            assert f"Rule {number} holds." in index.text(name)


def test_links_that_leave_the_folder_are_not_followed(made: Workshop, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# Secret\n\nThe password is hunter2.\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "more.md").write_text("# Secret\n\nThe password is hunter2.\n")
    try:
        (made.corpus / "secret.md").symlink_to(tmp_path / "secret.md")
    except OSError:
        pytest.skip("no links here")
    (made.corpus / "folder").symlink_to(tmp_path / "outside")
    (made.corpus / "circle").symlink_to(made.corpus)
    (made.corpus / "broken.md").symlink_to(made.corpus / "nowhere.md")
    (made.corpus / "self.md").symlink_to(made.corpus / "self.md")
    report = build(made)
    assert report.added == ["good.md"]
    assert sorted(p.document for p in report.skipped) == [
        "broken.md", "circle", "folder", "secret.md", "self.md",
    ]  # fmt: skip
    with made.open() as index:
        assert all("hunter2" not in info.title for info in index.documents())


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs permissions as Unix has them")
def test_folders_and_files_without_permission(encoder: Encoder) -> None:
    with unprivileged() as home:
        corpus = home / "corpus"
        (corpus / "closed").mkdir(parents=True)
        (corpus / "good.md").write_text(GOOD, "utf-8")
        (corpus / "closed" / "in.md").write_text(GOOD, "utf-8")
        (corpus / "locked.md").write_text(GOOD, "utf-8")
        (corpus / "closed").chmod(0)
        (corpus / "locked.md").chmod(0)
        settings = Settings(corpus=corpus, index=home / "index", reader=False, threads=1)
        try:
            report = build_index(settings, encoder=encoder)
        finally:
            (corpus / "closed").chmod(0o755)
        assert report.added == ["good.md"]
        found = [(p.document, p.reason) for p in (*report.failed, *report.skipped)]
        assert sorted(found) == [
            ("closed/", "cannot be read: Permission denied"),
            ("locked.md", "cannot be read: Permission denied"),
        ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_is_no_file_is_not_waited_for(made: Workshop) -> None:
    os.mkfifo(made.corpus / "pipe.md")
    assert problem(made) == ("pipe.md", "is not a regular file: remove it")


# Cutting


def test_text_that_never_ends_a_sentence_is_cut_in_time(made: Workshop) -> None:
    """It once took hours: with every abbreviation the growing sentence was read anew."""
    (made.corpus / "long.txt").write_text("e.g. a. 1. " * 30_000)
    started = time.monotonic()
    document, encoder = load(made.corpus / "long.txt", "long.txt"), made.encoder
    chunks = chunk_document(document, encoder.count_tokens, 180, encoder.window)
    assert time.monotonic() - started < SECONDS
    assert chunks[-1].end == len(document.text.rstrip())


def test_a_document_that_takes_too_long_to_cut_is_left_out(
    made: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_end(document: Document, count: Callable[[list[str]], list[int]], *_: int) -> None:
        while document.id != "good.md":
            count(["word"])
            time.sleep(0.01)
        return chunk_document(document, count, *_)  # type: ignore[return-value]

    monkeypatch.setattr(reading, "chunk_document", without_end)
    made.write("endless.md", "# Endless\n\nIt goes on.\n")
    report = made.build(document_seconds=1)
    assert [(p.document, p.reason) for p in report.failed] == [
        ("endless.md", "took longer than 1 s to read: split it, or raise document_seconds")
    ]
    assert report.added == ["good.md"]


def test_an_error_while_cutting_concerns_one_document(
    made: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(document: Document, *arguments: object) -> object:
        if document.id == "bad.md":
            raise ZeroDivisionError
        return chunk_document(document, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "chunk_document", broken)
    made.write("bad.md", "# Bad\n\nIt divides.\n")
    report = made.build()
    assert [p.reason for p in report.failed] == [
        "cannot be cut into passages (ZeroDivisionError): please report this"
    ]
    assert report.added == ["good.md"]
