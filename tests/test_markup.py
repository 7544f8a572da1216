"""Markdown's signs leave what is shown; everything else, and every other format, is untouched."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.markup import inline, plain_lead, plain_text, visible

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
    "html_tag": ("One<br/>two <b>three</b>.", "One two three."),
    "html_block_tag": ("low</td><td>five days", "low five days"),
    "html_tag_without_end": ("<b>They must ask.", "They must ask."),
    "email_address": ("Write to <hr@agency.example> today.", "Write to hr@agency.example today."),
    "web_address": ("See <https://agency.example/a_b_c>.", "See https://agency.example/a_b_c."),
    "telephone": ("Call <tel:+44-20-1234>.", "Call tel:+44-20-1234."),
    "placeholder": ("Dear <name>, you get <Number of days> days.",) * 2,
    "placeholder_like_an_element": ("Be there at <time>.",) * 2,
    "element_like_a_placeholder": (
        "At <time>9:00</time> and <time datetime='10:00'>ten</time>.",
        "At 9:00 and ten.",
    ),
    "script": ("Write <script>x</script>.",) * 2,
    "entity": ("A &amp; B&nbsp;C &#167; 5 &lt;b&gt; &#x20AC;&nosuch;", "A & B C § 5 <b> €&nosuch;"),
    "resolved_last": ("&lt;name&gt; and &#42;&#42;all&#42;&#42;", "<name> and **all**"),
    "raised": (
        "25<sup>3</sup> m<sup>2</sup> of CO<sub>2</sub><sup>TM 1</sup>",
        "25³ m² of CO₂TM 1",
    ),
    "raised_link": ("See 25<sup>[3](#note)</sup>.", "See 25³."),
    "struck_out": ("Staff get ~~10~~ 13 days.", "Staff get 13 days."),
    "struck_out_elements": ("<s>10</s><del>11</del><strike class='x'>12</strike> 13", "13"),
    "struck_out_as_a_whole": ("~~Staff get **10** days.~~", ""),
    "about_stays": ("It takes ~5 to ~6 days, or ~~7.",) * 2,
    "bold_in_a_word": ("**13**th and 2**3**", "13th and 23"),
    "bold_and_italic": ("***paid*** and ___paid___ **_paid_**", "paid and paid paid"),
    "italic_in_bold": ("**paid *only* *then*** ***all* of it**", "paid only then all of it"),
    "signs_in_code": ("Type `<name> **&amp;**` or ``a`b``.", "Type <name> **&amp;** or a`b."),
    "image_in_a_link": ("[![a chart](c.png)](page) shows it.", "a chart shows it."),
    "attributes": ("Rules {: .note}\n{:toc}", "Rules"),
    "name_of_a_heading": ("Annual leave {#leave}", "Annual leave"),
    "name_alone_stays": ("{#leave}", "{#leave}"),
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
    "product_stays": ("5*4*3 and 5*4* and a__b__c",) * 2,
    "escaped_pipe_at_the_end": (r"| a \|", "| a |"),
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


@pytest.mark.parametrize("marked", [marked for marked, _ in CASES.values()], ids=CASES.keys())
def test_it_is_what_the_pieces_show_but_for_what_is_struck_out(marked: str) -> None:
    pieces = list(inline(marked, 0, len(marked)))
    assert [piece.start for piece in pieces] == [0, *(p.end for p in pieces)][: len(pieces)]
    words = "".join(visible(marked, p) for p in pieces if "strike" not in p.styles).split()
    assert [word for word in words if word not in ">|"] == [
        word for word in plain_text("a.md", marked).split() if word not in ">|"
    ]


def test_a_line_separator_divides_no_rows_of_a_header() -> None:
    assert plain_lead("a.md", "Grade\u2028of **post** | Days\nyes | no", "row") == (
        "Grade of post | Days | yes | no"
    )


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
    signs = (
        "[ ![ <a **a ` {% {: <!-- [a]( ![a]( [a](( *a ~~a _a ***a &a <s> <sup>a <time> \n>".split(
            " "
        )
    )
    for piece in [*signs, "_ ", "[ a", "`a", "<a ", "<a@", "a@<", "((", "\n- "]:
        assert len(plain_text("a.md", piece * 10_000)) <= 10_000 * len(piece)
    assert time.process_time() - started < 10
