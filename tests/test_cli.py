"""The contract of each command: what goes in, what comes out, and with which exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from rag import cli
from rag.index import Index
from rag.settings import Settings
from rag.store.lock import writer_lock

if TYPE_CHECKING:
    from workshop import Workshop

    from rag.encoders import Encoder
    from rag.types import BuildReport

    Make = Callable[..., Workshop]

QUESTION = "How many days of annual leave do staff get?"


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


@pytest.fixture
def run(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, encoder: Encoder
) -> Run:
    """Run a command in this process, with everything that `main` does and the shared encoder."""
    for module in ("rag.pipeline", "rag.indexing"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda *_: encoder)

    def call(*arguments: str | Path, stdin: str = "") -> Ran:
        Path("stdin").write_text(stdin, "utf-8")
        capfdbinary.readouterr()
        with Path("stdin").open(encoding="utf-8") as given, monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", given)
            with pytest.raises(SystemExit) as ended:
                cli.main([str(argument) for argument in arguments])
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(ended.value.code, out.decode(), err.decode())

    return call


@pytest.fixture
def index(small_settings: Settings, small_report: BuildReport) -> Path:
    """The folder of the small index."""
    assert small_report.documents
    return small_settings.index


def answers_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what differs from run to run."""
    return [{k: v for k, v in line.items() if k not in ("took_ms", "id")} for line in lines]


# ask


def test_ask_prints_the_answer_and_where_it_stands(run: Run, index: Path) -> None:
    ran = run("ask", QUESTION, "--index", index, "--caution", "eager")
    assert (ran.code, ran.err) == (0, "")
    assert "Staff get 13 days of annual leave a year. [1]" in ran.out
    assert "[1] leave/annual.md, “How much”, characters " in ran.out
    assert "confidence " in ran.out


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
    Path("history.json").write_text(json.dumps(history))
    arguments = ("--index", index, "--history", "history.json", "--json")
    question = "And for part-time staff?"
    data = run("ask", question, *arguments).json
    assert data["standalone_question"] == f"How long is parental leave? {question}"
    hits = run("retrieve", question, *arguments).json
    expected = small_index.retrieve(question, history=history)  # type: ignore[arg-type]
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


# batches


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
    assert [line["id"] for line in ran.lines] == ["b-2", 7, "b-1", ""]
    expected = [
        small_index.ask(one["question"], one.get("history") or []).to_dict() for one in ASKED
    ]
    assert answers_of(ran.lines) == answers_of(expected)


@pytest.mark.parametrize("command", ["ask", "retrieve"])
def test_a_batch_may_come_from_stdin(run: Run, index: Path, command: str) -> None:
    Path("q.jsonl").write_text(batch(*ASKED))
    from_file = run(command, "--batch", "q.jsonl", "--index", index)
    from_stdin = run(command, "--batch", "-", "--index", index, stdin=batch(*ASKED))
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


def test_odd_characters_come_through(run: Run, index: Path) -> None:
    """JSON may hold a lone surrogate, which no terminal can print."""
    odd = '{"id": "😀", "question": "leave \\ud800 days\\u0000"}\n'
    ran = run("ask", "--batch", "-", "--index", index, stdin=odd)
    assert ran.code == 0
    assert ran.json["id"] == "😀"
    assert run("retrieve", "--batch", "-", "--index", index, stdin=odd).code == 0


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


def test_a_batch_of_retrieve_has_id_and_hits(run: Run, index: Path, small_index: Index) -> None:
    lines = run("retrieve", "--batch", "-", "-k", "2", "--index", index, stdin=batch(*ASKED)).lines
    assert [list(line) for line in lines] == [["id", "hits"]] * len(ASKED)
    assert lines[0]["hits"] == [hit.to_dict() for hit in small_index.retrieve(QUESTION, 2)]


def test_an_empty_index_is_said(run: Run, workshop: Make) -> None:
    made = workshop({})
    made.build()
    assert run("retrieve", "leave", "--index", made.index).out == "The index is empty.\n"
    assert run("retrieve", "leave", "--index", made.index, "--json").json == []
    asked = run("ask", "leave", "--index", made.index)
    assert asked.code == 0
    assert asked.out.startswith("There are no documents in the index yet")


