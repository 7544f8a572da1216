"""What is measured, each as a function: systems in, figures out.

Every function goes round the systems in turn, starting with another one each time, so that
whatever else the machine does falls on all of them. A first round is not counted.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from environments import BENCH, OURS, PeerError, Server, System, rag_command, run, say
from prepared import Prepared

Figures = dict[str, Any]


def rounds_of(systems: Sequence[System], rounds: int) -> Iterator[tuple[int, System]]:
    """Round and system; round 0 is the one that is not counted."""
    for number in range(rounds + 1):
        shift = number % len(systems)
        for system in [*systems[shift:], *systems[:shift]]:
            yield number, system


def build(systems: Sequence[System], corpus: Path, prepared: Prepared, rounds: int) -> Figures:
    """Chunks a second from texts to an index, and from documents to ours.

    A peer encodes and indexes in a process that is warm. Ours is the command `rag build` with all
    that it does (start, reading, cutting, sentence vectors, BM25, checks, fsync); "rag, encoder
    alone" is the same texts through our encoder.
    """
    scratch = BENCH / "build"
    seconds: dict[str, list[float]] = {system.name: [] for system in systems}
    whole: list[float] = []
    few = scratch / "few.jsonl"
    with ExitStack() as stack:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        few.write_text("\n".join(prepared.passages.read_text("utf-8").splitlines()[:32]), "utf-8")
        servers = {system: stack.enter_context(Server(system)) for system in systems}
        for number, system in rounds_of(systems, rounds):
            # The round that is not counted loads everything, on a few chunks.
            passages = prepared.passages if number else few
            taken = servers[system].ask("build", passages=passages)["seconds"]
            if not number:
                continue
            seconds[system.name].append(taken)
            say(f"build {number}/{rounds}  {system.title}: {prepared.chunks / taken:.1f} chunks/s")
            if system == OURS:
                index = scratch / f"index-{number}"
                whole.append(run(rag_command(), "build", corpus, "--index", index).seconds)
                say(f"build {number}/{rounds}  rag build: {prepared.chunks / whole[-1]:.1f}")
                shutil.rmtree(index)
    rates = {name: [prepared.chunks / taken for taken in own] for name, own in seconds.items()}
    rates["rag, encoder alone"] = rates.pop(OURS.name)
    rates[OURS.name] = [prepared.chunks / taken for taken in whole]
    return {"chunks": prepared.chunks, "chunks/s": rates}


def cold(peers: Sequence[System], prepared: Prepared, question: str, rounds: int) -> Figures:
    """Seconds from the start of a process to its first hit; its CPU seconds and peak memory."""
    ours = [rag_command(), "--index", prepared.index(OURS), question]
    commands: dict[str, list[Any]] = {
        "rag retrieve": [ours[0], "retrieve", question, "-k", "10", *ours[1:3]],
        "rag ask": [ours[0], "ask", question, *ours[1:3]],
        "rag ask --quick": [ours[0], "ask", question, "--quick", *ours[1:3]],
        **{p.name: p.command("first", str(prepared.index(p)), question, "10") for p in peers},
    }
    names = [System(name, name) for name in commands]
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    cpu: dict[str, list[float]] = {name: [] for name in commands}
    peak = dict.fromkeys(commands, 0.0)
    for number, system in rounds_of(names, rounds):
        taken = run(*commands[system.name])
        if number:
            seconds[system.name].append(taken.first)
            cpu[system.name].append(taken.cpu)
            peak[system.name] = max(peak[system.name], taken.megabytes)
            say(f"cold {number}/{rounds}  {system.title}: {taken.first:.2f} s")
    return {"chunks": prepared.chunks, "s": seconds, "CPU s": cpu, "MB": peak}


def warm(
    systems: Sequence[System], prepared: Prepared, questions: Sequence[str], rounds: int
) -> Figures:
    """Milliseconds a query in a process that is running, one query after the other."""
    taken: dict[str, list[float]] = {system.name: [] for system in systems}
    share = len(questions) // rounds
    with ExitStack() as stack:
        servers = {system: stack.enter_context(Server(system)) for system in systems}
        for system in systems:
            servers[system].ask("load", folder=prepared.index(system))
        for number, system in rounds_of(systems, rounds):
            # Another part of the questions each round, and a few first that are not counted.
            part = questions[:5] if not number else questions[(number - 1) * share :][:share]
            servers[system].ask("search", queries=questions[-3:], k=10)
            own = servers[system].ask("search", queries=part, k=10)["ms"]
            if number:
                taken[system.name] += own
                say(f"warm {number}/{rounds}  {system.title}: {statistics.median(own):.1f} ms")
    return {"chunks": prepared.chunks, "ms": taken}


def together(
    bare: System, prepared: Prepared, batch: Path, queries: list[str], rounds: int
) -> Figures:
    """Queries a second when all are given at once: ours as a whole process, the bare parts warm."""
    command = [rag_command(), "retrieve", "--batch", batch, "-k", "10"]
    rates: dict[str, list[float]] = {OURS.name: [], bare.name: []}
    with Server(bare) as server:
        server.ask("load", folder=prepared.index(bare))
        for number, system in rounds_of([OURS, bare], rounds):
            if system == OURS:
                taken = run(*command, "--index", prepared.index(OURS)).seconds
            else:
                taken = server.ask("search together", queries=queries, k=10)["seconds"]
            if number:
                rates[system.name].append(len(queries) / taken)
                say(f"batch {number}/{rounds}  {system.title}: {len(queries) / taken:.0f} a second")
    return {"queries": len(queries), "queries/s": rates}


def start(rounds: int = 10) -> Figures:
    """Seconds of CPU of `import rag` and `rag --help` beyond those of Python itself."""
    commands: dict[str, list[Any]] = {
        "python": [sys.executable, "-c", "pass"],
        "import rag": [sys.executable, "-c", "import rag"],
        "rag --help": [rag_command(), "--help"],
    }
    cpu: dict[str, list[float]] = {name: [] for name in commands}
    for number, system in rounds_of([System(name, name) for name in commands], rounds):
        used = run(*commands[system.name]).cpu
        if number:
            cpu[system.name].append(used)
    own = statistics.median(cpu["python"])
    return {
        "python": own,
        **{name: statistics.median(cpu[name]) - own for name in ("import rag", "rag --help")},
    }


def working(systems: Sequence[System], prepare: Any) -> list[System]:
    """The systems for which `prepare` succeeds; the others are named and left out."""
    able = []
    for system in systems:
        try:
            prepare(system)
        except PeerError as error:
            say(f"{system.title} is left out: {error}")
        else:
            able.append(system)
    return able
