"""Dates, places, counts and certainty, in words."""

from __future__ import annotations

import pytest

from rag.text import wording
from rag.types import Citation


def citation(**changes: object) -> Citation:
    values = {
        "n": 1, "document": "leave/a.md", "title": "Annual leave", "section": "How much",
        "page": 3, "start": 10, "end": 30, "quote": "Staff get **13 days**\na year.",
        "sha256": "0",
    } | changes  # fmt: skip
    return Citation(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-03-01", "1 March 2024"),
        ("2024-03-01T10:00:00Z", "1 March 2024"),
        ("Spring 2024", "Spring 2024"),
    ],
)
def test_dates(value: str, expected: str) -> None:
    assert wording.nice_date(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-24T21:45:10Z", "24 November 2026, 21:45 UTC"),
        ("2026-11-24T23:45:10+02:00", "24 November 2026, 21:45 UTC"),
        ("2026-11-24T21:45:10", "24 November 2026, 21:45 UTC"),
        ("long ago", "long ago"),
    ],
)
def test_times_are_in_utc(value: str, expected: str) -> None:
    assert wording.nice_time(value) == expected


def test_times_where_room_is_short() -> None:
    assert wording.short_time("2026-11-24T21:45:10+00:00") == "2026-11-24 21:45 UTC"


def test_the_date_in_force_comes_before_the_one_of_publication() -> None:
    metadata = {"published": "2023-01-01", "effective_date": "2024-03-01"}
    assert wording.document_date(metadata) == ("effective", "1 March 2024")
    assert wording.document_date({"title": "x"}) is None


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"superseded_by": "travel-2025.md"}, "Superseded by travel-2025.md"),
        ({"status": "Withdrawn"}, "Withdrawn"),
        ({"valid_until": "2024-12-31"}, "Valid until 31 December 2024"),
        ({"status": "in force"}, None),
        ({"status": ["superseded", "old"]}, "Superseded"),
        ({}, None),
    ],
)
def test_documents_that_say_that_they_no_longer_apply(
    metadata: dict[str, str | list[str]], expected: str | None
) -> None:
    assert wording.standing(metadata) == expected


@pytest.mark.parametrize(
    ("confidence", "level"), [(0.97, "high"), (0.7, "good"), (0.5, "fair"), (0.1, "low")]
)
def test_certainty(confidence: float, level: str) -> None:
    assert wording.certainty(confidence)[0] == level


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "How much · p. 3"),
        ({"section": None}, "p. 3"),
        ({"page": None}, "How much"),
        ({"section": None, "page": None}, ""),
    ],
)
def test_places(changes: dict[str, object], expected: str) -> None:
    assert wording.place(citation(**changes)) == expected


def test_long_labels_are_cut_at_a_word() -> None:
    assert wording.shorten("alpha beta gamma delta", 16) == "alpha beta…"
    assert wording.shorten("x" * 30, 10) == "x" * 9 + "…"
    assert wording.shorten("two\n lines", 20) == "two lines"


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 documents"), (1, "1 document"), (1204, "1,204 documents")],
)
def test_counts(number: int, expected: str) -> None:
    assert wording.counted(number, "document") == expected


def test_numbers_in_a_text_are_sorted_by_their_size() -> None:
    names = ["no. 26", "No. 104", "annex 2 b", "no. 9", "Annex 2 a", ""]
    assert sorted(names, key=wording.natural_order) == [
        "", "Annex 2 a", "annex 2 b", "no. 9", "no. 26", "No. 104"
    ]  # fmt: skip


def test_a_section_that_is_called_as_the_document_is_not_said_again() -> None:
    assert wording.place(citation(section="Annual leave")) == "p. 3"
    assert wording.place(citation()) == "How much · p. 3"
