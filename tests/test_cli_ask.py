"""`rag ask` and `rag retrieve` with one question, alone or after a history."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import QUESTION, Ran, Run, answers_of

from rag.cli.ask import describe_answer
from rag.index import Index
from rag.types import Answer

if TYPE_CHECKING:
    from workshop import Workshop

    Make = Callable[..., Workshop]


# ask


def test_ask_prints_the_answer_and_where_it_stands(run: Run, index: Path) -> None:
    ran = run("ask", QUESTION, "--index", index, "--caution", "eager")
    assert (ran.code, ran.err) == (0, "")
    assert "Staff get 13 days of annual leave a year. [1]" in ran.out
    assert "[1] leave/annual.md, “How much”, characters " in ran.out
    assert "\n\nVery likely answers the question (confidence " in ran.out


def test_a_table_is_printed_line_by_line() -> None:
    answer = Answer("q", "q", False, 0.5, f"Rate: 3 EUR\n{'Long ' * 30}", (), (), "g1", 1.0)
    first, second, third, *_ = describe_answer(answer).splitlines()
    assert first == "Rate: 3 EUR"
    assert len(second) > 90
    assert third.startswith("Long Long")


def test_a_document_cannot_steer_the_terminal(run: Run, workshop: Make) -> None:
    made = workshop(
        {"leave.md": "# Leave\n\nStaff get 13 \x1b[2J\x1b[8mdays \u202eof leave.\x07\n"}
    )
    made.build()
    for command in (["ask", "--caution", "eager"], ["retrieve"]):
        ran = run(*command, QUESTION, "--index", made.index)
        assert "Staff get 13 [U+001B][2J[U+001B][8mdays [U+202E]of leave." in ran.out
        exact = run(*command, QUESTION, "--index", made.index, "--json")
        assert "13 \\u001b[2J\\u001b[8mdays \u202eof leave." in exact.out


@pytest.mark.parametrize("command", ["ask", "retrieve", "serve", "chat"])
def test_another_encoder_than_that_of_the_index_is_refused_at_once(
    run: Run, index: Path, command: str
) -> None:
    """Nothing is loaded or fetched for it."""
    question = ["x"] if command in ("ask", "retrieve") else []
    assert run(command, *question, "--index", index, "--encoder", "foo") == Ran(
        1, "",
        "rag: this index was made with encoder 'default', the settings name 'foo': run `rag "
        "build`, or set the encoder back\n",
    )  # fmt: skip


def test_ask_prints_json_and_nothing_else(run: Run, index: Path, small_index: Index) -> None:
    ran = run("ask", QUESTION, "--quick", "--index", index, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert answers_of([ran.json]) == answers_of([small_index.ask(QUESTION).to_dict()])
    assert ran.json["id"] is None
    assert ran.out.count("\n") == 1


def test_an_abstention_is_no_failure(run: Run, index: Path) -> None:
    question = "Is the moon made of cheese?"
    ran = run("ask", question, "--index", index, "--caution", "cautious")
    assert ran.code == 0
    assert "I found no sentence that answers this in the 6 documents I searched." in ran.out
    assert "Nearest passages:" in ran.out
    data = run("ask", question, "--index", index, "--caution", "cautious", "--json").json
    assert (data["abstained"], data["citations"]) == (True, [])
    assert data["nearest"]


def test_ask_reads_a_history(run: Run, index: Path, small_index: Index) -> None:
    history = [
        {"role": "user", "content": "How long is parental leave?"},
        {"role": "assistant", "content": "16 weeks. [1]"},
    ]
    Path("history.json").write_text("\ufeff" + json.dumps(history))  # As some editors save it.
    arguments = ("--index", index, "--history", "history.json", "--json")
    question = "And for part-time staff?"
    data = run("ask", question, *arguments).json
    assert data["standalone_question"] == f"How long is parental leave? {question}"
    hits = run("retrieve", question, *arguments).json
    expected = small_index.retrieve(question, history=history)
    assert hits == [hit.to_dict() for hit in expected]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{", "the history h.json cannot be read: Expecting property name enclosed in double "
              "quotes: line 1 column 2 (char 1)"),
        ("{}", 'h.json: a history is a list, [{"role": "user", "content": "…"}, …]'),
        ('[{"role": "system", "content": "x"}]',
         'h.json: a turn of a history looks different: [{"role": "user", "content": "…"}, …]'),
        ('[{"role": "user"}]',
         'h.json: a turn of a history looks different: [{"role": "user", "content": "…"}, …]'),
        (None, "the history h.json cannot be read: [Errno 2] No such file or directory: 'h.json'"),
    ],
)  # fmt: skip
def test_a_wrong_history_is_one_line(
    run: Run, index: Path, content: str | None, error: str
) -> None:
    if content is not None:
        Path("h.json").write_text(content)
    for command in ("ask", "retrieve"):
        ran = run(command, QUESTION, "--index", index, "--history", "h.json")
        assert (ran.code, ran.out, ran.err) == (2, "", f"rag: {error}\n")


# retrieve


def test_retrieve_lists_passages(run: Run, index: Path) -> None:
    ran = run("retrieve", QUESTION, "-k", "2", "--index", index)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("1. leave/annual.md, “How much”  (score ")
    assert "\n2. " in ran.out
    assert "\n3. " not in ran.out


def test_retrieve_prints_a_list_of_hits(run: Run, index: Path, small_index: Index) -> None:
    for k in (1, 3, 1_000):
        hits = run("retrieve", QUESTION, "-k", k, "--index", index, "--json").json
        assert hits == [hit.to_dict() for hit in small_index.retrieve(QUESTION, k)]
    assert len(run("retrieve", QUESTION, "--index", index, "--json").json) == 5


def test_an_empty_index_is_said(run: Run, workshop: Make) -> None:
    made = workshop({})
    made.build()
    assert run("retrieve", "leave", "--index", made.index).out == "The index is empty.\n"
    assert run("retrieve", "leave", "--index", made.index, "--json").json == []
    asked = run("ask", "leave", "--index", made.index)
    assert asked.code == 0
    assert asked.out.startswith("There are no documents in the index yet")


def test_an_answer_says_how_old_it_is_and_what_is_newer(run: Run, tmp_path: Path) -> None:
    for year, days in ((2022, "two"), (2025, "three")):
        text = f"---\neffective_date: {year}-03-01\n---\n\n# Remote work {year}\n\n"
        path = tmp_path / "corpus" / f"remote-{year}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{text}You may work remotely {days} days a week.\n", "utf-8")
    index = str(tmp_path / "index")
    run("build", str(tmp_path / "corpus"), "--index", index)
    old = "as_of=2023-01-01"
    out = run("ask", "How many days may I work remotely?", "--where", old, "--index", index).out
    assert "effective 1 March 2022" in out
    assert "There is a newer version of Remote work 2022: Remote work 2025" in out
