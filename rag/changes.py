"""Which files are the ones that the published generation saw, and which have to be read."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import Protocol

from rag.corpus import CorpusFile
from rag.loaders.fields import UNREAD, remarks
from rag.store.files import replace_file, sha256_of
from rag.store.tables import FileState, Seen, Tables

_TICK_NS = 20_000_000
"""Two changes within this time may leave a file with the same time of change."""


class Built(Protocol):
    """What has to be known of the published generation."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def tables(self) -> Tables:
        """Its documents and failures."""


class KnownFiles:
    """What the published generation saw of each file, and how the files look now.

    A file is known by its content. Size and time of change are a shortcut: if both are as before,
    it is not read. A file that was only touched is read once; `remember` notes its new time.

    Attributes:
        documents: what is indexed, by id.
        failures: what could not be read: id → reason and file.
    """

    def __init__(self, index: Path, previous: Built | None, *, same_rules: bool = True) -> None:
        """Look up what was seen.

        Args:
            index: the index folder.
            previous: the published generation; without it every file is new.
            same_rules: whether it was made as one would be made now. If not, every file has to
                be read again.
        """
        self._same_rules = same_rules
        self._previous = previous
        self._partly_read: set[str] = set()
        self._note = index / "touched.json"
        self._generation = previous.id if previous else ""
        self.documents: Mapping[str, Seen] = previous.tables.seen() if previous else {}
        self.failures: dict[str, tuple[str, FileState]] = (
            previous.tables.failures() if previous else {}
        )
        self._touched = self._read_note()
        self._now: dict[str, FileState] = {}

    def retry(self, is_outgrown: Callable[[str], bool]) -> None:
        """Read again what could not be read, or not in full, for a reason that no longer holds."""
        self.failures = {n: f for n, f in self.failures.items() if not is_outgrown(f[0])}
        partly_read = self._previous.tables.with_metadata(UNREAD) if self._previous else []
        self._partly_read = {
            name for name, metadata in partly_read if any(map(is_outgrown, remarks(metadata)))
        }

    def why_again(self, name: str) -> str:
        """Why a document is read again although its file is as before."""
        if self._same_rules and name in self._partly_read:
            return "its pages without text can be read now"
        return "the rules of reading or the encoder have changed"

    def has_to_be_read(self, file: CorpusFile) -> bool:
        """True unless all that was seen of it, size and time included, is as before."""
        again = not self._same_rules or file.id in self._partly_read
        return again or not self.looks_known(file)

    def before(self, name: str) -> FileState | None:
        """The file of a document as the published generation saw it."""
        if name in self.documents:
            return self.documents[name].file
        return self.failures[name][1] if name in self.failures else None

    def looks_known(self, file: CorpusFile) -> bool:
        """True if size and time of change are known, so that its content is known as well."""
        return any(
            state is not None and (state.size, state.mtime_ns) == file.stamp
            for state in (self.before(file.id), self._touched.get(file.id))
        )

    def state(self, file: CorpusFile) -> FileState:
        """The file as it is now; its content is read only if it does not look known.

        Raises:
            OSError: it cannot be read.
        """
        if file.id not in self._now:
            before = self.before(file.id)
            if before is not None and self.looks_known(file):
                digest = before.sha256
            else:
                _let_the_clock_tick(max(file.mtime_ns, file.extra_mtime_ns))
                digest = sha256_of(file.path)
                if file.extra is not None:
                    both = f"{digest} {sha256_of(file.extra)}"
                    digest = hashlib.sha256(both.encode()).hexdigest()
            self._now[file.id] = FileState(digest, *file.stamp)
        return self._now[file.id]

    def is_unchanged(self, file: CorpusFile) -> bool:
        """True if there is nothing to read that the published generation did not see.

        Raises:
            OSError: it cannot be read.
        """
        if not self._same_rules or file.id in self._partly_read:
            return False
        before = self.before(file.id)
        return before is not None and self.state(file).sha256 == before.sha256

    def remember(self) -> None:
        """After a build that found nothing to do: do not read touched files again next time.

        The note is a hint beside the generation, which never changes. Losing it costs time only.
        """
        touched = {
            name: astuple(state)
            for name, state in self._now.items()
            if (before := self.before(name)) and before.mtime_ns != state.mtime_ns
        }
        if touched != {name: astuple(state) for name, state in self._touched.items()}:
            note = {"generation": self._generation, "files": touched}
            replace_file(self._note, json.dumps(note).encode())

    def forget(self) -> None:
        """After a new generation was published: it knows the times itself."""
        self._note.unlink(missing_ok=True)

    def _read_note(self) -> dict[str, FileState]:
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            note = json.loads(self._note.read_text("utf-8"))
            if note["generation"] == self._generation:
                found = {name: FileState(*state) for name, state in note["files"].items()}
                return {
                    name: state
                    for name, state in found.items()
                    if (before := self.before(name)) and before.sha256 == state.sha256
                }
        return {}


def has_changed(file: CorpusFile) -> bool:
    """True if the file, or the one with its metadata, is no longer what the scan saw.

    Raises:
        OSError: it is gone.
    """
    parts = [path.stat() for path in (file.path, file.extra) if path is not None]
    now = (sum(part.st_size for part in parts), sum(part.st_mtime_ns for part in parts))
    return now != file.stamp


def _let_the_clock_tick(mtime_ns: int) -> None:
    """Wait until a later change of the file is sure to have another time."""
    age = time.time_ns() - mtime_ns
    if 0 <= age < _TICK_NS:
        time.sleep((_TICK_NS - age) / 1e9)
