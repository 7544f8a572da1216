"""Loaders that misbehave in every way that a parser can; each takes one kind of file."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from rag.types import Block, Document

LOADERS = {
    ".hang": "hostile_loaders:hang",
    ".crash": "hostile_loaders:crash",
    ".killed": "hostile_loaders:killed",
    ".leave": "hostile_loaders:leave",
    ".eat": "hostile_loaders:eat",
    ".chatty": "hostile_loaders:chatty",
    ".huge": "hostile_loaders:huge",
    ".broken": "hostile_loaders:broken",
    ".marred": "hostile_loaders:marred",
}


def _document(name: str, text: str) -> Document:
    return Document(name, "A title", text, (Block("paragraph", 0, len(text)),))


def hang(data: bytes, document_id: str) -> NoReturn:
    """Never comes back."""
    while True:
        time.sleep(1)


def crash(data: bytes, document_id: str) -> NoReturn:
    """Reads where nothing is."""
    ctypes.string_at(0)
    raise AssertionError


def killed(data: bytes, document_id: str) -> Document:
    """Is killed by somebody else, as long as there is no file of the name that it holds."""
    if not Path(data.decode()).exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return _document(document_id, "Staff may stay.")


def leave(data: bytes, document_id: str) -> NoReturn:
    """Ends the process."""
    os._exit(3)


def eat(data: bytes, document_id: str) -> NoReturn:
    """Asks for more and more memory."""
    eaten = []
    while True:
        eaten.append(bytearray(50_000_000))


def chatty(data: bytes, document_id: str) -> Document:
    """Writes where the answers are expected."""
    sys.stdout.write("a library speaks")
    os.write(1, b"\xff" * 100)
    sys.stdout.flush()
    return _document(document_id, "Staff may speak.")


def huge(data: bytes, document_id: str) -> Document:
    """A small file that unfolds into millions of words."""
    return _document(document_id, "word " * 5_000_000)


def broken(data: bytes, document_id: str) -> Document:
    """Half a character, as some JSON holds it."""
    return _document(document_id, "Staff \ud800 may.")


def marred(data: bytes, document_id: str) -> Document:
    """Half a character, where nobody reads."""
    return replace(_document(document_id, "Staff may."), metadata={"owner": "\ud800"})
