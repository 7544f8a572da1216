"""Exports hold every quotation with its reference, and nothing that is markup."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from chat_fake import GENERATION, FakeEngine, markdown
from docx import Document as WordDocument
from markdown_it import MarkdownIt
from test_chat_reading import PAYLOADS, Page, assert_inert
from test_chat_render import answer, citation

from rag.chat import export
from rag.chat.conversations import Conversation, KeptTurn
from rag.chat.service import Service
from rag.errors import UsageError

QUESTION = "When does unused annual leave lapse?"
LEAVE = "# Leave\n\n## Carrying over\n\nUnused **annual** leave lapses in March.\n"


def conversation(text: str = LEAVE, name: str = "Leave", question: str = QUESTION) -> Conversation:
    documents = [
        markdown("leave/a.md", name, text, effective_date="2024-01-01"),
        markdown("leave/b.md", "Notes", "Unused annual leave lapses in 5 weeks at once."),
    ]
    answer = {call.__name__: call for call in Service(FakeEngine(documents)).functions()}["answer"]
    turns = [
        KeptTurn(n, "2026-11-25T08:00:00+00:00", asked, answer({"question": asked}), "", "")
        for n, asked in enumerate((question, "Which dragons guard palaces?"), start=1)
    ]
    return Conversation("secret-id-of-the-link!", "owner", name, {}, turns[0].asked, tuple(turns))


def test_json_has_all_that_is_needed_to_check_a_quotation() -> None:
    data = json.loads(export.as_json(conversation()))
    answered, abstained = data["turns"]
    first = answered["citations"][0]
    assert (
        LEAVE[first["start"] : first["end"]]
        == first["quote"]
        == ("Unused **annual** leave lapses in March.")
    )
    document = markdown("leave/a.md", "Leave", LEAVE)
    assert first["sha256"] == document.sha256
    assert (first["section"], first["date"]) == ("Carrying over", "effective 1 January 2024")
    assert answered["generation"] == GENERATION
    assert answered["built"] == "2026-11-24T21:45:00Z"
    assert answered["documents_searched"] == 2
    assert abstained["abstained"]
    assert abstained["citations"] == []
    assert len(abstained["nearest"]) == 2


EXPECTED = (
    "When does unused annual leave lapse?",
    "“Unused annual leave lapses in March.”",
    "Leave, Carrying over, effective 1 January 2024",
    f"leave/a.md, characters 27-67, sha256 {markdown('a', 'a', LEAVE).sha256}, index {GENERATION}, "
    "built 24 November 2026, 21:45 UTC",
    "Very likely answers the question.",
    "2 documents searched, no filter",
    "The passages that came nearest",
)


def test_markdown_shows_the_same_when_it_is_rendered() -> None:
    html = MarkdownIt().render(export.markdown(conversation()))
    text = " ".join(Page(html).text.split())
    for piece in EXPECTED:
        assert piece in text


def test_word_shows_the_same() -> None:
    file = export.exported(conversation(), "docx")
    document = WordDocument(io.BytesIO(file.content))
    text = " ".join(" ".join(p.text for p in document.paragraphs).split())
    for piece in EXPECTED:
        assert piece in text
    assert document.core_properties.title == "Leave"


PRICES = """# Prices

Prices of meals:

