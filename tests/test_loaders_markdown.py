"""Markdown: exact spans in the file as it is."""

from __future__ import annotations

import time

import pytest
from awkward import check_promises, shown, texts
from hypothesis import given
from hypothesis import strategies as st
from shared_data import shared

from rag.loaders import load, load_bytes
from rag.types import Document


def read(text: str, name: str = "leave/annual-leave_v2.md") -> Document:
    document = load_bytes(text.encode(), name)
    check_promises(document)
    assert document.text == text
    return document


def levels(document: Document) -> list[tuple[str, int, str]]:
    return [(b.kind, b.level, document.text[b.start : b.end]) for b in document.blocks]


def test_headings_without_their_marks() -> None:
    assert levels(read("# One #\n\n## 2 ## 2\n\nThree\nlines\n===\n\n1. # 1\n")) == [
        ("heading", 1, "One"),
        ("heading", 2, "2 ## 2"),
        ("heading", 1, "Three\nlines"),
        ("heading", 1, "1"),
    ]


def test_hard_wrapped_paragraphs_are_one() -> None:
    assert shown(read("one\n  two  \nthree\n\nfour")) == [
        ("paragraph", "one\n  two  \nthree"),
        ("paragraph", "four"),
    ]


def test_lists_nest_and_later_paragraphs_belong_to_their_entry() -> None:
    text = (
        "Take:\n- a\n  wrapped\n  1. b\n\n     more of b\n\n  more of a\n"
        "* [ ] c\n10) d\n\n    <p>more of d</p><ul><li>e</ul>\n- \n\nAfter.\n"
    )
    assert levels(read(text)) == [
        ("paragraph", 0, "Take:"),
        ("item", 1, "a\n  wrapped"),
        ("item", 2, "b"),
        ("item", 2, "more of b"),
        ("item", 1, "more of a"),
        ("item", 1, "[ ] c"),
        ("item", 1, "d"),
        ("item", 1, "more of d"),
        ("item", 2, "e"),
        ("paragraph", 0, "After."),
    ]


def test_entries_in_raw_html_nest_and_hold_their_paragraphs() -> None:
    text = (
        "<ul><li><p>a</p><p>more of a</p><ol><li>b</li></ol>end of a</li><li>c</ul>\n"
        "<p>After.</p><ul><li><h3>Card</h3><p>text</p></li></ul>\n"
    )
    assert levels(read(text)) == [
        ("item", 1, "a"),
        ("item", 1, "more of a"),
        ("item", 2, "b"),
        ("item", 1, "end of a"),
        ("item", 1, "c"),
        ("paragraph", 0, "After."),
        ("heading", 3, "Card"),
        ("paragraph", 0, "text"),
    ]


def test_tables_are_rows_without_outer_pipes_and_rulers() -> None:
    text = (
        "| Grade | Days |\n|:---|---:|\n| G1 | 13 |\n| a \\| b | |\n"
        "x | y\n| | |\n\n> | q | r |\n> |---|---|\n> | 1 | 2 |"
    )
    assert levels(read(text)) == [
        ("row", 1, "Grade | Days"),
        ("row", 0, "G1 | 13"),
        ("row", 0, "a \\| b |"),
        ("row", 0, "x | y"),
        ("row", 1, "q | r"),
        ("row", 0, "1 | 2"),
    ]


def test_quotes_code_and_rulers() -> None:
    text = (
        "> quoted\n> text\n\n```py\nx = 1\n\n  y = 2\n"
        "```\n\n---\n\n    indented prose\n\n~~~\nunclosed"
    )
    assert shown(read(text)) == [
        ("paragraph", "quoted\n> text"),
        ("code", "x = 1\n\n  y = 2"),
        ("paragraph", "indented prose"),
        ("code", "unclosed"),
    ]


def test_comments_and_template_tags_are_not_text() -> None:
    text = (
        "<!-- a\n\nb -->\nBefore <!-- c --> after.\n\n"
        "<!-- d --> Start.\n\n{% comment %}\n- e\n{% endcomment %}\n\n"
        "- item {% comment %}f{% endcomment %}\n\n{% alert %}\n"
        "Inside.\n{% endalert %}\n\n{% include 'g.html' %}\n\n"
        'Ask in\n{% channel "h" %}\n'
    )
    assert shown(read(text)) == [
        ("paragraph", "Before <!-- c --> after."),
        ("paragraph", "Start."),
        ("item", "item"),
        ("paragraph", "Inside."),
        ("paragraph", 'Ask in\n{% channel "h" %}'),
    ]


def test_raw_html_is_divided_at_its_blocks() -> None:
    text = (
        "<details>\n<summary>More</summary>\n\n- one\n</details>\n\n"
        "<h3>Office</h3>\n<table>\n<tr><th>Name</th><th>Tel</th>"
        "</tr>\n\n<tr>\n  <td><b>Ann</b></td>\n  <td>1</td>\n"
        "</tr></table>\n\n<ul><li>a</li><li>b</li></ul>\n"
        "<script>var x;</script>\n<img src='x.png' alt='picture'>\n"
    )
    assert levels(read(text)) == [
        ("paragraph", 0, "More"),
        ("item", 1, "one"),
        ("heading", 3, "Office"),
        ("row", 1, "Name</th><th>Tel"),
        ("row", 0, "<b>Ann</b></td>\n  <td>1"),
        ("item", 1, "a"),
        ("item", 1, "b"),
    ]


def test_headers_of_tables_in_raw_html() -> None:
    table = (
        "<thead><tr><td>Pier<td>Berth</thead>\n<tr><td>East<td>£9\n"
        "<tr><td></td><th>2023</th></tr>\n<tr><th>West</th><td></td></tr>"
    )
    found = [level for kind, level, _ in levels(read(f"<table>{table}</table>")) if kind == "row"]
    assert found == [1, 0, 1, 0]


