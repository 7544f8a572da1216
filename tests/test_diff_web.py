"""`rag diff` of documents that were fetched from the web."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import pytest

from rag.comparing.generations import DocumentChange, FieldChange, compare
from rag.web.fetching import Fetched
from rag.web.pages import keep

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]

URL = "https://example.org/leave"
PAGE = """<html lang="en"><head><title>Annual leave</title>
<meta name="author" content="{author}"></head><body><main><h1>Annual leave</h1>
<p>Staff get {days} days of leave in a year, and they can carry five over to the next.</p>
</main></body></html>"""


def fetched(days: int, author: str, modified: str, media_type: str) -> Fetched:
    text = PAGE.format(days=days, author=author) if media_type == "text/html" else f"{days} days."
    return Fetched(URL, text.encode(), media_type, "utf-8", modified)


@pytest.mark.parametrize("media_type", ["text/html", "text/csv"])
def test_what_is_noted_of_the_fetching_is_no_change(workshop: Make, media_type: str) -> None:
    made = workshop({})
    first = fetched(13, "HR", "Mon, 05 Jan 2026 08:00:00 GMT", media_type)
    name = keep(first, made.corpus, date(2026, 1, 6)).document
    made.build()
    second = fetched(14, "HR", "Thu, 05 Feb 2026 08:00:00 GMT", media_type)
    assert keep(second, made.corpus, date(2026, 2, 6)).what == "changed"
    made.build()
    [change] = compare(made.index).documents
    assert (change.document, change.fields, len(change.sentences)) == (name, (), 1)


def test_what_a_page_says_of_itself_is(workshop: Make) -> None:
    made = workshop({})
    for day, author in ((6, "HR"), (7, "Human resources")):
        page = fetched(13, author, f"Mon, 0{day} Jan 2026 08:00:00 GMT", "text/html")
        name = keep(page, made.corpus, date(2026, 1, day)).document
        made.build()
    field = FieldChange("author", "HR", "Human resources")
    assert compare(made.index).documents == (
        DocumentChange("changed", name, "Annual leave", None, (), (field,)),
    )
