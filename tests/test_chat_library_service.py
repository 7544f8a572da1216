"""The calls of the library: what is listed, in which order and state, and who may change it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chat_fake import FakeEngine, markdown
from workshop import SMALL_CORPUS

from rag.chat.library_builds import COMMAND, Build, Builds
from rag.chat.library_service import LibraryService
from rag.chat.library_worker import settings_line
from rag.chat.owner import Owner
from rag.live import LiveIndex
from rag.settings import Library, Settings
from rag.store.lock import writer_lock
from rag.store.manifest import current_generation, generations_folder
from rag.store.tables import Tables
from rag.types import BuildReport

HERE = {"host": "127.0.0.1:7860", "origin": "http://127.0.0.1:7860"}
EVIL = {"host": "127.0.0.1:7860", "origin": "http://evil.example"}
KEY = "k" * 32
CHANGES = ("library_check", "library_delete", "library_build", "library_stop")

Make = Callable[..., LibraryService]


@pytest.fixture
def make(tmp_path: Path, small_settings: Settings, small_report: BuildReport) -> Any:
    """A library over a copy of the small corpus and its index."""
    opened: list[LiveIndex] = []
    shutil.copytree(small_settings.corpus, tmp_path / "corpus")
    shutil.copytree(small_settings.index, tmp_path / "index")

    def service(library: Library = "auto", worker: str = "", **more: Any) -> LibraryService:
        settings = replace(
            small_settings, corpus=tmp_path / "corpus", index=tmp_path / "index",
            library=library, **more,
        )  # fmt: skip
        opened.append(LiveIndex(settings.index, settings))
        builds = Builds(settings, command=[sys.executable, "-c", worker]) if worker else None
        return LibraryService(opened[-1], settings, builds, Owner(key=KEY))

    yield service
    for engine in opened:
        engine.close()


def call(service: LibraryService, name: str, headers: Any = HERE, **payload: Any) -> Any:
    return next(f for f in service.functions() if f.__name__ == name)(payload, headers)


def ids(reply: Any) -> list[str]:
    return [part.split('"')[0] for part in reply["html"].split('class="path" title="')[1:]]


def finish(service: LibraryService) -> Any:
    for _ in range(600):
        build = call(service, "library_progress")
        if not build["running"]:
            return build
        time.sleep(0.1)
    raise AssertionError("the build does not end")


def test_every_document_is_listed_with_what_is_known_of_it(make: Make) -> None:
    reply = call(make(), "library_list")
    assert reply["all"] == reply["total"] == len(SMALL_CORPUS)
    assert reply["states"] == {"indexed": 6, "waiting": 0, "failed": 0, "skipped": 0}
    assert reply["collections"] == ["", "leave", "records", "security"]
    assert reply["folders"] == ["leave", "records", "security"]
    assert reply["columns"] == ["collection", "effective_date"]
    assert reply["waiting"] == reply["problem"] == ""
    assert "1 Jul 2025" in reply["html"]
    size = len(SMALL_CORPUS["leave/annual.md"].encode())
    assert f'<td class="c-size">{size} B</td>' in reply["html"]


def test_documents_wait_fail_and_are_skipped_with_the_reason(make: Make, tmp_path: Path) -> None:
    service, corpus = make(), tmp_path / "corpus"
    (corpus / "new.md").write_bytes(b"# New")
    (corpus / "kind.exe").write_bytes(b"x")
    (corpus / "travel.txt").write_bytes(b"Travel policy\n\nStay at home.\n")
    (corpus / "remote.html").unlink()
    reply = call(service, "library_list")
    assert reply["states"] == {"indexed": 4, "waiting": 3, "failed": 0, "skipped": 1}
    assert reply["waiting"] == "Waiting for a rebuild: 1 new, 1 changed, 1 deleted."
    assert reply["counted"] == "6 documents, 1 file left out"
    waiting = call(service, "library_list", state="waiting")
    assert sorted(ids(waiting)) == ["new.md", "remote.html", "travel.txt"]
    assert "Deleted, answers until the next rebuild" in waiting["html"]
    assert waiting["states"] == reply["states"]
    skipped = call(service, "library_list", state="skipped")
    assert ".exe files are not supported" in skipped["html"]


def test_a_touched_document_that_a_build_has_seen_does_not_wait(make: Make, tmp_path: Path) -> None:
    (tmp_path / "corpus" / "travel.txt").touch()
    service = make()
    assert call(service, "library_list")["states"]["waiting"] == 1
    call(service, "library_build")
    assert "nothing had changed" in finish(service)["line"]
    assert call(service, "library_list")["states"]["waiting"] == 0


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"words": "annual"}, ["leave/annual.md"]),
        ({"words": "LEAVE par"}, ["leave/parental.md"]),
        ({"words": "no such thing"}, []),
        ({"collection": "leave"}, ["leave/annual.md", "leave/parental.md"]),
        ({"collection": ""}, ["remote.html", "travel.txt"]),
        ({"collection": "leave", "words": "travel"}, []),
        ({"collection": 7, "words": 7, "state": 7, "column": 7, "limit": "x"}, None),
    ],
)
def test_search_and_filters(make: Make, asked: dict[str, Any], found: list[str] | None) -> None:
    reply = call(make(), "library_list", **asked)
    assert len(ids(reply)) == 6 if found is None else ids(reply) == found


def test_rows_are_sorted_and_what_has_no_value_comes_last(make: Make) -> None:
    service = make()

    def order(column: str, *, descending: bool = False) -> list[str]:
        return ids(call(service, "library_list", column=column, descending=descending))

    titles = [
        "leave/annual.md", "leave/parental.md", "records/retention.md", "remote.html",
        "security/incidents.md", "travel.txt",
    ]  # fmt: skip
    assert order("title") == order("no such column") == titles
    assert order("title", descending=True) == titles[::-1]
    assert order("effective_date")[0] == order("effective_date", descending=True)[0]
    assert order("effective_date")[0] == "leave/parental.md"
    sizes = [len(SMALL_CORPUS[name].encode()) for name in order("size")]
    assert sizes == sorted(sizes)
    assert order("collection")[-2:] == ["remote.html", "travel.txt"]
    assert order("collection", descending=True)[-2:] == ["remote.html", "travel.txt"]


def test_only_a_hundred_rows_are_sent_at_first() -> None:
    documents = [markdown(f"{n:03}.md", f"Title {n:03}", "# A\n\nText.\n") for n in range(250)]
    service = LibraryService(FakeEngine(documents))
    reply = call(service, "library_list")
    assert (reply["shown"], reply["total"], len(ids(reply))) == (100, 250, 100)
    assert len(ids(call(service, "library_list", limit=300))) == 250


def test_without_a_folder_the_index_is_listed_and_nothing_can_be_changed() -> None:
    service = LibraryService(FakeEngine([markdown("a.md", "Leave", "# Leave\n\nText.\n")]))
    reply = call(service, "library_list")
    assert (reply["total"], reply["may"]) == (1, False)
    for name in CHANGES:
        assert "can only be read" in call(service, name, document="a.md")["error"]
    assert call(service, "library_changes")["error"]


def test_a_folder_that_is_gone_is_said_and_the_index_still_listed(
    make: Make, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "corpus")
    reply = call(make(), "library_list")
    assert reply["problem"].startswith("Only the index is shown: there is no folder")
    assert reply["states"]["indexed"] == 6
    assert 'data-lib="delete"' not in reply["html"]


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    ("library", "headers", "words"),
    [
        ("read", HERE, "can only be read"),
        ("auto", {"host": "policies.example"}, "only be changed on the machine"),
        ("auto", EVIL, "another site"),
        ("open", EVIL, "another site"),
        ("owner", HERE, "Only the owner"),
    ],
)
def test_the_guard_stands_in_the_call_itself(
    make: Make, tmp_path: Path, name: str, library: Library, headers: dict[str, str], words: str
) -> None:
    service = make(library)
    payload = {"document": "travel.txt", "files": [{"name": "a.md", "size": 1}], "token": KEY}
    reply = call(service, name, headers, **payload)
    assert words in reply["error"]
    assert (tmp_path / "corpus" / "travel.txt").exists()
    assert call(service, "library_progress")["id"] == ""
    listed = call(service, "library_list", headers)
    assert listed["may"] is False
    assert 'data-lib="delete"' not in listed["html"]


def test_the_owner_may_after_signing_in(make: Make, tmp_path: Path) -> None:
    service = make("owner")
    assert call(service, "library_list")["sign"] == "in"
    token = service.owner.sign_in(KEY, HERE)
    assert call(service, "library_list", token=token)["sign"] == "out"
    call(service, "library_delete", document="travel.txt", token=token)
    assert not (tmp_path / "corpus" / "travel.txt").exists()
    service.owner.sign_out(token)
    assert (
        "Only the owner"
        in call(service, "library_delete", document="remote.html", token=token)["error"]
    )


def test_a_deleted_document_answers_until_the_next_rebuild(make: Make, tmp_path: Path) -> None:
    service = make()
    assert call(service, "library_delete", document="travel.txt") == {"deleted": "travel.txt"}
    assert not (tmp_path / "corpus" / "travel.txt").exists()
    assert ids(call(service, "library_list", state="waiting")) == ["travel.txt"]
    again = call(service, "library_delete", document="travel.txt")
    assert again["error"] == "There is no such document in the library."


@pytest.mark.parametrize(
    "name", ["../index/CURRENT", ".ragignore", "leave", "", "nothing.md", "../corpus/travel.txt", 7]
)
def test_only_documents_can_be_deleted(make: Make, tmp_path: Path, name: object) -> None:
    (tmp_path / "corpus" / ".ragignore").write_bytes(b"drafts/\n")
    before = sorted(path for path in tmp_path.rglob("*") if "LOCK" not in path.name)
    assert call(make(), "library_delete", document=name)["error"]
    assert sorted(path for path in tmp_path.rglob("*") if "LOCK" not in path.name) == before


def test_uploads_are_checked_before_they_are_sent(make: Make) -> None:
    files = [
        {"name": "new.md", "size": 10}, {"name": "annual.md", "size": 10},
        {"name": "a.exe", "size": 10}, {"name": "big.md", "size": 3_000_000},
        {"name": "deep.md", "size": 10, "folder": "more"}, {"name": 7}, "no file",
    ]  # fmt: skip
    reply = call(make(max_file_mb=2), "library_check", folder="leave", files=files)
    verdicts = [(file.get("saved"), file["reason"], file["exists"]) for file in reply["files"]]
    assert verdicts == [
        ("leave/new.md", "", False),
        (None, "is there already", True),
        (None, ".exe files are not supported", False),
        (None, "is 3.0 MB: at most 2 MB are taken", False),
        ("leave/more/deep.md", "", False),
        (None, "has no usable name: rename it", False),
    ]
    many = call(make(), "library_check", files=[{"name": "a.md", "size": 1}] * 501)
    assert "At most 500 files at once" in many["error"]


@pytest.mark.slow
def test_a_rebuild_reports_failures_by_name_and_what_changed(make: Make, tmp_path: Path) -> None:
    service, corpus = make(), tmp_path / "corpus"
    assert "to compare it with" in call(service, "library_changes")["error"]
    (corpus / "travel.txt").write_text(
        SMALL_CORPUS["travel.txt"].replace("90 euro", "95 euro"), "utf-8"
    )
    (corpus / "broken<b>.pdf").write_bytes(b"%PDF-1.4")
    assert call(service, "library_build")["running"]
    build = finish(service)
    assert build["problem"] == ""
    assert "1 changed, 1 failed. 6 documents in the index." in build["line"]
    assert "broken&lt;b&gt;.pdf" in build["html"]
    time.sleep(0.6)
    listed = call(service, "library_list", state="failed")
    assert ids(listed) == ["broken&lt;b&gt;.pdf"]
    assert "Is damaged or not a PDF" in listed["html"]
    assert listed["waiting"] == ""
    changes = call(service, "library_changes")["html"]
    assert "<del>90</del>" in changes
    assert "<ins>95</ins>" in changes


@pytest.mark.slow
def test_a_second_writer_is_named_and_the_index_stays(make: Make, tmp_path: Path) -> None:
    service = make()
    with writer_lock(tmp_path / "index"):
        call(service, "library_build")
        build = finish(service)
    assert "is being written by process" in build["problem"]
    assert "\n" not in build["problem"]
    assert build["line"] == build["html"] == ""


@pytest.mark.slow
def test_a_build_ends_with_the_page_that_started_it(
    make: Make, tmp_path: Path, small_settings: Settings
) -> None:
    make()
    (tmp_path / "corpus" / "new.md").write_bytes(b"# New")
    before = (tmp_path / "index" / "CURRENT").read_bytes()
    settings = replace(small_settings, corpus=tmp_path / "corpus", index=tmp_path / "index")
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    with process:
        process.stdin.write(settings_line(settings) + "\n")
        process.stdin.close()
        assert process.wait(60) == 1
    assert (tmp_path / "index" / "CURRENT").read_bytes() == before


def test_pages_are_counted_where_there_are_any(bundled_index: Path) -> None:
    generation = generations_folder(bundled_index) / current_generation(bundled_index)
    tables = Tables(generation / "documents.sqlite")
    counts = tables.page_counts()
    tables.close()
    assert counts["handbook/procurement.pdf"] == 4
    assert all(name.endswith(".pdf") for name in counts)


SLOW_WORKER = """
import json, sys, time
sys.stdin.readline()
print(json.dumps({"stage": "reading", "share": 0.25, "remaining": 30}), flush=True)
time.sleep(60)
"""


def test_one_build_runs_at_a_time_and_can_be_stopped(make: Make) -> None:
    service = make(worker=SLOW_WORKER)
    first = call(service, "library_build")
    assert call(service, "library_build")["id"] == first["id"] != ""
    for _ in range(100):
        if call(service, "library_progress")["stage"]:
            break
        time.sleep(0.1)
    build = call(service, "library_list")["build"]
    assert (build["running"], build["share"], build["left"]) == (True, 0.25, "30 s")
    call(service, "library_stop")
    assert finish(service)["problem"].startswith("The build was stopped")
    assert call(service, "library_build")["id"] != first["id"]
    service.close()
    finish(service)


@pytest.mark.parametrize(
    "worker",
    ["import sys; sys.exit(3)", "print('no JSON')", "print('[]')", "import os; os.abort()"],
)
def test_a_build_that_dies_is_one_line(make: Make, worker: str) -> None:
    service = make(worker=worker)
    call(service, "library_build")
    problem = finish(service)["problem"]
    assert problem.startswith("The build ended before it was done")
    assert "as it was before" in problem


def test_a_build_that_cannot_be_started_does_not_count_as_running(tmp_path: Path) -> None:
    builds = Builds(Settings(), command=[str(tmp_path / "gone")])
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            builds.start()
    assert builds.current == Build()
