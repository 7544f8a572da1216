"""`rag ask --batch` and `rag retrieve --batch`: many questions, one JSON object a line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import QUESTION, Ran, Run, answers_of

from rag.index import Index


def batch(*lines: dict[str, Any]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


ASKED = [
    {"id": "b-2", "question": QUESTION},
    {"id": 7, "question": "What about them?", "history": [{"role": "user", "content": "Hotels?"}]},
    {"id": "b-1", "question": "Who approves trips abroad? 😀"},
    {"question": "leave", "history": None},
]


def test_a_batch_is_answered_line_by_line_in_its_order(
    run: Run, index: Path, small_index: Index
) -> None:
    Path("q.jsonl").write_text(batch(*ASKED) + "\n\n")
    ran = run("ask", "--batch", "q.jsonl", "--quick", "--index", index)
    assert (ran.code, ran.err) == (0, "")
    assert [line["id"] for line in ran.lines] == ["b-2", 7, "b-1", None]
    expected = [
        small_index.ask(one["question"], one.get("history") or []).to_dict() for one in ASKED
    ]
    assert answers_of(ran.lines) == answers_of(expected)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("command", ["ask", "retrieve"])
def test_a_batch_may_come_from_stdin(run: Run, index: Path, command: str, mark: str) -> None:
    """Either may begin with a byte order mark."""
    Path("q.jsonl").write_text(mark + batch(*ASKED))
    from_file = run(command, "--batch", "q.jsonl", "--index", index)
    from_stdin = run(command, "--batch", "-", "--index", index, stdin=mark + batch(*ASKED))
    assert from_stdin.code == from_file.code == 0
    assert [line["id"] for line in from_stdin.lines] == [line["id"] for line in from_file.lines]
    for mine, theirs in zip(from_stdin.lines, from_file.lines, strict=True):
        assert answers_of([mine]) == answers_of([theirs])


def test_an_empty_batch_is_no_output(run: Run, index: Path) -> None:
    assert run("ask", "--batch", "-", "--index", index, stdin="\n") == Ran(0, "", "")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("nonsense", "not JSON (Expecting value: line 1 column 1 (char 0))"),
        ('"text"', 'needs at least {"question": "…"}'),
        ('{"id": "1"}', 'needs at least {"question": "…"}'),
        ('{"question": 3}', 'needs at least {"question": "…"}'),
        ('{"question": "  "}', "the question is empty"),
        ('{"question": "x", "history": {"a": 1}}',
         'a history is a list, [{"role": "user", "content": "…"}, …]'),
        ('{"question": "x", "history": [3]}',
         'a turn of a history looks different: [{"role": "user", "content": "…"}, …]'),
        ('{"question": "x", "id": 1e999}', "the id is no number that JSON could give back"),
        ('{"question": "x", "where": ["year"]}', 'the filter \'year\' is not understood: write for '
         'example "collection=handbook", "effective_date>=2024-01-01" or "tags=leave"'),
    ],
)  # fmt: skip
def test_a_wrong_line_of_a_batch_is_named(run: Run, index: Path, line: str, error: str) -> None:
    Path("q.jsonl").write_text(f'{{"id": "1", "question": "leave"}}\n{line}\n')
    for command in ("ask", "retrieve"):
        ran = run(command, "--batch", "q.jsonl", "--index", index)
        assert (ran.code, ran.err) == (2, f"rag: q.jsonl, line 2: {error}\n")
        assert [one["id"] for one in ran.lines] == ["1"]


def test_a_batch_that_cannot_be_read_is_one_line(run: Run, index: Path) -> None:
    Path("latin.jsonl").write_bytes(b'{"question": "caf\xe9"}')
    ran = run("ask", "--batch", "latin.jsonl", "--index", index)
    assert ran.code == 2
    assert ran.err.startswith("rag: the batch latin.jsonl cannot be read: 'utf-8' codec can't")
    ran = run("ask", "--batch", "nowhere.jsonl", "--index", index)
    assert ran.code == 2
    assert ran.err.startswith("rag: the batch nowhere.jsonl cannot be read: ")
    assert ran.err.count("\n") == 1


def test_json_nested_without_end_is_one_line(run: Run, index: Path) -> None:
    Path("deep.json").write_text("[" * 200_000 + "]" * 200_000)
    for command in (["--batch", "deep.json"], ["--history", "deep.json", "leave"]):
        ran = run("ask", *command, "--index", index)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert "deep.json" in ran.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
def test_output_that_cannot_be_written_is_one_line(index: Path) -> None:
    command = [sys.executable, "-m", "rag", "retrieve", "leave", "--index", str(index)]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    message = "rag: the output cannot be written: No space left on device\n"
    assert (ran.returncode, ran.stderr) == (1, message)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell that closes streams")
def test_a_closed_input_is_one_line(index: Path) -> None:
    command = f"{sys.executable} -m rag ask --batch - --index {index} <&-"
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr == "rag: the batch is to come from standard input, which is closed\n"


def test_odd_characters_come_through(run: Run, index: Path) -> None:
    """JSON may hold a lone surrogate, which no terminal can print."""
    odd = '{"id": "😀", "question": "leave \\ud800 days\\u0000"}\n'
    ran = run("ask", "--batch", "-", "--index", index, stdin=odd)
    assert ran.code == 0
    assert ran.json["id"] == "😀"
    assert run("retrieve", "--batch", "-", "--index", index, stdin=odd).code == 0


def test_a_batch_of_retrieve_has_id_and_hits(run: Run, index: Path, small_index: Index) -> None:
    lines = run("retrieve", "--batch", "-", "-k", "2", "--index", index, stdin=batch(*ASKED)).lines
    assert [list(line) for line in lines] == [["id", "hits"]] * len(ASKED)
    assert lines[0]["hits"] == [hit.to_dict() for hit in small_index.retrieve(QUESTION, 2)]
