"""The folder that an index was built from: noted beside its generations, for the next build."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import replace
from pathlib import Path

from rag.settings import Effective
from rag.store.files import describe_error, replace_file

log = logging.getLogger(__name__)

_NOTE = "corpus.json"


def note_corpus(index: Path, corpus: Path) -> None:
    """Note what an index was built from; without the note, a later build has to be told again."""
    path = index / _NOTE
    try:
        note = json.dumps({"corpus": _as_noted(index, corpus)}).encode()
        if not path.is_file() or path.read_bytes() != note:
            replace_file(path, note)
    except OSError as error:
        log.warning("%s cannot be written: %s", path, describe_error(error))


def noted_corpus(index: Path) -> Path | None:
    """The folder that an index was built from, be it there or not; None where it is not known."""
    try:
        noted = json.loads((index / _NOTE).read_text("utf-8"))["corpus"]
        if not isinstance(noted, str) or not noted or b"\0" in os.fsencode(noted):
            return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return Path(os.path.normpath(_real(index) / noted))


def with_noted_corpus(effective: Effective) -> Effective:
    """The settings, with the folder that the index was built from where none is given."""
    ours = effective.settings.corpus
    noted = noted_corpus(effective.settings.index)
    if effective.sources["corpus"] != "default" or noted is None or noted == _absolute(ours):
        return effective
    if not os.path.isdir(noted) and os.path.isdir(ours):  # noqa: PTH112  never raises
        log.warning("the index was built from %s, which is not there: taking %s", noted, ours)
        return effective
    return Effective(
        replace(effective.settings, corpus=noted), {**effective.sources, "corpus": "index"}
    )


def _as_noted(index: Path, corpus: Path) -> str:
    """Relative to the index where both are of one project, which may be copied or moved whole."""
    wanted, beside = _absolute(corpus), _absolute(index)
    if wanted.is_relative_to(beside.parent):
        relative = os.path.relpath(wanted, beside)
        there = _real(index) / relative
        # The index may be a link: then the way from where it leads is another one.
        if there.exists() and there.samefile(wanted):
            return relative
    return str(wanted)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  a link stays one


def _real(index: Path) -> Path:
    return Path(os.path.realpath(index))
