"""Markdown's signs leave what is shown; everything else, and every other format, is untouched."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.markup import plain_text

CASES = {
    "bold": ("It is **paid** leave.", "It is paid leave."),
    "bold_underscores": ("It is __paid__ leave.", "It is paid leave."),
    "italic": ("It is *paid* leave, _really_.", "It is paid leave, really."),
    "code": ("Type `rag build` now.", "Type rag build now."),
    "link": ("See [the form](https://agency.example/a_(b)) first.", "See the form first."),
    "link_with_attributes": ("See [the form](x){:target='_blank'} first.", "See the form first."),
    "reference_link": ("See [the form][1] first.", "See the form first."),
    "address": ("Ask <mailto:desk@agency.example>.", "Ask mailto:desk@agency.example."),
    "image": ("![a chart](c.png) shows it.", "a chart shows it."),
    "html_tag": ("One<br/>two <b>three</b>.", "One two three ."),
    "html_comment": ("Seen <!-- not\nseen --> again.", "Seen again."),
    "template_tag": ("Seen {% include x %} again.", "Seen again."),
    "heading": ("Rules\n\n## How much", "Rules How much"),
    "quote": ("He said so.\n> And she.", "He said so. And she."),
    "sentence_of_a_quote": ("> And she did.", "And she did."),
    "bullet": ("The desk is safe.\n- The door too.", "The desk is safe. The door too."),
    "nested_bullets": ("a\n    * b\n> - c", "a b c"),
    "table_row": ("| low | five days |", "low | five days"),
    "empty_cells_stay": ("| 2023 | 2024", "| 2023 | 2024"),
    "more_than_stays": ("> 60 days | 50 %", "> 60 days | 50 %"),
    "minus_stays": ("- 5 degrees | heating is on", "- 5 degrees | heating is on"),
    "plus_stays": ("+ 5 degrees is the rule.", "+ 5 degrees is the rule."),
    "comment_in_code_stays": ("# the harbour", "# the harbour"),
    "escape": (r"12\* and \[x\]", "12* and [x]"),
    "line_breaks": ("One\n  two\t three", "One two three"),
    "snake_case_stays": ("Set max_file_mb and chunk_tokens.", "Set max_file_mb and chunk_tokens."),
    "times_stays": ("2 * 3 * 4", "2 * 3 * 4"),
    "less_than_stays": ("if a < b and c > d", "if a < b and c > d"),
    "footnote_mark_stays": ("It is paid.[12]", "It is paid.[12]"),
    "negative_number_stays": ("-5 degrees", "-5 degrees"),
}


@pytest.mark.parametrize(("marked", "plain"), CASES.values(), ids=CASES.keys())
def test_markdown_is_shown_without_its_signs(marked: str, plain: str) -> None:
    assert plain_text("a.md", marked) == plain


@pytest.mark.parametrize("name", ["a.MD", "b/c.markdown"])
def test_markdown_is_known_by_its_suffix(name: str) -> None:
    assert plain_text(name, "**x**") == "x"


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.pdf", "a.docx", "md", "a.md.txt"])
def test_other_formats_keep_their_signs(name: str) -> None:
    assert plain_text(name, "**2** * 3 [12] <b>\n # x") == "**2** * 3 [12] <b> # x"


@given(st.text(alphabet="ab*_`[]()<>!|#\\-{}%. \n", max_size=60))
def test_plain_text_is_one_line_without_space_around(marked: str) -> None:
    plain = plain_text("a.md", marked)
    assert plain == " ".join(plain.split())
    assert len(plain) <= len(marked)


@given(st.lists(st.from_regex(r"[A-Za-z]{1,8}", fullmatch=True), max_size=12).map(" ".join))
def test_text_without_signs_stays_as_it_is(text: str) -> None:
    assert plain_text("a.md", text) == text


def test_a_hostile_line_takes_no_time() -> None:
    """Each opening sign used to look for its end up to the last character: minutes for 100 kB."""
    started = time.process_time()
    for piece in ("[", "![", "<a", "**a ", "`", "{%", "<!--", "[a](", "![a](", "_ ", "*a "):
        assert len(plain_text("a.md", piece * 10_000)) <= 10_000 * len(piece)
    assert time.process_time() - started < 10
