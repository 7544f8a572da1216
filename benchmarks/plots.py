"""Bar charts as SVG, drawn by hand: no library, small files, readable in light and dark.

    python benchmarks/plots.py      draws benchmarks/out/peers.json into benchmarks/pictures/

The colours follow the reader's own light or dark setting.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "out" / "peers.json"
PICTURES = HERE / "pictures"

_WIDTH, _LABEL, _ROW, _BAR, _TOP = 740, 300, 30, 18, 56
_STYLE = """
text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 } .note { fill: #59636e; font-size: 12px }
.paper { fill: #ffffff; stroke: #d1d9e0 } .ours { fill: #0969da } .peer { fill: #8c959f }
.spread { stroke: #1f2328; stroke-width: 1.5 } .bold { font-weight: 600 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .note { fill: #9198a1 } .paper { fill: #0d1117; stroke: #3d444d }
  .ours { fill: #4493f8 } .peer { fill: #656c76 } .spread { stroke: #f0f6fc }
}
"""


@dataclass(frozen=True)
class Bar:
    """One row of a chart.

    Attributes:
        label: what it is.
        value: its length.
        low: least of what was measured; with `high`, drawn as a line.
        high: most of it.
        shown: the figure as text.
        ours: drawn in colour.
    """

    label: str
    value: float
    low: float
    high: float
    shown: str
    ours: bool


def chart(title: str, note: str, bars: Sequence[Bar]) -> str:
    """A horizontal bar chart that begins at zero, as the text of an SVG file."""
    height = _TOP + _ROW * len(bars) + 14
    room = _WIDTH - _LABEL - 110
    longest = max((max(bar.value, bar.high) for bar in bars), default=0) or 1
    described = "; ".join(f"{bar.label}: {bar.shown}" for bar in bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}</title><desc id="desc">{escape(described)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" x=".5" y=".5" width="{_WIDTH - 1}" height="{height - 1}" rx="8"/>',
        f'<text class="title" x="16" y="25">{escape(title)}</text>',
        f'<text class="note" x="16" y="43">{escape(note)}</text>',
    ]
    for row, bar in enumerate(bars):
        top = _TOP + row * _ROW
        middle, text = top + _BAR / 2 + 3, top + _BAR / 2 + 7.5
        length, least, most = (room * x / longest for x in (bar.value, bar.low, bar.high))
        kind, weight = ("ours", " bold") if bar.ours else ("peer", "")
        parts += [
            f'<text class="label{weight}" x="{_LABEL - 10}" y="{text}" text-anchor="end">'
            f"{escape(bar.label)}</text>",
            f'<rect class="{kind}" x="{_LABEL}" y="{top + 3}" width="{max(length, 1):.1f}" '
            f'height="{_BAR}" rx="2"/>',
            f'<line class="spread" x1="{_LABEL + least:.1f}" x2="{_LABEL + most:.1f}" '
            f'y1="{middle}" y2="{middle}"/>',
            f'<text class="value{weight}" x="{_LABEL + max(length, most) + 8:.1f}" y="{text}">'
            f"{escape(bar.shown)}</text>",
        ]
    return "\n".join([*parts, "</svg>\n"])


def write(name: str, title: str, note: str, bars: Sequence[Bar]) -> None:
    """Write a chart into `benchmarks/pictures/`."""
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / f"{name}.svg").write_text(chart(title, note, bars), "utf-8")


def main() -> None:
    """Draw what the last run of `peers.py` has measured."""
    from peer_tables import draw

    draw(json.loads(RESULTS.read_text("utf-8")))


if __name__ == "__main__":
    main()
