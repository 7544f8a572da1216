"""Documents, chunks and sentences in SQLite: what goes in comes out, row by row."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import IndexDamaged
from rag.store.table_writer import TableWriter
from rag.store.tables import FileState, Tables
from rag.types import Block, Chunk, Document, Page, Sentence

STATE = FileState("ab" * 32, 123, 1_700_000_000_123_456_789)


def one_document(name: str, text: str) -> tuple[Document, list[Chunk]]:
    """A document of one block, and a chunk for each of its halves."""
    middle, end = len(text) // 2, len(text)
    document = Document(
        id=name,
        title=f"Title of {name}",
        text=text,
        blocks=(Block("heading", 0, middle, 2), Block("row", middle, end)),
        pages=(Page(1, 0, middle), Page(2, middle, end)),
        metadata={"tags": ["a", "ü"], "published": "2025-07-01"},
    )
    chunks = [
        Chunk(
            document=name,
            start=start,
            end=stop,
            text=text[start:stop],
            title=document.title,
            headings=("Top", "Ünder “quotes”"),
            page=page,
            sentences=(Sentence(start, stop, "item"),),
            enriched=f"enriched {start}",
        )
        for start, stop, page in ((0, middle, 1), (middle, end, None))
    ]
    return document, chunks


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    writer = TableWriter(tmp_path / "t.sqlite")
    for name in ("a.md", "b/ü 😀.txt"):
        document, chunks = one_document(name, f"{name}: 😀 text\u2028of {name} 文件.")
        keys = [f"{name}-{n}".encode() for n in range(len(chunks))]
        writer.add(document, STATE, chunks, keys, tokens=7)
    writer.add_failure("broken.pdf", "is encrypted", STATE)
    writer.close()
    assert (writer.documents, writer.chunks, writer.sentences) == (2, 4, 4)
    return Tables(tmp_path / "t.sqlite")


def test_a_document_comes_back_whole(tables: Tables) -> None:
    expected, _ = one_document("b/ü 😀.txt", "b/ü 😀.txt: 😀 text\u2028of b/ü 😀.txt 文件.")
    assert tables.document("b/ü 😀.txt") == expected
    assert tables.document("nobody.md") is None


def test_chunks_come_back_in_the_order_asked_for(tables: Tables) -> None:
    _, first = one_document("a.md", "a.md: 😀 text\u2028of a.md 文件.")
    _, second = one_document("b/ü 😀.txt", "b/ü 😀.txt: 😀 text\u2028of b/ü 😀.txt 文件.")
    assert tables.chunks([3, 0, 1, 0]) == [second[1], first[0], first[1], first[0]]
    assert tables.chunks([]) == []


def test_more_chunks_may_be_asked_for_than_sqlite_takes_parameters(tables: Tables) -> None:
    wanted = [row % 4 for row in range(40_000)]
    found = tables.chunks(wanted)
    assert [chunk.enriched for chunk in found[:4]] == [c.enriched for c in tables.chunks(range(4))]
    assert len(found) == len(wanted)


def test_a_chunk_that_is_not_there_is_damage(tables: Tables) -> None:
    with pytest.raises(IndexDamaged, match="chunk 7 is missing"):
        tables.chunks([0, 7])


def test_documents_are_described_without_their_text(tables: Tables) -> None:
    infos = tables.documents()
    assert [(i.row, i.id, i.first_chunk, i.chunks) for i in infos] == [
        (0, "a.md", 0, 2),
        (1, "b/ü 😀.txt", 2, 2),
    ]
    assert infos[1].metadata == {"tags": ["a", "ü"], "published": "2025-07-01"}
    assert infos[1].tokens == 7
    assert infos[1].file == STATE


def test_failures_are_remembered(tables: Tables) -> None:
    assert tables.failures() == {"broken.pdf": ("is encrypted", STATE)}


def test_vectors_are_found_by_their_key(tables: Tables) -> None:
    # Row 2 is the first chunk of the second document; two sentences come before its own.
    assert tables.find_vectors("b/ü 😀.txt-0".encode()) == (2, 2, 3)
    assert tables.find_vectors(b"unknown") is None


def test_what_is_searched_is_listed_by_row(tables: Tables) -> None:
    assert list(tables.enriched()) == [text for info in tables.documents() for text in (
        "enriched 0", f"enriched {info.characters // 2}"
    )]  # fmt: skip


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=2))
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("tables") / "t.sqlite"
    document, chunks = one_document("a.txt", text)
    writer = TableWriter(path)
    writer.add(document, STATE, chunks, [b"1", b"2"], 0)
    writer.close()
    opened = Tables(path)
    assert opened.document("a.txt") == document
    assert opened.chunks([0, 1]) == chunks
    opened.close()


def test_two_documents_of_one_name_are_refused(tmp_path: Path) -> None:
    writer = TableWriter(tmp_path / "t.sqlite")
    document, chunks = one_document("a.md", "some text")
    writer.add(document, STATE, chunks, [b"1", b"2"], 0)
    with pytest.raises(sqlite3.IntegrityError):
        writer.add(document, STATE, chunks, [b"1", b"2"], 0)
    writer.close()


def test_threads_may_share_them(tables: Tables) -> None:
    expected = tables.chunks([0, 1, 2, 3])

    def read(_: int) -> bool:
        return tables.chunks([0, 1, 2, 3]) == expected and len(tables.documents()) == 2

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(200)))


def test_they_cannot_be_written_through(tables: Tables) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        tables._connection.execute("DELETE FROM chunks")


def test_damage_inside_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    writer = TableWriter(path)
    for n in range(50):
        document, chunks = one_document(f"{n}.md", "some text " * 100)
        writer.add(document, STATE, chunks, [b"1", b"2"], 0)
    writer.close()
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    with pytest.raises(IndexDamaged) as caught:
        Tables(path).chunks([60])
    assert str(caught.value) == (
        f"{path} cannot be read (database disk image is malformed): "
        "run `rag build` for a new generation"
    )


def test_a_document_that_is_missing_is_damage(tables: Tables, tmp_path: Path) -> None:
    tables.close()
    path = tmp_path / "t.sqlite"
    with sqlite3.connect(path) as changed:
        changed.execute("DELETE FROM texts WHERE row = 1")
    changed.close()
    damaged = Tables(path)
    assert damaged.chunks([0])
    with pytest.raises(IndexDamaged) as caught:
        damaged.chunks([0, 2])
    assert str(caught.value) == (
        f"{path} cannot be read (document 1 of chunk 2 is missing): "
        "run `rag build` for a new generation"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE chunks SET sentences = '[' WHERE row = 3", "malformed JSON"),
        ("ALTER TABLE chunks RENAME TO lost", "no such table: old.chunks"),
    ],
)
def test_damage_of_what_is_taken_over_is_an_error_of_ours(
    tables: Tables, tmp_path: Path, change: str, reason: str
) -> None:
    seen = tables.seen()
    tables.close()
    with sqlite3.connect(tmp_path / "t.sqlite") as changed:
        changed.execute(change)
    changed.close()
    writer = TableWriter(tmp_path / "new.sqlite", tmp_path / "t.sqlite")
    with pytest.raises(IndexDamaged) as caught:
        writer.copy(*seen.values())
    assert str(caught.value) == f"the published generation cannot be read: {reason}"
    writer.close()


def test_a_full_disk_is_no_damage_of_what_is_taken_over(tmp_path: Path) -> None:
    before = TableWriter(tmp_path / "t.sqlite")
    document, chunks = one_document("large.md", "some text " * 5000)
    before.add(document, STATE, chunks, [b"1", b"2"], 0)
    before.close()
    (seen,) = Tables(tmp_path / "t.sqlite").seen().values()
    writer = TableWriter(tmp_path / "new.sqlite", tmp_path / "t.sqlite")
    writer._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError, match=r"^database or disk is full$"):
        writer.copy(seen, seen)
    writer._connection.close()


def test_chunks_of_older_generations_can_be_read(tables: Tables, tmp_path: Path) -> None:
    """Their sentences had neither outer leads nor markers; `rag diff` reads them still."""
    tables.close()
    with sqlite3.connect(tmp_path / "t.sqlite") as changed:
        changed.execute("UPDATE chunks SET sentences = '[[0, 4, \"item\", null]]' WHERE row = 0")
    changed.close()
    (chunk,) = Tables(tmp_path / "t.sqlite").chunks([0])
    assert chunk.sentences == (Sentence(0, 4, "item"),)
