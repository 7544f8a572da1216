"""The journal: vectors of an unfinished build, and nobody else's."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from rag.store.journal import Journal, clear_journal

CHUNK = np.arange(4, dtype=np.float32)
SENTENCES = np.arange(8, dtype=np.float16).reshape(2, 4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of encoder "one" that knows the key "k"."""
    journal = Journal(tmp_path / "journal.sqlite", "one", 4)
    journal.add([(b"k", CHUNK, SENTENCES), (b"none", CHUNK, SENTENCES[:0])])
    journal.close()
    return tmp_path / "journal.sqlite"


def test_what_was_added_is_there_after_opening_it_again(path: Path) -> None:
    journal = Journal(path, "one", 4)
    found = journal.find(b"k")
    assert found is not None
    np.testing.assert_array_equal(found[0], CHUNK)
    np.testing.assert_array_equal(found[1], SENTENCES)
    assert (found[0].dtype, found[1].dtype) == (np.float32, np.float16)
    empty = journal.find(b"none")
    assert empty is not None
    assert empty[1].shape == (0, 4)
    assert journal.find(b"other") is None
    journal.close()


def test_vectors_of_another_encoder_are_forgotten(path: Path) -> None:
    other = Journal(path, "two", 4)
    assert other.find(b"k") is None
    other.close()
    back = Journal(path, "one", 4)
    assert back.find(b"k") is None
    back.close()


def test_the_same_key_twice_is_one_row(path: Path) -> None:
    journal = Journal(path, "one", 4)
    journal.add([(b"k", CHUNK + 1, SENTENCES)])
    found = journal.find(b"k")
    assert found is not None
    np.testing.assert_array_equal(found[0], CHUNK + 1)
    journal.close()


@pytest.mark.parametrize("damage", ["not a database", "cut", "overwritten", "other table"])
def test_a_damaged_journal_is_thrown_away(path: Path, damage: str) -> None:
    content = path.read_bytes()
    if damage == "other table":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE vectors(something TEXT)")
        connection.close()
    else:
        path.write_bytes(
            {
                "not a database": b"#!/bin/sh\n" * 100,
                "cut": content[: len(content) // 2],
                "overwritten": content[:4096] + b"\xff" * (len(content) - 4096),
            }[damage]
        )
    journal = Journal(path, "one", 4)
    assert journal.find(b"k") is None
    journal.add([(b"k", CHUNK, SENTENCES)])
    assert journal.find(b"k") is not None
    journal.close()


def test_clearing_leaves_no_file(path: Path) -> None:
    path.with_name("journal.sqlite-journal").write_bytes(b"left over")
    clear_journal(path)
    assert list(path.parent.iterdir()) == []
    clear_journal(path)
