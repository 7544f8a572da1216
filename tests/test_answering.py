"""What answers promise, whatever the weights: quotations, each of them cited, or an abstention."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from candidates import passage
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.select import Quotation
from rag.answering.text import abstention_text, answer_text
from rag.index import Index, open_index
from rag.reader import MODEL
from rag.settings import Settings
from rag.store.lexical import terms
from rag.types import Answer, Citation, Document

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
    ]  # fmt: skip
    (citation, *_), (passage, *_) = data["citations"], data["nearest"]  # type: ignore[misc]
    assert list(citation) == [
        "n", "document", "title", "section", "page", "start", "end", "quote", "sha256",
        # Added to the contract:
        "published", "effective_date", "superseded_by",
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


def cited(*quotes: str, name: str = "a.txt") -> tuple[list[Quotation], list[Citation]]:
    """Quotations of passages that are a sentence each, and their citations."""
    hits = [passage(("paragraph", quote), document=name) for quote in quotes]
    return (
        [Quotation(hit.chunk, 1, 0, len(hit.chunk.text)) for hit in hits],
        [
            Citation(n, name, "T", None, None, 0, len(quote), quote, "")
            for n, quote in enumerate(quotes, start=1)
        ],
    )


def bare(name: str) -> Document:
    return Document(name, "T", "", ())


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
@pytest.mark.parametrize("quote", FOOTNOTES.values(), ids=FOOTNOTES.keys())
def test_footnote_marks_never_pass_for_citations(quote: str, name: str) -> None:
    text = answer_text(*cited(quote, quote, name=name), bare)
    assert re.findall(r"\[(\d+)\]", text) == ["1", "2"]


@given(st.lists(st.text("[]123 a*\\(", max_size=20), min_size=1, max_size=3))
def test_whatever_is_quoted_the_numbers_are_ours(quotes: list[str]) -> None:
    expected = [str(n) for n, _ in enumerate(quotes, start=1)]
    text = answer_text(*cited(*quotes, name="a.md"), bare)
    assert re.findall(r"\[(\d+)\]", text) == expected


def test_a_name_that_no_document_has_is_said_and_makes_an_answer_weak(index: Index) -> None:
    known = index.ask("How many days of annual leave do staff get?")
    strange = index.ask("How many days of annual leave do staff get in Ulaanbaatar?")
    assert "mentions" not in known.text
    assert strange.text.endswith("No document mentions “Ulaanbaatar”.")
    assert strange.confidence <= index.thresholds["balanced"] < known.confidence
    assert "mentions" not in index.ask("And when must I ask for it?").text


@pytest.mark.parametrize(
    "name",
    [
        "WiFi",
        "Wifi",
        "O'Brien",
        "Email",
        "SmartPhones",
        "PCs",
        "Nunez",
        "Zoë",
        "2021",
        "Wi-Fi",
        "PhD",
    ],
)
def test_a_name_is_known_however_it_is_spelt(workshop: Make, name: str) -> None:
    text = (
        "Dr Núñez and Zoe use Wi-Fi, e-mail, a smart phone and a PC. A Ph.D. is no use to O'Brien."
    )
    made = workshop({"a.md": f"---\neffective_date: 2021-04-01\n---\n\n# Use\n\n{text}\n"})
    made.build()
    with open_index(made.index, made.settings) as opened:
        assert "mentions" not in opened.ask(f"What is the use of the {name}?").text
        for other in ("Zork", "Élan", "O'Neill", "PhonePal"):
            assert f"mentions “{other}”" in opened.ask(f"What is the use of the {other}?").text


def test_a_year_in_brackets_stays() -> None:
    assert answer_text(*cited("Lee v Bay [2019] UKSC 4."), bare) == "Lee v Bay (2019) UKSC 4. [1]"


def test_an_entry_that_nothing_leads_in_to_stands_behind_its_heading(workshop: Make) -> None:
    made = workshop({"a.md": "# IT\n\n## Forbidden devices\n\n- USB sticks\n- phones\n"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("Are USB sticks forbidden?")
    assert answer.text.startswith("Forbidden devices: USB sticks [1]")
    assert answer.citations[0].quote == "USB sticks"


def test_a_citation_says_how_old_its_document_is_and_what_took_its_place(workshop: Make) -> None:
    made = workshop(
        {
            "old.md": "---\neffective_date: 1 March 2022\nsuperseded_by: new.md\n---\n\n# Bikes\n\n"
            "Interns may join after three months.\n"
        }
    )
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        (citation,) = opened.ask("When may interns join?").citations
    assert citation.effective_date == "2022-03-01"
    assert citation.superseded_by == "new.md"
    assert citation.published is None


def test_a_table_row_is_a_line_of_its_own(workshop: Make) -> None:
    table = "| Service | Leave |\n| --- | --- |\n| two years | 25 days |\n| ten years | 30 days |"
    made = workshop({"a.md": f"# Leave\n\n{table}\n"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("How much leave is there after ten years of service?")
    assert answer.text.splitlines()[0] == "Service | Leave [1]"
    assert re.fullmatch(r"ten years \| 30 days \[\d\]", answer.text.splitlines()[-1])


def test_entries_that_are_quoted_as_one_are_lines(workshop: Make) -> None:
    text = "# Yard\n\nCars may use:\n\n- the yard\n- the garage\n  with a permit\n\n  It is dry.\n"
    made = workshop({"a.md": text})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("Which places may cars use?")
    assert answer.text.splitlines() == [
        "Cars may use:", "- the yard", "- the garage with a permit", "  It is dry. [1]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "text"),
    [("What is needed?", "What is needed? a form [1]"), ("Needed", "Needed: a form [1]")],
)
def test_a_heading_before_an_entry_has_one_sign_behind_it(
    workshop: Make, heading: str, text: str
) -> None:
    made = workshop({"a.md": f"# Permits\n\n## {heading}\n\n- a form\n"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        assert opened.ask("Is a form needed?").text == text


def test_the_mark_of_a_note_is_no_part_of_it() -> None:
    assert answer_text(*cited("[^1]: Guests pay half."), bare) == "Guests pay half. [1]"


LEASE = """\
Agreement

