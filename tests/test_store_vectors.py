"""Vectors on disk: equal to plain numpy on the same numbers."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
import pytest

from rag.store.codes import decode, encode
from rag.store.vectors import Vectors, VectorWriter

D = 8
SENTENCES_OF_CHUNKS = [2, 1, 0, 3, 1] * 8
Floats = npt.NDArray[np.float32]


def unit(rng: np.random.Generator, n: int) -> Floats:
    rows = rng.normal(size=(n, D))
    normed: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return normed


@pytest.fixture(scope="module")
def raw() -> tuple[Floats, Floats, Floats]:
    """Chunk vectors, sentence vectors, questions."""
    rng = np.random.default_rng(1)
    return unit(rng, len(SENTENCES_OF_CHUNKS)), unit(rng, sum(SENTENCES_OF_CHUNKS)), unit(rng, 20)


def write(folder: Path, chunks: Floats, sentences: Floats, counts: list[int], batch: int) -> None:
    writer = VectorWriter(folder, D)
    first = np.concatenate([[0], np.cumsum(counts)])
    rows = [
        (chunk, sentences[first[i] : first[i + 1]].astype(np.float16))
        for i, chunk in enumerate(chunks)
    ]
    for start in range(0, len(rows), batch):
        writer.add(rows[start : start + batch])
    writer.close()


@pytest.fixture(scope="module")
def vectors(
    raw: tuple[Floats, Floats, Floats], tmp_path_factory: pytest.TempPathFactory
) -> Vectors:
    folder = tmp_path_factory.mktemp("vectors")
    write(folder, raw[0], raw[1], SENTENCES_OF_CHUNKS, batch=7)
    return Vectors(folder)


def test_search_is_brute_force(vectors: Vectors, raw: tuple[Floats, Floats, Floats]) -> None:
    chunks, _, questions = raw
    for question in questions:
        products = chunks @ question
        expected = np.argsort(-products)[:10]
        scores, rows = vectors.search(question, 10)
        assert rows.tolist() == expected.tolist()
        np.testing.assert_allclose(scores, products[expected], atol=1e-6)


def test_more_than_all_is_all(vectors: Vectors, raw: tuple[Floats, Floats, Floats]) -> None:
    _, rows = vectors.search(raw[2][0], 10_000)
    assert sorted(rows.tolist()) == list(range(len(SENTENCES_OF_CHUNKS)))


def test_spread_is_mean_and_deviation_over_all_chunks(
    vectors: Vectors, raw: tuple[Floats, Floats, Floats]
) -> None:
    for question in raw[2]:
        products = raw[0].astype(np.float64) @ question.astype(np.float64)
        mean, deviation = vectors.spread(question)
        assert mean == pytest.approx(np.mean(products), abs=1e-6)
        assert deviation == pytest.approx(np.std(products), abs=1e-5)


def test_vectors_come_back_as_they_were(
    vectors: Vectors, raw: tuple[Floats, Floats, Floats]
) -> None:
    assert (len(vectors), vectors.sentence_count) == (len(raw[0]), len(raw[1]))
    rows = np.array([3, 0, 39])
    np.testing.assert_array_equal(vectors.chunks(rows), raw[0][rows])
    # A step is a 127th of the largest coordinate, so a coordinate is off by half of that.
    np.testing.assert_allclose(vectors.sentences(2, 9), raw[1][2:9], atol=0.5 / 127 + 1e-3)


def test_each_chunk_finds_its_own_sentences(
    vectors: Vectors, raw: tuple[Floats, Floats, Floats]
) -> None:
    query = raw[0][7]
    found, positions = vectors.sentence_cosines(np.array([3, 2, 0]), query)
    # Chunk 3 has three sentences from row 2 + 1 + 0 on, chunk 2 none, chunk 0 rows 0 and 1.
    own = decode(encode(np.vstack([raw[1][3:6], raw[1][0:2]])))
    np.testing.assert_allclose(found, own @ query, atol=1e-6)
    assert found.dtype == np.float32
    assert positions.tolist() == [0, 3, 3 + 0, 3 + 0 + 2]


def test_what_was_a_code_becomes_the_same_code(raw: tuple[Floats, Floats, Floats]) -> None:
    """Vectors that pass through a journal or another generation do not wear off."""
    codes = encode(raw[1])
    np.testing.assert_array_equal(encode(decode(codes).astype(np.float16)), codes)


def test_a_code_is_a_unit_vector_in_nearly_the_same_direction() -> None:
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(50, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    decoded = decode(encode(vectors))
    assert np.linalg.norm(decoded, axis=1) == pytest.approx(1, abs=1e-6)
    assert (decoded * vectors).sum(axis=1).min() > 0.9999
    np.testing.assert_array_equal(decode(encode(np.zeros((1, 3)))), np.zeros((1, 3)))


def test_no_chunks_have_no_sentences(vectors: Vectors) -> None:
    found, positions = vectors.sentence_cosines(np.array([], dtype=np.int64), np.zeros(D))
    assert found.shape == (0,)
    assert positions.tolist() == [0]


def test_batches_leave_no_trace_in_the_files(
    raw: tuple[Floats, Floats, Floats], tmp_path: Path
) -> None:
    for batch in (1, 100):
        (tmp_path / str(batch)).mkdir()
        write(tmp_path / str(batch), raw[0], raw[1], SENTENCES_OF_CHUNKS, batch)
    for name in ("chunks.faiss", "sentences.npy", "offsets.npy"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "100" / name).read_bytes()
    assert np.allclose(
        np.load(tmp_path / "1" / "moments.npy"), np.load(tmp_path / "100" / "moments.npy")
    )


def test_the_file_of_vectors_is_what_faiss_itself_writes(
    raw: tuple[Floats, Floats, Floats], tmp_path: Path
) -> None:
    for count in (0, 1, len(raw[0])):
        folder = tmp_path / str(count)
        folder.mkdir()
        counts = SENTENCES_OF_CHUNKS[:count]
        write(folder, raw[0][:count], raw[1][: sum(counts)], counts, batch=7)
        index = faiss.IndexFlatIP(D)
        index.add(raw[0][:count])
        faiss.write_index(index, str(folder / "expected.faiss"))
        expected = (folder / "expected.faiss").read_bytes()
        assert (folder / "chunks.faiss").read_bytes() == expected


def test_faiss_finds_in_the_file_what_we_find(
    vectors: Vectors, raw: tuple[Floats, Floats, Floats], tmp_path: Path
) -> None:
    write(tmp_path, raw[0], raw[1], SENTENCES_OF_CHUNKS, batch=7)
    index = faiss.read_index(str(tmp_path / "chunks.faiss"))
    _, theirs = index.search(raw[2], 10)
    for question, rows in zip(raw[2], theirs, strict=True):
        assert vectors.search(question, 10)[1].tolist() == rows.tolist()


def damaged(content: bytes) -> list[bytes]:
    """Cut within the header, another kind of index, another number of vectors."""
    return [content[:20], b"IxF2" + content[4:], content[:8] + b"\x07" + content[9:]]


def test_what_is_no_flat_index_is_refused(
    raw: tuple[Floats, Floats, Floats], tmp_path: Path
) -> None:
    write(tmp_path, raw[0], raw[1], SENTENCES_OF_CHUNKS, batch=7)
    file = tmp_path / "chunks.faiss"
    for content in damaged(file.read_bytes()):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"chunks\.faiss"):
            Vectors(tmp_path)


def test_nothing_at_all_can_be_stored(tmp_path: Path) -> None:
    VectorWriter(tmp_path, D).close()
    vectors = Vectors(tmp_path)
    assert (len(vectors), vectors.sentence_count) == (0, 0)
    assert vectors.spread(np.ones(D, dtype=np.float32)) == (0, 0)


def test_a_place_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "chunks.faiss").mkdir()
    with pytest.raises(OSError, match=r"chunks\.faiss"):
        VectorWriter(tmp_path, D)
