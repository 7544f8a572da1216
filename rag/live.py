"""An index that follows what is published: what a long-running process asks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from rag.asking.asked import Asked, History
from rag.catalogue.conditions import Given, parse_where
from rag.encoders import Encoder, check_names, load_encoder
from rag.errors import RagError
from rag.index import Index
from rag.pipeline import Models
from rag.settings import Settings
from rag.sharing.answers import Remembered
from rag.sharing.encoding import SharedEncoder
from rag.sharing.turns import Turns
from rag.store.generation import Generation, open_current
from rag.store.manifest import current_generation
from rag.store.tables import DocumentInfo
from rag.types import Answer, Document, Hit, Json

log = logging.getLogger(__name__)

_LOOK_EVERY = 0.5
"""Seconds between two looks at the pointer; only a call that comes later than that looks."""

_MOST_WAITING = 256
"""So many questions wait for their turn; one more is refused."""
_LETS_BY = 2.0
"""A question that reads on lets those by that come up to so many seconds later."""
_REMEMBERED = 500
"""So many answers of a generation are kept, to be given again to the same question."""


class _SharedModels(Models):
    """Models for many threads: they encode together, and then compute a few at a time."""

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder, shared."""
        return SharedEncoder(load_encoder(self.settings.encoder, self.settings.threads))

    @cached_property
    def _turns(self) -> Turns:
        return Turns(self.threads, _MOST_WAITING)

    def turn(self) -> AbstractContextManager[None]:
        """As many questions at once as there are threads to compute, first come, first served."""
        return self._turns.turn()

    def let_others_by(self) -> None:
        """A question that has to read much waits for those that may have to read little."""
        self._turns.let_by(_LETS_BY)


class _Remembering(Index):
    """An index that answers the same question once, for however many ask it."""

    def __init__(self, generation: Generation, models: Models) -> None:
        super().__init__(generation, models)
        self._answers: Remembered[Answer] = Remembered(_REMEMBERED)

    def ask(
        self,
        question: str,
        history: History = (),
        id: Json = None,  # noqa: A002 - as in Index
        where: Given = None,
    ) -> Answer:
        """See `Index.ask`."""
        started = time.perf_counter()
        asked = Asked(question, history, where)
        turns = tuple((turn["role"], turn["content"]) for turn in asked.turns)
        answer = self._answers.get(
            (question, turns, parse_where(where)),
            lambda: super(_Remembering, self).ask(question, history, where=where),
        )
        return replace(answer, id=id, took_ms=(time.perf_counter() - started) * 1000)


class _Lease:
    """An open index and how many calls are using it."""

    def __init__(self, index: Index) -> None:
        self.index, self.users, self.retired = index, 0, False


class LiveIndex:
    """The same calls as `Index`, each answered from the generation that is current as it begins.

    Safe to share between threads, which share the work as well: questions that come together are
    encoded together, the same question is answered once, and only as many are answered at once as
    there are threads to compute; the others wait in line.

    A new generation is opened aside and then swapped in; the old
    one is closed when the last call that uses it has returned. If the new one cannot be opened,
    that is logged and the old one goes on answering.
    """

    def __init__(self, index: Path, settings: Settings | None = None) -> None:
        """Open the published generation.

        Raises:
            IndexNotFound: nothing has been built there.
            IndexDamaged: a file is missing or damaged.
        """
        self._path = index
        self._models = _SharedModels(settings or Settings(index=index))
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._lease = _Lease(_Remembering(open_current(index), self._models))
        self._looked = time.monotonic()

    @contextmanager
    def snapshot(self) -> Iterator[Index]:
        """One generation for several calls that belong together."""
        self._follow()
        with self._lock:
            lease = self._lease
            lease.users += 1
        try:
            yield lease.index
        finally:
            with self._lock:
                lease.users -= 1
                unused = lease.retired and lease.users == 0
            if unused:
                lease.index.close()

    def _follow(self) -> None:
        """Swap in what has been published since the last look."""
        if time.monotonic() - self._looked < _LOOK_EVERY or not self._opening.acquire(
            blocking=False
        ):
            return
        # Held until the swap is done: nobody may come between with a generation that is newer.
        try:
            self._looked = time.monotonic()
            if current_generation(self._path) == self._lease.index.generation:
                return
            self._swap(_Lease(_Remembering(self._open_newer(), self._models)))
        except RagError as error:
            log.warning("going on with generation %s: %s", self._lease.index.generation, error)
        finally:
            self._opening.release()

    def _open_newer(self) -> Generation:
        """The current generation, if this process has the encoder to search it."""
        newer = open_current(self._path)
        try:
            check_names(self._models.settings.encoder, newer.manifest.encoder)
        except RagError:
            newer.close()
            raise
        return newer

    def _swap(self, newer: _Lease) -> None:
        with self._lock:
            older, self._lease = self._lease, newer
            older.retired = True
            unused = older.users == 0
        if unused:
            older.index.close()

    @property
    def generation(self) -> str:
        """Id of the generation that answers now."""
        with self.snapshot() as index:
            return index.generation

    @property
    def created(self) -> str:
        """When that was built: UTC, ISO 8601."""
        with self.snapshot() as index:
            return index.created

    def ask(
        self,
        question: str,
        history: History = (),
        id: Json = None,  # noqa: A002 - as in Index
        where: Given = None,
    ) -> Answer:
        """See `Index.ask`."""
        with self.snapshot() as index:
            return index.ask(question, history, id, where)

    def retrieve(
        self, question: str, k: int = 5, history: History = (), where: Given = None
    ) -> list[Hit]:
        """See `Index.retrieve`."""
        with self.snapshot() as index:
            return index.retrieve(question, k, history, where)

    def document(self, document_id: str) -> Document:
        """See `Index.document`."""
        with self.snapshot() as index:
            return index.document(document_id)

    def text(self, document_id: str) -> str:
        """See `Index.text`."""
        return self.document(document_id).text

    def documents(self) -> list[DocumentInfo]:
        """See `Index.documents`."""
        with self.snapshot() as index:
            return index.documents()

    def status(self) -> dict[str, str | int]:
        """See `Index.status`."""
        with self.snapshot() as index:
            return index.status()

    def close(self) -> None:
        """Close the generation in use; call it when nobody asks any more."""
        self._lease.index.close()
