"""E-books: chapters in order, and books that cannot be read."""

from __future__ import annotations

import pytest
from awkward import (
    check_promises,
    epub_bytes,
    laughing_xml,
    package_bytes,
    shown,
    zip_bomb,
)

from rag.errors import DocumentError
from rag.loaders import load_bytes
from rag.types import Document

ENTITIES = "defines XML entities, which can be a bomb: save it without them"


def load(data: bytes) -> Document:
    document = load_bytes(data, "books/staff_rules.epub")
    check_promises(document)
    return document


def test_chapters_in_the_order_of_the_spine() -> None:
    document = load(
        epub_bytes(
            {
                "two%20b.xhtml": "<html><body><h1>Leave</h1><p>13 days.</p></body></html>",
                "one.xhtml": "<html><body><h2>Pay</h2><ul><li>Monthly.</li></ul></body></html>",
                "cover.xhtml": "<html><body><img src='x.png'/></body></html>",
            },
            "<dc:title>Staff rules</dc:title><dc:creator>A. Author</dc:creator>"
            "<dc:creator>B. Author</dc:creator><dc:language>en</dc:language>"
            "<dc:date>2024-05-01</dc:date><dc:subject>leave</dc:subject>",
            {"OEBPS/two b.xhtml": "<html><body><h1>Leave</h1><p>13 days.</p></body></html>"},
        )
    )
    assert shown(document) == [
        ("heading", "Leave"),
        ("paragraph", "13 days."),
        ("heading", "Pay"),
        ("item", "Monthly."),
    ]
    assert document.title == "Staff rules"
    expected = {
        "author": "A. Author, B. Author",
        "language": "en",
        "published": "2024-05-01",
        "tags": ["leave"],
    }
    assert expected.items() <= dict(document.metadata).items()


def test_raised_figures_in_a_book_are_no_part_of_a_number() -> None:
    chapter = "<html><body><p>The berth costs EUR 250<sup>3</sup> a year.</p></body></html>"
    assert load(epub_bytes({"a.xhtml": chapter})).text == ("The berth costs EUR 250³ a year.")


def encrypted(name: str) -> dict[str, str]:
    reference = f'<enc:CipherReference URI="{name}"/>'
    return {"META-INF/encryption.xml": f'<encryption xmlns:enc="urn:e">{reference}</encryption>'}


PAGE = {"a.xhtml": "<html><body><p>Text.</p></body></html>"}


def test_encrypted_fonts_do_not_matter() -> None:
    assert load(epub_bytes(PAGE, "", encrypted("OEBPS/f.otf"))).text == "Text."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            epub_bytes(PAGE, "", encrypted("OEBPS/a.xhtml")),
            "is encrypted (protected against copying): get it unprotected",
        ),
        (b"no zip", "is damaged or not an EPUB book: save it again as .epub"),
        (
            package_bytes({"a": "x"}),
            "is damaged or not an EPUB book (META-INF/container.xml): save it again as .epub",
        ),
        (
            package_bytes({"META-INF/container.xml": "<container/>"}),
            "is damaged or not an EPUB book (no contents): save it again as .epub",
        ),
        (epub_bytes({}), "has no text"),
        (package_bytes({"META-INF/container.xml": laughing_xml()}), ENTITIES),
        (
            zip_bomb(),
            "unpacks to 400 MB, more than the 200 MB allowed: remove its pictures or split it",
        ),
        (package_bytes({f"{i}": "" for i in range(20_001)}), "holds 20,001 files, more than the"),
    ],
    ids=["copy protection", "no zip", "no container", "no book", "empty", "laughs", "bomb", "many"],
)
def test_a_bad_book_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, "a.epub")
    assert str(caught.value).startswith(reason)
