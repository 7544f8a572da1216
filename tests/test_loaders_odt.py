"""OpenDocument texts: lists, tables, notes, properties."""

from __future__ import annotations

import pytest
from awkward import (
    check_promises,
    laughing_xml,
    odt_bytes,
    package_bytes,
    shown,
    texts,
    zip_bomb,
)

from rag.errors import DocumentError
from rag.loaders import load_bytes
from rag.types import Document

ENTITIES = "defines XML entities, which can be a bomb: save it without them"


def load(data: bytes) -> Document:
    document = load_bytes(data, "books/staff_rules.odt")
    check_promises(document)
    return document


NUMBERED = (
    '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" '
    'style:num-format="1" style:num-suffix="."/><text:list-level-style-number text:level="2" '
    'style:num-format="a" style:num-prefix="(" style:num-suffix=")"/></text:list-style>'
)


def test_headings_lists_and_spaces() -> None:
    document = load(
        odt_bytes(
            '<text:h text:outline-level="1">Leave</text:h>'
            "<text:p>Staff get<text:s/>13<text:tab/>days.<text:line-break/>Ask <text:span>early"
            "</text:span>.</text:p>"
            '<text:list text:style-name="L1"><text:list-item><text:p>Open the form.</text:p>'
            "<text:list><text:list-item><text:p>Name the days.</text:p></text:list-item>"
            "</text:list></text:list-item>"
            "<text:list-item><text:p>Send it.</text:p></text:list-item></text:list>"
            "<text:list><text:list-item><text:p>A bullet.</text:p></text:list-item></text:list>",
            NUMBERED,
        )
    )
    assert document.text == (
        "Leave\n\nStaff get 13 days. Ask early.\n\n1. Open the form.\n  (a) Name the days.\n"
        "2. Send it.\n- A bullet."
    )


def test_later_paragraphs_and_notes_belong_to_their_entry() -> None:
    note = (
        "<text:note><text:note-citation>1</text:note-citation><text:note-body>"
        "<text:p>By hand.</text:p></text:note-body></text:note>"
    )
    document = load(
        odt_bytes(
            '<text:list text:style-name="L1"><text:list-header><text:p>Do this:</text:p>'
            f"</text:list-header><text:list-item><text:p>Open the form.{note}</text:p>"
            "<text:p>It has two pages.</text:p><text:list><text:list-item>"
            "<text:p>Name the days.</text:p></text:list-item></text:list></text:list-item>"
            "<text:list-header><text:p>Do not staple them.</text:p></text:list-header>"
            "<text:list-item><text:p>Send it.</text:p></text:list-item></text:list>",
            NUMBERED,
        )
    )
    assert document.text == (
        "Do this:\n\n1. Open the form.\n[1] By hand.\n  It has two pages.\n"
        "  (a) Name the days.\n  Do not staple them.\n2. Send it."
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["Fees", "|Pier|Day", "East|East|£9"], [0, 1, 0]),
        (["|2023|2024", "East|£9|£10"], [1, 0]),
        (["East|2023|2024", "West|£9|£10"], [0, 0]),
    ],
    ids=["title", "empty corner", "no header"],
)
def test_headers_that_an_opendocument_text_does_not_mark(
    rows: list[str], expected: list[int]
) -> None:
    inside = "".join(
        f"<table:table-row>{''.join(map(_cell, row.split('|')))}</table:table-row>" for row in rows
    )
    document = load(odt_bytes(f"<table:table>{inside}</table:table>"))
    assert [block.level for block in document.blocks] == expected


def test_tables_notes_comments_and_tracked_changes() -> None:
    document = load(
        odt_bytes(
            "<text:tracked-changes><text:changed-region><text:deletion><text:p>Forty days.</text:p>"
            "</text:deletion></text:changed-region></text:tracked-changes>"
            "<text:p>Thirteen days.<text:note><text:note-citation>1</text:note-citation>"
            "<text:note-body><text:p>Part-time staff too.</text:p></text:note-body></text:note>"
            "<office:annotation><text:p>Really?</text:p></office:annotation> A year.</text:p>"
            "<table:table><table:table-header-rows><table:table-row><table:table-cell>"
            "<text:p>City</text:p></table:table-cell><table:table-cell><text:p>Rate</text:p>"
            "</table:table-cell></table:table-row></table:table-header-rows><table:table-row>"
            '<table:table-cell table:number-columns-repeated="2"><text:p>45</text:p>'
            "</table:table-cell></table:table-row></table:table>"
            '<text:section text:display="none"><text:p>Hidden.</text:p></text:section>'
            "<text:p><draw:frame><draw:text-box><text:p>In a box.</text:p></draw:text-box>"
            "</draw:frame></text:p>"
        )
    )
    assert shown(document) == [
        ("paragraph", "Thirteen days. A year."),
        ("paragraph", "Part-time staff too."),
        ("row", "City | Rate"),
        ("row", "45 | 45"),
        ("paragraph", "In a box."),
    ]
    assert "\n[1] Part-time staff too." in document.text


def _cell(text: str, spans: str = "") -> str:
    return f"<table:table-cell {spans}><text:p>{text}</text:p></table:table-cell>"


def test_merged_cells_of_an_opendocument_text() -> None:
    covered = "<table:covered-table-cell/>"
    rows = (
        _cell("Pier") + _cell("Berth", 'table:number-columns-spanned="2"') + covered,
        _cell("Summer", 'table:number-columns-spanned="3"')
        + '<table:covered-table-cell table:number-columns-repeated="2"/>',
        _cell("East", 'table:number-rows-spanned="2"') + _cell("£9") + _cell("£50"),
        covered + _cell("£12", 'table:number-columns-spanned="999999"') + covered,
        _cell("West") + _cell("£8") + _cell("£40"),
    )
    inside = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    document = load(odt_bytes(f"<table:table>{inside}</table:table>"))
    assert texts(document, "row") == [
        "Pier | Berth | Berth",
        "Summer",
        "East | £9 | £50",
        "East | £12 | £12",
        "West | £8 | £40",
    ]


def test_raised_figures_of_an_opendocument_text() -> None:
    document = load(
        odt_bytes(
            '<text:p>The berth costs 250<text:span text:style-name="T1">3</text:span> '
            'euros. No CO<text:span text:style-name="T2">2</text:span> bottles.</text:p>',
            '<style:style style:name="T1"><style:text-properties '
            'style:text-position="super 58%"/></style:style><style:style style:name="T2">'
            '<style:text-properties style:text-position="sub 58%"/></style:style>',
        )
    )
    assert document.text == "The berth costs 250³ euros. No CO₂ bottles."


def test_properties_of_an_opendocument_text() -> None:
    document = load(
        odt_bytes(
            '<text:p text:style-name="P1">Rules of leave</text:p><text:p>Text.</text:p>',
            '<style:style style:name="P1" style:parent-style-name="Title"/>',
            "<dc:title>Other</dc:title><meta:initial-creator>A. Author</meta:initial-creator>"
            "<meta:creation-date>2024-03-01T10:00:00</meta:creation-date>"
            "<meta:keyword>leave</meta:keyword><meta:keyword>pay</meta:keyword>",
        )
    )
    assert document.title == "Rules of leave"
    expected = {"author": "A. Author", "created": "2024-03-01", "tags": ["leave", "pay"]}
    assert expected.items() <= dict(document.metadata).items()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            odt_bytes("", **{"META-INF__manifest": "<m><encryption-data/></m>"}),
            "is encrypted: save a copy without a password",
        ),
        (b"no zip", "is damaged or not an OpenDocument text: save it again as .odt"),
        (odt_bytes(""), "has no text"),
        (
            package_bytes({"content.xml": "<a/>"}),
            "is an OpenDocument file but no text: save it as .odt",
        ),
        (package_bytes({"content.xml": laughing_xml()}), ENTITIES),
        (
            package_bytes({"content.xml": "<a><b></a>"}),
            "is damaged or not an OpenDocument text (content.xml) (Opening and ending tag mismatch",
        ),
        (
            zip_bomb(),
            "unpacks to 400 MB, more than the 200 MB allowed: remove its pictures or split it",
        ),
    ],
    ids=["encrypted", "no zip", "empty", "a drawing", "laughs", "not well-formed", "bomb"],
)
def test_a_bad_opendocument_text_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, "a.odt")
    assert str(caught.value).startswith(reason)
