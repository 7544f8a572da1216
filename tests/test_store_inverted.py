"""Inverted lists: nearly what comparing everything finds, also filtered, also taken over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from rag.cli.inspect import explain
from rag.store import inverted, vectors
from rag.store.generation import open_current
from rag.store.history import check
from rag.store.inverted import Inverted, lists_for
from rag.store.vectors import Vectors, VectorWriter

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]

D, COUNT = 32, 3_000
Floats = npt.NDArray[np.float32]


def unit(vectors: npt.NDArray[np.floating]) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def raw() -> tuple[Floats, Floats]:
    """Chunks around two hundred topics, and questions near some of them."""
    rng = np.random.default_rng(3)
    topics = rng.normal(size=(200, D))
    chunks = unit(topics[rng.integers(0, 200, COUNT)] + 0.6 * rng.normal(size=(COUNT, D)))
    return chunks, unit(chunks[::60] + 0.1 * rng.normal(size=(COUNT // 60, D)))


@pytest.fixture(autouse=True)
def small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if three thousand were very many."""
    monkeypatch.setattr(vectors, "EXACT_UP_TO", 1_000)
    monkeypatch.setattr(inverted, "COMPARED", 600)
    monkeypatch.setattr(inverted, "_BLOCK", 256)


def write(folder: Path, chunks: Floats, previous: Vectors | None = None) -> Vectors:
    """All chunks as new ones, with one sentence each."""
    folder.mkdir()
    writer = VectorWriter(folder, D, previous)
    writer.add_block(chunks, chunks.astype(np.float16), [1] * len(chunks))
    writer.close()
    return Vectors(folder)


def lists_of(index: Vectors) -> Inverted:
    assert index.inverted is not None
    return index.inverted


def recall(
    index: Vectors, chunks: Floats, questions: Floats, allowed: npt.NDArray[np.int64]
) -> float:
    found = 0
    for question in questions:
        best = allowed[np.argsort(-(chunks[allowed] @ question), kind="stable")[:10]]
        _, rows = index.search(question, 10, None if len(allowed) == len(chunks) else allowed)
        found += len(set(rows.tolist()) & set(best.tolist()))
    return found / (min(10, len(allowed)) * len(questions))


def test_few_chunks_are_compared_one_by_one(tmp_path: Path, raw: tuple[Floats, Floats]) -> None:
    index = write(tmp_path / "few", raw[0][:1_000])
    assert index.inverted is None
    assert index.description == {"kind": "exact", "exact_up_to": 1_000}
    assert not (tmp_path / "few" / "inverted").exists()


def test_of_many_chunks_nearly_all_of_the_best_are_found(
    tmp_path: Path, raw: tuple[Floats, Floats]
) -> None:
    index = write(tmp_path / "many", raw[0])
    assert index.description == {
        "kind": "inverted", "lists": lists_for(COUNT), "codes": "int8", "compared": 600,
        "exact_up_to": 1_000,
    }  # fmt: skip
    assert len(index) == COUNT
    assert recall(index, *raw, np.arange(COUNT)) > 0.95


def test_scores_are_exact_and_fall(tmp_path: Path, raw: tuple[Floats, Floats]) -> None:
    chunks, questions = raw
    index = write(tmp_path / "many", chunks)
    for question in questions[:10]:
        scores, rows = index.search(question, 25)
        np.testing.assert_allclose(scores, chunks[rows] @ question, atol=1e-6)
        assert (np.diff(scores) <= 0).all()
        assert len(set(rows.tolist())) == 25
        np.testing.assert_array_equal(index.chunks(rows), chunks[rows])


@pytest.mark.parametrize("share", [0.002, 0.05, 0.19, 0.6])
def test_a_filter_finds_the_best_that_it_allows(
    tmp_path: Path, raw: tuple[Floats, Floats], share: float
) -> None:
    index = write(tmp_path / "many", raw[0])
    allowed = np.flatnonzero(np.random.default_rng(5).random(COUNT) < share)
    few = len(allowed) <= 600  # then all are compared
    assert recall(index, *raw, allowed) >= (1.0 if few else 0.95)
    for question in raw[1][:5]:
        _, rows = index.search(question, 10, allowed)
        assert len(rows) == min(10, len(allowed))
        assert set(rows.tolist()) <= set(allowed.tolist())


def test_more_than_all_is_all(tmp_path: Path, raw: tuple[Floats, Floats]) -> None:
    index = write(tmp_path / "many", raw[0])
    _, rows = index.search(raw[1][0], 2 * COUNT)
    assert sorted(rows.tolist()) == list(range(COUNT))
    _, rows = index.search(raw[1][0], 9, np.array([], dtype=np.int64))
    assert rows.tolist() == []


