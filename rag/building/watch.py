"""Keeping an index in step with its folder: a build after every change, until it is stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from watchfiles import watch

from rag.building.corpus import IGNORE_FILE
from rag.building.indexing import build_index
from rag.embedding import Progress
from rag.encoders import load_encoder
from rag.errors import RagError
from rag.settings import Settings
from rag.store.files import describe_error
from rag.types import BuildReport

log = logging.getLogger(__name__)

QUIET_MS = 400
"""A build starts when nothing has changed for so long: a copy of many files is one change."""
LOOK_MS = 300
"""So often it is seen that the watching is to end."""
RETRY_SECONDS = 10.0
"""A build that failed is tried again after so long."""


def watch_and_build(
    settings: Settings,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    failed: Callable[[RagError], None] = lambda _: None,
) -> Iterator[BuildReport]:
    """Build, and build again whenever a file of the corpus changes; yields each report.

    A build that fails is told to `failed` and tried again after a while; the published generation
    goes on answering. Killed at any moment, it leaves what a killed build leaves: nothing that
    the next one does not clear up.

    Args:
        settings: the effective settings.
        progress: as for `build_index`.
        stop: ends the watching when it is set.
        failed: told of each failure.

    Raises:
        EncoderError: the encoder cannot be loaded; nothing would ever be built.
    """
    stop = stop or threading.Event()
    encoder = load_encoder(settings.encoder, settings.threads, settings.precision)
    while not stop.is_set():
        for _ in _calls_for_a_build(settings, stop):
            try:
                report = build_index(settings, progress, encoder)
            except RagError as error:
                failed(error)
                # Whatever it was, begin anew: the folder may have been replaced by another.
                break
            yield report
        stop.wait(RETRY_SECONDS)


def _calls_for_a_build(settings: Settings, stop: threading.Event) -> Iterator[None]:
    """Yields once when the watching has begun, and then after every change below the corpus.

    What changes while the caller is building is not lost. Ends when the folder is no longer the
    same, or cannot be watched.
    """
    index = settings.index.resolve()

    def concerns_us(_: object, name: str) -> bool:
        path = Path(name)
        inside = path.relative_to(corpus).parts if path.is_relative_to(corpus) else ()
        hidden = any(part.startswith(".") and part != IGNORE_FILE for part in inside)
        return not (hidden or path.is_relative_to(index))

    try:
        corpus = settings.corpus.resolve(strict=True)
        began = _identity(corpus)  # From here on `settings.corpus` may lead elsewhere.
        first = True
        for changes in watch(
            corpus,
            watch_filter=concerns_us,
            step=QUIET_MS,
            debounce=QUIET_MS * 20,
            stop_event=stop,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        ):
            if first or changes:
                first = False
                yield
            elif _identity(settings.corpus) != began:
                return
    except FileNotFoundError:
        yield  # The build says that there is no folder.
    except OSError as error:
        log.warning("%s cannot be watched: %s", settings.corpus, describe_error(error))
        yield


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino
