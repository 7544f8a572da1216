from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from training_fakes import WRITTEN

from training.written import (
    FOLDER,
    SOURCE,
    Written,
    answer_spans,
    read_file,
    read_folder,
    read_written,
)

if TYPE_CHECKING:
    from pathlib import Path


def written(tmp_path: Path, text: str = WRITTEN, name: str = "bicycles-01.txt") -> Written:
    (tmp_path / name).write_text(text, "utf-8")
    return read_file(tmp_path / name)


def test_a_file_is_a_document_of_sections_and_its_questions(tmp_path: Path) -> None:
    own = written(tmp_path)
    assert own.title == "Bicycles at work"
    assert own.text == WRITTEN.partition("\n%%%")[0]
    assert [(each.heading, each.text.splitlines()[0]) for each in own.sections] == [
        ("", "Anybody may come by bicycle."),
        ("Parking", "The cellar has 40 stands. Locks are lent at the gate."),
        ("Parking > At night", "The cellar is shut from 22:00."),
        ("Allowance", "| kilometres | a month |"),
    ]
    assert [(each.text, each.history, len(each.answers)) for each in own.questions] == [
        ("Where do I put my freight bike?", (), 1),
        ("Until when is the yard open?", (), 0),
        ("What do I get?", ("I live five kilometres away.", "I cycle."), 2),
        ("Can I get in at midnight?", (), 1),
    ]


def test_answers_are_sentences_list_items_and_rows(tmp_path: Path) -> None:
    own = written(tmp_path)
    found = [
        [own.sections[place].text[slice(*span)] for place in spans for span in spans[place]]
        for spans in (answer_spans(own, question) for question in own.questions)
    ]
    assert found == [
        ["- Cargo bicycles stand in the yard."],
        [],
        ["| 5 | 12 euros |", "Who rides more than ten kilometres (1) gets double."],
        ["The cellar is shut from 22:00."],
    ]


def test_a_question_comes_with_what_answers_and_with_what_only_looks_like_it(
    tmp_path: Path,
) -> None:
    rows = read_written([written(tmp_path)])
    assert {row.source for row in rows} == {SOURCE}
    assert {row.title for row in rows} == {"Bicycles at work"}
    of = {
        question: [row for row in rows if row.question == question]
        for question in dict.fromkeys(row.question for row in rows)
    }
    answered, asked_in_vain = (
        of["Where do I put my freight bike?"],
        of["Until when is the yard open?"],
    )
    assert [bool(row.answers) for row in answered] == [True, False]
    assert answered[0].heading == "Parking"
    assert [bool(row.answers) for row in asked_in_vain] == [False, False]
    # The nearest sections, not any: the yard, and the hours of the cellar.
    assert {row.heading for row in asked_in_vain} == {"Parking", "Parking > At night"}
    # Rows of one question share their id up to the last colon.
    assert len({row.id.rpartition(":")[0] for row in rows}) == 4
    assert of["What do I get?"][0].history == ("I live five kilometres away.", "I cycle.")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# Bicycles", "Bicycles", "bicycles-01.txt: a line '# Title' or '%%%' is missing"),
        ("%%%", "---", "bicycles-01.txt: a line '# Title' or '%%%' is missing"),
        ("N: other object\n", "", "'Q: Until when is the yard open.' begins no question"),
        ("Q: What do I get?\n", "", "'H: I live five kilometres away.' begins no question"),
        ("N: other", "X: other", "'Q: Until when is the yard open.' begins no question"),
    ],
)
def test_a_slip_in_a_file_is_named(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        written(tmp_path, WRITTEN.replace(old, new, 1))


def test_an_answer_that_is_not_in_the_document_is_named(tmp_path: Path) -> None:
    own = written(tmp_path, WRITTEN.replace("A: Cargo bicycles", "A: All bicycles"))
    with pytest.raises(ValueError, match="no sentence of it is 'All bicycles"):
        read_written([own])


def test_titles_decide_what_is_held_out(tmp_path: Path) -> None:
    for number in range(60):
        text = WRITTEN.replace("Bicycles", f"Bicycles {number}")
        (tmp_path / f"made-{number:02}.txt").write_text(text, "utf-8")
    trained_on, held_out = read_folder(tmp_path)
    assert len(trained_on) + len(held_out) == 60
    assert 1 <= len(held_out) <= 12
    (tmp_path / trained_on[0].name).rename(tmp_path / "other-01.txt")
    assert {own.title for own in read_folder(tmp_path)[1]} == {own.title for own in held_out}


def test_every_file_that_ships_can_be_read() -> None:
    documents = [own for part in read_folder() for own in part]
    assert len(documents) == len(list(FOLDER.glob("*.txt")))
    for own in documents:
        for question in own.questions:
            answer_spans(own, question)
