"""What a build notes on its way, and the report that comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rag.building.reading import Reading
from rag.store.tables import Seen
from rag.types import BuildReport, Detail, Problem, Renamed, What


@dataclass
class Outcome:
    """What the report will say, as far as it is known."""

    generation: str = ""
    documents: int = 0
    chunks: int = 0
    unchanged: int = 0
    embedded: int = 0
    added: dict[str, str] = field(default_factory=dict)
    """Id → digest of the text."""
    changed: list[str] = field(default_factory=list)
    removed: dict[str, str] = field(default_factory=dict)
    """Id → digest of the text."""
    failed: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)

    def report(self, skipped: Sequence[Problem], seconds: float) -> BuildReport:
        """The report, with what was removed and added under another name put together."""
        gone: dict[str, list[str]] = {}
        for name, text in sorted(self.removed.items()):
            gone.setdefault(text, []).append(name)
        renamed = [
            Renamed(was=gone[text].pop(0), document=name)
            for name, text in sorted(self.added.items())
            if gone.get(text)
        ]
        to = {r.document: f"has the text of {r.was}, which is gone" for r in renamed}
        away = {r.was: f"is now {r.document}" for r in renamed}
        details = [
            replace(d, what="renamed", why=to[d.document])
            if d.document in to and d.what == "added"
            else replace(d, why=away.get(d.document, d.why))
            for d in self.details
        ]
        return BuildReport(
            generation=self.generation,
            documents=self.documents,
            chunks=self.chunks,
            added=sorted(self.added),
            changed=sorted(self.changed),
            removed=sorted(self.removed),
            unchanged=self.unchanged,
            skipped=list(skipped),
            failed=self.failed,
            embedded=self.embedded,
            reused=self.chunks - self.embedded,
            seconds=round(seconds, 3),
            renamed=renamed,
            warnings=self.warnings,
            details=sorted(details, key=lambda detail: (detail.document, detail.what)),
        )

    def note_read(self, reading: Reading, before: Seen | None, again: str) -> None:
        """A document was read: it is new, or changed, or there is a reason to read it `again`."""
        document, now = reading.document, reading.state
        if document is None:
            raise ValueError(f"{reading.file.id} was not read")
        what: What
        if before is None:
            self.added[document.id] = document.sha256
            what, why = "added", "is new"
        elif before.file.sha256 != now.sha256:
            self.changed.append(document.id)
            what, why = "changed", f"its content differs, {before.file.size} → {now.size} bytes"
        else:
            self.unchanged += 1
            what, why = "read again", again
        seconds = round(reading.seconds, 3)
        self.details.append(Detail(document.id, what, why, len(reading.chunks), seconds))

    def note_failure(self, name: str, reason: str) -> None:
        """A document is not in the index."""
        self.failed.append(Problem(name, reason))
        self.details.append(Detail(name, "failed", reason))

    def note_removal(self, name: str, before: Seen, why: str) -> None:
        """A document was in the index and is no longer."""
        self.removed[name] = before.sha256
        self.details.append(Detail(name, "removed", why))
