"""The examples of the README and of the help run as they stand, and questions are answered."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rag.cli import cli
from rag.cli.ask import ask
from rag.loaders import LOADERS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
RAG = [sys.executable, "-m", "rag"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def examples(text: str, *commands: str) -> list[str]:
    """The lines that call one of these, without comments and redirection."""
    lines = [line.split("#")[0].split(" > ")[0].strip() for line in text.splitlines()]
    return [line for line in lines if line.startswith(commands)]


IN_README = examples("".join(blocks("sh")), "rag ask", "rag retrieve")
ASKED = [
    line
    for line in dict.fromkeys([*IN_README, *examples(f"{cli.help}\n{ask.help}", "rag ask")])
    if line.startswith("rag ask")
]


@pytest.fixture
def workplace(tmp_path: Path, bundled_index: Path) -> Path:
    """A folder like a fresh clone after `make chat`: corpus and index side by side."""
    (tmp_path / "corpus").symlink_to(ROOT / "corpus")
    # A copy: an example builds, and another test process may be opening the one that is shared.
    shutil.copytree(bundled_index, tmp_path / "index")
    question = '{"id": "1", "question": "How many days of annual leave do staff get?"}\n'
    (tmp_path / "questions.jsonl").write_text(question, "utf-8")
    return tmp_path


def test_the_python_example_runs(workplace: Path) -> None:
    (code,) = blocks("python")
    # The precision of the index that is there: only what the example is about is computed.
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=workplace, capture_output=True, text=True, check=False,
        env=os.environ | {"RAG_PRECISION": "fp32"},
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "documents," in result.stdout


@pytest.mark.parametrize("line", IN_README)
def test_the_shell_examples_run(workplace: Path, line: str) -> None:
    result = subprocess.run(
        [*RAG, *shlex.split(line)[1:]], cwd=workplace, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    if "--json" in line or "--batch" in line:
        assert result.stdout.startswith(("{", "["))
    else:
        assert "generation g" in result.stdout


@pytest.mark.parametrize("line", ASKED)
def test_what_is_asked_is_answered(workplace: Path, line: str) -> None:
    def asked(line: str) -> list[dict[str, Any]]:
        own = [*RAG, *shlex.split(line)[1:], *([] if "--batch" in line else ["--json"])]
        out = subprocess.run(own, cwd=workplace, capture_output=True, text=True, check=True).stdout
        return [json.loads(answer) for answer in out.splitlines()]

    def cited(answers: list[dict[str, Any]]) -> set[str]:
        return {citation["document"] for answer in answers for citation in answer["citations"]}

    answers = asked(line)
    assert [answer["abstained"] for answer in answers] == [False]
    if "as_of=2024-" in line:
        later = cited(asked(line.replace("as_of=2024-", "as_of=2026-")))
        assert later
        assert not later & cited(answers)


def test_there_are_examples_with_filters_here_and_in_the_help() -> None:
    assert sum("--where as_of=" in line for line in ASKED) == 2


def test_every_kind_of_file_is_named() -> None:
    named = re.search(r"^Reads `([^`]+)`", README, re.MULTILINE)
    assert named is not None
    assert sorted(named[1].split()) == sorted(LOADERS)


def test_both_commands_are_named() -> None:
    assert "make chat" in README
    assert "make test" in README
