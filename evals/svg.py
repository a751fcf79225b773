"""Plots as inline SVG: plain functions from numbers to markup, no script, colours from the page's CSS.

Coordinates: the drawing is `WIDTH` wide; values run from 0 to 1 unless a scale is given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 560
_HEIGHT = 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 26, 14, 44
_ROW = 24
_LABEL = 150
_FIGURES = 92


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar.

    Attributes:
        value: 0-1.
        interval: Drawn as a whisker where there is one.
        note: Behind the value, e.g. how many questions.
    """

    label: str
    value: float
    interval: tuple[float, float] | None
    note: str


def bars(rows: Sequence[Bar], title: str) -> str:
    """Horizontal bars with whiskers."""
    span = WIDTH - _LABEL - _FIGURES
    height = _ROW * len(rows) + 24
    parts = [
        f'<line class="grid" x1="{_LABEL + span * tick / 4:g}" x2="{_LABEL + span * tick / 4:g}" '
        f'y1="0" y2="{height - 20}"/><text class="tick" x="{_LABEL + span * tick / 4:g}" y="{height - 6}" '
        f'text-anchor="middle">{tick / 4:g}</text>'
        for tick in range(5)
    ]
    for number, row in enumerate(rows):
        top = _ROW * number
        middle = top + _ROW / 2
        parts.append(
            f'<text x="{_LABEL - 8}" y="{middle + 4:g}" text-anchor="end">{escape(row.label)}</text>'
            f'<rect class="bar" x="{_LABEL}" y="{top + 5}" width="{span * row.value:.1f}" '
            f'height="{_ROW - 10}"/>'
        )
        if row.interval:
            low, high = (_LABEL + span * end for end in row.interval)
            parts.append(
                f'<path class="whisker" d="M{low:.1f} {middle:g}H{high:.1f}M{low:.1f} {middle - 4:g}v8'
                f'M{high:.1f} {middle - 4:g}v8"/>'
            )
        parts.append(
            f'<text class="figure" x="{WIDTH}" y="{middle + 4:g}" text-anchor="end">'
            f"{row.value:.2f} {escape(row.note)}</text>"
        )
    return _svg(height, title, parts)


@dataclass(frozen=True, slots=True)
class Axes:
    """What a plot's axes say; values from 0 to `x_max` and `y_max`."""

    x_label: str
    y_label: str
    x_max: float = 1.0
    y_max: float = 1.0


def curve(points: Sequence[tuple[float, float]], axes: Axes, title: str, *, diagonal: bool = False) -> str:
    """A line through points, ascending in x; with dots where there are few of them."""
    parts = _frame(axes)
    if diagonal:
        (x0, y0), (x1, y1) = _place(0, 0, axes), _place(axes.x_max, axes.y_max, axes)
        parts.append(f'<line class="ideal" x1="{x0:g}" y1="{y0:g}" x2="{x1:g}" y2="{y1:g}"/>')
    placed = [_place(x, y, axes) for x, y in points]
    if placed:
        parts.append(f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in placed)}"/>')
    if len(placed) <= 12:
        parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in placed]
    return _svg(_HEIGHT, title, parts)


def histogram(values: Sequence[float], axes: Axes, title: str, *, bins: int = 30) -> str:
    """How many values fall into each of equal bins from 0 to `axes.x_max`; larger ones into the last."""
    counts = [0] * bins
    for value in values:
        counts[min(int(value / axes.x_max * bins), bins - 1)] += 1
    top = 4 * math.ceil(max(counts) / 4) or 4
    scaled = Axes(axes.x_label, axes.y_label, axes.x_max, float(top))
    parts = _frame(scaled)
    for number, count in enumerate(counts):
        x0, y = _place(number * axes.x_max / bins, count, scaled)
        x1, base = _place((number + 1) * axes.x_max / bins, 0, scaled)
        width, height = max(x1 - x0 - 1, 1), base - y
        parts.append(
            f'<rect class="bar" x="{x0:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
        )
    return _svg(_HEIGHT, title, parts)


def nice_ceiling(value: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is at least `value` (above 0)."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _place(x: float, y: float, axes: Axes) -> tuple[float, float]:
    wide, tall = WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    return _LEFT + wide * x / axes.x_max, _TOP + tall * (1 - y / axes.y_max)


def _frame(axes: Axes) -> list[str]:
    parts: list[str] = []
    right, bottom = _place(axes.x_max, 0, axes)
    for tick in range(5):
        x, y = _place(axes.x_max * tick / 4, axes.y_max * tick / 4, axes)
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{right:g}" y1="{y:g}" y2="{y:g}"/>'
            f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:g}" text-anchor="end">'
            f'{axes.y_max * tick / 4:.4g}</text><text class="tick" x="{x:g}" y="{bottom + 16:g}" '
            f'text-anchor="middle">{axes.x_max * tick / 4:.4g}</text>'
        )
    middle = (_LEFT + right) / 2
    parts.append(
        f'<text x="{middle:g}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(axes.x_label)}</text>'
        f'<text transform="translate(14 {(_TOP + bottom) / 2:g}) rotate(-90)" text-anchor="middle">'
        f"{escape(axes.y_label)}</text>"
    )
    return parts


def _svg(height: int, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )
