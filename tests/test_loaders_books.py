"""E-books, OpenDocument and RTF: chapters, lists, tables, notes, properties."""

from __future__ import annotations

import time

import pytest
from awkward import (
    check_promises,
    epub_bytes,
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


def load(data: bytes, suffix: str) -> Document:
    document = load_bytes(data, f"books/staff_rules{suffix}")
    check_promises(document)
    return document


# --- EPUB


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
        ),
        ".epub",
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
    assert load(epub_bytes({"a.xhtml": chapter}), ".epub").text == (
        "The berth costs EUR 250³ a year."
    )


def encrypted(name: str) -> dict[str, str]:
    reference = f'<enc:CipherReference URI="{name}"/>'
    return {"META-INF/encryption.xml": f'<encryption xmlns:enc="urn:e">{reference}</encryption>'}


PAGE = {"a.xhtml": "<html><body><p>Text.</p></body></html>"}


def test_encrypted_fonts_do_not_matter() -> None:
    assert load(epub_bytes(PAGE, "", encrypted("OEBPS/f.otf")), ".epub").text == "Text."


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


# --- OpenDocument

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
        ),
        ".odt",
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
        ),
        ".odt",
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
    document = load(odt_bytes(f"<table:table>{inside}</table:table>"), ".odt")
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
        ),
        ".odt",
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
    document = load(odt_bytes(f"<table:table>{inside}</table:table>"), ".odt")
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
        ),
        ".odt",
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
        ),
        ".odt",
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


# --- RTF

RTF = (
    rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\title Staff rules}{\author A. Author}"
    rb"{\creatim\yr2024\mo3\dy1\hr10}}{\b LEAVE RULES}\par Staff get 13 days a year, as f\'fcr all."
    rb"\par 1.\tab Open the form.\par 2.\tab Send it.\par "
    rb"\trowd\cellx1000\cellx2000 City\cell Rate\cell\row "
    rb"\trowd\cellx1000\cellx2000 Selhaven\cell 45\cell\row After \u8364? it.\par}"
)


def test_rich_text() -> None:
    document = load(RTF, ".rtf")
    assert document.title == "Staff rules"
    assert shown(document) == [
        ("heading", "LEAVE RULES"),
        ("paragraph", "Staff get 13 days a year, as für all."),
        ("item", "Open the form."),
        ("item", "Send it."),
        ("row", "City | Rate"),
        ("row", "Selhaven | 45"),
        ("paragraph", "After € it."),
    ]
    expected = {"author": "A. Author", "created": "2024-03-01"}
    assert expected.items() <= dict(document.metadata).items()


def test_changes_hidden_text_and_notes_of_rich_text() -> None:
    document = load(
        rb"{\rtf1\ansi{\fonttbl{\f0\fcharset204 Arial;}}\f0 "
        rb"The berth costs {\deleted\revauthdel1 900 {\footnote\plain Gone.}}"
        rb"{\revised 700}\deleted\revauth1 cents\par\deleted0  euros{\super 3}.{\super\chftn}"
        rb"{\footnote\pard\plain{\super\chftn} Except {\v secretly }in winter.}"
        rb" \v Ask legal.\v0 Pay at \'e4 once.\par The end.\par "
        rb"\trowd\cellx1\cellx2 Pier{\footnote\pard Of stone.}\par East\cell Fee\cell\row "
        rb"\pard Bye.{\footnote Unclosed",
        ".rtf",
    )
    assert shown(document) == [
        ("paragraph", "The berth costs 700 euros³. Pay at д once."),
        ("paragraph", "[1] Except in winter."),
        ("paragraph", "The end."),
        ("paragraph", "Pier"),
        ("row", "East | Fee"),
        ("paragraph", "Bye."),
        ("paragraph", "[2] Of stone."),
        ("paragraph", "[3] Unclosed"),
    ]


@pytest.mark.parametrize(
    "inside",
    [b"{\\footnote x" * 50_000, b"w{\\footnote x}" * 50_000, b"x\\v\\deleted " * 100_000],
    ids=["nested notes", "many notes", "many changes"],
)
def test_hostile_changes_take_no_time(inside: bytes) -> None:
    started = time.perf_counter()
    assert load(b"{\\rtf1 text " + inside + b"}", ".rtf").text.startswith("text")
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"plain text", "is damaged or not an RTF file: save it again as .rtf"),
        (b"\xd0\xcf\x11\xe0 word", "is damaged or not an RTF file: save it again as .rtf"),
        (rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}}", "has no text"),
        (rb"{\rtf1" + b"{" * 100_000, "has no text"),
    ],
    ids=["text", "binary", "empty", "open braces"],
)
def test_a_bad_rtf_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, "a.rtf")
    assert str(caught.value) == reason


def test_entries_of_rich_text_are_as_deep_as_it_says() -> None:
    source = (
        rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\pard Bring:\par "
        rb"{\listtext\pard\plain \'b7\tab}\pard\ls1 a boat;\par "
        rb"{\listtext\pard\plain o\tab}\pard\ls1\ilvl1 with oars\par "
        rb"\pard\plain\ilvl1\ls1{\listtext\pard\plain (b)\tab}or a sail;\par "
        rb"{\listtext\pard\plain \'b7\tab}\pard\ls1 a rope.\par \pard Moor.\par}"
    )
    document = load(source, ".rtf")
    assert document.text == (
        "Bring:\n\n- a boat;\n  - with oars\n  (b) or a sail;\n- a rope.\n\nMoor."
    )
    assert [block.level for block in document.blocks] == [0, 1, 2, 2, 1, 0]


def test_an_empty_corner_of_a_table_in_rich_text() -> None:
    rows = (rb"\trowd\cellx1000\cellx2000\cellx3000 " + cells + rb"\row " for cells in (
        rb"\cell 2023\cell 2024\cell", rb"East\cell 5\cell 7\cell"))  # fmt: skip
    document = load(rb"{\rtf1\ansi " + b"".join(rows) + rb"\pard End.\par}", ".rtf")
    assert [block.level for block in document.blocks] == [1, 0, 0]


def test_blocks_of_one_kind() -> None:
    assert texts(load(RTF, ".rtf"), "heading") == ["LEAVE RULES"]