# build


def test_build_reports_what_it_did(run: Run, workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n", "empty.md": " ", "a.zzz": "1"})
    ran = run("build", made.corpus, "--index", made.index, "--threads", "1")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0].startswith("1 documents, 1 chunks (1 embedded, 0 reused) in ")
    assert lines[1] == "added 1, changed 0, removed 0, unchanged 0"
    assert lines[2] == "  + leave.md"
    assert "failed: empty.md: is empty" in lines
    assert lines[-1].startswith("generation g000001-")


def test_build_prints_the_report_of_the_contract(run: Run, workshop: Make) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n", "empty.md": " ", "x.zzz": "1"})
    ran = run("build", made.corpus, "--index", made.index, "--json", "--threads", "1")
    assert (ran.code, ran.err) == (0, "")
    report = ran.json
    assert list(report)[:12] == [
        "generation", "documents", "chunks", "added", "changed", "removed", "unchanged", "skipped",
        "failed", "embedded", "reused", "seconds",
    ]  # fmt: skip
    assert report["added"] == ["leave.md"]
    assert report["failed"] == [{"document": "empty.md", "reason": "is empty"}]
    assert [one["document"] for one in report["skipped"]] == ["x.zzz"]
    again = run("build", made.corpus, "--index", made.index, "--json", "--threads", "1").json
    assert again["generation"] == report["generation"]
    assert (again["added"], again["unchanged"], again["failed"]) == ([], 1, report["failed"])


def test_build_has_defaults(run: Run, workshop: Make) -> None:
    workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n"}).corpus.rename("corpus")
    assert run("build").code == 0
    assert Path("index/CURRENT").is_file()
    assert run("text", "leave.md").out == "# Leave\n\nStaff get 13 days.\n"


def test_long_lists_are_cut_short(run: Run, workshop: Make) -> None:
    made = workshop({f"{n:02}.md": f"# Rule {n}\n\nIt holds.\n" for n in range(25)})
    out = run("build", made.corpus, "--index", made.index).out
    assert "  + 19.md\n  + … and 5 more\n" in out


def test_build_without_a_corpus_fails_in_one_line(run: Run) -> None:
    assert run("build", "nowhere") == Ran(
        1, "",
        "rag: there is no folder nowhere: create it and put documents into it, or name another\n",
    )  # fmt: skip


def test_a_second_build_is_told_who_is_building(run: Run, workshop: Make) -> None:
    made = workshop({})
    made.index.mkdir()
    with writer_lock(made.index):
        ran = run("build", made.corpus, "--index", made.index)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"rag: the index {made.index} is being written by process ")
    assert ran.err.endswith(": wait until that build has finished, or stop it\n")
    assert ran.err.count("\n") == 1


# text, status, config


def test_text_is_the_canonical_text_to_the_byte(
    run: Run, index: Path, small_corpus: dict[str, str]
) -> None:
    for name, text in small_corpus.items():
        if not name.endswith(".html"):
            assert run("text", name, "--index", index) == Ran(0, text, "")


def test_text_has_the_offsets_of_the_citations(run: Run, index: Path) -> None:
    asked = run("ask", QUESTION, "--index", index, "--json", "--caution", "eager").json
    for citation in asked["citations"]:
        text = run("text", citation["document"], "--index", index).out
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_line_ends_of_a_document_are_normalised_and_kept(run: Run, workshop: Make) -> None:
    made = workshop({"a.txt": "One\r\nline.\r\rTwo \u2028 end."})
    made.build()
    ran = subprocess.run(
        [sys.executable, "-m", "rag", "text", "a.txt", "--index", made.index],
        capture_output=True,
        check=True,
    )
    assert ran.stdout == "One\nline.\n\nTwo \u2028 end.".encode()


