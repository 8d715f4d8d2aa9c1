"""AuthZEN over HTTP: ours, audit on and durable, beside Cerbos without audit, and two floors."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from statistics import median

from benchmarks import cerbos, served
from benchmarks.client import EVALUATION, EVALUATIONS, Rate, ask, message, rate
from benchmarks.directories import SCHOOLS, Case, authz, cases, directory, environment
from benchmarks.disk import forced_writes
from benchmarks.results import Chart, Section, Table, target
from benchmarks.rosters import SCHOOL
from benchmarks.timing import number

OURS, PEER = "authz (ours), audit durable", f"Cerbos {cerbos.VERSION}, audit off"
UNTOLD = "authz, its trail dropped (benchmark only)"
FLASK, BARE = "Flask view that does nothing", "WSGI callable that does nothing"
FORCED = "sockets alone: nothing decided, each answer forced"
ITEMS = 100
WARM = 4.0
"""Seconds until files have their size and every worker has met every question."""
SECTION = Section(
    "http",
    "AuthZEN over HTTP",
    """One client asks the same questions of every server on loopback, on one connection and on
eight, in rounds that take turns; it takes its share of the same two cores. Ours is `authz serve`
with two workers over {schools} schools' facts; it checks a bearer token, reads who stands how to
whom, and has every decision on disk before it answers. Cerbos ({version}, npm
`{package}`) runs on both cores without audit or token; each question brings it the attributes
that its five rules ask. The floors run on granian with two workers, but for the last, which is
two processes of some lines of Python that decide nothing, and force 650 bytes for whoever asks at
the moment before they answer: no durable answer of Python can be faster here. Decisions were
compared first. What the trail costs is seen beside our own application with a trail that drops
every record, which only the benchmark has.""",
)
Asked = dict[str, list[bytes]]


def run(section: Section, *, quick: bool) -> None:
    """Start all servers, compare, and measure."""
    of = directory(SCHOOL * (10 if quick else SCHOOLS))
    section.about = section.about.format(
        schools=of.students // SCHOOL, version=cerbos.VERSION, package=cerbos.PACKAGE
    )
    rounds, seconds = (2, 1.0) if quick else (5, 2.0)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        shutil.copy(of.path, folder / "authz.db")
        url = f"sqlite:///{folder}/authz.db"
        token = authz(
            url, "token", "create", "--client", "bench", "--ttl", "1h", folder=folder
        ).strip()
        single, batch = _messages(cases(of)[:200], token)
        ports = _started(stack, section, url, folder)
        for name_ in (OURS, UNTOLD, PEER):
            _checked(section, ports, single, name_, cases(of)[:200])
        for name_, port in ports.items():
            if name_ in batch:
                rate(port, batch[name_], 2, 1 if quick else WARM)
            rate(port, single[name_], 8, 1 if quick else WARM)
        found = {n: _rounds(ports, single, n, rounds, seconds) for n in (1, 8)}
        of_batches = {name: port for name, port in ports.items() if name in batch}
        grouped = {n: _rounds(of_batches, batch, n, rounds, seconds) for n in (2, 8)}
        disk = {n: forced_writes(folder, n) for n in (1, 8)}
    _tell(section, found, grouped, disk)


def _messages(asked: list[Case], token: str) -> tuple[Asked, Asked]:
    """The requests of each server, single and in batches."""
    bearer = {"Authorization": f"Bearer {token}"}
    plain = [message(EVALUATION, case.request()) for case in asked]
    told = [cerbos.request(case) for case in asked]
    items = [asked[number_ % len(asked)] for number_ in range(ITEMS)]
    single = {
        OURS: [message(EVALUATION, case.request(), bearer) for case in asked],
        UNTOLD: [message(EVALUATION, case.request(), bearer) for case in asked],
        PEER: [message(EVALUATION, one) for one in told],
        FLASK: plain,
        BARE: plain,
        FORCED: plain,
    }
    together = [message(EVALUATIONS, {"evaluations": [c.request() for c in items]}, bearer)]
    batch = {
        OURS: together,
        UNTOLD: together,
        PEER: [message(EVALUATIONS, {"evaluations": [cerbos.request(c) for c in items]})],
    }
    return single, batch


def _started(stack: ExitStack, section: Section, url: str, folder: Path) -> dict[str, int]:
    """The ports of the servers that run; the others are told of."""
    servers: dict[str, Callable[[], AbstractContextManager[int]]] = {
        OURS: lambda: served.ours(url, folder),
        UNTOLD: lambda: served.floor("untold", folder, environment(url, folder)),
        PEER: lambda: served.peer(folder),
        FLASK: lambda: served.floor("flask", folder),
        BARE: lambda: served.floor("bare", folder),
        FORCED: lambda: served.forcing(folder),
    }
    ports = {}
    for name, start in servers.items():
        try:
            ports[name] = stack.enter_context(start())
        except (OSError, ValueError, RuntimeError) as error:
            section.problems.append(f"{name}: not available: {error}")
    return ports


def _checked(
    section: Section, ports: dict[str, int], single: Asked, name: str, asked: list[Case]
) -> None:
    """A server that answers a question otherwise is not measured."""
    if name not in ports:
        return
    try:
        said = [ask(ports[name], one)["decision"] for one in single[name]]
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        section.problems.append(f"{name}: fails: {error}")
        del ports[name]
        return
    wrong = sum(one is not case.permit for one, case in zip(said, asked, strict=True))
    if wrong:
        section.problems.append(f"{name}: {wrong} of {len(asked)} answers are wrong; not measured")
        del ports[name]


def _rounds(
    ports: dict[str, int], asked: Asked, connections: int, rounds: int, seconds: float
) -> dict[str, list[Rate]]:
    """The rates of every server, in rounds that take turns."""
    found: dict[str, list[Rate]] = {name: [] for name in ports}
    for _ in range(rounds):
        for name, port in ports.items():
            rate(port, asked[name], connections, 0.3)
            found[name].append(rate(port, asked[name], connections, seconds))
    return found


def _tell(
    section: Section,
    found: dict[int, dict[str, list[Rate]]],
    grouped: dict[int, dict[str, list[Rate]]],
    disk: dict[int, float],
) -> None:
    for connections, rates in found.items():
        title = "One connection" if connections == 1 else f"{connections} connections"
        ours = rates.get(OURS)
        rows = [_row(name, own, ours) for name, own in rates.items()]
        note = f"This disk keeps {disk[connections]:,.0f} forced writes of 4 kB a second, "
        note += f"{connections} at once."
        columns = ["", "requests/s", "lowest – highest", "p50 ms", "p99 ms", "ours is … of it"]
        section.tables.append(Table(title, columns, rows, note))
    for connections, rates in grouped.items():
        rows = [_batched(name, own) for name, own in rates.items()]
        columns = ["", "decisions/s", "p50 ms", "p99 ms"]
        section.tables.append(
            Table(f"Batches of {ITEMS}, {connections} connections", columns, rows)
        )
    bars = {name: median(r.rate for r in rates) for name, rates in found[8].items()}
    section.charts.append(Chart("http", "AuthZEN, eight connections", "requests/s", bars=bars))
    _targets(section, found[8], grouped)


def _row(name: str, rates: list[Rate], ours: list[Rate] | None) -> list[str]:
    a_second = sorted(one.rate for one in rates)
    ratio = median(o.rate / r.rate for o, r in zip(ours, rates, strict=True)) if ours else None
    return [
        name,
        f"{median(a_second):,.0f}",
        f"{a_second[0]:,.0f} – {a_second[-1]:,.0f}",
        number(median(one.median for one in rates)),
        number(median(one.late for one in rates)),
        "" if ratio is None else number(ratio),
    ]


def _batched(name: str, rates: list[Rate]) -> list[str]:
    return [
        name,
        f"{median(one.rate for one in rates) * ITEMS:,.0f}",
        number(median(one.median for one in rates)),
        number(median(one.late for one in rates)),
    ]


def _targets(
    section: Section, eight: dict[str, list[Rate]], grouped: dict[int, dict[str, list[Rate]]]
) -> None:
    ours, peer = eight.get(OURS), eight.get(PEER)
    both = list(zip(ours, peer, strict=True)) if ours and peer else []
    faster = median(o.rate / p.rate for o, p in both) if both else None
    shorter = median(o.median / p.median for o, p in both) if both else None
    own = grouped[2].get(OURS)
    decisions = median(one.rate for one in own) * ITEMS if own else None
    section.targets = [
        target("HTTP, 8 connections: at least 3 × Cerbos' requests/s", faster, 3, at_least=True),
        target("HTTP, 8 connections: p50 at most 1/2 of Cerbos'", shorter, 0.5),
        target(
            "HTTP, 8 connections, single: at least 60 % of ours without a trail",
            _kept(eight),
            0.6,
            at_least=True,
        ),
        target(
            f"HTTP, 8 connections, batches of {ITEMS}: at least 60 % of ours without a trail",
            _kept(grouped[8]),
            0.6,
            at_least=True,
        ),
        target("batches of 100: at least 20,000 decisions/s", decisions, 20_000, at_least=True),
    ]


def _kept(rates: dict[str, list[Rate]]) -> float | None:
    """What is left of the throughput that there is without a trail."""
    told, untold = rates.get(OURS), rates.get(UNTOLD)
    both = list(zip(told, untold, strict=True)) if told and untold else []
    return median(one.rate / other.rate for one, other in both) if both else None
