"""``benchmarks/RESULTS.md`` and its charts, made of what the sections kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks import charts, optional
from benchmarks.results import Section, Table

HERE = Path(__file__).parent
RESULTS, CHARTS = HERE / "RESULTS.md", HERE / "charts"
INTRODUCTION = """# Results of `make bench`

This page is written by `make bench`; [README.md](README.md) says what is measured, and how to
repeat it. Only the ratios of one run mean something on another machine: the contestants of a
table took turns, so that what else the machine did struck all alike.
"""
MARKS = {True: "met", False: "**not met**", None: "not measured"}


def written(sections: Iterable[Section]) -> None:
    """Write the page and draw the charts."""
    found = list(sections)
    RESULTS.write_text("\n".join(_page(found)).rstrip() + "\n", "utf-8")
    for section in found:
        for chart in section.charts:
            charts.draw(chart, CHARTS)


def _page(sections: list[Section]) -> Iterator[str]:
    yield INTRODUCTION
    if any(section.quick for section in sections):
        yield "Some sections are of a **quick run** (`QUICK=1`): smaller data, shorter timings.\n"
    yield from _targets(sections)
    for section in sections:
        yield from _section(section)
    yield from _machine(sections)


def _targets(sections: list[Section]) -> Iterator[str]:
    """What was promised, first: met or not."""
    rows = [
        [one.promise, one.measured, MARKS[one.met]] for each in sections for one in each.targets
    ]
    if rows:
        yield "## What was promised\n"
        yield from _table(Table("", ["promise", "measured", ""], rows))
    missed = sum(row[-1] == MARKS[False] for row in rows)
    if missed:
        yield f"{missed} of {len(rows)} targets are not met in this run.\n"


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}\n"
    yield section.about.strip() + "\n"
    for chart in section.charts:
        yield f"![{chart.title}, {chart.unit}](charts/{chart.name}.svg)\n"
    for table in section.tables:
        yield from _table(table)
    if section.problems:
        yield "What could not be measured, or failed:\n"
        yield from (f"- {problem}" for problem in section.problems)
        yield ""
    at = section.machine
    kind = ", a quick run" if section.quick else ""
    yield (
        f"<sub>{at.get('time', '')}, load before {at.get('load', '')}; "
        f"took {section.took:.0f} s{kind}.</sub>\n"
    )


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield f"### {table.title}\n"
    first = "| " + " | ".join(table.columns) + " |"
    rule = "| --- |" + " ---: |" * (len(table.columns) - 1)
    rows = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in table.rows]
    yield "\n".join([first, rule, *rows]) + "\n"
    if table.note:
        yield table.note + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _machine(sections: list[Section]) -> Iterator[str]:
    """What the numbers depend on."""
    if not sections:
        return
    known = sections[-1].machine
    yield "## The machine and the versions\n"
    for name in ("processor", "system", "Python"):
        yield f"- {name}: {known.get(name, 'unknown')}"
    for name, version in optional.versions().items():
        yield f"- {name}: {version}"
    for name in ("granian", "flask", "sqlalchemy"):
        yield f"- {name}: {optional.version(name)}"
    yield ""
