"""A build in a process of its own: `python -m rag.chat.library_worker`.

It reads the settings as one line of JSON, and writes one line of JSON for each thing it has to
tell: `{"stage", "share", "remaining"}` on its way, `{"report"}` or `{"error"}` at the end. It is
for the page: killed at any moment, it leaves the published generation as it was, and it ends by
itself when nobody reads what it writes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, fields
from typing import Any

from rag.building.indexing import build_index
from rag.building.progress import Estimate
from rag.errors import RagError
from rag.settings import Settings, load_settings

_EVERY = 0.2
"""Seconds between two lines about how far the build is."""
_NICE = 10
"""Answering goes before building."""


def settings_line(settings: Settings) -> str:
    """The settings as the worker reads them."""
    values = {spec.name: getattr(settings, spec.name) for spec in fields(Settings)}
    return json.dumps({name: _plain(value) for name, value in values.items()})


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) else os.path.abspath(value)  # noqa: PTH100  a link stays one


def main() -> None:
    """Build as the first line of the standard input says."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    settings = load_settings(json.loads(sys.stdin.readline()), {}).settings
    estimate = Estimate()
    told = float("-inf")

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal told
        estimate.update(stage, done, total)
        if time.monotonic() - told >= _EVERY:
            told = time.monotonic()
            _tell(stage=estimate.stage, share=estimate.share, remaining=estimate.remaining)

    try:
        report = build_index(settings, progress)
    except RagError as error:
        _tell(error=" ".join(str(error).split()))
    else:
        _tell(report=asdict(report))


def _tell(**words: object) -> None:
    try:
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # The page is gone, however that came about. Nothing has to be put in order.
        os._exit(1)


if __name__ == "__main__":
    main()
