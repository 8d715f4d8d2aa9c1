"""Whatever the model, the policy, the changes and the request: what Casbin says, we say."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.casbin.compare import Pair, outcome

EFFECTS = [
    "some(where (p.eft == allow))",
    "!some(where (p.eft == deny))",
    "some(where (p.eft == allow)) && !some(where (p.eft == deny))",
    "priority(p.eft) || deny",
]
USUAL = [
    "r.sub == p.sub",
    "p.sub == r.sub",
    "r.dom == p.dom",
    "r.obj == p.obj",
    "r.act == p.act",
    "g(r.sub, p.sub)",
    "g(r.sub, p.sub, r.dom)",
    "g(r.sub, p.sub, p.dom)",
    "g2(r.obj, p.obj)",
    '(r.obj == p.obj || p.obj == "*")',
    '(g(r.sub, p.sub, r.dom) || p.sub == "any")',
    "eval(p.rule)",
    "keyMatch(r.obj, p.obj)",
    "regexMatch(r.act, p.act)",
    'r.act in ("read", "write")',
    "r.sub.age > 18",
    "r.sub.name == p.sub",
    'r.sub == "root"',
]
UNUSUAL = [
    "keyMatch2(r.obj, p.obj)",
    "ipMatch(r.obj, p.obj)",
    "globMatch(r.obj, p.obj)",
    "r.sub != p.sub",
    '!(r.act == "write")',
    "r.act in (p.act, r.obj)",
    "r.act in p.act",
    "r.sub == r.obj.Owner",
    "r.obj",
    "p.obj",
    '""',
    "1",
    "0.0",
    "1.5",
    "True",
    "nobody",
    "nothing(r.sub)",
    "r.sub._hidden",
    "r.sub.format",
    'r.sub.startswith("a")',
    'r.sub + p.sub == "ab"',
    "[r.sub, p.obj][0] == p.sub",
    "(r.act == p.act if r.obj == p.obj else r.sub)",
    "odd(r.act, p.act)",
    "r.act * 2 == p.act",
    "r.obj[0] == p.sub",
    "r.dom < p.dom < r.obj",
    "r.sub is p.sub",
    "{r.sub: 1}",
    "r.sub == p.sub == r.obj",
    "g",
    "g()",
    "g(r.sub)",
    "(r.act and p.act) == p.act",
    "f'{r.sub}' == p.sub",
    "list(r.sub)",
    "keyMatch(r.obj)",
]
RULES = [
    "True",
    "False",
    "r.sub.age > 18",
    "r.obj == p.obj",
    'r.sub == "a"',
    "",
    "r.sub",
    "1 +",
    "a) || (True",
    "True) || (False",
    "True # no",
    "odd(r.sub, r.act)",
    "nobody",
    "eval(p.rule)",
    "g(r.sub, p.sub)",
    "True; False",
]


class Person:
    def __init__(self, name: str, age: int) -> None:
        self.name = name
        self.age = age


class Text(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other == "b"

    def __hash__(self) -> int:
        return hash("b")


class Angry:
    def __eq__(self, other: object) -> bool:
        raise ValueError("do not compare me")

    def __hash__(self) -> int:
        return 1


class Vague:
    def __bool__(self) -> bool:
        raise ValueError("I am neither")

    def __eq__(self, other: object) -> bool:
        return self  # type: ignore[return-value]  # as numpy's arrays do

    def __hash__(self) -> int:
        return 1


NOT_COMPARED = (Angry, Vague)
"""Casbin keeps every name that it was asked about, and compares it with all later ones."""
ODD: list[Any] = [1, True, 1.0, None, float("nan"), b"a", [], ["a"], {"Owner": "a", "age": 20}]
ODD += [Text("a"), Angry(), Vague(), Person("a", 20), Person("b", 10), os, eval, [eval], len]
ODD += [object, (), 3j]
WORDS = ["a", "b", "any", "*", "read", "/x", "root"]
words = st.one_of(st.sampled_from(["a", "b"]), st.sampled_from(WORDS))
values = st.one_of(words, words, words, words, st.sampled_from(ODD))
effects = st.sampled_from(["allow", "deny", "allow", "deny", "maybe", ""])


def odd(one: Any, other: Any) -> Any:
    return one if one == other else False


@st.composite
def matchers(draw: st.DrawFn) -> str:
    usual = st.sampled_from(USUAL)
    one = st.one_of(usual, usual, st.sampled_from(UNUSUAL)) if draw(st.booleans()) else usual
    branches = draw(st.lists(st.lists(one, min_size=1, max_size=4), min_size=1, max_size=2))
    return " || ".join(" && ".join(branch) for branch in branches)


@st.composite
def models(draw: st.DrawFn) -> tuple[str, list[str]]:
    columns = ["sub", "dom", "obj", "act", "rule"]
    columns += ["eft"] * draw(st.booleans())
    columns = ["priority"] * draw(st.booleans()) + columns
    roles = draw(st.sampled_from(["g = _, _", "g = _, _, _"]))
    text = f"""[request_definition]
