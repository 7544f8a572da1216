"""What may not be in the code: pickles that are loaded, and advice to run what there is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from generations import FIRST

import rag
from rag.cli import _COMMANDS

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]

SOURCES = Path(rag.__file__).parent


def calls_of(name: str) -> list[ast.Call]:
    """Calls of `….name(…)` anywhere in the package."""
    trees = [ast.parse(path.read_text("utf-8")) for path in SOURCES.rglob("*.py")]
    return [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("np", "numpy", "torch")
    ]


def test_opening_an_index_runs_no_code_from_it() -> None:
    loads = calls_of("load")
    assert loads
    for call in loads:
        options = {keyword.arg: keyword.value for keyword in call.keywords}
        allowed = options.get("allow_pickle")
        assert isinstance(allowed, ast.Constant), ast.unparse(call)
        assert allowed.value is False, ast.unparse(call)
    for path in SOURCES.rglob("*.py"):
        imported = re.findall(
            r"^\s*(?:import|from)\s+(\S*pickle|dill|joblib|marshal|shelve)",
            path.read_text("utf-8"),
            re.MULTILINE,
        )
        assert imported == [], path


def test_no_file_of_an_index_is_a_pickle(workshop: Make) -> None:
    made = workshop(FIRST)
    made.build()
    for path in (made.index / "generations").rglob("*.npy"):
        assert np.load(path, allow_pickle=False).dtype.hasobject is False
    for path in made.index.rglob("*"):
        assert path.suffix not in (".pkl", ".pickle", ".pt", ".bin")


def test_every_command_that_a_message_recommends_exists() -> None:
    for path in SOURCES.rglob("*.py"):
        for command in re.findall(r"`rag ([a-z]+)\b", path.read_text("utf-8")):
            assert command in _COMMANDS, f"{path.name} recommends `rag {command}`"
