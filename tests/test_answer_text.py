"""How quotations read as a text: numbers, lists, tables, headings, and what is missing."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from candidates import passage
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.select import Quotation
from rag.answering.text import answer_text
from rag.index import open_index
from rag.types import Block, Citation, Document

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop import Workshop

    Make = Callable[..., Workshop]


FOOTNOTES = {
    "one": "Leave is paid.[12]",
    "spaced": "Leave is paid [3] in full [4].",
    "a_run": "Leave is paid.[1][2][3]",
    "nested": "Leave is [[1]2] paid.",
    "nested_deep": "Leave is [[[1]2]3] paid.",
    "link": "Leave is paid.[[5]](#fn5)",
    "escaped": r"Leave is paid.\[6\]",
    "bold": "Leave is paid.[**7**]",
    "other_digits": "Leave is paid.[٣]",
    "year": "Leave is [2024] paid.",
}


def cited(*quotes: str, name: str = "a.txt") -> tuple[list[Quotation], list[Citation]]:
    """Quotations of passages that are a sentence each, and their citations."""
    hits = [passage(("paragraph", quote), document=name) for quote in quotes]
    return (
        [Quotation(hit.chunk, 1, 0, len(hit.chunk.text)) for hit in hits],
        [
            Citation(n, name, "T", None, None, 0, len(quote), quote, "")
            for n, quote in enumerate(quotes, start=1)
        ],
    )


def bare(name: str) -> Document:
    return Document(name, "T", "", ())


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
@pytest.mark.parametrize("quote", FOOTNOTES.values(), ids=FOOTNOTES.keys())
def test_footnote_marks_never_pass_for_citations(quote: str, name: str) -> None:
    text = answer_text(*cited(quote, quote, name=name), bare)
    assert re.findall(r"\[(\d+)\]", text) == ["1", "2"]


@given(st.lists(st.text("[]123 a*\\(", max_size=20), min_size=1, max_size=3))
def test_whatever_is_quoted_the_numbers_are_ours(quotes: list[str]) -> None:
    expected = [str(n) for n, _ in enumerate(quotes, start=1)]
    text = answer_text(*cited(*quotes, name="a.md"), bare)
    assert re.findall(r"\[(\d+)\]", text) == expected


@pytest.mark.parametrize(
    "name",
    [
        "WiFi",
        "Wifi",
        "O'Brien",
        "Email",
        "SmartPhones",
        "PCs",
        "Nunez",
        "Zoë",
        "2021",
        "Wi-Fi",
        "PhD",
    ],
)
def test_a_name_is_known_however_it_is_spelt(workshop: Make, name: str) -> None:
    text = (
        "Dr Núñez and Zoe use Wi-Fi, e-mail, a smart phone and a PC. A Ph.D. is no use to O'Brien."
    )
    made = workshop({"a.md": f"---\neffective_date: 2021-04-01\n---\n\n# Use\n\n{text}\n"})
    made.build()
    with open_index(made.index, made.settings) as opened:
        assert "mentions" not in opened.ask(f"What is the use of the {name}?").text
        for other in ("Zork", "Élan", "O'Neill", "PhonePal"):
            assert f"mentions “{other}”" in opened.ask(f"What is the use of the {other}?").text


def test_a_year_in_brackets_stays() -> None:
    assert answer_text(*cited("Lee v Bay [2019] UKSC 4."), bare) == "Lee v Bay (2019) UKSC 4. [1]"


def test_an_entry_that_nothing_leads_in_to_stands_behind_its_heading(workshop: Make) -> None:
    made = workshop({"a.md": "# IT\n\n## Forbidden devices\n\n- USB sticks\n- phones\n"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("Are USB sticks forbidden?")
    assert answer.text.startswith("Forbidden devices: USB sticks [1]")
    assert answer.citations[0].quote == "USB sticks"


def behind_headings(*quotes: tuple[str, str, str], title: str = "T") -> str:
    """The answer of these: document, heading and sentence of each."""
    quotations, citations, texts = [], [], {}
    for n, (name, heading, quote) in enumerate(quotes, start=1):
        chunk = passage(("paragraph", quote), document=name).chunk
        chunk = replace(chunk, headings=(title, heading), title=title)
        quotations.append(Quotation(chunk, n, 0, len(quote)))
        citations.append(Citation(n, name, title, heading, None, 0, len(quote), quote, ""))
        texts[name] = Document(name, title, quote, ())
    return answer_text(quotations, citations, texts.__getitem__)


@pytest.mark.parametrize(
    "heading",
    [
        "If the lift is broken",
        "During the holidays",
        "Parcels (adults only)",
        "What we don't take",
        "Exclusions",
        "2 Draft: parcels",
        "When you are away",
    ],
)
def test_a_quote_stands_behind_a_heading_that_limits_it(heading: str) -> None:
    text = behind_headings(("a", heading, "The porter takes post."))
    assert text == f"{heading}: The porter takes post. [1]"


@pytest.mark.parametrize(
    "heading",
    [
        "Parcels",
        "Form No. 5",
        "When to call",
        "How to tell if it is post",
        "For post, not for pets",
        "Is post only taken by day?",
    ],
)
def test_a_quote_stands_without_a_heading_that_does_not_limit_it(heading: str) -> None:
    text = behind_headings(("a", heading, "The porter takes post."))
    assert text == "The porter takes post. [1]"


def test_a_heading_that_the_quote_says_itself_is_left_out_and_so_is_the_title() -> None:
    quote = "Post is only for guests."
    assert behind_headings(("a", "Only for guests", quote)) == f"{quote} [1]"
    title = "If it rains"
    assert behind_headings(("a", title, quote), title=title) == f"{quote} [1]"


def test_marks_of_notes_in_a_heading_never_pass_for_citations() -> None:
    assert behind_headings(("a", "Not taken [3]", "Glue.")) == "Not taken: Glue. [1]"


def test_quotes_that_are_much_alike_are_told_apart_by_their_headings() -> None:
    rents = ("a", "Canoes", "The rent is 7 euros."), ("a", "Ferries", "The rent is 90 euros.")
    assert behind_headings(*rents) == (
        "Canoes: The rent is 7 euros. [1] Ferries: The rent is 90 euros. [2]"
    )
    two = rents[0], ("a", "Ferries", "Crews wear red caps.")
    assert behind_headings(*two) == "The rent is 7 euros. [1] Crews wear red caps. [2]"
    elsewhere = rents[0], ("b", "Ferries", "The rent is 90 euros.")
    assert behind_headings(*elsewhere) == "The rent is 7 euros. [1] The rent is 90 euros. [2]"


def test_a_heading_is_said_once_and_what_stands_elsewhere_is_not_left_below_it() -> None:
    night = ("a", "During the night", "Gates are shut."), ("a", "During the night", "Bells ring.")
    text = behind_headings(*night, ("a", "Ferries", "Crews wear red caps."))
    assert text == (
        "During the night: Gates are shut. [1] Bells ring. [2] Ferries: Crews wear red caps. [3]"
    )


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("Glass and glue.", "Taken by the porter: Glass and glue. [1]"),
        ("the key is lost;", "Taken by the porter: the key is lost; [1]"),
        ("Glass is packed twice.", "Glass is packed twice. [1]"),
    ],
)
def test_an_entry_that_is_no_sentence_stands_behind_its_heading(
    workshop: Make, entry: str, text: str
) -> None:
    made = workshop({"a.md": f"# Post\n\n## Taken by the porter\n\n- {entry}\n"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        assert opened.ask(entry.rstrip(".;") + "?").text == text


def test_a_row_is_quoted_with_its_unit_and_the_rows_that_explain_it(workshop: Make) -> None:
    table = "| Crew | Years | Pay |\n| --- | --- | --- |\n| Cooks | one | 20 |\n| | two | 30 |"
    made = workshop({"a.md": f"# Pay\n\nIn thousand pesos.\n\n{table}\n"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("What is the pay of cooks after two years?")
    lines = [line.rpartition(" [")[0] for line in answer.text.splitlines()]
    assert lines == [
        "In thousand pesos.", "Crew | Years | Pay", "Cooks | one | 20", "| two | 30",
    ]  # fmt: skip
    for citation in answer.citations:
        source = (made.corpus / "a.md").read_text()
        assert source[citation.start : citation.end] == citation.quote


def test_a_citation_says_how_old_its_document_is_and_what_took_its_place(workshop: Make) -> None:
    made = workshop(
        {
            "old.md": "---\neffective_date: 1 March 2022\nsuperseded_by: new.md\n---\n\n# Bikes\n\n"
            "Interns may join after three months.\n"
        }
    )
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        (citation,) = opened.ask("When may interns join?").citations
    assert citation.effective_date == "2022-03-01"
    assert citation.superseded_by == "new.md"
    assert citation.published is None


def test_a_table_row_is_a_line_of_its_own(workshop: Make) -> None:
    table = "| Service | Leave |\n| --- | --- |\n| two years | 25 days |\n| ten years | 30 days |"
    made = workshop({"a.md": f"# Leave\n\n{table}\n"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("How much leave is there after ten years of service?")
    assert answer.text.splitlines()[0] == "Service | Leave [1]"
    assert re.fullmatch(r"ten years \| 30 days \[\d\]", answer.text.splitlines()[-1])


def test_entries_that_are_quoted_as_one_are_lines(workshop: Make) -> None:
    text = "# Yard\n\nCars may use:\n\n- the yard\n- the garage\n  with a permit\n\n  It is dry.\n"
    made = workshop({"a.md": text})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("Which places may cars use?")
    assert answer.text.splitlines() == [
        "Cars may use:", "- the yard", "- the garage with a permit", "  It is dry. [1]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "text"),
    [("What is needed?", "What is needed? a form [1]"), ("Needed", "Needed: a form [1]")],
)
def test_a_heading_before_an_entry_has_one_sign_behind_it(
    workshop: Make, heading: str, text: str
) -> None:
    made = workshop({"a.md": f"# Permits\n\n## {heading}\n\n- a form\n"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        assert opened.ask("Is a form needed?").text == text


def test_the_mark_of_a_note_is_no_part_of_it() -> None:
    assert answer_text(*cited("[^1]: Guests pay half."), bare) == "Guests pay half. [1]"


LEASE = """\
Agreement

