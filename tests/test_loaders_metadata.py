"""Names and dates of documents, and what their first lines state."""

from __future__ import annotations

import pytest

from rag.loaders.metadata import believable_title, iso_date, normalise, readable_name
from rag.loaders.stated import stated


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024-03-01", "2024-03-01"),
        ("2024-03-01T10:00:00Z", "2024-03-01"),
        ("2024/3/1", "2024-03-01"),
        ("20240301", "2024-03-01"),
        ("D:20240301120000+01'00'", "2024-03-01"),
        ("2024-03", "2024-03"),
        ("1 March 2024", "2024-03-01"),
        ("1st of March, 2024", "2024-03-01"),
        ("March 1, 2024", "2024-03-01"),
        ("Sept. 3, 2024", "2024-09-03"),
        ("March 2024", "2024-03"),
        ("31/12/2024", "2024-12-31"),
        ("12/31/2024", "2024-12-31"),
        ("5.5.2024", "2024-05-05"),
        ("3/4/2024", None),
        ("31 February 2024", None),
        ("2024-13-01", None),
        ("soon", None),
        ("1 March 2024 or later", None),
        ("2024", None),
        ("", None),
    ],
)
def test_dates_are_iso_where_they_read_only_one_way(text: str, date: str | None) -> None:
    assert iso_date(text) == date


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Version 2.3. Effective 1 June 2024. Next review 1 June 2026.",
            {"version": "2.3", "effective_date": "2024-06-01", "review_date": "2026-06-01"},
        ),
        (
            "Version 2.0, in force since 1 July 2023",
            {"version": "2.0", "effective_date": "2023-07-01"},
        ),
        (
            "This policy is new. It took effect on 2024-05-01 and replaces version 1.9 of 2020.",
            {"effective_date": "2024-05-01"},
        ),
        ("Issued on March 3, 2024", {"published": "2024-03-03"}),
        (
            "**Version:** 2.1\n__Effective date__: 1 June 2024\n*Next review:* 1 June 2026",
            {"version": "2.1", "effective_date": "2024-06-01", "review_date": "2026-06-01"},
        ),
        (
            "Berths | Rules\n**Version** | 2.1\n| Effective date | 1 June 2024 |",
            {"version": "2.1", "effective_date": "2024-06-01"},
        ),
        ("Crane | Version | 2.1\nBerth fee | Effective from | 1 June 2024", {}),
        ("The conversion 2.0 of 1 May 2024", {}),
        ("x" * 2000 + " Effective 1 June 2024", {}),
    ],
)
def test_what_the_first_lines_state(text: str, found: dict[str, str]) -> None:
    values = {n: v for n, v in stated(text).items() if not n.endswith("_evidence")}
    assert values == found
    for name, words in stated(text).items():
        assert not name.endswith("_evidence") or words in text


@pytest.mark.parametrize(
    "statement",
    [
        "Effective date: 1 March 2024",
        "Owner: Harbour office Effective Date: 1 March 2024",
        "Valid from 1 March 2024 to 31 May 2026",
        "In effect from 1 March 2024.",
        "Comes into force on 1 March 2024",
        "Berths\nVersion 3, in force since 1 March 2024",
        "First published 2 January 2024 and effective from 1 March 2024",
        "This policy replaces the Berth Policy effective 1 May 2019 and is effective from 1 March "
        "2024.",
        "These Rules of Order were issued on 2 January 2024 and come into force on 1 March 2024.",
        "This rule is short. It has been effective since 1 March 2024.",
        "By order of the board, this regulation shall enter into force on 1 March 2024.",
        "THIS MOORING AGREEMENT (the “Agreement”) is made and effective as of March 1, 2024, by",
        "Our words Our Privacy Policy was last read in May. Effective March 1, 2024 (as read)",
    ],
)
def test_what_a_document_states_of_itself(statement: str) -> None:
    assert stated(statement).get("effective_date") == "2024-03-01"


@pytest.mark.parametrize(
    "statement",
    [
        "The Harbours Act entered into force on 1 March 2024.",
        "The Harbours Act is strict. It entered into force on 1 March 2024.",
        'The report "Ships at Night", published on 1 March 2024, counts them.',
        "The board decides that berths cost 30 euros, effective 1 March 2024.",
        "The board decides that berths cost 30 euros,\neffective 1 March 2024.",
        "Effective 1 March 2024, berths cost 30 euros.",
        "Effective 1 March 2024 all berths cost 30 euros.",
        "This supersedes the Berth Policy effective 1 March 2024.",
        "This policy supersedes the rules that were issued on 1 March 2024.",
        "This policy has changed since the Harbours Act came into force on 1 March 2024.",
        "The changes to this policy take effect on 1 March 2024.",
        "A permit is valid from 1 March 2024.",
        "Previous Effective Date: 1 March 2024",
    ],
)
def test_what_is_stated_of_something_else(statement: str) -> None:
    assert stated(statement) == {}


@pytest.mark.parametrize(
    ("document_id", "name"),
    [
        ("leave/annual-leave_v2.md", "Annual leave v2"),
        ("leave/index.md", "Leave"),
        ("a/v1.2/README.txt", "V1.2"),
        ("index.md", "Index"),
        ("---.md", "---.md"),
        ("ÜBER.md", "ÜBER"),
    ],
)
def test_a_readable_name(document_id: str, name: str) -> None:
    assert readable_name(document_id) == name


def test_names_are_ours_and_the_first_of_several_wins() -> None:
    assert normalise(
        {"Effective-Date": "1 May 2024", "effective": "2020-01-01", "Authors": ["A", "B"], "n": 3}
    ) == {
        "effective_date": "2024-05-01",
        "author": "A, B",
        "n": "3",
    }


def test_what_programs_write_is_no_title() -> None:
    junk = [
        "Microsoft Word - x.docx",
        "untitled",
        "Document1",
        "report.pdf",
        "(anonymous)",
        "12",
        " ",
        "x",
    ]
    assert [title for title in junk if believable_title(title)] == []
    assert believable_title(" Rules  on\ntravel ") == "Rules on travel"
