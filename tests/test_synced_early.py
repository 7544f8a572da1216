"""What grows in a folder is synced meanwhile, and whatever goes wrong with that is said."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.store import files
from rag.store.files import synced_early

PATIENCE = 10.0


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks often, and at little."""
    monkeypatch.setattr(files, "_SYNCED_EVERY", 0.001)
    monkeypatch.setattr(files, "_SYNCED_GROWTH", 100)


def until(true: Callable[[], bool]) -> bool:
    """Wait for it, but not for ever."""
    end = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < end:
        time.sleep(0.001)
    return true()


def test_a_file_is_synced_whenever_it_has_grown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(files, "sync_file", lambda path: sizes.append(path.stat().st_size))
    (tmp_path / "lexical").mkdir()
    with synced_early(tmp_path), (tmp_path / "lexical" / "texts.npy").open("wb", 0) as file:
        file.write(bytes(99))
        time.sleep(0.02)
        assert sizes == []
        file.write(bytes(1))
        assert until(lambda: sizes == [100])
        file.write(bytes(250))
        assert until(lambda: sizes == [100, 350])
    time.sleep(0.02)
    assert sizes == [100, 350]


def test_what_is_deleted_meanwhile_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[str] = []

    def vanish(path: Path) -> None:
        gone.append(path.name)
        path.unlink()
        raise FileNotFoundError(path)

    monkeypatch.setattr(files, "sync_file", vanish)
    with synced_early(tmp_path):
        for name in ("run0.npy", "run1.npy"):
            (tmp_path / name).write_bytes(bytes(200))
        assert until(lambda: sorted(gone) == ["run0.npy", "run1.npy"])


def test_a_disk_that_fails_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def fail(path: Path) -> None:
        asked.append(path)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files, "sync_file", fail)
    (tmp_path / "chunks.faiss").write_bytes(bytes(200))
    with pytest.raises(OSError, match="Input/output error"), synced_early(tmp_path):
        until(lambda: bool(asked))
    assert asked == [tmp_path / "chunks.faiss"]


def test_an_error_of_the_block_comes_first(tmp_path: Path) -> None:
    with pytest.raises(KeyError), synced_early(tmp_path):
        raise KeyError("the build's own")
