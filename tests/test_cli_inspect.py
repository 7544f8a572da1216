"""`rag text`, `rag status` and `rag config`: what an index holds, and which settings hold."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import QUESTION, Ran, Run

from rag.types import BuildReport

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]


# text


def test_text_is_the_canonical_text_to_the_byte(
    run: Run, index: Path, small_corpus: dict[str, str]
) -> None:
    for name, text in small_corpus.items():
        if not name.endswith(".html"):
            assert run("text", name, "--index", index) == Ran(0, text, "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell that closes streams")
def test_text_without_an_output_is_no_traceback(index: Path) -> None:
    command = f"{sys.executable} -m rag text travel.txt --index {index} >&-"
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_text_has_the_offsets_of_the_citations(run: Run, index: Path) -> None:
    asked = run("ask", QUESTION, "--index", index, "--json", "--caution", "eager").json
    for citation in asked["citations"]:
        text = run("text", citation["document"], "--index", index).out
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_line_ends_of_a_document_are_normalised_and_kept(run: Run, workshop: Make) -> None:
    made = workshop({"a.txt": "One\r\nline.\r\rTwo \u2028 end."})
    made.build()
    ran = subprocess.run(
        [sys.executable, "-m", "rag", "text", "a.txt", "--index", made.index],
        capture_output=True,
        check=True,
    )
    assert ran.stdout == "One\nline.\n\nTwo \u2028 end.".encode()


def test_an_unknown_document_fails_in_one_line(run: Run, index: Path) -> None:
    assert run("text", "nobody.md", "--index", index) == Ran(
        1, "", "rag: no document 'nobody.md' in this index: `rag status --json` lists them\n"
    )


# status


def test_status_says_what_there_is(run: Run, index: Path, small_report: BuildReport) -> None:
    ran = run("status", "--index", index)
    assert (ran.code, ran.err) == (0, "")
    assert f"documents        {small_report.documents}\n" in ran.out
    assert f"generations      {small_report.generation}\n" in ran.out
    data = run("status", "--index", index, "--json").json
    assert data["corpus"] == str(index.with_name("corpus"))
    assert data["generation"] == small_report.generation
    assert (data["documents"], data["chunks"]) == (small_report.documents, small_report.chunks)
    assert data["encoder"] == "default"
    assert data["bytes"] == sum(
        path.stat().st_size for path in Path(data["folder"]).rglob("*")
        if path.is_file() and path.name != "manifest.json"
    )  # fmt: skip


def test_status_lists_the_documents_that_text_prints(run: Run, index: Path) -> None:
    """The message for an unknown document says so."""
    listed = run("status", "--index", index, "--json").json["document_ids"]
    assert run("text", listed[0], "--index", index).code == 0


# config


def test_config_shows_value_and_source(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("rag.toml").write_text('chunk_tokens = 99\nindex = "from-file"')
    monkeypatch.setenv("RAG_INDEX", "from-environment")
    rows = {row["name"]: row for row in run("config", "--json").json}
    assert (rows["index"]["value"], rows["index"]["source"]) == ("from-environment", "environment")
    assert (rows["chunk_tokens"]["value"], rows["chunk_tokens"]["source"]) == (99, "file")
    assert (rows["corpus"]["value"], rows["corpus"]["source"]) == ("corpus", "default")
    assert all(row["help"] for row in rows.values())
    out = run("config").out
    assert "from-environment" in out
    Path("from-environment").mkdir()
    Path("from-environment/corpus.json").write_text('{"corpus": "/srv/policies"}')
    rows = {row["name"]: row for row in run("config", "--json").json}
    assert (rows["corpus"]["value"], rows["corpus"]["source"]) == ("/srv/policies", "index")
    assert "(environment)" in out


def test_flag_over_environment_over_file(
    run: Run, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("rag.toml").write_text('index = "from-file"')
    assert "no index in from-file:" in run("status").err
    monkeypatch.setenv("RAG_INDEX", "from-environment")
    assert "no index in from-environment:" in run("status").err
    assert run("status", "--index", index).code == 0
