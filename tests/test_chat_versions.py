"""Which documents are versions of each other."""

from __future__ import annotations

import pytest
from chat_fake import Info

from rag.chat.versions import age, families, newer_and_older, successor


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


def superseded(identifier: str, title: str, by: str, date: str = "") -> Info:
    return Info(identifier, title, {"superseded_by": by, "effective_date": date}, 1)


@pytest.mark.parametrize("named", ["rules/new.md", "new.md", "./new.md"])
def test_a_document_and_its_successor_are_versions_whatever_their_titles(named: str) -> None:
    known = families([superseded("rules/old.md", "Bicycles", named), info("rules/new.md", "Bikes")])
    found = successor("rules/old.md", known["rules/old.md"])
    assert found is not None
    assert found.id == "rules/new.md"
    assert newer_and_older("rules/new.md", known)[1] == [known["rules/old.md"][0]]
    assert age("rules/old.md", known) == "Older version"


def test_a_successor_that_is_not_there_makes_no_family() -> None:
    assert families([superseded("a.md", "T", "gone.md"), superseded("b.md", "U", "b.md")]) == {}


def test_a_chain_of_successors_has_links_without_being_one_family() -> None:
    chain = [superseded(f"{n}.md", f"Rates of fee {'x' * n}", f"{n + 1}.md") for n in range(12)]
    known = families([*chain, info("12.md", "Rates")])
    for n in range(12):
        found = successor(f"{n}.md", known[f"{n}.md"])
        assert found is not None
        assert found.id == f"{n + 1}.md"
    assert max(map(len, known.values())) <= 6


def test_an_older_version_is_told_by_its_year_or_by_its_date() -> None:
    known = families([info("a", "T", "2022-06-01"), info("b", "T", "2025-01-01"),
                      info("c", "T", "2025-05-01")])  # fmt: skip
    assert [age(name, known) for name in ("a", "b", "c")] == [
        "2022 version", "Version effective 1 January 2025", "",
    ]  # fmt: skip
