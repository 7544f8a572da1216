from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from evaluation_fakes import FakeEngine, WordIndex, answer, cite, question, write_beir
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_data import shared

from rag.errors import RagError, UsageError
from rag.evaluation.datasets import Gold, read_questions
from rag.evaluation.run import AnswerResult, evaluate_answers, evaluate_retrieval

if TYPE_CHECKING:
    from rag.types import Turn

FULL = Path("/dev/full")
FEE = "The fee is 12 euro."
MAY = "It is paid in May."
TEXT = f"{FEE} {MAY}"
BEFORE: tuple[Turn, ...] = ({"role": "user", "content": "Is there a fee?"},)


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    return write_beir(
        tmp_path / "set",
        passages={"leave": "paid leave\nunpaid leave of absence", "trip": "train travel"},
        queries={"q1": "absence", "q2": "and unpaid ?"},
        qrels=[("q1", "leave", 1), ("q2", "trip", 1), ("q2", "ghost", 1)],
        histories={"q2": [{"role": "user", "content": "train travel"}]},
    )


def test_retrieval_is_judged_on_an_index_that_the_caller_builds(beir: Path) -> None:
    folders = []

    def build(folder: Path) -> WordIndex:
        assert len(list(folder.rglob("passage.txt"))) == 2
        folders.append(folder)
        return WordIndex(folder)

    result = evaluate_retrieval(beir, build)
    assert not folders[0].exists()
    assert (result.name, result.passages, len(result.rankings)) == ("set", 2, 2)
    assert result.unknown == ("ghost",)
    values = {
        group: (figures["recall@1"].value, figures["recall@1"].n)
        for group, figures in result.groups.items()
    }
    assert values == {
        "overall": ((1 / 1 + 1 / 2) / 2, 2),
        "first_turns": (1 / 1, 1),
        "follow_ups": (1 / 2, 1),
    }


def test_an_ablation_of_search_is_variant_minus_baseline(beir: Path) -> None:
    result = evaluate_retrieval(
        beir,
        WordIndex,
        variants=lambda index: {
            "deaf": WordIndex(index.folder, ignored=frozenset({"train", "travel"})),
            "same": index,
        },
    )
    # Without those words the follow-up finds "unpaid leave" first.
    assert result.ablation["deaf"]["recall@1"].value == (0 + (0 - 1 / 2)) / 2
    assert {figure.value for figure in result.ablation["same"].values()} == {0}
    text = result.to_text()
    assert text.startswith("retrieval on set: 2 passages, 2 questions judged\n\n")
    assert "ids in the judgements that the set does not hold (1): ghost" in text
    assert "without each step" in text
    assert "-0.250" in text


def test_results_of_search_are_json_and_files(beir: Path, tmp_path: Path) -> None:
    result = evaluate_retrieval(beir, WordIndex)
    summary = json.loads(json.dumps(result.to_dict()))
    assert summary["questions"] == 2
    assert summary["overall"]["nDCG@10"].keys() == {"value", "n", "low", "high"}
    result.write_run(tmp_path / "run.txt")
    assert (tmp_path / "run.txt").read_text(encoding="utf-8").startswith("q1 Q0 leave 1 ")
    result.write_questions(tmp_path / "rows.jsonl")
    lines = (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["q1", "q2"]


ASKED = (
    question(Gold("a.md", FEE), identifier="a", kind="single", must=[["12"]]),
    question(Gold("a.md", MAY), identifier="b", kind="single", must=[["may"]], history=BEFORE),
    question(identifier="c", answerable=False, kind="off_topic"),
)


def engine(**answers: object) -> FakeEngine:
    return FakeEngine({"a.md": TEXT}, {f"What about {key}?": each for key, each in answers.items()})


BASE = engine(a=answer(cite(TEXT, FEE)), b=answer(), c=answer(confidence=0.1))


def result_of(**options: object) -> AnswerResult:
    return evaluate_answers(BASE, ASKED, **options)


def test_answers_are_judged_by_turn_and_kind() -> None:
    result = result_of()
    correct = {group: figures["correct"] for group, figures in result.groups.items()}
    assert {group: (each.value, each.n) for group, each in correct.items()} == {
        "overall": (1 / 2, 2),
        "first_turns": (1 / 1, 1),
        "follow_ups": (0 / 1, 1),
    }
    assert list(result.kinds) == ["off_topic", "single"]
    assert result.kinds["off_topic"]["false_answer_rate"].value == 0
    assert result.groups["overall"]["auroc"].value == 1
    assert result.broken_citations == 0


def test_questions_are_asked_with_their_history() -> None:
    base = engine(a=answer(), b=answer(), c=answer())
    evaluate_answers(base, ASKED)
    assert [(asked, history) for asked, _, history in base.asked] == [
        ("What about a?", ()),
        ("What about b?", BEFORE),
        ("What about c?", ()),
    ]


def test_an_ablation_of_answers_is_variant_minus_baseline() -> None:
    eager = engine(a=answer(cite(TEXT, FEE)), b=answer(cite(TEXT, MAY)), c=answer(cite(TEXT, MAY)))
    result = result_of(variants={"never abstains": eager})
    changes = result.ablation["never abstains"]
    assert changes["correct"].value == (0 + 1) / 2
    assert changes["false_answer_rate"].value == 1
    assert "never abstains" in result.to_text()


def test_defects_of_engine_and_questions_are_said() -> None:
    shifted = cite(f" {TEXT}", FEE)
    asked = [question(Gold("a.md", "not there"), identifier="a")]
    result = evaluate_answers(engine(a=answer(shifted)), asked)
    assert result.broken_citations == 1
    assert result.unlocated == ("a",)
    text = result.to_text()
    assert "citations that are not verbatim at their offsets: 1" in text
    assert "gold evidence that the indexed text does not hold: a" in text
    assert result.to_dict()["broken_citations"] == 1


def test_results_of_answers_are_json_and_files(tmp_path: Path) -> None:
    result = result_of()
    summary = json.loads(json.dumps(result.to_dict()))
    assert (summary["questions"], summary["answerable"]) == (3, 2)
    assert summary["kinds"]["single"]["correct"]["n"] == 2
    result.write_questions(tmp_path / "rows.jsonl")
    lines = (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["missed"] for line in lines] == [False, True, False]
    assert summary["reliability"] is None
    assert summary["misses"] is None


def test_a_file_that_cannot_be_written_is_named(beir: Path, tmp_path: Path) -> None:
    found, judged = evaluate_retrieval(beir, WordIndex), result_of(explain=True)
    writes = (
        found.write_run, found.write_questions, judged.write_questions, judged.write_report,
    )  # fmt: skip
    places = {tmp_path: "Is a directory"}
    if FULL.exists():
        places[FULL] = "No space left on device"
    for write in writes:
        for path, reason in places.items():
            with pytest.raises(RagError) as caught:
                write(path)
            assert str(caught.value) == f"{path} cannot be written: {reason}"


def test_misses_are_explained_where_that_is_wanted(tmp_path: Path) -> None:
    result = result_of(explain=True)
    assert [miss.judgement.question.id for miss in result.misses] == ["b"]
    result.write_report(tmp_path / "misses.html")
    page = (tmp_path / "misses.html").read_text(encoding="utf-8")
    assert page.count("<article>") == 1
    assert "What about b?" in page
    assert "the evidence is in none of the passages that were read" in result.to_text()
    assert result.to_dict()["misses"]["search"] == 1


def test_only_abstentions_are_asked_again_for_the_reliability(tmp_path: Path) -> None:
    forced = engine(b=answer(cite(TEXT, MAY)), c=answer(cite(TEXT, MAY)))
    result = result_of(forced=forced, thresholds={"eager": 0.2, "strict": 0.6})
    assert [asked for asked, _, _ in forced.asked] == ["What about b?", "What about c?"]
    assert result.reliability is not None
    assert [(each.answerable, each.right) for each in result.reliability.outcomes] == [
        (True, True), (True, True), (False, False),
    ]  # fmt: skip
    points = result.to_dict()["reliability"]["operating_points"]
    assert points["eager"]["false_answers"]["value"] == 0 / 1
    assert points["strict"]["false_abstentions"]["value"] == 2 / 2
    assert "settings of caution" in result.to_text()
    result.write_report(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count("<svg") == 2


def test_no_questions_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="there are no questions to ask"):
        evaluate_answers(engine(), [])


def test_progress_sees_every_question_and_every_variant() -> None:
    seen: list[tuple[str, int]] = []

    def progress(items, label):  # type: ignore[no-untyped-def]
        seen.append((label, len(items)))
        return items

    base = engine(a=answer(), b=answer(), c=answer())
    evaluate_answers(base, ASKED, variants={"other": base}, progress=progress)
    assert seen == [("questions", 3), ("other", 3)]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=12))
