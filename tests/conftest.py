"""What all tests share: a clean environment, one encoder, and one small index of our own text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from rag.encoders import Encoder, load_encoder
from rag.index import Index, open_index
from rag.indexing import build_index
from rag.settings import Settings
from rag.types import BuildReport

# The machine may be busy: a slow example is no failure. Failures are the same every time.
hypothesis_settings.register_profile(
    "rag",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis_settings.load_profile("rag")

KEPT = ("RAG_SHARED", "RAG_STORM")
"""Variables that are about the tests, not settings."""

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


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No setting of the developer's reaches a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("RAG_") and name not in KEPT:
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def in_empty_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each test works in an empty folder: no rag.toml, corpus or index lies about."""
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))


@pytest.fixture(scope="session")
def small_corpus() -> dict[str, str]:
    """Name → text of the documents that most tests ask."""
    return dict(SMALL_CORPUS)


@pytest.fixture(scope="session")
def questions() -> tuple[str, ...]:
    """Questions about them: answerable, unanswerable, and hardly questions."""
    return QUESTIONS


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The real default encoder, on one thread."""
    return load_encoder("default", threads=1)


@pytest.fixture(scope="session")
def bundled_index(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """The index of the bundled corpus; read only."""
    corpus = Path(__file__).parent.parent / "corpus"
    settings = Settings(corpus=corpus, index=tmp_path_factory.mktemp("bundled") / "index")
    assert build_index(settings, encoder=encoder).failed == []
    return settings.index


@pytest.fixture(scope="session")
def small_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings whose index of the small corpus is built; read only."""
    folder = tmp_path_factory.mktemp("small")
    write_corpus(folder / "corpus", SMALL_CORPUS)
    return Settings(corpus=folder / "corpus", index=folder / "index", reader=False, threads=1)


@pytest.fixture(scope="session")
def small_report(small_settings: Settings, encoder: Encoder) -> BuildReport:
    """What the build of the small index reported."""
    return build_index(small_settings, encoder=encoder)


@pytest.fixture(scope="session")
def small_index(small_settings: Settings, small_report: BuildReport) -> Iterator[Index]:
    """The small index, opened without the reader."""
    assert small_report.failed == []
    with open_index(small_settings.index, small_settings) as index:
        yield index


class Workshop:
    """A corpus folder and its index in a temporary folder, to be changed at will."""

    def __init__(self, folder: Path, encoder: Encoder, texts: dict[str, str]) -> None:
        self.corpus = write_corpus(folder / "corpus", texts)
        self.corpus.mkdir(exist_ok=True)
        self.index = folder / "index"
        self.encoder = encoder
        self.settings = Settings(corpus=self.corpus, index=self.index, reader=False, threads=1)

    def write(self, name: str, text: str) -> Path:
        """Write one document; its time of change is new even within a tick of the clock."""
        path = self.corpus / name
        before = path.stat().st_mtime_ns if path.exists() else 0
        write_corpus(self.corpus, {name: text})
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


@pytest.fixture
def workshop(tmp_path: Path, encoder: Encoder) -> Callable[..., Workshop]:
    """Make a `Workshop` with these documents."""

    def make(texts: dict[str, str] | None = None, name: str = "workshop") -> Workshop:
        return Workshop(tmp_path / name, encoder, dict(texts or {}))

    return make
