"""ZIP packages and the XML in them: what office documents and e-books have in common.

Both are opened with limits, because a few kilobytes of either can unpack to gigabytes.
"""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from rag.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml import etree

_UNPACKED_AT_MOST = 200_000_000
_ENTRIES_AT_MOST = 20_000
_OLD_FORMAT = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ENTITY = "<!ENTITY"
_ENTITIES = tuple(_ENTITY.encode(code) for code in ("ascii", "utf-16-le", "utf-16-be"))


_BOMB = "defines XML entities, which can be a bomb: save it without them"
_BEGINNING = 4096
_BROKEN = (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, EOFError, OSError)
DAMAGE = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, SyntaxError)
"""What libraries raise while they unpack a damaged part or parse its XML, and our code does not."""


class Kind(NamedTuple):
    """What a package should be, in the words of an error message.

    Attributes:
        name: with its article, such as "a Word document".
        suffix: what it is saved as.
        old: the name of its older binary format, "" if there was none.
    """

    name: str
    suffix: str
    old: str = ""


def check_package(data: bytes, kind: Kind) -> None:
    """Refuse what is no package, encrypted, in an old format, or too large once unpacked.

    Raises:
        DocumentError: which of these it is.
    """
    if data.startswith(_OLD_FORMAT):
        if _ENCRYPTED in data:
            raise DocumentError("is encrypted: save a copy without a password")
        if kind.old:
            raise DocumentError(f"is in the old {kind.old} format: save it as {kind.suffix}")
    try:
        with zipfile.ZipFile(BytesIO(data)) as package:
            entries = package.infolist()
            _check_size(entries)
            defines = any(
                entry.filename.endswith((".xml", ".rels", ".opf")) and _defines(package, entry)
                for entry in entries
            )
    except _BROKEN as error:
        raise DocumentError(
            f"is damaged or not {kind.name}: save it again as {kind.suffix}"
        ) from error
    if defines:
        raise DocumentError(_BOMB)


def _check_size(entries: Sequence[zipfile.ZipInfo]) -> None:
    # Never more than declared is unpacked: zipfile stops there.
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _UNPACKED_AT_MOST:
        raise DocumentError(
            f"unpacks to {unpacked // 1_000_000} MB, more than the "
            f"{_UNPACKED_AT_MOST // 1_000_000} MB allowed: remove its pictures or split it"
        )
    if len(entries) > _ENTRIES_AT_MOST:
        raise DocumentError(
            f"holds {len(entries):,} files, more than the {_ENTRIES_AT_MOST:,} allowed: split it"
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise DocumentError("is encrypted: save a copy without a password")


def _defines(package: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whether an XML part defines entities, which has no honest use in such a package."""
    with package.open(entry) as part:
        beginning = part.read(_BEGINNING)
    return any(mark in beginning for mark in _ENTITIES)


class Package:
    """A checked package, whose parts are read by name."""

    def __init__(self, data: bytes, kind: Kind) -> None:
        """Open it.

        Raises:
            DocumentError: see `check_package`.
        """
        check_package(data, kind)
        self._kind = kind
        self._zip = zipfile.ZipFile(BytesIO(data))

    def __contains__(self, name: str) -> bool:
        """Whether there is such a part."""
        return name in self._zip.NameToInfo

    def read(self, name: str) -> bytes:
        """The content of a part.

        Raises:
            DocumentError: it is missing or damaged.
        """
        try:
            return self._zip.read(name)
        except (KeyError, *_BROKEN) as error:
            raise self._damaged(name) from error

    def xml(self, name: str) -> etree._Element:
        """The root element of a part.

        Raises:
            DocumentError: it is missing, damaged, or no XML that can be read safely.
        """
        return parse_xml(self.read(name), f"{self._kind.name} ({name})")

    def _damaged(self, name: str) -> DocumentError:
        return DocumentError(
            f"is damaged or not {self._kind.name} ({name}): save it again as {self._kind.suffix}"
        )


def parse_xml(data: bytes, name: str) -> etree._Element:
    """The root element; nothing outside the data is read, and no entity is expanded.

    Args:
        data: the XML.
        name: what it should be, with its article, for the error message.

    Raises:
        DocumentError: it is not well-formed, or defines entities: a few of them, each made of the
            one before, stand for gigabytes.
    """
    # Imported here so that a package can be checked without it.
    from lxml import etree

    if any(mark in data for mark in _ENTITIES):
        raise DocumentError(_BOMB)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True,
        remove_pis=True,
    )  # fmt: skip
    try:
        root: etree._Element = etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError) as error:
        detail = " ".join(str(error).split())[:100]
        raise DocumentError(f"is damaged or not {name} ({detail}): save it again") from error
    return root