| Meal | Guests |
| --- | --- |
| Soup of meals | 30 |
"""


def prices() -> Conversation:
    """One turn whose answer has text and a table, then the same as an older version kept it."""
    document = markdown("meals.md", "Prices", PRICES, effective_date="2025-01-01")
    rows = [block for block in document.blocks if block.kind != "heading"]
    quotes = [PRICES[block.start : block.end] for block in rows]
    cited = [
        citation(n, quote, document="meals.md", start=block.start, end=block.end)
        for n, (quote, block) in enumerate(zip(quotes, rows, strict=True), start=1)
    ]
    text = "\n".join(f"{one.quote.strip('| ')} [{one.n}]" for one in cited)
    engine = FakeEngine([document])
    engine.ask = lambda *_, **__: answer(text, *cited)  # type: ignore[method-assign]
    reply = {call.__name__: call for call in Service(engine).functions()}["answer"](
        {"question": QUESTION}
    )
    older = {key: value for key, value in reply.items() if key != "parts"}
    turns = [KeptTurn(n, "2026-11-25T08:00:00+00:00", QUESTION, kept, "", "")
             for n, kept in enumerate((reply, older))]  # fmt: skip
    return Conversation("id", "owner", "Meals", {}, turns[0].asked, tuple(turns))


def test_tables_are_tables_with_the_numbers_in_their_last_cells() -> None:
    made = export.markdown(prices())
    table = "| Meal | Guests \\[2\\] |\n| --- | --- |\n| Soup of meals | 30 \\[3\\] |"
    assert f"Prices of meals: \\[1\\]\n\n{table}\n" in made
    assert MarkdownIt("commonmark").enable("table").render(made).count("<table>") == 1
    assert "Soup of meals \\| 30 \\[3\\]" in made.split("## ")[2]
    file = WordDocument(io.BytesIO(export.exported(prices(), "docx").content))
    (shown,) = file.tables
    assert [[cell.text for cell in row.cells] for row in shown.rows] == [
        ["Meal", "Guests [2]"], ["Soup of meals", "30 [3]"],
    ]  # fmt: skip
    assert shown.rows[0].cells[0].paragraphs[0].runs[0].bold


def test_lists_and_older_versions_are_exported_as_they_are_shown() -> None:
    kept = prices().turns[0]
    entries = [("Tools:", "1.", 0), ("a saw", "", 1), ("an axe", "b)", 1)]
    lines = [{"n": 0, "cells": [words], "marker": marker, "depth": depth, "header": False}
             for words, marker, depth in entries]  # fmt: skip
    rows = [{**line, "cells": ["a", "b"]} for line in lines[:1]]
    parts = [
        {"kind": "item", "age": "2022 version", "lines": lines},
        {"kind": "row", "age": "", "lines": rows},
    ]
    turn = replace(kept, reply={**kept.reply, "parts": parts})
    listed = replace(prices(), turns=(turn,))
    assert (
        "*2022 version*\n\n1. Tools:\n    - a saw\n    - b\\) an axe\n\n"
        "|  |  |\n| --- | --- |\n| a | b |\n"
    ) in export.markdown(listed)
    file = WordDocument(io.BytesIO(export.exported(listed, "docx").content))
    styled = {p.text: p.style.name for p in file.paragraphs}
    assert styled["1.\tTools:"] == "List"
    assert styled["a saw"] == "List Bullet 2"


def test_what_differs_is_told_as_on_the_page() -> None:
    documents = [
        markdown(f"{year}.md", f"Leave ({year})", f"# Leave\n\nUnused annual leave {rest}.\n",
                 effective_date=f"{year}-01-01")
        for year, rest in ((2023, "lapses after 3 weeks"), (2025, "lapses after 5 weeks"))
    ]  # fmt: skip
    answer = {call.__name__: call for call in Service(FakeEngine(documents)).functions()}["answer"]
    reply = answer({"question": QUESTION, "filters": {"document": "2023.md"}})
    older = {key: value for key, value in reply.items() if key != "of"}
    gone = ("relation", "other", "sentence")
    older["differs"] = [
        {key: value for key, value in one.items() if key not in gone} for one in reply["differs"]
    ]
    turns = [KeptTurn(n, "2026-11-25T08:00:00+00:00", QUESTION, kept, "", "")
             for n, kept in enumerate((reply, older))]  # fmt: skip
    both = Conversation("id", "owner", "Leave", {}, turns[0].asked, tuple(turns))
    sentence = "The newer version differs from [1]: “3 weeks” there, “5 weeks” here."
    note = (
        "There is a newer version of Leave (2023): Leave (2025), effective 1 January 2025, 2025.md"
    )
    text = " ".join(Page(MarkdownIt().render(export.markdown(both))).text.split())
    for piece in (
        f"{sentence} “Unused annual leave lapses after 5 weeks.”", note,
        "1 of 2 documents searched", "Another source differs from [1]: “Unused",
        "1 document searched",
    ):  # fmt: skip
        assert piece in text
    assert sentence in " ".join(
        p.text for p in WordDocument(io.BytesIO(export.exported(both, "docx").content)).paragraphs
    )
    new, old = (turn["differs"][0] for turn in json.loads(export.as_json(both))["turns"])
    assert (new["relation"], new["ours"], new["sentence"]) == ("newer", "3 weeks", sentence)
    assert (old["relation"], old["ours"], old["sentence"]) == (None, "3 weeks", None)


@pytest.mark.parametrize("kind", ["md", "docx", "json"])
def test_the_file_is_named_after_the_conversation_and_does_not_hold_its_link(kind: str) -> None:
    file = export.exported(conversation(name="Leave / 2026: “all”"), kind)
    assert file.name == f"Leave-2026-all.{kind}"
    assert b"secret-id-of-the-link" not in file.content


def test_a_name_without_letters_still_makes_a_file_name() -> None:
    assert export.exported(conversation(name="???"), "md").name == "conversation.md"


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="md, docx or json"):
        export.exported(conversation(), "exe")


@pytest.mark.parametrize("payload", [*PAYLOADS, "1. x", "# x", "| a | b |", "~~x~~", "http://x.y"])
def test_payloads_are_text_in_markdown(payload: str) -> None:
    text = f"# {payload}\n\nUnused annual leave lapses {payload} in March.\n"
    made = export.markdown(conversation(text, payload, f"Unused annual leave lapses {payload}?"))
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(made)
    page = assert_inert(
        html.replace("<h1>", "<h2>").replace("</h1>", "</h2>").replace("<br />", "")
    )
    assert "".join(payload.split()) in "".join(page.text.split())


def test_word_takes_what_xml_cannot_hold() -> None:
    odd = conversation("Unused annual leave lapses \x00\x0b\ud800 in March.\n", "A\x00B")
    content = export.exported(odd, "docx").content
    text = " ".join(p.text for p in WordDocument(io.BytesIO(content)).paragraphs)
    assert "A\ufffdB" in text
    assert isinstance(export.exported(odd, "md").content, bytes)
    data: Any = json.loads(export.exported(odd, "json").content)
    assert data["name"] == "A\x00B"
