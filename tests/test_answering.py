"""What answers promise, whatever the weights: quotations, each of them cited, or an abstention."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from rag.answering.text import abstention_text
from rag.index import Index, open_index
from rag.reader import MODEL
from rag.settings import Settings
from rag.store.lexical import terms
from rag.types import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workshop import Workshop

    from rag.types import Turn

    Make = Callable[..., Workshop]


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
    for near in answer.nearest:
        assert index.text(near.document)[near.start : near.end] == near.text
        assert 0 <= near.score <= 1
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


@pytest.mark.parametrize("question", ["?", "!!!", "the", "What is it?", "\N{GRINNING FACE}", "-"])
def test_a_question_without_a_word_of_content_is_not_answered(index: Index, question: str) -> None:
    answer = index.ask(question)
    check(answer, index)
    assert (answer.abstained, answer.confidence) == (True, 0.0)


@pytest.mark.parametrize("question", ["the", "What is it?"])
def test_after_another_it_takes_its_subject_from_that(index: Index, question: str) -> None:
    history: list[Turn] = [{"role": "user", "content": "How many days of annual leave?"}]
    assert index.ask(question, history).confidence > 0


@pytest.mark.parametrize(
    ("second", "answered"),
    [("and at what temperature?", False), ("and how many days of annual leave do I get?", True)],
)
def test_a_part_that_leans_is_no_surer_than_the_part_before(
    index: Index, monkeypatch: pytest.MonkeyPatch, second: str, answered: bool
) -> None:
    sure = iter([0.01, 0.99])
    monkeypatch.setattr("rag.pipeline.confidence", lambda *_, **__: next(sure))
    answer = index.ask(f"How long do I bake banana bread, {second}")
    assert (not answer.abstained, answer.confidence) == (answered, 0.99 if answered else 0.01)


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


def test_below_the_threshold_is_an_abstention_and_above_an_answer(
    index: Index, questions: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for least, abstains in ((0.0, False), (1.1, True)):
        with monkeypatch.context() as patch:
            patch.setattr("rag.pipeline.threshold", lambda *_, least=least, **__: least)
            for question in questions:
                answer = index.ask(question)
                assert answer.abstained is (abstains or not terms(question))
                check(answer, index)


def test_the_json_of_an_answer_is_that_of_the_contract(small_index: Index) -> None:
    data = small_index.ask("How many days of annual leave do staff get?", id="q").to_dict()
    assert list(data) == [
        "id", "question", "standalone_question", "abstained", "confidence", "text", "citations",
        "nearest", "generation", "took_ms",
        # Added to the contract:
        "unanswered", "remark",
    ]  # fmt: skip
    (citation, *_), (passage, *_) = data["citations"], data["nearest"]  # type: ignore[misc]
    assert list(citation) == [
        "n", "document", "title", "section", "page", "start", "end", "quote", "sha256",
        # Added to the contract:
        "published", "effective_date", "superseded_by",
    ]  # fmt: skip
    assert {"document", "start", "end", "text", "score"} <= passage.keys()
    json.dumps(data)


def test_a_name_that_no_document_has_is_said_and_makes_an_answer_weak(index: Index) -> None:
    known = index.ask("How many days of annual leave do staff get?")
    strange = index.ask("How many days of annual leave do staff get in Ulaanbaatar?")
    assert "mentions" not in known.text
    assert strange.text.endswith("No document mentions “Ulaanbaatar”.")
    assert strange.confidence <= index.thresholds["balanced"] < known.confidence
    assert "mentions" not in index.ask("And when must I ask for it?").text


def test_of_two_versions_the_one_that_holds_is_quoted(workshop: Make) -> None:
    rule = "The allowance for furniture at home is {} euros a person."
    old = "---\nsuperseded_by: new.md\n---\n# Furniture, rules\n\n" + rule.format(300)
    made = workshop({"old.md": old, "new.md": "# Home office\n\n" + rule.format(450)})
    made.build()
    asked = "How much is the allowance for furniture at home"
    with made.open() as opened:
        now, then = opened.ask(f"{asked}?"), opened.ask(f"{asked} in 2019?")
        assert now.citations[0].document == "new.md"
        assert "300" not in now.text or now.text.index("450") < now.text.index("300")
        assert then.citations[0].document == "old.md"


@pytest.mark.parametrize(
    ("dates", "first"), [((2022, 2025), "b.md"), ((2025, 2022), "a.md"), ((2022, 2098), "a.md")]
)
def test_of_two_versions_the_one_in_effect_comes_first(
    dates: tuple[int, int], first: str, workshop: Make
) -> None:
    rule = "---\neffective_date: {}-01-01\n---\n# Gear rules\n\nA bell costs {} euros.\n"
    a, b = map(rule.format, dates, (30, 40))
    made = workshop({"a.md": a, "b.md": b})
    made.build()
    with made.open() as opened:
        assert opened.ask("How much does a bell cost?").citations[0].document == first
        then = opened.ask("How much does a bell cost?", where=["as_of=2023-06-01"])
        assert {one.document for one in then.citations} == {"a.md" if dates[0] == 2022 else "b.md"}


def test_a_name_that_only_other_documents_have_is_said_too(workshop: Make) -> None:
    files = {
        "fees.md": "# Fees\n\nThe fee for a parking permit is 30 euros a month.\n",
        "visits.md": "# Visits\n\nThe branch in Zagreb was visited in 2031.\n",
        "board.md": "# Board\n\nThe chief operating officer signs all permits.\n",
    }
    made = workshop(files)
    made.build()
    with made.open() as opened:
        plain = opened.ask("What is the fee for a parking permit?")
        for asked, name in (("in Zagreb?", "Zagreb"), ("for 2031?", "2031")):
            answer = opened.ask(f"What is the fee for a parking permit {asked}")
            said = f"What is quoted here does not mention “{name}”."
            assert (answer.remark, answer.text) == (said, f"{plain.text} {said}")
            assert answer.confidence <= opened.thresholds["balanced"] < plain.confidence
        assert plain.remark == opened.ask("Which permits does the COO sign?").remark == ""


def test_an_abstention_says_what_was_searched() -> None:
    assert abstention_text(1, 0) == (
        "I found no sentence that answers this in the 1 document I searched."
    )
    assert abstention_text(30, 3) == (
        "I found no sentence that answers this in the 30 documents I searched. "
        "The passages that came nearest are listed; they may be related."
    )
