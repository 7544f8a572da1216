"""How answers look that are more than running text: tables, older versions, the card."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browsing import Server, Visit, Visitor, build, open_index
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser

PRICE = "What is the cost of a full meal for guests?"
BICYCLES = "How many bicycles may staff lease?"
DOCUMENTS = {
    "meals.md": "# Canteen prices\n\n| Meal for guests | Cost |\n| --- | --- |\n"
    "| Meal of soup for guests | 30 |\n| Cost of a full meal for guests | 90 |\n",
    "old/bikes.md": "---\ntitle: Bicycles\neffective_date: 2021-03-01\nsuperseded_by: ../bikes.md\n"
    "---\n# Bicycles\n\nThe number of bicycles that staff may lease is one bicycle.\n",
    "bikes.md": "---\ntitle: Bicycles\neffective_date: 2024-03-01\n---\n# Bicycles\n\n"
    "Staff may lease two bicycles.\n",
}


@pytest.fixture(scope="module")
def rules_url(serve: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("rules")
    for name, text in DOCUMENTS.items():
        path = folder / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    build(folder / "corpus", folder / "index")
    engine = open_index(folder / "index")
    yield serve(engine)
    engine.close()


@pytest.fixture
def rules(visit: Visitor, rules_url: str) -> Visit:
    return visit(rules_url)


def box(node: Locator) -> dict[str, float]:
    found = node.bounding_box()
    assert found
    return {**found, "bottom": found["y"] + found["height"]}


def test_a_table_is_copied_with_its_cells_apart(rules: Visit) -> None:
    rules.ask(PRICE)
    rules.page.locator("[data-do=copy-answer]").click()
    expect(rules.page.locator("[data-do=copy-answer]")).to_contain_text("Copied")
    copied = rules.page.evaluate("navigator.clipboard.readText()")
    table = "Meal for guests\tCost [1]\nCost of a full meal for guests\t90 [2]"
    assert copied.startswith(f"{PRICE}\n\n{table}\n\n[1] “Meal for guests | Cost”")


def test_the_cells_of_a_header_stand_on_one_line(rules: Visit) -> None:
    rules.ask(PRICE)
    rules.page.locator(".cite").first.click()
    for cells in (".answer-text th .sentence", ".panel-doc th mark"):
        bottoms = {
            box(one)["bottom"] for one in rules.page.locator(cells).all() if one.inner_text()
        }
        assert max(bottoms) - min(bottoms) < 1, cells


def test_a_run_of_citations_is_one_source_and_lit_with_each(rules: Visit) -> None:
    rules.ask(PRICE)
    source = rules.page.locator(".source")
    expect(source).to_have_count(1)
    expect(source.locator(".n")).to_have_text("1–2")
    rules.page.locator('.cite[data-n="2"]').click()
    expect(source).to_have_attribute("aria-current", "true")


def test_an_older_version_says_so_and_leads_to_its_successor(rules: Visit) -> None:
    page = rules.page
    rules.ask(BICYCLES)
    older = page.locator(".older")
    expect(older).to_have_text(re.compile("^2021 version.*one bicycle"))
    note = page.locator(".turn .standing")
    expect(note).to_contain_text(
        "Bicycles (old/bikes.md): Superseded by Bicycles (bikes.md), effective 1 March 2024"
    )
    older.locator(".cite").click()
    page.locator(".panel-doc .standing button").click()
    expect(page.locator(".doc-path")).to_have_text("bikes.md")
    note.locator("button").click()
    expect(page.locator(".doc-path")).to_have_text("bikes.md")


@pytest.mark.parametrize("height", [800, 330])
def test_the_card_covers_neither_its_sentence_nor_the_question(
    visit: Visitor, rules_url: str, height: int
) -> None:
    visited = visit(rules_url, 1280, height)
    visited.ask(BICYCLES)
    card = visited.page.locator(".card")
    for cite in visited.page.locator(".answer-text .cite").all():
        cite.hover()
        expect(card).to_be_visible()
        number = cite.get_attribute("data-n")
        own = visited.page.locator(f'.sentence[data-n="{number}"]').first
        for spared in (own, visited.page.locator(".question")):
            apart = (
                box(card)["y"] >= box(spared)["bottom"] or box(card)["bottom"] <= box(spared)["y"]
            )
            assert apart
        visited.page.mouse.move(3, 3)
        expect(card).to_be_hidden()


def test_a_source_makes_room_for_the_library_and_comes_back(rules: Visit) -> None:
    page = rules.page
    rules.ask(BICYCLES)
    page.locator(".older .cite").click()
    expect(page.locator(".panel-doc mark.active")).to_be_visible()
    page.locator(".views [data-view=library]").click()
    expect(page.locator(".library")).to_be_visible()
    expect(page.locator(".panel")).to_be_hidden()
    expect(page.locator(".views [data-view=library]")).to_be_focused()
    page.locator(".views [data-view=talk]").click()
    expect(page.locator(".panel-doc mark.active")).to_contain_text("one bicycle")
