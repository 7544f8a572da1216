"""The examples of the README run as they stand."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
RAG = [sys.executable, "-m", "rag"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def workplace(tmp_path: Path, bundled_index: Path) -> Path:
    """A folder like a fresh clone after `make chat`: corpus and index side by side."""
    (tmp_path / "corpus").symlink_to(ROOT / "corpus")
    (tmp_path / "index").symlink_to(bundled_index)
    question = '{"id": "1", "question": "How many days of annual leave do staff get?"}\n'
    (tmp_path / "questions.jsonl").write_text(question, "utf-8")
    return tmp_path


def test_the_python_example_runs(workplace: Path) -> None:
    (code,) = blocks("python")
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=workplace, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "documents," in result.stdout


@pytest.mark.parametrize(
    "line",
    [
        line.split("#")[0].split(">")[0].strip()
        for block in blocks("sh")
        for line in block.splitlines()
        if line.startswith(("rag ask", "rag retrieve"))
    ],
)
def test_the_shell_examples_run(workplace: Path, line: str) -> None:
    result = subprocess.run(
        [*RAG, *shlex.split(line)[1:]], cwd=workplace, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    if "--json" in line or "--batch" in line:
        assert result.stdout.startswith(("{", "["))
    else:
        assert "generation g" in result.stdout


def test_both_commands_are_named() -> None:
    assert "make chat" in README
    assert "make test" in README
