"""Small line plots as SVG, in a page or alone: no library, no script, the colours around them."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Range = tuple[float, float]

_WIDTH, _HEIGHT = 420, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 44
_TICKS = 5
_COLOURS = ("#2f6fb0", "#c4572e", "#3a8f5a", "#8a5aa8", "#9a7b1d", "#5b6470")


@dataclass(frozen=True)
class Series:
    """One line, or marks only.

    Attributes:
        name: what the legend calls it; "" leaves it out of the legend.
        points: (x, y) in the order of the line.
        intervals: for each point the ends of a vertical bar through it; none if empty.
        labels: for each point what is written beside it; nothing if empty.
        line: whether the points are joined.
        marks: whether each point has a dot.
    """

    name: str
    points: Sequence[tuple[float, float]]
    intervals: Sequence[Range] = ()
    labels: Sequence[str] = ()
    line: bool = True
    marks: bool = True


def plot(
    title: str,
    series: Sequence[Series],
    x_label: str,
    y_label: str,
    x_range: Range = (0.0, 1.0),
    y_range: Range = (0.0, 1.0),
    *,
    diagonal: bool = False,
) -> str:
    """An `<svg>` element with axes, a legend, and a title for those who cannot see it.

    Args:
        title: what a screen reader says.
        series: what is drawn, each in a colour of its own.
        x_label: written below the x axis.
        y_label: written beside the y axis.
        x_range: what the x axis spans; ends must differ.
        y_range: what the y axis spans; ends must differ.
        diagonal: draw a dashed line from corner to corner, where y equals x.
    """

    def at(x: float, y: float) -> tuple[float, float]:
        across = (x - x_range[0]) / (x_range[1] - x_range[0])
        up = (y - y_range[0]) / (y_range[1] - y_range[0])
        return (
            _LEFT + across * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="11" '
        'fill="currentColor">'
    ]
    for value in np.linspace(*x_range, _TICKS + 1).tolist():
        (x, bottom), (_, top) = at(value, y_range[0]), at(value, y_range[1])
        parts.append(_line(x, bottom, x, top, 'stroke="currentColor" opacity=".15"'))
        parts.append(_text(x, bottom + 14, f"{value:.4g}", "middle"))
    for value in np.linspace(*y_range, _TICKS + 1).tolist():
        (left, y), (right, _) = at(x_range[0], value), at(x_range[1], value)
        parts.append(_line(left, y, right, y, 'stroke="currentColor" opacity=".15"'))
        parts.append(_text(left - 5, y + 4, f"{value:.3g}", "end"))
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, x_label, "middle"))
    parts.append(
        f'<text transform="translate(13 {middle:.1f}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>"
    )
    if diagonal:
        ends = (*at(x_range[0], y_range[0]), *at(x_range[1], y_range[1]))
        parts.append(_line(*ends, 'stroke="currentColor" opacity=".5" stroke-dasharray="4 4"'))
    named = 0
    for number, one in enumerate(series):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = [at(x, y) for x, y in one.points]
        bars = [
            (at(x, low), at(x, high))
            for (x, _), (low, high) in zip(one.points, one.intervals, strict=False)
        ]
        parts += [_line(*low, *high, f'stroke="{colour}" opacity=".5"') for low, high in bars]
        if one.line:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
            parts.append(
                f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            )
        if one.marks:
            parts += [
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in placed
            ]
        parts += [
            _text(x - 6, y - 7, label, "end")
            for (x, y), label in zip(placed, one.labels, strict=False)
        ]
        if one.name:
            y = _TOP + 14 + 15 * named
            parts.append(f'<circle cx="{_LEFT + 14}" cy="{y - 4}" r="4" fill="{colour}"/>')
            parts.append(_text(_LEFT + 24, y, one.name, "start"))
            named += 1
    return "\n".join([*parts, "</svg>\n"])


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
