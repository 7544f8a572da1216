"""Which documents are versions of each other."""

from __future__ import annotations

import pytest
from chat_fake import Info

from rag.chat.versions import families, newer_and_older


def info(identifier: str, title: str, date: str = "") -> Info:
    return Info(identifier, title, {"effective_date": date} if date else {}, 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Travel (2023)", "Travel (2025)"),
        ("Travel 2023", "Travel"),
        ("Travel, version 1.2", "Travel, version 2.0"),
        ("Budget 2023/24", "Budget 2024/25"),
        ("TRAVEL", "Travel [2025]"),
    ],
)
def test_titles_that_differ_in_their_date_are_versions(one: str, other: str) -> None:
    known = families([info("a", one, "2023-01-01"), info("b", other, "2025-01-01")])
    assert [version.id for version in known["a"]] == ["b", "a"]


@pytest.mark.parametrize(
    ("one", "other"), [("Travel", "Training"), ("Form 12", "Form 13"), ("Part 1", "Part 2")]
)
def test_other_titles_are_not(one: str, other: str) -> None:
    assert families([info("a", one, "2023-01-01"), info("b", other, "2025-01-01")]) == {}


def test_newer_and_older() -> None:
    known = families([info("a", "T (2021)"), info("b", "T (2023)"), info("c", "T (2025)")])
    newer, older = newer_and_older("b", known)
    assert ([one.id for one in newer], [one.id for one in older]) == (["c"], ["a"])
    assert newer_and_older("unknown", known) == ([], [])


def test_a_long_series_is_not_a_family() -> None:
    assert families([info(str(year), f"Minutes {year}") for year in range(2015, 2025)]) == {}


def test_copies_of_the_same_age_are_not_called_newer() -> None:
    known = families([info("a", "T", "2023-01-01"), info("b", "T", "2023-01-01")])
    assert newer_and_older("a", known) == ([], [])
