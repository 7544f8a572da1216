"""A document as a page for reading: structure, marks, and nothing that could run."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from chat_fake import markdown
from hypothesis import given
from hypothesis import strategies as st

from rag.catalogue.versions import Version
from rag.chat.reading import Mark, document_html
from rag.types import Block, Document

TAGS = set(
    "article header section p h2 h3 h4 h5 h6 dl dt dd nav details summary ol ul li button div span "
    "i strong em s code pre blockquote table tr th td mark label select option input q b".split()
)
ATTRIBUTES = set(
    "class data-do data-document data-jump data-n data-last data-first data-marker data-near "
    "data-ask type id role tabindex title aria-label aria-hidden aria-describedby value selected "
    "data-filter data-unfilter data-conversation data-rename data-delete data-other "
    "data-widen".split()
)
PAYLOADS = [
    "<script>alert(1)</script>",
    "<style>body{display:none}</style>",
    '<link rel="stylesheet" href="//evil.example/x.css">',
    "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "![x](https://evil.example/pixel.png)",
    "[click](javascript:alert(1))",
    '<img src=x onerror="alert(1)">',
    "<iframe src='//evil.example'></iframe>",
    "<gradio-app src='https://evil.example'></gradio-app>",
    "{{constructor.constructor('alert(1)')()}} ${alert(1)} `${alert(1)}`",
    "</p></article></div><b onclick=alert(1)>x",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]


class Page(HTMLParser):
    """What a browser would make of some HTML: its tags, attributes, text and marked text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.marked: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag == "mark":
            self._open.append(dict(attrs)["data-n"] or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "mark":
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        for n in self._open:
            self.marked[n] = self.marked.get(n, "") + data


def assert_inert(html: str) -> Page:
    page = Page(html)
    assert set(page.tags) <= TAGS
    assert {name for name, _ in page.attributes} <= ATTRIBUTES
    return page


def everything(payload: str) -> Document:
    """A document with a payload in each place that can hold one."""
    text = (
        f"# {payload}\n\n{payload} is a paragraph.\n\n- {payload}\n\n| {payload} | b |\n\n"
        f"> {payload}\n\n```\n{payload}\n```\n"
    )
    return markdown(
        f"folder {payload}/{payload}.md", payload, text, author=payload, version=payload,
        effective_date=payload, status="superseded", superseded_by=payload,
    )  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_are_inert_in_text_title_name_and_metadata(payload: str) -> None:
    document = everything(payload)
    at = document.text.index("is a paragraph")
    page = assert_inert(document_html(document, [Mark(1, at - 5, at + 8)]))
    assert "is a par" in page.marked["1"]


@given(
    st.text(alphabet="ab \n*_`[]()<>!#|\\~&;:/-.'\"=", min_size=1, max_size=120),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 120)), max_size=4),
    st.sampled_from(["a.md", "a.txt"]),
)
def test_any_text_with_any_marks_is_inert(
    text: str, spans: list[tuple[int, int]], name: str
) -> None:
    document = Document(name, "T", text, (Block("paragraph", 0, len(text)),))
    assert_inert(document_html(document, [Mark(n, *span) for n, span in enumerate(spans)]))


