from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from training_fakes import WRITTEN

from rag.evaluation.datasets import read_questions
from training import searched
from training.searched import searched_rows, write_documents, write_questions
from training.written import Corpus, read_file

if TYPE_CHECKING:
    from pathlib import Path

    from training.data import Row


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    (tmp_path / "bicycles-01.txt").write_text(WRITTEN, "utf-8")
    return Corpus("made", (read_file(tmp_path / "bicycles-01.txt"),))


def test_a_question_comes_with_what_answers_and_with_what_only_looks_like_it(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searched, "BESIDE", 1)
    monkeypatch.setattr(searched, "INSTEAD", 2)
    rows = searched_rows([corpus], tmp_path / "work")
    assert {row.source for row in rows} == {corpus.kind}
    assert {row.title for row in rows} == {"Bicycles at work"}
    of: dict[str, list[Row]] = {}
    for row in rows:
        of.setdefault(row.question, []).append(row)
    answered, in_vain = of["Where do I put my freight bike?"], of["Until when is the yard open?"]
    assert sorted(bool(row.answers) for row in answered) == [False, True]
    (right,) = (row for row in answered if row.answers)
    assert right.heading == "Parking"
    # In the form that the reader is given: without the sign of a list entry.
    assert [right.text[slice(*span)] for span in right.answers] == [
        "Cargo bicycles stand in the yard."
    ]
    assert [bool(row.answers) for row in in_vain] == [False, False]
    # Rows of one question share their id up to the last colon.
    assert len({row.id.rpartition(":")[0] for row in rows}) == 4
    table = next(row for row in of["What do I get?"] if row.answers)
    assert table.history == ("I live five kilometres away.", "I cycle.")
    assert "kilometres: 5 | a month: 12 euros" in [table.text[slice(*s)] for s in table.answers]


def test_an_evaluation_can_read_the_questions(corpus: Corpus, tmp_path: Path) -> None:
    documents = write_documents(corpus, tmp_path / "documents")
    write_questions(corpus, tmp_path / "questions.jsonl")
    questions = read_questions(tmp_path / "questions.jsonl")
    assert [each.answerable for each in questions] == [True, False, True, True]
    assert [each.kind for each in questions] == [
        "single", "single, no answer", "follow-up", "single",
    ]  # fmt: skip
    for question in questions:
        for gold in question.gold:
            assert gold.evidence in (documents / gold.document).read_text("utf-8")
        # One of several is enough.
        assert len(question.evidence_groups()) == question.answerable
    assert json.loads((tmp_path / "questions.jsonl").read_text("utf-8").splitlines()[2])[
        "history"
    ] == [
        {"role": "user", "content": "I live five kilometres away."},
        {"role": "user", "content": "I cycle."},
    ]
