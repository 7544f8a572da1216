"""`rag diff`: which documents differ between two generations, and in which sentences."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.cli import main
from rag.comparing.generations import FieldChange, SentenceChange, compare
from rag.comparing.page import to_html, to_text
from rag.errors import UsageError

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]

BEFORE = {
    "leave.md": (
        "# Leave\n\n## How much\n\nStaff get 13 days of leave. Days lapse on 31 March.\n\n"
        "## How to ask\n\nAsk your supervisor. Do it ten days before.\n"
    ),
    "travel.md": "# Travel\n\nTrips are booked by the office.\n",
    "old.md": "# Old\n\nThis rule is old.\n",
    "gifts-2024.md": "# Gifts\n\nGifts of more than 50 euro are returned.\n",
    "layout.md": "# Layout\n\nNothing changes here.\n",
    "same.md": "# Same\n\nThis stays.\n",
}
AFTER = {
    "leave.md": (
        "# Leave\n\n## How much\n\nStaff get 14 days of leave. Days lapse on 31 March.\n\n"
        "## How to ask\n\nAsk your supervisor. Write to the portal & wait.\n"
    ),
    "travel.md": "# Travel\n\nTrips are booked by the office.\n",
    "new.md": "# New <rule>\n\nThis rule is <b>new</b>.\n",
    "gifts.md": "# Gifts\n\nGifts of more than 50 euro are returned.\n",
    "layout.md": "# Layout\n\n\n\nNothing   changes\nhere.\n",
    "same.md": "# Same\n\nThis stays.\n",
}


@pytest.fixture
def made(workshop: Make) -> Workshop:
    """Two generations."""
    made = workshop(BEFORE)
    made.build()
    for name in BEFORE.keys() - AFTER.keys():
        (made.corpus / name).unlink()
    for name, text in AFTER.items():
        made.write(name, text)
    made.build()
    return made


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_documents_are_added_removed_renamed_and_changed(made: Workshop) -> None:
    difference = compare(made.index)
    assert [(d.kind, d.document, d.was) for d in difference.documents] == [
        ("added", "new.md", None),
        ("removed", "old.md", None),
        ("renamed", "gifts.md", "gifts-2024.md"),
        ("changed", "layout.md", None),
        ("changed", "leave.md", None),
    ]
    assert difference.unchanged == 2
    assert [difference.before, difference.after] == made.generations()


def test_changed_sentences_stand_side_by_side(made: Workshop) -> None:
    leave = compare(made.index).documents[-1]
    assert leave.sentences == (
        SentenceChange("How much", "Staff get 13 days of leave.", "Staff get 14 days of leave."),
        SentenceChange("How to ask", "Do it ten days before.", None),
        SentenceChange("How to ask", None, "Write to the portal & wait."),
    )


def test_a_change_of_layout_only_is_said_to_be_one(made: Workshop) -> None:
    layout = compare(made.index).documents[-2]
    assert layout.sentences == ()
    assert "~ layout.md  Layout\n    only layout or markup changed" in to_text(compare(made.index))


Shown = list[tuple[str, str | None, str | None]]


@pytest.mark.parametrize(
    ("name", "before", "after", "shown"),
    [
        (
            "a.md", "## Allowed\n\nBy rail.\n\n## Forbidden\n\nBy air.\n",
            "## Forbidden\n\nBy rail.\n\n## Allowed\n\nBy air.\n",
            [
                ("Forbidden", None, "Forbidden"), ("Forbidden", None, "By rail."),
                ("Allowed", "By rail.", None), ("Forbidden", "Forbidden", None),
                ("Forbidden → Allowed", "By air.", "By air."),
            ],
        ),
        (
            "a.md", "# L\n\n## Who is entitled\n\nPilots.\n",
            "# L\n\n## Who is NOT entitled\n\nPilots.\n",
            [
                ("Who is entitled → Who is NOT entitled", *pair)
                for pair in (("Who is entitled", "Who is NOT entitled"), ("Pilots.", "Pilots."))
            ],
        ),
        (
            "a.html", "<h1>L</h1><h2>One</h2><p>Text.</p><h2>Two</h2>",
            "<h1>L</h1><h2>One</h2><p>Text.</p><h2>Three</h2>",
            [("Two", "Two", None), ("Three", None, "Three")],
        ),
        (
            "a.md", "# L\n\n## 2. Rates\n\nTen euro.\n", "# L\n\n## 3. Rates\n\nTen euro.\n",
            [("2. Rates → 3. Rates", "2. Rates", "3. Rates")],
        ),
    ],
)  # fmt: skip
def test_changed_headings_and_what_stands_under_another_are_shown(
    workshop: Make, name: str, before: str, after: str, shown: Shown
) -> None:
    assert differing(workshop, name, before, after) == shown


def differing(workshop: Make, name: str, before: str, after: str) -> Shown:
    made = workshop({name: before})
    made.build()
    made.write(name, after)
    made.build()
    (changed,) = compare(made.index).documents
    return [(change.section, change.before, change.after) for change in changed.sentences]


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("1. Ask.\n2. Wait.\n", "1. Ask.\n5. Wait.\n", [("", "2. Wait.", "5. Wait.")]),
        ("See [it](a.md).\n", "See [it](b.md).\n", [("", "See [it](a.md).", "See [it](b.md).")]),
        ("---\nversion: 1\n---\nSee [it][x].\n\n[x]: a.md\n",
         "---\nversion: 2\n---\nSee [it][x].\n\n[x]: b.md\n", [("", "[x]: a.md", "[x]: b.md")]),
        ("# L\n\nAsk **now**.\n\n* Wait here.\n", "L\n=\n\nAsk\n_now_.\n- Wait here.\n", []),
    ],
)  # fmt: skip
def test_where_no_sentence_differs_the_lines_do_unless_it_is_layout(
    workshop: Make, before: str, after: str, shown: Shown
) -> None:
    assert differing(workshop, "a.md", before, after) == shown


def test_the_other_way_round_is_the_mirror_image(made: Workshop) -> None:
    first, second = made.generations()
    there, back = compare(made.index, first, second), compare(made.index, second, first)
    assert [d.document for d in there.documents if d.kind == "added"] == [
        d.document for d in back.documents if d.kind == "removed"
    ]
    forth = {(s.before, s.after) for d in there.documents for s in d.sentences}
    assert forth == {(s.after, s.before) for d in back.documents for s in d.sentences}


def test_a_generation_does_not_differ_from_itself(made: Workshop) -> None:
    first, _ = made.generations()
    difference = compare(made.index, first, first)
    assert (difference.documents, difference.unchanged) == ((), 6)
    assert "no document differs; 6 unchanged" in to_text(difference)


def test_the_same_text_under_two_names_is_renamed_once(workshop: Make) -> None:
    made = workshop({"a.md": "# A\n\nText.\n", "b.md": "# A\n\nText.\n"})
    made.build()
    for name in ("a.md", "b.md"):
        (made.corpus / name).unlink()
    for name in ("c.md", "d.md", "e.md"):
        made.write(name, "# A\n\nText.\n")
    report = made.build()
    assert [(r.was, r.document) for r in report.renamed] == [("a.md", "c.md"), ("b.md", "d.md")]
    assert [(d.kind, d.document, d.was) for d in compare(made.index).documents] == [
        ("added", "e.md", None),
        ("renamed", "c.md", "a.md"),
        ("renamed", "d.md", "b.md"),
    ]


def test_changed_metadata_are_named(workshop: Make) -> None:
    def text(day: str, tags: str = "leave") -> str:
        return f"---\neffective_date: {day}\ntags: [{tags}]\n---\n# Leave\n\nText.\n"

    made = workshop({"a.md": text("2024-01-01"), "b.md": "# B\n\nText.\n", "c.txt": "Just text."})
    made.build()
    made.write("a.md", text("2026-01-01", "leave, sick"))
    made.write("b.md.meta.yaml", "collection: Handbook\n")
    (made.corpus / "c.txt").rename(made.corpus / "d.txt")
    made.build()
    difference = compare(made.index)
    assert [(d.kind, d.document, d.sentences, d.fields) for d in difference.documents] == [
        ("renamed", "d.txt", (), ()),
        ("changed", "a.md", (), (
            FieldChange("effective_date", "2024-01-01", "2026-01-01"),
            FieldChange("tags", "leave", "leave, sick"),
        )),
        ("changed", "b.md", (), (FieldChange("collection", None, "Handbook"),)),
    ]  # fmt: skip
    assert difference.unchanged == 0
    shown = to_text(difference)
    assert re.search(r"- Effective date: 2024-01-01 +\| \+ Effective date: 2026-01-01\n", shown)
    assert re.search(r"\n +\| \+ Collection: Handbook$", shown)
    assert "only layout" not in shown
    page = to_html(difference)
    assert "<td>Effective date: <del>2024-01-01</del></td>" in page
    assert "<td></td><td><ins>Collection: Handbook</ins></td>" in page


def test_a_document_of_front_matter_alone_is_compared(workshop: Make) -> None:
    made = workshop({"a.md": "---\ntitle: A\n---\n", "b.md": "# B\n\nText.\n"})
    made.build()
    made.write("a.md", "---\ntitle: A\nversion: 3\n---\n")
    made.build()
    [changed] = compare(made.index).documents
    assert (changed.sentences, changed.fields) == ((), (FieldChange("version", None, "3"),))


def test_text_is_two_columns(made: Workshop) -> None:
    text = to_text(compare(made.index), width=100)
    assert max(map(len, text.splitlines())) <= 100
    assert "1 added, 1 removed, 1 renamed, 2 changed; 2 unchanged" in text
    assert "> gifts.md  Gifts  (was gifts-2024.md)" in text
    assert re.search(
        r"\n    How much\n    - Staff get 13 days of leave\. +\| \+ Staff get 14 days of leave\.\n",
        text,
    )
    assert re.search(r"\n    - Do it ten days before\. +\|\n", text)
    assert re.search(r"\n +\| \+ Write to the portal & wait\.$", text)


class Tags(HTMLParser):
    """Every tag with its attributes, and whether each one is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_and_runs_nothing(made: Workshop) -> None:
    made.write("evil.md", "# <script>alert(1)</script>\n\nA <img src=x onerror=alert(1)> & B.\n")
    made.write("<i>&\"'.md", "# Named\n\nOddly.\n")
    made.build()
    made.write("evil.md", "# <script>alert(1)</script>\n\nA <img src=y onerror=alert(2)> & C.\n")
    made.build()
    for page in (to_html(compare(made.index)), to_html(compare(made.index, made.generations()[0]))):
        tags = Tags(page)
        assert tags.open == []
        assert not {"script", "img", "link", "iframe", "a", "i", "b"} & {t for t, _ in tags.tags}
        for _, attributes in tags.tags:
            assert not {"src", "href", "style"} & attributes.keys()
            assert not [name for name in attributes if name.startswith("on")]
        assert "default-src 'none'" in page
        assert "@media print" in page
        assert "http" not in page.replace("http-equiv", "")


