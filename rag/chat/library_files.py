"""The files of the corpus: adding one and deleting one, never outside the folder."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from rag.building.corpus import existing, file_of, is_left_out
from rag.chat.library_names import safe_folder, safe_name
from rag.errors import RagError, UnsupportedFormat, UsageError
from rag.loaders.fields import SIDECAR
from rag.store.files import sync_folder

ASIDE = ".uploads"
"""Where a file lies until it is whole; hidden, so that no build reads it."""
_FORGOTTEN_SECONDS = 3600
_USAGE_SECONDS = 10.0
_MB = 1_000_000


class Refused(RagError):
    """An upload that is not taken; the message is a line without the file's name.

    Attributes:
        status: of the HTTP response.
        exists: True if the file is there already and may be replaced.
    """

    def __init__(self, reason: str, status: int, *, exists: bool = False) -> None:
        super().__init__(reason)
        self.status, self.exists = status, exists


@dataclass(frozen=True)
class Limits:
    """What is taken: bytes of one file, bytes and number of all files in the corpus."""

    file: int
    total: int
    files: int


@dataclass
class Room:
    """How much the corpus holds; `coming` is the bytes and files that uploads under way add."""

    size: int = 0
    files: int = 0
    until: float = float("-inf")
    coming: dict[str, tuple[int, int]] = field(default_factory=dict)


class Files:
    """The folder of the corpus as far as the page may change it. Safe to share between threads."""

    def __init__(self, corpus: Path, limits: Limits) -> None:
        self.corpus, self.limits = corpus, limits
        self._room = Room()
        self._lock = Lock()

    @contextmanager
    def receive(
        self, given: str, folder: str, size: int, *, replace: bool
    ) -> Iterator[tuple[str, BinaryIO]]:
        """Take a file: write it to what this gives, and it is there when the block has ended.

        Until then nobody sees it, and if the block fails nothing has happened.

        Args:
            given: its name, as a browser says it.
            folder: where in the corpus.
            size: bytes that will be written, neither more nor fewer.
            replace: whether it may take the place of a file of this name.

        Yields:
            The document's id, and the file to write to.

        Raises:
            Refused: it is not taken, and why.
        """
        target = self._target(given, folder, size, replace=replace)
        aside = self.corpus / ASIDE
        part = aside / secrets.token_hex(16)
        with self._reserve(part.name, size, _size(target)):
            try:
                with self._lock:  # Or the folder may be removed before the file is in it.
                    _make_aside(aside)
                    file = part.open("xb")
                with file:
                    yield target.relative_to(self.corpus).as_posix(), file
                    file.flush()
                    os.fsync(file.fileno())
                    if file.tell() != size:
                        raise Refused("did not arrive whole: send it again", 400)
                target.parent.mkdir(parents=True, exist_ok=True)
                self._inside(target.parent)
                _move(part, target, replace=replace)
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise Refused(f"cannot be saved: {reason}", 507) from error
            finally:
                part.unlink(missing_ok=True)
                with self._lock, suppress(OSError):
                    aside.rmdir()

    def check(self, given: str, folder: str, size: int) -> str:
        """The id that a file would get.

        Raises:
            Refused: it would not be taken, and why.
        """
        return self._target(given, folder, size, replace=False).relative_to(self.corpus).as_posix()

    def delete(self, document_id: str) -> None:
        """Delete a document's file, and the file of metadata that is named after it.

        Of a link, the link is deleted. The caller has made sure that it is a document.

        Raises:
            UsageError: there is no such file, or it cannot be deleted.
        """
        path = self._find(document_id)
        try:
            path.unlink()
            path.with_name(path.name + SIDECAR).unlink(missing_ok=True)
            sync_folder(path.parent)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UsageError(f"The file cannot be deleted: {reason}.") from error
        finally:
            self._room.until = float("-inf")

    def _target(self, given: str, folder: str, size: int, *, replace: bool) -> Path:
        try:
            name = safe_name(given)
            place = safe_folder(folder)
        except UnsupportedFormat as error:
            raise Refused(str(error), 415) from error
        except UsageError as error:
            raise Refused(str(error), 400) from error
        if size > self.limits.file:
            raise Refused(
                f"is {size / _MB:,.1f} MB: at most {self.limits.file / _MB:,.0f} MB are taken", 413
            )
        if size == 0:
            raise Refused("is empty", 400)
        if not self.corpus.is_dir():
            raise Refused(f"cannot be saved: the folder {self.corpus} is not there", 507)
        parent = self._inside(self.corpus / place)
        target = existing(parent, name) or parent / name
        if target.is_dir():
            raise Refused("has the name of a folder: rename it", 400)
        if is_left_out(self.corpus, f"{place}/{name}".lstrip("/")):
            raise Refused("would be left out of the index by a .ragignore", 415)
        if not replace and os.path.lexists(target):
            raise Refused("is there already", 409, exists=True)
        return self.corpus / place / target.name

    def _inside(self, folder: Path) -> Path:
        """The folder, which no link may have led out of the corpus."""
        try:
            resolved = folder.resolve()
        except (OSError, RuntimeError) as error:
            raise Refused("cannot be saved there: the folder is not usable", 400) from error
        if not resolved.is_relative_to(self.corpus.resolve()):
            raise Refused("cannot be saved there: the folder lies outside of the library", 400)
        if resolved.exists() and not resolved.is_dir():
            raise Refused("cannot be saved there: that is a file and no folder", 400)
        return resolved

    def _find(self, document_id: str) -> Path:
        found = file_of(self.corpus, document_id)
        if (
            found is None
            or not found.parent.resolve().is_relative_to(self.corpus.resolve())
            or (found.is_dir() and not found.is_symlink())
        ):
            raise UsageError("There is no such file any more.")
        return found

    @contextmanager
    def _reserve(self, key: str, size: int, replaced: int | None) -> Iterator[None]:
        """Room for a file on its way, in place of one with so many bytes; None if it is new."""
        more, new = size - (replaced or 0), int(replaced is None)
        with self._lock:
            room = self._room
            if time.monotonic() > room.until:
                room.size, room.files = _usage(self.corpus)
                room.until = time.monotonic() + _USAGE_SECONDS
            size_coming = sum(size for size, _ in room.coming.values())
            files_coming = sum(files for _, files in room.coming.values())
            # What takes no more room than before is taken even where the limit is passed.
            if new and room.files + files_coming >= self.limits.files:
                raise Refused(
                    f"is one too many: the library takes {self.limits.files:,} files", 507
                )
            if more > 0 and room.size + size_coming + more > self.limits.total:
                raise Refused(
                    f"does not fit: the library takes {self.limits.total / _MB:,.0f} MB in all", 507
                )
            # The room that a smaller file makes is there once the file is.
            room.coming[key] = max(0, more), new
        try:
            yield
            with self._lock:
                room.size, room.files = room.size + more, room.files + new
        finally:
            with self._lock:
                del room.coming[key]


def _size(path: Path) -> int | None:
    """Bytes of a file, of a link its own; None if there is none."""
    with suppress(OSError):
        return path.lstat().st_size
    return None


def _move(part: Path, target: Path, *, replace: bool) -> None:
    """Give the whole file its name in one step."""
    if replace:
        part.replace(target)
    else:
        try:
            # Unlike a rename, this fails if meanwhile somebody else took the name.
            os.link(part, target)
        except FileExistsError as error:
            raise Refused("is there already", 409, exists=True) from error
        except OSError:
            if os.path.lexists(target):
                raise Refused("is there already", 409, exists=True) from None
            part.replace(target)  # A file system without hard links.
    sync_folder(target.parent)


def _make_aside(aside: Path) -> None:
    """The folder for files on their way, without what was forgotten there."""
    if aside.is_symlink():
        raise OSError(f"{ASIDE} is a link")
    aside.mkdir(exist_ok=True)
    for entry in aside.iterdir():
        with suppress(OSError):
            if time.time() - entry.stat().st_mtime > _FORGOTTEN_SECONDS:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _usage(folder: Path) -> tuple[int, int]:
    """Bytes and number of the files below a folder, hidden ones but those on their way included."""
    size = files = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ASIDE]
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118  paths cost time
                files += 1
    return size, files
