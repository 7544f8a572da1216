"""Languages, folders and references, as the page writes them."""

from __future__ import annotations

import pytest
from test_wording import citation

from rag.chat import wording
from rag.types import Document


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en", "English (en)"),
        ("en-GB", "English (en-GB)"),
        ("xx", "xx"),
        ("plain text", "plain text"),
    ],
)
def test_languages(tag: str, expected: str) -> None:
    assert wording.language(tag) == expected


@pytest.mark.parametrize(
    ("document", "expected"), [("policies/leave/a.md", "policies › leave"), ("a.md", "")]
)
def test_folders(document: str, expected: str) -> None:
    assert wording.folders(document) == expected


def test_a_reference_finds_the_quotation_again() -> None:
    document = Document("leave/a.md", "Annual leave", "", (), metadata={"published": "2024-03-01"})
    assert wording.reference(citation(), document, "g7") == (
        "“Staff get 13 days a year.”\n"
        "— Annual leave, section “How much”, page 3, published 1 March 2024 "
        "(leave/a.md, characters 10-30, index g7)"
    )


def test_a_reference_without_section_page_and_date() -> None:
    assert wording.reference(citation(section=None, page=None), None, "g7") == (
        "“Staff get 13 days a year.”\n— Annual leave (leave/a.md, characters 10-30, index g7)"
    )
