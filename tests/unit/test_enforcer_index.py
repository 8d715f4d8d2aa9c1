"""What the index passes over: as much as it may, and no line more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.conformance.casbin.compare import Pair, outcome

DOMAINS = "g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act"


def model(matcher: str, *, columns: str = "sub, dom, obj, act, eft") -> str:
    return f"""[request_definition]
r = sub, dom, obj, act
[policy_definition]
p = {columns}
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = {matcher}
"""


def looked_at(pair: Pair, *request: Any) -> int:
    """How many lines a request is compared with."""
    pair.ours.enforce(*request)
    program = pair.ours._programs["r", "p", "m"]
    return len(program._candidates(request)[0])


def policy(size: int) -> list[list[str]]:
    lines = [["p", f"s{n % 5}", f"d{n // 10}", f"o{n}", "read", "allow"] for n in range(size)]
    return [*lines, ["g", "ann", "s1", "d0"], ["g", "ann", "s2", "d0"]]


@pytest.mark.parametrize(
    "matcher",
    [
        DOMAINS,
        DOMAINS.replace("r.dom)", "p.dom)"),
        f'{DOMAINS} || r.sub == "root"',
        f"{DOMAINS} && keyMatch(r.obj, p.obj)",
        f'r.act != "drop" && {DOMAINS}',
        f"r.sub != p.obj && {DOMAINS}",
        f'{DOMAINS} || g(r.sub, p.sub, r.dom) && r.obj == p.obj && p.dom == "*"',
        DOMAINS.replace("r.dom == p.dom", '(r.dom == p.dom || p.dom == "*")'),
    ],
)
def test_what_is_looked_at_does_not_grow_with_the_policy(matcher: str) -> None:
    request = ("ann", "d0", "o1", "read")
    counts = []
    for size in (100, 10_000):
        pair = Pair(model(matcher), policy(size))
        pair.ask(*request)
        pair.ask("bo", "d0", "o1", "read")
        counts.append(looked_at(pair, *request))
    assert counts == [1, 1]


def test_a_member_of_the_request_is_a_key_while_it_can_be_read() -> None:
    pair = Pair(model("r.sub.name == p.sub && r.obj == p.obj"), policy(1000))
    person = SimpleNamespace(name="s3")
    assert pair.allows(person, "", "o3", "")
    assert looked_at(pair, person, "", "o3", "") == 1
    assert looked_at_or_error(pair, (SimpleNamespace(), "", "o3", "")) == 1000
    assert pair.ask(SimpleNamespace(), "", "o3", "")[1] == "AttributeDoesNotExist"


@pytest.mark.parametrize(
    "first",
    [
        "ipMatch(r.sub, p.sub)",
        "r.sub.age > 3",
        "r.sub",
        "p.sub",
        "nobody",
        "regexMatch(r.sub, p.sub)",
    ],
)
def test_what_may_raise_before_a_key_is_tried_once_for_each_value(first: str) -> None:
    lines = policy(1000)
    pair = Pair(model(f"{first} && r.obj == p.obj"), lines)
    for request in (
        ("s1", "", "o999", ""),
        (SimpleNamespace(age=9), "", "o999", ""),
        ("", "", "o9", ""),
    ):
        found = pair.ask(*request)
        assert looked_at_or_error(pair, request) <= 6, found


def looked_at_or_error(pair: Pair, request: tuple[Any, ...]) -> int:
    outcome(lambda e: e.enforce(*request), pair.ours)
    return len(pair.ours._programs["r", "p", "m"]._candidates(request)[0])


@pytest.mark.parametrize("first", ["odd(r.sub)", "r.sub.upper()", "{r.sub: 1} == 1"])
def test_what_may_answer_otherwise_each_time_is_asked_of_every_line(first: str) -> None:
    calls: list[Any] = []
    pair = Pair(model(f"{first} && r.obj == p.obj"), policy(100))

    def odd(one: Any) -> bool:
        calls.append(one)
        return True

    pair.each(lambda e: e.add_function("odd", odd))
    pair.ask("s1", "", "none", "")
    asked_in_casbin_and_twice_in_ours = 300
    assert len(calls) in {0, asked_in_casbin_and_twice_in_ours}


@pytest.mark.parametrize("odd", [["s1"], ["s1", "d0", "none", "read", "allow", "more"]])
@pytest.mark.parametrize("place", [0, 50, 100])
def test_a_line_of_another_size_raises_when_casbin_comes_to_it(odd: list[str], place: int) -> None:
    lines = policy(100)
    lines.insert(place, ["p", *odd])
    pair = Pair(model(DOMAINS), lines)
    for n in (1, 49, 51, 99):
        pair.ask("s1", "d0", f"o{n}", "read")
        pair.ask("s1", f"d{n // 10}", f"o{n}", "read")
    assert pair.ask("s1", "d0", "none", "read") == ("error", "RuntimeError", "invalid policy size")


def test_values_that_are_no_text_in_a_policy() -> None:
    lines: list[list[Any]] = [
        ["p", "a", 1, None, True, "allow"],
        ["p", "a", 1.0, ["x"], 0, "allow"],
    ]
    pair = Pair(model("r.sub == p.sub && r.dom == p.dom && r.obj == p.obj"), lines)
    doms: list[Any] = [1, 1.0, True, "1", float("nan"), 2, [], None]
    for dom in doms:
        for obj in (None, "x", ["x"], 0):
            pair.ask("a", dom, obj, "")
    text = model("eval(p.dom) && r.obj == p.obj")
    pair = Pair(text, lines)
    assert pair.ask("a", 1, None, "")[1] == "TypeError"


def test_a_rule_that_is_no_expression_raises_when_casbin_comes_to_it() -> None:
    text = model("r.obj == p.obj && eval(p.sub)")
    for broken in ("1 +", "", "True # x", "nobody", "True; False", "x = 1", "p.obj) == (p.obj"):
        lines = [["p", "True", "", "o1", "", "allow"], ["p", broken, "", "o2", "", "allow"]]
        pair = Pair(text, lines)
        for obj in ("o1", "o2", "o3"):
            pair.ask("", "", obj, "")


def test_a_matcher_too_deep_or_too_odd_is_casbins() -> None:
    for matcher in ("not " * 80 + "r.sub", "[x for x in p.sub] == 1", "r.sub == *p.sub", "1; 2"):
        pair = Pair(model(matcher), policy(3))
        pair.ask("a", "b", "c", "d")
        assert pair.ours.uncompiled()


def test_a_text_of_a_class_of_its_own_is_compared_as_it_wants() -> None:
    class Same(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = str.__hash__

    pair = Pair(model("r.sub == p.sub && r.obj == p.obj"), policy(20))
    assert pair.allows(Same("nobody"), "", "o3", "")
    pair = Pair(model(DOMAINS), policy(20))
    pair.ask(Same("nobody"), "d0", "o3", "read")
    pair.ask("s3", Same("d0"), "o3", "read")


def test_two_links_that_are_the_same() -> None:
    pair = Pair(model(DOMAINS), policy(20))
    for _ in range(2):
        pair.each(lambda e: e.add_grouping_policy("cy", "s1", "d0"))
        pair.ask("cy", "d0", "o1", "read")
    pair.each(lambda e: e.remove_grouping_policy("cy", "s1", "d0"))
    pair.ask("cy", "d0", "o1", "read")
    pair.each(lambda e: e.add_grouping_policy("cy", "s1", "d1"))
    pair.each(lambda e: e.get_role_manager().add_link("cy", "s1", "d1"))
    pair.each(lambda e: e.remove_grouping_policy("cy", "s1", "d1"))
    pair.ask("cy", "d1", "o11", "read")
