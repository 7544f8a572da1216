"""The library by keyboard alone, with hostile names, at every width, and checked by axe-core."""

from __future__ import annotations

import pytest
from browsing import Visitor
from libraries import DOCUMENTS, HOSTILE, LONG, RUNS, SLOW_WORKER, Make, choose, rows
from playwright.sync_api import expect

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

pytestmark = pytest.mark.browser


def test_the_keyboard_is_enough(visit: Visitor, make: Make) -> None:
    library = make()
    page = visit(library.url).page
    page.locator(".views [data-view=talk]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(len(DOCUMENTS))
    focused: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => {
              const node = document.activeElement;
              const style = getComputedStyle(node);
              const shows = style.outlineStyle !== "none" || style.boxShadow !== "none";
              const name = node.dataset.lib || node.dataset.sort || node.dataset.document || node.id
                || node.className || node.dataset.do;
              return shows ? String(name) : `no focus to be seen: ${name}`;
            }"""
        )
        focused.append(name)
        if name == "delete":
            break
    assert not [name for name in focused if name.startswith("no focus")]
    wanted = ["changes", "rebuild", "choose", "rag-lib-search", "lib-collection", "title", "state"]
    assert [name for name in focused if name in wanted] == wanted
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("tr.s-waiting")).to_have_count(1)


def test_names_and_titles_are_inert(visit: Visitor, make: Make) -> None:
    library = make()
    (library.corpus / "rules" / "new\nline.md").write_text("# A", "utf-8")
    page = library(visit)
    expect(page.locator("tr", has_text="new\\nline.md")).to_contain_text("cannot be printed")
    expect(page.locator("tr", has_text=f"<script>{RUNS}</script>")).to_contain_text(HOSTILE)
    expect(page.locator("tr", has_text="leave⟨U+202E⟩fdp.md")).to_have_count(1)
    expect(page.locator("tr", has_text=LONG)).to_have_count(1)
    page.get_by_role("button", name=f"Delete <script>{RUNS}</script>").click()
    expect(page.locator(".lib-doomed")).to_contain_text(HOSTILE)
    page.keyboard.press("Escape")
    choose(page, (HOSTILE.replace("/", ""), b"# A"))
    expect(page.locator(".lib-files li")).to_contain_text("_img src=x onerror=")
    assert page.evaluate("window.hacked") is None
    assert page.locator(".library :is(img, script, iframe, link, style, b)").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [360, 768, 1280, 2560])
def test_it_fits_every_width(visit: Visitor, make: Make, width: int) -> None:
    page = make()(visit, width, 740)

    def fits() -> bool:
        return bool(
            page.evaluate(
                """() => [".library", ".lib-page", ".bar"].every((part) => {
                  const node = document.querySelector(part);
                  return node.scrollWidth <= node.clientWidth;
                }) && document.documentElement.scrollWidth <= innerWidth"""
            )
        )

    assert fits()
    choose(page, ("a.exe", b"x"), ("broken.pdf", b"x"))
    expect(page.locator(".lib-files li")).to_have_count(2)
    assert fits()
    page.locator("button.title").first.click()
    expect(page.locator(".doc-title")).to_be_visible()
    assert fits()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(visit: Visitor, make: Make, scheme: str, width: int) -> None:
    library = make(worker=SLOW_WORKER)
    (library.corpus / "new.md").write_text("# New", "utf-8")
    page = library(visit, width, 740, color_scheme=scheme, reduced_motion="reduce")

    def violations() -> list[str]:
        found = axe.Axe().run(page).response["violations"]
        return [f"{entry['id']}: {entry['nodes'][0]['html'][:200]}" for entry in found]

    assert violations() == []
    page.locator("[data-lib=delete]").first.click()
    assert violations() == []
    page.keyboard.press("Escape")
    choose(page, ("a.exe", b"x"), ("broken.pdf", b"x"))
    expect(page.locator(".lib-files li")).to_have_count(2)
    page.locator("[data-lib=rebuild-now]").click()
    expect(page.locator(".lib-now")).to_contain_text("embedding")
    page.locator("[data-lib=changes]").click()
    assert violations() == []


def test_the_words_of_a_narrow_column_stay_whole(visit: Visitor, make: Make) -> None:
    page = make()(visit, 1280, 740)
    # As much room as pages and dates of publication take where documents have them.
    page.add_style_tag(content=".rag .lib-table .c-size { min-width: 20rem; }")
    lines = page.evaluate(
        """() => [...document.querySelectorAll(".lib-table .c-collection")].map((cell) => {
          const inside = document.createRange();
          inside.selectNodeContents(cell);
          const tops = [...inside.getClientRects()].map((line) => Math.round(line.top / 12));
          return [cell.innerText.trim(), new Set(tops).size];
        })"""
    )
    assert ["Collection", 1] in lines
    assert ["handbook", 1] in lines
    assert all(count <= 1 for _, count in lines)
