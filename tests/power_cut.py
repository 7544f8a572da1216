"""A disk that forgets: records what was synced, and makes the folder that a power cut leaves.

`kill -9` keeps what was written, so it does not show a missing sync. Here every file of a folder
has the content that it had when it was last synced, and every folder the entries that it had when
*it* was last synced; whatever else was done is lost, or only the names of it survive.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

Entries = dict[str, int]


@dataclass
class Snapshot:
    """The disk at one moment: by inode, what is durable, and the names as they stand."""

    event: str
    root: int
    files: dict[int, bytes]
    folders: dict[int, Entries]
    names: dict[int, Entries]
    kinds: dict[int, bool]
    """True for a folder."""

    def restore(self, target: Path, keep_names: Callable[[], bool]) -> None:
        """Make the folder that is found after the cut.

        Args:
            target: where; must not exist.
            keep_names: asked for each folder: True if its unsynced entries came through, as they
                may. What was in the files is lost all the same.
        """
        self._folder(self.root, target, keep_names)

    def _folder(self, inode: int, target: Path, keep_names: Callable[[], bool]) -> None:
        target.mkdir()
        durable = self.folders.get(inode, {})
        entries = self.names.get(inode, durable) if keep_names() else durable
        for name, child in entries.items():
            if self.kinds[child]:
                self._folder(child, target / name, keep_names)
            else:
                (target / name).write_bytes(self.files.get(child, b""))


@dataclass
class Recorder:
    """Watches a folder from the moment at which everything in it is durable."""

    root: Path
    snapshots: list[Snapshot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kinds: dict[int, bool] = {}
        self.folders = self._names()
        self.files = {
            inode: (folder / name).read_bytes()
            for folder, entries in self._walk()
            for name, inode in entries.items()
            if not self.kinds[inode]
        }

    def _walk(self) -> Iterator[tuple[Path, Entries]]:
        for place, _, _ in os.walk(self.root):
            folder = Path(place)
            entries = {}
            for path in folder.iterdir():
                status = path.lstat()
                entries[path.name] = status.st_ino
                self.kinds[status.st_ino] = stat.S_ISDIR(status.st_mode)
            yield folder, entries

    def _names(self) -> dict[int, Entries]:
        return {folder.stat().st_ino: entries for folder, entries in self._walk()}

    def note(self, event: str) -> None:
        """The power may fail here."""
        names = self._names()
        # An inode number is given out again: what is nowhere any more is forgotten.
        alive = {i for e in (*names.values(), *self.folders.values()) for i in e.values()}
        self.files = {inode: data for inode, data in self.files.items() if inode in alive}
        self.snapshots.append(
            Snapshot(event, self.root.stat().st_ino, dict(self.files), dict(self.folders), names,
                     dict(self.kinds))
        )  # fmt: skip

    def synced(self, descriptor: int) -> None:
        """What this descriptor is of is durable from now on."""
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            self.folders[status.st_ino] = self._names().get(status.st_ino, {})
        else:
            path = Path(f"/proc/self/fd/{descriptor}").resolve()
            self.files[status.st_ino] = path.read_bytes()


@contextmanager
def recording(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    """Record every sync and rename below `root`."""
    recorder = Recorder(root)
    fsync, rename, replace = os.fsync, Path.rename, Path.replace

    def noted_fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        recorder.note(f"before the sync of {path.name}")
        fsync(descriptor)
        recorder.synced(descriptor)
        recorder.note(f"after the sync of {path.name}")

    def noted(move: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
        def wrapper(path: Path, target: Path) -> Path:
            recorder.note(f"before {path.name} becomes {target.name}")
            moved = move(path, target)
            recorder.note(f"after {path.name} has become {target.name}")
            return moved

        return wrapper

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", noted_fsync)
        patch.setattr(Path, "rename", noted(rename))
        patch.setattr(Path, "replace", noted(replace))
        yield recorder
    recorder.note("at the end")
