"""Which sentences and words of two texts belong together."""

from __future__ import annotations

from rag.comparing.generations import SentenceChange, pair, word_runs


def test_words_that_differ() -> None:
    assert word_runs("a b c", "a x c") == (
        [(False, "a"), (True, "b"), (False, "c")],
        [(False, "a"), (True, "x"), (False, "c")],
    )
    assert word_runs("a", "a b") == ([(False, "a")], [(False, "a"), (True, "b")])


def test_sentences_pair_up_in_order_or_stand_alone() -> None:
    before = [("S", "Staff get ten days of leave."), ("S", "Nobody may smoke here.")]
    after = [
        ("T", "Cats are welcome in the office."),
        ("T", "Staff get twelve days of leave."),
        ("T", "Dogs stay out."),
    ]
    assert list(pair(before, after)) == [
        SentenceChange("T", None, "Cats are welcome in the office."),
        SentenceChange("S → T", "Staff get ten days of leave.", "Staff get twelve days of leave."),
        SentenceChange("S", "Nobody may smoke here.", None),
        SentenceChange("T", None, "Dogs stay out."),
    ]
    assert list(pair([], [])) == []


def test_of_several_that_are_alike_the_most_alike_are_paired() -> None:
    def hotels(**prices: int) -> list[tuple[str, str]]:
        return [("S", f"Hotel in {city} costs {price} EUR.") for city, price in prices.items()]

    found = pair(hotels(Rome=100, Oslo=200), hotels(Oslo=210, Bern=300))
    assert [(change.before, change.after) for change in found] == [
        ("Hotel in Rome costs 100 EUR.", None),
        ("Hotel in Oslo costs 200 EUR.", "Hotel in Oslo costs 210 EUR."),
        (None, "Hotel in Bern costs 300 EUR."),
    ]
