"""Answers: every sentence a quotation, every quotation cited, or an honest abstention.

What is tested are promises that hold for any weights and thresholds, not scores.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering import confidence as confidence_module
from rag.answering.compose import abstention_text, answer_text
from rag.answering.confidence import confidence, threshold
from rag.answering.evidence import Candidate, Evidence
from rag.answering.questions import Kind, looks_like_answer, question_kind
from rag.answering.select import Quotation, select
from rag.index import Index, open_index
from rag.reader import MODEL
from rag.settings import Caution, Settings
from rag.types import Answer, Chunk, Citation, Hit, Scores, Sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workshop import Workshop

    from rag.types import BlockKind, Turn

    Make = Callable[..., Workshop]

CAUTIONS: tuple[Caution, ...] = ("cautious", "balanced", "eager")


@pytest.fixture(scope="module", params=[False, True], ids=["quick", "reader"])
def index(
    request: pytest.FixtureRequest, small_settings: Settings, small_index: Index
) -> Iterator[Index]:
    """The small index, without and with the reader."""
    if request.param and not MODEL.exists():
        pytest.skip(f"{MODEL.name} is not there")
    with open_index(small_settings.index, replace(small_settings, reader=request.param)) as opened:
        yield opened


def numbers(answer: Answer) -> list[int]:
    return [int(number) for number in re.findall(r"\[(\d+)\]", answer.text)]


def check(answer: Answer, index: Index) -> None:
    """What every answer promises."""
    assert 0 <= answer.confidence <= 1
    assert answer.generation == index.generation
    assert answer.took_ms > 0
    assert len({(p.document, p.start) for p in answer.nearest}) == len(answer.nearest)
    for passage in answer.nearest:
        assert index.text(passage.document)[passage.start : passage.end] == passage.text
        assert 0 <= passage.score <= 1
    assert answer.abstained == (answer.citations == ())
    if answer.abstained:
        assert numbers(answer) == []
        assert answer.nearest
        assert f"{len(index.documents())} documents" in answer.text
        return
    assert numbers(answer) == [c.n for c in answer.citations]
    assert [c.n for c in answer.citations] == list(range(1, len(answer.citations) + 1))
    for citation in answer.citations:
        text = index.text(citation.document)
        assert text[citation.start : citation.end] == citation.quote
        assert citation.quote == citation.quote.strip() != ""
        assert citation.sha256 == hashlib.sha256(text.encode()).hexdigest()
        assert citation.title == index.document(citation.document).title
    spans = sorted((c.document, c.start, c.end) for c in answer.citations)
    for (document, _, end), (next_document, start, _) in pairwise(spans):
        assert document != next_document or end <= start


def test_every_answer_keeps_its_promises(index: Index, questions: tuple[str, ...]) -> None:
    for question in questions:
        answer = index.ask(question)
        assert answer.question == question
        check(answer, index)


def test_every_answer_in_a_conversation_does_too(index: Index, questions: tuple[str, ...]) -> None:
    history: list[Turn] = []
    for question in questions:
        answer = index.ask(question, history)
        check(answer, index)
        history.append({"role": "user", "content": question})
        history.append({"role": "assistant", "content": answer.text})


def test_the_same_question_gets_the_same_bytes(
    index: Index, small_settings: Settings, questions: tuple[str, ...]
) -> None:
    def bytes_of(source: Index, question: str) -> bytes:
        answer = source.ask(question).to_dict()
        del answer["took_ms"]
        return json.dumps(answer, ensure_ascii=False).encode()

    settings = replace(small_settings, reader=index._models.settings.reader)
    with open_index(small_settings.index, settings) as again:
        for question in questions:
            assert bytes_of(index, question) == bytes_of(again, question)


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("How many days of annual leave do staff get?", "13 days of annual leave a year"),
        ("How long is paid parental leave?", "16 weeks of **paid** parental leave"),
        ("Who approves trips abroad?", "Imani Okafor approves trips abroad"),
        ("What may a hotel cost at most?", "at most 90 euro a night"),
        ("How long are contracts kept?", "kept for ten years"),
    ],
)
def test_the_sentence_that_answers_is_quoted(
    small_index: Index, small_settings: Settings, question: str, quote: str
) -> None:
    with open_index(small_settings.index, replace(small_settings, caution="eager")) as eager:
        assert quote in " ".join(c.quote for c in eager.ask(question).citations)


def test_a_question_in_two_parts_gets_both(small_settings: Settings, small_index: Index) -> None:
    with open_index(small_settings.index, replace(small_settings, caution="eager")) as eager:
        answer = eager.ask("How much may a hotel cost, and how long are contracts kept?")
        check(answer, eager)
        assert {c.document for c in answer.citations} >= {"travel.txt", "records/retention.md"}


def test_the_id_of_a_question_comes_back(small_index: Index) -> None:
    assert small_index.ask("leave", id="q-7").to_dict()["id"] == "q-7"
    assert small_index.ask("leave").to_dict()["id"] is None


def test_an_empty_index_abstains(workshop: Make) -> None:
    made = workshop()
    made.build()
    with made.open() as empty:
        answer = empty.ask("How many days?")
    assert (answer.abstained, answer.citations, answer.nearest) == (True, (), ())
    assert answer.text == "There are no documents in the index yet, so there is nothing to quote."
    assert answer.confidence == 0


def test_more_caution_never_answers_more(small_settings: Settings, small_index: Index) -> None:
    levels = [threshold(caution, with_reader=False) for caution in CAUTIONS]
    assert levels == sorted(levels, reverse=True)
    asked = ["How many days of annual leave?", "Is the moon made of cheese?", "the of and"]
    answered = []
    for caution in CAUTIONS:
        with open_index(small_settings.index, replace(small_settings, caution=caution)) as opened:
            answered.append({q for q in asked if not opened.ask(q).abstained})
    assert answered[0] <= answered[1] <= answered[2]


def test_below_the_threshold_is_an_abstention_and_above_an_answer(
    index: Index, questions: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for least, abstains in ((0.0, False), (1.1, True)):
        with monkeypatch.context() as patch:
            patch.setattr("rag.pipeline.threshold", lambda *_, least=least, **__: least)
            for question in questions:
                answer = index.ask(question)
                assert answer.abstained is abstains
                check(answer, index)


def test_the_json_of_an_answer_is_that_of_the_contract(small_index: Index) -> None:
    data = small_index.ask("How many days of annual leave do staff get?", id="q").to_dict()
    assert list(data) == [
        "id", "question", "standalone_question", "abstained", "confidence", "text", "citations",
        "nearest", "generation", "took_ms",
    ]  # fmt: skip
    (citation, *_), (passage, *_) = data["citations"], data["nearest"]  # type: ignore[misc]
    assert list(citation) == [
        "n", "document", "title", "section", "page", "start", "end", "quote", "sha256",
    ]  # fmt: skip
    assert {"document", "start", "end", "text", "score"} <= passage.keys()
    json.dumps(data)


# Footnote marks


FOOTNOTES = {
    "one": "Leave is paid.[12]",
    "spaced": "Leave is paid [3] in full [4].",
    "a_run": "Leave is paid.[1][2][3]",
    "nested": "Leave is [[1]2] paid.",
    "nested_deep": "Leave is [[[1]2]3] paid.",
    "link": "Leave is paid.[[5]](#fn5)",
    "escaped": r"Leave is paid.\[6\]",
    "bold": "Leave is paid.[**7**]",
    "other_digits": "Leave is paid.[٣]",
    "year": "Leave is [2024] paid.",
}


def cited(quote: str, name: str, n: int = 1) -> Citation:
    return Citation(n, name, "T", None, None, 0, len(quote), quote, "")


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
@pytest.mark.parametrize("quote", FOOTNOTES.values(), ids=FOOTNOTES.keys())
def test_footnote_marks_never_pass_for_citations(quote: str, name: str) -> None:
    text = answer_text([cited(quote, name, 1), cited(quote, name, 2)])
    assert re.findall(r"\[(\d+)\]", text) == ["1", "2"]


@given(st.lists(st.text("[]123 a*\\(", max_size=20), min_size=1, max_size=3))
def test_whatever_is_quoted_the_numbers_are_ours(quotes: list[str]) -> None:
    citations = [cited(quote, "a.md", n) for n, quote in enumerate(quotes, start=1)]
    expected = [str(citation.n) for citation in citations]
    assert re.findall(r"\[(\d+)\]", answer_text(citations)) == expected


def test_a_part_without_an_answer_is_named_without_its_marks() -> None:
    text = answer_text([cited("Leave is paid.", "a.txt")], ["who signs form [12]?"])
    assert text == "Leave is paid. [1] I found no sentence that answers “who signs form”."


def test_an_answer_from_a_document_with_footnotes(workshop: Make) -> None:
    made = workshop({"a.md": "# Pay\n\nOvertime is paid at double rate.[12] It is rare.[1]\n"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("At what rate is overtime paid?")
        assert answer.citations[0].quote.endswith("rate.[12]")
        assert numbers(answer) == [c.n for c in answer.citations]
        assert "12" not in answer.text


def test_an_abstention_says_what_was_searched() -> None:
    assert abstention_text(1, 0) == (
        "I found no sentence that answers this in the 1 document I searched."
    )
    assert abstention_text(30, 3) == (
        "I found no sentence that answers this in the 30 documents I searched. "
        "The passages that came nearest are listed; they may be related."
    )


# Kinds of questions


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many days of leave?", "quantity"),
        ("What is the maximum amount?", "quantity"),
        ("When does it end?", "time"),
        ("How soon must I report it?", "time"),
        ("Who approves it?", "person"),
        ("Which office handles travel?", "person"),
        ("How do I ask for leave?", "procedure"),
        ("What is an incident?", "definition"),
        ("What does PTO stand for?", "definition"),
        ("May I work from home?", "yes_no"),
        ("And do interns get it?", "yes_no"),
        ("Tell me about leave.", "other"),
    ],
)
def test_a_question_says_what_kind_of_answer_it_wants(question: str, kind: Kind) -> None:
    assert question_kind(question) == kind


@pytest.mark.parametrize(
    ("kind", "yes", "no"),
    [
        ("quantity", "Staff get 13 days.", "Staff get leave."),
        ("time", "It ends on 31 March.", "It ends well."),
        ("person", "Ask the director.", "Ask somebody."),
        ("definition", "An incident means any loss.", "Report any loss."),
        ("procedure", "Submit the form.", "Forms exist."),
    ],
)
def test_a_sentence_shows_what_kind_of_answer_it_is(kind: Kind, yes: str, no: str) -> None:
    assert looks_like_answer(kind, yes)
    assert not looks_like_answer(kind, no)
    assert looks_like_answer("other", no)


# Choosing sentences


def passage(*sentences: tuple[BlockKind, str], document: str = "a.txt", rank: int = 1) -> Hit:
    """A hit whose chunk is made of these sentences; its first row is the header of the others."""
    text, spans, header = "", [], None
    for kind, sentence in sentences:
        text += " " if text else ""
        span = (len(text), len(text) + len(sentence))
        spans.append(Sentence(*span, kind, header if kind == "row" else None))
        if kind == "row" and header is None:
            header = span
        text += sentence
    chunk = Chunk(document, 0, len(text), text, "T", (), None, tuple(spans), text)
    return Hit(rank, rank, chunk, Scores(0.5, 0.5, 1.0, 2.0))


def evidence(kind: Kind, *scored: tuple[Hit, int, float]) -> Evidence:
    """Candidates with these scores: hit, number of the sentence in it, score."""
    candidates = [
        Candidate(hit, at, sentence_of(hit, at), score, score, 0.0, score)
        for hit, at, score in scored
    ]
    candidates.sort(key=lambda candidate: -candidate.score)
    return Evidence(
        kind=kind,
        candidates=tuple(candidates),
        passage_coverage={1: 0.5, 2: 0.5},
        missing=0.0,
    )


def sentence_of(hit: Hit, at: int) -> str:
    span = hit.chunk.sentences[at]
    return hit.chunk.text[span.start : span.end]


def quotes(found: list[Quotation]) -> list[str]:
    return [q.chunk.text[q.start - q.chunk.start : q.end - q.chunk.start] for q in found]


def test_one_clear_sentence_is_the_whole_answer() -> None:
    hit = passage(("paragraph", "Staff get 13 days."), ("paragraph", "Trees are green."))
    assert quotes(select([evidence("quantity", (hit, 0, 0.9), (hit, 1, 0.1))])) == [
        "Staff get 13 days."
    ]


def test_no_candidate_is_no_answer() -> None:
    assert select([evidence("other")]) == []


def test_a_sentence_that_leans_back_brings_the_one_before() -> None:
    hit = passage(("paragraph", "Interns get leave."), ("paragraph", "It is paid."))
    assert quotes(select([evidence("yes_no", (hit, 1, 0.9))])) == [
        "Interns get leave.", "It is paid.",
    ]  # fmt: skip


def test_an_exception_comes_along() -> None:
    hit = passage(("paragraph", "Staff get 13 days."), ("paragraph", "However, interns get five."))
    assert quotes(select([evidence("quantity", (hit, 0, 0.9))])) == [
        "Staff get 13 days.", "However, interns get five.",
    ]  # fmt: skip


def test_a_lead_in_brings_its_list() -> None:
    hit = passage(("paragraph", "You need:"), ("item", "a form"), ("item", "a stamp"))
    (quote,) = quotes(select([evidence("list", (hit, 0, 0.9))]))
    assert quote == "You need: a form a stamp"


def test_a_table_row_brings_its_header() -> None:
    hit = passage(("row", "Level | Time"), ("row", "low | a day"), ("row", "high | an hour"))
    assert quotes(select([evidence("time", (hit, 2, 0.9))])) == ["Level | Time", "high | an hour"]


def test_what_was_said_is_not_said_again() -> None:
    first = passage(("paragraph", "Staff get 13 days of leave."))
    second = passage(("paragraph", "Staff get 13 days of leave."), document="b.txt", rank=2)
    assert len(select([evidence("list", (first, 0, 0.9), (second, 0, 0.89))])) == 1


def test_quotations_come_in_reading_order() -> None:
    hit = passage(*[("paragraph", f"Rule {n} says something of its own {n}.") for n in range(4)])
    other = passage(("paragraph", "Another matter altogether."), document="b.txt", rank=2)
    found = select([evidence("list", (hit, 3, 0.9), (hit, 1, 0.89), (other, 0, 0.88))])
    places = [(q.rank, q.start) for q in found]
    assert places == sorted(places)


KINDS = st.sampled_from(get_args(Kind))
BLOCKS = st.sampled_from(["paragraph", "item", "row", "code"])
SENTENCES = st.sampled_from(
    ["Staff get 13 days.", "It is paid.", "However, not all.", "You need:", "a form", "low | high",
     "word " * 80 + "end.", "Why?", "[12]", "Only in May."]
)  # fmt: skip


@given(
    kind=KINDS,
    passages=st.lists(
        st.lists(st.tuples(BLOCKS, SENTENCES), min_size=1, max_size=6), min_size=1, max_size=3
    ),
    seed=st.randoms(use_true_random=False),
)
def test_any_choice_is_of_whole_sentences_without_overlap(
    kind: Kind, passages: list[list[tuple[BlockKind, str]]], seed: object
) -> None:
    hits = [
        passage(*sentences, document=f"{rank}.txt", rank=rank)
        for rank, sentences in enumerate(passages, start=1)
    ]
    scored = [
        (hit, at, seed.random())  # type: ignore[attr-defined]
        for hit in hits
        for at in range(len(hit.chunk.sentences))
    ]
    found = select([evidence(kind, *scored)])
    assert found
    for quotation in found:
        assert quotation.start in {s.start for s in quotation.chunk.sentences}
        assert quotation.end in {s.end for s in quotation.chunk.sentences}
    spans = sorted((q.chunk.document, q.start, q.end) for q in found)
    for (document, _, end), (next_document, start, _) in pairwise(spans):
        assert document != next_document or end <= start
    # The best sentence of all is always part of the answer.
    best = max(scored, key=lambda one: one[2])
    sentence = best[0].chunk.sentences[best[1]]
    assert any(
        q.chunk is best[0].chunk and q.start <= sentence.start < sentence.end <= q.end
        for q in found
    )


# Confidence


def test_confidence_is_a_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    hit = passage(("paragraph", "Staff get 13 days."))
    for similarity in (-1e9, -1.0, 0.0, 1.0, 1e9):
        given = evidence("other", (hit, 0, similarity))
        for with_reader in (False, True):
            assert 0 <= confidence(given, with_reader=with_reader) <= 1
    assert confidence(evidence("other"), with_reader=False) == 0


def test_the_calibration_is_data_that_names_every_feature() -> None:
    data = json.loads(confidence_module.CALIBRATION.read_text("utf-8"))
    names = list(confidence_module.Features.__slots__)
    for model in ("quick", "reader"):
        assert list(data[model]["weights"]) == names
        assert set(data[model]["thresholds"]) == set(CAUTIONS)
        assert all(0 <= value <= 1 for value in data[model]["thresholds"].values())
