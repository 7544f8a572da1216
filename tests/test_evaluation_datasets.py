from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml
from evaluation_fakes import write_beir, write_jsonl
from hypothesis import given
from hypothesis import strategies as st
from shared_data import shared

from rag.errors import UsageError
from rag.evaluation.datasets import (
    Beir,
    BeirPassage,
    Gold,
    read_beir,
    read_questions,
    write_corpus,
)

if TYPE_CHECKING:
    from pathlib import Path

QUESTION = {
    "id": "q1", "question": "How long?", "answerable": True, "answer_must_contain": [["a year"]],
}  # fmt: skip


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    return write_beir(
        tmp_path / "set",
        passages={"p1": "leave is long", "p2": "travel is short"},
        queries={"q1": "how long", "q2": "not judged", "q3": "judged irrelevant"},
        qrels=[("q1", "p1", 2), ("q1", "p2", 0), ("q3", "p1", 0)],
        histories={"q2": [{"role": "user", "content": "Hello"}]},
    )


def test_a_beir_folder_is_read_in_file_order(beir: Path) -> None:
    read = read_beir(beir)
    assert read.name == "set"
    assert read.passages == (
        BeirPassage("p1", "", "leave is long"),
        BeirPassage("p2", "", "travel is short"),
    )
    assert [query.id for query in read.queries] == ["q1", "q2", "q3"]
    assert [query.follow_up for query in read.queries] == [False, True, False]
    assert read.qrels == {"q1": {"p1": 2, "p2": 0}, "q3": {"p1": 0}}


def test_judged_queries_are_those_with_a_relevant_passage(beir: Path) -> None:
    assert [query.id for query in read_beir(beir).judged] == ["q1"]


def test_ids_that_only_the_judgements_know_are_listed(beir: Path) -> None:
    with (beir / "qrels" / "test.tsv").open("a", encoding="utf-8") as qrels:
        qrels.write("q1\tgone\t1\nnobody\tp1\t1\n")
    assert read_beir(beir).unknown() == ("gone", "nobody")


def test_ids_may_be_numbers_and_a_file_may_start_with_a_byte_order_mark(beir: Path) -> None:
    (beir / "corpus.jsonl").write_text('\ufeff{"_id": 7, "text": "x"}\n\n', encoding="utf-8")
    assert read_beir(beir).passages == (BeirPassage("7", "", "x"),)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named_with_what_belongs_there(beir: Path, name: str) -> None:
    (beir / name).unlink()
    with pytest.raises(UsageError) as error:
        read_beir(beir)
    assert str(error.value) == (
        f"{beir} has no {name}; a BEIR folder holds corpus.jsonl, queries.jsonl and qrels/test.tsv"
    )


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("corpus.jsonl", "{}\n{", 'line 1: "_id" must be a string that is not empty'),
        ("corpus.jsonl", '\n{"_id": "a"', "line 2: not JSON (Expecting ',' delimiter, column 12)"),
        ("corpus.jsonl", "[]", "line 1: not a JSON object"),
        ("corpus.jsonl", '{"_id": "a"}', 'line 1: "text" must be a string'),
        (
            "corpus.jsonl",
            '{"_id": "a", "text": ""}\n{"_id": "a", "text": ""}',
            "line 2: \"_id\" 'a' is already on line 1",
        ),
        ("queries.jsonl", '{"_id": "a", "text": "x", "history": 1}', '"history" must be a list'),
        ("queries.jsonl", '{"_id": "a", "text": " "}', '"text" must be a string that is not empty'),
        (
            "queries.jsonl",
            '{"_id": "a", "text": "x", "history": [{"role": "system", "content": ""}]}',
            'a turn of "history" must be {"role": "user" or "assistant", "content": a string}',
        ),
        ("qrels/test.tsv", "q\tp\tscore\nq1\tp1\n", "line 2: not query id, passage id and"),
        ("qrels/test.tsv", "q1\tp1\tyes\n", "line 1: not query id, passage id and"),
    ],
    ids=lambda value: value if len(value) < 30 else "",
)
def test_a_malformed_file_is_named_with_the_line(
    beir: Path, name: str, content: str, problem: str
) -> None:
    (beir / name).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        read_beir(beir)
    message = str(error.value)
    assert message.startswith(f"{beir / name}, line ")
    assert problem in message
    assert "\n" not in message