1. The tenant may not:

(a) sublet the flat;

(b) keep a dog.

2. The landlord must repair the roof, unless:

(i) the tenant broke it, or

(ii) it is new.

3. Paragraph 2 does not apply to garages.
"""


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("May I sublet the flat?", "The tenant may not: [1] sublet the flat; [2]"),
        (
            "When must the landlord repair the roof?",
            "2. The landlord must repair the roof, unless:\n(i) the tenant broke it, or\n"
            "(ii) it is new. [1]\nParagraph 2 does not apply to garages. [2]",
        ),
    ],
)
def test_entries_of_a_contract_lean_on_what_leads_in_to_them(
    workshop: Make, question: str, text: str
) -> None:
    made = workshop({"lease.txt": LEASE})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        assert opened.ask(question).text == text


def test_nested_entries_are_indented(workshop: Make) -> None:
    text = (
        "# Pool\n\nIn the pool guests may not:\n\n- drink, except:\n  - water\n  - tea\n- smoke\n"
    )
    made = workshop({"a.md": text})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("What may guests not do in the pool?")
    assert answer.text.splitlines() == [
        "In the pool guests may not:", "- drink, except:", "  - water", "  - tea", "- smoke [1]",
    ]  # fmt: skip


def test_entries_keep_their_numbers(workshop: Make) -> None:
    made = workshop({"a.md": "# Pool\n\nIn the pool guests may not:\n\n999. drink\n1000. smoke\n"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("What may guests not do in the pool?")
    assert answer.text.splitlines() == [
        "In the pool guests may not:", "999. drink", "1000. smoke [1]",
    ]  # fmt: skip


def test_a_list_that_is_cut_says_how_much_is_left(workshop: Make) -> None:
    tools = "".join(
        f"- tool number {n} of the depot, with its case and its key\n" for n in range(30)
    )
    made = workshop({"a.md": f"# Depot\n\nThese tools may not leave the depot:\n\n{tools}"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("Which tools may not leave the depot?")
    quoted = answer.citations[0].quote.count("tool number")
    assert answer.text.endswith(f" … and {30 - quoted} more entries [1]")


def test_a_part_without_an_answer_is_named_without_its_marks() -> None:
    text = answer_text(*cited("Leave is paid."), bare, ["who signs form [12]?"])
    assert text == "Leave is paid. [1] I found no sentence that answers “who signs form”."


def test_an_answer_from_a_document_with_footnotes(workshop: Make) -> None:
    made = workshop({"a.md": "# Pay\n\nOvertime is paid at double rate.[12] It is rare.[1]\n"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("At what rate is overtime paid?")
        assert answer.citations[0].quote.endswith("rate.[12]")
        assert re.findall(r"\[(\d+)\]", answer.text) == [str(c.n) for c in answer.citations]
        assert "12" not in answer.text


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Are dogs allowed in the pool?", "Are dogs allowed in the pool? No. [1]"),
        ("Dogs in the pool", "No. [1]"),
    ],
)
def test_a_reply_stands_behind_the_heading_that_asks(heading: str, text: str) -> None:
    document = f"{heading}\n\nNo.\n\nThey shed hair."
    start = len(heading) + 2
    source = Document(
        "a.txt",
        "T",
        document,
        (
            Block("heading", 0, len(heading), level=2),
            Block("paragraph", start, start + 3),
            Block("paragraph", start + 5, len(document)),
        ),
    )
    quotations, citations = cited("No.")
    cut = [replace(citations[0], start=start, end=start + 3)]
    assert answer_text(quotations, cut, lambda _: source) == text
    later = [replace(citations[0], start=start + 5, end=len(document), quote="They shed hair.")]
    assert answer_text(quotations, later, lambda _: source) == "They shed hair. [1]"


def test_entries_in_paragraphs_are_lines_and_say_how_many_are_left(workshop: Make) -> None:
    entries = "".join(
        f"<p>({letter}) a description of the barn {letter} with its age, its owner and its last "
        "inspection;</p>"
        for letter in "abcdefghijk"
    )
    law = f"<h1>Barns</h1><p>2. The plan for a barn shall contain:</p>{entries}<p>3. Plans age.</p>"
    made = workshop({"a.html": f"<html><body><main>{law}</main></body></html>"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        lines = opened.ask("What shall the plan for a barn contain?").text.splitlines()
    assert lines[0] == "2. The plan for a barn shall contain:"
    assert [line[:3] for line in lines[1:]] == [f"({letter})" for letter in "abcdefg"]
    assert lines[-1].endswith("inspection; … and 4 more entries [1]")
