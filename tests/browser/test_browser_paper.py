"""What leaves the page: on paper, and by selection; and the direction in which words run."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pypdfium2 as pdfium
import pytest
from browsing import Server, Visitor, build, open_index
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

ANSWERED = "How many unused days of annual leave can I carry over?"
UNANSWERED = "Which dragons guard the moon palace?"
BADGE = "What is the fee for a lost badge?"
ARABIC = "كم يوما من الإجازة السنوية؟"
DOCUMENTS = {
    "badges.md": "# Badges\n\nThe fee for a lost badge is 120\n\nA badge is worn at work.\n",
    "leave.md": "# إجازة\n\nالإجازة السنوية ثلاثون يوما في السنة.\n\n"
    "- الإجازة المرضية عشرة أيام.\n",
    "turned.md": "---\ntitle: Turned \u202e title\n---\n# Turned\n\nThe turned gate is closed.\n",
}


@pytest.fixture(scope="module")
def words_url(serve: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("words")
    (folder / "corpus").mkdir()
    for name, text in DOCUMENTS.items():
        (folder / "corpus" / name).write_text(text, "utf-8")
    build(folder / "corpus", folder / "index")
    engine = open_index(folder / "index")
    yield serve(engine)
    engine.close()


def printed(page: Page) -> str:
    """The words of all pages, not all in the order in which they are read."""
    document = pdfium.PdfDocument(page.pdf(format="A5", print_background=True))
    try:
        return bare("".join(one.get_textpage().get_text_range() for one in document))
    finally:
        document.close()


def bare(words: str) -> str:
    """Letters and digits alone: on paper some are set apart, and lines end at hyphens."""
    return "".join(letter for letter in words if letter.isalnum())


def style(page: Page, selector: str, name: str) -> str:
    script = "(node, name) => getComputedStyle(node)[name]"
    return str(page.locator(selector).first.evaluate(script, name))


@pytest.mark.parametrize("width", [360, 1280])
def test_the_whole_conversation_is_printed_and_nothing_to_click(
    visit: Visitor, url: str, width: int
) -> None:
    visited = visit(url, width, 500, color_scheme="dark")
    page = visited.page
    asked = [ANSWERED, "And when does it lapse?", UNANSWERED]
    for question in asked:
        visited.ask(question)
    page.locator(".cite").first.click()
    expect(page.locator(".panel-doc mark.active").first).to_be_visible()
    expect(page.locator(".next").last).to_be_attached()
    words = printed(page)
    places = [words.find(bare(question)) for question in asked]
    assert -1 not in places
    assert places == sorted(places)
    for said in (
        "into the next leave year",
        "must be taken by 31 March",
        "effective 1 January 2024",
        "34 documents searched",
        "No answer found in the documents",
    ):
        assert bare(said) in words
    for button in ("Documents", "Copy answer", "Details", "Edit", "Export", "Also in these"):
        assert bare(button) not in words
    assert bare("Compassionate leave") not in words  # of the source that is open
    page.emulate_media(media="print")
    assert style(page, ".rag", "color") == "rgb(29, 28, 26)"
    expect(page.locator(".panel")).to_be_hidden()


def test_the_library_is_printed_as_a_list(visit: Visitor, sample_url: str) -> None:
    page = visit(f"{sample_url}?view=library", 1280, 400).page
    titles = page.locator(".lib-table .title")
    expect(titles.first).to_be_visible()
    words = printed(page)
    for title in titles.all_inner_texts():
        assert bare(title) in words


def test_what_is_selected_is_copied_without_the_numbers_of_citations(
    visit: Visitor, words_url: str
) -> None:
    visited = visit(words_url)
    page = visited.page
    visited.ask(BADGE)
    text = page.locator(".answer-text")
    expect(text.locator(".cite").first).to_be_visible()
    text.evaluate("node => getSelection().selectAllChildren(node)")
    page.keyboard.press("Control+c")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == "The fee for a lost badge is 120"


def test_words_run_in_the_direction_of_their_script(visit: Visitor, words_url: str) -> None:
    visited = visit(words_url)
    page = visited.page
    visited.ask(ARABIC)
    assert style(page, ".question", "direction") == "rtl"
    assert style(page, ".answer-text > :is(p, ul li)", "direction") == "rtl"
    expect(page.locator(".panel-doc mark").first).to_be_visible()
    for part in (".doc-title", ".doc-body p", ".doc-body li"):
        assert style(page, part, "direction") == "rtl", part
    page.locator("#rag-question").fill(ARABIC)
    assert style(page, "#rag-question", "direction") == "rtl"
    page.locator("#rag-question").fill("")
    visited.ask("Which gate is closed?")
    assert style(page, ".turn:last-child .question", "direction") == "ltr"
    assert style(page, ".turn:last-child .answer-text p", "direction") == "ltr"
    expect(page.locator(".where-now strong")).to_have_text(re.compile("^Turned"))
    for part in (".sentence", ".source .title", ".source .where", ".where-now strong"):
        assert style(page, part, "unicodeBidi") == "isolate", part
    assert style(page, ".doc-title", "unicodeBidi") == "isolate"
