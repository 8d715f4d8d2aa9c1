"""Charts as SVG: text stays text, and the colours follow the reader's light or dark page.

Drawn by hand: a bar a label or a line a series on a logarithmic axis is all that is needed, and
the same findings give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from math import ceil, floor, log10
from pathlib import Path

from benchmarks.results import Chart

OURS = "ours"
WIDTH, LEFT, RIGHT = 760, 270, 90
TOP, ROW, BAR = 52, 30, 18
HEIGHT, BOTTOM, SIDE = 380, 60, 92
KEY = 190
COLOURS = ("#0969da", "#bf8700", "#1a7f37", "#cf222e")
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 16px; font-weight: 600; }
.axis { stroke: #8c959f; stroke-opacity: .45; }
.own { fill: #0969da; } .other { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .own { fill: #4493f8; } .other { fill: #6e7681; }
}
</style>"""


def draw(chart: Chart, folder: Path) -> Path:
    """Write the chart's file."""
    parts = list(_lines(chart) if chart.lines else _bars(chart))
    height = HEIGHT if chart.lines else TOP + ROW * len(chart.bars) + 12
    title = escape(f"{chart.title} ({chart.unit}, logarithmic)")
    whole = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
            f' width="{WIDTH}" height="{height}" aria-label="{title}">'
        ),
        STYLE,
        _text(12, 26, title, "title"),
        *parts,
        "</svg>",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{chart.name}.svg"
    path.write_text("\n".join(whole) + "\n", "utf-8")
    return path


def _bars(chart: Chart) -> Iterator[str]:
    """A bar a label, the shortest first, ours in a colour of its own, its number beside it."""
    ranked = sorted(chart.bars.items(), key=lambda item: item[1])
    scale = _Scale([value for _, value in ranked], LEFT, WIDTH - RIGHT)
    for place, (name, value) in enumerate(ranked):
        y = TOP + ROW * place
        kind = "own" if OURS in name else "other"
        wide = scale.at(value) - LEFT
        yield _text(LEFT - 8, y + 14, escape(name.replace("`", "")), anchor="end")
        yield f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{wide:.1f}" height="{BAR}" rx="2"/>'
        yield _text(LEFT + wide + 6, y + 14, _short(value))


def _lines(chart: Chart) -> Iterator[str]:
    """A line a series, both axes logarithmic."""
    points = [point for line in chart.lines.values() for point in line]
    across = _Scale([x for x, _ in points], SIDE, WIDTH - KEY)
    up = _Scale([y for _, y in points], HEIGHT - BOTTOM, TOP)
    for value in up.marks():
        y = up.at(value)
        yield f'<path class="axis" d="M{SIDE} {y:.1f}H{WIDTH - KEY}"/>'
        yield _text(SIDE - 8, y + 4, _short(value), anchor="end")
    for value in across.marks():
        yield _text(across.at(value), HEIGHT - BOTTOM + 20, _short(value), anchor="middle")
    yield _text((SIDE + WIDTH - KEY) / 2, HEIGHT - 14, escape(chart.x), anchor="middle")
    for number, (name, line) in enumerate(chart.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        placed = [(across.at(x), up.at(y)) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        yield f'<polyline fill="none" stroke="{colour}" stroke-width="2.5" points="{path}"/>'
        for x, y in placed:
            yield f'<circle fill="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
        y = TOP + 8 + 22 * number
        yield f'<rect fill="{colour}" x="{WIDTH - KEY + 14}" y="{y}" width="12" height="12"/>'
        yield _text(WIDTH - KEY + 32, y + 11, escape(name))


class _Scale:
    """Where a value stands between two places, by its logarithm, from one power of ten on."""

    def __init__(self, values: list[float], first: float, last: float) -> None:
        known = [value for value in values if value > 0] or [1.0]
        self.low = floor(log10(min(known)))
        self.high = max(ceil(log10(max(known))), self.low + 1)
        self.first, self.last = first, last

    def at(self, value: float) -> float:
        """The place of a value; what is no positive number stands at the begin."""
        part = (log10(value) - self.low) / (self.high - self.low) if value > 0 else 0.0
        return self.first + part * (self.last - self.first)

    def marks(self) -> list[float]:
        """The powers of ten."""
        return [10.0**power for power in range(self.low, self.high + 1)]


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _short(value: float) -> str:
    """Three figures at most, thousands set apart."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 (three figures)
