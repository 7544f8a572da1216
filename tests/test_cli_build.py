"""`rag build`, and the build that `rag chat` starts with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from commands import Ran, Run

from rag.cli.build import describe
from rag.settings import Settings
from rag.store.lock import writer_lock
from rag.types import BuildReport, Problem

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]


def test_build_reports_what_it_did(run: Run, workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n", "empty.md": " ", "a.zzz": "1"})
    ran = run("build", made.corpus, "--index", made.index, "--threads", "1")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("1 document, 1 chunk (1 embedded, 0 reused) in ")
    assert lines[1] == "added 1, changed 0, removed 0, unchanged 0"
    assert lines[2] == "  + leave.md"
    assert "failed: empty.md: is empty" in lines
    assert lines[-1].startswith("generation g000001-")


def test_build_prints_the_report_of_the_contract(run: Run, workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n", "empty.md": " ", "x.zzz": "1"})
    ran = run("build", made.corpus, "--index", made.index, "--json", "--threads", "1")
    assert (ran.code, ran.err) == (0, "")
    report = ran.json
    assert list(report)[:12] == [
        "generation", "documents", "chunks", "added", "changed", "removed", "unchanged", "skipped",
        "failed", "embedded", "reused", "seconds",
    ]  # fmt: skip
    assert report["added"] == ["leave.md"]
    assert report["failed"] == [{"document": "empty.md", "reason": "is empty"}]
    assert [one["document"] for one in report["skipped"]] == ["x.zzz"]
    again = run("build", made.corpus, "--index", made.index, "--json", "--threads", "1").json
    assert again["generation"] == report["generation"]
    assert (again["added"], again["unchanged"], again["failed"]) == ([], 1, report["failed"])


def test_build_has_defaults(run: Run, workshop: Make) -> None:
    workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n"}).corpus.rename("corpus")
    assert run("build").code == 0
    assert Path("index/CURRENT").is_file()
    assert run("text", "leave.md").out == "# Leave\n\nStaff get 13 days.\n"


def test_long_lists_are_cut_short(run: Run, workshop: Make) -> None:
    made = workshop({f"{n:02}.md": f"# Rule {n}\n\nIt holds.\n" for n in range(25)})
    out = run("build", made.corpus, "--index", made.index).out
    assert "  + 19.md\n  + … and 5 more\n" in out


def test_what_is_supported_is_said_once(run: Run, workshop: Make) -> None:
    made = workshop({**{f"{n:02}.zzz": "1" for n in range(25)}, "a.yyy": "1"})
    out = run("build", made.corpus, "--index", made.index).out
    assert "skipped: 19.zzz: .zzz files are not supported\nskipped: … and 6 more\n" in out
    assert out.count(".docx .eml") == 1


def test_watching_tells_of_a_problem_once() -> None:
    old, new = Problem("old.zzz", "is not supported"), Problem("new.pdf", "is empty")
    report = BuildReport("g2", 1, 1, [], [], [], 1, [old], [new], 0, 1, 0.1)
    shown = describe(report, told={old})
    assert "old.zzz" not in shown
    assert "failed: new.pdf: is empty" in shown


def test_a_build_goes_on_with_the_folder_of_the_build_before(run: Run, workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n"})
    run("build", made.corpus, "--index", made.index)
    Path("corpus").mkdir()
    again = run("build", "--index", made.index)
    assert again.err == f"reading {made.corpus}, which the index was built from\n"
    assert "unchanged 1" in again.out
    assert "removed 1" in run("build", "corpus", "--index", made.index).out


def test_build_without_a_corpus_fails_in_one_line(run: Run) -> None:
    assert run("build", "nowhere") == Ran(
        1, "",
        "rag: there is no folder nowhere: create it and put documents into it, or name another\n",
    )  # fmt: skip


def test_a_second_build_is_told_who_is_building(run: Run, workshop: Make) -> None:
    made = workshop({})
    made.index.mkdir()
    with writer_lock(made.index):
        ran = run("build", made.corpus, "--index", made.index)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"rag: the index {made.index} is being written by process ")
    assert ran.err.endswith(": wait until that build has finished, or stop it\n")
    assert ran.err.count("\n") == 1


def test_chat_builds_first_and_then_opens(
    run: Run, workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n"})
    opened: list[Settings] = []
    page = SimpleNamespace(launch=opened.append)
    monkeypatch.setitem(sys.modules, "rag.chat.page", page)
    arguments = ["chat", "--corpus", made.corpus, "--index", made.index, "--port", "0"]
    first = run(*arguments)
    assert (first.code, first.out) == (0, "")
    assert first.err.startswith(f"building the index of {made.corpus} …\n1 document, 1 chunk ")
    assert (made.index / "CURRENT").is_file()
    second = run(*arguments)
    assert (second.code, second.err) == (0, "")
    assert [(one.index, one.host, one.port) for one in opened] == [(made.index, "127.0.0.1", 0)] * 2


def test_the_address_of_a_chat_has_brackets_where_it_needs_them() -> None:
    from rag.chat.page import options

    assert options("::1", 1)["server_name"] == "[::1]"
    assert options("127.0.0.1", 1)["server_name"] == "127.0.0.1"
