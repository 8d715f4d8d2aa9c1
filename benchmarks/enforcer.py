"""``CompiledEnforcer`` beside ``casbin.Enforcer``, ``FastEnforcer`` and plain Python.

All in one run, with equal answers checked before anything is timed. On another machine only
the ratios mean something.

    python benchmarks/enforcer.py [--seconds 0.2] [--quick]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import casbin

from authz.engine import CompiledEnforcer

MOST = 20_000
"""So many rounds give a median; more only take time."""
SOA = "sub, obj, act"
SDOA = "sub, dom, obj, act"
SAME = "r.obj == p.obj && r.act == p.act"
MODELS = {
    "ACL": (SOA, SOA, f"r.sub == p.sub && {SAME}", ""),
    "RBAC": (SOA, SOA, f"g(r.sub, p.sub) && {SAME}", "g = _, _"),
    "RBAC with domains": (
        SDOA,
        SDOA,
        f"g(r.sub, p.sub, r.dom) && r.dom == p.dom && {SAME}",
        "g = _, _, _",
    ),
    "ABAC, rules in the policy": (SOA, "rule, obj, act", f"eval(p.rule) && {SAME}", ""),
}


@dataclass
class Case:
    """A policy, a request that is allowed and one that is not, and the floor."""

    name: str
    size: int
    policy: list[list[str]]
    hit: tuple[Any, ...]
    miss: tuple[Any, ...]
    order: list[int]
    floor: Callable[[], bool]


def acl(size: int) -> Case:
    """Everybody has one right on one thing."""
    rules = [["p", f"user{n}", f"thing{n}", "read"] for n in range(size)]
    held = {tuple(rule[1:]) for rule in rules}
    last = (f"user{size - 1}", f"thing{size - 1}", "read")
    miss = (f"user{size - 1}", "thing0", "read")
    return Case("ACL", size, rules, last, miss, [2, 1], lambda: last in held)


def rbac(size: int) -> Case:
    """One user for a line; a hundredth as many roles."""
    roles = max(size // 100, 1)
    rules = [["p", f"role{n % roles}", f"thing{n}", "read"] for n in range(size)]
    rules += [["g", f"user{n}", f"role{n % roles}"] for n in range(size)]
    held = {tuple(rule[1:]) for rule in rules[:size]}
    own = {"user0": ["user0", "role0"]}
    thing = f"thing{(size - 1) // roles * roles}"
    hit, miss = ("user0", thing, "read"), ("user0", thing, "write")
    return Case(
        "RBAC",
        size,
        rules,
        hit,
        miss,
        [2, 1],
        lambda: any((role, thing, "read") in held for role in own["user0"]),
    )


def domains(size: int) -> Case:
    """Ten lines and ten users in each domain."""
    rules = [["p", f"role{n % 5}", f"dom{n // 10}", f"thing{n}", "read"] for n in range(size)]
    rules += [["g", f"user{n}", f"role{n % 5}", f"dom{n // 10}"] for n in range(size)]
    held = {tuple(rule[1:]) for rule in rules[:size]}
    at = size - 5
    dom, thing = f"dom{at // 10}", f"thing{at}"
    hit, miss = (f"user{at}", dom, thing, "read"), (f"user{at}", dom, thing, "write")
    own = {(hit[0], dom): [hit[0], f"role{at % 5}"]}
    return Case(
        "RBAC with domains",
        size,
        rules,
        hit,
        miss,
        [3, 2],
        lambda: any((role, dom, thing, "read") in held for role in own[hit[0], dom]),
    )


def abac(size: int) -> Case:
    """Ten different rules, over many things."""
    rules = [["p", f"r.sub.age > {n % 10}", f"thing{n}", "read"] for n in range(size)]
    thing = f"thing{size - 1}"
    hit, miss = SimpleNamespace(age=20), SimpleNamespace(age=0)
    ages = {rule[2]: int(rule[1].split()[-1]) for rule in rules}
    return Case(
        "ABAC, rules in the policy",
        size,
        rules,
        (hit, thing, "read"),
        (miss, thing, "read"),
        [2, 1],
        lambda: bool(hit.age > ages[thing]),
    )


def load(kind: Callable[..., Any], case: Case, **options: Any) -> tuple[Any, float]:
    """An enforcer with the policy of a case, and how long its making took, in seconds."""
    request, policy, matcher, roles = MODELS[case.name]
    text = f"[request_definition]\nr = {request}\n[policy_definition]\np = {policy}\n"
    text += f"[role_definition]\n{roles}\n" if roles else ""
    text += f"[policy_effect]\ne = some(where (p.eft == allow))\n[matchers]\nm = {matcher}\n"
    begin = perf_counter()
    model = casbin.FastModel(**options) if options else casbin.Model()
    model.load_model_from_text(text)
    for key, *rule in case.policy:
        model.model[key[0]][key].policy.append(rule)
    enforcer = kind(model, **options)
    enforcer.build_role_links()
    enforcer.enforce(*case.hit)
    return enforcer, perf_counter() - begin


def timed(work: Callable[[], object], seconds: float) -> float:
    """The median time of one call, in microseconds."""
    times: list[float] = []
    end = perf_counter() + seconds
    while not times or (perf_counter() < end and len(times) < MOST):
        begin = perf_counter()
        work()
        times.append(perf_counter() - begin)
    return median(times) * 1e6


def in_turn(works: list[Callable[[], object]], seconds: float) -> list[float]:
    """As :func:`timed`, of several, by turns: the machine's moods meet all of them."""
    times: list[list[float]] = [[] for _ in works]
    end = perf_counter() + seconds * len(works)
    while not times[0] or perf_counter() < end:
        for work, own in zip(works, times, strict=True):
            for _ in range(20):
                begin = perf_counter()
                work()
                own.append(perf_counter() - begin)
    return [median(own) * 1e6 for own in times]


