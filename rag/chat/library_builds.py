"""Rebuilding from the page: one build at a time, followed by whoever looks."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock, Thread
from typing import IO, Any
from uuid import uuid4

from rag.chat.library_worker import settings_line
from rag.settings import Settings

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "rag.chat.library_worker")
_END_SECONDS = 10


@dataclass(frozen=True)
class Build:
    """A build, as far as it is.

    Attributes:
        id: differs from that of every other build, of other servers as well; "" if there was none.
        running: whether it still goes on.
        stage: what it does, in the words of `rag.building.progress`; "" at first.
        share: how much of the time is over, 0 to 1.
        remaining: seconds until the end, as far as one can tell.
        report: what it did, as `rag build --json` prints it; empty until it is done.
        error: why it failed; "" if it did not.
        ended: when, UTC, ISO 8601; "" while it runs.
    """

    id: str = ""
    running: bool = False
    stage: str = ""
    share: float = 0.0
    remaining: float = 0.0
    report: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    ended: str = ""


class Builds:
    """Starts builds, and knows the last one. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        done: Callable[[], None] = lambda: None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        """Nothing starts yet.

        Args:
            settings: those of the builds.
            done: called after each build.
            command: the worker.
        """
        self._settings, self._done, self._command = settings, done, command
        self._lock = Lock()
        self._build = Build()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    @property
    def current(self) -> Build:
        """The build that runs, or the last one."""
        with self._lock:
            return self._build

    def start(self) -> Build:
        """Start a build, or join the one that runs."""
        with self._lock:
            if self._build.running:
                return self._build
            # First of all: if it cannot be started, nothing runs.
            process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                encoding="utf-8",
            )  # fmt: skip
            self._process, self._stopped = process, False
            self._build = Build(id=uuid4().hex, running=True)
            Thread(target=self._follow, args=(process,), name="rag-build", daemon=True).start()
            return self._build

    def stop(self) -> None:
        """End the build that runs; what it has done so far is not lost for the next one."""
        with self._lock:
            process = self._process if self._build.running else None
            self._stopped = process is not None
        if process is not None:
            process.terminate()
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

    def _follow(self, process: subprocess.Popen[str]) -> None:
        end = Build()
        with process:
            try:
                if process.stdin:
                    process.stdin.write(settings_line(self._settings) + "\n")
                    process.stdin.close()
                end = self._read(process.stdout)
            except (OSError, ValueError, KeyError, TypeError) as error:
                log.warning("the build cannot be followed: %r", error)
                process.kill()
        if not end.report and not end.error:
            end = replace(end, error=self._why(process.returncode))
        try:
            self._done()
        finally:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            with self._lock:
                self._build = replace(
                    self._build, running=False, report=end.report, error=end.error, ended=now
                )

    def _read(self, lines: IO[str] | None) -> Build:
        end = Build()
        for line in lines or ():
            told = json.loads(line)
            if "error" in told or "report" in told:
                end = Build(report=told.get("report", {}), error=told.get("error", ""))
                continue
            with self._lock:
                self._build = replace(
                    self._build,
                    stage=str(told["stage"]),
                    share=float(told["share"]),
                    remaining=float(told["remaining"]),
                )
        return end

    def _why(self, code: int | None) -> str:
        if self._stopped:
            return "The build was stopped; the index is as it was before."
        return (
            f"The build ended before it was done (exit code {code}); the index is as it was "
            "before. The server's log may say more."
        )
