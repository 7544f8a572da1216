"""Which files of a folder are documents."""

from __future__ import annotations

import os
import stat
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pathspec

from rag.errors import CorpusNotFound, UnsupportedFormat
from rag.loaders import LOADERS, suffix_of
from rag.loaders.fields import SIDECAR, sidecar_names, sidecar_of
from rag.types import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

IGNORE_FILE = ".ragignore"
_INDEX = frozenset(
    {"generations", "CURRENT", "LOCK", "LOCK.holder", "journal.sqlite", "touched.json"}
)
"""What `rag.store` writes into the folder of an index; it may lie in the corpus."""
MAX_BYTES = 200_000_000
_UNPRINTABLE = frozenset(["Cc", "Cs", "Zl", "Zp"])


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A file that a loader can be tried on.

    Attributes:
        id: path relative to the corpus folder, "/" separated, NFC.
        path: where it is.
        size: bytes.
        mtime_ns: time of last change, nanoseconds since the epoch.
        extra: the file beside it with its metadata, such as "leave.pdf.meta.yaml", or None.
        extra_size: bytes of that; 0 if there is none.
        extra_mtime_ns: its time of last change; 0 if there is none.
    """

    id: str
    path: Path
    size: int
    mtime_ns: int
    extra: Path | None = None
    extra_size: int = 0
    extra_mtime_ns: int = 0

    @property
    def stamp(self) -> tuple[int, int]:
        """Size and time of change, the metadata beside it included: as before, it is unchanged."""
        return self.size + self.extra_size, self.mtime_ns + self.extra_mtime_ns


@dataclass(frozen=True, slots=True)
class Scan:
    """What a folder holds: documents, and files that are none; each sorted by id."""

    files: tuple[CorpusFile, ...]
    skipped: tuple[Problem, ...]


def scan(folder: Path, max_bytes: int = MAX_BYTES) -> Scan:
    """List the documents below a folder, without reading them.

    A file such as `leave.pdf.meta.yaml` or `leave.meta.yaml` belongs to the document beside it.
    Left out silently: hidden files and folders, what a `.ragignore` (gitignore syntax, in any
    folder, a deeper one wins) excludes, and what an index consists of. Left out with a reason:
    unsupported kinds of files, files larger than `max_bytes`, links that lead out of the folder,
    names that cannot be printed, what cannot be read.

    Raises:
        CorpusNotFound: there is no such folder, or it cannot be read.
    """
    folder = Path(folder)
    try:
        root = folder.resolve(strict=True)
        with os.scandir(root):
            pass
    except FileNotFoundError as error:
        raise CorpusNotFound(
            f"there is no folder {folder}: create it and put documents into it, or name another"
        ) from error
    except NotADirectoryError as error:
        raise CorpusNotFound(f"{folder} is not a folder: name a folder of documents") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise CorpusNotFound(
            f"the folder {folder} cannot be read ({_reason(error)}): check its permissions"
        ) from error
    files: dict[str, CorpusFile] = {}
    skipped: list[Problem] = []
    for found in _walk(root, root, "", ()):
        if isinstance(found, Problem):
            skipped.append(found)
        elif found.size > max_bytes:
            skipped.append(Problem(found.id, _too_large(found.size, max_bytes)))
        elif found.id in files:
            skipped.append(
                Problem(found.id, "differs from another name only in Unicode form: rename it")
            )
        else:
            files[found.id] = found
    skipped.sort(key=lambda problem: (problem.document, problem.reason))
    return Scan(tuple(files[name] for name in sorted(files)), tuple(skipped))


def is_left_out(folder: Path, name: str) -> bool:
    """Whether a `.ragignore` excludes this id, be there such a file or not.

    Args:
        folder: of the corpus.
        name: path relative to it, "/" separated.
    """
    rules: _Rules = ()
    *parents, _ = PurePosixPath(name).parts
    for depth in range(len(parents) + 1):
        prefix = "".join(f"{parent}/" for parent in parents[:depth])
        if prefix and _ignored(prefix, rules):
            return True
        rules = (*rules, *_ignore_file(folder / prefix, prefix)[0])
    return _ignored(name, rules)


_Rules = tuple[tuple[str, pathspec.GitIgnoreSpec], ...]
"""Ignore files from the root down: the prefix of the folder that each stands in, and its lines."""


def _walk(root: Path, folder: Path, prefix: str, rules: _Rules) -> Iterator[CorpusFile | Problem]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield Problem(_printable(prefix), f"cannot be read: {_reason(error)}")
        return
    own, problem = _ignore_file(folder, prefix)
    rules = (*rules, *own)
    if problem:
        yield problem
    names = {entry.name for entry in found}
    described = _described(names)
    is_index = "generations" in names and ("CURRENT" in names or "LOCK" in names)
    for entry in found:
        name = prefix + entry.name
        if entry.name.startswith(".") or (is_index and entry.name in _INDEX):
            continue
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            if not _printable_name(entry.name):
                yield Problem(_printable(name), "has a name that cannot be printed: rename it")
            elif _ignored(name + "/" if is_folder else name, rules):
                continue
            elif is_folder:
                yield from _walk(root, Path(entry.path), f"{name}/", rules)
            else:
                yield from _file(root, entry, unicodedata.normalize("NFC", name), described)
        except OSError as error:
            yield Problem(_printable(name), f"cannot be read: {_reason(error)}")


def _described(names: Iterable[str]) -> frozenset[str]:
    """Files of metadata that may describe one of these files of a folder; none if there are none.

    Most folders have no such file: then nothing needs to be looked for beside each document.
    """
    names = list(names)
    if not any(name.endswith(SIDECAR) for name in names):
        return frozenset()
    documents = (name for name in names if PurePosixPath(name).suffix.lower() in LOADERS)
    return frozenset(beside for name in documents for beside in sidecar_names(name))


def _sidecar(entry: os.DirEntry[str], name: str, describes: bool) -> Iterator[Problem]:
    """What is wrong with a file of metadata, which is no document itself."""
    if not describes:
        yield Problem(name, "describes no document: name it after one, as in leave.pdf.meta.yaml")
    elif entry.is_symlink():
        yield Problem(name, "is a link, which is not followed: copy the file here")


def _file(
    root: Path, entry: os.DirEntry[str], name: str, described: frozenset[str]
) -> Iterator[CorpusFile | Problem]:
    path = Path(entry.path)
    if path.name.endswith(SIDECAR):
        yield from _sidecar(entry, name, path.name in described)
        return
    if entry.is_symlink():
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):
            yield Problem(name, "is a link that leads nowhere: remove it or mend it")
            return
        if not target.is_relative_to(root):
            yield Problem(name, "is a link that leads out of the folder: copy the file here")
            return
        if target.is_dir():
            yield Problem(name, "is a link to a folder: its documents are read where they are")
            return
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        yield Problem(name, "is not a regular file: remove it")
        return
    try:
        suffix_of(name)
    except UnsupportedFormat as error:
        yield Problem(name, str(error))
        return
    if not os.access(path, os.R_OK, effective_ids=True):
        yield Problem(name, "cannot be read: Permission denied")
        return
    file = CorpusFile(name, path, status.st_size, status.st_mtime_ns)
    yield _with_extra(file) if described else file


def _with_extra(file: CorpusFile) -> CorpusFile:
    beside = sidecar_of(file.path)
    if beside is None:
        return file
    status = beside.stat()
    return replace(file, extra=beside, extra_size=status.st_size, extra_mtime_ns=status.st_mtime_ns)


def _ignore_file(folder: Path, prefix: str) -> tuple[_Rules, Problem | None]:
    path = folder / IGNORE_FILE
    if not path.is_file():
        return (), None
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        return ((prefix, pathspec.GitIgnoreSpec.from_lines(lines)),), None
    except (OSError, ValueError) as error:
        problem = Problem(_printable(prefix + IGNORE_FILE), f"is not obeyed: {_reason(error)}")
        return (), problem


def _ignored(name: str, rules: _Rules) -> bool:
    for prefix, rule in reversed(rules):
        included = rule.check_file(name[len(prefix) :]).include
        if included is not None:
            return included
    return False


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())


def _printable_name(name: str) -> bool:
    return _UNPRINTABLE.isdisjoint(map(unicodedata.category, name))


def _printable(name: str) -> str:
    """The name with what cannot be printed as escapes, so that it fits on one line anywhere."""
    return "".join(
        character if _printable_name(character) else ascii(character)[1:-1]
        for character in unicodedata.normalize("NFC", name)
    )


def _too_large(size: int, limit: int) -> str:
    return f"is {size / 1e6:,.0f} MB, over the limit of {limit / 1e6:,.0f} MB: split it"
