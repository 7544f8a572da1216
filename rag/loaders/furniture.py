"""Menus, cookie banners and the like that a page names only by its classes and ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lxml import etree

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_NAMES = frozenset(
    "breadcrumb breadcrumbs comments consent cookie cookies footer gdpr newsletter promo promos "
    "sidebar skiplink".split()
)
_IF_LINKS = frozenset(
    "banner feedback menu nav navbar navigation related share social submenu".split()
)
"""Names that real text may go by as well: only a collection of links is furniture then."""
# The name of a part of which the page consists, rather than of the part itself: "has-sidebar".
_AROUND = frozenset("has layout no with without".split())
_WORDS = re.compile(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]+")
_DIALOGS = ("dialog", "alertdialog")
_MOST = 0.5


class _Held(NamedTuple):
    """What an element holds: words outside of links, words in links, and whether a main part."""

    own: int
    linked: int
    main: bool


def drop_furniture(page: HtmlElement) -> None:
    """Drop what is named as furniture, but nothing with the main heading or most of the text."""
    named = [element for element in page.iter(etree.Element) if _kind(element)]
    if not named:
        return
    held = _held(page)
    most = _MOST * held[page].own
    dropped: list[HtmlElement] = []
    inside: set[HtmlElement] = set()
    for element in named:
        own, linked, main = held[element]
        kept = main or own > most or (_kind(element) == "links" and own > linked)
        if element.getparent() is None or element.tag == "body" or kept or element in inside:
            continue
        dropped.append(element)
        inside.update(element.iter(etree.Element))
    if sum(held[element].own for element in dropped) > most:
        return
    for element in dropped:
        element.drop_tree()


def _kind(element: HtmlElement) -> str:
    """Whether the names of an element say "furniture", or furniture if it has only "links"."""
    if element.get("role") in _DIALOGS:
        return "furniture"
    for name in f"{element.get('id', '')} {element.get('class', '')}".split():
        words = {word.lower() for word in _WORDS.findall(name)}
        if words & _AROUND:
            continue
        if words & _NAMES:
            return "furniture"
        if words & _IF_LINKS:
            return "links"
    return ""


def _held(page: HtmlElement) -> dict[HtmlElement, _Held]:
    held: dict[HtmlElement, _Held] = {}
    for _, element in etree.iterwalk(page, events=("end",)):
        own, linked = len((element.text or "").split()), 0
        main = element.tag in ("h1", "main", "article")
        for child in element:
            inner = held[child]
            own += inner.own + len((child.tail or "").split())
            linked += inner.linked
            main = main or inner.main
        held[element] = (
            _Held(0, own + linked, main) if element.tag == "a" else _Held(own, linked, main)
        )
    return held
