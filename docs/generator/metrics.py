"""The metrics, from what counts them and what looks them up."""

from __future__ import annotations

import re

from authz.counters import Metric
from authz.measures import COUNTED, GATEWAY
from authz.middleware.gateway.tally import REASONS
from authz.service.gauges import GAUGES, UP, UP_ABOUT
from docs.generator.markdown import table, tick

INTRO = """\
# Metrics

`GET /metrics` gives them in the text format of Prometheus, to whoever has a token of scope
`audit:read` or that of `AUTHZ_METRICS_TOKEN`. All processes of a service on one machine are added
up. No label is a person, an account or anything else that a caller makes up. How to
[watch the service](../how-to/watch-the-service.md) by them.
"""
OF_GATEWAY = """\
## The gateway

`authz gateway` tells how it answers at `GET /.authz/metrics`, to whoever has the token of
`metrics_token` in its [file of routes](routes.md); without one, there is no such path. All its
workers are added up. What it says of itself below `/.authz` is not counted. How to
[watch it](../how-to/put-a-gateway-in-front.md#watch-it).
"""
_USED = re.compile(r"\bauthz_[a-z_]+")
_PARTS = re.compile("_(bucket|sum|count)$")


def rows() -> list[tuple[str, str, str, str]]:
    """Name, kind, labels and meaning of each that the service tells."""
    looked = [(each.name, "gauge", each.labels, each.about) for each in GAUGES]
    return [
        *(_row(each) for each in COUNTED),
        *(_told(*each) for each in (*looked, (UP, "gauge", (), UP_ABOUT))),
    ]


def names() -> list[str]:
    """All names."""
    return [name.strip("`") for name, _, _, _ in rows()]


def used(page: str) -> set[str]:
    """The metrics that a page speaks of."""
    known = set(names())
    return {name if name in known else _PARTS.sub("", name) for name in _USED.findall(page)}


def _row(metric: Metric) -> tuple[str, str, str, str]:
    return _told(metric.name, metric.kind, metric.labels, metric.about)


def _told(name: str, kind: str, labels: tuple[str, ...], about: str) -> tuple[str, str, str, str]:
    return tick(name), kind, ", ".join(map(tick, labels)), about


def page() -> str:
    """The page of all metrics."""
    head = ["metric", "kind", "labels", "what it tells"]
    reasons = [
        (tick(outcome), tick(reason), about)
        for outcome, known in REASONS.items()
        for reason, about in known.items()
    ]
    parts = [INTRO, table(head, rows()), OF_GATEWAY, table(head, [_row(GATEWAY)])]
    return "\n".join([*parts, table(["outcome", "reason", "what it means"], reasons)])
