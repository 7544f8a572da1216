"""Documents made by hand, of pieces one below the other."""

from __future__ import annotations

from collections.abc import Callable

from rag.types import Block, BlockKind, Chunk, Document

Piece = tuple[BlockKind, str, int]
Cut = Callable[..., list[Chunk]]

WINDOW = 256


def document(
    *pieces: Piece, name: str = "a.txt", title: str = "Rules", gap: str = "\n\n"
) -> Document:
    """A document whose blocks are these pieces, one below the other."""
    text, blocks = "", []
    for kind, content, level in pieces:
        text += gap if text else ""
        blocks.append(Block(kind, len(text), len(text) + len(content), level))
        text += content
    return Document(name, title, text, tuple(blocks))


def heading(text: str, level: int = 1) -> Piece:
    return ("heading", text, level)


def paragraph(text: str) -> Piece:
    return ("paragraph", text, 0)


def item(text: str, level: int = 1) -> Piece:
    return ("item", text, level)


def row(text: str, header: bool = False) -> Piece:
    return ("row", text, int(header))


def code(text: str) -> Piece:
    return ("code", text, 0)
