"""Pages of PDF files as pictures, with the places of quotations on them."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

import rag
from rag.building.corpus import scan
from rag.chat import pages
from rag.errors import DocumentError

WIDTH, HEIGHT = A4
LEFT, BASELINE = 72, 600


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "corpus" / "a.pdf"
    path.parent.mkdir()
    canvas = Canvas(str(path), A4)
    canvas.setFont("Helvetica", 12)
    canvas.drawString(LEFT, BASELINE, "Staff get 13 days of annual leave a")
    canvas.drawString(LEFT, BASELINE - 15, "year. Unused days lapse in March.")
    canvas.showPage()
    canvas.drawString(LEFT, BASELINE, "Second page.")
    canvas.save()
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_page_is_a_picture(pdf: Path) -> None:
    picture = pages.picture(pdf, 1, [])
    head, data = picture.data.split(",", 1)
    assert head == "data:image/png;base64"
    assert base64.b64decode(data).startswith(b"\x89PNG")
    assert picture.width / picture.height == pytest.approx(WIDTH / HEIGHT, abs=0.01)


def test_a_quotation_is_found_where_it_was_drawn(pdf: Path) -> None:
    ((box,),) = pages.picture(pdf, 1, ["Staff get 13 days"]).boxes
    assert box.left == pytest.approx(LEFT / WIDTH, abs=0.005)
    assert box.top + box.height == pytest.approx(1 - BASELINE / HEIGHT, abs=0.01)
    assert 0.01 < box.height < 0.02


def test_a_quotation_over_two_lines_has_two_boxes(pdf: Path) -> None:
    ((first, second),) = pages.picture(pdf, 1, ["annual leave a\nyear."]).boxes
    assert first.left > second.left
    assert second.top - first.top == pytest.approx(15 / HEIGHT, abs=0.005)


@pytest.mark.parametrize("quote", ["not there", "", " - "])
def test_what_is_not_on_the_page_has_no_box(pdf: Path, quote: str) -> None:
    assert pages.picture(pdf, 1, [quote]).boxes == ((),)


def test_spaces_and_hyphens_do_not_matter(pdf: Path) -> None:
    assert pages.picture(pdf, 1, ["Un-\nused  days"]).boxes[0]


@pytest.mark.parametrize("number", [0, -1, 3, 10**6])
def test_a_page_that_is_not_there(pdf: Path, number: int) -> None:
    with pytest.raises(DocumentError, match="There is no page"):
        pages.picture(pdf, number, [])


def test_a_broken_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"%PDF-1.7 nothing")
    with pytest.raises(DocumentError, match=r"Page 1 of broken\.pdf cannot be drawn"):
        pages.picture(path, 1, [])


def test_a_file_with_a_sidecar_is_the_indexed_one_as_well(tmp_path: Path, pdf: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    (made / "a.pdf").write_bytes(pdf.read_bytes())
    (made / "a.pdf.meta.yaml").write_text("title: Leave\n", "utf-8")
    rag.build(made, tmp_path / "index")
    with rag.open(tmp_path / "index") as index:
        (info,) = index.documents()
    assert pages.find_file(made, "a.pdf", info.file.sha256).name == "a.pdf"
    (made / "a.pdf.meta.yaml").write_text("title: Lease\n", "utf-8")
    with pytest.raises(DocumentError, match="has changed since it was indexed"):
        pages.find_file(made, "a.pdf", info.file.sha256)


def test_only_the_indexed_file_in_the_corpus_is_read(pdf: Path) -> None:
    corpus = pdf.parent
    assert pages.find_file(corpus, "a.pdf", sha256(pdf)) == pdf.resolve()
    with pytest.raises(DocumentError, match="has changed since it was indexed"):
        pages.find_file(corpus, "a.pdf", "0")
    outside = corpus.parent / "secret.pdf"
    outside.write_bytes(pdf.read_bytes())
    (corpus / "link.pdf").symlink_to(outside)
    for name in ("../secret.pdf", str(outside), "link.pdf", "gone.pdf", "."):
        with pytest.raises(DocumentError, match="no longer in the corpus"):
            pages.find_file(corpus, name, sha256(pdf))


def test_a_file_is_found_whatever_the_unicode_form_of_its_name(pdf: Path) -> None:
    corpus = pdf.parent
    folder = corpus / unicodedata.normalize("NFD", "Fähren")
    folder.mkdir()
    path = pdf.rename(folder / unicodedata.normalize("NFD", "Übersicht.pdf"))
    (file,) = scan(corpus).files
    assert file.id == unicodedata.normalize("NFC", "Fähren/Übersicht.pdf")
    assert pages.find_file(corpus, file.id, sha256(path)) == path.resolve()
