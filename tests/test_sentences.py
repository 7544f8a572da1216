"""Sentences: where one ends and the next begins, and that no character is lost between them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.text.sentences import split_sentences


def cut(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, language=language)]


# "|" marks where a sentence is to end; it is taken out of the text before splitting.
CASES = {
    "two": "Staff may apply.|The form is online.",
    "question_and_exclamation": "May I go?|Yes!|Then go.",
    "several_marks": "Is it paid?!|Yes.",
    "no_full_stop": "How much leave there is",
    "article": "Art. 5(2)(a) applies.|The rest does not.",
    "section": "See sec. 4 of the Act.|It is short.",
    "sections": "Secs. 4 and 5 apply.|So does Sec. IV.",
    "paragraph_in_brackets": "Under para. (3) it is free.|Otherwise it is not.",
    "paragraph_sign": "See reg. § 12 first.|Then ask.",
    "page_and_figure": "Fig. 3 is on p. 4.|Tab. 2 follows.",
    "number_sign": "Room no. 5 is closed.|Use no. 6.",
    "no_as_an_answer": "The answer is no.|Staff may ask again.",
    "decimal": "It is 3.5 km away.|Take 12.50 euro along.",
    "eg": "Some costs, e.g. Taxi fares, are paid.|Others are not.",
    "ie": "The head, i.e. Dana Reyes, signs.|Nobody else may.",
    "approx_and_max": "It takes approx. 5 days, max. 7.|Then ask.",
    "months": "It holds from 3 Jan. 2025 under Subsec. 4.|It ends in Dec. 2026.",
    "directives": "See fn. 3 and Dir. 2004/38/EC.|Rec. 12 explains Std. 5.",
    "applications": "Appl. No. 12 was filed.|Gov. Rowe and Sgt. Miller signed it.",
    "examples": "Say what it is (ex. Lost card).|Then wait.",
    "title": "Dr. Smith left early.|He came back.",
    "titles": "Mr. Jones and Mrs. Brown sign.|Prof. Ada Lovelace does not.",
    "initials": "Ask Mr. J. R. Smith first.|He knows.",
    "country": "The U.S. Congress said so.|It is law.",
    "time_of_day": "The desk closes at 5 p.m. on Fridays.|Come early.",
    "email": "Write to a.b@agency.example.|She agreed.",
    "web": "Visit www.agency.example.|It is all there.",
    "enumerator": "1. Open the form.",
    "enumerator_deep": "1.2. The scope is wide.|It holds for all.",
    "enumerator_letter": "(b) Name the days.|Send it.",
    "enumerator_roman": "IV. Name the days.|Send it.",
    "enumerator_with_letter": "12a. Name the days.|Send it.",
    "quote_ends": "He said “No.”|Then he left.",
    "quote_with_verb": "“Stop!” he said.|Then we went.",
    "quoted_terms": "“Leave” means absence.|“Staff” means people.",
    "bracket_ends": "(See Annex A for more.)|Others follow.",
    "footnote_mark": "It is paid.[12]|The rest is not.[13]",
    "line_break_inside": "A line\nthat goes on.|A second\none.",
    "two_spaces": "Step one.|Step two.",
    "emoji": "Locked 🔒 at once.|Family 👩‍👩‍👧 leave too.|OK.",
    "accents": "Ünïcode is fine.|Élan too.",
    "lower_case_goes_on": "It is approved by the head (etc.) and then filed.",
    "dots_only": "...",
    "bold_ends": "Bikes go **only outside the yard.**|The yard is kept _free._|It is small.",
    "run_in_heading": "**Bike racks.** The yard has forty.|The hall has none.",
    "run_in_later": "Bikes are free.|**Boxes.** A box costs extra.|**Keys**. A key is lent.|Ask.",
    "run_in_tags": "<strong>Racks.</strong> Forty are dry.|<em>Pumps</em>. One is free.|Ask.",
    "run_in_number": "**1.** Lock the bike.|Take the key along.",
    "no_run_in_heading": "**Bikes may stay in the yard for three nights.**|Then they go.",
    "raised_marks": "A rack is free.¹²|A box costs more.³",
    "marks_in_markdown": "A rack is free.[^1][^b]|A box is not.<sup>2</sup>|Ask.[^3]",
    "saint": "The office in St. Gallen (on the hill) is closed.",
    "versus": "The court held so in Rowe v. Miller last year.",
    "weekday": "The yard is open from 8 a.m. Monday to Friday.|It is lit.",
    "weekdays": "The yard is open until 5 p.m. Mondays to Fridays.|It is lit.",
    "weekdays_begin": "The yard closes at 5 p.m.|Sundays are quiet.",
    "room": "Keys are in Rm. 12 of Bldg. 3 on the hill.|Sign there.",
    "time_zone": "Call us by 5 p.m. Eastern time.|Later is too late.",
    "time_ends": "The gates of the yard close at 9 p.m.|Bikes inside stay there.",
    "price": "A box costs CHF 30.– a month.|A rack costs CHF 5. - a month.",
    "after_brackets": "The hall (the old one) is dry.|Boxes stand in it.|Nobody sleeps there.",
    "open_quote": "The term “yard means the whole site.|Visitors may use it too.",
}
GERMAN = {
    "day": "Das gilt ab dem 1. Mai 2025 für alle.|Die Frist endet am 31. Dezember.",
    "abbreviations": "Räder inkl. Anhänger bzw. Karren zahlen nichts.|Das gilt z. B. Montags.",
    "number": "Siehe Abs. 3 und Nr. 4 der Ordnung.|Sie gilt seit langem.",
    "lower_case": "Er zahlt abzgl. überzahlter Beträge.|Der Rest folgt.",
}
FRENCH = {
    "name": "La clé est chez M. Martin et Mme. Petit.|Elle est libre.",
    "article": "Selon l'art. 3 al. 2 le vélo reste dehors.|Il pleut.",
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_sentences_end_where_a_reader_ends_them(case: str) -> None:
    joined = case.replace("|", "  " if case == CASES["two_spaces"] else " ")
    assert cut(joined) == case.split("|")


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("case", GERMAN.values(), ids=GERMAN.keys())
def test_german_sentences_also_without_their_language(case: str, language: str) -> None:
    assert cut(case.replace("|", " "), language) == case.split("|")


@pytest.mark.parametrize("case", FRENCH.values(), ids=FRENCH.keys())
def test_french_sentences(case: str) -> None:
    assert cut(case.replace("|", " "), "fr") == case.split("|")


def test_chinese_sentences_need_no_spaces() -> None:
    assert cut("第一句。第二句。", "zh") == ["第一句。", "第二句。"]


@pytest.mark.parametrize("language", ["en", "de", "ru", "kk", "zz", "", "['"])
def test_an_unknown_language_is_split_all_the_same(language: str) -> None:
    assert cut("One is here. Two is there.", language) == ["One is here.", "Two is there."]


@pytest.mark.parametrize("text", ["", " ", "\n\t \u00a0"])
def test_white_space_has_no_sentences(text: str) -> None:
    assert split_sentences(text) == []


def test_spans_are_counted_from_the_start_of_the_block() -> None:
    assert split_sentences("One. Two.", start=100) == [(100, 104), (105, 109)]


WORDS = st.sampled_from(
    [
        *"Staff may go. Art. 5(2)(a) sec. e.g. (b) 1. Mr. J. no. “Yes.” a.b@c.example".split(),
        *"😀 👩\u200d👩\u200d👧 ü 文件。 [12] … ?! : 3.5 İ ß e\u0301".split(),
        *("\n", "\u00a0", "\u2028"),
    ]
)
TEXTS = st.one_of(
    st.text(),
    st.lists(WORDS, max_size=25).map(" ".join),
    st.lists(WORDS, max_size=25).map("".join),
)


@given(text=TEXTS, start=st.integers(0, 10_000), language=st.sampled_from(["en", "de", "zh"]))
@example(text="a\u0085b. C\x1cd", start=0, language="en")
def test_spans_keep_order_and_lose_nothing(text: str, start: int, language: str) -> None:
    spans = split_sentences(text, start, language)
    covered: list[int] = []
    end_before = start
    for first, last in spans:
        assert end_before <= first < last <= start + len(text)
        sentence = text[first - start : last - start]
        assert sentence == sentence.strip()
        covered += range(first - start, last - start)
        end_before = last
    visible = [i for i, character in enumerate(text) if not character.isspace()]
    assert set(visible) <= set(covered)


@given(text=TEXTS)
def test_splitting_is_repeatable(text: str) -> None:
    assert split_sentences(text) == split_sentences(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Is it open?** No. It is shut.", ["**Is it open?**", "No.", "It is shut."]),
        ("**Item 3. Moving.** Put off. All agree.", ["**Item 3. Moving.** Put off.", "All agree."]),
    ],
)
def test_bold_at_the_beginning(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in split_sentences(text)] == expected
