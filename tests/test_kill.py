"""`kill -9` at random moments of real builds of several formats, while a reader keeps asking."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from awkward import body, heading, story_pdf, word_bytes

from rag.errors import IndexNotFound
from rag.live import LiveIndex
from rag.loaders import load_bytes
from rag.store.generation import open_current
from rag.store.manifest import current_generation, verify

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from workshop import Workshop

    from rag.index import Index

    Make = Callable[..., Workshop]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here"),
]

KILLS = int(os.environ.get("RAG_STORM", "12"))
STAGES = ("reading", "embedding", "finishing", "publishing", "anywhere")
WAIT = {"reading": 0.5, "anywhere": 2.0}
"""Seconds after the beginning of a stage within which the kill comes, where not 0.05."""
MARK = "RAG_TEST_STORM"
"""A variable that every process of a storm has in its environment."""

# The build tells where it is, so that kills are spread over its stages and not over its imports.
BUILD = """
import sys, time
from pathlib import Path
from rag.building import indexing
from rag.building import writing
from rag.encoders import load_encoder
from rag.settings import Settings
from rag.store import generation

writing._WINDOW = 4
publish = generation.publish

def slow_publish(*arguments):
    print("publishing", flush=True)
    publish(*arguments)
    print("published", flush=True)

def progress(stage, done, total):
    print(stage, flush=True)

