"""What the browser tests of the library share: its documents, and a page over a folder of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from browsing import Visit, Visitor
from playwright.sync_api import Locator, Page, expect

from rag.chat.library_service import LibraryService

RUNS = "window.hacked=1"
HOSTILE = f"<img src=x onerror={RUNS}>&quot;.md"
TURNED = "leave\u202efdp.md"
LONG = "x" * 247 + ".md"
DOCUMENTS = {
    "handbook/leave.md": "---\ntitle: Annual leave\neffective_date: 2025-01-01\n"
    "review_date: 2020-01-01\n---\n# Annual leave\n\nStaff get 13 days of annual leave a year.\n",
    "handbook/travel.txt": "Travel policy\n\nTrips are booked by the travel office.\n",
    "rules/parking.md": "# Parking\n\nCars are parked behind the gate of the harbour.\n",
    f"rules/{HOSTILE}": f"---\ntitle: '<script>{RUNS}</script>'\n---\n# A\n\nText of a document.\n",
    f"rules/{TURNED}": "# Turned \u202e name\n\nText of a document.\n",
    LONG: "# Long name\n\nText of a document.\n",
    "broken.pdf": "%PDF-1.4",
}
SLOW_WORKER = """
import json, sys, time
sys.stdin.readline()
for share in range(100):
    line = {"stage": "embedding", "share": share / 100, "remaining": 100 - share}
    print(json.dumps(line), flush=True)
    time.sleep(0.3)
"""


@dataclass(frozen=True)
class Library:
    """A page over a folder of its own."""

    url: str
    corpus: Path
    service: LibraryService

    def __call__(self, visit: Visitor, *size: int, **options: Any) -> Page:
        visited: Visit = visit(f"{self.url}?view=library", *size, **options)
        expect(visited.page.locator(".lib-none")).not_to_contain_text("Looking")
        return visited.page


Make = Callable[..., Library]


def rows(page: Page) -> Locator:
    return page.locator(".lib-table tbody tr")


def choose(page: Page, *files: tuple[str, bytes], folder: str = "") -> None:
    page.locator(".lib-chooser").set_input_files(
        [{"name": name, "mimeType": "", "buffer": content} for name, content in files]
    )
    page.locator("#rag-folder").fill(folder)
    page.locator(".lib-into [value=yes]").click()
