"""HTML: what is furniture by its classes and ids, and what only sounds like it."""

from __future__ import annotations

import pytest
from awkward import check_promises, shown

from rag.loaders import load_bytes
from rag.types import Document

PROSE = "Staff keep the receipts of every journey and hand them in within thirty days."
FURNITURE = (
    '<div id="cookieBanner"><p>We keep cookies for two years.</p></div>'
    '<div role="dialog"><p>Stay up to date with our letter.</p></div>'
    '<ul class="top-nav"><li><a href="/">Home</a></li><li><a href="/n">All news</a></li></ul>'
)
BELOW = (
    '<div class="page__sidebar"><h2>Opening hours</h2><p>From nine to five.</p></div>'
    '<div id="related"><h2>Related</h2><p><a href="/x">Find a berth near you</a></p></div>'
    '<div class="site-footer"><p>Agency of Travel, Selhaven</p></div>'
)
TEXT = f"<h1>Travel</h1><p>{PROSE}</p><h2>Rates</h2><p>45 crowns.</p>"


def load(html: str) -> Document:
    document = load_bytes(html.encode(), "policies/travel.html")
    check_promises(document)
    return document


def test_furniture_is_known_by_its_names_where_no_part_is_marked_as_main() -> None:
    more = "Hotels are paid up to the rate of the country, and trains in the second class."
    main = f'<div id="content">{TEXT}<p>{more}</p></div>'
    document = load(f"<body>{FURNITURE}{main}{BELOW}</body>")
    assert shown(document) == [
        ("heading", "Travel"),
        ("paragraph", PROSE),
        ("heading", "Rates"),
        ("paragraph", "45 crowns."),
        ("paragraph", more),
    ]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (f'<div class="sidebar-layout">{TEXT}</div>', "45 crowns."),
        (f'<div class="sidebar"><p>{PROSE}</p></div><p>Ask early.</p>', PROSE),
        (f'{TEXT}<div class="lunch-menu"><p>Soup: 4 crowns.</p></div>', "Soup: 4 crowns."),
        (f'{TEXT}<div class="banner"><p>Closed on 1 May.</p></div>', "Closed on 1 May."),
        (f'<p>{PROSE * 4}</p><div class="comments">{TEXT}</div>', "45 crowns."),
        (
            f'<div class="footer"><p>{PROSE}</p></div><p>Ask at the desk.</p><div class="consent">'
            "<p>All staff have to agree to what is said above before they go abroad.</p></div>",
            "All staff have to agree",
        ),
    ],
    ids=["layout", "most of the text", "a menu", "a banner", "main heading", "together most"],
)
def test_text_is_kept_whatever_its_name(html: str, text: str) -> None:
    assert text in load(f"<body>{html}</body>").text
