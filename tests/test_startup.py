"""What a fresh interpreter loads: nothing heavy before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rag.settings import Settings
    from rag.types import BuildReport

HEAVY = {
    "torch", "faiss", "gradio", "numpy", "onnxruntime", "transformers", "sentence_transformers",
    "bm25s", "tokenizers", "tiktoken", "pandas", "scipy",
}  # fmt: skip
NOT_FOR_A_QUESTION = {"torch", "transformers", "sentence_transformers", "gradio", "pdfplumber"}

REPORT = """
import json, sys
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Top-level modules that are loaded after `code` has run in an interpreter of its own."""
    command = [sys.executable, "-W", "error", "-c", code + REPORT, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stderr.splitlines()[-1]))


RUN = """
import sys
from rag.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert ended.code == 0, ended.code
"""


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import rag; rag.build, rag.open, rag.RagError")
    assert "rag" in loaded
    assert loaded & HEAVY == set()
    assert "click" not in loaded


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by(RUN, *arguments) & HEAVY == set()


def test_showing_the_settings_loads_no_model() -> None:
    loaded = loaded_by(RUN, "config")
    assert loaded & {"torch", "onnxruntime", "gradio", "tokenizers"} == set()


@pytest.mark.parametrize("command", ["ask", "retrieve"])
def test_a_question_needs_no_torch(
    small_settings: Settings, small_report: BuildReport, command: str
) -> None:
    assert small_report.documents
    arguments = [command, "How many days of leave?", "--index", str(small_settings.index)]
    loaded = loaded_by(RUN, *arguments)
    assert "onnxruntime" in loaded
    assert "faiss" not in loaded
    assert loaded & NOT_FOR_A_QUESTION == set()


@pytest.mark.parametrize("command", ["ask", "retrieve"])
def test_who_reads_json_does_not_wait_for_words(
    small_settings: Settings, small_report: BuildReport, command: str
) -> None:
    assert small_report.documents
    asked = [command, "How many days of leave?", "--json", "--index", str(small_settings.index)]
    assert "babel" not in loaded_by(RUN, *asked)


@pytest.mark.parametrize("arguments", [["ask", "How many days of leave?"], ["build", "--help"]])
def test_what_shows_no_page_does_not_wait_for_one(
    small_settings: Settings, small_report: BuildReport, arguments: list[str]
) -> None:
    assert small_report.documents
    loaded = loaded_by(RUN, *arguments, "--index", str(small_settings.index))
    assert loaded & {"babel", "markupsafe"} == set()


def test_a_module_of_the_library_does_not_hide_a_name_of_the_front_door() -> None:
    """`import rag.x` sets `rag.x`: no module may be called like a public function."""
    code = """
import importlib, pkgutil, rag
for module in pkgutil.iter_modules(rag.__path__):
    if module.name not in ("__main__",):
        assert module.name not in rag.__all__, module.name
"""
    loaded_by(code)
