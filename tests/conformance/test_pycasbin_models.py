"""One model of every kind that Casbin's documentation describes: Casbin's answers, and ours."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import casbin.util
import pytest

from tests.conformance.casbin.compare import Pair

ALLOW = "some(where (p.eft == allow))"
SOA = "sub, obj, act"
SAME = "r.sub == p.sub && r.obj == p.obj && r.act == p.act"
ROLES = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act"


def model(
    matcher: str,
    request: str = SOA,
    policy: str = SOA,
    effect: str = ALLOW,
    roles: tuple[str, ...] = (),
) -> str:
    definitions = "\n".join(
        f"g{n or ''} = {role}" for n, role in zip([0, 2, 3], roles, strict=False)
    )
    return f"""[request_definition]
r = {request}
[policy_definition]
p = {policy}
{"[role_definition]" if roles else ""}
{definitions}
[policy_effect]
e = {effect}
[matchers]
m = {matcher}
"""


def split(text: str) -> list[list[str]]:
    return [[part.strip() for part in line.split(",")] for line in text.strip().splitlines()]


def check(pair: Pair, allowed: list[tuple[Any, ...]], refused: list[tuple[Any, ...]]) -> None:
    for request in allowed:
        assert pair.allows(*request), request
    for request in refused:
        assert not pair.allows(*request), request
    assert pair.ours.uncompiled() == ()


def test_acl() -> None:
    pair = Pair(model(SAME), split("p, ann, map, read\np, bo, map, write"))
    check(pair, [("ann", "map", "read")], [("ann", "map", "write"), ("cy", "map", "read")])


def test_acl_with_superuser() -> None:
    pair = Pair(model(f'{SAME} || r.sub == "root"'), split("p, ann, map, read"))
    check(pair, [("root", "anything", "at all"), ("ann", "map", "read")], [("bo", "map", "read")])


def test_acl_without_users() -> None:
    text = model("r.obj == p.obj && r.act == p.act", "obj, act", "obj, act")
    check(Pair(text, split("p, map, read")), [("map", "read")], [("map", "write")])


def test_acl_without_resources() -> None:
    text = model("r.sub == p.sub && r.act == p.act", "sub, act", "sub, act")
    check(Pair(text, split("p, ann, read-map")), [("ann", "read-map")], [("bo", "read-map")])


def test_rbac_as_deep_as_casbin_looks() -> None:
    chain = "\n".join(f"g, level{n}, level{n + 1}" for n in range(12))
    pair = Pair(model(ROLES, roles=("_, _",)), split(f"p, level9, map, read\n{chain}"))
    check(
        pair, [("level0", "map", "read"), ("level9", "map", "read")], [("level10", "map", "read")]
    )
    pair = Pair(model(ROLES, roles=("_, _",)), split(f"p, level10, map, read\n{chain}"))
    check(pair, [("level1", "map", "read")], [("level0", "map", "read")])


def test_rbac_with_resource_roles() -> None:
    text = model("g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act", roles=("_, _", "_, _"))
    pair = Pair(text, split("p, staff, maps, read\ng, ann, staff\ng2, map1, maps"))
    check(pair, [("ann", "map1", "read"), ("staff", "maps", "read")], [("ann", "map2", "read")])


def test_rbac_with_domains() -> None:
    soa = "sub, dom, obj, act"
    text = model(
        "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act",
        soa,
        soa,
        roles=("_, _, _",),
    )
    pair = Pair(text, split("p, head, north, map, read\ng, ann, head, north\ng, bo, head, south"))
    check(
        pair,
        [("ann", "north", "map", "read")],
        [("bo", "north", "map", "read"), ("bo", "south", "map", "read")],
    )


def test_rbac_with_the_domain_of_the_rule() -> None:
    soa = "sub, dom, obj, act"
    text = model(
        "g(r.sub, p.sub, p.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act",
        soa,
        soa,
        roles=("_, _, _",),
    )
    pair = Pair(text, split("p, head, north, map, read\ng, ann, head, north\ng, bo, head, south"))
    check(pair, [("ann", "north", "map", "read")], [("bo", "north", "map", "read")])


def test_abac() -> None:
    pair = Pair(model("r.sub == r.obj.Owner"))
    check(pair, [("ann", {"Owner": "ann"}, "read")], [("bo", {"Owner": "ann"}, "read")])
    pair.allows("ann", SimpleNamespace(Owner="ann"), "read")
    assert pair.ask("ann", {}, "read")[1] == "AttributeDoesNotExist"


def test_abac_with_rules_in_the_policy() -> None:
    text = model("eval(p.rule) && r.obj == p.obj && r.act == p.act", policy="rule, obj, act")
    policy = split("p, r.sub.age > 18, map, read\np, r.sub.age < 60, plan, write")
    young, old = SimpleNamespace(age=16), SimpleNamespace(age=65)
    pair = Pair(text, policy)
    check(
        pair,
        [(old, "map", "read"), (young, "plan", "write")],
        [(young, "map", "read"), (old, "plan", "write")],
    )
    assert pair.ask(SimpleNamespace(), "none", "read")[1] == "AttributeDoesNotExist"


def test_abac_with_a_rule_that_breaks_out_of_its_place() -> None:
    text = model("r.obj == p.obj && eval(p.rule) && r.act == p.act", policy="rule, obj, act")
    pair = Pair(text, split("p, False) || (True, map, read"))
    check(pair, [("x", "another", "read")], [("x", "another", "write")])


def test_restful_key_match_and_regex() -> None:
    text = model("r.sub == p.sub && keyMatch(r.obj, p.obj) && regexMatch(r.act, p.act)")
    pair = Pair(text, split("p, ann, /maps/*, GET|POST"))
    check(
        pair, [("ann", "/maps/1", "GET")], [("ann", "/plans/1", "GET"), ("ann", "/maps/1", "PUT")]
    )


@pytest.mark.parametrize(
    ("function", "pattern", "hit", "miss"),
    [
        ("keyMatch2", "/maps/:id", "/maps/1", "/maps/1/2"),
        ("keyMatch3", "/maps/{id}", "/maps/1", "/maps/1/2"),
        ("keyMatch4", "/{id}/of/{id}", "/1/of/1", "/1/of/2"),
        ("keyMatch5", "/maps/{id}", "/maps/1?x=2", "/plans/1"),
        ("regexMatch", "^/maps/[0-9]+$", "/maps/12", "/maps/x"),
        ("globMatch", "/maps/*", "/maps/12", "/plans/12"),
        ("ipMatch", "10.0.0.0/8", "10.1.2.3", "11.1.2.3"),
    ],
)
def test_matching_functions(function: str, pattern: str, hit: str, miss: str) -> None:
    pair = Pair(model(f"{function}(r.obj, p.obj) && r.act == p.act"), [["p", "x", pattern, "GET"]])
    check(pair, [("x", hit, "GET")], [("x", miss, "GET"), ("x", hit, "PUT")])


def test_ip_match_refuses_what_is_no_address() -> None:
    pair = Pair(model("ipMatch(r.sub, p.sub) && r.obj == p.obj"), split("p, 10.0.0.0/8, map, read"))
    assert pair.ask("nonsense", "map", "read")[1] == "ValueError"
    assert pair.ask("nonsense", "another", "read")[1] == "ValueError"


@pytest.mark.parametrize(
    ("effect", "answers"),
    [
        (ALLOW, (True, True, False, False)),
        ("!some(where (p.eft == deny))", (True, False, False, True)),
        (f"{ALLOW} && !some(where (p.eft == deny))", (True, False, False, False)),
        ("priority(p.eft) || deny", (True, True, False, False)),
    ],
)
def test_effects(effect: str, answers: tuple[bool, ...]) -> None:
    policy = "p, ann, a, x, allow\np, ann, b, x, allow\np, ann, b, x, deny\np, ann, c, x, deny"
    pair = Pair(model(SAME, policy=f"{SOA}, eft", effect=effect), split(policy))
    assert tuple(pair.allows("ann", obj, "x") for obj in "abcd") == answers


def test_explicit_priority_keeps_its_order_when_rules_are_added() -> None:
    text = model(
        ROLES, policy=f"priority, {SOA}, eft", effect="priority(p.eft) || deny", roles=("_, _",)
    )
    pair = Pair(
        text, split("p, 10, staff, map, read, deny\np, 1, ann, map, read, allow\ng, ann, staff")
    )
    check(pair, [("ann", "map", "read")], [("staff", "map", "read")])
    pair.each(lambda e: e.add_policy("5", "staff", "map", "read", "allow"))
    check(pair, [("staff", "map", "read")], [])
    pair.each(lambda e: e.add_policy("0", "staff", "map", "read", "deny"))
    check(pair, [], [("ann", "map", "read"), ("staff", "map", "read")])


def test_subject_priority() -> None:
    text = model(
        ROLES, policy=f"{SOA}, eft", effect="subjectPriority(p.eft) || deny", roles=("_, _",)
    )
    pair = Pair(text, split("p, staff, map, read, deny\np, ann, map, read, allow\ng, ann, staff"))
    pair.each(lambda e: e.model.sort_policies_by_subject_hierarchy())
    check(pair, [("ann", "map", "read")], [("staff", "map", "read")])


def test_in_operator() -> None:
    text = model('g(r.sub, p.sub) && r.act == p.act || r.obj in ["map", "plan"]', roles=("_, _",))
    pair = Pair(text, split("p, staff, x, read\ng, ann, staff"))
    check(pair, [("bo", "map", "write"), ("ann", "other", "read")], [("bo", "other", "read")])


SECTIONS = """[request_definition]
r = sub, obj, act
r2 = sub, obj
[policy_definition]
p = sub, obj, act
p2 = rule, obj, eft
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
e2 = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
m2 = eval(p2.rule) && r2.obj == p2.obj
"""


def test_multiple_sections() -> None:
    policy = split("p, staff, map, read\np2, r2.sub.age > 18, map, allow\ng, ann, staff")
    pair = Pair(SECTIONS, policy)
    context = pair.ours.new_enforce_context("2")
    check(
        pair,
        [("ann", "map", "read"), (context, SimpleNamespace(age=20), "map")],
        [("bo", "map", "read"), (context, SimpleNamespace(age=10), "map")],
    )
    pair.ask(context, SimpleNamespace(age=20))
    pair.ask(pair.ours.new_enforce_context("3"), "ann", "map", "read")
    assert pair.ours.enforce_ex(context, SimpleNamespace(age=20), "map")[1].rules == [policy[1][1:]]


def test_patterns_in_roles_are_asked_of_the_role_manager() -> None:
    text = model("g(r.sub, p.sub) && g2(r.obj, p.obj) && r.act == p.act", roles=("_, _", "_, _"))
    pair = Pair(text, split("p, staff, maps, read\ng, ann, staff\ng2, /map/:id, maps"))
    pair.each(lambda e: e.add_named_matching_func("g2", casbin.util.key_match2))
    assert pair.allows("ann", "/map/1", "read")
    assert not pair.allows("ann", "/plan/1", "read")
    [found] = pair.ours.uncompiled()
    assert found.reason == "g2 is asked link by link: it has a matching function"


def test_domain_patterns_are_asked_of_the_role_manager() -> None:
    soa = "sub, dom, obj, act"
    text = model(
        "g(r.sub, p.sub, r.dom) && keyMatch(r.dom, p.dom) && r.obj == p.obj && r.act == p.act",
        soa,
        soa,
        roles=("_, _, _",),
    )
    pair = Pair(text, split("p, head, *, map, read\ng, ann, head, *"))
    pair.each(lambda e: e.add_named_domain_matching_func("g", casbin.util.key_match))
    assert pair.allows("ann", "north", "map", "read")
    assert not pair.allows("bo", "north", "map", "read")


def unless_named(name: str) -> Callable[[Any], Any]:
    def change(enforcer: Any) -> Any:
        return enforcer.add_named_link_condition_func("g", name, "staff", lambda one, _: one == "_")

    return change


def test_roles_with_conditions_are_asked_of_the_role_manager() -> None:
    text = model(ROLES, roles=("_, _, (_, _)",))
    pair = Pair(text, split("p, staff, map, read\ng, ann, staff, _, _\ng, bo, staff, yes, _"))
    for name in ("ann", "bo"):
        pair.each(unless_named(name))
    assert pair.allows("ann", "map", "read")
    assert not pair.allows("bo", "map", "read")
    pair.each(lambda e: e.set_named_link_condition_func_params("g", "bo", "staff", "_", "_"))
    assert pair.allows("bo", "map", "read")