r = sub, dom, obj, act
[policy_definition]
p = {", ".join(columns)}
[role_definition]
{roles}
g2 = _, _
[policy_effect]
e = {draw(st.sampled_from(EFFECTS))}
[matchers]
m = {draw(matchers())}
"""
    return text, columns


@st.composite
def lines(draw: st.DrawFn, columns: list[str], *, strange: bool = True) -> list[Any]:
    kinds = {
        "eft": effects,
        "rule": st.sampled_from(RULES),
        "priority": st.sampled_from(["1", "2", "10"]),
    }
    rule = [draw(kinds.get(column, words)) for column in columns]
    if strange and draw(st.integers(0, 19)) == 0:
        rule = draw(st.sampled_from([rule[:-1], [*rule, "more"]]))
    return rule


requests = st.one_of(
    st.tuples(words, words, words, words),
    st.tuples(words, words, words, words),
    st.tuples(st.sampled_from([Person("a", 20), Person("b", 10)]), words, words, words),
    st.tuples(values, values, values, values),
    st.tuples(words, words),
)
links = st.tuples(words, words, words)


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("AUTHZ_EXAMPLES", "400")),
    suppress_health_check=list(HealthCheck),
)
@given(st.data())
def test_every_answer_and_every_error_is_casbins(data: st.DataObject) -> None:
    text, columns = data.draw(models())
    width = text.split("g = ")[1].split("\n")[0].count("_")
    policy = [["p", *rule] for rule in data.draw(st.lists(lines(columns), max_size=12))]
    policy += [["g", *link[:width]] for link in data.draw(st.lists(links, max_size=5))]
    policy += [["g2", *link[:2]] for link in data.draw(st.lists(links, max_size=3))]
    pair = made(text, policy)
    for request in data.draw(st.lists(requests, min_size=1, max_size=6)):
        asked(pair, request, text, policy)
    for _ in range(data.draw(st.integers(0, 6))):
        change(data, pair, columns, width)
        for request in data.draw(st.lists(requests, min_size=0, max_size=3)):
            asked(pair, request, text, policy)


def test_what_cannot_be_compared_fails_its_own_request_only() -> None:
    """The one difference from Casbin: there it fails every request of anybody from then on."""
    model = """[request_definition]
r = sub, dom
[policy_definition]
p = sub
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub)
"""
    pair = Pair(model)
    assert pair.ask(Vague(), "d")[0] == "error"
    for enforcer, expected in ((pair.theirs, "error"), (pair.ours, "answer")):
        assert outcome(lambda e: e.enforce("a", "d"), enforcer)[0] == expected


def made(text: str, policy: list[list[Any]]) -> Pair:
    pair = Pair(text, policy)
    pair.each(lambda e: e.add_function("odd", odd))
    return pair


def asked(pair: Pair, request: tuple[Any, ...], text: str, policy: list[list[Any]]) -> None:
    """Ask both; about what cannot be compared, two that nobody asks again."""
    alone = any(isinstance(each, NOT_COMPARED) for each in request)
    (made(text, policy) if alone else pair).ask(*request)


def change(data: st.DataObject, pair: Pair, columns: list[str], width: int) -> None:
    rule = data.draw(lines(columns, strange=False))
    held = pair.theirs.get_policy()
    old = list(data.draw(st.sampled_from(held))) if held else rule
    link = list(data.draw(links)[:width])
    linked = pair.theirs.get_grouping_policy()
    old_link = list(data.draw(st.sampled_from(linked))) if linked else link
    kind = data.draw(st.integers(0, 13))
    if kind <= 2:
        pair.each(lambda e: e.add_policy(list(rule)))
    elif kind <= 4:
        pair.each(lambda e: e.remove_policy(list(old)))
    elif kind == 5:
        pair.each(lambda e: e.update_policy(list(old), list(rule)))
    elif kind == 6:
        pair.each(lambda e: e.add_grouping_policy(list(link)))
    elif kind == 7:
        pair.each(lambda e: e.remove_grouping_policy(list(old_link)))
    elif kind == 8:
        pair.each(lambda e: e.remove_filtered_policy(1, old[1]))
    elif kind == 9:
        pair.each(lambda e: e.model.add_policy("p", "p", list(rule)))
    elif kind == 10:
        pair.each(lambda e: e.model["p"]["p"].policy.insert(0, list(rule)))
    elif kind == 11:
        pair.each(lambda e: e.get_role_manager().add_link(*link))
    elif kind == 12:
        pair.each(lambda e: e.add_policies([list(rule), list(old)]))
    else:
        pair.each(lambda e: e.clear_policy())