@given(st.text(alphabet="abc de.\n", min_size=1, max_size=60), st.data())
def test_a_mark_covers_exactly_its_characters(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    document = Document("a.txt", "T", text, (Block("paragraph", 0, len(text)),))
    page = Page(document_html(document, [Mark(1, start, end)]))
    assert page.marked.get("1", "").strip() == text[start:end].strip()


LEAVE = """# Annual leave

## How much

Staff get **13 days** a year, see [the rules](rules.md). New staff wait.

- First *item*
- Second item

| Years | Days |
| 1 | 13 |
| 5 | 20 |

> Quoted words.
"""


def leave(pages: int = 0) -> Document:
    return markdown("leave/annual.md", "Annual leave", LEAVE, pages, effective_date="2024-03-01")


def mark(words: str, n: int = 1) -> Mark:
    start = LEAVE.index(words)
    return Mark(n, start, start + len(words))


def test_structure_is_shown_without_markup() -> None:
    html = document_html(leave(), [])
    for piece in (
        '<h2 class="doc-title">Annual leave</h2>',
        "<strong>13 days</strong>",
        '<span class="link">the rules</span>',
        "<em>item</em>",
        "<tr><th>Years</th><th>Days</th></tr><tr><td>1</td><td>13</td></tr>",
        "<blockquote><p>Quoted words.</p></blockquote>",
        "Effective 1 March 2024",
    ):
        assert piece in html


def test_a_heading_that_repeats_the_title_is_shown_once_unless_quoted() -> None:
    assert Page(document_html(leave(), [])).text.count("Annual leave") == 1
    quoted = Page(document_html(leave(), [mark("# Annual leave")]))
    assert quoted.marked == {"1": "Annual leave"}


def test_a_mark_across_markup_keeps_its_words() -> None:
    page = Page(document_html(leave(), [mark("**13 days** a year, see [the rules](rules.md).")]))
    assert page.marked == {"1": "13 days a year, see the rules."}


def test_a_mark_across_blocks_is_numbered_once() -> None:
    start, end = LEAVE.index("First"), LEAVE.index("item\n\n") + 4
    html = document_html(leave(), [Mark(3, start, end)])
    assert Page(html).marked == {"3": "First itemSecond item"}
    assert html.count("data-first") == 1


def test_a_marked_row_marks_its_cells() -> None:
    assert Page(document_html(leave(), [mark("| 5 | 20 |")])).marked == {"1": "520"}


def test_two_marks_in_one_paragraph() -> None:
    page = Page(document_html(leave(), [mark("New staff wait.", 2), mark("Staff get", 1)]))
    assert page.marked == {"1": "Staff get", "2": "New staff wait."}


def test_the_outline_says_where_the_quotations_are() -> None:
    text = "".join(f"## Part {n}\n\nWords of part {n}.\n\n" for n in range(4))
    at = text.index("part 2")
    html = document_html(markdown("a.md", "A", text), [Mark(1, at, at + 6)])
    assert '>Part 2<span class="badge">1</span></button>' in html
    assert html.count("data-jump") == 4


def test_pages_are_numbered() -> None:
    html = document_html(leave(pages=2), [])
    assert html.index("Page 1") < html.index("How much") < html.index("Page 2")


def test_a_quotation_outside_all_blocks_is_shown() -> None:
    text = "---\nowner: Personnel\n---\n\nWords."
    document = Document("a.md", "A", text, (Block("paragraph", 26, 32),))
    page = Page(document_html(document, [Mark(1, 4, 20)]))
    assert page.marked == {"1": "owner: Personnel"}
    assert page.text.index("Personnel") < page.text.index("Words.")


def test_a_document_without_blocks_is_cut_into_paragraphs() -> None:
    page = Page(document_html(Document("a.txt", "A", "One.\n\n\nTwo.", ()), [Mark(1, 7, 11)]))
    assert page.marked == {"1": "Two."}


@pytest.mark.parametrize("span", [(-1, 4), (5, 5), (9, 3), (0, 10**9)])
def test_marks_outside_the_document_are_ignored(span: tuple[int, int]) -> None:
    assert "<mark" not in document_html(leave(), [Mark(1, *span)])


def test_the_successor_is_opened_from_the_head() -> None:
    old = markdown("a.md", "Leave", "Text.", superseded_by="b.md")
    family = [Version("b.md", "Leave", "2025", "effective 1 May 2025"),
              Version("a.md", "Leave", "2022", "", "b.md")]  # fmt: skip
    html = document_html(old, [], family)
    assert "Superseded by Leave (b.md), effective 1 May 2025" in Page(html).text
    assert 'data-document="b.md"' in html
    assert "Superseded by b.md" in document_html(old, [])
