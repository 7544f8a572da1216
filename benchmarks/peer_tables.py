"""Results of `peers.py` as Markdown tables, ratios first, and as charts."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import plots
from environments import OURS, PEERS
from peer_quality import LAST_TURN

TITLES = {system.name: system.title for system in (OURS, *PEERS)}
Figures = Mapping[str, Any]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the others do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def tables(results: Figures) -> str:
    """All tables that the results have figures for."""
    makers: dict[str, Callable[[Figures], str]] = {
        "cold": _cold,
        "warm": _warm,
        "batch": _batch,
        "build": _build,
        "start": _start,
        "quality": _quality,
    }
    parts = [make(results[name]) for name, make in makers.items() if name in results]
    lines = [f"- {TITLES[name]}: {found}" for name, found in results["versions"].items()]
    parts.append("### Versions\n\n" + "\n".join(lines))
    return "\n\n".join([f"Measured {results['machine']}.", *parts]) + "\n"


def draw(results: Figures) -> None:
    """The charts."""
    if "cold" in results:
        found = results["cold"]
        plots.write(
            "cold",
            "From a cold process to the first hit",
            f"{found['chunks']:,} chunks; seconds, median and range; less is better",
            _bars(found["s"], "{:.2f} s"),
        )
    if "warm" in results:
        found = results["warm"]
        middle = {
            name: [percentile(ms, 0.05), statistics.median(ms), percentile(ms, 0.95)]
            for name, ms in found["ms"].items()
        }
        plots.write(
            "warm",
            "One query after the other",
            f"{found['chunks']:,} chunks; milliseconds, median, 5th to 95th percentile; "
            "less is better",
            _bars(middle, "{:.1f} ms"),
        )
    if "build" in results:
        found = results["build"]
        plots.write(
            "build",
            "Indexing",
            f"{found['chunks']:,} chunks of real documents; chunks a second, median and range; "
            "more is better",
            _bars(found["chunks/s"], "{:.0f}", best_first=True),
        )
    for name, found in results.get("quality", {}).items():
        measure = "nDCG@10" if name == "xquad" else "nDCG@5"
        three = {
            s: [v[measure][1], v[measure][0], v[measure][2]] for s, v in found["systems"].items()
        }
        plots.write(
            f"quality-{name}",
            f"{measure} on {name}",
            f"{found['queries']:,} queries, {found['passages']:,} passages; mean and 95 % "
            "interval; more is better",
            _bars(three, "{:.3f}", best_first=True),
        )


def _bars(
    values: Mapping[str, Sequence[float]], form: str, best_first: bool = False
) -> list[plots.Bar]:
    bars = [
        plots.Bar(
            label=TITLES.get(name, name),
            value=statistics.median(own),
            low=min(own),
            high=max(own),
            shown=form.format(statistics.median(own)),
            ours=name.startswith("rag"),
        )
        for name, own in values.items()
    ]
    return sorted(bars, key=lambda bar: -bar.value if best_first else bar.value)


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]
    return f"### {title}\n\n" + "\n".join(lines)


def _spread(values: Sequence[float], form: str) -> str:
    return f"{form} to {form}".format(min(values), max(values))


def _times(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:.0f}"


def _cold(found: Figures) -> str:
    ours = statistics.median(found["s"]["rag retrieve"])
    asked = statistics.median(found["s"]["rag ask"])
    rows = []
    for name, values in sorted(found["s"].items(), key=lambda item: statistics.median(item[1])):
        middle = statistics.median(values)
        rows.append(
            [
                TITLES.get(name, f"`{name}`"),
                _times(middle / ours),
                _times(middle / asked),
                f"{middle:.2f}",
                _spread(values, "{:.2f}"),
                f"{statistics.median(found['CPU s'][name]):.2f}",
                f"{found['MB'][name]:.0f}",
            ]
        )
    header = [
        "cold process",
        "× `rag retrieve`",
        "× `rag ask`",
        "seconds",
        "range",
        "CPU s",
        "peak MB",
    ]
    return _table(f"Cold, {found['chunks']:,} chunks", header, rows)


def _warm(found: Figures) -> str:
    ours = statistics.median(found["ms"][OURS.name])
    rows = []
    for name, values in sorted(found["ms"].items(), key=lambda item: statistics.median(item[1])):
        middle, late = statistics.median(values), percentile(values, 0.95)
        rows.append(
            [
                TITLES[name],
                _times(middle / ours),
                f"{middle:.1f}",
                f"{late:.1f}",
                f"{late / middle:.2f}",
            ]
        )
    count = len(found["ms"][OURS.name])
    header = ["warm", "× ours", "p50 ms", "p95 ms", "p95 / p50"]
    return _table(f"Warm, {found['chunks']:,} chunks, {count} queries", header, rows)


def _batch(found: Figures) -> str:
    return "\n\n".join(_batch_of(figures) for figures in found.values())


def _batch_of(found: Figures) -> str:
    rates = {name: statistics.median(values) for name, values in found["queries/s"].items()}
    titles = {**TITLES, OURS.name: "`rag retrieve --batch`, from start to end of the process"}
    if alone := found.get("one by one"):
        titles["alone"] = "rag, one by one in a warm process"
        rates["alone"] = alone
    rows = [
        [titles[name], f"{rate / rates[OURS.name]:.2f}", f"{rate:.0f}"]
        for name, rate in sorted(rates.items(), key=lambda item: -item[1])
    ]
    header = ["all at once", "× ours", "queries a second"]
    return _table(f"Batch of {found['queries']:,} queries", header, rows)


def _build(found: Figures) -> str:
    rates = found["chunks/s"]
    ours = statistics.median(rates[OURS.name])
    rows = [
        [
            "`rag build`, everything" if name == OURS.name else TITLES.get(name, name),
            f"{ours / statistics.median(values):.2f}",
            f"{statistics.median(values):.1f}",
            _spread(values, "{:.1f}"),
        ]
        for name, values in sorted(rates.items(), key=lambda item: -statistics.median(item[1]))
    ]
    header = ["indexing", "`rag build` is × as fast", "chunks a second", "range"]
    return _table(f"Build, {found['chunks']:,} chunks of real documents", header, rows)


def _start(found: Figures) -> str:
    rows = [
        [f"`{name}`", f"{found[name]:.3f}", f"{found[name] + found['python']:.3f}"]
        for name in ("import rag", "rag --help")
    ]
    return _table("Start", ["CPU seconds", "beyond Python's own", "in all"], rows)


def _quality(found: Figures) -> str:
    parts = []
    for name, own in found.items():
        measures = next(iter(own["systems"].values())).keys()
        titles = {**TITLES, LAST_TURN: "rag, last turn alone"}
        rows = [
            [
                titles[system],
                *("{:.3f} [{:.3f}, {:.3f}]".format(*values[measure]) for measure in measures),
            ]
            for system, values in sorted(
                own["systems"].items(), key=lambda item: -item[1]["nDCG@5"][0]
            )
        ]
        title = f"Quality on {name}, {own['queries']:,} queries, {own['passages']:,} passages"
        parts.append(_table(title, ["", *measures], rows))
    return "\n\n".join(parts)
