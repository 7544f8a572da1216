"""What the library's script may ask of the server: list, check, delete, rebuild, compare.

As in `service`, a call takes and returns a JSON object; `{"error": "…"}` is a sentence to show.
Each call also gets the headers of its request: those that change something ask `Access` first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, get_args

from starlette.routing import BaseRoute

from rag.building.progress import duration
from rag.chat import library_html, payloads
from rag.chat.engine import Engine, snapshot
from rag.chat.library_access import Access, access_from
from rag.chat.library_builds import Build, Builds
from rag.chat.library_files import Files, Limits, Refused
from rag.chat.library_names import split_name
from rag.chat.library_rows import (
    STATES,
    Column,
    Listing,
    Row,
    Wanted,
    choose,
    counted,
    list_documents,
    matching,
)  # fmt: skip
from rag.chat.library_upload import upload_route
from rag.chat.origin import Headers
from rag.chat.owner import Owner
from rag.chat.payloads import Call, Payload
from rag.comparing.generations import compare
from rag.errors import UsageError
from rag.loaders import LOADERS
from rag.settings import Settings
from rag.text import wording

AT_ONCE = 500
"""So many files may be chosen at once."""
_SHOWN = 100
_MOST_SHOWN = 20_000
_FRESH_SECONDS = 5.0
_MAX_NAME = 4_096
_MAX_WORDS = 200
_MB = 1_000_000
_DATED: tuple[Column, ...] = ("published", "effective_date", "review_date")


@dataclass(frozen=True)
class _Listed:
    listing: Listing
    until: float


class LibraryService:
    """The calls, bound to one engine and the folders that the settings name."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings | None = None,
        builds: Builds | None = None,
        owner: Owner | None = None,
    ) -> None:
        """Without settings the documents of the index are listed, and nothing can be changed.

        Where the settings leave changes to the owner, and none is given, nobody can make them.
        """
        self._engine, self._settings = engine, settings
        self.owner = owner or Owner()
        self.access = access_from(settings, self.owner) if settings else Access("read")
        limits = settings or Settings()
        self.files = Files(
            limits.corpus,
            Limits(limits.max_file_mb * _MB, limits.library_max_mb * _MB, limits.library_max_files),
        )
        self.builds = builds or Builds(limits, done=self._changed)
        self._lock = Lock()
        self._listed: _Listed | None = None
        self._changes: tuple[str, str] | None = None

    def functions(self) -> list[Call]:
        """The calls, under the names that the script uses."""
        calls: list[Call] = [
            self.library_list, self.library_check, self.library_delete, self.library_build,
            self.library_stop, self.library_progress, self.library_changes,
        ]  # fmt: skip
        return [payloads.guarded(call) for call in calls]

    def routes(self) -> list[BaseRoute]:
        """What is not a call: the way in for files."""
        return [upload_route(self.files, self.access, self._changed)]

    def close(self) -> None:
        """Stop what is running."""
        self.builds.stop()

    def library_list(self, payload: Payload, headers: Headers) -> Payload:
        """The rows that are wanted, and what is to be known of all of them."""
        listing = self._list()
        wanted = _wanted(payload)
        matched = matching(listing.rows, wanted)
        rows = choose(matched, wanted)
        limit = min(max(payloads.number(payload, "limit"), _SHOWN), _MOST_SHOWN)
        token = payloads.text(payload, "token", _MAX_NAME)
        barred = self.access.refusal(headers, token)
        may = not barred
        with snapshot(self._engine) as index:
            created = index.created
        return {
            "html": library_html.rows_html(rows[:limit], may_change=may),
            "shown": min(limit, len(rows)),
            "total": len(rows),
            "all": len(listing.rows),
            "counted": counted(listing.rows),
            "states": {state: sum(row.state == state for row in matched) for state in STATES},
            "collections": sorted({row.collection for row in listing.rows}),
            "columns": _columns(listing.rows),
            "folders": sorted({split_name(row.id)[0] for row in listing.rows} - {""}),
            "generation": listing.generation,
            "built": wording.nice_time(created),
            "waiting": _waiting(listing),
            "problem": listing.problem,
            "may": may,
            "barred": barred,
            "sign": "" if self.access.mode != "owner" else "out" if may else "in",
            "limits": self._limits(),
            "build": _build(self.builds.current),
        }

    def library_check(self, payload: Payload, headers: Headers) -> Payload:
        """What would become of uploads: of each name in `files` its reason, and if it exists."""
        self._may_change(payload, headers)
        folder = payloads.text(payload, "folder", _MAX_NAME)
        given = payload.get("files")
        listed = given if isinstance(given, list) else []
        files = [file for file in listed if isinstance(file, dict)]
        if len(files) > AT_ONCE:
            raise UsageError(f"At most {AT_ONCE} files at once: upload them in parts.")
        return {"files": [self._checked(file, folder) for file in files]}

    def library_delete(self, payload: Payload, headers: Headers) -> Payload:
        """Delete the file of `document`; the index follows with the next rebuild."""
        self._may_change(payload, headers)
        name = payloads.text(payload, "document", _MAX_NAME)
        row = next((row for row in self._list().rows if row.id == name and row.on_disk), None)
        if row is None:
            raise UsageError("There is no such document in the library.")
        try:
            self.files.delete(name)
        finally:
            self._changed()
        return {"deleted": name}

    def library_build(self, payload: Payload, headers: Headers) -> Payload:
        """Start a rebuild, or join the one that runs."""
        self._may_change(payload, headers)
        return _build(self.builds.start())

    def library_stop(self, payload: Payload, headers: Headers) -> Payload:
        """Stop the rebuild that runs."""
        self._may_change(payload, headers)
        self.builds.stop()
        return {}

    def library_progress(self, payload: Payload, headers: Headers) -> Payload:
        """How far the rebuild is."""
        return _build(self.builds.current)

    def library_changes(self, payload: Payload, headers: Headers) -> Payload:
        """What changed since the generation before."""
        if self._settings is None:
            raise UsageError("There is nothing to compare with here.")
        with snapshot(self._engine) as index:
            generation = index.generation
        if self._changes is None or self._changes[0] != generation:
            difference = compare(self._settings.index, after=generation)
            self._changes = (generation, library_html.changes_html(difference))
        return {"html": self._changes[1]}

    def _may_change(self, payload: Payload, headers: Headers) -> None:
        self.access.require(headers, payloads.text(payload, "token", _MAX_NAME))

    def _list(self) -> Listing:
        with self._lock:
            kept = self._listed
            with snapshot(self._engine) as index:
                generation = index.generation
                fresh = kept and kept.until > time.monotonic()
                if kept and fresh and kept.listing.generation == generation:
                    return kept.listing
                listing = list_documents(
                    index.documents(), generation, *self._folders(), self.files.limits.file
                )
            self._listed = _Listed(listing, time.monotonic() + _FRESH_SECONDS)
            return listing

    def _folders(self) -> tuple[Path | None, Path | None]:
        return (self._settings.corpus, self._settings.index) if self._settings else (None, None)

    def _changed(self) -> None:
        with self._lock:
            self._listed = None

    def _checked(self, file: Mapping[str, Any], folder: str) -> Payload:
        name, size = file.get("name"), file.get("size")
        into = file.get("folder") if isinstance(file.get("folder"), str) else ""
        place = f"{folder}/{into}" if into else folder
        try:
            saved = self.files.check(
                name if isinstance(name, str) else "", place, size if isinstance(size, int) else 0
            )
        except Refused as error:
            return {"reason": str(error), "exists": error.exists}
        return {"reason": "", "exists": False, "saved": saved}

    def _limits(self) -> Payload:
        return {
            "kinds": sorted(LOADERS),
            "file": self.files.limits.file,
            "words": f"up to {self.files.limits.file // _MB:,} MB each, {AT_ONCE} at once",
        }


