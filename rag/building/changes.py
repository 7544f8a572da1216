"""Which files are the ones that the published generation saw, and which have to be read."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from rag.building.corpus import CorpusFile, look_at
from rag.loaders.fields import sidecar_of
from rag.loaders.remarks import UNREAD, remarks
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


def fingerprint(path: Path, sidecar: Path | None) -> str | None:
    """Digest of a document's file and of its sidecar, if it has one; None if that is unreadable.

    Raises:
        OSError: the file cannot be read.
    """
    digest = sha256_of(path)
    if sidecar is None:
        return digest
    try:
        return _together(digest, sha256_of(sidecar))
    except OSError:
        return None


def _together(digest: str, extra: str) -> str:
    return hashlib.sha256(f"{digest} {extra}".encode()).hexdigest()


class KnownFiles:
    """What the published generation saw of each file, and how the files look now.

    A file is known by its content. Its stamp is a shortcut: if that is as it was noted, the file is
    not opened. The note lies beside the generation, for it is a hint: without it, as on another
    machine, each file is opened once.

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
        self._note = index / "seen.json"
        self._generation = previous.id if previous else ""
        self.documents: Mapping[str, Seen] = previous.tables.seen() if previous else {}
        self.failures: Mapping[str, tuple[str, FileState]] = (
            previous.tables.failures() if previous else {}
        )
        self._again: set[str] = set()
        self._noted = self._read_note()
        self._now: dict[str, FileState] = {}
        self._stamps: dict[str, int] = {}
        self._unsure: set[str] = set()

    def retry(self, is_outgrown: Callable[[str], bool]) -> None:
        """Read again what could not be read, or not in full, for a reason that no longer holds."""
        failed = {name for name, (reason, _) in self.failures.items() if is_outgrown(reason)}
        partly_read = self._previous.tables.with_metadata(UNREAD) if self._previous else []
        self._again = failed | {
            name for name, metadata in partly_read if any(map(is_outgrown, remarks(metadata)))
        }

    def why_again(self, name: str) -> str:
        """Why a document is read again although its file is as before."""
        if self._same_rules and name in self._again:
            return "its pages without text can be read now"
        return "the rules of reading or the encoder have changed"

    def has_to_be_read(self, file: CorpusFile) -> bool:
        """True unless it is sure without opening it that nothing has changed."""
        again = not self._same_rules or file.id in self._again
        return again or not self._is_noted(file)

    def before(self, name: str) -> FileState | None:
        """The file of a document as the published generation saw it."""
        if name in self.documents:
            return self.documents[name].file
        return self.failures[name][1] if name in self.failures else None

    def looks_known(self, file: CorpusFile) -> bool:
        """True if it looks as before, like a copy as well; a build is not content with that."""
        state = self.before(file.id)
        same = state is not None and (state.size, state.mtime_ns) == file.look
        return same or self._is_noted(file)

    def _is_noted(self, file: CorpusFile) -> bool:
        return self.before(file.id) is not None and self._noted.get(file.id) == file.stamp

    def state(self, file: CorpusFile) -> FileState:
        """The file as it is now; it is opened only if its stamp is not known.

        Raises:
            OSError: it cannot be read.
        """
        if file.id not in self._now:
            before = self.before(file.id)
            if before is not None and self._is_noted(file):
                digest = before.sha256
            else:
                _let_the_clock_tick(file.changed_ns)
                digest = self._digest(file)
            self._now[file.id] = FileState(digest, *file.look)
            self._stamps[file.id] = file.stamp
        return self._now[file.id]

    def _digest(self, file: CorpusFile) -> str:
        digest = fingerprint(file.path, file.extra)
        if digest is None:
            # A sidecar costs only itself: the document is read, and says so.
            self.look_again(file)
            digest = _together(sha256_of(file.path), "cannot be read")
        return digest

    def look_again(self, file: CorpusFile) -> None:
        """It could not be opened, which may be over in a moment: do not rely on its stamp."""
        self._unsure.add(file.id)

    def is_unchanged(self, file: CorpusFile) -> bool:
        """True if there is nothing to read that the published generation did not see.

        What failed and was touched since is read again: the machine may have been too busy.

        Raises:
            OSError: it cannot be read.
        """
        if not self._same_rules or file.id in self._again:
            return False
        if file.id in self.failures and not self._is_noted(file):
            return False
        before = self.before(file.id)
        return before is not None and self.state(file).sha256 == before.sha256

    def may_fail_again(self, file: CorpusFile) -> bool:
        """True if it could not be read, and holds what it held as far as one can tell."""
        try:
            return (
                file.id in self.failures
                and self.state(file).sha256 == self.failures[file.id][1].sha256
            )
        except OSError:
            return True

    def remember(self, generation: str) -> None:
        """After a build: note the stamps of the files that this generation has seen."""
        noted = {name: s for name, s in self._stamps.items() if name not in self._unsure}
        if (generation, noted) != (self._generation, self._noted):
            note = {"generation": generation, "files": noted}
            with suppress(OSError):  # Without it the next build takes longer.
                replace_file(self._note, json.dumps(note).encode())

    def _read_note(self) -> dict[str, int]:
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            note = json.loads(self._note.read_text("utf-8"))
            if note["generation"] == self._generation:
                return dict(note["files"].items())
        return {}


def has_changed(file: CorpusFile) -> bool:
    """True if the file, or the one with its metadata, is no longer what the scan saw.

    Raises:
        OSError: it is gone.
    """
    now = look_at(file.id, file.path, file.path.stat(), sidecar_of(file.path))
    return now.stamp != file.stamp


def _let_the_clock_tick(changed_ns: int) -> None:
    """Wait until a later change of the file is sure to have another time."""
    left = changed_ns + _TICK_NS - time.time_ns()
    # A time in the future, as after the clock was set back, is another one than that of any change.
    if 0 < left <= _TICK_NS:
        time.sleep(left / 1e9)
