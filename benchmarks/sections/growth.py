"""Ten to 100,000 policy lines: what a decision costs, ours beside pycasbin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import casbin

from authz.engine import CompiledEnforcer
from benchmarks.policies import Case, abac, acl, domains, load, rbac
from benchmarks.results import Chart, Section, Table, target
from benchmarks.timing import Timing, in_turn, number, once

SECTION = Section(
    "growth",
    "Policies that grow",
    """One decision that is allowed (by the last line) and one that is refused, in policies of 10 to
100,000 lines. pycasbin's `Enforcer` walks the lines, its `FastEnforcer` those of one key, ours
asks an index. Answers were compared first. pycasbin is given no more than a fixed time, so the
largest sizes stand on few calls.""",
)
OURS, STOCK, FAST = "CompiledEnforcer (ours)", "pycasbin Enforcer", "pycasbin FastEnforcer"
SIZES, QUICK = (10, 100, 1_000, 10_000, 100_000), (10, 100, 1_000)
MODELS: tuple[Callable[[int], Case], ...] = (acl, rbac, domains, abac)
FEW = 100
SLOWEST = 20_000
"""Lines beyond which rules in the policy are not given to pycasbin: seconds a call."""
DOMAINS = "RBAC with domains"


def run(section: Section, *, quick: bool) -> None:
    """Measure each model at each size, then how ours grows."""
    sizes = QUICK if quick else SIZES
    seconds = 0.05 if quick else 0.3
    for make in MODELS:
        lines: dict[str, list[tuple[float, float]]] = {}
        rows = []
        for size in sizes:
            case = make(size)
            try:
                measured, loaded = _measured(case, seconds)
            except Exception as error:  # noqa: BLE001 (the other sizes are measured)
                told = f"{type(error).__name__}: {error}"
                section.problems.append(f"{case.name}, {size:,} lines: {told}")
                continue
            rows.append(_row(size, measured, loaded))
            for name in (OURS, STOCK, FAST):
                if (name, "miss") in measured:
                    lines.setdefault(name, []).append((size, measured[name, "miss"].p50))
        title = make(10).name
        section.tables.append(Table(title, _columns(), rows))
        slug = title.split(",")[0].lower().replace(" ", "-")
        chart = Chart(f"growth-{slug}", f"{title}: a refusal", "µs", lines=lines, x="policy lines")
        section.charts.append(chart)
    _grown(section, sizes[-1], seconds)


def _measured(case: Case, seconds: float) -> tuple[dict[tuple[str, str], Timing], float]:
    """The timing of each engine and answer, and how long ours takes to load."""
    engines, loaded = {}, 0.0
    for name, kind, options in _kinds(case):
        engines[name], took = load(kind, case, **options)
        loaded = took if name == OURS else loaded
    works = {}
    for name, engine in engines.items():
        for answer, request in (("hit", case.hit), ("miss", case.miss)):
            said = engine.enforce(*request)
            if bool(said) is not (answer == "hit"):
                raise AssertionError(f"{name} answers {said} to a {answer}")
            works[name, answer] = once(partial(engine.enforce, *request))
    return _timed(works, seconds), loaded


def _timed(works: dict[tuple[str, str], Any], seconds: float) -> dict[tuple[str, str], Timing]:
    named = {"|".join(key): work for key, work in works.items()}
    times = in_turn(named, seconds)
    return {(key.split("|")[0], key.split("|")[1]): one for key, one in times.items()}


def _kinds(case: Case) -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    yield OURS, CompiledEnforcer, {}
    if not (case.name.startswith("ABAC") and case.size > SLOWEST):
        yield STOCK, casbin.Enforcer, {}
    yield FAST, casbin.FastEnforcer, {"cache_key_order": case.order}


def _columns() -> list[str]:
    engines = ("ours", "Enforcer", "FastEnforcer")
    answers = [f"{name}, {answer}" for answer in ("allowed", "refused") for name in engines]
    return ["lines", *answers, "load, s"]


def _row(size: int, found: dict[tuple[str, str], Timing], loaded: float) -> list[str]:
    cells = [
        found[name, answer].shown() if (name, answer) in found else "too slow"
        for answer in ("hit", "miss")
        for name in (OURS, STOCK, FAST)
    ]
    return [f"{size:,}", *cells, number(loaded)]


def _grown(section: Section, many: int, seconds: float) -> None:
    """What the many lines cost ours of what a hundred cost, by turns in one process."""
    rows = []
    for make in MODELS:
        few, most = make(FEW), make(many)
        one, other = (load(CompiledEnforcer, case)[0] for case in (few, most))
        works = {
            f"{kind} {name}": once(partial(engine.enforce, *getattr(case, kind)))
            for name, engine, case in (("few", one, few), ("many", other, most))
            for kind in ("hit", "miss")
        }
        times = in_turn(works, seconds * 2)
        ratios = {k: times[f"{k} many"].p50 / times[f"{k} few"].p50 for k in ("hit", "miss")}
        rows.append([few.name, *(number(ratio) for ratio in ratios.values())])
        if few.name == DOMAINS:
            promise = f"{many:,} lines cost at most 1.5 × of {FEW}, {DOMAINS}"
            section.targets.append(target(promise, max(ratios.values()), 1.5))
    title = f"What {many:,} lines cost of what {FEW} cost, ours"
    section.tables.append(Table(title, ["model", "allowed", "refused"], rows))
