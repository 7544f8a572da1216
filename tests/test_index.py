"""An opened index, and the small front door of the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import pytest

import rag
from rag.errors import DocumentNotFound, IndexNotFound, SettingsError, UsageError
from rag.index import Index, open_index
from rag.types import BuildReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from workshop import Workshop

    from rag.settings import Settings

    Make = Callable[..., Workshop]


def test_the_two_calls_of_the_front_door(workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days of leave.\n"})
    report = rag.build(made.corpus, made.index, threads=1)
    assert isinstance(report, BuildReport)
    assert report.added == ["leave.md"]
    with rag.open(made.index, reader=False, threads=1) as index:
        assert index.generation == report.generation
        assert index.retrieve("leave", k=1)[0].chunk.text == "Staff get 13 days of leave."
        answer = index.ask("And in part-time?", history=[{"role": "user", "content": "Leave?"}])
        assert answer.generation == report.generation
        assert index.text("leave.md").startswith("# Leave")


def test_the_front_door_takes_text_and_paths(workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days of leave.\n"})
    assert rag.build(str(made.corpus), str(made.index)).documents == 1
    rag.open(str(made.index)).close()


def test_both_calls_have_the_defaults_of_the_command_line(workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days of leave.\n"})
    made.corpus.rename(Path("corpus"))
    rag.build()
    assert Path("index/CURRENT").is_file()
    rag.open().close()


@pytest.mark.parametrize("call", [rag.build, rag.open])
def test_an_unknown_setting_is_refused(call: Callable[..., object]) -> None:
    with pytest.raises(SettingsError, match="unknown setting 'chunk_token'"):
        call(chunk_token=5)


def test_settings_in_the_environment_count_here_too(
    workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_CHUNK_TOKENS", "no number")
    with pytest.raises(SettingsError, match="RAG_CHUNK_TOKENS: expected int"):
        rag.build(workshop({}).corpus, "index")


def test_a_build_without_a_corpus_takes_that_of_the_build_before(workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n"})
    made.build()
    Path("corpus").mkdir()
    assert rag.build(index=made.index).documents == 1


def test_an_index_that_is_not_there() -> None:
    with pytest.raises(IndexNotFound) as caught:
        rag.open("nowhere")
    assert str(caught.value) == (
        "there is no index in nowhere: make one with `rag build CORPUS --index nowhere`"
    )


def test_the_canonical_text_of_a_text_file_is_the_file(
    small_index: Index, small_corpus: dict[str, str]
) -> None:
    for name, text in small_corpus.items():
        if not name.endswith(".html"):
            assert small_index.text(name) == text


def test_documents_are_listed_by_id(small_index: Index, small_corpus: dict[str, str]) -> None:
    infos = small_index.documents()
    assert [info.id for info in infos] == sorted(small_corpus)
    for info in infos:
        document = small_index.document(info.id)
        assert (info.title, info.characters) == (document.title, len(document.text))
        assert info.chunks > 0
        assert info.tokens > 0
    assert sum(info.chunks for info in infos) == small_index._generation.manifest.chunks


def test_a_document_keeps_its_metadata(small_index: Index) -> None:
    assert small_index.document("leave/parental.md").metadata["effective_date"] == "2025-07-01"
    assert small_index.document("leave/parental.md").title == "Parental leave"


@pytest.mark.parametrize(
    "name", ["nobody.md", "", "../leave/annual.md", "LEAVE/ANNUAL.MD", "\udcff"]
)
def test_an_unknown_document_is_named_with_a_remedy(small_index: Index, name: str) -> None:
    with pytest.raises(DocumentNotFound) as caught:
        small_index.text(name)
    assert (
        str(caught.value) == f"no document {name!r} in this index: `rag status --json` lists them"
    )


def test_an_index_stays_what_it_was_when_it_was_opened(workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days of leave.\n"})
    made.build()
    with made.open() as index:
        before = (index.generation, index.created, index.text("leave.md"))
        made.write("leave.md", "# Leave\n\nStaff get 14 days of leave.\n")
        made.build()
        assert (index.generation, index.created, index.text("leave.md")) == before


def test_a_closed_index_says_so(workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days of leave.\n"})
    made.build()
    with made.open() as index:
        assert index.text("leave.md")
    for call in (lambda: index.ask("leave?"), lambda: index.text("leave.md"), index.documents):
        with pytest.raises(UsageError, match="this index is closed: open it again"):
            call()


@pytest.mark.parametrize("name", [PurePath("\u00e9t\u00e9.md"), "e\u0301te\u0301.md"])
def test_a_document_is_named_by_a_path_or_in_other_unicode_too(
    workshop: Make, name: str | PurePath
) -> None:
    made = workshop({"\u00e9t\u00e9.md": "# Summer\n\nThe office is closed in August.\n"})
    made.build()
    with made.open() as index:
        assert index.document(name).id == "\u00e9t\u00e9.md"
        assert index.text(name).startswith("# Summer")


FORK = """
import os, sys, rag

index = rag.open(sys.argv[1], reader=False)
many = index.retrieve_many(["leave"])
index.retrieve("leave")
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
for call in (lambda: index.ask("leave"), lambda: next(many), lambda: index.text("travel.txt")):
    try:
        call()
    except rag.UsageError as error:
        print(error)
with rag.open(sys.argv[1], reader=False) as own:
    print(own.retrieve("leave")[0].rank, flush=True)
os._exit(0)  # As multiprocessing does: ONNX Runtime waits at the exit for threads of the parent.
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_is_told_to_open_its_own(index: Path) -> None:
    command = [sys.executable, "-c", FORK, str(index)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    refused = "this index was opened before the process was forked: open it in the child process"
    assert ran.stdout.splitlines() == [refused, refused, refused, "1"]


def test_opening_needs_no_model(
    small_settings: Settings, small_report: BuildReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading texts costs no encoder: it is loaded at the first question."""

    def refuse(*_: object) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("rag.pipeline.load_encoder", refuse)
    monkeypatch.setattr("rag.pipeline.Reader", refuse)
    with open_index(small_settings.index, small_settings) as index:
        assert len(index.documents()) == small_report.documents
        assert index.text("travel.txt")
