"""What stands for something said before, and what is taken for an exception."""

from __future__ import annotations

import pytest

from rag.text.connectives import (
    ANNOUNCES_EXCEPTIONS,
    LEANS_BACK,
    LIMITS_ENTRIES,
    OPENS_EXCEPTION,
    STAYS_WITH_THE_ONE_BEFORE,
    leans_back,
    points_back,
)


@pytest.mark.parametrize(
    "text",
    ["Only they pay.", "Is that paid?", "What does that mean?", "May I use that card abroad?",
     "After that can I go home?", "And if that is so?", "Is any of that paid?",
     "Why is that not so?", "Does that limit apply?", "Who was in the shop that day?",
     "Unless their head agrees.", "Under such rules", "The above holds.",
     "Is it a form that needs a stamp?"],
)  # fmt: skip
def test_a_pronoun_points_back(text: str) -> None:
    assert points_back(text)


@pytest.mark.parametrize(
    "text",
    ["Only members may skate.", "Who signs a form that needs a stamp?",
     "Which trains that I take are paid?", "Who stamps travel forms that expired?",
     "I heard that there is a lift.", "Report that my badge was stolen.",
     "Is there a lift?", "Staff that can drive", "Who pays for rooms that the agency books?"],
)  # fmt: skip
def test_what_joins_a_clause_does_not(text: str) -> None:
    assert not points_back(text)


@pytest.mark.parametrize(
    ("text", "leans", "excepts", "announces", "limits"),
    [
        ("It is paid.", True, False, False, False),
        ("Their leave is paid.", True, False, False, False),
        ("Them: pretty good.", False, False, False, False),
        ("In such cases ask first.", True, False, False, False),
        ("In such a case ask first.", True, False, False, False),
        ("In some cases ask first.", False, False, False, False),
        ("However, interns get five.", True, True, False, False),
        ("This rule does not apply to guards.", True, True, False, True),
        ("Paragraph 1 shall not hold.", False, True, False, False),
        ("Not if you leave early.", False, True, False, False),
        ("Not everybody leaves early.", False, False, False, False),
        ("There are two exceptions:", False, True, True, True),
        ("The head may waive (b).", False, False, False, True),
        ("Exception reports are filed.", False, False, False, True),
        ("Staff are paid, however.", False, False, False, False),
    ],
)
def test_sentences_by_their_words(
    text: str, leans: bool, excepts: bool, announces: bool, limits: bool
) -> None:
    assert bool(LEANS_BACK.match(text)) == leans
    assert bool(OPENS_EXCEPTION.match(text)) == excepts
    assert bool(ANNOUNCES_EXCEPTIONS.match(text)) == announces
    assert bool(LIMITS_ENTRIES.search(text)) == limits
    assert bool(STAYS_WITH_THE_ONE_BEFORE.match(text)) == (leans or excepts)


@pytest.mark.parametrize(
    "text",
    [
        "Trainees may do so only later.", "So are guests.", "The same applies to guests.",
        "Partners are treated in the same way.", "Guests likewise pay.", "The latter pay.",
        "The former is free.", "Of these, 40 were minors.", "There, it rained.", "Both pay.",
        "Neither is paid.", "Thus nobody came.", "Therefore nobody came.", "Its members pay.",
        "During probation it is needed at once.", "Where a risk is high, he tells the board.",
        "Lost, 23 votes to 32.", "Deferred to the next meeting.", "Withdrawn.",
        '"Shops get 4,000 crowns."', '"It is dear," she said.', 'Nobody asked for it."',
        "“We shall pay. ", "In this event the crew decides.", "In either case nobody pays.",
        "In all other cases a letter is sent.", "In the latter case a visa is needed.",
        "Under these circumstances no bond is kept.", "For this purpose a van is lent.",
        "Without it, no locker is opened.", "After that you sign.", "Thereafter it is free.",
        "Failing this, the bid lapses.", "If this happens, call the desk.",
        "All others pay nine crowns.", "Everyone else waits outside.",
        "The motion was withdrawn after a debate.",
    ],
)  # fmt: skip
def test_a_sentence_leans_back_by_other_words_too(text: str) -> None:
    assert leans_back(text)


@pytest.mark.parametrize(
    "text",
    [
        "Both staff and guests pay.", "Neither staff nor guests pay.", "There are two.",
        "So far nobody asked.", "The head writes to all staff who have still not done so.",
        "Guests pay in the same way as staff.", "The former head pays.",
        "For all trips it is best to ask first.", "If a guest is ill, he stays at home.",
        "In case it is lost, tell us.", "Agreed hours are kept.", "Lost property is kept here.",
        '"We pay," said Mayor Hale.', '"Leave" means time off.', 'The "Client" pays.',
        "In all cases a letter is sent.", "In this handbook a week has five days.",
        "For it to count, a bid must be signed.", "For this trip a van is lent.",
        "If this badge is lost, call the desk.", "Others' bags stay shut.",
        "If this is your first day, call the desk.", "The motion was debated for an hour.",
    ],
)  # fmt: skip
def test_what_stands_alone_does_not(text: str) -> None:
    assert not leans_back(text)