@settings(deadline=None, max_examples=20)
def test_rates_are_counts_divided_by_counts(plan: list[tuple[bool, bool, bool]]) -> None:
    asked, answers = [], {}
    for number, (answerable, answered, right) in enumerate(plan):
        gold = (Gold("a.md", FEE),) if answerable else ()
        asked.append(question(*gold, identifier=f"q{number}", answerable=answerable))
        quote = cite(TEXT, FEE if right else MAY)
        answers[f"q{number}"] = answer(*([quote] if answered else []))
    figures = evaluate_answers(engine(**answers), asked).groups["overall"]
    answerable = [(answered, right) for can, answered, right in plan if can]
    others = [answered for can, answered, _ in plan if not can]
    if answerable:
        hit_rate = sum(answered and right for answered, right in answerable) / len(answerable)
        silent = sum(not answered for answered, _ in answerable) / len(answerable)
        assert figures["evidence_hit"].value == pytest.approx(hit_rate)
        assert figures["precision"].value == pytest.approx(hit_rate)
        assert figures["false_abstention_rate"].value == pytest.approx(silent)
    if others:
        assert figures["false_answer_rate"].value == pytest.approx(sum(others) / len(others))
    assert figures["length"].n == sum(answered for answered, _ in answerable)


def test_importing_the_evaluation_loads_no_evaluator() -> None:
    program = (
        "import sys, rag.evaluation.run; "
        "print(*{'ir_measures', 'pytrec_eval', 'torch', 'faiss', 'yaml'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("questions", "corpus"),
    [
        ("eval/handbook18f/questions.jsonl", "eval/handbook18f/corpus"),
        ("seed/questions.jsonl", "seed/corpus"),
    ],
)
def test_an_oracle_that_cites_the_gold_gets_everything_right(questions: str, corpus: str) -> None:
    asked = read_questions(shared(questions))
    texts = {
        gold.document: (shared(corpus) / gold.document).read_text(encoding="utf-8")
        for each in asked
        for gold in each.gold
    }
    oracle = FakeEngine(
        texts,
        {
            each.question: answer(
                *(cite(texts[gold.document], gold.evidence, gold.document) for gold in each.gold),
                confidence=float(each.answerable),
            )
            for each in asked
        },
    )
    result = evaluate_answers(oracle, asked)
    figures = result.groups["overall"]
    for name in ("evidence_hit", "evidence_recall", "precision", "correct", "auroc"):
        assert figures[name].value == 1, name
    for name in ("false_answer_rate", "false_abstention_rate"):
        assert figures[name].value == 0, name
    assert result.broken_citations == 0
    assert result.unlocated == ()
    assert not any(judgement.missed for judgement in result.judgements)
