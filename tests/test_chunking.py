"""Chunks: what is in them, what they may not do, and that nothing of a document is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pieces import WINDOW, Cut, code, document, heading, item, paragraph

from rag.encoders import Encoder
from rag.loaders.metadata import FILE_NAME, TITLE_FROM
from rag.text.sentences import split_sentences
from rag.types import Chunk, Document, Page


def has_word(text: str) -> bool:
    return any(character.isalnum() for character in text)


def test_a_short_document_is_one_chunk_with_its_sentences(cut: Cut) -> None:
    made = document(heading("Leave"), paragraph("Staff get 13 days. New staff wait."))
    (chunk,) = cut(made)
    assert chunk.text == "Staff get 13 days. New staff wait."
    assert chunk.headings == ("Leave",)
    assert chunk.section == "Leave"
    assert [made.text[s.start : s.end] for s in chunk.sentences] == [
        "Staff get 13 days.",
        "New staff wait.",
    ]
    assert chunk.enriched == "Rules > Leave\nStaff get 13 days. New staff wait."


def test_a_title_that_is_also_the_heading_is_said_once(cut: Cut) -> None:
    (chunk,) = cut(document(heading("Rules"), paragraph("Staff may go.")))
    assert chunk.enriched == "Rules\nStaff may go."


def test_a_file_is_found_by_its_name_though_it_is_not_embedded(cut: Cut) -> None:
    made = document(heading("Carbon budget"), paragraph("Drive less."), title="Car")
    (chunk,) = cut(replace(made, metadata={TITLE_FROM: FILE_NAME}))
    assert chunk.enriched == "Carbon budget\nDrive less."
    assert chunk.searched == "Car\nCarbon budget\nDrive less."
    (chunk,) = cut(made)
    assert chunk.searched == chunk.enriched == "Car > Carbon budget\nDrive less."


def test_markup_is_quoted_but_not_embedded(cut: Cut) -> None:
    (chunk,) = cut(document(paragraph("Leave is **paid**."), name="a.md"))
    assert chunk.text == "Leave is **paid**."
    assert chunk.enriched == "Rules\nLeave is paid."


def test_no_chunk_crosses_a_heading(cut: Cut) -> None:
    made = document(
        heading("One"), paragraph("First."), heading("Deep", 2), paragraph("Second."),
        heading("Two"), paragraph("Third."),
    )  # fmt: skip
    assert [(c.headings, c.text) for c in cut(made)] == [
        (("One",), "First."),
        (("One", "Deep"), "Second."),
        (("Two",), "Third."),
    ]


def test_a_skipped_heading_level_is_no_problem(cut: Cut) -> None:
    made = document(heading("Low", 3), paragraph("First."), heading("High", 2), paragraph("Next."))
    assert [c.headings for c in cut(made)] == [("Low",), ("High",)]


def test_a_heading_with_nothing_below_is_a_chunk_of_its_own(cut: Cut) -> None:
    made = document(heading("One"), heading("Two"), paragraph("Text."), heading("Three"))
    assert [(c.headings, c.text) for c in cut(made)] == [
        ((), "One"),
        (("Two",), "Text."),
        ((), "Three"),
    ]


def test_a_document_of_one_heading(cut: Cut) -> None:
    (chunk,) = cut(document(heading("Nothing yet")))
    assert (chunk.text, chunk.headings) == ("Nothing yet", ())


def test_an_empty_document_has_no_chunks(cut: Cut) -> None:
    assert cut(Document("a.txt", "Rules", "", ())) == []


def test_blocks_without_a_word_are_left_out_and_take_nothing_with_them(cut: Cut) -> None:
    made = document(heading("One"), paragraph("***"), heading("…", 2), paragraph("Text. ---"))
    assert [(c.headings, c.text) for c in cut(made)] == [(("One",), "Text.")]
    only_rule = document(heading("One"), paragraph("***"))
    assert [c.text for c in cut(only_rule)] == ["One"]


def test_chunks_know_the_page_on_which_they_start(cut: Cut) -> None:
    made = document(heading("A"), paragraph("First page."), heading("B"), paragraph("Second."))
    half = made.text.index("B")
    paged = Document(
        made.id, made.title, made.text, made.blocks,
        (Page(1, 0, half), Page(2, half, len(made.text))),
    )  # fmt: skip
    assert [chunk.page for chunk in cut(paged)] == [1, 2]
    assert [chunk.page for chunk in cut(made)] == [None, None]


def test_list_entries_carry_their_lead_in(cut: Cut) -> None:
    entries = [item(f"Form number {n} is filled in and signed by hand.") for n in range(12)]
    chunks = cut(document(paragraph("To ask for leave:"), *entries), max_tokens=48)
    assert len(chunks) > 2
    assert chunks[0].text.startswith("To ask for leave:")
    for chunk in chunks[1:]:
        assert chunk.enriched.split("\n")[:2] == ["Rules", "To ask for leave:"]
        assert "To ask" not in chunk.text


def test_a_lead_in_moves_on_with_what_it_leads_to(cut: Cut) -> None:
    filler = " ".join(f"Rule {n} holds for all members of staff." for n in range(3))
    made = document(paragraph(filler), paragraph("You need these:"), item("A signed form."))
    for limit in range(32, 64):
        for chunk in cut(made, max_tokens=limit):
            assert not chunk.text.endswith("these:")


@pytest.mark.parametrize(
    "exception", ["However, guests pay half.", "This rule does not apply to guests."]
)
def test_an_exception_stays_with_its_rule(cut: Cut, exception: str) -> None:
    filler = " ".join(f"Rule {n} holds for all members of staff." for n in range(4))
    made = document(paragraph(f"{filler} Lunch is free for all. {exception} It is hot."))
    for limit in range(32, 80):
        assert not any(chunk.text.startswith(exception) for chunk in cut(made, max_tokens=limit))


def test_code_is_cut_at_its_lines(cut: Cut) -> None:
    (chunk,) = cut(document(code("rag build corpus\n\n    rag ask 'When?'")))
    made = [chunk.text[s.start : s.end] for s in chunk.sentences]
    assert made == ["rag build corpus", "rag ask 'When?'"]


def test_a_sentence_that_fits_the_window_is_never_cut(cut: Cut, encoder: Encoder) -> None:
    """Even where it is longer than chunks are meant to be."""
    long = "The director may " + "and ".join(f"approve case {n} " for n in range(45)) + "only."
    assert 180 < encoder.count_tokens([long])[0] <= WINDOW
    made = document(heading("Powers"), paragraph(f"It is so. {long} It is done."))
    sentences = [s for chunk in cut(made) for s in chunk.sentences]
    assert long in [made.text[s.start : s.end] for s in sentences]


def test_a_sentence_as_long_as_the_window_goes_without_its_title(
    cut: Cut, encoder: Encoder
) -> None:
    long = "It holds " + "now and " * 124 + "now."
    assert encoder.count_tokens([long]) == [2 + 2 + 2 * 124 + 2]
    (chunk,) = cut(document(heading("Powers"), paragraph(long)))
    assert chunk.enriched == chunk.text == long


def test_a_sentence_over_the_window_is_cut_between_words(cut: Cut) -> None:
    text = "Staff may " + " ".join(f"word{n}" for n in range(400)) + " go."
    made = document(paragraph(text))
    chunks = cut(made)
    pieces = [made.text[s.start : s.end] for chunk in chunks for s in chunk.sentences]
    assert len(pieces) > 1
    assert " ".join(pieces) == text


@pytest.mark.parametrize("character", ["x", "文", "😀", "é", "ﷺ", "1"])
def test_a_word_without_end_is_cut_somewhere(cut: Cut, encoder: Encoder, character: str) -> None:
    word = character * 3_000
    made = document(paragraph(f"a{word}z"))
    chunks = cut(made)
    assert "".join(made.text[s.start : s.end] for c in chunks for s in c.sentences) == made.text
    assert max(encoder.count_tokens([c.enriched for c in chunks])) <= WINDOW


@pytest.mark.parametrize(
    "title", ["t" * 5_000, "Very long title " * 200, "标题" * 500, " > " * 300]
)
def test_a_title_without_end_does_not_crowd_out_the_text(
    cut: Cut, encoder: Encoder, title: str
) -> None:
    made = document(
        heading(title), heading(title, 2), paragraph("Staff may go. " * 60), title=title
    )
    chunks = cut(made)
    assert sum(chunk.text.count("Staff may go.") for chunk in chunks) == 60
    assert max(encoder.count_tokens([c.enriched for c in chunks])) <= WINDOW
    assert all("Staff may go." in chunk.enriched for chunk in chunks)


def test_a_metadata_language_of_any_form_is_accepted(cut: Cut) -> None:
    made = document(paragraph("One is here. Two is there."))
    for language in ("en-GB", "German", "zz", ["en", "fr"], ""):
        tagged = Document(
            made.id, made.title, made.text, made.blocks, metadata={"language": language}
        )
        assert len(cut(tagged)[0].sentences) == 2


SENTENCES = st.sampled_from(
    [
        "Staff may go.", "See Art. 5(2)(a) for more.", "You need:", "Why?", "Ünïcode 😀 is fine.",
        "文件在此。", "Ask a.b@agency.example first.", "12", "—", "***", "x" * 300, "İzmir is far.",
        "One two three four five six seven eight nine ten eleven twelve thirteen fourteen.",
        "It holds " + "again and " * 40 + "again.", "It holds " + "so and " * 120 + "so.",
        "It holds " + "for ever and " * 110 + "ever.",
    ]
)  # fmt: skip
CONTENT = st.lists(SENTENCES, min_size=1, max_size=5).map(" ".join)
HEADINGS = st.sampled_from(["Leave", "Costs and limits", "1.2 Scope", "…", "Long " * 90])
PIECES = st.one_of(
    st.tuples(st.just("heading"), HEADINGS.map(str.strip), st.integers(1, 4)),
    st.tuples(st.sampled_from(["paragraph", "code"]), CONTENT, st.just(0)),
    st.tuples(st.just("item"), CONTENT, st.integers(1, 3)),
    st.tuples(st.just("row"), CONTENT.map(lambda text: f"{text} | cell"), st.integers(0, 1)),
)
DOCUMENTS = st.builds(
    lambda pieces, title, gap: document(*pieces, title=title, gap=gap),
    st.lists(PIECES, max_size=12),
    st.sampled_from(["Rules", "Leave", "A title " * 50]),
    st.sampled_from(["\n\n", "\n", "\n- ", " "]),
)


def places(chunks: Sequence[Chunk]) -> list[tuple[int, int]]:
    return [(s.start, s.end) for chunk in chunks for s in chunk.sentences]


@settings(max_examples=150)
@given(made=DOCUMENTS, limit=st.sampled_from([32, 64, 180, 400]))
def test_whatever_the_document_chunks_keep_their_promises(
    cut: Cut, encoder: Encoder, made: Document, limit: int
) -> None:
    chunks = cut(made, max_tokens=limit)
    text = made.text

    # Verbatim, in order, not overlapping, and made of its own sentences.
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.start == chunk.sentences[0].start
        assert chunk.end == chunk.sentences[-1].end
    spans = places(chunks)
    assert all(first < last for first, last in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))

    # Never over the window, by the encoder's own count.
    counts = encoder.count_tokens([chunk.enriched for chunk in chunks])
    assert all(count <= WINDOW for count in counts)

    # Every letter of every block is in exactly one sentence, or in the heading path below it.
    covered = [0] * len(text)
    for start, end in spans:
        for place in range(start, end):
            covered[place] += 1
    paths = {name for chunk in chunks for name in chunk.headings}
    for block in made.blocks:
        if block.kind != "heading" or text[block.start : block.end] not in paths:
            letters = [i for i in range(block.start, block.end) if text[i].isalnum()]
            assert {covered[i] for i in letters} <= {1}

    # No sentence that fits the window is cut.
    ends = set(spans)
    for block in made.blocks:
        if block.kind in ("paragraph", "item"):
            for start, end in split_sentences(text[block.start : block.end], block.start):
                if has_word(text[start:end]) and fits(encoder, text[start:end]):
                    assert (start, end) in ends


def fits(encoder: Encoder, text: str) -> bool:
    return encoder.count_tokens([text])[0] <= WINDOW


@settings(max_examples=30)
@given(made=DOCUMENTS)
def test_chunks_are_repeatable(cut: Cut, made: Document) -> None:
    assert cut(made) == cut(made)


@settings(max_examples=30)
@given(made=DOCUMENTS)
def test_smaller_limits_make_more_chunks_of_the_same_text(cut: Cut, made: Document) -> None:
    def letters(limit: int) -> str:
        found = "".join(chunk.text for chunk in cut(made, max_tokens=limit))
        return "".join(character for character in found if character.isalnum())

    assert len(cut(made, max_tokens=40)) >= len(cut(made, max_tokens=200))
    assert letters(40) == letters(200)


def test_tokens_are_those_of_the_models_own_tokenizer(encoder: Encoder) -> None:
    """Counted by the `tokenizers` library here, and by our encoder there."""
    from tokenizers import Tokenizer

    from rag.encoders.minilm import model_folder

    tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    texts = ["", "Staff may go.", "文件 😀 İ", "word " * 600, "x" * 300, "Art. 5(2)(a)"]
    assert encoder.count_tokens(texts) == [len(tokenizer.encode(text).tokens) for text in texts]
    assert encoder.count_tokens(["", "Staff may go."]) == [2, 2 + len("Staff may go .".split())]
    assert encoder.count_tokens([]) == []


def test_of_several_languages_sentences_go_by_the_first(cut: Cut) -> None:
    made = document(paragraph("Fragen Sie bzgl. Liegeplatz nach. Der Kran ist blau."))
    one, several = (
        cut(replace(made, metadata={"language": language})) for language in ("de", ["de", "en"])
    )
    assert one == several
