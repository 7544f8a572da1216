"""The builder of canonical text for formats that we extract ourselves."""

from __future__ import annotations

import unicodedata

import pytest
from awkward import check_promises, shown
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import DocumentError
from rag.loaders.builder import TextBuilder, clean


def test_the_layout_of_canonical_text() -> None:
    builder = TextBuilder()
    builder.heading("Leave", 1)
    builder.paragraph("Staff  get\n13 days.")
    builder.item("paid")
    builder.item("unpaid:", 1)
    builder.item("short", 2)
    builder.item("Ask.", 1, "2.")
    builder.row(["Grade", "Days"], header=True)
    builder.row(["G1", "13"])
    builder.row(["Kind", "Who"], header=True)
    builder.code("a\n\tb")
    assert builder.build("a.html", "Leave", {}).text == (
        "Leave\n\nStaff get 13 days.\n\n- paid\n- unpaid:\n  - short\n2. Ask.\n\n"
        "Grade | Days\nG1 | 13\n\nKind | Who\n\na\n    b"
    )


def test_pages_begin_at_their_first_character_and_empty_ones_are_empty() -> None:
    builder = TextBuilder()
    for number, text in ((1, "One"), (2, ""), (3, "Three")):
        builder.page(number)
        builder.paragraph(text)
    builder.page(4)
    document = builder.build("a.pdf", "T", {})
    assert [(p.number, document.text[p.start : p.end]) for p in document.pages] == [
        (1, "One\n\n"),
        (2, ""),
        (3, "Three"),
        (4, ""),
    ]


def test_a_block_goes_on_over_a_page_break() -> None:
    builder = TextBuilder()
    builder.page(1)
    builder.paragraph("The depart")
    builder.page(2)
    builder.extend("ment decides", glue="")
    builder.extend("today.")
    document = builder.build("a.pdf", "T", {})
    assert shown(document) == [("paragraph", "The department decides today.")]
    assert document.text[document.pages[1].start :] == "ment decides today."


def test_nothing_to_build() -> None:
    builder = TextBuilder()
    builder.paragraph(" … \0 ")
    with pytest.raises(DocumentError, match=r"^has no text$"):
        builder.build("a.html", "T", {})


def test_clean_removes_what_cannot_be_seen() -> None:
    assert clean("\ufeffco\u00adoper\u200bate\x00 \u00a0 cafe\u0301\ud800\n") == "cooperate café"


anything = st.text(st.characters(codec=None), max_size=40)
part = st.one_of(
    st.tuples(st.just("heading"), anything, st.integers(1, 6)),
    st.tuples(st.just("paragraph"), anything),
    st.tuples(st.just("item"), anything, st.integers(1, 4)),
    st.tuples(st.just("code"), anything),
    st.tuples(st.just("row"), st.lists(anything, max_size=4)),
    st.tuples(st.just("extend"), anything),
    st.tuples(st.just("page")),
)


@given(st.lists(part, max_size=20))
def test_promises_hold_for_any_input(parts: list[tuple]) -> None:
    builder = TextBuilder()
    for number, (kind, *arguments) in enumerate(parts, start=1):
        getattr(builder, kind)(*(arguments or [number]))
    try:
        document = builder.build("a.html", "T", {})
    except DocumentError:
        return
    check_promises(document)
    text = document.text
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c != "\n"]
    assert text == text.strip() or text.startswith(("- ", "  "))
