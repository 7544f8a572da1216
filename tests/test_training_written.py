from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from training_fakes import WRITTEN

from training.written import (
    FOLDER,
    HELD_OUT_ORGANISATIONS,
    Corpus,
    answer_spans,
    read_corpora,
    read_file,
)

if TYPE_CHECKING:
    from pathlib import Path


def corpus(tmp_path: Path, *texts: str) -> Corpus:
    """One file for each text."""
    for number, text in enumerate(texts or (WRITTEN,), start=1):
        (tmp_path / f"bicycles-{number:02}.txt").write_text(text, "utf-8")
    return Corpus("made", tuple(map(read_file, sorted(tmp_path.glob("*.txt")))))


def answers(own: Corpus, question: int) -> dict[str, list[str]]:
    """What answers a question of the first document, by file name."""
    first = own.documents[0]
    text = {written.name: written.text for written in own.documents}
    return {
        name: [text[name][slice(*span)] for span in spans]
        for name, spans in answer_spans(own, first, first.questions[question]).items()
    }


def test_a_file_is_a_document_and_its_questions(tmp_path: Path) -> None:
    (own,) = corpus(tmp_path).documents
    assert own.title == "Bicycles at work"
    assert own.text == WRITTEN.partition("\n%%%")[0]
    assert [(each.text, each.history, len(each.answers)) for each in own.questions] == [
        ("Where do I put my freight bike?", (), 1),
        ("Until when is the yard open?", (), 0),
        ("What do I get?", ("I live five kilometres away.", "I cycle."), 2),
        ("Can I get in at midnight?", (), 1),
    ]


def test_answers_are_sentences_list_items_and_rows(tmp_path: Path) -> None:
    own = corpus(tmp_path)
    name = own.documents[0].name
    assert [answers(own, number) for number in range(4)] == [
        {name: ["- Cargo bicycles stand in the yard."]},
        {},
        {name: ["| 5 | 12 euros |", "Who rides more than ten kilometres (1) gets double."]},
        {name: ["The cellar is shut from 22:00."]},
    ]


def test_another_document_may_answer_but_the_own_one_comes_first(tmp_path: Path) -> None:
    elsewhere = (
        "# Keys\nThe cellar is shut from 22:00.\nLoans end on Friday.\n%%%\nQ: When?\nN: unclear\n"
    )
    asked = WRITTEN.replace("N: other object", "A: Loans end on Friday.")
    own = corpus(tmp_path, asked, elsewhere)
    assert answers(own, 1) == {"bicycles-02.txt": ["Loans end on Friday."]}
    assert list(answers(own, 3)) == ["bicycles-01.txt"]


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
        corpus(tmp_path, WRITTEN.replace(old, new, 1))


def test_an_answer_that_is_not_in_the_corpus_is_named(tmp_path: Path) -> None:
    own = corpus(tmp_path, WRITTEN.replace("A: Cargo bicycles", "A: All bicycles"))
    with pytest.raises(ValueError, match="no sentence of its corpus is 'All bicycles"):
        answers(own, 0)


def test_titles_decide_what_is_held_out(tmp_path: Path) -> None:
    for number in range(60):
        text = WRITTEN.replace("Bicycles", f"Bicycles {number}")
        (tmp_path / f"made-{number:02}.txt").write_text(text, "utf-8")

    def titles() -> list[set[str]]:
        return [{d.title for own in part for d in own.documents} for part in read_corpora(tmp_path)]

    trained_on, held_out = titles()
    assert len(trained_on) + len(held_out) == 60
    assert 1 <= len(held_out) <= 12
    (tmp_path / "made-00.txt").rename(tmp_path / "zoo-01.txt")
    assert titles() == [trained_on, held_out]


def test_a_corpus_is_a_folder_or_has_one_file_of_each_subject(tmp_path: Path) -> None:
    for name in ("hr-01", "hr-02", "law-07", "zoo/01", "zoo/02", f"{HELD_OUT_ORGANISATIONS[0]}/01"):
        path = tmp_path / f"{name}.txt"
        path.parent.mkdir(exist_ok=True)
        # The title does not hold it out.
        path.write_text(WRITTEN, "utf-8")
    trained_on, held_out = (
        {own.name: [written.name for written in own.documents] for own in part}
        for part in read_corpora(tmp_path)
    )
    assert trained_on == {
        "00": ["hr-01.txt", "law-07.txt"],
        "01": ["hr-02.txt"],
        "zoo": ["01.txt", "02.txt"],
    }
    assert held_out == {HELD_OUT_ORGANISATIONS[0]: ["01.txt"]}


def test_every_file_that_ships_can_be_read() -> None:
    corpora = [own for part in read_corpora() for own in part]
    assert sum(len(own.documents) for own in corpora) == len(list(FOLDER.rglob("*.txt")))
    for own in corpora:
        for written in own.documents:
            for question in written.questions:
                answer_spans(own, written, question)
