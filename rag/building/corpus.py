"""Which files of a folder are documents."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import pathspec

from rag.errors import CorpusNotFound, DocumentError, UnsupportedFormat
from rag.loaders import LOADERS, suffix_of
from rag.loaders.decoding import decode
from rag.loaders.fields import SIDECAR, sidecar_names, sidecar_of
from rag.types import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

IGNORE_FILE = ".ragignore"
_INDEX = frozenset(
    {
        "generations", "CURRENT", "LOCK", "LOCK.holder", "journal.sqlite", "corpus.json",
        "seen.json", "touched.json",
    }
)  # fmt: skip
"""What `rag.store` writes into the folder of an index, which may lie in the corpus. Nothing writes
"touched.json" any more, but without it that of an old index would be read as a document."""
MAX_BYTES = 200_000_000
_LATEST = 2**63 - 1
_UNPRINTABLE = frozenset(["Cc", "Cs", "Zl", "Zp"])


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A file that a loader can be tried on.

    Attributes:
        id: path relative to the corpus folder, "/" separated, NFC.
        path: where it is.
        size: bytes.
        look: bytes and time of change, those of the file beside it added; a copy has the same.
        stamp: 64 bits of all that can be seen of it, and of the file beside it, without opening
            them: as before, they are unchanged.
        changed_ns: when one of them last changed, by the time that the system keeps, nanoseconds
            since the epoch.
        extra: the file beside it with its metadata, such as "leave.pdf.meta.yaml", or None.
    """

    id: str
    path: Path
    size: int
    look: tuple[int, int]
    stamp: int
    changed_ns: int
    extra: Path | None = None


def look_at(name: str, path: Path, status: os.stat_result, extra: Path | None) -> CorpusFile:
    """The file as it looks now.

    Raises:
        OSError: there is no `extra`.
    """
    found = [status] if extra is None else [status, extra.stat()]
    # Size and time of change can be set at will, and are in every unpacked archive; the time that
    # the system keeps cannot, and another file has another number.
    seen = [(s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for s in found]
    stamp = int.from_bytes(blake2b(repr(seen).encode(), digest_size=8).digest())
    sizes, times, kept_times, _ = zip(*seen, strict=True)
    # The year may be any, and SQLite's numbers end in 2262.
    look = sum(sizes), max(-_LATEST, min(_LATEST, sum(times)))
    return CorpusFile(name, path, status.st_size, look, stamp, max(kept_times), extra)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a folder holds: documents, and files that are none; each sorted by id."""

    files: tuple[CorpusFile, ...]
    skipped: tuple[Problem, ...]


def file_of(folder: Path, document_id: str) -> Path | None:
    """Where the file of a document is, if there is one; it may be a link that leads elsewhere."""
    path: Path | None = folder
    for name in PurePosixPath(document_id).parts:
        path = path and existing(path, name)
    return path


def existing(folder: Path, name: str) -> Path | None:
    """The entry of a folder with this name, whatever Unicode form it has: ids have NFC."""
    path = folder / name
    if os.path.lexists(path):
        return path
    wanted = unicodedata.normalize("NFC", name)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if unicodedata.normalize("NFC", entry.name) == wanted:
                return folder / entry.name
    return None


def scan(folder: Path, max_bytes: int = MAX_BYTES) -> Scan:
    """List the documents below a folder, without reading them.

    A file such as `leave.pdf.meta.yaml` or `leave.meta.yaml` belongs to the document beside it.
    Left out silently: hidden files and folders, what a `.ragignore` (gitignore syntax, in any
    folder, a deeper one wins) excludes, and what an index consists of. Left out with a reason:
    unsupported kinds of files, files larger than `max_bytes`, links that lead out of the folder,
    names that cannot be printed, what cannot be read, and all of a folder whose `.ragignore`
    cannot be read.

    Raises:
        CorpusNotFound: there is no such folder, or it or its `.ragignore` cannot be read.
    """
    folder = Path(folder)
    try:
        root = folder.resolve(strict=True)
        with os.scandir(root):
            pass
        _ignore_file(root, "")
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
    except DocumentError as error:
        raise CorpusNotFound(
            f"what {folder / IGNORE_FILE} leaves out is not known, for it {error}: mend or "
            "remove it"
        ) from error
    files: dict[str, CorpusFile] = {}
    skipped: list[Problem] = []
    for found in _walk(root):
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
    """Whether a `.ragignore` excludes this id or cannot be read, be there such a file or not.

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
        try:
            rules = (*rules, *_ignore_file(folder / prefix, prefix)[0])
        except DocumentError:
            return True
    return _ignored(name, rules)


_Rules = tuple[tuple[str, pathspec.GitIgnoreSpec], ...]
"""Ignore files from the root down: the prefix of the folder that each stands in, and its lines."""


class _Folder(NamedTuple):
    """A folder to be looked into, and the rules of those above it."""

    path: Path
    prefix: str
    rules: _Rules


def _walk(root: Path) -> Iterator[CorpusFile | Problem]:
    """Everything below the folder; folders may be nested more deeply than calls may."""
    folders = deque([_Folder(root, "", ())])
    while folders:
        for found in _entries(root, folders.popleft()):
            if isinstance(found, _Folder):
                folders.append(found)
            else:
                yield found


def _entries(root: Path, folder: _Folder) -> Iterator[CorpusFile | Problem | _Folder]:
    path, prefix, rules = folder
    try:
        with os.scandir(path) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        own, wrong = _ignore_file(path, prefix)
    except OSError as error:
        yield Problem(_printable(prefix), f"cannot be read: {_reason(error)}")
        return
    except DocumentError as error:
        # What was to be kept out of the index is not known, so all of it is.
        yield Problem(_printable(prefix), f"is left out, for its {IGNORE_FILE} {error}")
        return
    rules = (*rules, *own)
    if wrong:
        yield Problem(_printable(prefix + IGNORE_FILE), wrong)
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
                yield _Folder(Path(entry.path), f"{name}/", rules)
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
    yield look_at(name, path, status, sidecar_of(path) if described else None)


def _ignore_file(folder: Path, prefix: str) -> tuple[_Rules, str]:
    """The rules of a folder, and what is wrong with some of them ("" if nothing is).

    Raises:
        DocumentError: there are some, but they cannot be read.
    """
    path = folder / IGNORE_FILE
    if not os.path.lexists(path):
        return (), ""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DocumentError("is not a regular file")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise DocumentError("is a link that leads nowhere") from error
    except OSError as error:
        raise DocumentError(f"cannot be read: {_reason(error)}") from error
    # A character that got lost may have been any.
    text = decode(data).replace("\ufffd", "?") if data.strip() else ""
    good, wrong = [], []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            pathspec.GitIgnoreSpec.from_lines([line])
            good.append(line)
        except (ValueError, re.error):
            wrong.append(f"line {number}")
    rules = ((prefix, pathspec.GitIgnoreSpec.from_lines(good)),)
    return rules, f"is obeyed but for what is no pattern: {', '.join(wrong)}" if wrong else ""


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
