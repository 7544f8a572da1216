"""HTML: main text, tables, lists, metadata, and hostile pages."""

from __future__ import annotations

import time

import pytest
from awkward import check_promises, shown, texts

from rag.errors import DocumentError
from rag.loaders import load_bytes
from rag.types import Document

PROSE = "Staff keep the receipts of every journey and hand them in within thirty days."


def load(html: str | bytes, name: str = "policies/travel.html") -> Document:
    document = load_bytes(html.encode() if isinstance(html, str) else html, name)
    check_promises(document)
    return document


def page(main: str, head: str = "") -> str:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">{head}</head><body>'
        '<header role="banner"><p>Agency of Travel</p></header>'
        '<nav><ul><li><a href="/">Home</a></li><li><a href="/news">News</a></li></ul></nav>'
        f"<main>{main}</main><aside><p>Related pages</p></aside>"
        "<footer><p>Copyright 2024</p></footer><script>var x = 1;</script></body></html>"
    )


def test_main_text_only() -> None:
    document = load(page(f"<h1>Travel</h1><p>{PROSE}</p><h2>Rates</h2><p>45 crowns.</p>"))
    assert [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks] == [
        ("heading", 1, "Travel"),
        ("paragraph", 0, PROSE),
        ("heading", 2, "Rates"),
        ("paragraph", 0, "45 crowns."),
    ]


def test_tables_keep_rows_and_headers() -> None:
    document = load(
        page(
            f"<h1>Rates</h1><p>{PROSE}</p><table><caption>By country</caption>"
            "<thead><tr><th>Where</th><th>Rate</th></tr></thead>"
            "<tbody><tr><td>Here</td><td>45</td></tr><tr><td>Abroad</td><td></td></tr></tbody></table>"
        )
    )
    assert [
        (b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "row"
    ] == [
        (1, "Where | Rate"),
        (0, "Here | 45"),
        (0, "Abroad |"),
    ]
    assert "By country" in texts(document, "paragraph")


def rows(table: str) -> list[str]:
    return texts(load(page(f"<h1>Fees</h1><p>{PROSE}</p><table>{table}</table>")), "row")


def test_a_merged_cell_stands_in_every_row_and_column_that_it_covers() -> None:
    assert rows(
        "<tr><th rowspan=2>Pier</th><th colspan=2>Berth</th><th rowspan=2>Power</th></tr>"
        "<tr><th>Day</th><th>Week</th></tr>"
        "<tr><td rowspan=2>East</td><td>£9</td><td>£50</td><td>free</td></tr>"
        "<tr><td colspan=2>£12</td><td rowspan=2>£3</td></tr>"
        "<tr><td>West</td><td>£8</td></tr>"
    ) == [
        "Pier | Berth | Berth | Power",
        "Pier | Day | Week | Power",
        "East | £9 | £50 | free",
        "East | £12 | £12 | £3",
        "West | £8 |  | £3",
    ]


def test_merged_cells_of_a_page_without_a_marked_main_part() -> None:
    table = (
        "<tr><th>Pier</th><th>Boat</th><th>Fee</th></tr><tr><td rowspan=2>East</td>"
        "<td>Canoe</td><td>£9</td></tr><tr><td>Yacht</td><td>£20</td></tr>"
    )
    document = load(f"<body><h1>Fees</h1><p>{PROSE}</p><table>{table}</table></body>")
    assert texts(document, "row")[-2:] == ["East | Canoe | £9", "East | Yacht | £20"]


CORNER = "<td>&nbsp;</td>"
EAST = "<tr><td>East</td><td>£9</td><td>£50</td></tr>"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (f"<tr>{CORNER}<th>2023</th><th>2024</th></tr>{EAST}", [1, 0]),
        (f"<tr>{CORNER}<th>Fee</th></tr><tr><td>East</td><td>£9</td></tr>", [1, 0]),
        (f"<thead><tr><td>Pier</td><td>Day</td><td>Week</td></tr></thead>{EAST}", [1, 0]),
        (
            f"<tr><th>Pier</th><th colspan=2>Berth</th></tr><tr>{CORNER}<th>Day</th><th>Week</th>"
            f"</tr>{EAST}",
            [1, 1, 0],
        ),
        (f"<tr><th colspan=3>Fees</th></tr><tr><th>Pier<th>Day<th>Week</tr>{EAST}", [1, 0]),
        (f"{EAST}<tr><th>West</th><td></td><td></td></tr>", [0, 0]),
        (f"{EAST}<tr><th colspan=3>Summer</th></tr>", [0, 0]),
    ],
    ids=["corner", "two columns", "thead", "two rows", "title", "empty cells", "across"],
)
def test_which_rows_are_headers(table: str, expected: list[int]) -> None:
    document = load(page(f"<h1>Fees</h1><p>{PROSE}</p><table>{table}</table>"))
    assert [block.level for block in document.blocks if block.kind == "row"] == expected


