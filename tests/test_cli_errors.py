"""Wrong use and failures of any command: one line, and the exit code that tells which."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from commands import Ran, Run


def test_no_index_fails_in_one_line(run: Run) -> None:
    error = "rag: there is no index in nowhere: make one with `rag build CORPUS --index nowhere`\n"
    for command in (["ask", "x"], ["retrieve", "x"], ["status"], ["text", "x"],
                    ["ask", "--batch", "-"]):  # fmt: skip
        ran = run(*command, "--index", "nowhere")
        assert ran == Ran(1, "", error)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["ask"], "give a QUESTION or --batch FILE, one of the two"),
        (["ask", "x", "--batch", "-"], "give a QUESTION or --batch FILE, one of the two"),
        (["retrieve"], "give a QUESTION or --batch FILE, one of the two"),
        (["retrieve", "x", "-k", "0"], "-k must be at least 1, got 0"),
        (["ask", " "], "the question is empty"),
        (["retrieve", ""], "the question is empty"),
        (["ask", "x", "--caution", "bold"],
         "--caution: expected cautious or balanced or eager, got 'bold'"),
        (["retrieve", "x", "--dense-weight", "2"], "--dense-weight: must be at most 1, got 2"),
        (["build", "--chunk-tokens", "3"], "--chunk-tokens: must be at least 32, got 3"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line_and_code_two(
    run: Run, index: Path, arguments: list[str], error: str
) -> None:
    assert run(*arguments, "--index", index) == Ran(2, "", f"rag: {error}\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["frobnicate"], "No such command 'frobnicate'."),
        (["ask", "x", "--nonsense"], "No such option '--nonsense'."),
        (["retrieve", "x", "-k", "many"], "Invalid value for '-k': 'many' is not a valid integer."),
        (["text"], "Missing argument 'DOCUMENT'."),
        (["config", "x"], "Got unexpected extra argument (x)"),
    ],
)
def test_what_cannot_be_parsed_is_code_two(run: Run, arguments: list[str], error: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert error in ran.err


def test_a_wrong_setting_in_the_file_is_code_two(run: Run) -> None:
    Path("rag.toml").write_text("chunk_token = 5")
    assert run("config") == Ran(
        2, "", "rag: rag.toml: unknown setting 'chunk_token'; `rag config` lists all of them\n"
    )


def test_a_traceback_only_with_debug() -> None:
    def errors(*arguments: str) -> list[str]:
        command = [sys.executable, "-m", "rag", *arguments, "--index", "nowhere"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (1, "")
        return ran.stderr.splitlines()

    (line,) = errors("status")
    *traceback, last = errors("--debug", "status")
    assert "Traceback (most recent call last):" in traceback
    assert last == line


def test_an_interrupt_is_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rag.cli.inspect.load_settings", interrupt)
    ran = run("config")
    assert ran.code == 130
    assert ran.err.strip() == "rag: stopped"


def test_who_stops_it_does_not_wait_for_what_still_computes() -> None:
    script = (
        "import sys, threading, time, rag.cli\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "rag.cli.main = lambda: sys.exit(130)\n"
        "print('so far'); rag.cli.entry()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "so far\n", "")


def test_a_reader_that_has_gone_is_no_traceback(index: Path) -> None:
    script = f"{sys.executable} -m rag text leave/annual.md --index {index} | head -c 1"
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("#", "")