def test_every_chunk_is_in_the_list_of_its_nearest_centroid(
    tmp_path: Path, raw: tuple[Floats, Floats]
) -> None:
    index = write(tmp_path / "many", raw[0])
    nearest = (raw[0] @ lists_of(index).centroids.T).argmax(axis=1)
    np.testing.assert_array_equal(lists_of(index).lists(), nearest)


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def test_the_same_chunks_give_the_same_files(tmp_path: Path, raw: tuple[Floats, Floats]) -> None:
    for name in ("one", "other"):
        write(tmp_path / name, raw[0])
    assert files_of(tmp_path / "one") == files_of(tmp_path / "other")


def test_chunks_taken_over_keep_their_lists_and_new_ones_find_theirs(
    tmp_path: Path, raw: tuple[Floats, Floats]
) -> None:
    chunks, questions = raw
    before = write(tmp_path / "before", chunks[:2_000])
    (tmp_path / "after").mkdir()
    writer = VectorWriter(tmp_path / "after", D, before)
    writer.copy(0, 500)
    new = chunks[2_000:]
    writer.add_block(new, new.astype(np.float16), [1] * len(new))
    writer.copy(700, 2_000)
    writer.close()
    after = Vectors(tmp_path / "after")
    now = np.vstack([chunks[:500], new, chunks[700:2_000]])
    np.testing.assert_array_equal(lists_of(after).centroids, lists_of(before).centroids)
    nearest = (now @ lists_of(before).centroids.T).argmax(axis=1)
    np.testing.assert_array_equal(lists_of(after).lists(), nearest)
    np.testing.assert_array_equal(after.block(0, len(now))[0], now)
    assert recall(after, now, questions, np.arange(len(now))) > 0.95
    # As if all had been new, but for the last digits of the sums behind the moments.
    anew = files_of(tmp_path / "after")
    write(tmp_path / "anew", now, before)
    assert {name for name, content in files_of(tmp_path / "anew").items()
            if content != anew[name]} <= {"moments.npy"}  # fmt: skip


def test_centroids_are_trained_anew_once_the_chunks_have_doubled(
    tmp_path: Path, raw: tuple[Floats, Floats]
) -> None:
    before = write(tmp_path / "before", raw[0][:1_400])
    (tmp_path / "after").mkdir()
    writer = VectorWriter(tmp_path / "after", D, before)
    writer.copy(0, 1_400)
    writer.add_block(raw[0][1_400:], raw[0][1_400:].astype(np.float16), [1] * (COUNT - 1_400))
    writer.close()
    after = Vectors(tmp_path / "after")
    assert len(lists_of(before).centroids) == lists_for(1_400)
    assert len(lists_of(after).centroids) == lists_for(COUNT)


def test_a_file_that_ends_too_early_is_an_error(tmp_path: Path, raw: tuple[Floats, Floats]) -> None:
    write(tmp_path / "many", raw[0])
    path = tmp_path / "many" / "chunks.faiss"
    path.write_bytes(path.read_bytes()[:1_000])
    with pytest.raises(OSError, match=r"chunks\.faiss ends too early"):
        Vectors(tmp_path / "many").search(raw[1][0], 10)


# Through the whole of a build


def test_a_large_index_answers_as_a_small_one(
    workshop: Make,
    small_corpus: dict[str, str],
    questions: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With fewer chunks than are compared, nothing can be missed: the hits are the same."""
    small, large = workshop(small_corpus, "small"), workshop(small_corpus, "large")
    small.build()
    monkeypatch.setattr(vectors, "EXACT_UP_TO", 2)
    large.build()
    for made in (small, large):
        made.write("more.md", "# Visits\n\nVisitors sign in at the gate.\n")
    large.build()
    monkeypatch.setattr(vectors, "EXACT_UP_TO", 1_000)
    small.build()
    assert check(large.index, deep=True).deep
    generation = open_current(large.index)
    assert generation.vectors.inverted is not None
    assert generation.manifest.vector_index == generation.vectors.description | {"exact_up_to": 2}
    generation.close()
    with small.open() as one, large.open() as other:
        for question in questions:
            for where in (None, ["path=leave/*"]):
                expected = one.retrieve(question, 5, where=where)
                found = other.retrieve(question, 5, where=where)
                assert [hit.row for hit in found] == [hit.row for hit in expected]
                for hit, same in zip(found, expected, strict=True):
                    assert hit.scores.fused == pytest.approx(same.scores.fused, abs=1e-5)


@pytest.mark.parametrize(
    ("vector_index", "expected"),
    [
        (
            {"kind": "exact", "exact_up_to": 50_000},
            "exact: a question is compared with every chunk, up to 50,000 chunks",
        ),
        (
            {"kind": "inverted", "lists": 2_000, "codes": "int8", "compared": 25_000,
             "exact_up_to": 50_000},
            "inverted lists: more than 50,000 chunks, so a question is compared with the int8 "
            "codes of 25,000 of 1,000,000 chunks, in the nearest of 2,000 lists, and the best are "
            "ranked exactly",
        ),
    ],
    ids=["exact", "inverted"],
)  # fmt: skip
def test_the_choice_is_explained_in_one_line(
    vector_index: dict[str, str | int], expected: str
) -> None:
    assert explain(vector_index, 1_000_000) == expected
