"""What turns the default encoder of passages into that of questions.

The encoder was trained to bring alike texts together; staff ask about a situation in everyday words
("My dad is in hospital, who covers my shift?"), and policies answer in their own. What lies between
is learnt, on questions of our own and of public sources (`training/adapter.py`), as low-rank
changes of the encoder's weights for questions alone, so that no passage has to be embedded again.
Hu et al., "LoRA", ICLR 2022, describe such changes; Lee et al., "Learning Dense Representations of
Phrases at Scale", ACL 2021, training on the side of the query.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rag.encoders import Vectors
from rag.errors import EncoderError

ADAPTER = Path(__file__).parent.parent / "models" / "question_adapter.npz"


def expected_sha256() -> str:
    """The digest that the adapter's file should have, in hex.

    Raises:
        EncoderError: its description is missing or damaged.
    """
    try:
        return str(json.loads(ADAPTER.with_suffix(".json").read_text("utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EncoderError(f"{ADAPTER.name} cannot be loaded ({error}): reinstall rag") from error


def changes() -> Mapping[str, Vectors]:
    """What is added to each weight that is changed: float32, by the name that it has in the model.

    Raises:
        EncoderError: the adapter is missing or damaged.
    """
    expected = expected_sha256()
    try:
        if hashlib.sha256(ADAPTER.read_bytes()).hexdigest() != expected:
            raise EncoderError(f"{ADAPTER.name} is damaged: reinstall rag")
        with np.load(ADAPTER, allow_pickle=False) as factors:  # a pickle could run code
            names = sorted({name.rpartition(":")[0] for name in factors.files})
            return {
                name: factors[f"{name}:b"].astype(np.float32)
                @ factors[f"{name}:a"].astype(np.float32)
                for name in names
            }
    except (OSError, ValueError, KeyError) as error:
        raise EncoderError(f"{ADAPTER.name} cannot be loaded ({error}): reinstall rag") from error
