"""Questions that arrive together are encoded together.

Whoever finds the encoder free encodes at once, so a lone asker loses no time. Those who come in
the meantime form the next batch, which the first of them encodes for all.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from rag.encoders import Encoder, Vectors
from rag.encoders.queries import encode_queries

_TOGETHER = 64
"""So many texts are encoded at once: more would let the first wait for the last."""


class _Request:
    """What one caller wants encoded.

    Attributes:
        texts: as given to `encode_questions`.
        called: set when it is done, or when its caller has to encode the next batch.
        result: vectors, or the error instead; None until then.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts, self.called = list(texts), threading.Event()
        self.result: Vectors | Exception | None = None


class SharedEncoder:
    """An `Encoder` for the questions of many threads at once; vectors are those of the one below.

    Attributes:
        name: see `Encoder`.
        digest: see `Encoder`.
        dimension: see `Encoder`.
        window: see `Encoder`.
        batch_invariant: true, since `encode_queries` sees to it.
    """

    batch_invariant = True

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.digest = encoder.name, encoder.digest
        self.dimension, self.window = encoder.dimension, encoder.window
        self._lock = threading.Lock()
        self._waiting: deque[_Request] = deque()
        self._busy = False

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Encoder.count_tokens`."""
        return self._encoder.count_tokens(texts)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See `Encoder.encode`; nobody waits here, since passages are embedded elsewhere."""
        return encode_queries(self._encoder, texts, adapted=False)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Embed questions: float32, shape (len(texts), dimension).

        Raises whatever the encoder raises for these texts; those of others are not in the way.
        """
        request = _Request(texts)
        with self._lock:
            self._waiting.append(request)
            ours, self._busy = not self._busy, True
        if not ours:
            request.called.wait()
        if request.result is None:
            self._encode_waiting()
        if isinstance(request.result, Exception):
            raise request.result
        assert request.result is not None
        return request.result

    def _encode_waiting(self) -> None:
        """Encode for those at the head of the line, then call the next one to do the same."""
        batch = self._next_batch()
        try:
            self._run(batch)
        finally:
            for request in batch:
                request.called.set()
            with self._lock:
                self._busy = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].called.set()

    def _next_batch(self) -> list[_Request]:
        with self._lock:
            batch = [self._waiting.popleft()]
            size = len(batch[0].texts)
            while self._waiting and size + len(self._waiting[0].texts) <= _TOGETHER:
                batch.append(self._waiting.popleft())
                size += len(batch[-1].texts)
        return batch

    def _run(self, batch: Sequence[_Request]) -> None:
        texts = list(dict.fromkeys(text for request in batch for text in request.texts))
        try:
            vectors = encode_queries(self._encoder, texts)
        except Exception as error:  # noqa: BLE001 - raised in the thread of its caller
            if len(batch) == 1:
                batch[0].result = error
                return
            # One of them is at fault: each finds out for itself.
            for request in batch:
                self._run([request])
            return
        row = {text: number for number, text in enumerate(texts)}
        for request in batch:
            request.result = vectors[[row[text] for text in request.texts]]
