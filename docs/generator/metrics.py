"""The metrics, from what counts them and what looks them up."""

from __future__ import annotations

import re
from collections.abc import Mapping

from authz.api import forward_tally
from authz.counters import Metric
from authz.measures import COUNTED, FORWARDED, GATEWAY
from authz.middleware.gateway import tally
from authz.service.gauges import GAUGES, UP, UP_ABOUT
from docs.generator.markdown import table, tick

INTRO = """\
# Metrics

`GET /metrics` gives them in the text format of Prometheus, to whoever has a token of scope
`audit:read` or that of `AUTHZ_METRICS_TOKEN`. All processes of a service on one machine are added
up. No label is a person, an account or anything else that a caller makes up. How to
[watch the service](../how-to/watch-the-service.md) by them.
"""
OF_FORWARD_AUTH = f"""\
## Forward-auth

`{FORWARDED.name}` of the service says what a proxy was answered, and why. A proxy itself
is told less: 200, 401, 403 or 503. What is no path or method of `/forward-auth` at all is among
`authz_http_problems_total`. How to [ask from a proxy](../how-to/ask-from-a-proxy.md).
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
    parts = [INTRO, table(head, rows()), OF_FORWARD_AUTH, _reasons(forward_tally.REASONS)]
    parts += [OF_GATEWAY, table(head, [_row(GATEWAY)]), _reasons(tally.REASONS)]
    return "\n".join(parts)


def _reasons(known: Mapping[str, Mapping[str, str]]) -> str:
    rows_ = [
        (tick(outcome), tick(reason), about)
        for outcome, reasons in known.items()
        for reason, about in reasons.items()
    ]
    return table(["outcome", "reason", "what it means"], rows_)