def test_an_unknown_document_fails_in_one_line(run: Run, index: Path) -> None:
    assert run("text", "nobody.md", "--index", index) == Ran(
        1, "", "rag: no document 'nobody.md' in this index: `rag status --json` lists them\n"
    )


def test_status_says_what_there_is(run: Run, index: Path, small_report: BuildReport) -> None:
    ran = run("status", "--index", index)
    assert (ran.code, ran.err) == (0, "")
    assert f"documents        {small_report.documents}\n" in ran.out
    data = run("status", "--index", index, "--json").json
    assert data["generation"] == small_report.generation
    assert (data["documents"], data["chunks"]) == (small_report.documents, small_report.chunks)
    assert data["encoder"] == "default"
    assert data["bytes"] == sum(
        path.stat().st_size for path in Path(data["folder"]).rglob("*")
        if path.is_file() and path.name != "manifest.json"
    )  # fmt: skip


def test_status_lists_the_documents_that_text_prints(run: Run, index: Path) -> None:
    """The message for an unknown document says so."""
    listed = run("status", "--index", index, "--json").json["document_ids"]
    assert run("text", listed[0], "--index", index).code == 0


def test_config_shows_value_and_source(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("rag.toml").write_text('chunk_tokens = 99\nindex = "from-file"')
    monkeypatch.setenv("RAG_INDEX", "from-environment")
    rows = {row["name"]: row for row in run("config", "--json").json}
    assert (rows["index"]["value"], rows["index"]["source"]) == ("from-environment", "environment")
    assert (rows["chunk_tokens"]["value"], rows["chunk_tokens"]["source"]) == (99, "file")
    assert (rows["corpus"]["value"], rows["corpus"]["source"]) == ("corpus", "default")
    assert all(row["help"] for row in rows.values())
    out = run("config").out
    assert "from-environment" in out
    assert "(environment)" in out


def test_flag_over_environment_over_file(
    run: Run, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("rag.toml").write_text('index = "from-file"')
    assert "no index in from-file:" in run("status").err
    monkeypatch.setenv("RAG_INDEX", "from-environment")
    assert "no index in from-environment:" in run("status").err
    assert run("status", "--index", index).code == 0


# Wrong use and failures


def test_no_index_fails_in_one_line(run: Run) -> None:
    error = "rag: there is no index in nowhere: make one with `rag build CORPUS --index nowhere`\n"
    for command in (["ask", "x"], ["retrieve", "x"], ["status"], ["text", "x"],
                    ["ask", "--batch", "-"]):  # fmt: skip
        ran = run(*command, "--index", "nowhere")
        assert ran == Ran(1, "", error)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["ask"], "give a QUESTION or --batch FILE, one of the two"),
        (["ask", "x", "--batch", "-"], "give a QUESTION or --batch FILE, one of the two"),
        (["retrieve"], "give a QUESTION or --batch FILE, one of the two"),
        (["retrieve", "x", "-k", "0"], "-k must be at least 1, got 0"),
        (["ask", " "], "the question is empty"),
        (["retrieve", ""], "the question is empty"),
        (["ask", "x", "--caution", "bold"],
         "--caution: expected cautious or balanced or eager, got 'bold'"),
        (["retrieve", "x", "--dense-weight", "2"], "--dense-weight: must be at most 1, got 2"),
        (["build", "--chunk-tokens", "3"], "--chunk-tokens: must be at least 32, got 3"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_line_and_code_two(
    run: Run, index: Path, arguments: list[str], error: str
) -> None:
    assert run(*arguments, "--index", index) == Ran(2, "", f"rag: {error}\n")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["frobnicate"], "No such command 'frobnicate'."),
        (["ask", "x", "--nonsense"], "No such option '--nonsense'."),
        (["retrieve", "x", "-k", "many"], "Invalid value for '-k': 'many' is not a valid integer."),
        (["text"], "Missing argument 'DOCUMENT'."),
        (["config", "x"], "Got unexpected extra argument (x)"),
    ],
)
def test_what_cannot_be_parsed_is_code_two(run: Run, arguments: list[str], error: str) -> None:
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert error in ran.err


