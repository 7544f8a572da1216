"""Reading a document in a process of its own, so that a bad one costs nothing but itself.

A parser that hangs, crashes or eats memory cannot be stopped from within. So whatever is not
short plain text is read by a second process: it is used for one document after the other, ended
when one takes longer or more than the limits, and started again for the next. It answers in
JSON: nothing that a document makes of it can run code here.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import IO, Any

from rag.errors import DocumentError, NoText, RagError, UnsupportedFormat
from rag.loaders import LOADERS, Unopened, load
from rag.loaders.ocr import installed
from rag.loaders.remarks import TO_INSTALL
from rag.types import Block, Document, Page

log = logging.getLogger(__name__)

_SIMPLE = (".md", ".markdown", ".txt")
_SHORT = 256_000
_MOST_CHARACTERS = 20_000_000
"""More text than that, some 8,000 pages, is not a document but a mistake."""
_START_SECONDS = 60
_OCR_SHARE = 0.7
"""How much of its time a document may spend on pictures of text."""
_LENGTH = 8
_ERRORS = {error.__name__: error for error in (NoText, Unopened, UnsupportedFormat)}
"""Errors that keep their class on the way from the other process."""
_MEMORY = MemoryError.__name__
_MORE_TIME = "split it, or raise document_seconds"
_MORE_MEMORY = "split it, or raise document_memory_mb"
_ENDED = "cannot be read, its parser {}: open it and save it again"
_KILLED = _ENDED.format("was ended by SIGKILL")


class _Killed(DocumentError):
    """By somebody else, perhaps for want of memory: no parser does that to itself."""


def needs_isolation(document_id: str, size: int) -> bool:
    """False for short plain text, which is read faster than it could be sent about."""
    return size > _SHORT or PurePosixPath(document_id).suffix.lower() not in _SIMPLE


class IsolatedReader:
    """Reads documents in another process, which is started when first needed.

    When this process ends in whatever way, the other one ends as well: at once if it is idle,
    after the limit of its document otherwise.

    Attributes:
        too_long: the reason given for a document that takes longer than the limit.
    """

    def __init__(self, seconds: int, memory_mb: int, *, ocr: bool = False) -> None:
        """The limits of one document; that of memory is enforced where the system can (Linux).

        Args:
            seconds: how long a document may take; most of it may go into its pictures.
            memory_mb: how much memory it may take.
            ocr: whether text in pictures is recognised, where tesseract is installed.
        """
        self._seconds, self._memory_mb = seconds, memory_mb
        self._ocr_seconds = _OCR_SHARE * seconds if ocr and installed() else 0.0
        self.too_long = f"took longer than {seconds} s to read: {_MORE_TIME}"
        self._too_much = f"needs more than {memory_mb} MB of memory to read: {_MORE_MEMORY}"
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._replies: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def outgrown(self, reason: str) -> bool:
        """True if this reason may be gone: other limits than these, or a parser that was killed.

        An index keeps of an error only what it says, so that the words tell what it was.
        """
        if reason == _KILLED:
            return True
        if TO_INSTALL in reason:
            return self._ocr_seconds > 0
        limited = reason.endswith((_MORE_TIME, _MORE_MEMORY))
        return limited and reason not in (self.too_long, self._too_much)

    def load(self, path: Path, document_id: str) -> Document:
        """Like `rag.loaders.load`.

        Raises:
            DocumentError: as there; or it took longer, needed more memory, or ended the process.
            RagError: no process can be started, which is no fault of the document.
        """
        try:
            return self._load(path, document_id)
        except _Killed:
            return self._load(path, document_id)

    def _load(self, path: Path, document_id: str) -> Document:
        asked = {"path": str(path), "id": document_id, "ocr_seconds": self._ocr_seconds}
        request = json.dumps(asked).encode()
        process = self._process or self._start() or self._start()
        if process is None:
            raise RagError(
                "the process that reads documents does not start: see whether there is memory "
                "left, and build again"
            )
        if process.stdin is None or not _send(process.stdin, request):
            raise self._crashed()
        try:
            reply = self._replies.get(timeout=self._seconds)
        except queue.Empty:
            self._end()
            raise DocumentError(self.too_long) from None
        if reply is None:
            raise self._crashed()
        return self._answer(json.loads(reply))

    def _answer(self, data: dict[str, Any]) -> Document:
        if data["last"]:
            self._end()
        if data["class"] == _MEMORY:
            raise DocumentError(self._too_much)
        if data["class"]:
            raise _ERRORS.get(data["class"], DocumentError)(data["error"])
        content = data["document"]
        content["blocks"] = tuple(Block(**block) for block in content["blocks"])
        content["pages"] = tuple(Page(**page) for page in content["pages"])
        return Document(**content)

    def _start(self) -> subprocess.Popen[bytes] | None:
        """A new process that is ready, or None."""
        if self._closed:
            raise DocumentError("cannot be read: the build has ended")
        # -P: the working folder may be the corpus; nothing is imported from it.
        command = [sys.executable, "-P", "-m", "rag.building.isolation", str(self._seconds)]
        search = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
        try:
            process = subprocess.Popen(
                [*command, str(self._memory_mb)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # Ctrl-C is for us: we end it when we are done.
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": search, "OPENBLAS_NUM_THREADS": "1"},
            )
        except OSError as error:
            log.warning("no process can be started: %s", error)
            return None
        self._process, self._replies = process, queue.SimpleQueue()
        reader = threading.Thread(
            target=_pass_on, args=(process.stdout, self._replies), daemon=True
        )
        reader.start()
        started = process.stdin is not None and _send(process.stdin, json.dumps(LOADERS).encode())
        try:
            started = started and self._replies.get(timeout=_START_SECONDS) is not None
        except queue.Empty:
            started = False
        if not started:
            self._end()
            return None
        return process

    def _crashed(self) -> DocumentError:
        process = self._process
        code = process.wait() if process else 0
        self._end()
        try:
            name = signal.Signals(-code).name
        except ValueError:
            return DocumentError(_ENDED.format(f"ended with code {code}"))
        error = _Killed if name == "SIGKILL" else DocumentError
        return error(_ENDED.format(f"was ended by {name}"))

    def close(self) -> None:
        """End the process, whatever it is doing, and start no other."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if os.name == "posix":  # Whatever it has started goes with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.wait()

    def __enter__(self) -> IsolatedReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _send(stream: IO[bytes], message: bytes) -> bool:
    """True if somebody is there to take it."""
    try:
        stream.write(len(message).to_bytes(_LENGTH, "little") + message)
        stream.flush()
    except OSError:
        return False
    return True


