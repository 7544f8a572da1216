"""Answers in the form that their documents have: text, lists and tables."""

from __future__ import annotations

import pytest
from test_chat_render import answer, citation

from rag.chat import payloads
from rag.chat.quoted import cells, groups
from rag.types import Block, BlockKind, Document

Entry = tuple[BlockKind, int, str, str]
KIT: list[Entry] = [
    ("paragraph", 0, "", "The kit holds:"),
    ("item", 1, "1. ", "A lamp [4]."),
    ("item", 1, "2. ", "Tools:"),
    ("item", 2, "   - ", "a saw"),
]


def document(*entries: Entry) -> Document:
    """A document of blocks, each behind its sign, as loaders make it."""
    text, blocks = "", []
    for kind, level, sign, words in entries:
        text += sign
        blocks.append(Block(kind, len(text), len(text) + len(words), level))
        text += f"{words}\n"
    return Document("a.md", "A", text, tuple(blocks))


def shown(text: str, *entries: Entry) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """The groups of an answer that quotes all entries at once."""
    source = document(*entries)
    start, end = source.blocks[0].start, source.blocks[-1].end
    cited = citation(1, source.text[start:end], start=start, end=end)
    found = groups(answer(f"{text} [1]", cited), {"a.md": source})
    return [(g[0].kind, [(q.words, q.marker, q.numbered) for q in g]) for g in found]


def test_a_list_is_shown_as_one_with_its_numbers_and_what_is_left_out() -> None:
    text = "The kit holds: 1. A lamp. 2. Tools: a saw … and 17 more entries"
    assert shown(text, *KIT) == [
        ("paragraph", [("The kit holds:", "", False)]),
        ("item", [("A lamp.", "1.", False), ("Tools:", "2.", False), ("a saw", "", False)]),
        ("more", [("… and 17 more entries", "", True)]),
    ]


def test_a_heading_before_an_entry_leads_in_to_it() -> None:
    found = shown("Forbidden devices: USB sticks", ("item", 1, "- ", "USB sticks"))
    assert found == [
        ("paragraph", [("Forbidden devices:", "", False)]),
        ("item", [("USB sticks", "", True)]),
    ]


def test_the_lines_of_a_table_are_no_words() -> None:
    text = "Prices: | Meal | Cost | | --- | --- | | Soup | 30"
    rows: list[Entry] = [
        ("row", 1, "| ", "Meal | Cost"),
        ("row", 0, "| --- | --- |\n| ", "Soup | 30"),
    ]
    assert shown(text, ("paragraph", 0, "", "Prices:"), *rows) == [
        ("paragraph", [("Prices:", "", False)]),
        ("row", [("Meal | Cost", "", False), ("Soup | 30", "", True)]),
    ]


@pytest.mark.parametrize("text", ["The kit holds: A lamp and more", "Lamp, saw"])
def test_words_that_are_not_found_again_stay_together(text: str) -> None:
    assert shown(text, *KIT) == [("paragraph", [(text, "", True)])]


def test_rows_have_as_many_cells_as_their_table() -> None:
    source = document(
        ("row", 1, "", "Staff | Guests"), ("row", 0, "", "Soup | 15 | 30"), ("row", 0, "", "None")
    )
    cited = [
        citation(n, source.text[b.start : b.end], start=b.start, end=b.end)
        for n, b in enumerate(source.blocks, start=1)
    ]
    text = " ".join(f"{one.quote} [{one.n}]" for one in cited)
    (group,) = groups(answer(text, *cited), {"a.md": source})
    assert [cells(row, 3) for row in group] == [
        ["", "Staff", "Guests"], ["Soup", "15", "30"], ["None", "", ""],
    ]  # fmt: skip


def test_entries_below_others_are_nested() -> None:
    source = document(*KIT)
    cited = citation(1, "", start=source.blocks[1].start, end=source.blocks[-1].end)
    (group,) = groups(answer("A lamp. 2. Tools: a saw [1]", cited), {"a.md": source})
    assert [line["depth"] for line in payloads.part(group, "")["lines"]] == [0, 0, 1]