def test_bytes_that_are_not_utf_8_are_a_usage_error(beir: Path) -> None:
    (beir / "corpus.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"corpus\.jsonl is not UTF-8: invalid start byte"):
        read_beir(beir)


def test_a_set_without_relevant_passages_cannot_be_judged(beir: Path) -> None:
    (beir / "qrels" / "test.tsv").write_text("q1\tp1\t0\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"gives no query of .* a relevant passage"):
        read_beir(beir)


def test_gold_entries_may_say_document_or_doc(tmp_path: Path) -> None:
    gold = [
        {"document": "a.md", "evidence": "one"},
        {"doc": "b.md", "evidence": "two", "alt": 1},
        {"doc": "c.md", "evidence": "three", "alt": 1},
    ]
    path = write_jsonl(tmp_path / "q.jsonl", [QUESTION | {"gold": gold}])
    (question,) = read_questions(path)
    one, two, three = Gold("a.md", "one"), Gold("b.md", "two", "1"), Gold("c.md", "three", "1")
    assert question.gold == (one, two, three)
    assert question.evidence_groups() == ((one,), (two, three))


def test_a_gold_document_is_named_as_in_an_index(tmp_path: Path) -> None:
    gold = [{"document": "e\u0301te\u0301.md", "evidence": "one"}]
    (question,) = read_questions(write_jsonl(tmp_path / "q.jsonl", [QUESTION | {"gold": gold}]))
    assert question.gold[0].document == "\u00e9t\u00e9.md"


def test_equal_evidence_without_alt_stays_apart(tmp_path: Path) -> None:
    gold = [{"doc": "a.md", "evidence": "same"}] * 2
    path = write_jsonl(tmp_path / "q.jsonl", [QUESTION | {"gold": gold}])
    assert len(read_questions(path)[0].evidence_groups()) == 2


def test_what_a_question_may_leave_out_is_empty(tmp_path: Path) -> None:
    unanswerable = {"id": "q1", "question": "How long?", "answerable": False}
    (question,) = read_questions(write_jsonl(tmp_path / "q.jsonl", [unanswerable]))
    assert (question.kind, question.answer) == (None, "")
    assert question.history == question.gold == question.must_contain == ()
    assert not question.follow_up


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"answerable": "yes"}, '"answerable" must be true or false'),
        ({"question": None}, '"question" must be a string'),
        ({"question": " "}, '"question" must be a string that is not empty'),
        (
            {"answer_must_contain": [], "evidence": ["a year"]},
            'an answerable question must have "gold" or "answer_must_contain"',
        ),
        ({"gold": [{"doc": "a.md"}]}, 'an entry of "gold" must have "document" and "evidence"'),
        ({"gold": [{"doc": "a.md", "evidence": " "}]}, 'an entry of "gold" must have'),
        ({"gold": ["a.md"]}, 'an entry of "gold" must have "document" and "evidence"'),
        ({"answer_must_contain": ["x"]}, 'a group of "answer_must_contain" must be a list'),
        ({"answer_must_contain": [[]]}, 'a group of "answer_must_contain" must be a list'),
        ({"answer_must_contain": [["x", ""]]}, 'a group of "answer_must_contain" must be'),
    ],
    ids=str,
)
def test_a_malformed_question_is_named_with_the_line(
    tmp_path: Path, change: dict[str, object], problem: str
) -> None:
    path = write_jsonl(tmp_path / "q.jsonl", [QUESTION, QUESTION | {"id": "q2"} | change])
    with pytest.raises(UsageError) as error:
        read_questions(path)
    assert str(error.value).startswith(f"{path}, line 2: {problem}")


def test_a_question_file_that_is_missing_or_empty_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    with pytest.raises(UsageError, match=r"q\.jsonl does not exist"):
        read_questions(path)
    path.touch()
    with pytest.raises(UsageError, match=r"q\.jsonl holds no question"):
        read_questions(path)
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_questions(tmp_path)


def of_passages(*passages: BeirPassage) -> Beir:
    return Beir("set", passages, (), {})


def test_passages_are_written_as_documents_that_lead_back_to_their_ids(tmp_path: Path) -> None:
    awkward = ["../up", "a/b", "A", "a", "CON", ".hidden", "ü" * 300, "x\0y", "%2e", ""]
    passages = of_passages(*(BeirPassage(name, "", f"text of {name!r}") for name in awkward))
    documents = write_corpus(passages, tmp_path / "corpus")
    assert list(documents.values()) == awkward
    for document, identifier in documents.items():
        text = (tmp_path / "corpus" / document).read_text(encoding="utf-8")
        assert text == f"text of {identifier!r}"
    # They differ even where a file system ignores case.
    assert len({document.lower() for document in documents}) == len(awkward)


def test_a_document_keeps_its_name_when_the_set_grows(tmp_path: Path) -> None:
    one, two = BeirPassage("p1", "", "x"), BeirPassage("p2", "", "y")
    small = write_corpus(of_passages(two), tmp_path / "small")
    large = write_corpus(of_passages(one, two), tmp_path / "large")
    assert small.items() <= large.items()


@given(
    title=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip),
    text=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_a_written_passage_has_all_its_characters(
    tmp_path_factory: pytest.TempPathFactory, title: str, text: str
) -> None:
    folder = tmp_path_factory.mktemp("corpus")
    passages = of_passages(BeirPassage("t", title, text), BeirPassage("u", " ", text))
    titled, untitled = write_corpus(passages, folder)
    assert (folder / untitled).read_bytes().decode() == text
    _, front, rest = (folder / titled).read_bytes().decode().split("---\n", 2)
    assert yaml.safe_load(front) == {"title": title}
    assert rest == f"\n{text}"


@pytest.mark.parametrize("name", ["xquad", "mtragun"])
def test_the_shared_retrieval_sets_are_complete(name: str) -> None:
    beir = read_beir(shared(f"eval/{name}"))
    lines = shared(f"eval/{name}/corpus.jsonl").read_text(encoding="utf-8").split("\n")
    assert [passage.id for passage in beir.passages] == [
        json.loads(line)["_id"] for line in lines if line
    ]
    assert beir.judged
    assert beir.unknown() == ()


@pytest.mark.parametrize(
    ("questions", "corpus"),
    [
        ("eval/handbook18f/questions.jsonl", "eval/handbook18f/corpus"),
        ("seed/questions.jsonl", "seed/corpus"),
    ],
)
def test_the_evidence_of_the_shared_questions_is_verbatim(questions: str, corpus: str) -> None:
    for question in read_questions(shared(questions)):
        assert bool(question.gold) == question.answerable
        for gold in question.gold:
            text = (shared(corpus) / gold.document).read_text(encoding="utf-8")
            assert gold.evidence in text, question.id
