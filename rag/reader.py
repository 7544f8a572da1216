"""The reader: a small cross-encoder that says which sentence of a passage answers a question.

Trained by us from MiniLM's weights (see `training/` and `models/MODEL_CARD.md`); int8 on ONNX
Runtime. It gives each token a start and an end logit; a sentence scores the start logit of its
first token plus the end logit of its last one, and the [CLS] token scores "not answered here".
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from rag.encoders.minilm import word_pieces
from rag.errors import EncoderError
from rag.store.files import fingerprint_of
from rag.types import Chunk

MODEL = Path(__file__).parent / "models" / "reader.onnx"
_LONGEST_QUESTION = 64

Logits = npt.NDArray[np.float32]


class Reader:
    """Reads passages; load one and keep it."""

    def __init__(self, threads: int = 0) -> None:
        """Prepare the tokenizer; the network is loaded and checked at the first `read`."""
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, "reader")
        self._tokenizer = word_pieces()
        self._cls, self._sep = self._tokenizer.encode("").ids

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        try:
            card = json.loads(MODEL.with_suffix(".json").read_text("utf-8"))
            for name, facts in card["files"].items():
                if fingerprint_of(MODEL.with_name(name)) != facts["xxh3"]:
                    raise EncoderError(f"{name} of the reader is damaged: reinstall rag")
        except (OSError, ValueError, KeyError) as error:
            raise EncoderError(f"the reader cannot be loaded ({error}): reinstall rag") from error
        self._window = int(card["max_length"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])

    def read(
        self, question: str, passages: Sequence[tuple[Chunk, Sequence[str]]]
    ) -> list[list[float]]:
        """Judge every sentence of every passage.

        Args:
            question: understood, i.e. with the question before it where it leans on that.
            passages: chunks with their sentences' plain texts.

        Returns:
            For each passage, for each sentence, its logit minus that of "not answered here".
        """
        if not passages:
            return []
        session = self._session
        asked = self._ids([question])[0][-_LONGEST_QUESTION:]
        inputs = [self._input(asked, chunk, texts) for chunk, texts in passages]
        # One passage a run: no padding is computed, and since int8 ranges are taken per run, a
        # passage's scores do not depend on its neighbours. One thread a passage keeps all busy.
        return list(self._pool.map(lambda one: self._run(session, *one), inputs))

    def _run(
        self,
        session: onnxruntime.InferenceSession,
        ids: list[int],
        first: int,
        spans: Sequence[tuple[int, int] | None],
    ) -> list[float]:
        types = np.zeros((1, len(ids)), dtype=np.int64)
        types[0, first:] = 1
        asked = [0, *(place for span in spans if span for place in span)]
        feeds = {
            "input_ids": np.array([ids], dtype=np.int64),
            "token_type_ids": types,
            "asked": np.array(asked, dtype=np.int64),
        }
        start, end = session.run(["start", "end"], feeds)
        return self._margins(start[0], end[0], [span is not None for span in spans])

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def _input(
        self, asked: list[int], chunk: Chunk, texts: Sequence[str]
    ) -> tuple[list[int], int, list[tuple[int, int] | None]]:
        """Token ids, where the passage begins, and each sentence's first and last token."""
        path = " > ".join([chunk.title, *(h for h in chunk.headings if h != chunk.title)])
        ids = [self._cls, *asked, self._sep]
        first = len(ids)
        ids += [*self._ids([path + "."])[0][:_LONGEST_QUESTION]]
        spans: list[tuple[int, int] | None] = []
        for own in self._ids(texts):
            if not own or len(ids) + len(own) + 1 > self._window:
                spans.append(None)
                continue
            spans.append((len(ids), len(ids) + len(own) - 1))
            ids += own
        return [*ids, self._sep], first, spans

    @staticmethod
    def _margins(start: Logits, end: Logits, read: Sequence[bool]) -> list[float]:
        """Of each sentence, from logits of [CLS] and of the first and last token of those read."""
        null = float(start[0] + end[0])
        own = iter((start[1::2] + end[2::2]).tolist())
        unread = float("-inf")
        margins = [next(own) - null if each else unread for each in read]
        known = [margin for margin in margins if margin > unread]
        # What did not fit into the window is as good as the worst that did.
        lowest = min(known, default=0.0)
        return [margin if margin > unread else lowest for margin in margins]
