"""How sure an answer is, how sure it has to be, and the calibration behind both."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from candidates import evidence, passage

from rag.answering import confidence as confidence_module
from rag.answering.confidence import confidence, threshold
from rag.index import Index, open_index
from rag.settings import Caution, Settings

CAUTIONS: tuple[Caution, ...] = ("cautious", "balanced", "eager")


def test_confidence_is_a_probability(monkeypatch: pytest.MonkeyPatch) -> None:
    hit = passage(("paragraph", "Staff get 13 days."))
    for similarity in (-1e9, -1.0, 0.0, 1.0, 1e9):
        given = evidence("other", (hit, 0, similarity))
        for with_reader in (False, True):
            assert 0 <= confidence(given, with_reader=with_reader) <= 1
    assert confidence(evidence("other"), with_reader=False) == 0


def test_the_calibration_is_data_that_names_every_feature() -> None:
    data = json.loads(confidence_module.CALIBRATION.read_text("utf-8"))
    names = list(confidence_module.Features.__slots__)
    for model in ("quick", "reader"):
        assert list(data[model]["weights"]) == names
        assert set(data[model]["thresholds"]) == set(CAUTIONS)
        assert all(0 <= value <= 1 for value in data[model]["thresholds"].values())


def test_more_caution_never_answers_more(small_settings: Settings, small_index: Index) -> None:
    levels = [threshold(caution, with_reader=False) for caution in CAUTIONS]
    assert levels == sorted(levels, reverse=True)
    asked = ["How many days of annual leave?", "Is the moon made of cheese?", "the of and"]
    answered = []
    for caution in CAUTIONS:
        with open_index(small_settings.index, replace(small_settings, caution=caution)) as opened:
            answered.append({q for q in asked if not opened.ask(q).abstained})
    assert answered[0] <= answered[1] <= answered[2]
