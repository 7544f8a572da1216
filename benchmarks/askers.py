"""`rag serve` under more and more askers at once.

    python benchmarks/askers.py [--index DIR] [--askers 1 8 32 128] [--each 4]

Every asker sends its next question as soon as it has the last answer; all questions differ, so no
answer is known beforehand, and are about the documents that are asked. Prints answers a second, p50
and p95, the server's CPU time an answer (which tells more where the machine is shared; Linux only),
and failures. The askers run in this process, on the same cores as the server.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from environments import BENCH, rag_command, run
from made_corpus import answering_corpus, need_shared, questions

LEAST = 48
"""So many questions at least, however few ask."""


@dataclass
class Taken:
    """What one level of load came to.

    Attributes:
        seconds: of the whole.
        milliseconds: of each answer.
        failures: what was said instead of an answer.
    """

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@contextmanager
def served(index: Path) -> Iterator[tuple[int, str, int]]:
    """`rag serve` over an index, until the end of the block: its process id, host and port."""
    command = [rag_command(), "serve", "--index", str(index), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[2].removeprefix("http://")
        host, _, port = address.rpartition(":")
        yield process.pid, host, int(port)
    finally:
        process.terminate()
        process.wait()


def load(host: str, port: int, path: str, asked: Sequence[str], askers: int) -> Taken:
    """`asked` by so many askers at once, each over a connection of its own."""
    taken, waiting, lock = Taken(), list(reversed(asked)), threading.Lock()
    together = threading.Barrier(askers + 1)

    def ask() -> None:
        with closing(http.client.HTTPConnection(host, port, timeout=300)) as connection:
            together.wait()
            while True:
                with lock:
                    if not waiting:
                        return
                    question = waiting.pop()
                started = time.perf_counter()
                try:
                    connection.request("POST", path, json.dumps({"question": question}))
                    reply = connection.getresponse()
                    body = reply.read().decode()
                    failure = "" if reply.status == 200 else f"{reply.status} {body}"
                except OSError as error:
                    failure = repr(error)
                milliseconds = (time.perf_counter() - started) * 1000
                with lock:
                    taken.milliseconds.append(milliseconds)
                    if failure:
                        taken.failures.append(failure)

    threads = [threading.Thread(target=ask) for _ in range(askers)]
    for thread in threads:
        thread.start()
    together.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    taken.seconds = time.perf_counter() - started
    return taken


def cpu_seconds(process: int) -> float:
    """What a process has computed so far, as Linux counts it; 0 elsewhere."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def answering() -> Path:
    """An index of the documents that the questions are about, built if it is not there."""
    index = BENCH / "index-answering"
    run(rag_command(), "build", answering_corpus(), "--index", index)
    return index


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--index", type=Path, help="default: of what the questions are about")
    parser.add_argument("--askers", type=int, nargs="+", default=[1, 8, 32, 128])
    parser.add_argument("--each", type=int, default=4, help="questions of each asker")
    arguments = parser.parse_args()
    need_shared()
    counts = [max(LEAST, askers * arguments.each) for askers in arguments.askers]
    pool = iter(dict.fromkeys(questions(2 * sum(counts))))
    with served(arguments.index or answering()) as (process, host, port):
        for path in ("/retrieve", "/ask"):
            print(f"{path:10} askers  answers/s   p50 ms   p95 ms   CPU ms  failures")
            for askers, count in zip(arguments.askers, counts, strict=True):
                asked = [question for question, _ in zip(pool, range(count), strict=False)]
                before = cpu_seconds(process)
                taken = load(host, port, path, asked, askers)
                cpu = (cpu_seconds(process) - before) * 1000 / len(asked)
                spread = statistics.quantiles(taken.milliseconds, n=20)
                print(
                    f"{'':10} {askers:6}  {len(asked) / taken.seconds:9.1f}"
                    f"  {statistics.median(taken.milliseconds):7.0f}  {spread[-1]:7.0f}  {cpu:7.0f}"
                    f"  {len(taken.failures):8}",
                    flush=True,
                )
                for failure in sorted(set(taken.failures))[:3]:
                    print(f"           {failure}", file=sys.stderr)


if __name__ == "__main__":
    main()