def test_changed_words_are_marked(made: Workshop) -> None:
    page = to_html(compare(made.index))
    assert "<td>Staff get <del>13</del> days of leave.</td>" in page
    assert "<td>Staff get <ins>14</ins> days of leave.</td>" in page
    assert "<td></td><td><ins>Write to the portal &amp; wait.</ins></td>" in page
    assert "<h2>Renamed, with the same text</h2>" in page


def test_the_page_is_written_through_links_and_into_pipes(
    made: Workshop, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target, link, pipe = (tmp_path / name for name in ("target.html", "link.html", "pipe"))
    target.write_text("old")
    link.symlink_to(target)
    assert run(capsys, "diff", "--html", link, "--index", made.index)[0] == 0
    assert link.is_symlink()
    assert target.read_text("utf-8") == to_html(compare(made.index))
    os.mkfifo(pipe)
    # Opened for both, it needs no second thread: the page fits into the pipe.
    reading = os.open(pipe, os.O_RDWR)
    assert run(capsys, "diff", "--html", pipe, "--index", made.index)[0] == 0
    assert os.read(reading, 2**16).decode() == to_html(compare(made.index))
    os.close(reading)
    assert pipe.is_fifo()


def test_characters_that_steer_are_shown_as_signs(
    workshop: Make, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = workshop({"a.md": "# A\n\nOld text.\n"})
    made.build()
    made.write("a.md", "# A\n\nNew \x1b[31mtext \u202efdp.\n")
    made.build()
    page = tmp_path / "changes.html"
    run(capsys, "diff", "--html", page, "--index", made.index)
    for shown in (page.read_text("utf-8"), run(capsys, "diff", "--index", made.index)[1]):
        assert "\x1b" not in shown
        assert "[U+001B][31mtext" in shown
        assert "[U+202E]fdp." in shown


def test_the_command_prints_text_json_and_a_page(
    made: Workshop, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first, second = made.generations()
    code, out, errors = run(capsys, "diff", "--index", made.index)
    assert (code, errors) == (0, "")
    assert out.startswith(f"before  {first}")
    code, out, _ = run(capsys, "diff", first[:7], second[:7], "--json", "--index", made.index)
    assert json.loads(out) == json.loads(json.dumps(compare(made.index).to_dict()))
    page = tmp_path / "changes.html"
    code, out, _ = run(capsys, "diff", "--html", page, "--index", made.index)
    assert out == f"{page}: 1 added, 1 removed, 1 renamed, 2 changed; 2 unchanged\n"
    assert page.read_text("utf-8") == to_html(compare(made.index))


def test_wrong_use_is_one_line(
    made: Workshop, capsys: pytest.CaptureFixture[str], workshop: Make
) -> None:
    code, _, errors = run(capsys, "diff", "g9", "--index", made.index)
    assert code == 2
    assert errors == (
        f"rag: there is no generation g9 in {made.index}; there are: "
        f"{', '.join(made.generations())}\n"
    )
    code, _, errors = run(capsys, "diff", "--html", "/no/such/x.html", "--index", made.index)
    assert (code, errors) == (
        1, "rag: /no/such/x.html cannot be written: No such file or directory\n",
    )  # fmt: skip
    single = workshop({"a.md": "# A\n\nText.\n"}, "single")
    single.build()
    with pytest.raises(UsageError, match="this is the first build: there is nothing to compare"):
        compare(single.index)
    single.write("a.md", "# A\n\nOther text.\n")
    single.build(keep_generations=1)
    with pytest.raises(UsageError, match="there is no generation before g000002"):
        compare(single.index)


def test_long_documents_are_compared_quickly(workshop: Make) -> None:
    lines = [f"Rule number {n} holds for {n % 17} days in office {n % 5}." for n in range(400)]
    made = workshop({"long.txt": "\n\n".join(lines)})
    made.build()
    lines[200] = "Rule number 200 holds for 99 days in office 0."
    del lines[100]
    made.write("long.txt", "\n\n".join(lines))
    made.build()
    (long,) = compare(made.index).documents
    assert [(s.before, s.after) for s in long.sentences] == [
        ("Rule number 100 holds for 15 days in office 0.", None),
        ("Rule number 200 holds for 13 days in office 0.", lines[199]),
    ]