def grown(few: Case, many: Case, seconds: float) -> None:
    """Print what so many lines cost of what few lines cost."""
    engines = [load(CompiledEnforcer, case)[0] for case in (few, many)]
    for kind in ("hit", "miss"):
        asked = [(few.hit, many.hit), (few.miss, many.miss)][kind == "miss"]
        works: list[Callable[[], object]] = [
            partial(engine.enforce, *request)
            for engine, request in zip(engines, asked, strict=True)
        ]
        one, other = in_turn(works, seconds)
        print(
            f"    {few.name}, {kind}: {many.size:,} lines cost {other / one:.2f} times {few.size}"
        )


def measure(case: Case, seconds: float) -> None:
    """Print one line."""
    ours, made = load(CompiledEnforcer, case)
    stock, _ = load(casbin.Enforcer, case)
    fast, _ = load(casbin.FastEnforcer, case, cache_key_order=case.order)
    engines = (ours, stock, fast)
    for engine in engines:
        assert engine.enforce(*case.hit), engine
        assert not engine.enforce(*case.miss), engine
    assert not ours.uncompiled()
    found = []
    for request in (case.hit, case.miss):
        found += [timed(partial(engine.enforce, *request), seconds) for engine in engines]
    floor = timed(case.floor, seconds)
    print(
        f"{case.name:26}{case.size:8}{floor:7.2f}"
        + "".join(f"{value:13.2f}" for value in found)
        + f"{found[1] / found[0]:10,.0f}{found[4] / found[3]:10,.0f}{made:8.2f}"
    )


def changes(size: int) -> None:
    """What one addition costs, with the question after it."""
    case = domains(size)
    ours, _ = load(CompiledEnforcer, case)
    stock, _ = load(casbin.Enforcer, case)
    for name, engine in (("Casbin", stock), ("ours", ours)):
        begin = perf_counter()
        for n in range(5):
            engine.add_policy("role0", f"dom{n}", "new", "read")
        middle = perf_counter()
        engine.enforce(*case.hit)
        end = perf_counter()
        print(f"{size} lines, {name}: one add_policy {(middle - begin) / 5e-3:.2f} ms, "
              f"the next question {(end - middle) * 1e3:.2f} ms")  # fmt: skip


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=0.2, help="for each number")
    options.add_argument("--quick", action="store_true", help="no more than 1,000 lines")
    given = options.parse_args()
    sizes = [10, 100, 1_000] + ([] if given.quick else [10_000, 100_000])
    print("Microseconds for one decision, median; x: times as fast as casbin.Enforcer.")
    print(f"{'':26}{'lines':>8}{'floor':>7}" + "".join(
        f"{name + ' ' + kind:>13}" for kind in ("hit", "no") for name in ("ours", "Casb.", "Fast")
    ) + f"{'x hit':>10}{'x no':>10}{'load s':>8}")  # fmt: skip
    for make in (acl, rbac, domains, abac):
        for size in sizes:
            measure(make(size), given.seconds)
        grown(make(100), make(sizes[-1]), given.seconds * 5)
    changes(sizes[-1])


if __name__ == "__main__":
    main()
