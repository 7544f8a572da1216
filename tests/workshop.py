"""A small corpus of our own sentences, and a place to build indexes of any other."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from rag.building.indexing import build_index
from rag.encoders import Encoder
from rag.index import Index, open_index
from rag.settings import Settings
from rag.types import BuildReport

SMALL_CORPUS = {
    "leave/annual.md": """\
# Annual leave

## How much

Staff get 13 days of annual leave a year. New staff may take leave after three months of service.
Unused days lapse on 31 March of the following year.

## How to ask

To ask for leave:

1. Open the leave form.
2. Name the days.
3. Send it to your supervisor at least ten days before.

Supervisors answer within five working days.
""",
    "leave/parental.md": """\
---
title: Parental leave
effective_date: 2025-07-01
---
# Parental leave

Each parent gets 16 weeks of **paid** parental leave.[12] Part-time staff get the same number of
weeks. The leave must begin within one year of the birth or adoption.[13]

However, staff on probation must first complete six months of service.
""",
    "travel.txt": """\
Travel policy

1. Booking

Trips are booked by the travel office. Write to travel@agency.example at least 14 days before. Dr.
Imani Okafor approves trips abroad.

2. Costs

A hotel may cost at most 90 euro a night. Art. 5(2)(a) allows 120 euro in capital cities.
""",
    "security/incidents.md": """\
# Security incidents

An incident is any event that puts data at risk. Report it to the security desk within one hour.

| Severity | Reaction time | Who is told |
| --- | --- | --- |
| low | five days | team lead |
| high | four hours | director |

## Lost devices

A lost laptop is locked from afar. You must not wait until the next working day 🔒.
""",
    "remote.html": """\
<!doctype html><html lang="en"><head><title>Remote work</title></head><body>
<h1>Remote work</h1>
<p>Staff may work from home on up to three days a week. A written agreement is needed first.</p>
<ul><li>The desk at home must be safe.</li><li>Paper files stay in the office.</li></ul>
</body></html>
""",
    "records/retention.md": """\
# Records retention

Contracts are kept for ten years. Job applications are deleted after six months.

# Naïve façade 文件

Ünïcode names are fine: 12 € for the copy, as the café’s own “house rules” say 😀.
""",
}

QUESTIONS = (
    "How many days of annual leave do staff get?",
    "When must parental leave begin?",
    "Who approves trips abroad?",
    "How do I ask for leave?",
    "What is an incident?",
    "May I work from home?",
    "How much may a hotel cost, and how early must I book?",
    "What is the reaction time for high severity?",
    "How long are contracts kept?",
    "Which rules apply to part-time staff?",
    "What does a copy cost at the café 😀?",
    "Is the moon made of cheese?",
    "leave",
    "?",
    "the of and",
)


def write_corpus(folder: Path, texts: dict[str, str]) -> Path:
    """Write documents below a folder."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


class Workshop:
    """A corpus folder and its index in a temporary folder, to be changed at will."""

    def __init__(self, folder: Path, encoder: Encoder, texts: dict[str, str]) -> None:
        self.corpus = write_corpus(folder / "corpus", texts)
        self.corpus.mkdir(parents=True, exist_ok=True)
        self.index = folder / "index"
        self.encoder = encoder
        self.settings = Settings(corpus=self.corpus, index=self.index, reader=False, threads=1)

    def write(self, name: str, text: str) -> Path:
        """Write one document; its time of change is new even within a tick of the clock."""
        return self.write_bytes(name, text.encode())

    def write_bytes(self, name: str, data: bytes) -> Path:
        """Like `write`, for a document of any format."""
        path = self.corpus / name
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        now = max(path.stat().st_mtime_ns, before + 1_000_000)
        os.utime(path, ns=(now, now))
        return path

    def build(self, encoder: Encoder | None = None, **settings: object) -> BuildReport:
        """Build with the shared encoder, or another."""
        own = replace(self.settings, **settings)  # type: ignore[arg-type]
        return build_index(own, encoder=encoder or self.encoder)

    def open(self) -> Index:
        """Open what is published."""
        return open_index(self.index, self.settings)

    def generations(self) -> list[str]:
        """Everything that lies where the generations are."""
        folder = self.index / "generations"
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []
