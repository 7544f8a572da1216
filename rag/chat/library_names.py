"""Names of files from outside: made safe to write, and names of any kind made safe to show."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from rag.errors import UnsupportedFormat, UsageError
from rag.loaders import suffix_of
from rag.loaders.fields import SIDECAR

LONGEST = 255
"""Bytes of a name: what file systems take."""
_DEEPEST = 8
_FORBIDDEN = re.compile(r'[<>:"|?*\\/]')
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""What turns the direction of the text around it, and makes a name look like another."""
_UNSAFE = re.compile("[\u200e\u200f\u061c\ufeff" + _TURNING + "]")
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_INVISIBLE = frozenset(["Cc", "Cs", "Co", "Cn", "Zl", "Zp"])


def safe_name(given: str) -> str:
    """The name under which an uploaded file is kept: its last part, good on every system.

    Signs that steer the terminal or the direction of the text are dropped, those that some file
    systems refuse become "_".

    Raises:
        UsageError: nothing usable is left, or it is too long.
        UnsupportedFormat: no loader knows this kind of file.
    """
    last = re.split(r"[/\\]", given)[-1]
    name = _clean(last)
    if not name:
        raise UsageError("has no usable name: rename it")
    if len(name.encode()) > LONGEST:
        raise UsageError(f"has a name of more than {LONGEST} bytes: shorten it")
    if not name.endswith(SIDECAR):
        try:
            suffix_of(name)
        except UnsupportedFormat as error:
            # Which kinds are supported stands on the page already.
            raise UnsupportedFormat(str(error).partition(":")[0]) from error
    elif name == SIDECAR.lstrip("."):
        raise UnsupportedFormat("describes no document: name it after one")
    return name


def safe_folder(given: str) -> str:
    """A folder of the corpus from outside, "/" separated; "" for the corpus itself.

    Raises:
        UsageError: a part of it is not usable, or it is too deep.
    """
    parts = [part for part in re.split(r"[/\\]", given) if part.strip()]
    if len(parts) > _DEEPEST:
        raise UsageError(f"The folder is more than {_DEEPEST} deep.")
    if any(part.strip() in (".", "..") for part in parts):
        raise UsageError("A folder must lie in the library.")
    cleaned = [_clean(part) for part in parts]
    if not all(cleaned) or any(len(part.encode()) > LONGEST for part in cleaned):
        raise UsageError("The folder has no usable name.")
    return "/".join(cleaned)


def _clean(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    name = "".join(sign for sign in name if unicodedata.category(sign) not in _INVISIBLE)
    name = " ".join(_FORBIDDEN.sub("_", _UNSAFE.sub("", name)).split())
    name = name.lstrip(". ").rstrip(". ")
    return f"_{name}" if _DEVICES.fullmatch(name) else name


def shown(name: str) -> str:
    """A name as it can be shown: what would turn or hide its letters stands as its number."""
    return "".join(
        f"⟨U+{ord(sign):04X}⟩"
        if sign in _TURNING or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")
        else sign
        for sign in name
    )


def split_name(document_id: str) -> tuple[str, str]:
    """Folder and name of a document's id."""
    path = PurePosixPath(document_id)
    folder = path.parent.as_posix()
    return "" if folder == "." else folder, path.name