def _receive(stream: IO[bytes]) -> bytes | None:
    """The next message, or None at the end."""
    length = stream.read(_LENGTH)
    if len(length) < _LENGTH:
        return None
    wanted = int.from_bytes(length, "little")
    message = stream.read(wanted)
    return message if len(message) == wanted else None


def _pass_on(stream: IO[bytes], replies: queue.SimpleQueue[bytes | None]) -> None:
    """A thread's work: pipes cannot be waited for with a limit of time everywhere."""
    message: bytes | None = b""
    while message is not None:
        try:
            message = _receive(stream)
        except (OSError, ValueError):  # closed
            message = None
        replies.put(message)


# The other process


def _serve(seconds: int, memory_mb: int) -> None:
    """Answer requests until nobody asks any more."""
    requests = sys.stdin.buffer
    # Libraries may print: what they print must not end up between the answers.
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)
        LOADERS.clear()
        LOADERS.update(json.loads(_receive(requests) or b"{}"))
        _send(replies, b"ready")
        _limit_memory(memory_mb)
        while (request := _receive(requests)) is not None:
            if hasattr(signal, "alarm"):  # Even if who asked is dead and the parser hangs in C.
                signal.alarm(seconds + 5)
            reply = _load(**json.loads(request))
            if hasattr(signal, "alarm"):
                signal.alarm(0)
            # Memory that a large document has taken is given back only by ending.
            reply["last"] = reply["class"] == _MEMORY or _resident_mb() > memory_mb / 2
            if not _send(replies, json.dumps(reply).encode()) or reply["last"]:
                return


def _load(path: str, id: str, ocr_seconds: float) -> dict[str, Any]:  # noqa: A002 - as requested
    try:
        document = load(Path(path), id, ocr_seconds)
        if len(document.text) > _MOST_CHARACTERS:
            raise DocumentError(
                f"has {len(document.text) / 1e6:.0f} million characters of text, over the limit of "
                f"{_MOST_CHARACTERS / 1e6:.0f} million: split it"
            )
        return {"class": "", "document": asdict(document)}
    except MemoryError:
        return {"class": _MEMORY}
    except DocumentError as error:
        if isinstance(error.__cause__, MemoryError):
            return {"class": _MEMORY}
        return {"class": type(error).__name__, "error": str(error)}


def _limit_memory(megabytes: int) -> None:
    if sys.platform != "linux":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = megabytes * 1_000_000
    limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _resident_mb() -> float:
    """Memory in use. Not the peak that the system keeps: that begins with what our parent had."""
    if sys.platform != "linux":
        return 0.0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    _serve(*map(int, sys.argv[1:3]))