def test_a_title_across_a_table_is_said_once_and_a_covered_row_adds_none() -> None:
    assert rows(
        "<tr><th>Boat</th><th>Fee</th></tr><tr><td colspan=2>Summer</td></tr>"
        "<tr><td rowspan=2>Canoe</td><td rowspan=2>£9</td></tr><tr></tr>"
        "<tr><td>Yacht</td><td>£20</td></tr>"
    ) == ["Boat | Fee", "Summer", "Canoe | £9", "Yacht | £20"]


def test_a_merged_cell_ends_with_its_group_of_rows() -> None:
    assert rows(
        "<tbody><tr><td rowspan=65534>East</td><td>£9</td></tr></tbody>"
        "<tbody><tr><td>West</td><td>£8</td></tr></tbody>"
    ) == ["East | £9", "West | £8"]


def made_of(*rows: str) -> str:
    return "".join(f"<tr><td>{'</td><td>'.join(row.split('|'))}</td></tr>" for row in rows)


@pytest.mark.parametrize(
    ("table", "headers"),
    [
        (made_of("Zone|Residents|Guests", "Centre|45|120"), 1),
        (made_of("Grade|Notice", "G5|8 weeks", "G6|12 weeks"), 1),
        (made_of("Grade|Notice", "G5|8 weeks", "G6|"), 1),
        # Fields and their values, and rows of words.
        (made_of("Name|Ada", "Phone|555"), 0),
        (made_of("Name|Ada", "Phone|555", "Town|Ely"), 0),
        (made_of("Grade 5|8 weeks", "Grade 6|12 weeks", "Grade 7|14 weeks"), 0),
        (made_of("Zone|Colour|Shape", "Centre|red|round"), 0),
        # What is marked counts.
        (made_of("Zone|Residents|Guests", "Centre|45|120") + "<tr><th>All</th><td>1</td></tr>", 0),
    ],
)
def test_a_first_row_above_figures_is_the_header_of_a_table_that_marks_none(
    table: str, headers: int
) -> None:
    document = load(page(f"<h1>Fees</h1><p>{PROSE}</p><table>{table}</table>"))
    assert sum(block.level for block in document.blocks if block.kind == "row") == headers


@pytest.mark.parametrize(
    "table",
    [
        "<tr><td rowspan=65534 colspan=1000>x</td><td>y</td></tr>" + "<tr><td>z</td></tr>" * 9,
        "<tr>" + "<td rowspan=65534 colspan=1000>x" * 10_000 + "<tr><td>z" * 10_000,
        "<tr>" + "<td rowspan=65534 colspan=1000>x" * 20_000 + "<tr></tr>" * 20_000,
        f"<tr><td rowspan=65534 colspan=1000>{'word ' * 100_000}<td>b" + "<tr><td>z" * 10_000,
    ],
    ids=["small", "wide and long", "rows without cells", "a long text"],
)
def test_absurd_spans_take_neither_time_nor_memory(table: str) -> None:
    started = time.perf_counter()
    assert len("".join(rows(table))) < 20_000_000
    assert time.perf_counter() - started < 20


def test_raised_and_lowered_figures_are_no_part_of_a_number() -> None:
    text = load(
        page(
            f"<h1>Fees</h1><p>{PROSE}</p><p>The berth costs £25<sup>3</sup> or £30"
            '<sup><a href="#n12">12</a></sup>, up to 40 m<sup>2</sup> and 10<sup>3</sup> kg, from '
            "the 1<sup>st</sup> of May. No CO<sub>2</sub> bottles."
            "<sub>Fees of 2024</sub></p>"
        )
    ).text
    assert text.endswith(
        "£25³ or £30¹², up to 40 m² and 10³ kg, from the 1st of May. No CO₂ bottles.Fees of 2024"
    )


def test_struck_out_and_invisible_text_is_left_out() -> None:
    text = load(
        page(
            f"<h1>Fees</h1><p>{PROSE}</p><p>The berth costs <del>£20</del> <s>£21</s> "
            '<strike>£22</strike> <b style="Color: red; visibility: hidden">£23</b> '
            "<ins>£24</ins>.</p>"
        )
    ).text
    assert text.endswith("The berth costs £24.")


