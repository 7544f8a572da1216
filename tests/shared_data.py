"""Where the shared evaluation data lies: outside the repository, and not everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("RAG_SHARED") or Path(__file__).parents[2] / "shared")


def shared(path: str) -> Path:
    """A file or folder of the shared data; the test is skipped where it is not there."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"{found} does not exist; RAG_SHARED names the folder of shared data")
    return found
