"""E-books: the chapters in reading order, each read as the web page that it is."""

from __future__ import annotations

import posixpath
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from rag.errors import DocumentError, NoText
from rag.loaders.builder import TextBuilder, clean
from rag.loaders.html import add_page
from rag.loaders.metadata import believable_title, normalise
from rag.loaders.package import Kind, Package, parse_xml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from rag.types import Document

_KIND = Kind("an EPUB book", ".epub")
_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_DUBLIN_CORE = {
    "title": "title",
    "creator": "author",
    "language": "language",
    "date": "published",
    "subject": "tags",
    "description": "description",
    "source": "source",
}
_PAGES = ("application/xhtml+xml", "text/html")


def load(data: bytes, document_id: str) -> Document:
    """Read an e-book; its own table of contents is left out.

    Raises:
        DocumentError: it is encrypted, damaged, too large when unpacked, or has no text.
    """
    package = Package(data, _KIND)
    locked = _locked(package)
    name = _book(package)
    book = package.xml(name)
    builder = TextBuilder()
    for chapter in _spine(book, posixpath.dirname(name)):
        if chapter in locked:
            raise DocumentError("is encrypted (protected against copying): get it unprotected")
        if chapter in package:
            _add_chapter(package.read(chapter), builder)
    metadata = normalise(_metadata(book))
    title = believable_title(str(metadata.pop("title", "")))
    return builder.build(document_id, title, metadata)


def _add_chapter(data: bytes, builder: TextBuilder) -> None:
    # A cover or a divider may have no text; a chapter that cannot be read is damage.
    with suppress(NoText):
        add_page(data, builder)


def _book(package: Package) -> str:
    """The part that says what the book is made of."""
    for element in package.xml(_CONTAINER).iter("{*}rootfile"):
        name = str(element.get("full-path", ""))
        if name in package:
            return name
    raise DocumentError("is damaged or not an EPUB book (no contents): save it again as .epub")


def _locked(package: Package) -> set[str]:
    """Parts that are encrypted; fonts often are, to hinder their re-use."""
    if _ENCRYPTION not in package:
        return set()
    root = parse_xml(package.read(_ENCRYPTION), _KIND.name)
    return {unquote(element.get("URI", "")) for element in root.iter("{*}CipherReference")}


def _spine(book: etree._Element, folder: str) -> Iterator[str]:
    """Names of the parts with text, in reading order."""
    items = {item.get("id", ""): item for item in book.iter("{*}item")}
    for reference in book.iter("{*}itemref"):
        item = items.get(reference.get("idref", ""))
        if item is None or item.get("media-type", "") not in _PAGES:
            continue
        if "nav" not in item.get("properties", "").split():
            path = unquote(urlsplit(item.get("href", "")).path)
            yield posixpath.normpath(posixpath.join(folder, path))


def _metadata(book: etree._Element) -> dict[str, object]:
    found: dict[str, list[str]] = {}
    for element in book.iter("{http://purl.org/dc/elements/1.1/}*"):
        name = _DUBLIN_CORE.get(str(element.tag).rpartition("}")[2])
        text = clean("".join(element.itertext()))
        if name and text:
            found.setdefault(name, []).append(text)
    several = ("author", "tags")
    return {name: texts if name in several else texts[0] for name, texts in found.items()}
