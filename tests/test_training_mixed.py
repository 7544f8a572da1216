from __future__ import annotations

from typing import TYPE_CHECKING

from training_fakes import LEAVE, row, rows

from rag.loaders import load_bytes
from training.mixed import write_mixed

if TYPE_CHECKING:
    from pathlib import Path


def test_each_question_knows_the_document_that_answers_it(tmp_path: Path) -> None:
    held = {"qed": rows(8, "qed"), "medquad": rows(4, "medquad"), "sharc": rows(8, "sharc")}
    asked = write_mixed(held, tmp_path, questions=3, seed=1)
    assert [each.row.source for each in asked] == ["medquad"] * 2 + ["qed"] * 3
    for each in asked:
        text = load_bytes((tmp_path / each.document).read_bytes(), each.document).text
        assert LEAVE in text
        assert "## Leave" in text
    files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")]
    # Two sources of the same titles: a passage that stands twice is one document.
    assert len(files) == 8
    assert {each.document for each in asked} <= set(files)


def test_a_question_is_asked_once_and_nothing_old_stays(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("old", "utf-8")
    same = [row(number, question="How much leave?", source="qed") for number in range(5)]
    assert len(write_mixed({"qed": same}, tmp_path, questions=4, seed=1)) == 1
    assert not (tmp_path / "old.md").exists()


def test_the_draw_is_the_same_every_time(tmp_path: Path) -> None:
    held = {"qed": rows(40, "qed")}
    first = write_mixed(held, tmp_path / "a", questions=5, seed=1)
    assert write_mixed(held, tmp_path / "b", questions=5, seed=1) == first
    assert write_mixed(held, tmp_path / "c", questions=5, seed=2) != first
