"""One way in for all formats, and one kind of exception out."""

from __future__ import annotations

import importlib
import inspect
import io
import pkgutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from awkward import (
    check_promises,
    epub_bytes,
    lines_pdf,
    odt_bytes,
    sheets_bytes,
    slides_bytes,
    unprivileged,
    word_bytes,
)

import rag.loaders
from rag.errors import DocumentError, UnsupportedFormat
from rag.loaders import LOADERS, load, load_bytes

if TYPE_CHECKING:
    from workshop import Workshop


def _one_slide(deck: Any) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "Text."


SAMPLES = {
    ".csv": b"Text.,More\n1,2\n",
    ".eml": b"From: a@b.example\nSubject: x\n\nText.\n",
    ".epub": epub_bytes({"a.xhtml": "<html><body><p>Text.</p></body></html>"}),
    ".json": b'{"a": "Text."}',
    ".odt": odt_bytes("<text:p>Text.</text:p>"),
    ".pptx": slides_bytes(_one_slide),
    ".rtf": rb"{\rtf1\ansi Text.\par}",
    ".xlsx": sheets_bytes(lambda book: book.active.append(["Text.", "More"])),
    ".xml": b"<a><b>Text.</b></a>",
    ".docx": word_bytes(lambda word: word.add_paragraph("Text.") and None),
    ".htm": b"<p>Text.</p>",
    ".html": b"<p>Text.</p>",
    ".markdown": b"Text.",
    ".md": b"Text.",
    ".pdf": lines_pdf(["Text."]),
    ".txt": b"Text.",
}


@pytest.mark.parametrize("suffix", sorted(LOADERS))
def test_every_format_loads_the_same_twice(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(SAMPLES[suffix])
    document = load(path, f"sub/a{suffix}")
    check_promises(document)
    assert document.id == f"sub/a{suffix}"
    assert "Text." in document.text
    assert document.metadata["title"] == document.title
    assert load(path, f"sub/a{suffix}") == document
    assert load_bytes(SAMPLES[suffix], f"sub/a{suffix.upper()}").text == document.text


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.xyz", ".xyz files are not supported"),
        ("a", "files without a suffix are not supported"),
        (".md", "files without a suffix are not supported"),
    ],
)
def test_other_formats_are_unsupported(name: str, start: str) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        load_bytes(b"x", name)
    assert str(caught.value) == (
        f"{start}: use one of .csv .docx .eml .epub .htm .html .json .markdown .md .odt .pdf "
        ".pptx .rtf .txt .xlsx .xml"
    )


def test_a_file_that_is_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"^cannot be read: No such file or directory$"):
        load(tmp_path / "a.md", "a.md")
    (tmp_path / "b.md").mkdir()
    with pytest.raises(DocumentError, match=r"^cannot be read: Is a directory$"):
        load(tmp_path / "b.md", "b.md")


def test_a_forbidden_file_says_so() -> None:
    with unprivileged() as folder:
        path = folder / "a.md"
        path.write_text("x")
        path.chmod(0)
        with pytest.raises(DocumentError, match=r"^cannot be read: Permission denied$"):
            load(path, "a.md")


def _exceptions_below() -> list[type[BaseException]]:
    """What the libraries define, and what Python itself raises on broken data."""
    found: set[type[BaseException]] = {
        AssertionError,
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        MemoryError,
        NotImplementedError,
        OSError,
        OverflowError,
        RecursionError,
        RuntimeError,
        TypeError,
        ValueError,
        ZeroDivisionError,
    }
    names = [
        "zipfile",
        "zlib",
        "struct",
        "lxml.etree",
        "yaml.error",
        "docx.exceptions",
        "docx.opc.exceptions",
        "pptx.exc",
        "openpyxl.utils.exceptions",
        "csv",
        "json",
        "email.errors",
    ]
    for package in ("pdfminer", "pdfplumber"):
        path = importlib.import_module(package).__path__
        names += [f"{package}.{module.name}" for module in pkgutil.iter_modules(path)]
    names += ["pdfplumber.utils.exceptions"]
    for name in names:
        if name.endswith(("__main__", "cli")):
            continue
        for _, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            if issubclass(kind, Exception) and not issubclass(kind, Warning):
                found.add(kind)
    return sorted(found, key=lambda kind: (kind.__module__, kind.__qualname__))


def _make(kind: type[BaseException]) -> BaseException:
    try:
        return kind("two\nlines")
    except TypeError:
        error = kind.__new__(kind)
        error.args = ("two\nlines",)
        return error


TARGETS = [
    ("a.pdf", "rag.loaders.pdf.read_page"),
    ("a.pdf", "pdfplumber.open"),
    ("a.docx", "docx.Document"),
    ("a.html", "rag.loaders.html.document_fromstring"),
    ("a.pptx", "pptx.Presentation"),
    ("a.xlsx", "openpyxl.load_workbook"),
    ("a.xlsx", "rag.loaders.xlsx.add_rows"),
    ("a.csv", "rag.loaders.csv.add_rows"),
    ("a.epub", "rag.loaders.epub.add_page"),
    ("a.odt", "rag.loaders.odt.Lists"),
    ("a.rtf", "rag.loaders.rtf.rtf_to_text"),
    ("a.eml", "rag.loaders.eml.message_from_bytes"),
    ("a.json", "rag.loaders.structured.json.loads"),
    ("a.xml", "rag.loaders.structured.parse_xml"),
]