def _wanted(payload: Payload) -> Wanted:
    collection, state = payload.get("collection"), payload.get("state")
    columns: dict[object, Column] = {column: column for column in get_args(Column)}
    return Wanted(
        words=payloads.text(payload, "words", _MAX_WORDS),
        collection=collection if isinstance(collection, str) else None,
        state=next((known for known in STATES if known == state), None),
        column=columns.get(payloads.text(payload, "column", _MAX_WORDS), "title"),
        descending=payload.get("descending") is True,
    )


def _columns(rows: tuple[Row, ...]) -> list[str]:
    """The columns in which any row has something: the others only take room."""
    some: list[Column] = ["collection", *_DATED, "pages"]
    return [column for column in some if any(getattr(row, column) for row in rows)]


def _waiting(listing: Listing) -> str:
    """How many documents wait for a rebuild, in words; "" for none."""
    counts = (listing.new, "new"), (listing.changed, "changed"), (listing.deleted, "deleted")
    words = ", ".join(f"{count:,} {what}" for count, what in counts if count)
    return f"Waiting for a rebuild: {words}." if words else ""


def _build(build: Build) -> Payload:
    left = duration(build.remaining) if build.running and build.stage else ""
    return {
        "id": build.id,
        "running": build.running,
        "stage": build.stage,
        "share": round(build.share, 4),
        "left": left,
        "problem": build.error,
        "line": library_html.report_line(build.report) if build.report else "",
        "html": library_html.report_html(build.report) if build.report else "",
        "ended": wording.nice_time(build.ended) if build.ended else "",
    }
