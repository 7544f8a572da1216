"""The few file operations on which durability depends, in one place so that tests can watch."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xxhash

_PIECE = 2**20
_WRITTEN_IN_PART = re.compile(r"\d+ requested and \d+ written")
_SYNCED_EVERY = 0.5
"""Seconds between two looks at what has grown."""
_SYNCED_GROWTH = 128 * 2**20
"""Bytes by which a file has to grow before it is worth its while."""


def sync_file(path: Path) -> None:
    """After this returns, the content of `path` survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """After this returns, creations, renames and deletions in `path` survive a power cut."""
    if os.name == "nt":  # Windows cannot open a folder; its renames are journalled.
        return
    sync_file(path)


@contextmanager
def synced_early(folder: Path) -> Iterator[None]:
    """What grows in `folder` is on its way to disk while the rest is still being computed.

    It saves waiting, no more: whatever has to be durable is to be synced afterwards.

    Raises:
        OSError: what was written cannot be stored. A second sync might not say so again.
    """
    ended, failures = threading.Event(), list[OSError]()

    def work() -> None:
        synced: dict[Path, int] = {}
        while not failures and not ended.wait(_SYNCED_EVERY):
            for path in filter(Path.is_file, folder.rglob("*")):
                try:
                    size = path.stat().st_size
                    if size - synced.get(path, 0) >= _SYNCED_GROWTH:
                        sync_file(path)
                        synced[path] = size
                except FileNotFoundError:
                    continue  # Scratch, deleted meanwhile.
                except OSError as error:
                    failures.append(error)

    thread = threading.Thread(target=work, name="syncing", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if failures:
        raise failures[0]


def replace_file(path: Path, content: bytes) -> None:
    """Set the content of `path` in one step: a reader sees the old or the new, never a part.

    Raises:
        OSError: nothing has changed.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def remove_folder(path: Path) -> None:
    """Delete a folder so that an interrupted deletion never looks like a whole folder."""
    doomed = path
    if not path.name.startswith("."):
        doomed = path.with_name(f".deleted-{path.name}")
        path.rename(doomed)
    shutil.rmtree(doomed)


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint_of(path: Path) -> str:
    """Hex XXH3 of a file's bytes: against accidents, not against intent, in a third of the time."""
    fingerprint = xxhash.xxh3_64()
    for piece in _pieces(path):
        fingerprint.update(piece)
    return fingerprint.hexdigest()


def digests_of(path: Path) -> tuple[str, str]:
    """`sha256_of` and `fingerprint_of` a file that is read once."""
    digest, fingerprint = hashlib.sha256(), xxhash.xxh3_64()
    for piece in _pieces(path):
        digest.update(piece)
        fingerprint.update(piece)
    return digest.hexdigest(), fingerprint.hexdigest()


def _pieces(path: Path) -> Iterator[memoryview]:
    """A file's bytes; each piece is good until the next one is taken."""
    buffer = bytearray(_PIECE)
    with memoryview(buffer) as view, path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            yield view[:count]


def describe_error(error: Exception) -> str:
    """What the system says, without the number; for an error that says nothing, its name."""
    text = str(getattr(error, "strerror", None) or error or type(error).__name__)
    # NumPy counts, and does not ask the system why.
    return f"the disk is full ({text})" if _WRITTEN_IN_PART.fullmatch(text) else text


def describe_with_file(error: Exception) -> str:
    """The same with the file, for a message that names only the folder of many."""
    # Of two names the second is the one that a file was to have.
    name = getattr(error, "filename2", None) or getattr(error, "filename", None)
    text = describe_error(error)
    return f"{text}: {os.fsdecode(name)}" if isinstance(name, (str, bytes, os.PathLike)) else text