def test_lists_count_as_they_say() -> None:
    text = load(
        page(
            f"<h1>Duties</h1><p>{PROSE}</p>"
            '<ol type="a" start="26"><li>Moor.</li><li>Pay.</li></ol>'
            '<ol type="I" start="4"><li>Leave.</li><li value="9">Return.</li><li>Rest.</li></ol>'
        )
    ).text
    assert text.endswith("z. Moor.\naa. Pay.\nIV. Leave.\nIX. Return.\nX. Rest.")


def test_lists_nest_and_count() -> None:
    document = load(
        page(
            f"<h1>Steps</h1><p>{PROSE}</p><ol><li>Fill in "
            f"the form:<ul><li>name</li><li>date</li></ul></li>"
            "<li>Send it.</li></ol><dl><dt>Per diem</dt><dd>A daily allowance.</dd></dl>"
        )
    )
    assert [
        (b.level, document.text[b.start : b.end]) for b in document.blocks if b.kind == "item"
    ] == [
        (1, "Fill in the form:"),
        (2, "name"),
        (2, "date"),
        (1, "Send it."),
        (1, "Per diem: A daily allowance."),
    ]
    assert "\n2. Send it." in document.text


def test_later_paragraphs_belong_to_their_entry() -> None:
    document = load(
        page(
            f"<h1>Berths</h1><p>{PROSE}</p><ol><li><p>Name the boat.</p><p>Its length too.</p>"
            "<ul><li>in metres<br><br>or feet</li></ul>Round it up.</li><li>Pay.</li></ol>"
            "<dl><dt>Pier</dt><dd><p>A jetty.</p><p>Ours is long.</p></dd></dl><p>Moor.</p>"
            "<ul><li><h2>East</h2><p>Deep water.</p></li></ul>"
        )
    )
    assert document.text.partition(PROSE)[2].strip() == (
        "1. Name the boat.\n  Its length too.\n  - in metres\n    or feet\n  Round it up.\n"
        "2. Pay.\n- Pier: A jetty.\n  Ours is long.\n\nMoor.\n\nEast\n\nDeep water."
    )
    assert [b.level for b in document.blocks if b.kind == "item"] == [1, 1, 2, 2, 1, 1, 1, 1]
    assert texts(document, "paragraph")[-2:] == ["Moor.", "Deep water."]


@pytest.mark.parametrize("wrapper", ["div", "section", "td", "span"])
def test_text_outside_paragraphs_is_kept(wrapper: str) -> None:
    rules = [f"Rule {n}: journeys of kind {n} need approval." for n in range(8)]
    inside = "".join(f"<{wrapper}>{rule}</{wrapper}><br><br>" for rule in rules)
    text = load(f"<html><body>{inside}</body></html>").text
    assert all(rule in text for rule in rules)


def test_nothing_that_a_page_marks_as_main_is_lost() -> None:
    rules = "".join(f"<div class='comment share'>Rule {n} is short.</div>" for n in range(30))
    text = load(page(f"<h1>Rules</h1>{rules}")).text
    assert all(f"Rule {n} is short." in text for n in range(30))


def test_pictures_and_fields_in_a_line_do_not_divide_it() -> None:
    document = load(page("<h1>Ask</h1><p>Press <img src='a.png'> or <input name='b'> twice.</p>"))
    assert texts(document, "paragraph") == ["Press or twice."]


def test_line_breaks_divide_only_when_doubled() -> None:
    document = load(
        page(f"<h1>Address</h1><p>{PROSE}<br>Harbour Street 1<br><br>Next paragraph.</p>")
    )
    assert texts(document, "paragraph") == [f"{PROSE} Harbour Street 1", "Next paragraph."]


def test_what_is_hidden_stays_hidden() -> None:
    hidden = (
        '<p hidden>one</p><p style="display: none">two</p><p aria-hidden="true">three</p>'
        "<template><p>four</p></template><!-- five --><style>six</style>"
    )
    text = load(page(f"<h1>Rules</h1><p>{PROSE}</p>{hidden}")).text
    assert not [
        word for word in ("one", "two", "three", "four", "five", "six") if word in text.split()
    ]


def test_metadata_from_the_head() -> None:
    head = (
        "<title>Travel | Agency</title>"
        '<meta name="author" content="Travel Office"><meta name="keywords" content="travel, rates">'
        '<meta property="article:published_time" content="2024-03-01T10:00:00Z">'
        '<meta name="effective-date" content="1 April 2024"><meta name="version" content="2.1">'
        '<meta name="viewport" content="width=device-width">'
        '<link rel="canonical" href="https://agency.example/travel">'
    )
    document = load(page(f"<h1>Travel rules</h1><p>{PROSE}</p>", head))
    assert dict(document.metadata) == {
        "author": "Travel Office",
        "tags": ["travel", "rates"],
        "published": "2024-03-01",
        "effective_date": "2024-04-01",
        "version": "2.1",
        "language": "en",
        "source": "https://agency.example/travel",
        "title": "Travel rules",
    }


