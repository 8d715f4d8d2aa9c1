"""Policies that grow, for Casbin's enforcers and ours: ACL, RBAC, domains, rules in the policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import casbin

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
