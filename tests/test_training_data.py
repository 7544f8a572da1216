from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_fakes import LEAVE, PASSAGE, row, rows, write_source

from training.augment import as_keywords, augment_question, misspelt, standalone
from training.data import (
    MAX_QUESTION_TOKENS,
    MAX_TOKENS,
    Pair,
    batches,
    by_question,
    by_title,
    encode,
    hold_out,
    load_tokenizer,
    plan,
    read_all,
    read_source,
    training_pair,
    training_pairs,
    whole_pair,
)
from training.model import encoder_folder
from training.negatives import hard_negatives, mine, swap_details

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer

FILLER = "Nine short words stand here for a filler line."
words = st.lists(st.text("abcdefg é", min_size=1, max_size=9), max_size=12).map(" ".join)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_tokenizer(encoder_folder())


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = [row(1, history=("Is there leave?",)), row(2, answer=None)]
    write_source(tmp_path, "made", written)
    assert read_source("made", tmp_path) == written


def test_what_is_not_answerable_has_no_answers(tmp_path: Path) -> None:
    write_source(tmp_path, "made", [row(1)])
    (read,) = read_source("made", tmp_path)
    ((start, end),) = read.answers
    assert read.text[start:end] == LEAVE


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=60),
    st.integers(0, 40),
    st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=50)
def test_no_title_is_on_both_sides_whatever_the_order(
    titles: list[int], at_least: int, rng: random.Random
) -> None:
    made = [row(number, title=f"T{title}") for number, title in enumerate(titles)]
    train, held = hold_out(made, at_least)
    assert sorted(each.id for each in [*train, *held]) == sorted(each.id for each in made)
    if len(set(titles)) >= 5:
        assert not {each.title for each in train} & {each.title for each in held}
    assert len(held) >= min(at_least, len(made))
    shuffled = rng.sample(made, len(made))
    assert {each.id for each in hold_out(shuffled, at_least)[1]} == {each.id for each in held}