generation.publish = slow_publish
settings = Settings(
    corpus=Path(sys.argv[1]), index=Path(sys.argv[2]), reader=False, threads=1, keep_generations=2
)
encoder = load_encoder("default", 1)
encoder.encode(["ready"])
print("anywhere", flush=True)
indexing.build_index(settings, progress, encoder)
"""


def rule(name: str, version: int) -> str:
    """Each document states its version in every sentence, so that a mixture would show."""
    return " ".join(f"Rule {name} holds for {version} days in case {n}." for n in range(6))


def markdown(name: str, text: str) -> bytes:
    return f"# Rule {name}\n\n{text}".encode()


def html(name: str, text: str) -> bytes:
    return f"<html><body><h1>Rule {name}</h1><p>{text}</p></body></html>".encode()


def word(name: str, text: str) -> bytes:
    def fill(document: WordDocument) -> None:
        document.add_heading(f"Rule {name}", 1)
        document.add_paragraph(text)

    return word_bytes(fill)


def pdf(name: str, text: str) -> bytes:
    return story_pdf(heading(f"Rule {name}"), body(text))


FORMATS = {"md": markdown, "html": html, "docx": word, "pdf": pdf}


class Corpus:
    """The folder, and the states that an index of it may have."""

    def __init__(self, made: Workshop, chance: random.Random) -> None:
        self.made, self.chance = made, chance
        self.texts: dict[str, str] = {}
        self.version = 0

    def change(self) -> None:
        """Add, change and delete some documents of each format."""
        self.version += 1
        for suffix, make in FORMATS.items():
            for letter in self.chance.sample("abcd", 2 if suffix == "md" else 1):
                name = f"{letter}.{suffix}"
                if name in self.texts and self.chance.random() < 0.3:
                    del self.texts[name]
                    (self.made.corpus / name).unlink()
                else:
                    data = make(name, rule(name, self.version))
                    self.made.write_bytes(name, data)
                    self.texts[name] = load_bytes(data, name).text

    def state(self) -> dict[str, str]:
        return dict(self.texts)


def kill_a_build(made: Workshop, stage: str, delay: float) -> bool:
    """Start a build and kill it `delay` seconds after it has reached a stage; False if too late."""
    command = [sys.executable, "-c", BUILD, str(made.corpus), str(made.index)]
    environment = {**os.environ, MARK: str(made.index)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if stage == line.strip():
                break
        time.sleep(delay)
        process.kill()
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def survivors(made: Workshop) -> list[str]:
    """Processes that builds of this index have started and that still live, where /proc says so."""
    mark = f"{MARK}={made.index}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_text())
    return found


def leftovers(made: Workshop) -> list[str]:
    """What a build should not leave behind: other files, unfinished generations, processes."""
    deadline = time.monotonic() + 60
    while survivors(made) and time.monotonic() < deadline:
        time.sleep(0.1)
    expected = {"CURRENT", "LOCK", "corpus.json", "generations", "seen.json"}
    files = {path.name for path in made.index.iterdir()} - expected
    unfinished = {name for name in made.generations() if name.startswith(".")}
    return [*sorted(files | unfinished), *survivors(made)]


class Asker(threading.Thread):
    """Asks all the time; what it is answered must come from one of the states that were built."""

    def __init__(self, made: Workshop, allowed: list[dict[str, str]]) -> None:
        super().__init__()
        self.made, self.allowed = made, allowed
        self.asked = 0
        self.wrong: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        live = LiveIndex(self.made.index, self.made.settings)
        live._models.__dict__["encoder"] = self.made.encoder
        try:
            while not self.done.is_set():
                with live.snapshot() as index:
                    self.ask(index)
                with self.made.open() as index:
                    index._models.__dict__["encoder"] = self.made.encoder
                    self.ask(index)
                time.sleep(0.05)
        except BaseException as error:  # noqa: BLE001 - raised again by the test
            self.wrong = error
        finally:
            live.close()

    def ask(self, index: Index) -> None:
        found = {info.id: index.text(info.id) for info in index.documents()}
        assert found in self.allowed, f"a mixture of states: {sorted(found)}"
        for hit in index.retrieve("How many days?", 3):
            chunk = hit.chunk
            assert found[chunk.document][chunk.start : chunk.end] == chunk.text
        self.asked += 1


def test_whenever_a_build_is_killed_every_answer_is_whole(workshop: Make) -> None:
    chance = random.Random(int(os.environ.get("RAG_STORM_SEED", "11")))
    made = workshop({})
    corpus = Corpus(made, chance)
    corpus.change()
    made.build(keep_generations=2)
    allowed = [corpus.state()]
    asker = Asker(made, allowed)
    asker.start()
    published = {current_generation(made.index)}
    killed, completed = dict.fromkeys(STAGES, 0), 1
    try:
        # A build that is done before the kill comes is no kill; not every second one may be.
        for round_ in range(2 * KILLS):
            if sum(killed.values()) == KILLS:
                break
            corpus.change()
            allowed.append(corpus.state())
            stage = STAGES[round_ % len(STAGES)]
            was_killed = kill_a_build(made, stage, chance.random() * WAIT.get(stage, 0.05))
            killed[stage] += was_killed
            completed += not was_killed
            # Whatever is published is whole, to the last byte.
            current = open_current(made.index)
            verify(made.index / "generations" / current.id, current.manifest, checked=None)
            published.add(current.id)
            current.close()
            assert asker.wrong is None, asker.wrong
            if chance.random() < 0.4:
                report = made.build(keep_generations=2)
                completed += 1
                assert report.failed == []
                assert report.generation == current_generation(made.index)
                published.add(report.generation)
                with made.open() as index:
                    texts = {info.id: index.text(info.id) for info in index.documents()}
                    assert texts == corpus.state()
    finally:
        asker.done.set()
        asker.join(60)
    if asker.wrong is not None:
        raise asker.wrong

    # The next build succeeds, ends where a first one would, and leaves nothing behind.
    published.add(made.build(keep_generations=2).generation)
    completed += 1
    with made.open() as index:
        assert {i.id: index.text(i.id) for i in index.documents()} == corpus.state()
    assert current_generation(made.index) in made.generations()
    assert len(made.generations()) <= 2
    left = leftovers(made)
    kills = ", ".join(f"{count} while {stage}" for stage, count in killed.items())
    sys.stdout.write(
        f"storm: {sum(killed.values())} builds killed ({kills}), {completed} completed, "
        f"{asker.asked} reads answered, {len(published)} generations published, "
        f"leftovers {len(left)}\n"
    )
    assert left == []
    assert asker.asked > KILLS
    assert sum(killed.values()) == KILLS


def test_a_first_build_that_is_killed_leaves_no_index_and_no_trace(workshop: Make) -> None:
    made = workshop({})
    for suffix, make in FORMATS.items():
        for letter in "ab":
            name = f"{letter}.{suffix}"
            made.write_bytes(name, make(name, rule(name, 1)))
    for stage in ("reading", "embedding", "finishing", "publishing"):
        kill_a_build(made, stage, 0.0)
        if (made.index / "CURRENT").exists():
            break
        with pytest.raises(IndexNotFound):
            made.open()
    made.build()
    with made.open() as index:
        assert len(index.documents()) == 8
    assert leftovers(made) == []