def test_an_empty_corner_of_a_table() -> None:
    text = "| | 2023 |\n|---|---|\n| East | £9 |\n"
    assert levels(read(text)) == [("row", 1, "| 2023"), ("row", 0, "East | £9")]


def test_link_definitions_are_not_text() -> None:
    assert shown(read("See [it].\n\n[it]: https://a.example\n")) == [("paragraph", "See [it].")]


def test_what_is_struck_out_as_a_whole_is_not_text() -> None:
    document = read(
        "# Leave\n\n~~Staff get 10 days. They must ask.~~\n\nStaff get ~~10~~ 13 days.\n\n"
        "- ~~Ask.~~\n- Tell.\n- {% x %}\n\n~~Old~~ | ~~8~~\n--|--\n~~1~~ | 2\n\n"
        "<del>Gone.</del>\n\n```\n~~kept~~\n```\n"
    )
    assert shown(document) == [
        ("heading", "Leave"),
        ("paragraph", "Staff get ~~10~~ 13 days."),
        ("item", "Tell."),
        ("item", "{% x %}"),
        ("row", "~~1~~ | 2"),
        ("code", "~~kept~~"),
    ]


def test_a_title_reads_as_all_other_text_does() -> None:
    text = (
        "# Letter to <name> &amp; *others* about max_days, see [form](x_(y)) {#letter}\n\nText.\n"
    )
    assert read(text).title == "Letter to <name> & others about max_days, see form"


def test_front_matter() -> None:
    document = read(
        "---\ntitle: Annual leave\nVersion: 1.10\nDate: March 1, 2024\neffective-date: 2024-04-01\n"
        "Review Date: 3/4/2025\nkeywords: leave, sick\nowner: People\n"
        "empty:\nnested: {a: 1}\nlist: [x, y]\n---\n\n# H\n"
    )
    assert document.title == "Annual leave"
    assert dict(document.metadata) == {
        "title": "Annual leave",
        "version": "1.10",
        "published": "2024-03-01",
        "effective_date": "2024-04-01",
        "review_date": "3/4/2025",
        "tags": ["leave", "sick"],
        "owner": "People",
        "list": ["x", "y"],
        "metadata_problem": "the front matter has a review_date that reads as no date or as two "
        "(3/4/2025): write 2024-06-01",
    }
    assert shown(document) == [("heading", "H")]


@pytest.mark.parametrize(
    "front",
    ["a: [", "- just\n- a list", "x: " + "[" * 5000, "a: &a [x]\nb: *c", "\t: x"],
    ids=["unclosed", "list", "deep", "no anchor", "tab"],
)
def test_broken_front_matter_is_left_out(front: str) -> None:
    document = read(f"---\n{front}\n---\n\nText.\n")
    assert shown(document) == [("paragraph", "Text.")]
    assert set(document.metadata) == {"title", "title_from", "metadata_problem"}


def test_titles() -> None:
    assert read("## Two\n\n# The *main* [title](x.md)\n").title == "The main title"
    assert read("## Two").title == "Annual leave v2"


@pytest.mark.parametrize(
    "text",
    [
        ">" * 50_000 + " a",
        "[" * 100_000,
        "<!--" * 100_000,
        "<tr " * 50_000,
        "<div>" + "<tr>" * 50_000,
        "<div>" + "<script>" * 50_000,
        "{% a " * 50_000,
        "{% comment %} x " * 20_000,
        "{% a %}" * 20_000 + "!",
        "".join(" " * (2 * i) + "- a\n" for i in range(500)),
        "`" * 100_000,
        "| a " * 10_000 + "|\n" + "|---" * 10_000,
        "x\n<!-- y\n" * 20_000,
        "*a **a " * 20_000,
    ],
)
def test_hostile_text_takes_no_time(text: str) -> None:
    started = time.perf_counter()
    load_bytes(text.encode(), "a.md")
    assert time.perf_counter() - started < 10


PIECES = [
    "# ",
    "## ",
    "- ",
    "* ",
    "1. ",
    "> ",
    "    ",
    "\t",
    "| a | b |",
    "|---|---|",
    "```",
    "~~~",
    "---",
    "===",
    "<!--",
    "-->",
    "<div>",
    "</div>",
    "<tr><td>",
    "</td></tr>",
    "{% if %}",
    "{% endif %}",
    "word",
    "text here.",
    " ",
    "  ",
    "\n",
    "\n\n",
    "[a]: b",
    "\\|",
    "**b**",
    "\u00a0",
    "\u2028",
    "\x0c",
    "é",
    "😀",
]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=40).map("".join))
def test_promises_hold_for_any_markdown(text: str) -> None:
    if text.strip():
        read(text, "a.md")


def test_the_handbook_loads_whole_and_fast() -> None:
    folder = shared("eval/handbook18f/corpus")
    paths = sorted(folder.rglob("*.md"))
    started = time.perf_counter()
    documents = [load(path, path.relative_to(folder).as_posix()) for path in paths]
    seconds = time.perf_counter() - started
    assert len(documents) == 244
    for path, document in zip(paths, documents, strict=True):
        check_promises(document)
        raw = path.read_bytes().decode("utf-8-sig")
        assert document.text == raw.replace("\r\n", "\n").replace("\r", "\n")
    assert sum(bool(document.blocks) for document in documents) == 238, "six only redirect"
    assert not [text for document in documents for text in texts(document, "code") if "<td" in text]
    assert seconds < 15, "far above the 1 to 3 seconds it takes, for a busy machine"
