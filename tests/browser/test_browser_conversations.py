"""Conversations that are kept, in a real browser: reload, restart, links, list, files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from browsing import CORPUS, Visit, Visitor, open_list, ready
from docx import Document as WordDocument
from playwright.sync_api import Route, expect

from rag.chat import page as chat_page
from rag.chat.desk import Desk
from rag.live import LiveIndex

pytestmark = pytest.mark.browser

ANSWERED = "How many unused days of annual leave can I carry over?"
SENTENCE = "You may carry over up to five unused days into the next leave year."
UNANSWERED = "Which dragons guard the moon palace?"
AWAY = "The server did not answer. Is it still running?"


def test_a_conversation_outlives_a_reload_and_goes_on(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    expect(page).to_have_url(re.compile(r"#c=[\w-]{22}$"))
    page.reload()
    ready(page)
    expect(page.locator(".answer-text")).to_contain_text(SENTENCE)
    page.locator(".cite").first.click()
    expect(page.locator(".panel-doc mark.active")).to_have_text(SENTENCE)
    chat.ask("And when does it lapse?")
    expect(page.locator(".understood").nth(1)).to_contain_text(ANSWERED)
    page.reload()
    ready(page)
    expect(page.locator(".turn")).to_have_count(2)


def test_it_outlives_the_server(visit: Visitor, sample: LiveIndex, tmp_path: Path) -> None:
    first = Desk(tmp_path)
    served = chat_page.build_page(sample, CORPUS, first)
    visited = visit(chat_page.serve(served, "127.0.0.1", 0))
    visited.ask(ANSWERED)
    link = visited.page.url.partition("#")[2]
    served.close(verbose=False)
    first.close()
    second = Desk(tmp_path)
    served = chat_page.build_page(sample, CORPUS, second)
    other = visit(f"{chat_page.serve(served, '127.0.0.1', 0)}#{link}")
    expect(other.page.locator(".answer-text")).to_contain_text(SENTENCE)
    served.close(verbose=False)
    second.close()


def test_a_link_shows_it_to_others_who_go_on_with_a_copy(visit: Visitor, url: str) -> None:
    mine = visit(url)
    mine.ask(ANSWERED)
    mine.page.locator("[data-do=link]").click()
    expect(mine.page.locator("[data-do=link]")).to_contain_text("Copied")
    link = mine.page.evaluate("navigator.clipboard.readText()")
    assert link == mine.page.url
    theirs = visit(link)
    expect(theirs.page.locator(".answer-text")).to_contain_text(SENTENCE)
    expect(theirs.page.locator(".shared")).to_be_visible()
    expect(theirs.page.locator(".thumb")).to_have_count(0)
    open_list(theirs.page)
    expect(theirs.page.locator(".talks")).to_contain_text("Nothing has been asked yet.")
    theirs.page.keyboard.press("Escape")
    theirs.ask("And when does it lapse?")
    expect(theirs.page.locator(".shared")).to_be_hidden()
    assert theirs.page.url != link
    mine.page.reload()
    ready(mine.page)
    expect(mine.page.locator(".turn")).to_have_count(1)


def test_a_shared_conversation_stays_open_until_a_copy_is_kept(visit: Visitor, url: str) -> None:
    mine = visit(url)
    mine.ask(ANSWERED)
    link = mine.page.url
    theirs = visit(link)
    page = theirs.page
    with theirs.offline():
        theirs.ask("And when does it lapse?")
        expect(page.locator(".turn .error")).to_be_visible()
    expect(page.locator(".shared")).to_be_visible()
    page.locator("[data-do=link]").click()
    expect(page.locator("[data-do=link]")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == link
    page.locator(".menu summary").click()
    with page.expect_download():
        page.locator("[data-export=md]").click()
    page.locator("[data-retry]").click()
    expect(page.locator(".shared")).to_be_hidden()
    assert page.url != link
    page.reload()
    ready(page)
    expect(page.locator(".turn")).to_have_count(2)


def test_a_question_whose_answer_was_lost_on_the_way_is_kept_once(chat: Visit) -> None:
    page = chat.page
    chat.was_offline = True

    def lose_answers(route: Route) -> None:
        if '"answer"' not in (route.request.post_data or ""):
            route.continue_()
            return
        route.fetch()
        route.abort("internetdisconnected")

    page.route("**/component_server/**", lose_answers)
    chat.ask(ANSWERED)
    page.unroute("**/component_server/**")
    page.locator("[data-retry]").click()
    expect(page.locator(".answer-text")).to_contain_text(SENTENCE)
    expect(page).to_have_url(re.compile("#c="))
    page.reload()
    ready(page)
    expect(page.locator(".turn")).to_have_count(1)


def test_a_link_to_nothing_says_so(visit: Visitor, url: str) -> None:
    page = visit(f"{url}#c={'x' * 22}").page
    expect(page.locator(".problem")).to_contain_text("There is no such conversation")
    assert "#" not in page.url


def test_what_cannot_be_opened_leaves_open_what_is(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    page.locator("[data-do=fresh]").click()
    chat.ask("How long must a password be?")
    link = page.url
    open_list(page)
    with chat.offline():
        page.locator(".talked:not([aria-current])").first.click()
        expect(page.locator(".notice")).to_have_text(AWAY)
        expect(page.locator(".question")).to_have_text("How long must a password be?")
        assert page.url == link
    page.evaluate(f"location.hash = 'c={'x' * 22}'")
    expect(page.locator(".notice")).to_contain_text("There is no such conversation")
    expect(page.locator(".turn")).to_have_count(1)
    expect(page).to_have_url(link)


def test_a_problem_is_gone_with_a_new_conversation(visit: Visitor, url: str) -> None:
    visited = visit(f"{url}#c={'x' * 22}")
    expect(visited.page.locator(".problem")).not_to_be_empty()
    visited.ask(ANSWERED)
    visited.page.locator("[data-do=fresh]").click()
    expect(visited.page.locator(".empty")).to_be_visible()
    expect(visited.page.locator(".problem")).to_be_empty()


def test_the_address_names_the_conversation_after_going_back(chat: Visit) -> None:
    page = chat.page
    page.locator("[data-view=library]").click()
    page.locator("[data-view=talk]").click()
    chat.ask(ANSWERED)
    expect(page).to_have_url(re.compile("#c="))
    page.go_back()
    expect(page.locator(".library")).to_be_visible()
    page.locator("[data-view=talk]").click()
    expect(page).to_have_url(re.compile(r"/#c=[\w-]{22}$"))
    page.reload()
    ready(page)
    expect(page.locator(".answer-text")).to_contain_text(SENTENCE)


def test_what_the_server_did_not_do_is_said_in_sight(chat: Visit) -> None:
    page = chat.page
    notice = page.locator(".notice")

    def told() -> None:
        expect(notice).to_have_text(AWAY)
        expect(notice).to_be_in_viewport(ratio=1)
        top = "n => { const at = n.getBoundingClientRect(); return n.contains("
        top += "document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2)); }"
        assert notice.evaluate(top)
        notice.evaluate("node => { node.hidden = true; }")

    chat.ask(ANSWERED)
    with chat.offline():
        thumb = page.get_by_role("button", name="Not helpful")
        thumb.click()
        told()
        expect(thumb).to_have_attribute("aria-pressed", "false")
        page.locator(".menu summary").click()
        page.locator("[data-export=md]").click()
        told()
        page.locator("[data-do=name]").click()
        page.keyboard.type("Carry-over")
        page.keyboard.press("Enter")
        told()
        expect(page.locator(".name-box")).to_have_value("Carry-over")
    page.keyboard.press("Enter")
    expect(page.locator(".talk-name")).to_have_text("Carry-over")
    open_list(page)
    row = page.locator(".talks li").first
    row.hover()
    with chat.offline():
        row.locator("[data-delete]").click()
        told()
        expect(row.locator(".title")).to_have_text("Carry-over")


def test_a_notice_goes_away(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    page.clock.install()
    with chat.offline():
        page.get_by_role("button", name="Not helpful").click()
        expect(page.locator(".notice")).to_be_visible()
    page.clock.run_for(11_000)
    expect(page.locator(".notice")).to_be_hidden()


def test_the_list_finds_renames_deletes_and_brings_back(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    page.locator("[data-do=fresh]").click()
    chat.ask("How long must a password be?")
    open_list(page)
    rows = page.locator(".talks li")
    expect(rows).to_have_count(2)
    expect(page.locator(".talked[aria-current]")).to_contain_text("password")
    page.locator("#rag-talks-search").fill("five unused")
    expect(rows).to_have_count(1)
    rows.first.locator("[data-rename]").click()
    expect(page.locator(".name-box")).to_be_focused()
    page.keyboard.type("Carry-over")
    page.keyboard.press("Enter")
    expect(rows.first.locator(".title")).to_have_text("Carry-over")
    expect(rows.first.locator("[data-rename]")).to_be_focused()
    rows.first.locator("[data-delete]").click()
    expect(page.locator("[data-undo]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(rows.first.locator(".talked")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".drawer")).to_be_hidden()
    expect(page.locator(".answer-text")).to_contain_text(SENTENCE)
    expect(page.locator(".talk-name")).to_have_text("Carry-over")
    open_list(page)
    page.locator(".talks li", has_text="Carry-over").locator("[data-delete]").click()
    page.keyboard.press("Escape")
    expect(page.locator(".turn")).to_have_count(0)
    page.reload()
    ready(page)
    open_list(page)
    expect(page.locator(".talks")).not_to_contain_text("Carry-over")


def test_the_open_conversation_is_renamed_where_it_stands(chat: Visit) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    page.locator("[data-do=name]").click()
    page.keyboard.type("<b>Leave</b>")
    page.keyboard.press("Enter")
    expect(page.locator(".talk-name")).to_have_text("<b>Leave</b>")
    page.locator("[data-do=name]").click()
    page.keyboard.type("Not this")
    page.keyboard.press("Escape")
    expect(page.locator(".talk-name")).to_have_text("<b>Leave</b>")
    expect(page.locator("[data-do=name]")).to_be_focused()


@pytest.mark.parametrize("kind", ["docx", "md", "json"])
def test_a_conversation_is_saved_as_a_file(chat: Visit, kind: str, tmp_path: Path) -> None:
    page = chat.page
    chat.ask(ANSWERED)
    page.locator(".menu summary").click()
    with page.expect_download() as download:
        page.locator(f"[data-export={kind}]").click()
    assert download.value.suggested_filename.endswith(f".{kind}")
    file = tmp_path / f"saved.{kind}"
    download.value.save_as(file)
    if kind == "docx":
        text = "\n".join(paragraph.text for paragraph in WordDocument(str(file)).paragraphs)
    else:
        text = file.read_text("utf-8")
    assert SENTENCE in text.replace("\\", "")
    assert "handbook/annual-leave.md" in text.replace("\\", "")
    if kind == "json":
        assert json.loads(text)["turns"][0]["citations"][0]["quote"] == SENTENCE
    expect(page.locator(".menu summary")).to_be_focused()


PAYLOAD = "<img src=x onerror=window.hacked=1>"


def test_names_reasons_and_questions_are_inert(chat: Visit, desk: Desk, url: str) -> None:
    page = chat.page
    chat.ask(f"{ANSWERED} {PAYLOAD}")
    page.locator("[data-do=name]").click()
    page.keyboard.type(PAYLOAD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Not helpful").click()
    page.locator(".reason input").fill(PAYLOAD)
    page.keyboard.press("Enter")
    expect(page.locator(".thanks")).to_be_visible()
    page.reload()
    ready(page)
    expect(page.locator(".talk-name")).to_have_text(PAYLOAD)
    open_list(page)
    expect(page.locator(".talks .title").first).to_have_text(PAYLOAD)
    page.goto(f"{url}#owner={desk.owner.key}")
    expect(page.locator(".reviewed")).to_contain_text(PAYLOAD)
    page.goto(f"{url}#collection=%3Cimg+src%3Dx+onerror%3Dwindow.hacked%3D1%3E")
    expect(page.locator(".filters")).to_contain_text(PAYLOAD)
    assert page.evaluate("window.hacked") is None
    assert page.locator(".rag img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_all_fits(
    visit: Visitor, url: str, desk: Desk, scheme: str, width: int
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    link = f"{url}#as_of=2024-06-01"
    visited = visit(link, width, 740, color_scheme=scheme, reduced_motion="reduce")
    page = visited.page

    def check() -> None:
        found = axe.Axe().run(page).response["violations"]
        assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    visited.ask("How many days a week may I work remotely?")
    page.locator(".thumb").last.click()
    page.locator(".pedigree summary").click()
    check()
    visited.ask(UNANSWERED)
    if width < 900:
        page.keyboard.press("Escape")
    page.locator("[data-do=filters]").click()
    check()
    page.locator("[data-do=filters-done]").click()
    page.locator(".menu summary").click()
    check()
    open_list(page)
    check()
    page.keyboard.press("Escape")
    page.goto(f"{url}#owner={desk.owner.key}")
    expect(page.locator(".reviewed section").first).to_be_visible()
    check()
