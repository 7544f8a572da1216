"""`kill -9` at random moments of real builds, while a reader keeps asking."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rag.errors import IndexNotFound
from rag.live import LiveIndex
from rag.store.generation import open_current
from rag.store.manifest import current_generation, verify

if TYPE_CHECKING:
    from workshop import Workshop

    from rag.index import Index

    Make = Callable[..., Workshop]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here"),
]

ROUNDS = int(os.environ.get("RAG_STORM", "12"))
STAGES = ("reading", "embedding", "embedding", "publishing", "anywhere")

# The build tells where it is, so that kills are spread over its stages and not over its imports.
BUILD = """
import sys, time
from pathlib import Path
from rag import indexing
from rag.encoders import load_encoder
from rag.settings import Settings
from rag.store import generation

indexing._WINDOW = 4
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
indexing.build_index(settings, progress, encoder)
"""


def rule(name: str, version: int) -> str:
    """Each document states its version in every sentence, so that a mixture would show."""
    return f"# Rule {name}\n\n" + " ".join(
        f"Rule {name} holds for {version} days in case {n}." for n in range(6)
    )


class Corpus:
    """The folder, and the states that an index of it may have."""

    def __init__(self, made: Workshop, chance: random.Random) -> None:
        self.made, self.chance = made, chance
        self.texts: dict[str, str] = {}
        self.version = 0

    def change(self) -> None:
        """Add, change and delete some documents."""
        self.version += 1
        for name in self.chance.sample("abcdefghijkl", 4):
            if name in self.texts and self.chance.random() < 0.3:
                del self.texts[name]
                (self.made.corpus / f"{name}.md").unlink()
            else:
                self.texts[name] = rule(name, self.version)
                self.made.write(f"{name}.md", self.texts[name])

    def state(self) -> dict[str, str]:
        return {f"{name}.md": text for name, text in self.texts.items()}


def kill_a_build(made: Workshop, stage: str, delay: float) -> bool:
    """Start a build and kill it `delay` seconds after it has reached a stage; False if too late."""
    command = [sys.executable, "-c", BUILD, str(made.corpus), str(made.index)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if stage in (line.strip(), "anywhere"):
                break
        time.sleep(delay)
        process.kill()
    return process.returncode == -signal.SIGKILL


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
    killed = 0
    try:
        for round_ in range(ROUNDS):
            corpus.change()
            allowed.append(corpus.state())
            stage = STAGES[round_ % len(STAGES)]
            killed += kill_a_build(made, stage, chance.random() * 0.05)
            # Whatever is published is whole, to the last byte.
            current = open_current(made.index)
            verify(made.index / "generations" / current.id, current.manifest, deep=True)
            current.close()
            assert asker.wrong is None, asker.wrong
            if chance.random() < 0.4:
                report = made.build(keep_generations=2)
                assert report.generation == current_generation(made.index)
                with made.open() as index:
                    texts = {info.id: index.text(info.id) for info in index.documents()}
                    assert texts == corpus.state()
    finally:
        asker.done.set()
        asker.join(60)
    if asker.wrong is not None:
        raise asker.wrong
    assert asker.asked > ROUNDS
    assert killed > ROUNDS // 2
    sys.stdout.write(f"{killed} of {ROUNDS} builds killed, {asker.asked} reads, all of them whole")

    # The next build succeeds, ends where a first one would, and leaves nothing behind.
    made.build(keep_generations=2)
    with made.open() as index:
        assert {i.id: index.text(i.id) for i in index.documents()} == corpus.state()
    assert sorted(path.name for path in made.index.iterdir()) == ["CURRENT", "LOCK", "generations"]
    assert current_generation(made.index) in made.generations()
    assert len(made.generations()) <= 2
    assert not [name for name in made.generations() if name.startswith(".")]


def test_a_first_build_that_is_killed_leaves_no_index_and_no_trace(workshop: Make) -> None:
    made = workshop({f"{name}.md": rule(name, 1) for name in "abcdefgh"})
    for stage in ("reading", "embedding", "publishing"):
        kill_a_build(made, stage, 0.0)
        if (made.index / "CURRENT").exists():
            break
        with pytest.raises(IndexNotFound):
            made.open()
    made.build()
    with made.open() as index:
        assert len(index.documents()) == 8
    assert not [name for name in made.generations() if name.startswith(".")]
    assert sorted(path.name for path in made.index.iterdir()) == ["CURRENT", "LOCK", "generations"]