def test_metadata_under_any_label_but_for_the_locale() -> None:
    head = (
        '<meta property="og:locale" content="en_GB"><meta name="revision" content="3">'
        '<meta name="dcterms.created" content="2 March 2024"><meta name="category" content="pay">'
        '<meta name="in-force-since" content="13.05.2024"><meta name="title" content="Another">'
    )
    assert dict(load(page(f"<h1>Travel rules</h1><p>{PROSE}</p>", head)).metadata) == {
        "version": "3",
        "published": "2024-03-02",
        "tags": ["pay"],
        "effective_date": "2024-05-13",
        "language": "en",
        "title": "Travel rules",
    }


def test_the_title_is_the_only_h1_or_the_title_or_the_file() -> None:
    title = "<title>From the head</title>"
    assert load(page(f"<h1>One</h1><p>{PROSE}</p>", title)).title == "One"
    assert load(page(f"<h1>One</h1><h1>Two</h1><p>{PROSE}</p>", title)).title == "From the head"
    assert load(page(f"<p>{PROSE}</p>")).title == "Travel"


@pytest.mark.parametrize(
    ("encoding", "declaration"),
    [
        ("utf-8", ""),
        ("iso-8859-1", '<meta charset="iso-8859-1">'),
        ("utf-16", ""),
        (
            "windows-1250",
            '<meta http-equiv="Content-Type" content="text/html; charset=windows-1250">',
        ),
    ],
)
def test_encodings(encoding: str, declaration: str) -> None:
    html = (
        f"<html><head>{declaration}</head><body><p>Überstunden "
        f"müssen geprüft werden.</p></body></html>"
    )
    assert load(html.encode(encoding)).text == "Überstunden müssen geprüft werden."


@pytest.mark.parametrize("declared", ["undefined", "nonsense", "rot13"])
def test_an_encoding_that_cannot_be_used_is_guessed(declared: str) -> None:
    html = f'<html><head><meta charset="{declared}"></head><body><p>Die Fähre fährt um fünf.</p>'
    assert load(html.encode("iso-8859-1")).text == "Die Fähre fährt um fünf."


def test_xhtml_with_a_declaration() -> None:
    html = (
        '<?xml version="1.0" encoding="utf-8"?><html><body><p>Well formed – fine.</p></body></html>'
    )
    assert load(html).text == "Well formed – fine."


@pytest.mark.parametrize(
    "html",
    [
        "<p>start</p>" + "<div>" * 100_000 + "deep" + "</div>" * 100_000 + "<p>finish</p>",
        "<p>start</p>" + "<b>" * 100_000 + "deep" + "</b>" * 100_000 + "<p>finish</p>",
        "<p>start</p>" + "<ul><li>" * 20_000 + "deep" + "</li></ul>" * 20_000 + "<p>finish</p>",
        "<p>start</p>" + "<table><tr><td>" * 5_000 + "deep" + "</table>" * 5_000 + "<p>finish</p>",
        "<p>start</p>" + "<blockquote>" * 3_000 + "deep" + "<p>finish</p>",
        "<p>start</p>" + "<div>" * 250 + "deep" + "</div>" * 250 + "<p>finish</p>",
    ],
    ids=["div", "b", "list", "table", "quote unclosed", "within limits"],
)
def test_deep_nesting_loses_nothing_and_takes_no_time(html: str) -> None:
    started = time.perf_counter()
    words = load(html).text.split()
    assert {"start", "deep", "finish"} <= set(words)
    assert time.perf_counter() - started < 10


def test_control_characters_are_dropped() -> None:
    assert load("<p>one\x01two</p><p>three &#1; four</p>").text.split()[:1] == ["onetwo"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"<html></html>", "has no text"),
        (b"<!-- only a comment -->", "has no text"),
        (b"<p hidden>nobody sees this</p>", "has no text"),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "is not text but binary data: check what kind of file it is",
        ),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_bytes(data, "a.html")
    assert str(caught.value) == reason


def test_scripts_in_text_stay_text() -> None:
    document = load(
        page(f"<h1>Code</h1><p>{PROSE} Write &lt;script&gt;alert(1)&lt;/script&gt; like this.</p>")
    )
    assert "<script>alert(1)</script>" in shown(document)[-1][1]
