"""The steps that an evaluation switches off, on a real index and through the command line."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import ir_measures
import pytest
from evaluation_fakes import write_beir, write_jsonl
from workshop import SMALL_CORPUS, write_corpus

from rag import cli
from rag.answering.stages import ALL_STAGES, Stages
from rag.errors import RagError
from rag.evaluation.ablation import ANSWERS, NEVER_ABSTAINS, SEARCH, without
from rag.evaluation.results import RetrievalResult
from rag.index import Index
from rag.pipeline import Models

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rag.encoders import Encoder
    from rag.settings import Settings
    from rag.types import Turn

LEAVE = "How many days of annual leave do staff get?"
PARTS = "How much may a hotel cost, and how long are contracts kept?"
CAPITAL: list[Turn] = [
    {"role": "user", "content": "How much may a hotel cost a night?"},
    {"role": "assistant", "content": "At most 90 euro."},
]


@pytest.fixture(scope="module")
def read_index(small_settings: Settings, small_index: Index, encoder: Encoder) -> Index:
    """The small index with the reader, sharing the generation and the encoder."""
    models = Models(replace(small_settings, reader=True, caution="eager"))
    models.__dict__["encoder"] = encoder
    return Index(small_index._generation, models)


def test_every_switch_is_left_out_once() -> None:
    switches = {spec.name for spec in fields(Stages)} - {"weights"}
    off = [{name for name in switches if not getattr(stages, name)} for stages in ANSWERS.values()]
    assert sorted(name for names in off for name in names) == sorted(switches)
    weights = [stages.weights for stages in ANSWERS.values() if stages.weights != Stages().weights]
    assert len(weights) == len(fields(Stages().weights))
    assert SEARCH.items() <= ANSWERS.items()


def test_with_all_steps_nothing_changes(read_index: Index) -> None:
    same = read_index.with_stages(ALL_STAGES)
    for question in (LEAVE, PARTS):
        expected, found = read_index.ask(question).to_dict(), same.ask(question).to_dict()
        assert expected | {"took_ms": 0} == found | {"took_ms": 0}


@pytest.mark.parametrize("name", ANSWERS)
def test_each_variant_answers_from_the_sources(read_index: Index, name: str) -> None:
    variant = without(read_index, ANSWERS)[name]
    for question, history in ((LEAVE, ()), (PARTS, ()), ("And in capital cities?", CAPITAL)):
        answer = variant.ask(question, history=history)
        for citation in answer.citations:
            text = variant.text(citation.document)
            assert text[citation.start : citation.end] == citation.quote


def test_search_goes_without_one_of_its_scores(read_index: Index) -> None:
    def order(name: str, score: Callable[[Any], float]) -> bool:
        hits = without(read_index, SEARCH)[name].retrieve(LEAVE, k=20)
        assert [hit.scores.fused for hit in hits] == sorted(
            (hit.scores.fused for hit in hits), reverse=True
        )
        return [hit.row for hit in hits] == [
            hit.row for hit in sorted(hits, key=lambda hit: (-score(hit.scores), hit.row))
        ]

    assert order("embeddings", lambda scores: scores.lexical)
    assert order("BM25", lambda scores: (scores.dense + scores.sentence) / 2)
    mixed = without(read_index, SEARCH)["best sentence of a passage"].retrieve(LEAVE, k=1)[0]
    assert mixed.scores.fused != read_index.retrieve(LEAVE, k=1)[0].scores.fused


def test_the_conversation_is_left_out(read_index: Index) -> None:
    follow_up = "And in capital cities?"
    deaf = without(read_index, ANSWERS)["conversation"].ask(follow_up, history=CAPITAL)
    alone = read_index.ask(follow_up)
    assert deaf.to_dict() | {"took_ms": 0} == alone.to_dict() | {"took_ms": 0}
    partly = without(read_index, ANSWERS)["search for earlier questions"]
    assert "hotel" in partly.ask(follow_up, history=CAPITAL).standalone_question
    scores = [
        each.retrieve(follow_up, k=1, history=CAPITAL)[0].scores for each in (partly, read_index)
    ]
    assert scores[0] == partly.retrieve(follow_up, k=1)[0].scores
    assert scores[0] != scores[1]


def test_parts_are_found_one_by_one_or_not(read_index: Index) -> None:
    assert len(read_index.evidence(PARTS)) == 2
    assert len(without(read_index, ANSWERS)["two-part questions"].evidence(PARTS)) == 1


def test_the_reader_reads_or_does_not(read_index: Index) -> None:
    assert all(part.read for part in read_index.evidence(LEAVE))
    blind = without(read_index, ANSWERS)["reader"]
    assert not any(part.read for part in blind.evidence(LEAVE))
    unsure = without(read_index, ANSWERS)["reader in the confidence"]
    assert unsure.thresholds == blind.thresholds != read_index.thresholds
    assert all(part.read for part in unsure.evidence(LEAVE))


def test_a_sentence_is_quoted_with_or_without_its_context(read_index: Index) -> None:
    forced = read_index.with_stages(NEVER_ABSTAINS)
    question = "What is the reaction time for high severity?"
    whole = forced.ask(question).citations
    alone = read_index.with_stages(replace(NEVER_ABSTAINS, context=False)).ask(question).citations
    header = "Severity | Reaction time | Who is told"
    assert header in {citation.quote for citation in whole}
    assert header not in {citation.quote for citation in alone}


def test_without_abstention_there_is_always_an_answer(read_index: Index) -> None:
    forced = read_index.with_stages(NEVER_ABSTAINS)
    question = "Is the moon made of cheese?"
    answer = forced.ask(question)
    assert not answer.abstained
    assert answer.confidence == read_index.ask(question).confidence


def test_an_index_abstains_below_its_threshold(read_index: Index, questions: list[str]) -> None:
    thresholds = read_index.thresholds
    assert thresholds["eager"] <= thresholds["balanced"] <= thresholds["cautious"]
    for question in questions:
        answer = read_index.ask(question)
        assert answer.abstained == (answer.confidence < thresholds["eager"])


ASKED = [
    {
        "id": "leave", "kind": "single", "question": LEAVE, "answerable": True,
        "gold": [{"doc": "leave/annual.md", "evidence": "13 days of annual leave"}],
        "answer_must_contain": [["13 days"]],
    },
    {"id": "moon", "kind": "off topic", "question": "Is the moon cheese?", "answerable": False},
]  # fmt: skip


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, encoder: Encoder
) -> Callable[..., str]:
    for module in ("rag.building.indexing", "rag.pipeline"):
        monkeypatch.setattr(f"{module}.load_encoder", lambda *_: encoder)

    def call(*arguments: object) -> str:
        with pytest.raises(SystemExit) as ended:
            cli.main(["eval", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert ended.value.code == 0, err
        return out

    return call


def test_answers_are_evaluated_step_by_step(tmp_path: Path, run: Callable[..., str]) -> None:
    corpus = write_corpus(tmp_path / "corpus", SMALL_CORPUS)
    questions = write_jsonl(tmp_path / "questions.jsonl", ASKED)
    options = ("--quick", "--keep-index", tmp_path / "kept", "--threads", 1)
    page, scores = tmp_path / "page.html", tmp_path / "scores.jsonl"
    text = run(
        "answers", corpus, questions, *options, "--ablate",
        "--report", page, "--per-question", scores,
    )  # fmt: skip
    for name in ANSWERS:
        assert f"\n- {name} " in text
    for part in ("everything on", "settings of caution", "cautious ", "balanced ", "eager "):
        assert part in text
    assert "<svg" in page.read_text("utf-8")
    assert "Answers to questions.jsonl from corpus" in page.read_text("utf-8")
    assert len(scores.read_text("utf-8").splitlines()) == 2
    kept = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert "CURRENT" in kept
    again = json.loads(run("answers", corpus, questions, *options, "--json"))
    assert again["ablation"] == {}
    points = again["reliability"]["operating_points"]
    for measure, rate in (
        ("false_answers", "false_answer_rate"), ("false_abstentions", "false_abstention_rate"),
    ):  # fmt: skip
        assert points["balanced"][measure]["value"] == again["overall"][rate]["value"]
    assert "questions gained: 0, lost: 0" in run("compare", scores, scores)


@pytest.mark.parametrize(
    "arguments",
    [("answers", "corpus", "q.jsonl", "--report"), ("retrieval", "set", "--run"),
     ("retrieval", "set", "--per-question")],
)  # fmt: skip
@pytest.mark.parametrize("target", ["nowhere/out", "."])
def test_what_cannot_be_written_is_refused_before_the_work(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], target: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["eval", *arguments, target])
    message = f"{target} cannot be written: name a file in a folder that is there and yours"
    assert (ended.value.code, capsys.readouterr().err) == (2, f"rag: {message}\n")


def test_figures_are_printed_even_if_a_file_cannot_be_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RagError("the disk is full")

    found = RetrievalResult("set", 3, (), {})
    monkeypatch.setattr("rag.cli.evaluate.evaluate_retrieval", lambda *_, **__: found)
    monkeypatch.setattr(RetrievalResult, "write_run", refuse)
    with pytest.raises(SystemExit) as ended:
        cli.main(["eval", "retrieval", "set", "--json", "--run", "run.txt"])
    out, err = capsys.readouterr()
    assert (ended.value.code, err) == (1, "rag: the disk is full\n")
    assert json.loads(out) == found.to_dict()


def test_search_is_evaluated_step_by_step(tmp_path: Path, run: Callable[..., str]) -> None:
    beir = write_beir(
        tmp_path / "set",
        passages={"a": "Staff get paid leave.", "b": "Trips are booked early.", "c": "Be safe."},
        queries={"q1": "paid leave", "q2": "and how early?"},
        qrels=[("q1", "a", 1), ("q2", "b", 2)],
        histories={"q2": [{"role": "user", "content": "booking of trips"}]},
    )
    run_file, scores = tmp_path / "run.txt", tmp_path / "scores.jsonl"
    found = json.loads(
        run("retrieval", beir, "--json", "--ablate", "--threads", 1,
            "--run", run_file, "--per-question", scores)
    )  # fmt: skip
    assert found["ablation"].keys() == SEARCH.keys()
    # What others read from the run file are the figures that we print.
    qrels = [ir_measures.Qrel("q1", "a", 1), ir_measures.Qrel("q2", "b", 2)]
    read = list(ir_measures.read_trec_run(str(run_file)))
    for measure, name in ((ir_measures.nDCG @ 10, "nDCG@10"), (ir_measures.R @ 1, "recall@1")):
        value = ir_measures.calc_aggregate([measure], qrels, read)[measure]
        assert value == pytest.approx(found["overall"][name]["value"], abs=1e-6)
    assert [json.loads(line)["id"] for line in scores.read_text("utf-8").splitlines()] == [
        "q1", "q2",
    ]  # fmt: skip