def test_with_hardly_any_titles_the_questions_are_kept_together() -> None:
    made = [row(number // 3, title="Contract") for number in range(30)]
    train, held = hold_out(made, 6)
    assert 6 <= len(held) < 30
    assert not {each.id for each in train} & {each.id for each in held}


def test_held_out_rows_of_each_source_are_apart(tmp_path: Path) -> None:
    for source in ("one", "two"):
        write_source(tmp_path, source, rows(20, source))
    train, held = read_all(["one", "two"], tmp_path, 5)
    assert {name: len(own) for name, own in held.items()} == {"one": 5, "two": 5}
    assert {name: len(own) for name, own in train.items()} == {"one": 15, "two": 15}
    negatives = hard_negatives({"squad1_train": train["one"]}, seed=1, questions=4)
    titles = {each.title for own in negatives.values() for each in own}
    assert titles <= {each.title for each in train["one"]}


def test_a_longer_plan_begins_with_the_shorter_one() -> None:
    made = {"a": rows(7, "a"), "b": rows(4, "b"), "b:mined": [row(1, answer=None, source="b")]}
    single = {source: [(each,) for each in own] for source, own in made.items()}
    shares = {"a": 0.5, "b": 0.3, "b:mined": 0.2}
    short, long = (plan(single, shares, n, 0.5, random.Random(3)) for n in (40, 90))
    assert len(long) == 90
    assert long[:40] == short
    assert 0.3 < sum(bool(each.answers) for (each,) in long) / 90 < 0.7
    assert {each.source for (each,) in long} == {"a", "b"}


def test_rows_of_a_question_are_drawn_together() -> None:
    answers, misses = row(1), [replace(row(1, answer=None), id=f"made-1:{n}") for n in (1, 2)]
    others = [row(2), row(3, answer=None)]
    groups = by_question([answers, others[0], misses[0], others[1], misses[1]])
    assert groups == [(answers, *misses), (others[0],), (others[1],)]

    single = [(each,) for each in rows(6, "single")]
    drawn = plan(
        {"made": groups[:1], "single": single}, {"made": 1, "single": 1}, 900, 1.0, random.Random(0)
    )
    counts = Counter(group[0].source for group in drawn)
    assert sum(map(len, drawn)) - 900 < 3
    # As many rows of either source, so a third as many groups of three.
    assert 0.25 < counts["made"] / counts["single"] < 0.42


def test_pairs_of_a_group_share_their_question() -> None:
    group = (row(1), replace(row(1, answer=None, text="Nothing here."), id="made-1:1"))
    own = {"made": [*group, *rows(6)]}
    asked = set()
    for seed in range(40):
        pairs = training_pairs(group, own, by_title(own), (10, 20), random.Random(seed))
        assert len(pairs) == 2
        assert len({pair.question for pair in pairs}) == 1
        asked.add(pairs[0].question)
    assert len(asked) > 3


@given(
    passage=st.lists(
        st.sampled_from(["Leave is long.", LEAVE, "Ask early.", FILLER]), min_size=1, max_size=30
    ).map(" ".join),
    most=st.integers(1, 60),
    seed=st.integers(0, 10_000),
)
@settings(deadline=None, max_examples=150)
def test_a_training_pair_is_labelled_by_its_own_text(passage: str, most: int, seed: int) -> None:
    given_row = row(text=passage, answer=LEAVE if LEAVE in passage else None)
    own = {"made": [given_row, row(1, answer=None, text="Nothing here.")]}
    pair = training_pair(given_row, "?", own["made"], (1, most), random.Random(seed))
    if pair is None:
        return
    assert pair.sentences
    assert len(pair.gold) == len(pair.sentences)
    shown = [pair.text[a:b] for a, b in pair.sentences]
    assert all(text and text == text.strip() for text in shown)
    for text, gold in zip(shown, pair.gold, strict=True):
        assert not gold or text == LEAVE
    first = passage.find(LEAVE)
    if any(pair.gold):
        assert first >= 0
    if len(shown) > 1:
        # One sentence more than the window asks for, at most.
        assert sum(len(text.split()) for text in shown) <= max(most * 1.15, most - 1 + 9)


def test_a_window_keeps_a_sentence_that_answers() -> None:
    long = " ".join([f"Sentence number {i} says little." for i in range(40)] + [LEAVE, "The end."])
    own = {"made": [row(text=long)]}
    kept = 0
    for seed in range(60):
        pair = training_pair(own["made"][0], "?", own["made"], (10, 20), random.Random(seed))
        assert pair is not None
        assert len(pair.text.split()) < 30
        kept += any(pair.gold)
        # The answer is cut away on purpose in about one of eight pairs, and then wholly.
        assert any(pair.gold) == (LEAVE in pair.text)
    assert 40 <= kept < 60


@given(words, st.integers(0, 1000))
@settings(deadline=None, max_examples=80)
def test_a_changed_question_is_still_one(question: str, seed: int) -> None:
    changed = augment_question(question, random.Random(seed))
    assert bool(changed.strip(" ?")) == bool(question.strip(" ?"))
    assert abs(len(misspelt(question, random.Random(seed))) - len(question)) <= 1
    assert set(as_keywords(question).split()) <= set(question.lower().rstrip(" ?.").split())


def test_augmented_questions_read_as_people_type() -> None:
    assert as_keywords("How much leave can be carried over?") == "much leave carried over"
    assert standalone("And part-time?", ["How much leave?"]) == "How much leave? ; And part-time?"


def test_spans_of_an_encoded_pair_are_the_tokens_of_its_sentences(tokenizer: Tokenizer) -> None:
    pair = whole_pair(row())
    (encoded,) = encode([pair], tokenizer)
    shown = [tokenizer.decode(list(encoded.ids[a : b + 1])) for a, b in encoded.sentences]
    for (a, b), text in zip(pair.sentences, shown, strict=True):
        assert "".join(text.split()) == "".join(pair.text[a:b].lower().split())
    assert [text for text, gold in zip(shown, encoded.gold, strict=True) if gold] == [
        "annual leave is 25 days a year."
    ]
    head = tokenizer.decode(list(encoded.ids[: encoded.second]), skip_special_tokens=False)
    assert head == "[CLS] how many days of annual leave are there? [SEP]"
    path = encoded.ids[encoded.second : encoded.sentences[0][0]]
    assert tokenizer.decode(list(path)) == "title 0 > leave."


@given(
    st.lists(st.text("abc é.", min_size=1, max_size=30), min_size=1, max_size=40),
    st.integers(1, 200),
    st.integers(80, MAX_TOKENS),
)
@settings(deadline=None, max_examples=60)
def test_encoded_pairs_fit_and_their_spans_are_in_order(
    lines: list[str], question_words: int, most: int
) -> None:
    tokenizer = load_tokenizer(encoder_folder())
    pair = whole_pair(row(text="\n".join(lines), answer=None, question="why " * question_words))
    if not pair.sentences:
        return
    (encoded,) = encode([pair], tokenizer, most)
    assert len(encoded.ids) <= most
    assert encoded.second <= MAX_QUESTION_TOKENS + 2
    flat = [position for span in encoded.sentences for position in span]
    assert flat == sorted(flat)
    assert all(encoded.second <= a <= b < len(encoded.ids) - 1 for a, b in encoded.sentences)
    assert len(encoded.gold) == len(encoded.sentences) <= len(pair.sentences)


def test_what_does_not_fit_is_left_out_whole(tokenizer: Tokenizer) -> None:
    pair = Pair("Why?", "", "One two three. " * 60, *_thirds(60))
    (encoded,) = encode([pair], tokenizer, 50)
    assert len(encoded.ids) == 50
    assert 0 < len(encoded.sentences) < 60
    assert {b - a for a, b in encoded.sentences} == {3}


def _thirds(count: int) -> tuple[tuple[tuple[int, int], ...], tuple[bool, ...]]:
    size = len("One two three. ")
    return tuple((i * size, i * size + size - 1) for i in range(count)), (False,) * count


def test_batches_hold_every_group_once_and_little_padding(tokenizer: Tokenizer) -> None:
    encoded = encode([whole_pair(each) for each in rows(30)], tokenizer)
    groups = [encoded[:3], encoded[3:5], *([each] for each in encoded[5:])]
    made = batches(groups, 500, random.Random(0))
    assert sorted(map(id, (group for batch in made for group in batch))) == sorted(map(id, groups))
    for batch in made:
        lengths = [len(each.ids) for group in batch for each in group]
        assert len(lengths) * max(lengths) <= 500


def test_mined_passages_lack_the_answer_and_come_from_elsewhere() -> None:
    asked = row(1, title="Leave", text=PASSAGE)
    others = [
        row(i, answer=None, title=f"Other {i}", text=f"Annual leave of {i} days is a dream.")
        for i in range(2, 8)
    ]
    copy = row(9, answer=None, title="Copy", text=f"{LEAVE} So it is.")
    mined = mine([asked, *others, copy], 5, 8, random.Random(0))
    assert 1 <= len(mined) <= 2
    for each in mined:
        assert each.question == asked.question
        assert each.answers == ()
        assert each.title.startswith("Other")
        assert LEAVE.lower() not in each.text.lower()


def test_a_swapped_detail_is_not_in_the_passage() -> None:
    first = row(1, title="Leave", question="Who gets 25 days?", text=f"{LEAVE} Ask Anna.")
    donor = row(2, title="Leave", question="Who gets 31 days?", text=f"{LEAVE} Ask Anna.")
    (swapped,) = swap_details([first, donor], 5, random.Random(0))
    assert swapped.question == "Who gets 31 days?"
    assert swapped.id.endswith(":swapped")
    assert swapped.answers == ()
