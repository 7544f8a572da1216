from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING

import onnxruntime
import pytest
from training_fakes import PASSAGE, WRITTEN, TinyReader, rows, write_source

from training import reader
from training.data import JUDGING_ONLY
from training.export import describe
from training.reader import SOURCES, STAGES, shortened
from training.written import Corpus, read_file

if TYPE_CHECKING:
    from pathlib import Path

# PyTorch's own exporter is deprecated in favour of one that onnxruntime cannot fuse.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning"
)


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every file of training pairs, with twelve rows each, and two documents of our own."""
    folder = tmp_path / "shared"
    for source in (*SOURCES, *JUDGING_ONLY):
        write_source(folder / "train", source, rows(12, source))
    monkeypatch.setenv("RAG_SHARED", str(folder))
    monkeypatch.setattr(reader, "HELD_OUT", 4)
    (tmp_path / "made-01.txt").write_text(WRITTEN, "utf-8")
    corpus = Corpus("made", (read_file(tmp_path / "made-01.txt"),))
    monkeypatch.setattr(reader, "read_corpora", lambda: ([corpus], [corpus]))
    return folder


def make_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[dict[str, object], str]:
    """Run the command, and read what it wrote beside the file."""
    work, output = tmp_path / "work", tmp_path / "output"
    command = ["reader", "--work", str(work), "--output", str(output), "--threads", "2"]
    monkeypatch.setattr(sys, "argv", [*command, *arguments])
    reader.main()
    assert sorted(path.name for path in output.iterdir()) == [
        "MODEL_CARD.md", "reader.json", "reader.onnx", "reader.weights",
    ]  # fmt: skip
    facts = json.loads((output / "reader.json").read_text("utf-8"))
    assert facts["files"] == describe(output / "reader.onnx", output / "reader.weights")
    session = onnxruntime.InferenceSession(
        output / "reader.onnx", providers=["CPUExecutionProvider"]
    )
    assert [each.name for each in session.get_outputs()] == ["start", "end"]
    return facts, (output / "MODEL_CARD.md").read_text("utf-8")


def test_from_pairs_to_a_described_file(
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(reader, "Reader", lambda folder: TinyReader())
    facts, card = make_reader(tmp_path, monkeypatch, "--pairs", "60")
    # Of a question that is drawn last no passage is left out.
    assert 60 <= sum(facts["data"].values()) < 63
    assert not set(JUDGING_ONLY) & set(facts["data"])
    assert facts["figures"]["pairs"].keys() == {*SOURCES, "written", *JUDGING_ONLY}
    assert facts["figures"]["pairs"]["qed"]["pairs"] == 4
    assert "doc2dial was used" in card
    assert all(own["sha256"] in card for own in facts["files"].values())
    # From its checkpoints it goes on where it was: at the end, with the same file.
    with caplog.at_level(logging.INFO):
        again, _ = make_reader(tmp_path, monkeypatch, "--pairs", "60")
    assert f"stage {STAGES[-1].name} goes on after " in caplog.text
    assert again["files"] == facts["files"]


def test_the_last_stage_alone_goes_on_from_what_ships(
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked: list[Path] = []
    monkeypatch.setattr(reader, "restored", lambda path: asked.append(path) or TinyReader())
    with caplog.at_level(logging.INFO):
        make_reader(tmp_path, monkeypatch, "--pairs", "60", "--last-stage-from", "old.onnx")
    assert [str(path) for path in asked] == ["old.onnx"]
    stages = {line.split()[1] for line in caplog.messages if line.startswith("stage ")}
    assert stages == {f"{STAGES[-1].name}:"}


def test_a_source_can_be_left_out(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "Reader", lambda folder: TinyReader())
    (shared / "train" / "doc2dial.jsonl.gz").unlink()
    facts, card = make_reader(
        tmp_path, monkeypatch, "--pairs", "40", "--leave-out", "doc2dial", "qed"
    )
    names = {name.partition(":")[0] for name in facts["data"]}
    assert names
    assert not {"doc2dial", "qed"} & names
    assert not {"doc2dial", "qed"} & facts["figures"]["pairs"].keys()
    assert "doc2dial was not used" in card


@pytest.mark.parametrize("given", ["--work", "--output"])
def test_a_short_training_must_not_touch_the_real_one(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["reader", "--pairs", "10", given, "elsewhere"])
    with pytest.raises(SystemExit, match="2"):
        reader.main()
    assert "give it a --work and --output" in capsys.readouterr().err


def test_shortened_stages_keep_their_proportion() -> None:
    short = shortened(STAGES, 790)
    total = sum(stage.pairs for stage in STAGES)
    assert [stage.pairs for stage in short] == [
        round(790 * stage.pairs / total) for stage in STAGES
    ]
    assert [stage.name for stage in short] == [stage.name for stage in STAGES]
    assert [stage.pairs for stage in shortened(STAGES, 1)] == [1] * len(STAGES)


@pytest.mark.slow
def test_the_whole_path_with_the_real_network(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handbook = shared / "eval" / "handbook18f"
    (handbook / "corpus").mkdir(parents=True)
    (handbook / "corpus" / "leave.md").write_text(f"# Leave\n\n{PASSAGE}\n", "utf-8")
    (handbook / "corpus" / "trips.md").write_text("# Trips\n\nTake the train.\n", "utf-8")
    gold = [{"doc": "leave.md", "evidence": "Annual leave is 25 days a year."}]
    asked = [
        {"id": "a", "question": "How much leave?", "answerable": True, "gold": gold},
        {"id": "b", "question": "Who was the king?", "answerable": False},
    ]
    (handbook / "questions.jsonl").write_text("\n".join(map(json.dumps, asked)), "utf-8")
    facts, card = make_reader(tmp_path, monkeypatch, "--pairs", "32")
    assert 20e6 < facts["files"]["reader.weights"]["size"] <= 25e6
    (corpus,) = facts["figures"]["corpora"].values()
    assert corpus["reachable"] == 1
    assert "handbook18f (development)" in card
