"""Vectors of questions: the same to the last bit, whoever else is encoded at the same time.

Matrix products of another shape may round differently: where an encoder is not `batch_invariant`,
each text is encoded alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.encoders import Encoder, Vectors


def encode_queries(encoder: Encoder, texts: Sequence[str], *, adapted: bool = True) -> Vectors:
    """Embed questions: float32, shape (len(texts), dimension), L2-normalised.

    With `adapted` false they are embedded as if they were passages.
    """
    encode = encoder.encode_questions if adapted else encoder.encode
    if len(texts) == 1 or encoder.batch_invariant:
        return encode(texts)
    alone = [encode([text]) for text in texts]
    return np.concatenate([np.empty((0, encoder.dimension), dtype=np.float32), *alone])
