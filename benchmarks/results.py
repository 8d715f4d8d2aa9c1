"""What a section of the benchmark found: tables, charts and targets, kept as one JSON file each.

Each section is a run of its own that writes its file at its end, or what it has when it fails,
so that the report can be made of whatever there is.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from authz import clock
from benchmarks import optional

FOLDER = optional.VAR / "results"


@dataclass
class Table:
    """Rows under headings; all is text by now."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""


@dataclass
class Chart:
    """Bars (one value a label) or lines (points by series), on a logarithmic axis."""

    name: str
    title: str
    unit: str
    bars: dict[str, float] = field(default_factory=dict)
    lines: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    x: str = ""


@dataclass
class Target:
    """A ratio that the project promises itself, and what was measured; None was not measured."""

    promise: str
    measured: str
    met: bool | None


@dataclass
class Section:
    """One section's findings. ``problems`` are engines that failed, and the section's own end."""

    name: str
    title: str
    about: str
    tables: list[Table] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    machine: dict[str, str] = field(default_factory=dict)
    quick: bool = False
    took: float = 0.0

    def keep(self) -> None:
        """Write the file, in one step."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        path = FOLDER / f"{self.name}.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), "utf-8")
        fresh.replace(path)


def kept(name: str) -> Section | None:
    """What the last run of a section found."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    found["tables"] = [Table(**one) for one in found["tables"]]
    found["charts"] = [Chart(**one) for one in found["charts"]]
    found["targets"] = [Target(**one) for one in found["targets"]]
    return Section(**found)


def forget(name: str) -> None:
    """Remove what an earlier run found, so that it is not taken for this one's."""
    (FOLDER / f"{name}.json").unlink(missing_ok=True)


def target(promise: str, value: float | None, limit: float, *, at_least: bool = False) -> Target:
    """A promise of a ratio: at most the limit, or at least it."""
    if value is None:
        return Target(promise, "not measured", None)
    met = value >= limit if at_least else value <= limit
    return Target(promise, f"{value:,.2f}" if value < LARGE else f"{value:,.0f}", met)


LARGE = 100


def machine() -> dict[str, str]:
    """What the numbers depend on: processor, cores, load now, versions, time."""
    cpu = next(
        (
            line.split(":", 1)[1].strip()
            for line in _read("/proc/cpuinfo").splitlines()
            if line.startswith("model name")
        ),
        platform.processor() or platform.machine(),
    )
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    now = clock.now()
    return {
        "processor": f"{cpu}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "load": load,
        "time": f"{now:%Y-%m-%d %H:%M} UTC",
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""
