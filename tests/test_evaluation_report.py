from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from evaluation_fakes import FakeEngine, answer, cite, hit, question, read

from rag.evaluation.bootstrap import Estimate
from rag.evaluation.datasets import Gold
from rag.evaluation.metrics import Judgement, judge
from rag.evaluation.misses import Miss, cause, count_causes, find_misses, gold_ranks
from rag.evaluation.page import report_page
from rag.evaluation.reliability import reliability
from rag.evaluation.report import ablation_table, groups_table, kinds_table, show, table
from rag.types import Passage

NASTY = "<script>alert(\"x\") & 'y'</script>"
TEXT = f"The fee is 12 euro. {NASTY} It is paid in May."
FEE = Gold("a.md", "The fee is 12 euro.")
MAY = Gold("a.md", "It is paid in May.")


def test_columns_are_aligned_and_lines_do_not_end_in_space() -> None:
    assert table([["", "long name"], ["a", "1"], ["bcd", ""]]) == (
        "     long name\n"
        "a    1\n"
        "bcd"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (Estimate(0.5, 9, 0.25, 0.75), "0.500 [0.250, 0.750]"),
        (Estimate(None, 0), "–"),
    ],
)
def test_a_figure_is_shown_with_its_interval(figure: Estimate, shown: str) -> None:
    assert show(figure) == shown


def test_each_cell_of_a_table_has_its_own_n() -> None:
    figures = {"correct": Estimate(0.5, 90, 0.4, 0.6), "length": Estimate(31.0, 80, 28.0, 33.5)}
    nothing = {"correct": Estimate(None, 0), "length": Estimate(7.0, 1, 7.0, 7.0)}
    assert groups_table({"overall": figures, "follow_ups": nothing}) == (
        "                overall                    follow_ups\n"
        "correct         0.500 [0.400, 0.600] n=90  –\n"
        "length (words)  31.0 [28.0, 33.5] n=80     7.0 [7.0, 7.0] n=1"
    )
    assert kinds_table({"single": figures}, ["correct"]) == (
        "kind    correct\n"
        "single  0.50 [0.40, 0.60] n=90"
    )  # fmt: skip


def test_groups_that_say_nothing_new_are_left_out() -> None:
    figures = {"correct": Estimate(0.5, 90, 0.4, 0.6)}
    groups = {"overall": figures, "first_turns": dict(figures)}
    groups["follow_ups"] = {"correct": Estimate(None, 0)}
    assert groups_table(groups) == (
        "         overall\n"
        "correct  0.500 [0.400, 0.600] n=90"
    )  # fmt: skip


def test_differences_are_signed_and_starred_if_they_are_more_than_noise() -> None:
    worse, same = Estimate(-0.1, 90, -0.15, -0.05), Estimate(0.0, 90, -0.1, 0.1)
    base = {"correct": Estimate(0.5, 90, 0.4, 0.6)}
    assert ablation_table({"reader": {"correct": worse}, "titles": {"correct": same}}, base) == (
        "without each step, minus everything on; * if the interval excludes 0\n\n"
        "               correct\n"
        "everything on  0.500 [0.400, 0.600]\n"
        "- reader       -0.100 [-0.150, -0.050] *\n"
        "- titles       +0.000 [-0.100, +0.100]"
    )


def test_many_measures_are_shown_in_blocks() -> None:
    figures = {f"measure{number}": Estimate(0.0, 1, 0.0, 0.0) for number in range(7)}
    shown = ablation_table({"one": figures, "two": figures}, figures)
    headers = [line.split() for line in shown.split("\n") if "measure" in line]
    assert [len(header) for header in headers] == [5, 2]
    assert shown.count("- one ") == shown.count("- two ") == 2


@pytest.fixture
def engine() -> FakeEngine:
    start = TEXT.index(MAY.evidence)
    return FakeEngine(
        texts={"a.md": TEXT, "b.md": FEE.evidence},
        hits={
            "What about q1?": [
                hit(1, "b.md", FEE.evidence, dense=0.9, lexical=1.0, sentence=float("nan")),
                hit(2, "a.md", TEXT[start:], start=start, dense=0.7, lexical=5.0),
                hit(3, "a.md", TEXT[:19], dense=0.8, lexical=1.0),
            ]
        },
        sentences={
            "What about q1?": [
                read(("b.md", FEE.evidence, 0, 3.0), ("a.md", FEE.evidence, 0, 5.0)),
                read(("a.md", NASTY, 20, 1.0), ("a.md", FEE.evidence, 0, 0.5)),
            ]
        },
    )


def test_ranks_of_the_evidence_at_each_stage(engine: FakeEngine) -> None:
    found = (engine.hits["What about q1?"], engine.sentences["What about q1?"])
    # "sentence" was not computed for every hit, so it is no order.
    assert gold_ranks(engine, FEE, *found) == {
        "dense": 2, "lexical": 3, "fused": 3, "reader": 1, "score": 2,
    }  # fmt: skip
    assert gold_ranks(engine, MAY, *found) == {
        "dense": 3, "lexical": 1, "fused": 2, "reader": None, "score": None,
    }  # fmt: skip
    nowhere = gold_ranks(engine, Gold("gone.md", "x"), *found)
    assert set(nowhere.values()) == {None}


