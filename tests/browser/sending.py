"""What the page sends: held back for a while, or noted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from browsing import Visit
from playwright.sync_api import Page, Route, expect

_CALLS = "**/component_server/**"


@contextmanager
def asked(visit: Visit, question: str) -> Iterator[None]:
    """Ask; what is done in here is done before the answer is there."""
    page = visit.page
    settled = page.locator(".turn.settled").count()
    held: list[Route] = []

    def hold(route: Route) -> None:
        if '"answer"' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route(_CALLS, hold)
    page.locator("#rag-question").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".turn .waiting")).to_be_visible()
    yield
    for route in held:
        route.continue_()
    page.unroute(_CALLS)
    expect(page.locator(".turn.settled")).to_have_count(settled + 1)


@contextmanager
def questions(page: Page) -> Iterator[list[tuple[str, list[str]]]]:
    """The questions that are sent in here, each with the questions before it."""
    sent: list[tuple[str, list[str]]] = []

    def note(route: Route) -> None:
        words = route.request.post_data or ""
        if '"answer"' in words:
            payload = next(part for part in _objects(json.loads(words)) if "history" in part)
            before = [turn["content"] for turn in payload["history"] if turn["role"] == "user"]
            sent.append((payload["question"], before))
        route.continue_()

    page.route(_CALLS, note)
    yield sent
    page.unroute(_CALLS)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _objects(inner)
