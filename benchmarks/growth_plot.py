"""Growth from ten thousand to a million chunks as one SVG, drawn by hand."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path
from typing import Any

PICTURE = Path(__file__).resolve().parent / "pictures" / "growth.svg"

PANELS = (
    ("retrieve: p50; p95", "ms", ("retrieve_p50_ms", "retrieve_p95_ms")),
    ("open", "ms", ("open_ms",)),
    ("build without encoder; 100 files more", "s", ("build_s", "add_s")),
    ("memory: asking; peak of the build", "MB", ("resident_mb", "build_peak_mb")),
)
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 370, 230, 54, 64, 40, 34
_STYLE = """
text { font: 12px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 13px; font-weight: 600 } .note { fill: #59636e }
.paper { fill: #ffffff; stroke: #d1d9e0 } .grid { stroke: #d1d9e0 }
.line0 { stroke: #0969da; fill: none; stroke-width: 2 } .dot0 { fill: #0969da }
.line1 { stroke: #bc4c00; fill: none; stroke-width: 2; stroke-dasharray: 5 3 }
.dot1 { fill: #bc4c00 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .note { fill: #9198a1 } .paper { fill: #0d1117; stroke: #3d444d }
  .grid { stroke: #3d444d } .line0 { stroke: #4493f8 } .dot0 { fill: #4493f8 }
  .line1 { stroke: #db6d28 } .dot1 { fill: #db6d28 }
}
"""


def draw(figures: dict[str, dict[str, Any]]) -> None:
    """Write the picture: both axes logarithmic, every point with its figure."""
    width, height = 2 * _WIDTH, 2 * _HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-labelledby="title">',
        '<title id="title">How latency, opening, building and memory grow with the chunks</title>',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8"/>',
    ]
    for number, (title, unit, names) in enumerate(PANELS):
        x, y = (number % 2) * _WIDTH, (number // 2) * _HEIGHT
        parts.append(f'<g transform="translate({x},{y})">{_panel(title, unit, names, figures)}</g>')
    PICTURE.write_text("\n".join([*parts, "</svg>\n"]), "utf-8")


def _panel(title: str, unit: str, names: tuple[str, ...], figures: dict[str, Any]) -> str:
    built = sorted(
        (own for own in figures.values() if "chunks" in own), key=lambda own: own["chunks"]
    )
    sizes = [own["chunks"] for own in built]
    lines = [[(own["chunks"], own[name]) for own in built if name in own] for name in names]
    values = [value for line in lines for _, value in line if value > 0]
    if not values:
        return ""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values) * 1.01))
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def place(size: float, value: float) -> tuple[float, float]:
        right, up = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        across = (math.log10(size) - first) / (last - first) if last > first else 0.5
        return (
            _LEFT + right * across,
            _HEIGHT - _BOTTOM - up * (math.log10(max(value, 10**low)) - low) / (high - low),
        )

    parts = [f'<text class="title" x="{_LEFT - 38}" y="24">{escape(title)} ({unit})</text>']
    for power in range(low, high + 1):
        _, y = place(sizes[0], 10**power)
        parts += [
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
            f'<text class="note" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
            f"{10.0**power:g}</text>",
        ]
    for size in sizes:
        x, _ = place(size, 10**low)
        parts.append(
            f'<text class="note" x="{x:.1f}" y="{_HEIGHT - 12}" text-anchor="middle">'
            f"{size:,}</text>"
        )
    for number, line in enumerate(lines):
        points = [place(*point) for point in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="line{number}" points="{path}"/>')
        for (x, y), (size, value) in zip(points, line, strict=True):
            # Of two lines the lower one has its figures below.
            others = [own for line in lines for at, own in line if at == size]
            below = 17 if len(others) > 1 and value == min(others) else -8
            parts += [
                f'<circle class="dot{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>',
                f'<text class="dot{number}" x="{x + 5:.1f}" y="{y + below:.1f}">'
                f"{f'{value:.3g}' if value < 100 else f'{value:,.0f}'}</text>",
            ]
    return "".join(parts)
