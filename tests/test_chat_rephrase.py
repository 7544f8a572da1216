"""Terms of the corpus for the words of a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chat_fake import FakeEngine, markdown

from rag.chat.rephrase import rephrased
from rag.types import Chunk, Hit, Scores


def hit(heading: str, dense: float, lexical: float = 0.0, title: str = "Parental leave") -> Hit:
    chunk = Chunk("a.md", 0, 1, "x", title, (heading,), None, (), "x")
    return Hit(1, 0, chunk, Scores(dense, dense, lexical, dense))


def offered(question: str, found: dict[str, Sequence[Hit]]) -> list[tuple[str, str]]:
    known = [hit("Something else", 0.1, lexical=1.0)]
    return list(rephrased(question, lambda text: found.get(text, known)))


def test_a_word_that_the_corpus_does_not_have_gives_way_to_a_term() -> None:
    found = {"maternity": [hit("2. Birth leave", 0.48)]}
    assert offered("How long is maternity leave?", found) == [
        ("Birth leave", "How long is birth leave?"),
        ("Parental leave", "How long is parental leave?"),
    ]


def test_names_keep_their_capitals() -> None:
    near = hit("Ties With Kazakhstan", 0.5, title="x")
    named = replace(near, chunk=replace(near.chunk, text="Ties with Kazakhstan grew."))
    assert offered("What about neighbours?", {"neighbours": [named]}) == [
        ("Ties With Kazakhstan", "What about ties with Kazakhstan?")
    ]


def test_a_word_that_the_corpus_has_stays() -> None:
    question = "How long is the leave?"
    found = {question: [hit("2. Birth leave", 0.4, lexical=1.0)]}
    assert offered(question, found)[0] == ("Birth leave", "Birth leave: how long is the leave?")


def test_what_is_not_near_is_not_offered() -> None:
    assert offered("Which dragons guard it?", {"dragons": [hit("Regional security", 0.15)]}) == []


def test_terms_that_the_question_has_already_are_not_offered() -> None:
    found = {"maternity": [hit("Parental leave", 0.5)]}
    assert offered("Is parental leave the same as maternity?", found) == []


def test_headings_that_say_nothing_are_not_offered() -> None:
    found = {"maternity": [hit("Introduction", 0.5, title="General provisions of all the parts")]}
    assert offered("How long is maternity leave?", found) == []


def test_it_works_on_what_an_engine_finds() -> None:
    text = "# Leave\n\n## Birth leave\n\nMothers stay away from work for 14 weeks.\n"
    engine = FakeEngine([markdown("a.md", "Leave", text)])
    terms = [term for term, _ in rephrased("How many weeks do mothers stay?", engine.retrieve)]
    assert terms == ["Birth leave"]
