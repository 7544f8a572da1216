"""What the figures of a sentence are read as, and which of them are the same."""

from __future__ import annotations

import pytest

from rag.answering.figures import Figure, differ, figures, without_figures
from rag.answering.numerals import values


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1,000", ["1000"]),
        ("1 000", ["1000"]),
        ("1'000", ["1000"]),
        ("one thousand", ["1000"]),
        ("a thousand", ["1000"]),
        ("1.000", ["1000", "1"]),
        ("1,000.50", ["1000.5"]),
        ("1.000,50", ["1000.5"]),
        ("1 000,50", ["1000.5"]),
        ("1.000.000", ["1000000"]),
        ("1,234,567", ["1234567"]),
        ("0.500", ["0.5"]),
        ("1,5", ["1.5"]),
        ("1½", ["1.5"]),
        ("½", ["0.5"]),
        ("1 1/2", ["1.5"]),
        ("one and a half", ["1.5"]),
        ("twenty-five", ["25"]),
        ("Twenty five", ["25"]),
        ("thirty-one", ["31"]),
        ("one hundred and twenty", ["120"]),
        ("two thousand five hundred", ["2500"]),
        ("2 million", ["2000000"]),
        ("two and a half million", ["2500000"]),
        ("minus 5", ["-5"]),
        ("−5", ["-5"]),
        ("1.2.3", ["1.2.3"]),
        ("1,2,3", ["1,2,3"]),
    ],
)
def test_numbers(written: str, expected: list[str]) -> None:
    assert list(values(written)) == expected


def test_a_number_so_many_times() -> None:
    assert values("two", 7) == ("14",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Within twenty-five days, or two weeks.",
            [
                Figure("twenty-five days", "day", ("25",), (("day", "25"),)),
                Figure("two weeks", "week", ("2",), (("day", "14"), ("day", "10 business"))),
            ],
        ),
        (
            "From 9 am to 17:30 in rooms 5 and 6, 3-5 working days.",
            [
                Figure("9 am", "clock", ("9:00",), (("clock", "9:00"),)),
                Figure("17:30", "clock", ("17:30",), (("clock", "17:30"),)),
                Figure("5", "", ("5",), (("", "5"),)),
                Figure("6", "", ("6",), (("", "6"),)),
                Figure("3-5 working days", "day", ("3-5 business",), (("day", "3-5 business"),)),
            ],
        ),
        (
            "Half an hour costs €5k; write to Desk@Agency.example.",
            [
                Figure("Half an hour", "hour", ("0.5",), (("minute", "30"),)),
                Figure("€5k", "€", ("5000",), (("€", "5000"),)),
                Figure("Desk@Agency.example", "address", ("desk@agency.example",),
                       (("address", "desk@agency.example"),)),
            ],
        ),
        ("The 5th and the twenty-fifth, half of the month, A4 and 5k.", []),
        ("Two $50 vouchers",
         [Figure("Two", "", ("2",), (("", "2"),)), Figure("$50", "$", ("50",), (("$", "50"),))]),
        ("-5 days where a sentence begins", [Figure("5 days", "day", ("5",), (("day", "5"),))]),
    ],
)  # fmt: skip
def test_figures(text: str, expected: list[Figure]) -> None:
    assert list(figures(text)) == expected


def test_what_a_sentence_is_about_is_not_in_its_figures() -> None:
    text = "By 5 pm pay €5k or 1,000 crowns within twenty-five working days to a@b.example now"
    assert without_figures(text).split() == ("By pay or crowns within working days to now".split())


SAME = [
    ("twenty-five days", "25 days"),
    ("thirty-one days", "31 days"),
    ("thirty (30) days", "30 calendar days"),
    ("one hundred days", "100 days"),
    ("twenty-five to thirty days", "25–30 days"),
    ("between 5 and 10 days", "5 to 10 days"),
    ("ten working days", "10 business days"),
    ("two weeks", "14 days"),
    ("two weeks", "10 working days"),
    ("12 months", "one year"),
    ("half a year", "6 months"),
    ("an hour: 1 hour", "an hour: 60 minutes"),
    ("half a day", "0.5 days"),
    ("half-day", "½ day"),
    ("1½ days", "1.5 days"),
    ("one and a half days", "1,5 days"),
    ("two half-days", "1 day"),
    ("5 pm", "17:00"),
    ("5 p.m.", "5:00 PM"),
    ("5.30 pm", "17:30"),
    ("12 am", "24:00"),
    ("1,000 euros", "1 000 euros"),
    ("1,000 euros", "1.000 euros"),
    ("1,000.50 euros", "€1.000,50"),
    ("1.250 kilometres", "1.25 kilometers"),
    ("€5k", "EUR 5,000"),
    ("5 000 €", "five thousand euros"),
    ("$5", "5 dollars"),
    ("$2.5m", "$2,500,000"),
    ("5 %", "5 percent"),
    ("five per cent", "5%"),
    ("it is -5 %", "it is minus 5 %"),
    ("104 leave hours", "104 hours of leave"),
]
OTHER = [
    ("twenty-five days", "twenty-six days"),
    ("3 business days", "3 calendar days"),
    ("3-5 days", "5 days"),
    ("half a day", "1 day"),
    ("ten days", "three weeks"),
    ("thirty (30) days", "45 days"),
    ("5 pm", "17:30"),
    ("1 000 euros", "1,500 euros"),
    ("€1,234,567", "€1,234,568"),
    ("€5k", "€6,000"),
    ("5 %", "6 per cent"),
    ("it is -5 %", "it is 5 %"),
    ("104 leave hours", "112 hours of leave"),
]
NOT_COMPARED = [
    ("30 days", "one month"),
    ("one year", "365 days"),
    ("24 hours", "2 days"),
    ("5", "17:00"),
    ("12 noon", "12:30"),
    ("0.5 of it", "60 % of it"),
    ("5 euros", "6 dollars"),
    ("5 days", "6 euros"),
    ("room 5", "a@b.example"),
]


def pair(one: str, other: str) -> tuple[Figure, Figure]:
    (first,), (second,) = figures(one), figures(other)
    return first, second


@pytest.mark.parametrize(("one", "other"), SAME + NOT_COMPARED)
def test_what_does_not_differ(one: str, other: str) -> None:
    first, second = pair(one, other)
    assert (differ(first, second), differ(second, first)) == (False, False)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_differs(one: str, other: str) -> None:
    first, second = pair(one, other)
    assert (differ(first, second), differ(second, first)) == (True, True)
