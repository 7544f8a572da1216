"""The calls about conversations, as the page's script makes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_fake import FakeEngine, markdown
from test_chat_reading import PAYLOADS, assert_inert

from rag.chat import listing
from rag.chat.conversations import Summary
from rag.chat.desk import Desk
from rag.chat.feedback import Opinion, Unanswered
from rag.chat.owner import Owner
from rag.chat.service import Service

LEAVE = "# Leave\n\n## Carrying over\n\nUnused annual leave lapses in March.\n"
QUESTION, NONSENSE = "When does unused annual leave lapse?", "Which dragons guard palaces?"
ME, OTHER = "m" * 32, "o" * 32
ONE, TWO = "1" * 22, "2" * 22
Call = Callable[[dict[str, Any]], dict[str, Any]]


def calls(desk: Desk | None) -> dict[str, Call]:
    engine = FakeEngine(
        [
            markdown("leave/a.md", "Leave", LEAVE, collection="Handbook"),
            markdown("notes/b.md", "Notes", "Nothing of interest.", collection="Notes"),
        ]
    )
    return {call.__name__: call for call in Service(engine, desk=desk).functions()}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "index-conversations", Owner(key="k" * 32))
    yield opened
    opened.close()


@pytest.fixture
def served(desk: Desk) -> dict[str, Call]:
    return calls(desk)


def ask(
    served: dict[str, Call], question: str = QUESTION, me: str = ME, conversation: str = ONE,
    **more: Any,
) -> dict[str, Any]:  # fmt: skip
    return served["answer"]({"question": question, "me": me, "conversation": conversation} | more)


def test_an_answer_is_kept_and_comes_back_as_it_was_given(served: dict[str, Call]) -> None:
    given = ask(served, filters={"collection": "Handbook"})
    again = served["conversation"]({"me": ME, "conversation": ONE})
    assert (again["name"], again["mine"]) == (QUESTION, True)
    assert again["filters"] == {"collection": "Handbook"}
    (turn,) = again["turns"]
    assert {key: turn[key] for key in given} == json.loads(json.dumps(given))


def test_somebody_else_reads_it_but_not_the_feedback(served: dict[str, Call]) -> None:
    turn = ask(served)["turn"]
    served["feedback"]({"me": ME, "turn": turn, "verdict": "down", "reason": "Old"})
    mine = served["conversation"]({"me": ME, "conversation": ONE})["turns"][0]
    assert (mine["verdict"], mine["reason"]) == ("down", "Old")
    theirs = served["conversation"]({"me": OTHER, "conversation": ONE})
    assert theirs["mine"] is False
    assert not {"turn", "verdict", "reason"} & set(theirs["turns"][0])
    assert served["conversations"]({"me": OTHER, "words": ""})["count"] == 0


def test_going_on_with_a_shared_conversation_makes_a_copy(served: dict[str, Call]) -> None:
    ask(served)
    ask(served, NONSENSE, OTHER, TWO, copy_of=ONE)
    copy = served["conversation"]({"me": OTHER, "conversation": TWO})
    assert [turn["question"] for turn in copy["turns"]] == [QUESTION, NONSENSE]
    assert len(served["conversation"]({"me": ME, "conversation": ONE})["turns"]) == 1


def test_the_list_can_be_searched(served: dict[str, Call]) -> None:
    ask(served)
    assert ONE in served["conversations"]({"me": ME, "words": "march"})["html"]
    assert served["conversations"]({"me": ME, "words": "april"})["count"] == 0


def test_renaming_deleting_and_undoing(served: dict[str, Call]) -> None:
    ask(served)
    place = {"me": ME, "conversation": ONE}
    assert served["rename"](place | {"name": "Leave"}) == {"name": "Leave"}
    assert served["delete"](place) == {"deleted": True}
    assert "no such conversation" in served["conversation"](place)["error"]
    assert served["restore"](place) == {"restored": True}
    assert served["conversation"](place)["name"] == "Leave"
    for call in ("rename", "delete", "restore"):
        assert "no such conversation" in served[call](place | {"me": OTHER, "name": "x"})["error"]


def test_an_answer_into_a_deleted_conversation_is_given_but_not_kept(
    served: dict[str, Call],
) -> None:
    ask(served)
    served["delete"]({"me": ME, "conversation": ONE})
    reply = ask(served)
    assert reply["citations"]
    assert reply["unkept"] == "This conversation was deleted meanwhile."


def test_a_copy_says_if_the_earlier_turns_are_gone(served: dict[str, Call]) -> None:
    reply = ask(served, NONSENSE, OTHER, TWO, copy_of=ONE)
    assert reply["turn"]
    assert reply["unkept"] == "The earlier turns were deleted meanwhile."
    assert "unkept" not in ask(served, NONSENSE, OTHER, TWO)


def test_a_broken_store_costs_no_answer(served: dict[str, Call], desk: Desk) -> None:
    desk.close()
    reply = ask(served)
    assert reply["citations"]
    assert "conversations cannot be kept" in reply["unkept"]


@pytest.mark.parametrize("kind", ["md", "docx", "json"])
def test_an_export_is_a_file(served: dict[str, Call], kind: str) -> None:
    ask(served)
    reply = served["export"]({"conversation": ONE, "format": kind})
    assert reply["name"] == f"When-does-unused-annual-leave-lapse.{kind}"
    assert len(base64.b64decode(reply["data"])) > 500


def test_only_who_has_signed_in_as_owner_gets_the_review(
    served: dict[str, Call], desk: Desk
) -> None:
    turn = ask(served, NONSENSE)["turn"]
    served["feedback"]({"me": ME, "turn": turn, "verdict": "up", "reason": ""})
    key = desk.owner.key
    for wrong in ({}, {"token": ""}, {"token": "ü"}, {"token": 1}, {"token": key}, {"key": key}):
        reply = served["review"](wrong)
        assert "Only the owner" in reply["error"]
        assert reply["refused"] is True
    token = desk.owner.sign_in(key, {})
    html = served["review"]({"token": token})["html"]
    assert html.count(NONSENSE) == 2
    assert "Helpful" in html
    desk.owner.sign_out(token)
    assert served["review"]({"token": token})["refused"] is True


def test_a_desk_without_an_owner_shows_nobody_the_review(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert calls(desk)["review"]({"token": ""})["refused"] is True
    desk.close()


def test_where_nothing_is_kept_every_call_says_so_and_answers_come_all_the_same() -> None:
    served = calls(None)
    reply = ask(served)
    assert reply["citations"]
    assert "turn" not in reply
    assert served["overview"]({})["kept"] == ""
    for name in ("conversations", "conversation", "rename", "delete", "restore", "export",
                 "feedback", "review"):  # fmt: skip
        assert "`conversations` is off" in served[name]({"me": ME, "token": ""})["error"]


def test_the_page_names_the_folder_but_not_the_path(served: dict[str, Call]) -> None:
    assert served["overview"]({})["kept"] == "index-conversations"


@pytest.mark.parametrize("me", [None, "", "short", 7])
def test_without_a_secret_nothing_is_listed_or_kept(served: dict[str, Call], me: Any) -> None:
    assert "error" in served["conversations"]({"me": me})
    assert "unkept" in ask(served, me=me)


def test_filters_limit_an_answer_and_are_told(served: dict[str, Call]) -> None:
    reply = served["answer"]({"question": QUESTION, "filters": {"collection": "Notes"}})
    assert reply["abstained"]
    assert (reply["searched"], reply["limits"]) == (1, ["Collection: Notes"])
    assert "data-widen" in reply["html"]
    assert "error" in served["answer"]({"question": QUESTION, "filters": {"colour": "red"}})


def test_the_choice_of_filters(served: dict[str, Call]) -> None:
    reply = served["filters"]({"filters": {"collection": "Notes"}})
    assert (reply["searched"], reply["of"]) == (1, 2)
    assert 'data-unfilter="collection"' in reply["chips"]
    assert "Handbook (1)" in reply["choices"]


def test_other_words_are_only_offered_if_they_are_answered(served: dict[str, Call]) -> None:
    asked = {"question": "Unused annual vacation lapses?", "abstained": True}
    offered = served["follow_ups"](asked)["rephrased"]
    assert 'data-ask="Carrying over: unused annual vacation lapses?"' in offered
    assert served["follow_ups"](asked | {"abstained": False})["rephrased"] == ""
    limited = asked | {"filters": {"collection": "Notes"}}
    assert served["follow_ups"](limited)["rephrased"] == ""


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_are_inert_in_every_list(payload: str) -> None:
    assert_inert(listing.conversations_html([Summary(ONE, payload, "2026-11-24T08:00:00", 2)]))
    assert_inert(
        listing.review_html(
            [Opinion(payload, "down", payload, payload, payload, False, payload)],
            [Unanswered(payload, 2, payload, payload)],
        )
    )
