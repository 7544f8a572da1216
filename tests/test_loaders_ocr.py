"""Scanned pages: named, and read where tesseract is installed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from awkward import canvas_pdf, check_promises, picture_page, prose, scanned_pdf, texts
from pypdfium2 import PdfiumError
from reportlab.pdfgen.canvas import Canvas

from rag.building.isolation import IsolatedReader
from rag.errors import DocumentError
from rag.loaders import load_bytes, ocr
from rag.loaders.remarks import remarks

needs_tesseract = pytest.mark.skipif(
    not ocr.installed(), reason="tesseract is not installed: apt install tesseract-ocr"
)

if TYPE_CHECKING:
    from workshop import Workshop
SENTENCE = "Staff get thirteen days of annual leave a year and may take them in parts."
SCANNED = [SENTENCE[:39], SENTENCE[40:], "", "The form is on the first floor."]


def text_page(canvas: Canvas) -> None:
    canvas.setFont("Helvetica", 11)
    canvas.drawString(72, 700, prose(12) + ".")


def partly_scanned(scans: int = 1) -> bytes:
    def scan(canvas: Canvas) -> None:
        picture_page(canvas, SCANNED)

    return canvas_pdf(text_page, *[scan] * scans, text_page)


def test_pages_without_text_are_named() -> None:
    document = load_bytes(partly_scanned(2), "a.pdf")
    check_promises(document)
    assert document.metadata["unread_pages"] == "2-3"
    assert remarks(document.metadata) == [
        "no text could be read on pages 2-3 (scanned?): install tesseract, or run OCR on the file"
    ]
    assert [page.number for page in document.pages] == [1, 2, 3, 4]


def test_an_empty_page_is_not_named() -> None:
    document = load_bytes(canvas_pdf(text_page, lambda canvas: None, text_page), "a.pdf")
    assert "unread_pages" not in document.metadata
    assert remarks(document.metadata) == []


@needs_tesseract
def test_scanned_pages_are_read_in_their_place() -> None:
    document = load_bytes(partly_scanned(), "a.pdf", ocr_seconds=60)
    check_promises(document)
    assert texts(document, "paragraph")[1:3] == [SENTENCE, "The form is on the first floor."]
    assert document.metadata["ocr_pages"] == "2"
    assert "unread_pages" not in document.metadata
    second = document.pages[1]
    assert second.number == 2
    assert SENTENCE in document.text[second.start : second.end]


@needs_tesseract
def test_a_picture_without_letters_stays_unread() -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(scanned_pdf(), "a.pdf", ocr_seconds=60)
    assert str(caught.value) == (
        "has no text layer, and tesseract could read none of its pages: scan it again"
    )


@needs_tesseract
def test_what_takes_too_long_stays_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*args: Any, timeout: float = 0, **options: Any) -> Any:
        raise subprocess.TimeoutExpired("tesseract", timeout)

    monkeypatch.setattr(ocr.subprocess, "run", hang)
    ocr._languages.cache_clear()
    monkeypatch.setattr(ocr, "_languages", lambda program: "eng")
    document = load_bytes(partly_scanned(), "a.pdf", ocr_seconds=60)
    assert document.metadata["unread_pages"] == "2"


@pytest.mark.parametrize(
    "table", ["", "level\tpage\n5\t1\n", "x\n" + "5\t1\t1\t1\t1\t1\t0\t0\t9\t9\t12.0\tblurred\n"]
)
def test_what_tesseract_is_unsure_of_is_not_text(
    table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ocr, "_tesseract", lambda picture, seconds: table)
    monkeypatch.setattr(ocr.shutil, "which", lambda name: "/usr/bin/tesseract")
    document = load_bytes(partly_scanned(), "a.pdf", ocr_seconds=60)
    assert document.metadata["unread_pages"] == "2"


def test_a_tesseract_that_cannot_be_started_costs_only_the_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ocr.shutil, "which", lambda name: "/nowhere/tesseract")
    document = load_bytes(partly_scanned(), "a.pdf", ocr_seconds=60)
    assert [page.number for page in document.pages] == [1, 2, 3]
    assert document.metadata["unread_pages"] == "2"


def test_a_page_that_cannot_be_drawn_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def picture(data: bytes, number: int) -> tuple[bytes, float]:
        if number == 2:
            raise PdfiumError("Failed to load page.")
        return b"", 1.0

    words = "5\t1\t1\t1\t1\t1\t72\t72\t90\t12\t95.0\tMoorings\n"
    monkeypatch.setattr(ocr.shutil, "which", lambda name: "/usr/bin/tesseract")
    monkeypatch.setattr(ocr, "_picture", picture)
    monkeypatch.setattr(ocr, "_tesseract", lambda picture, seconds: f"level\n{words}")
    document = load_bytes(partly_scanned(2), "a.pdf", ocr_seconds=60)
    assert (document.metadata["unread_pages"], document.metadata["ocr_pages"]) == ("2", "3")
    assert "Moorings" in document.text


def test_without_tesseract_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr.shutil, "which", lambda name: None)
    assert load_bytes(partly_scanned(), "a.pdf", ocr_seconds=60).metadata["unread_pages"] == "2"
    reason = "has no text layer (scanned?): install tesseract, or run OCR on it first"
    with pytest.raises(DocumentError) as caught:
        load_bytes(scanned_pdf(), "a.pdf", ocr_seconds=60)
    assert str(caught.value) == reason
    assert not IsolatedReader(60, 600, ocr=True).outgrown(reason)
    monkeypatch.setattr(ocr.shutil, "which", lambda name: "/usr/bin/tesseract")
    assert IsolatedReader(60, 600, ocr=True).outgrown(reason)
    assert not IsolatedReader(60, 600, ocr=False).outgrown(reason)


@needs_tesseract
def test_a_build_reads_scanned_pages_unless_that_is_off(
    workshop: Callable[..., Workshop],
) -> None:
    work = workshop({"a.md": "# Travel\n\nText.\n"})
    (work.corpus / "scan.pdf").write_bytes(partly_scanned())
    report = work.build(ocr="off")
    assert [(p.document, p.reason) for p in report.warnings] == [
        (
            "scan.pdf",
            "no text could be read on page 2 (scanned?): install tesseract, or run OCR on the file",
        )
    ]
    assert work.build(ocr="off").warnings == report.warnings
    (work.corpus / "scan.pdf").unlink()
    (work.corpus / "again.pdf").write_bytes(partly_scanned())
    assert work.build().warnings == []
    with work.open() as index:
        answer = index.ask("How many days of annual leave do staff get?")
        assert answer.citations[0].page == 2
        assert "thirteen days" in answer.citations[0].quote


@needs_tesseract
def test_pages_that_could_not_be_read_are_read_once_tesseract_is_there(
    workshop: Callable[..., Workshop], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = workshop({"a.md": "# Travel\n\nText.\n"})
    work.write_bytes("scan.pdf", partly_scanned())
    with monkeypatch.context() as patch:
        patch.setattr("rag.building.isolation.installed", lambda: False)
        first = work.build()
        assert "install tesseract" in first.warnings[0].reason
        assert work.build().generation == first.generation
    report = work.build()
    assert (report.changed, report.unchanged, report.warnings) == ([], 2, [])
    assert [(d.document, d.what, d.why) for d in report.details] == [
        ("scan.pdf", "read again", "its pages without text can be read now")
    ]
    with work.open() as index:
        assert SENTENCE in index.text("scan.pdf")
    assert work.build().generation == report.generation


@needs_tesseract
def test_pages_that_tesseract_cannot_read_are_not_tried_again_and_again(
    workshop: Callable[..., Workshop],
) -> None:
    def blank_picture(canvas: Canvas) -> None:
        picture_page(canvas, [])

    work = workshop({"a.md": "# Travel\n\nText.\n"})
    work.write_bytes("scan.pdf", canvas_pdf(text_page, blank_picture))
    assert work.build(ocr="off").warnings[0].reason.endswith("or run OCR on the file")
    tried = work.build()
    reason = "no text could be read on page 2, by tesseract neither: scan the file again"
    assert [(p.document, p.reason) for p in tried.warnings] == [("scan.pdf", reason)]
    assert work.build().generation == tried.generation
