"""The question's vector, turned towards passages that answer such questions.

The encoder was trained to bring alike texts together; staff ask about a situation in everyday words
("My dad is in hospital, who covers my shift?"), and policies answer in their own. What lies between
is learnt as one matrix, on documents and questions of our own (`training/adapter.py`): a linear
adapter of the query alone, so that no passage has to be embedded again. Yoon et al.,
"Search-Adaptor", ACL 2024, describe such adapters.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from rag.encoders import Vectors
from rag.errors import EncoderError
from rag.store.files import fingerprint_of

ADAPTER = Path(__file__).parent / "models" / "query_adapter.npy"


def adapt(query: Vectors) -> Vectors:
    """The vector of a question as it is searched with: float32, shape (384,), L2-normalised.

    One of length 0 stays as it is. One at a time: a product of many vectors rounds differently, and
    a question has to have the same vector alone and among others.

    Raises:
        EncoderError: the adapter is missing or damaged.
    """
    turned = query + query @ _matrix()
    norm = float(np.linalg.norm(turned))
    return np.asarray(turned / norm if norm > 0 else query, dtype=np.float32)


@cache
def _matrix() -> Vectors:
    try:
        facts = json.loads(ADAPTER.with_suffix(".json").read_text("utf-8"))
        if fingerprint_of(ADAPTER) != facts["xxh3"]:
            raise EncoderError(f"{ADAPTER.name} is damaged: reinstall rag")
        halves = np.load(ADAPTER, allow_pickle=False)  # a pickle could run code
    except (OSError, ValueError, KeyError) as error:
        raise EncoderError(f"{ADAPTER.name} cannot be loaded ({error}): reinstall rag") from error
    matrix: Vectors = halves.astype(np.float32)
    return matrix
