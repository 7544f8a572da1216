"""The peers: their environments, and their scripts as processes that can be asked."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rag.encoders.minilm import model_folder

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / ".bench"
SCRIPTS = ROOT / "benchmarks" / "peers"
ENVIRONMENT = {
    # Byte code is kept, as it is where nobody forbids it: no process has to compile what it runs.
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "HF_HUB_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "PYTHONWARNINGS": "ignore",
}


class PeerError(Exception):
    """A peer cannot be installed or has died; the message holds its last line."""


@dataclass(frozen=True)
class System:
    """One side of the comparison.

    Attributes:
        name: in files, and of its script `with_NAME.py`.
        title: in tables.
        packages: whose versions are told.
    """

    name: str
    title: str
    packages: tuple[str, ...] = ()

    @property
    def script(self) -> Path:
        """What runs in its environment."""
        return SCRIPTS / f"with_{self.name}.py"

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        if self == OURS:
            return Path(sys.executable)
        return BENCH / self.name.replace("_", "-") / "bin" / "python"

    @property
    def versions(self) -> str:
        """Its packages with their pinned versions."""
        if self == OURS:
            return "this tree"
        lines = self.script.with_suffix(".txt").read_text("utf-8").split()
        pinned = dict(line.split("==") for line in lines)
        return ", ".join(f"{package} {pinned[package]}" for package in self.packages)

    def command(self, *arguments: str) -> list[str]:
        """How its script is called."""
        model = "default" if self == OURS else str(model_folder())
        first, *rest = arguments
        return [str(self.python), str(self.script), first, model, *rest]

    def install(self) -> None:
        """Make its environment, unless it is there with the same pinned versions.

        Raises:
            PeerError: a package cannot be had.
        """
        requirements = self.script.with_suffix(".txt")
        folder = self.python.parent.parent
        digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
        stamp = folder / "installed"
        if stamp.exists() and stamp.read_text("utf-8") == digest:
            return
        say(f"{self.title}: installing into {folder.relative_to(ROOT)}")
        pip = [str(self.python), "-m", "pip", "install", "--quiet", "--requirement"]
        for command in ([sys.executable, "-m", "venv", str(folder)], [*pip, str(requirements)]):
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode:
                raise PeerError(last_line(result.stderr))
        stamp.write_text(digest, "utf-8")


OURS = System("rag", "rag")
PEERS = (
    System(
        "sentence_transformers",
        "sentence-transformers + FAISS + bm25s",
        ("sentence-transformers", "faiss-cpu", "bm25s"),
    ),
    System(
        "langchain",
        "LangChain hybrid",
        ("langchain-classic", "langchain-community", "langchain-huggingface", "rank-bm25"),
    ),
    System(
        "llamaindex",
        "LlamaIndex hybrid",
        ("llama-index-core", "llama-index-vector-stores-faiss", "llama-index-retrievers-bm25"),
    ),
    System("haystack", "Haystack hybrid", ("haystack-ai", "sentence-transformers-haystack")),
    System("txtai", "txtai hybrid", ("txtai",)),
)


class Server:
    """The script of a system in a process of its own, asked one JSON line at a time."""

    def __init__(self, system: System, **environment: str) -> None:
        self.system = system
        self._errors = (BENCH / f"{system.name}.log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            system.command("serve"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**ENVIRONMENT, **environment},
            cwd=ROOT,
        )

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        """Give an order and wait for its result.

        Raises:
            PeerError: the process has died.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **order}, default=str) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise PeerError(last_line(Path(self._errors.name).read_text("utf-8")))
        result: dict[str, Any] = json.loads(line)
        return result

    def __enter__(self) -> Self:
        """End the process with the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()


@dataclass(frozen=True)
class Run:
    """What a whole process took.

    Attributes:
        first: seconds to the first line of its output.
        seconds: to its end.
        cpu: seconds of CPU, user and system.
        megabytes: largest resident size.
    """

    first: float
    seconds: float
    cpu: float
    megabytes: float


def run(*command: str | Path) -> Run:
    """Run a command from a cold process to its end.

    Raises:
        PeerError: it failed.
    """
    BENCH.mkdir(exist_ok=True)
    log = BENCH / "run.log"
    with log.open("w", encoding="utf-8") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            stderr=errors,
            env=ENVIRONMENT,
            cwd=ROOT,
        )
        assert process.stdout is not None
        with process.stdout as output:
            output.readline()
            first = time.perf_counter() - started
            output.read()
        # `wait4` alone tells what this one process used.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        ended = f"{command[0]} ended with {process.returncode}"
        raise PeerError(f"{ended}: {last_line(log.read_text('utf-8'))}")
    return Run(first, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)


def rag_command() -> Path:
    """The command `rag` of this environment."""
    return Path(sys.executable).with_name("rag")


def last_line(text: str) -> str:
    """What a failed process said last."""
    return (text.strip().splitlines() or ["it said nothing"])[-1]


def say(text: str) -> None:
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)