@pytest.mark.parametrize(("name", "target"), TARGETS, ids=lambda value: str(value))
def test_no_foreign_exception_leaves(
    name: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = _exceptions_below()
    assert len(kinds) > 60
    for kind in kinds:

        def fail(*args: object, kind: type[BaseException] = kind, **options: object) -> None:
            raise _make(kind)

        monkeypatch.setattr(target, fail)
        with pytest.raises(DocumentError) as caught:
            load_bytes(SAMPLES[Path(name).suffix], name)
        assert "\n" not in str(caught.value)
        assert name not in str(caught.value)


@pytest.mark.parametrize("kind", [AttributeError, KeyError, TypeError, ValueError])
@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("a.docx", "rag.loaders.docx._text"),
        ("a.eml", "rag.loaders.eml._attachments"),
        ("a.pptx", "rag.loaders.pptx._add_shapes"),
        ("a.rtf", "rag.loaders.rtf._Changes.accepted"),
        ("a.xlsx", "rag.loaders.xlsx._shown"),
    ],
)
def test_a_fault_of_ours_is_not_called_damage(
    name: str, target: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise kind("ours")

    monkeypatch.setattr(target, fail)
    with pytest.raises(DocumentError) as caught:
        load_bytes(SAMPLES[Path(name).suffix], name)
    detail = kind("ours")
    assert str(caught.value) == (
        f"cannot be read as {name[2:].upper()} ({kind.__name__}: {detail}): "
        "open it and save it again"
    )


def _with_part(data: bytes, name: str, content: bytes) -> bytes:
    """The package with another content of one part."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(changed, "w") as new:
        for part in old.namelist():
            new.writestr(part, content if part == name else old.read(part))
    return changed.getvalue()


def _with_flipped_byte(data: bytes, name: str) -> bytes:
    """The package with one part that is not what its checksum says."""
    packed = _with_part(data, "", b"")
    with zipfile.ZipFile(io.BytesIO(packed)) as package:
        at = packed.index(package.read(name)) + 40
    return packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :]


@pytest.mark.parametrize(
    ("suffix", "part", "reason"),
    [
        (
            ".docx",
            "word/document.xml",
            "is damaged or not a Word document: open it in Word and save it again",
        ),
        (
            ".pptx",
            "ppt/slides/slide1.xml",
            "is damaged or not a PowerPoint presentation: open it there and save it again",
        ),
        (
            ".xlsx",
            "xl/worksheets/sheet1.xml",
            "is damaged or not an Excel workbook: open it there and save it again",
        ),
    ],
)
def test_damage_is_said_to_be_damage_however_late_it_shows(
    suffix: str, part: str, reason: str
) -> None:
    whole = SAMPLES[suffix]
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        content = package.read(part)
    flipped = _with_flipped_byte(whole, part)
    for broken in (_with_part(whole, part, content[: len(content) // 2]), flipped):
        with pytest.raises(DocumentError) as caught:
            load_bytes(broken, f"a{suffix}")
        # The first kilobytes of each part are looked at before a library is.
        short = reason.partition(":")[0] + f": save it again as {suffix}"
        assert str(caught.value) in (reason, short)
    for end in range(1, len(whole), len(whole) // 50):
        with pytest.raises(DocumentError) as caught:
            load_bytes(whole[:end], f"a{suffix}")
        assert str(caught.value) == short


def test_heavy_libraries_are_imported_only_for_their_formats() -> None:
    code = (
        "import sys, rag.loaders\n"
        "heavy = ('pdfplumber', 'pdfminer', 'docx', 'trafilatura', 'lxml', 'yaml', 'markdown_it', "
        "'pptx', 'openpyxl', 'striprtf', 'pypdfium2')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_loader_module_can_be_imported_and_reads_bytes() -> None:
    for target in LOADERS.values():
        module, _, function = target.partition(":")
        parameters = inspect.signature(
            getattr(importlib.import_module(module), function)
        ).parameters
        assert list(parameters)[:2] == ["data", "document_id"]
        others = list(parameters.values())[2:]
        assert all(other.default is not other.empty for other in others)
    assert rag.loaders.LOADERS_VERSION >= 1


def test_the_bundled_corpus_loads_without_a_problem() -> None:
    from rag.building.corpus import scan

    found = scan(Path(__file__).parents[1] / "corpus")
    assert not found.skipped
    assert {Path(file.id).suffix for file in found.files} >= {
        ".md",
        ".txt",
        ".html",
        ".pdf",
        ".docx",
    }
    for file in found.files:
        document = load(file.path, file.id)
        check_promises(document)
        assert document.blocks


def test_every_format_can_be_asked(workshop: Callable[..., Workshop]) -> None:
    work = workshop({})
    for suffix, data in SAMPLES.items():
        (work.corpus / f"a{suffix}").write_bytes(data)
    report = work.build()
    assert report.failed == []
    assert report.documents == len(LOADERS)
    with work.open() as index:
        for suffix in SAMPLES:
            [hit, *_] = index.retrieve("text", where=f"path=a{suffix}")
            text = index.text(f"a{suffix}")
            assert text[hit.chunk.start : hit.chunk.end] == hit.chunk.text
            assert "Text." in hit.chunk.text
