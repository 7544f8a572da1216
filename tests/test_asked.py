"""What a question may be, in Python as in JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rag.asking.asked import Asked, asked_from
from rag.errors import UsageError
from rag.index import Index
from rag.live import LiveIndex
from rag.settings import Settings
from rag.types import BuildReport

FORM = '[{"role": "user", "content": "…"}, …]'
NO_TURN = f"a turn of a history looks different: {FORM}"

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no question": ({"question": None}, "a question is text, not NoneType"),
    "a dict for a question": ({"question": {"question": "x"}}, "a question is text, not dict"),
    "an unknown role": ({"history": [{"role": "system", "content": "x"}]}, NO_TURN),
    "no content": ({"history": [{"role": "user"}]}, NO_TURN),
    "content that is no text": ({"history": [{"role": "user", "content": None}]}, NO_TURN),
    "a turn of text": ({"history": ["leave?"]}, NO_TURN),
    "a history of text": ({"history": "abc"}, f"a history is a list, {FORM}"),
    "no history": ({"history": None}, f"a history is a list, {FORM}"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("call", ["ask", "retrieve", "evidence"])
def test_a_wrong_call_is_refused(small_index: Index, call: str, case: str) -> None:
    given, message = WRONG[case]
    with pytest.raises(UsageError) as caught:
        getattr(small_index, call)(**{"question": "leave?", **given})
    assert str(caught.value) == message


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("call", ["ask", "retrieve"])
def test_a_wrong_call_of_an_index_that_follows_is_refused_too(
    small_settings: Settings, small_report: BuildReport, call: str, case: str
) -> None:
    assert small_report.documents
    given, message = WRONG[case]
    live = LiveIndex(small_settings.index, small_settings)
    try:
        with pytest.raises(UsageError) as caught:
            getattr(live, call)(**{"question": "leave?", **given})
    finally:
        live.close()
    assert str(caught.value) == message


@pytest.mark.parametrize("call", ["ask_many", "retrieve_many"])
def test_a_wrong_question_among_many_ends_them(small_index: Index, call: str) -> None:
    given = getattr(small_index, call)(["leave?", {"question": "leave?"}])
    assert next(given)
    with pytest.raises(UsageError) as caught:
        next(given)
    assert str(caught.value) == "a question is text, not dict"


@pytest.mark.parametrize("k", [2.5, "5", None])
@pytest.mark.parametrize("call", ["retrieve", "retrieve_many"])
def test_a_number_of_hits_is_a_whole_number(small_index: Index, call: str, k: Any) -> None:
    with pytest.raises(UsageError) as caught:
        getattr(small_index, call)("leave?", k=k)
    assert str(caught.value) == f"k must be a whole number, got {k!r}"


def test_a_number_of_hits_may_be_numpys(small_index: Index) -> None:
    wanted: Any = np.int64(2)
    assert small_index.retrieve("leave?", wanted) == small_index.retrieve("leave?", 2)


def test_a_history_may_be_any_sequence_of_turns_and_carry_more(small_index: Index) -> None:
    turn = {"role": "user", "content": "How many days of leave?"}
    plain = small_index.retrieve("And for them?", history=[turn])
    assert small_index.retrieve("And for them?", history=({**turn, "at": "noon"},)) == plain
    assert plain != small_index.retrieve("And for them?")


PLACE = "q.jsonl, line 1"


def nested(depth: int) -> Any:
    data: Any = []
    for n in range(depth - 1):
        data = [data] if n % 2 else {"in": data}
    return data


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"where": 0}, '"where" is a list such as ["collection=handbook"]'),
        ({"where": ""}, '"where" is a list such as ["collection=handbook"]'),
        ({"where": {}}, '"where" is a list such as ["collection=handbook"]'),
        ({"history": 0}, f"a history is a list, {FORM}"),
        ({"history": ""}, f"a history is a list, {FORM}"),
        ({"id": nested(51)}, "the id is nested more than 50 deep"),
        ({"id": nested(984)}, "the id is nested more than 50 deep"),
        ({"id": float("nan")}, "the id is no number that JSON could give back"),
    ],
    ids=["where 0", "where text", "where object", "history 0", "history text", "id 51 deep",
         "id 984 deep", "id nan"],
)  # fmt: skip
def test_what_is_neither_right_nor_absent_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked_from({"question": "x", **given}, PLACE)
    assert str(caught.value) == f"{PLACE}: {message}"


def test_null_counts_as_absent_and_any_json_is_an_id() -> None:
    absent: dict[str, Any] = {"question": "x", "history": None, "where": None, "id": None}
    assert asked_from(absent, PLACE) == asked_from({"question": "x"}, PLACE) == Asked("x", [], [])
    for name in (0, "", 7.5, False, ["a", {"b": None}], nested(50)):
        assert asked_from({"question": "x", "id": name}, PLACE).id == name
