"""Charts as SVG: text stays text, and the colours follow the reader's light or dark page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style

from benchmarks.results import Chart

OURS = "ours"
INK, OWN, OTHER = "#57606a", "#0969da", "#8c959f"
SERIES = ("#0969da", "#bf8700", "#1a7f37", "#8250df", "#cf222e", "#8c959f")
STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground=INK,
    foreground_strong=INK,
    foreground_subtle=INK,
    font_family="system-ui, sans-serif",
    colors=SERIES,
    opacity="1",
    opacity_hover="1",
    title_font_size=16,
    label_font_size=13,
    major_label_font_size=13,
    legend_font_size=13,
    value_font_size=12,
    value_label_font_size=12,
    no_data_font_size=13,
)
DARK = """
@media (prefers-color-scheme: dark) {
  text, .title, .legend text, .axis text, .text-overlay text { fill: #c9d1d9 !important; }
  .axis .line, .axis path, .guides { stroke: #6e7681 !important; }
}
"""
WIDTH, ROW, AROUND = 760, 34, 90


def draw(chart: Chart, folder: Path) -> Path:
    """Write the chart; the same findings give the same file."""
    made = _lines(chart) if chart.lines else _bars(chart)
    text = made.render(is_unicode=True)
    text = re.sub(r"chart-[0-9a-f-]{36}", f"chart-{chart.name}", text)
    text = re.sub(r"<script[^>]*>.*?</script>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = text.replace("</style>", f"{DARK}</style>", 1)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{chart.name}.svg"
    path.write_text(text + "\n", "utf-8")
    return path


def _options(chart: Chart) -> dict[str, Any]:
    return {
        "style": STYLE,
        "title": f"{chart.title} ({chart.unit})",
        "logarithmic": True,
        "js": [],
        "width": WIDTH,
        "pretty_print": False,
        "no_prefix": True,
        "disable_xml_declaration": True,
        "value_formatter": _short,
        "margin": 12,
    }


def _bars(chart: Chart) -> Any:
    """A bar a label, shortest first, ours in a colour of its own; the number beside it."""
    ranked = sorted(chart.bars.items(), key=lambda item: -item[1])
    height = AROUND + ROW * len(ranked)
    made = pygal.HorizontalBar(
        **_options(chart),
        height=height,
        show_legend=False,
        print_values=True,
        print_values_position="top",
        show_x_labels=True,
    )
    made.x_labels = [name for name, _ in ranked]
    made.add(
        chart.unit,
        [{"value": value, "color": OWN if OURS in name else OTHER} for name, value in ranked],
    )
    return made


def _lines(chart: Chart) -> Any:
    """A line a series, both axes logarithmic."""
    made = pygal.XY(
        **_options(chart),
        height=380,
        legend_at_bottom=True,
        legend_at_bottom_columns=3,
        x_title=chart.x,
        show_y_guides=True,
        dots_size=4,
        xrange=None,
    )
    made.x_value_formatter = _short
    for name, points in chart.lines.items():
        made.add(name, [(x, y) for x, y in points])
    return made


def _short(value: float) -> str:
    if value >= 1000:  # noqa: PLR2004 (thousands set apart)
        return f"{value:,.0f}"
    return f"{value:.3g}"
