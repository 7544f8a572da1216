"""The bench: its tables and charts say what was measured, and its peers are pinned."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
PINS = sorted((BENCHMARKS / "peers").glob("*.txt"))
RESULTS = {
    "machine": "then, there",
    "versions": {"txtai": "txtai 1.0"},
    "cold": {
        "chunks": 20_000,
        "s": {
            "rag retrieve": [0.4, 0.5, 0.6],
            "rag ask": [1.0, 1.0, 1.0],
            "txtai": [5.0, 6.0, 7.0],
        },
        "CPU s": {"rag retrieve": [0.3], "rag ask": [0.9], "txtai": [8.0]},
        "MB": {"rag retrieve": 200.0, "rag ask": 250.0, "txtai": 500.0},
    },
    "warm": {"chunks": 20_000, "ms": {"rag": [10.0] * 100, "txtai": [20.0] * 99 + [300.0]}},
}


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import peer_tables
    import plots
    import profiles

    yield {"tables": peer_tables, "plots": plots, "profiles": profiles}
    for name in [n for n, m in sys.modules.items() if _is_ours(m)]:
        del sys.modules[name]


def _is_ours(module):
    return str(getattr(module, "__file__", "")).startswith(str(BENCHMARKS))


def test_ratios_are_those_of_the_medians(bench):
    text = bench["tables"].tables(RESULTS)
    assert "| txtai hybrid | 12 | 6.0 | 6.00 | 5.00 to 7.00 | 8.00 | 500 |" in text  # 6 / .5, 6 / 1
    assert "| txtai hybrid | 2.0 | 20.0 | 20.0 | 1.00 |" in text
    assert text.index("`rag retrieve`") < text.index("txtai hybrid")


def test_percentiles_are_measured_values(bench):
    percentile = bench["tables"].percentile
    assert percentile([3.0, 1.0, 2.0, 4.0], 0.5) == 3.0
    assert percentile([1.0], 0.95) == 1.0


def test_a_chart_is_well_formed_and_says_its_figures_to_a_screen_reader(bench):
    plots = bench["plots"]
    bars = [
        plots.Bar("ours & <best>", 1.0, 0.5, 2.0, "1 s", ours=True),
        plots.Bar("theirs", 4.0, 4.0, 4.0, "4 s", ours=False),
    ]
    root = ET.fromstring(plots.chart("Title", "note", bars))
    space = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{space}desc") == "ours & <best>: 1 s; theirs: 4 s"
    ours, theirs = (
        root.find(f"{space}rect[@class='{kind}']").get("width") for kind in ("ours", "peer")
    )
    assert float(theirs) == pytest.approx(4 * float(ours), abs=0.1)
    assert "prefers-color-scheme: dark" in root.findtext(f"{space}style")


def test_a_chart_without_bars_is_well_formed(bench):
    ET.fromstring(bench["plots"].chart("Title", "note", []))


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (["main (/bin/rag:1)"], "start and end of Python"),
        (
            [
                "ask (ROOT/rag/index.py:3)",
                "_find_and_load (<frozen importlib._bootstrap>:1)",
                "<module> (/v/lib/python3.11/site-packages/numpy/__init__.py:1)",
                "<module> (/v/lib/python3.11/site-packages/other.py:1)",
            ],
            "import of numpy",
        ),
        (
            [
                "ask (ROOT/rag/index.py:3)",
                "_run (ROOT/rag/reader.py:9)",
                "run (/v/lib/python3.11/site-packages/onnxruntime/capi/session.py:4)",
            ],
            "`rag/reader.py` _run → onnxruntime",
        ),
    ],
)
def test_a_sample_counts_for_an_import_or_for_our_innermost_function(bench, frames, expected):
    root = str(BENCHMARKS.parent)
    assert bench["profiles"].cause([frame.replace("ROOT", root) for frame in frames]) == expected


@pytest.mark.parametrize("name", ["askers", "chat", "million", "peers", "profiles", "speed"])
def test_without_the_shared_data_a_script_ends_with_one_line(name, tmp_path):
    result = subprocess.run(
        [sys.executable, BENCHMARKS / f"{name}.py"], cwd=tmp_path, text=True, check=False,
        capture_output=True, env={**os.environ, "RAG_SHARED": str(tmp_path / "none")},
    )  # fmt: skip
    assert result.returncode == 1
    assert result.stderr == (
        f"there is no {tmp_path}/none/eval/handbook18f: the evaluation sets are not part of this "
        "project; RAG_SHARED names the folder that they are in (see benchmarks/README.md)\n"
    )
    assert result.stdout == ""


def test_a_command_needs_no_folder_for_its_log(bench, monkeypatch, tmp_path):
    import environments

    monkeypatch.setattr(environments, "BENCH", tmp_path / "bench")
    assert environments.run(sys.executable, "-c", "print()").seconds > 0
    assert (tmp_path / "bench" / "run.log").read_text("utf-8") == ""


def test_every_peer_has_its_pins():
    scripts = {path.stem for path in (BENCHMARKS / "peers").glob("with_*.py")} - {"with_rag"}
    assert scripts == {path.stem for path in PINS}
    assert len(scripts) == 5


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.stem)
def test_pins_are_exact_and_hold_one_torch_without_a_gpu(path):
    lines = path.read_text("utf-8").split()
    assert all(re.fullmatch(r"[\w.-]+==[\w.!+-]+", line) for line in lines)
    assert "torch==2.13.0" in lines
    assert not [line for line in lines if re.match(r"nvidia|cuda|triton", line)]
