"""The names that `rag` offers, at run time and to a type checker."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import rag
from rag.asking.asked import Asked
from rag.index import Index
from rag.store.tables import DocumentInfo

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")

ERRORS = [
    "CorpusNotFound", "DocumentNotFound", "EncoderError", "IndexDamaged", "IndexIncompatible",
    "IndexLocked", "IndexNotFound", "RagError", "SettingsError", "UsageError",
]  # fmt: skip
TYPES = [
    "Answer", "Asked", "Block", "BuildReport", "Chunk", "Citation", "Detail", "Document",
    "DocumentInfo", "Hit", "Index", "Page", "Passage", "Problem", "Renamed", "Scores", "Sentence",
    "Turn",
]  # fmt: skip


def test_public_names_are_exactly_these() -> None:
    assert rag.__all__ == sorted([*ERRORS, *TYPES, "build", "open"])
    assert dir(rag) == rag.__all__
    for name in rag.__all__:
        assert getattr(rag, name).__doc__


def test_every_public_error_is_a_rag_error() -> None:
    assert all(issubclass(getattr(rag, name), rag.RagError) for name in ERRORS)


def test_the_types_are_those_of_the_modules_that_define_them() -> None:
    defined = {"Asked": Asked, "Index": Index, "DocumentInfo": DocumentInfo}
    for name in TYPES:
        assert getattr(rag, name) is defined.get(name, getattr(rag.types, name, None))


def test_another_name_is_none() -> None:
    with pytest.raises(AttributeError) as caught:
        _ = rag.oppen  # type: ignore[attr-defined]
    assert str(caught.value) == "module 'rag' has no attribute 'oppen'"


WRONG = """\
import rag

try:
    index = rag.oppen("index")
    number: int = rag.open("index").ask("leave?").text
except rag.IndexNotFonud:
    pass
"""


def checked(path: Path, script: str) -> list[str]:
    """What mypy says of a script that uses the library: line number and message."""
    path.write_text(script, "utf-8")
    # The project's settings say which libraries are not followed; its cache makes this quick.
    own = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *own, str(path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    # While the library is being worked on, what is wrong in it is not the script's.
    return [line.removeprefix(f"{path}:") for line in ran.stdout.splitlines() if str(path) in line]


@pytest.mark.slow
def test_a_type_checker_finds_wrong_names_and_types(tmp_path: Path) -> None:
    assert checked(tmp_path / "script.py", WRONG) == [
        '4: error: Module has no attribute "oppen"; maybe "open"?  [attr-defined]',
        '5: error: Incompatible types in assignment (expression has type "str", '
        'variable has type "int")  [assignment]',
        '6: error: Module has no attribute "IndexNotFonud"; maybe "IndexNotFound"?  [attr-defined]',
    ]


@pytest.mark.slow
def test_a_type_checker_accepts_every_type_and_the_example_of_the_readme(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    named = "".join(f"def use_{name}(one: rag.{name}) -> None: ...\n" for name in TYPES)
    assert checked(tmp_path / "script.py", example + named) == []
