"""What another document says otherwise on the same point; and, more often, when to be silent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chat_fake import FakeEngine, markdown

from rag.answering.conflicts import Conflict, conflicts, contradictions
from rag.catalogue.versions import families
from rag.types import Document, Hit


def compared(
    question: str, ours: str, theirs: str, *, version: bool = False,
    titles: tuple[str, str] = ("Rules", "Rules"),
) -> list[Conflict]:  # fmt: skip
    """The conflicts of an answer that quotes `ours`, with `theirs` among the passages."""
    documents: list[Document] = [
        markdown("a.md", titles[0], ours), markdown("b.md", titles[1], theirs)
    ]  # fmt: skip
    answer = FakeEngine(documents[:1]).ask(question)
    assert [citation.quote for citation in answer.citations] == [ours]
    hits = FakeEngine(documents).retrieve(question)
    return conflicts(answer, hits, {"a.md": {"b.md"}} if version else {})


DIFFERENT = [
    ("When must claims for travel expenses be submitted?",
     "Submit travel expenses claims within 20 working days of your return.",
     "Submit your travel expenses claims within 30 calendar days of your return.",
     "20 working days", "30 calendar days"),
    ("When must gifts be reported to the integrity office?",
     "Gifts must be reported to the Integrity Office within ten working days.",
     "All gifts are reported to the Integrity Office within five working days of receipt.",
     "ten working days", "five working days"),
    ("How soon are requests for accommodation acknowledged?",
     "Requests for accommodation are acknowledged within three calendar days.",
     "Requests for accommodation are acknowledged within three business days.",
     "three calendar days", "three business days"),
    ("Where are travel authorizations sent for approval?",
     "Travel authorizations are sent to trips@agency.example for approval.",
     "Travel authorizations are sent to travel@agency.example for approval by the team.",
     "trips@agency.example", "travel@agency.example"),
    ("What does professional liability insurance cost?",
     "Supervisors get professional liability insurance costs back up to $150.",
     "Supervisors get professional liability insurance costs back up to $175.",
     "$150", "$175"),
    ("Whom should press requests from journalists reach?",
     "Forward press requests from journalists to press@agency.example without responding.",
     "Send requests from the press to press@agency.example; it is okay to respond to journalists.",
     "without responding", "okay to respond"),
    ("How soon must lost keys be reported to security?",
     "Lost keys must be reported to security within ten days.",
     "Lost keys must be reported to security within three weeks.",
     "ten days", "three weeks"),
    ("When are library rooms open for staff?",
     "Library rooms are open for staff from 9:00 to 17:00.",
     "Library rooms are open for staff from 8:00 to 16:00.",
     "9:00 and 17:00", "8:00 and 16:00"),
    ("When are library rooms open for staff?",
     "Library rooms are open for staff from 9:00 to 17:00.",
     "Library rooms are open for staff from 9:00 to 4:00 p.m.",
     "17:00", "4:00 p.m."),
    ("Must small purchases be approved by the treasurer?",
     "Small purchases need not be approved by the treasurer.",
     "Small purchases must be approved by the treasurer.",
     "need not be approved", "must be approved"),
    ("How many days of paid rest does staff receive?",
     "Employees receive 20 days of paid rest every year.",
     "All members of staff receive 22 days of paid rest every year.",
     "20 days", "22 days"),
    ("What does lunch cost, what does dinner cost at the hostel?",
     "Lunch costs 9 crowns and dinner costs 15 crowns at the hostel.",
     "Lunch costs 9 crowns and dinner costs 18 crowns at the hostel.",
     "15 crowns", "18 crowns"),
    ("When do library rooms close for staff?",
     "Library rooms close for staff at 5 pm on Fridays.",
     "Library rooms close for staff at 6 pm on Fridays.",
     "5 pm", "6 pm"),
    ("What did lunch and dinner cost at the hostel?",
     "Lunch at the hostel cost 9 crowns and dinner 15 crowns.",
     "Lunch at the hostel cost 15 crowns and dinner 9 crowns.",
     "9 crowns, 15 crowns", "15 crowns, 9 crowns"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "ours", "theirs", "mine", "yours"), DIFFERENT)
def test_sentences_that_differ_on_the_same_point(
    question: str, ours: str, theirs: str, mine: str, yours: str
) -> None:
    (found,) = compared(question, ours, theirs)
    assert (found.ours, found.theirs) == (mine, yours)
    assert (found.cited.n, found.other.document, found.other.n) == (1, "b.md", 0)
    assert found.other.quote == theirs


SILENT = {
    "the same in other words": (
        "Within how many days of your return must you submit travel claims?",
        "Submit your travel claims within 20 working days of your return.",
        "Enter travel claims within twenty business days of your return to the office.",
    ),
    "another subject": (
        "How far ahead must annual leave be requested?",
        "Annual leave must be requested at least three working days ahead.",
        "Study leave must be requested at least ten working days ahead.",
    ),
    "another deadline of the same team": (
        "What does the travel team need before travel?",
        "Authorizations reach the travel team before 3:30 PM the last business day before travel.",
        "Close of business for the travel team is at 4:30 PM.",
    ),
    "a number on one side only": (
        "How much military leave can staff receive each year?",
        "Staff can receive 15 days of military leave each year for active duty.",
        "Staff can receive military leave each year for active duty and training.",
    ),
    "the same range": (
        "When are travel vouchers approved?",
        "Travel vouchers are approved within 3-5 business days.",
        "Your travel vouchers are approved by the team in 3 to 5 working days.",
    ),
    "the same amount, written otherwise": (
        "What is the limit for purchases without quotes?",
        "The limit for purchases without quotes is $2,500.",
        "The limit for purchases without quotes is $2500 for everybody.",
    ),
    "the same time in another unit": (
        "How soon must lost keys be reported to security?",
        "Lost keys must be reported to security within 21 days.",
        "Lost keys must be reported to security within three weeks.",
    ),
    "the same time of working days in weeks": (
        "How soon must lost keys be reported to security?",
        "Lost keys must be reported to security within ten working days.",
        "Lost keys must be reported to security within two weeks.",
    ),
    "units that have no common measure": (
        "How soon must lost keys be reported to security?",
        "Lost keys must be reported to security within 30 days.",
        "Lost keys must be reported to security within one month.",
    ),
    "the same hour of the day": (
        "When do library rooms close for staff?",
        "Library rooms close for staff at 5:30 p.m. on Fridays.",
        "Library rooms close for staff at 17:30 on Fridays.",
    ),
    "the same hour without its minutes": (
        "When do library rooms close for staff?",
        "Library rooms close for staff at 5 pm on Fridays.",
        "Library rooms close for staff at 17:00 on Fridays.",
    ),
    "an hour of which half of the day": (
        "When do library rooms close for staff?",
        "Library rooms close for staff at 5 on Fridays.",
        "Library rooms close for staff at 17:00 on Fridays.",
    ),
    "the same number of two words": (
        "How many days of paid rest does staff receive?",
        "Employees receive twenty-five days of paid rest every year.",
        "Employees receive 25 days of paid rest every year.",
    ),
    "the same number, grouped as in another language": (
        "What is the limit for purchases without quotes?",
        "The limit for purchases without quotes is 1,000 euros.",
        "The limit for purchases without quotes is 1.000 euros.",
    ),
    "the same figures in another order": (
        "What were the yearly costs of the small hostel?",
        "The yearly costs of the small hostel in 2020: $4 million.",
        "The yearly costs of the small hostel: $4 million in 2020.",
    ),
    "other people": (
        "How many days of paid rest does staff receive?",
        "Permanent employees receive 20 days of paid rest every year.",
        "Apprentices receive 14 days of paid rest every year.",
    ),
    "some of the same things": (
        "How soon must invoices be sent to accounting?",
        "Invoices must be sent to accounting within 30 days.",
        "Invoices from abroad must be sent to accounting within 45 days.",
    ),
    "numbers with commas between them": (
        "Which pages of the yearly tax form must be copied?",
        "Pages of the yearly tax form that must be copied: 1,2,3 pages.",
        "Pages of the yearly tax form that must be copied: 1,2,3 pages.",
    ),
}


@pytest.mark.parametrize("case", SILENT)
def test_no_false_alarm(case: str) -> None:
    titles = ("Annual leave", "Study leave") if case == "another subject" else ("Rules", "Rules")
    assert compared(*SILENT[case], titles=titles) == []


def test_versions_have_the_same_subject_so_that_fewer_words_are_enough() -> None:
    case = ("What are the hotel limits?", "Hotel limits: 120", "Hotel limits: 140")
    assert compared(*case) == []
    (found,) = compared(*case, version=True)
    assert (found.ours, found.theirs) == ("120", "140")


@pytest.mark.parametrize(("version", "found"), [(True, 1), (False, 0)])
def test_another_version_need_not_share_the_words_of_the_question(
    *, version: bool, found: int
) -> None:
    documents = [
        markdown("a.md", "Travel", "Submit your travel claim within 20 working days of return."),
        markdown("b.md", "Travel", "Submit your claim within 30 calendar days of your return."),
    ]
    answer = replace(
        FakeEngine(documents[:1]).ask("Within how many days submit a travel claim?"),
        standalone_question="How soon after coming home must I hand over the papers of a claim?",
    )
    hits = FakeEngine(documents).retrieve("claim")
    assert len(conflicts(answer, hits, {"a.md": {"b.md"}} if version else {})) == found


def test_two_citations_that_disagree_are_told_once() -> None:
    documents = [
        markdown("a.md", "Old", "You may work remotely two days a week if agreed."),
        markdown("b.md", "New", "You may work remotely three days a week if agreed."),
    ]
    engine = FakeEngine(documents)
    question = "How many days a week may you work remotely?"
    answer = engine.ask(question)
    assert len(answer.citations) == 2
    (found,) = conflicts(answer, engine.retrieve(question), {})
    assert {found.cited.n, found.other.n} == {1, 2}


def test_the_same_document_does_not_contradict_itself() -> None:
    text = (
        "Claims for travel are submitted within 20 days.\n\n"
        "Claims for travel are submitted within 30 days.\n"
    )
    engine = FakeEngine([markdown("a.md", "Travel", text)])
    question = "When are claims for travel submitted?"
    assert conflicts(engine.ask(question), engine.retrieve(question), {}) == []


def test_other_versions_are_looked_up_and_other_documents_only_found() -> None:
    engine = FakeEngine([
        markdown("a.md", "Travel 2024", "Submit your travel claim within 20 days of return.",
                 published="2024-01-01"),
        markdown("b.md", "Travel 2023", "Submit a claim within 30 days of your return, please.",
                 published="2023-01-01"),
        markdown("c.md", "Bicycles", "Submit a claim for bicycles within 40 days of return."),
    ])  # fmt: skip
    answer = engine.ask("How soon do I submit my travel claim after my return?", where="path=a.md")
    looked_up = []

    def passages_of(name: str) -> list[Hit]:
        looked_up.append(name)
        return engine.retrieve(answer.question, 3, where=f"path={name}")

    (found,) = contradictions(answer, families(engine.documents()), passages_of)
    assert (found.other.document, found.ours, found.theirs) == ("b.md", "20 days", "30 days")
    assert looked_up == ["b.md"]


def test_an_abstention_has_no_conflicts() -> None:
    engine = FakeEngine([markdown("a.md", "Travel", "Claims are submitted within 20 days.")])
    answer = engine.ask("Who owns the moon nowadays?")
    assert answer.abstained
    assert contradictions(answer, {}, lambda _: []) == []
