"""Which documents are versions of one another, and since when they hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chat_fake import Info

from rag.catalogue.conditions import parse_where
from rag.catalogue.filters import select
from rag.catalogue.versions import (
    age,
    families,
    family,
    may_be_versions,
    newer_and_older,
    relation,
    since,
    successor,
)
from rag.types import Metadata


def info(identifier: str, title: str, date: str = "") -> Info:
    return Info(identifier, title, {"effective_date": date} if date else {}, 1)


VERSIONS = [
    ("Travel (2023)", "Travel (2025)"),
    ("Travel 2023", "Travel"),
    ("TRAVEL", "Travel [2025]"),
    ("Travel policy rev. 2", "Travel policy rev. 3"),
    ("Travel policy, revision 2", "Travel policy Rev 3"),
    ("Travel policy 2.0", "Travel policy 2.1"),
    ("Travel policy 2.0 (2023)", "Travel policy 2.1 (2024)"),
    ("Travel, version 1.2", "Travel, version 2.0"),
    ("Travel v1", "Travel ver. 2"),
    ("Leave 2022–23", "Leave 2023–24"),
    ("Leave 2022-2023", "Leave 2023-2024"),
    ("Budget 2023/24", "Budget 2024/25"),
    ("Rates 2023-06-01", "Rates 2024-06-01"),
    ("Fee index, fourth quarter 2024", "Fee index, fourth quarter 2025, revised"),
    ("Harbour plan (draft)", "Harbour plan (final)"),
    ("Harbour plan, consultation draft", "Harbour Plan"),
    ("Draft harbour plan", "Harbour plan [revised version]"),
    ("Fees 2024 (provisional figures)", "Fees 2024 (corrected)"),
    ("Harbour plan 2.0 – second draft", "Harbour plan 2.1"),
]
OTHERS = [
    ("Travel", "Training"),
    ("Form 12", "Form 13"),
    ("Part 1", "Part 2"),
    ("Section 3.2", "Section 3.3"),
    ("Leave, subsection 3.2", "Leave, subsection 3.3"),
    ("3.2 Travel", "3.3 Travel"),
    ("Travel 2.1 for trainees", "Travel 2.2 for trainees"),
    ("2023", "2024"),
    ("Provisional licence", "Licence"),
    ("Final accounts", "Accounts"),
    ("Correction of names", "Correction of fees"),
    ("Drafts", "Finals"),
]
EN, FR, LAB = {"language": "en-GB"}, {"language": "fr"}, {"collection": "Lab"}
TOGETHER = [(EN, {}), ({"language": "en"}, {"language": "EN-us"}), (LAB, {"collection": "LAB "})]
APART = [(EN, FR), (FR, {}), (LAB, {}), (LAB, {"collection": "Office"})]


def told(one: Info, other: Info) -> bool:
    """Whether a reader of the one is told of the other."""
    return other.id in [version.id for version in families([one, other]).get(one.id, ())]


def hidden(one: Info, other: Info) -> bool:
    """Whether the filter takes the other for what came after the one."""
    rows = [replace(one, first_chunk=0), replace(other, first_chunk=1)]
    return list(select(parse_where("as_of=2030"), rows).rows) == [1]


def pair(one: str, other: str, ours: Metadata, theirs: Metadata) -> tuple[Info, Info]:
    """Two documents in folders of their own, of which the other is newer."""
    return (
        Info("old/a.md", one, {"effective_date": "2023-01-01", **ours}, 1),
        Info("b.md", other, {"effective_date": "2025-01-01", **theirs}, 1),
    )


@pytest.mark.parametrize(("one", "other"), VERSIONS)
def test_titles_that_differ_in_their_date_or_number_are_versions(one: str, other: str) -> None:
    both = pair(one, other, {}, {})
    assert (family(both[0]) == family(both[1]), told(*both), hidden(*both)) == (True, True, True)


@pytest.mark.parametrize(("one", "other"), OTHERS)
def test_other_titles_are_not(one: str, other: str) -> None:
    both = pair(one, other, {}, {})
    assert (family(both[0]) == family(both[1]), told(*both), hidden(*both)) == (False,) * 3


@pytest.mark.parametrize(("ours", "theirs"), TOGETHER)
def test_one_language_and_collection_may_be_written_in_several_ways(
    ours: Metadata, theirs: Metadata
) -> None:
    both = pair("Code 2023", "Code 2024", ours, theirs)
    assert (family(both[0]) == family(both[1]), told(*both), hidden(*both)) == (True, True, True)


@pytest.mark.parametrize(("ours", "theirs"), APART)
def test_another_language_or_a_collection_of_its_own_makes_no_version(
    ours: Metadata, theirs: Metadata
) -> None:
    both = pair("Code 2023", "Code 2024", ours, theirs)
    assert (family(both[0]) == family(both[1]), told(*both), hidden(*both)) == (False,) * 3


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"effective_date": "2024-03-01", "published": "2024-02-01"}, "2024-03-01"),
        ({"effective_date": "soon", "published": "2024-02"}, "2024-02-01"),
        ({"published": "2024"}, "2024-01-01"),
        ({"updated": "2024-03-01", "modified": "2024-03-01", "created": "2024-03-01"}, ""),
        ({}, ""),
    ],
)
def test_since_when_a_document_holds(metadata: Metadata, expected: str) -> None:
    assert since(metadata) == expected


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (("T 2021", {}), ("T 2023", {}), "newer"),
        (("T 2021", {"published": "2024"}), ("T 2023", {"published": "2023"}), "older"),
        (("T 2021", {"modified": "2024-01-01"}), ("T 2023", {"modified": "2022-01-01"}), "newer"),
        (("T rev. 2", {}), ("T rev. 3", {}), "newer"),
        (("T 2.9", {}), ("T 2.10", {}), "newer"),
        (("T", {"version": "3"}), ("T v2", {}), "older"),
        (("T v2", {"published": "2023"}), ("T v3", {"published": "2023"}), "newer"),
        (("T v2", {"published": "2024"}), ("T v3", {"published": "2023"}), "older"),
        (("T", {"published": "2024"}), ("T", {}), "other"),
        (("T", {"modified": "2024-01-01"}), ("T", {"modified": "2023-01-01"}), "other"),
        (("T (draft)", {}), ("T", {}), "newer"),
        (("T (provisional)", {}), ("T, draft", {}), "older"),
        (("T (final)", {}), ("T (revised)", {}), "newer"),
        (("T (revised)", {}), ("Correction: T", {}), "newer"),
        (("T (final)", {}), ("T", {}), "other"),
        (("T", {"published": "2023"}), ("Corrigendum to the T", {"published": "2024"}), "newer"),
        (("T", {"published": "2023"}), ("T (draft)", {"published": "2024"}), "newer"),
    ],
    ids=str,
)
def test_which_version_is_the_newer(
    ours: tuple[str, Metadata], theirs: tuple[str, Metadata], expected: str
) -> None:
    known = families([Info("a", *ours, 1), Info("b", *theirs, 1)])
    back = {"newer": "older", "older": "newer", "other": "other"}[expected]
    assert (relation("a", "b", known), relation("b", "a", known)) == (expected, back)


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2021", "a"), ("2022-06", "b"), ("2024-05-31", "b"), ("2024-06-01", "c"), ("2030", "c")],
)
def test_what_a_document_names_as_its_successor_takes_its_place_since_that_holds(
    day: str, expected: str
) -> None:
    documents = [
        Info("a", "Bicycles 2020", {"effective_date": "2020"}, 1),
        Info("b", "Bicycles 2022", {"effective_date": "2022", "superseded_by": "c"}, 1),
        Info("c", "Mobility", {"effective_date": "2024-06-01", "language": "fr"}, 1),
    ]
    rows = [replace(one, first_chunk=at) for at, one in enumerate(documents)]
    chosen = select(parse_where(f"as_of={day}"), rows)
    assert "".join(documents[row].id for row in chosen.rows) == expected


def test_a_successor_that_does_not_say_since_when_it_holds_takes_no_place() -> None:
    old = Info("a", "Bicycles", {"effective_date": "2022", "superseded_by": "b"}, 1, first_chunk=0)
    new = Info("b", "Mobility", {}, 1, first_chunk=1)
    assert list(select(parse_where("as_of=2030"), [old, new]).rows) == [0, 1]


def test_of_the_same_day_the_higher_number_was_in_effect() -> None:
    titles = ["T v1", "T v2", "T"]
    rows = [Info(title, title, {"published": "2023"}, 1, first_chunk=at)
            for at, title in enumerate(titles)]  # fmt: skip
    chosen = select(parse_where("as_of=2024"), rows)
    assert [titles[row] for row in chosen.rows] == ["T v2", "T"]


@pytest.mark.parametrize(
    ("dated", "expected"),
    [
        ({"T": "2022", "Correction: T": "2023"}, ["T", "Correction: T"]),
        ({"T (draft)": "2022", "T": "2023"}, ["T"]),
        ({"T": "2022", "T (draft)": "2023"}, ["T", "T (draft)"]),
        ({"T (draft)": "2022", "T (second draft)": "2023"}, ["T (second draft)"]),
        ({"T": "2022", "T (revised)": "2022"}, ["T (revised)"]),
    ],
    ids=str,
)
def test_a_draft_or_correction_takes_no_place(dated: dict[str, str], expected: list[str]) -> None:
    rows = [Info(title, title, {"published": day}, 1, first_chunk=at)
            for at, (title, day) in enumerate(dated.items())]  # fmt: skip
    chosen = select(parse_where("as_of=2024"), rows)
    assert [rows[row].title for row in chosen.rows] == expected


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


def test_titles_alone_say_which_documents_may_be_versions() -> None:
    titles = {"a": "Gear (2022)", "b": "Gear (2025)", "c": "Bells 2022", "d": "Draft: Gear"}
    assert may_be_versions(titles) == ["a", "b", "d"]


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
