"""Names and dates of documents, and what their first lines state."""

from __future__ import annotations

import pytest

from rag.loaders import load_bytes
from rag.loaders.metadata import (
    LABELS,
    STATED_DATES,
    believable_title,
    iso_date,
    normalise,
    readable_name,
)
from rag.loaders.remarks import remarks
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
        (
            "Version: v3, effective 13.05.2024",
            {"version": "3", "effective_date": "2024-05-13"},
        ),
        ("version:2024-A\nreview date:2026-05", {"version": "2024-A", "review_date": "2026-05"}),
        ("Version 13.05.2024 of the rules", {}),
        (
            "- **Revision** | 4 |\n- _Date: 2024-05-13T10:00Z_",
            {"version": "4", "published": "2024-05-13"},
        ),
        ("Date: 13.05.2024\nDate: 14.05.2024", {"published": "2024-05-13"}),
        ("| date | 20240513 |", {"published": "2024-05-13"}),
        ("Issued: 5.6.2024. Effective from 05/06/2024", {}),
        ("It was issued on 13/05/2024. Effective 2024-05", {}),
        ("The policy has a version: 3. The meeting date: 13.05.2024", {}),
        ("Version | 1 | 2\nDate | 13.05.2024 | 14.05.2024", {}),
        (f"{'A long text. ' * 30}\nVersion: 3\nDate: 13.05.2024", {}),
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


def head(*lines: str) -> dict[str, str | list[str]]:
    """What a Markdown document with these first blocks states of its date."""
    long = "The rules of the port were read out and were adopted by all of those who came to it."
    text = "\n\n".join(["# Berths", *lines, f"{long} The pier opened on 1 June 1999.", long])
    metadata = load_bytes(text.encode(), "berths.md").metadata
    return {name: value for name, value in metadata.items() if name.startswith("published")}


@pytest.mark.parametrize(
    ("line", "evidence"),
    [
        ("14 March 2025 · Updated 16:20", "14 March 2025"),
        ("Ministry of Ports, press release, 14 March 2025", None),
        ("Minutes of the meeting held on 14 March 2025", None),
        ("MINUTES OF THE BOARD MEETING OF FRIDAY 14 MARCH 2025", None),
        ("By Ida Moe\nSelhaven, 14 March 2025", "Selhaven, 14 March 2025"),
        ("**14 March 2025**", "14 March 2025"),
        ("Berth agreement, dated 14 March 2025", None),
        (f"## Agreement on {'a berth and ' * 9}a pier, dated 14 March 2025",
         f"Agreement on {'a berth and ' * 9}a pier, dated 14 March 2025"),
        ("Speech of the Minister of Ports, Ms Ida Moe, to the House of Deputies of the "
         "Harbour Regions, 14 March 2025", None),
        (f"Selhaven, 14 March 2025 -- The port {'has many berths and ' * 6}a pier.",
         "Selhaven, 14 March 2025"),
    ],
)  # fmt: skip
def test_the_date_at_the_head_of_a_document(line: str, evidence: str | None) -> None:
    assert head(line) == {"published": "2025-03-14", "published_evidence": evidence or line}


@pytest.mark.parametrize(
    "line",
    [
        "Send comments by 14 March 2025",
        "Consultation from 14 March 2025 to 30 April 2025",
        "Conference, 13 March 2025 to 14 March 2025",
        "Conference, 13–14 March 2025",
        "In force since 14 March 2025",
        "Reply to the letter of 14 March 2025",
        "Amending the decision of 14 March 2025",
        "Next meeting: 14 March 2025",
        "Deadline, 14 March 2025",
        "Year ended 14 March 2025",
        "The new pier opens on 14 March 2025",
        "The fees rise on 14 March 2025.",
        "Selhaven, March 2025",
        "Minutes of 13 March 2025\n\nSelhaven, 14 March 2025",
        "- Minutes, 14 March 2025",
    ],
)
def test_a_date_at_the_head_that_may_be_about_something_else(line: str) -> None:
    assert head(line) == {}


def test_a_date_with_a_label_goes_before_that_of_the_head() -> None:
    assert head("Selhaven, 14 March 2025", "Published: 15 March 2025") == {
        "published": "2025-03-15",
        "published_evidence": "Published: 15 March 2025",
    }


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


def test_every_label_is_a_field_of_front_matter_and_of_filters() -> None:
    days = {label: "2024-05-13" for field in STATED_DATES for label in LABELS[field]}
    assert {label: normalise({label: day}) for label, day in days.items()} == {
        label: {field: "2024-05-13"} for field in STATED_DATES for label in LABELS[field]
    }


def test_names_are_ours_and_the_first_of_several_wins() -> None:
    assert normalise(
        {"Effective-Date": "1 May 2024", "effective": "2020-01-01", "Authors": ["A", "B"], "n": 3}
    ) == {
        "effective_date": "2024-05-01",
        "author": "A, B",
        "n": "3",
    }


def test_several_values_are_a_list_and_one_is_a_string() -> None:
    assert normalise(
        {
            "audience": ["staff", "interns"],
            "site": ["Selhaven"],
            "language": ["en", None, "de"],
            "created": ["3 May 2024", "2024-05-04"],
            "title": ["Berths", "Moorings"],
            "nested": [["a"], {"b": "c"}],
        }
    ) == {
        "audience": ["staff", "interns"],
        "site": "Selhaven",
        "language": ["en", "de"],
        "created": ["2024-05-03", "2024-05-04"],
    }


def test_the_dates_of_a_file_are_iso_as_well() -> None:
    assert normalise({"created": "May 2, 2024", "modified": "3 May 2024"}) == {
        "created": "2024-05-02",
        "modified": "2024-05-03",
    }


def test_several_dates_of_one_kind_are_named() -> None:
    front = b"---\npublished: [2024-05-03, 2024-05-04]\n---\n\nBerths cost 30 euros.\n"
    metadata = load_bytes(front, "berths.md").metadata
    assert metadata["published"] == ["2024-05-03", "2024-05-04"]
    assert remarks(metadata) == [
        "the front matter has a published that reads as no date or as two "
        "(2024-05-03, 2024-05-04): write 2024-06-01"
    ]


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