1. The tenant may not:

(a) sublet the flat;

(b) keep a dog.

2. The landlord must repair the roof, unless:

(i) the tenant broke it, or

(ii) it is new.

3. Paragraph 2 does not apply to garages.
"""


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("May I sublet the flat?", "The tenant may not: [1] sublet the flat; [2]"),
        (
            "When must the landlord repair the roof?",
            "2. The landlord must repair the roof, unless:\n(i) the tenant broke it, or\n"
            "(ii) it is new. [1]\nParagraph 2 does not apply to garages. [2]",
        ),
    ],
)
def test_entries_of_a_contract_lean_on_what_leads_in_to_them(
    workshop: Make, question: str, text: str
) -> None:
    made = workshop({"lease.txt": LEASE})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        assert opened.ask(question).text == text


def test_nested_entries_are_indented(workshop: Make) -> None:
    text = (
        "# Pool\n\nIn the pool guests may not:\n\n- drink, except:\n  - water\n  - tea\n- smoke\n"
    )
    made = workshop({"a.md": text})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("What may guests not do in the pool?")
    assert answer.text.splitlines() == [
        "In the pool guests may not:", "- drink, except:", "  - water", "  - tea", "- smoke [1]",
    ]  # fmt: skip


def test_a_list_that_is_cut_says_how_much_is_left(workshop: Make) -> None:
    tools = "".join(
        f"- tool number {n} of the depot, with its case and its key\n" for n in range(30)
    )
    made = workshop({"a.md": f"# Depot\n\nThese tools may not leave the depot:\n\n{tools}"})
    made.build()
    with open_index(made.index, replace(made.settings, caution="eager")) as opened:
        answer = opened.ask("Which tools may not leave the depot?")
    quoted = answer.citations[0].quote.count("tool number")
    assert answer.text.endswith(f" … and {30 - quoted} more entries [1]")


def test_a_part_without_an_answer_is_named_without_its_marks() -> None:
    text = answer_text(*cited("Leave is paid."), bare, ["who signs form [12]?"])
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