def test_a_wrong_setting_in_the_file_is_code_two(run: Run) -> None:
    Path("rag.toml").write_text("chunk_token = 5")
    assert run("config") == Ran(
        2, "", "rag: rag.toml: unknown setting 'chunk_token'; `rag config` lists all of them\n"
    )


def test_a_traceback_only_with_debug() -> None:
    def errors(*arguments: str) -> list[str]:
        command = [sys.executable, "-m", "rag", *arguments, "--index", "nowhere"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (1, "")
        return ran.stderr.splitlines()

    (line,) = errors("status")
    *traceback, last = errors("--debug", "status")
    assert "Traceback (most recent call last):" in traceback
    assert last == line


def test_an_interrupt_is_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rag.cli.inspect.load_settings", interrupt)
    ran = run("config")
    assert ran.code == 130
    assert ran.err.strip() == "rag: stopped"


def test_a_reader_that_has_gone_is_no_traceback(index: Path) -> None:
    script = f"{sys.executable} -m rag text leave/annual.md --index {index} | head -c 1"
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("#", "")


# The command itself


def test_the_installed_command_is_this_one(index: Path) -> None:
    command = Path(sys.executable).with_name("rag")
    ran = subprocess.run([command, "text", "travel.txt", "--index", index], capture_output=True,
                         text=True, check=True)  # fmt: skip
    assert ran.stdout.startswith("Travel policy\n")
    ran = subprocess.run([command, "ask", "x", "--index", "nowhere"], capture_output=True,
                         text=True, check=False)  # fmt: skip
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("rag: there is no index in nowhere")


def test_version_is_that_of_the_package(run: Run) -> None:
    from importlib.metadata import version

    assert version("rag") in run("--version").out


@pytest.mark.parametrize(
    "command", ["", *cli._COMMANDS, "eval answers", "eval compare", "eval retrieval"]
)
def test_every_command_and_option_has_help(run: Run, command: str) -> None:
    ran = run(*command.split(), "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: rag {command}".rstrip())
    context = cli.cli.make_context("rag", [], resilient_parsing=True)
    found: Any = cli.cli
    for name in command.split():
        found = found.get_command(context, name)
    assert found.help
    for option in found.params:
        if option.param_type_name == "option" and option.name != "help":
            assert option.help, f"{command} {option.opts}"


def test_the_list_of_commands_says_what_each_says_itself(run: Run) -> None:
    out = run("--help").out
    for name, (_, summary) in cli._COMMANDS.items():
        assert name in out
        assert " ".join(summary.split()) in " ".join(out.split())


def test_an_option_that_is_a_setting_is_spelled_like_it() -> None:
    settings = {spec.name for spec in fields(Settings)}
    context = cli.cli.make_context("rag", [], resilient_parsing=True)
    spelled = {}
    for command in cli._COMMANDS:
        found: Any = cli.cli.get_command(context, command)
        for option in found.params:
            if option.param_type_name == "option" and option.name in settings:
                assert option.opts == [f"--{option.name.replace('_', '-')}"]
                spelled[option.name] = option.opts
    assert {"index", "encoder", "caution", "chunk_tokens"} <= spelled.keys()


def test_chat_builds_first_and_then_opens(
    run: Run, workshop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workshop({"leave.md": "# Leave\n\nStaff get 13 days.\n"})
    opened: list[tuple[object, ...]] = []
    page = SimpleNamespace(launch=lambda *arguments: opened.append(arguments))
    monkeypatch.setitem(sys.modules, "rag.chat.page", page)
    arguments = ["chat", "--corpus", made.corpus, "--index", made.index, "--port", "0"]
    first = run(*arguments)
    assert (first.code, first.out) == (0, "")
    assert first.err.startswith(f"building the index of {made.corpus} …\n1 documents, 1 chunks")
    assert (made.index / "CURRENT").is_file()
    second = run(*arguments)
    assert (second.code, second.err) == (0, "")
    assert [one[:3] for one in opened] == [(made.index, "127.0.0.1", 0)] * 2
