"""What was counted in the text format of Prometheus, version 0.0.4 (4.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from authz import counters
from authz.counters import Histogram, Metric

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
"""The media type."""


def counted(metrics: Iterable[Metric]) -> list[str]:
    """The lines of these, of all processes that count together."""
    found = counters.totals()
    return [line for metric in metrics for line in _of(metric, found)]


def _of(metric: Metric, found: Mapping[counters.Key, int]) -> Iterator[str]:
    yield from head(metric.name, metric.about, metric.kind)
    known = counters.series(metric, found) or ([()] if not metric.labels else [])
    for labels in known:
        if isinstance(metric, Histogram):
            yield from _buckets(metric, labels, found)
        else:
            value = counters.value_of(metric, labels, found)
            yield line(metric.name, metric.labels, labels, value)


def _buckets(
    metric: Histogram, labels: tuple[str, ...], found: Mapping[counters.Key, int]
) -> Iterator[str]:
    names, count = (*metric.labels, "le"), 0
    for bound in metric.bounds:
        count += found.get((f"{metric.name}/{bound}", labels), 0)
        yield line(f"{metric.name}_bucket", names, (*labels, _number(bound / metric.unit)), count)
    count += found.get((f"{metric.name}/more", labels), 0)
    yield line(f"{metric.name}_bucket", names, (*labels, "+Inf"), count)
    total = found.get((f"{metric.name}/sum", labels), 0) / metric.unit
    yield line(f"{metric.name}_sum", metric.labels, labels, total)
    yield line(f"{metric.name}_count", metric.labels, labels, count)


def head(name: str, about: str, kind: str) -> list[str]:
    """What a metric is."""
    told = about.replace("\\", "\\\\").replace("\n", "\\n")
    return [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]


def line(name: str, labels: Sequence[str], values: Sequence[str], value: float) -> str:
    """One sample."""
    pairs = ",".join(f'{a}="{_escaped(b)}"' for a, b in zip(labels, values, strict=True))
    return f"{name}{{{pairs}}} {_number(value)}" if pairs else f"{name} {_number(value)}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
