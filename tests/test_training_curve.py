from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import torch
from training_fakes import TinyReader, rows

from training import curve
from training.curve import Point, draw, pairs_seen, read_points
from training.reader import STAGES

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"


def test_later_stages_begin_where_the_earlier_ended() -> None:
    first, second, third, *_ = STAGES
    assert pairs_seen(first.name, 500) == 500
    assert pairs_seen(second.name, 500) == first.pairs + 500
    assert pairs_seen(third.name, 500) == first.pairs + second.pairs + 500
    assert pairs_seen("other", 500) == 500


def test_checkpoints_become_a_curve_that_can_be_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        state = {"model": TinyReader(number).state_dict(), "done": 100 * number}
        torch.save(state, tmp_path / f"{STAGES[0].name}-{number}.pt")
    judged: list[str] = []
    judge = curve.judge_checkpoint

    def recorded(path: Path, *rest: object) -> Point:
        judged.append(path.name)
        return judge(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(curve, "judge_checkpoint", recorded)
    monkeypatch.setattr(curve, "Reader", lambda folder: TinyReader())
    monkeypatch.setattr(curve, "read_rows", lambda work: ({}, {"made": rows(8), "more": rows(6)}))
    monkeypatch.setenv("RAG_SHARED", str(tmp_path))
    output = tmp_path / "curve.jsonl"
    paths = [str(path) for path in sorted(tmp_path.glob("*.pt"))]
    for given in (paths[1:], paths):
        command = ["curve", *given, "--output", str(output), "--work", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", command)
        curve.main()
    # What the file has is not judged again.
    assert judged == ["short-2.pt", "short-1.pt"]
    points = read_points(output)
    assert [point.pairs for point in points] == [100, 200]
    assert all(0 <= point.auroc <= 1 and 0 <= point.right <= 1 for point in points)
    assert points[0].auroc != points[1].auroc
    assert ET.fromstring(output.with_suffix(".svg").read_text("utf-8")).tag == f"{SVG}svg"


def test_every_figure_is_a_line() -> None:
    points = [
        Point("a", 0, 0.5, 0.4, {"handbook": {"auroc": 0.61, "hit1": 0.35}}),
        Point("b", 2000, 0.9, 0.8, {"handbook": {"auroc": 0.8, "hit1": 0.5}}),
    ]
    svg = ET.fromstring(draw(points))
    texts = [each.text for each in svg.iter(f"{SVG}text")]
    for name in ("AUROC, held-out pairs", "right sentence, held-out pairs", "hit@1, handbook"):
        assert name in texts
    assert len(list(svg.iter(f"{SVG}polyline"))) == 4
    # The axes span what is drawn, with room for the legend: 0 to 50 thousand pairs, .3 to 1.2.
    assert {"50", "0.3", "1.2"} <= set(texts)
