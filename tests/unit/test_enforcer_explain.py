"""What a compiled enforcer says besides yes and no: the rules, the log, the errors."""

from __future__ import annotations

import logging

import pytest

from tests.conformance.casbin.compare import Pair

MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""
POLICY = [["p", "staff", "map", "read"], ["p", "bo", "map", "write"], ["g", "ann", "staff"]]
ASKED = [("ann", "map", "read"), ("bo", "map", "write"), ("cy", "map", "read"), ("", "", "")]


def same(pair: Pair) -> list[tuple[object, ...]]:
    return [pair.ask(*request) for request in ASKED]


@pytest.fixture
def pair() -> Pair:
    return Pair(MODEL, POLICY)


def test_enforce_ex_names_all_deciding_rules() -> None:
    text = MODEL.replace("p = sub, obj, act", "p = sub, obj, act, eft").replace(
        "some(where (p.eft == allow))",
        "some(where (p.eft == allow)) && !some(where (p.eft == deny))",
    )
    rules = [
        ["staff", "map", "read", "allow"],
        ["ann", "map", "read", "allow"],
        ["ann", "plan", "read", "deny"],
        ["staff", "plan", "read", "deny"],
        ["staff", "plan", "read", "allow"],
    ]
    made = Pair(text, [*(["p", *rule] for rule in rules), ["g", "ann", "staff"]])
    made.ask("ann", "map", "read")
    allowed, rule = made.ours.enforce_ex("ann", "map", "read")
    assert (allowed, rule, rule.rules) == (True, rules[1], rules[:2])
    allowed, rule = made.ours.enforce_ex("ann", "plan", "read")
    assert (allowed, rule, rule.rules) == (False, rules[2], rules[2:4])
    assert made.ours.explain("ann", "plan", "read") == rules[2:4]
    assert made.ours.explain("cy", "plan", "read") == []


def test_what_is_not_compiled_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    text = MODEL.replace("r.act == p.act", "{r.act: 1} == {p.act: 1}")
    with caplog.at_level(logging.WARNING, "authz.engine.enforcer"):
        made = Pair(text, POLICY)
        same(made)
        made.each(lambda e: e.add_policy("cy", "plan", "read"))
        same(made)
    assert [r.message for r in caplog.records if r.name == "authz.engine.enforcer"] == [
        "m is not compiled: Unsupported: Dict is left to Casbin"
    ]
    [found] = made.ours.uncompiled()
    assert (found.matcher, found.reason) == ("m", "Unsupported: Dict is left to Casbin")


def test_casbins_own_log_is_kept(caplog: pytest.LogCaptureFixture, pair: Pair) -> None:
    logger = logging.getLogger("casbin.enforcer")
    said = []
    for enforcer in (pair.theirs, pair.ours):
        caplog.clear()
        logger.disabled = False
        with caplog.at_level(logging.INFO, "casbin.enforcer"):
            enforcer.enforce("ann", "map", "read")
            enforcer.enforce_ex("ann", "map", "write")
        logger.disabled = True
        said.append([(r.levelno, r.getMessage()) for r in caplog.records])
    assert said[0] == said[1] != []


@pytest.mark.parametrize("request_", [(), ("ann",), ("ann", "map", "read", "more")])
def test_a_request_of_another_size(pair: Pair, request_: tuple[str, ...]) -> None:
    assert pair.ask(*request_) == ("error", "RuntimeError", "invalid request size")


def test_batch(pair: Pair) -> None:
    assert pair.ours.batch_enforce(ASKED) == pair.theirs.batch_enforce(ASKED)


def test_rules_are_of_the_policy_that_answered(pair: Pair) -> None:
    _, rule = pair.ours.enforce_ex("ann", "map", "read")
    pair.ours.remove_policy("staff", "map", "read")
    assert rule.rules == [["staff", "map", "read"]]
    assert pair.ours.explain("ann", "map", "read") == []


def test_a_broken_rule_behind_the_answer_is_not_among_the_rules() -> None:
    text = MODEL.replace("r.act == p.act", "eval(p.act)")
    lines = [["p", "ann", "map", rule] for rule in ("True", "nobody", "1 +", "False", "1 == 1")]
    made = Pair(text, lines)
    assert made.allows("ann", "map", "")
    assert made.ours.explain("ann", "map", "") == [lines[0][1:], lines[4][1:]]
    [found] = made.ours.uncompiled()
    assert found.reason.startswith("rule 1 +: SyntaxError")