def test_without_the_reader_there_is_no_rank_of_its(engine: FakeEngine) -> None:
    alone = [read(("a.md", FEE.evidence, 0, 0.0), by_reader=False)]
    assert gold_ranks(engine, FEE, (), alone) == {
        "dense": None, "sentence": None, "lexical": None, "fused": None, "score": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rank", "given", "expected"),
    [
        (None, "abstention", "search"),
        (None, "other", "search"),
        (4, "other", "sentence score"),
        (4, "abstention", "sentence score"),
        (3, "other", "selection"),
        (1, "abstention", "abstention"),
        (9, "gold", "detail"),
    ],
)
def test_the_first_stage_that_lost_the_evidence_is_the_cause(
    rank: int | None, given: str, expected: str
) -> None:
    given_answer = {
        "abstention": answer(),
        "other": answer(cite(TEXT, MAY.evidence)),
        "gold": answer(cite(TEXT, FEE.evidence)),
    }[given]
    judged = judge(question(FEE, must=[["13"]]), given_answer, lambda document: TEXT)
    assert cause(judged, {FEE: {"fused": 1, "score": rank}}) == expected


def test_of_two_pieces_of_evidence_the_one_lost_first_is_the_cause() -> None:
    judged = judge(question(FEE, MAY), answer(cite(TEXT, NASTY)), lambda document: TEXT)
    assert cause(judged, {FEE: {"score": 2}, MAY: {"score": 7}}) == "sentence score"
    assert cause(judged, {FEE: {"score": 2}, MAY: {"score": None}}) == "search"
    half = judge(question(FEE, MAY), answer(cite(TEXT, FEE.evidence)), lambda document: TEXT)
    assert cause(half, {FEE: {"score": 9}, MAY: {"score": 2}}) == "selection"


def test_of_alternatives_the_better_one_counts() -> None:
    one, other = replace(FEE, alt="1"), replace(MAY, alt="1")
    judged = judge(question(one, other), answer(cite(TEXT, NASTY)), lambda document: TEXT)
    assert cause(judged, {one: {"score": None}, other: {"score": 2}}) == "selection"


def judged(engine: FakeEngine) -> list[Judgement]:
    nearest = Passage("b.md", "T", None, None, 0, 4, "The ", 0.1)
    return [
        judge(question(FEE, MAY, kind="two"), answer(cite(TEXT, NASTY)), engine.text),
        judge(question(FEE, identifier="q2"), replace(answer(), nearest=(nearest,)), engine.text),
        judge(question(identifier="q3", answerable=False), answer(cite(TEXT, NASTY)), engine.text),
        judge(question(FEE, identifier="right"), answer(cite(TEXT, FEE.evidence)), engine.text),
        judge(question(identifier="refused", answerable=False), answer(), engine.text),
    ]


def test_only_misses_are_searched_again(engine: FakeEngine) -> None:
    misses = find_misses(engine, judged(engine), depth=2)
    assert [miss.judgement.question.id for miss in misses] == ["q1", "q2", "q3"]
    assert {k for _, k, _ in engine.asked} == {2}
    assert misses[0].ranks[FEE]["fused"] is None
    assert misses[0].ranks[MAY]["fused"] == 2
    assert [miss.cause for miss in misses] == ["search", "search", "no ground"]
    assert count_causes(misses)["search"] == 2


class Page(HTMLParser):
    """What a browser would make of it: tags that are open, tags seen, text."""

    VOID = ("meta",)

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(misses: tuple[Miss, ...]) -> Page:
    return Page(report_page("Misses of <this>", "a  b", misses, questions=5))


def test_the_page_shows_each_miss_where_it_belongs(engine: FakeEngine) -> None:
    page = page_of(find_misses(engine, judged(engine)))
    assert page.open == []
    assert page.tags.count("article") == page.tags.count("h3") == 3
    for expected in (
        "Misses of <this>",
        "3 misses among 5 questions.",
        "Answered, but not fully or not correctly (1)",
        "Abstained, though there is an answer (1)",
        "Answered, though there is no answer (1)",
        "What about q1?",
        "Abstained; the nearest passages:",
        "lost at",
        "answered, though there is no answer",
        "not read",
        "b.md [0, 4)",
        "> 100",
    ):
        assert expected in page.text


def test_the_page_is_escaped_and_needs_nothing_from_elsewhere(engine: FakeEngine) -> None:
    page = page_of(find_misses(engine, judged(engine)))
    assert NASTY in page.text
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not {"src", "href", "onclick", "onload"} & set(page.attributes)


def test_the_page_says_how_a_follow_up_was_understood(engine: FakeEngine) -> None:
    asked = question(Gold("gone.md", "x"), history=({"role": "user", "content": "Before <b>"},))
    misses = find_misses(engine, [judge(asked, answer(), engine.text)])
    text = page_of(misses).text
    assert "Before <b>" in text
    assert "Understood as: ?" in text
    assert "(not in the indexed text)" in text


def test_the_page_draws_what_the_confidence_is_worth(engine: FakeEngine) -> None:
    made = judged(engine)
    drawn = reliability(made, {one.question.id: one for one in made}, {"eager <b>": 0.2})
    page = Page(report_page("t", "", find_misses(engine, made), 5, drawn))
    assert page.open == []
    assert page.tags.count("svg") == 2
    assert "eager <b>" in page.text


def test_a_page_without_misses_has_no_sections() -> None:
    page = page_of(())
    assert "0 misses among 5 questions." in page.text
    assert "section" not in page.tags
