"""The metrics, from what counts them and what looks them up."""

from __future__ import annotations

import re

from authz.measures import COUNTED
from authz.service.gauges import GAUGES, UP, UP_ABOUT
from docs.generator.markdown import table, tick

INTRO = """\
# Metrics

`GET /metrics` gives them in the text format of Prometheus, to whoever has a token of scope
`audit:read` or that of `AUTHZ_METRICS_TOKEN`. All processes of a service on one machine are added
up. No label is a person, an account or anything else that a caller makes up. How to
[watch the service](../how-to/watch-the-service.md) by them.
"""
_USED = re.compile(r"\bauthz_[a-z_]+")
_PARTS = re.compile("_(bucket|sum|count)$")


def rows() -> list[tuple[str, str, str, str]]:
    """Name, kind, labels and meaning of each."""
    counted = [(each.name, each.kind, each.labels, each.about) for each in COUNTED]
    looked = [(each.name, "gauge", each.labels, each.about) for each in GAUGES]
    return [
        (tick(name), kind, ", ".join(map(tick, labels)), about)
        for name, kind, labels, about in (*counted, *looked, (UP, "gauge", (), UP_ABOUT))
    ]


def names() -> list[str]:
    """All names."""
    return [name.strip("`") for name, _, _, _ in rows()]


def used(page: str) -> set[str]:
    """The metrics that a page speaks of."""
    known = set(names())
    return {name if name in known else _PARTS.sub("", name) for name in _USED.findall(page)}


def page() -> str:
    """The page of all metrics."""
    return INTRO + "\n" + table(["metric", "kind", "labels", "what it tells"], rows())
