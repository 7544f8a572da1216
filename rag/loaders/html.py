"""HTML: the main text of a page, without navigation and other page furniture.

Where the page itself marks its main part, that is taken as it stands. Elsewhere what is named as
furniture is dropped, and trafilatura finds the main text; if it keeps too little of what a reader
sees, the whole body is taken.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from rag.errors import DocumentError, NoText
from rag.loaders.bold import with_bold_headings
from rag.loaders.builder import TextBuilder, clean
from rag.loaders.decoding import decode
from rag.loaders.furniture import drop_furniture
from rag.loaders.metadata import ALIASES, normalise
from rag.loaders.tree import add_tree, raise_text, spread_cells

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from rag.types import Document

_CHARSET = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?([\w-]{2,40})", re.IGNORECASE
)
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_NESTING = re.compile(
    r"</?(?!(?:h[1-6]|p|li|tr|td|th|br|title|meta|html|head|body|script|style)\b)[a-z][^<>]{0,2000}>",
    re.IGNORECASE,
)
_UNSEEN = etree.XPath(
    "//script|//style|//template|//noscript|//iframe|//svg|//object|//select|//textarea|//dialog"
    # What is struck out no longer holds.
    "|//del|//s|//strike"
    "|//*[@hidden or @aria-hidden='true' or contains(translate(@style, ' ', ''), 'display:none')"
    " or contains(translate(@style, ' ', ''), 'visibility:hidden')]"
)
_FURNITURE = etree.XPath(
    ".//nav|.//aside|.//footer|.//form//button|.//*[@role='navigation' or @role='search' or"
    " @role='banner' or @role='contentinfo' or @role='complementary']"
    "|.//header[not(ancestor::main or ancestor::article or .//h1)]"
)
_MAIN = etree.XPath("//main|//*[@role='main']")
_ARTICLE = etree.XPath("//article[not(ancestor::article)]")
_WORDS_AT_MOST = 1_000_000
_ENOUGH_MARKED = 0.3
_ENOUGH_FOUND = 0.9
_META_PREFIX = re.compile(r"^(?:dc|dcterms|article|og|citation|sailthru|parsely)[.:_-]")
# A page has its title elsewhere, and "og:locale" names a country where a language is meant.
_NOT_META = ("title", "locale")
_META = {
    name: field
    for name, field in {**ALIASES, "created": "published"}.items()
    if name not in _NOT_META
}

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


def load(data: bytes, document_id: str) -> Document:
    """Read a web page.

    Raises:
        DocumentError: it is empty, not text, or has no text that a reader would see.
    """
    page = _parse(data)
    metadata = normalise(_metadata(page))
    _prepare(page)
    headline = _headline(page)
    title = headline or clean(page.findtext(".//title") or "")
    builder = TextBuilder()
    bold = _add_main_text(page, builder, headline)
    return with_bold_headings(builder.build(document_id, title, metadata), bold)


def add_page(data: bytes, builder: TextBuilder) -> None:
    """Add all that a reader sees of a page which is part of something larger, such as a book."""
    page = _parse(data)
    _prepare(page)
    body = page.find("body")
    add_tree(page if body is None else body, builder)


def source_text(data: bytes, charset: str | None = None) -> str:
    """The HTML of a page, decoded as a server's `charset` says, or else the page itself.

    Raises:
        DocumentError: it is empty or not text.
    """
    declared = _CHARSET.search(data, 0, 4096)
    return decode(data, charset or (declared[1].decode("ascii", "replace") if declared else None))


def _parse(data: bytes) -> HtmlElement:
    text = source_text(data)
    page = _tree(text)
    if page is None:
        # So deeply nested that the parser gave up: what remains can hardly nest.
        page = _tree(_NESTING.sub(" ", text))
    if page is None:
        raise DocumentError("is not readable HTML: open it in a browser and save it again")
    return page


def _tree(text: str) -> HtmlElement | None:
    text = _CONTROL.sub("", text)
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        page = document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        raise NoText("has no text") from None
    except etree.LxmlError:
        return None
    fatal = any(entry.level_name == "FATAL" for entry in parser.error_log)
    return None if fatal else page


def _prepare(page: HtmlElement) -> None:
    """Leave what a reader sees, with everything said by the looks of it said in the text."""
    for element in _UNSEEN(page):
        _drop(element)
    for element in page.iter("sup", "sub"):
        raise_text(element, below=element.tag == "sub")
    spread_cells(page)


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _headline(page: HtmlElement) -> str:
    headlines = [text for text in map(_heading_text, page.iter("h1")) if text]
    return headlines[0] if len(headlines) == 1 else ""


def _heading_text(element: etree._Element) -> str:
    return clean(" ".join(element.itertext()))


def _add_main_text(page: HtmlElement, builder: TextBuilder, headline: str) -> set[int]:
    for element in _FURNITURE(page):
        _drop(element)
    chosen = _main_part(page)
    if headline and headline not in map(_heading_text, chosen.iter("h1", "head")):
        builder.heading(headline, 1)
    return add_tree(chosen, builder)


def _main_part(page: HtmlElement) -> etree._Element:
    """What the page marks as its main part, else what trafilatura finds, else the whole body."""
    whole = page.find("body")
    if whole is None:
        whole = page
    marked = _MAIN(page) or _ARTICLE(page)
    if len(marked) == 1 and _words(marked[0]) >= _ENOUGH_MARKED * _words(whole):
        return marked[0]
    drop_furniture(page)
    found = _trafilatura(page)
    if found is None:
        return whole
    enough = _words(found) >= _ENOUGH_FOUND * _words(whole, links=False)
    structured = _structure(found) >= _ENOUGH_FOUND * _structure(whole)
    return found if enough and structured else whole


def _trafilatura(page: HtmlElement) -> etree._Element | None:
    if _words(page) > _WORDS_AT_MOST:
        return None
    # Imported here because most pages mark their main part.
    from trafilatura import bare_extraction

    try:
        found = bare_extraction(page, favor_recall=True, include_comments=False)
    except (RecursionError, ValueError, TypeError, AttributeError, etree.LxmlError):
        return None
    return getattr(found, "body", None)


def _words(element: etree._Element, *, links: bool = True) -> int:
    total = sum(len(text.split()) for text in element.itertext())
    return total if links else total - sum(_words(link) for link in element.iter("a"))


def _structure(element: etree._Element) -> int:
    """How many headings and table rows there are."""
    return sum(1 for _ in element.iter("h1", "h2", "h3", "h4", "h5", "h6", "head", "tr", "row"))


def _metadata(page: HtmlElement) -> dict[str, object]:
    raw: dict[str, object] = {}
    for element in page.iter("meta"):
        name = (element.get("name") or element.get("property") or "").strip().lower()
        name = _META.get(re.sub(r"[\s-]+", "_", _META_PREFIX.sub("", name)), "")
        content = element.get("content", "").strip()
        if name and content:
            raw.setdefault(name, content)
    language = (page.get("lang") or "").strip()
    if language:
        raw.setdefault("language", language)
    for link in page.iter("link"):
        if link.get("rel") == "canonical" and link.get("href"):
            raw.setdefault("source", link.get("href"))
    return raw
