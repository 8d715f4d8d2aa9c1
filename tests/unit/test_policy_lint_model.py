"""Defects of ``model.conf``: refusals must beat permits, each column must count (3.3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_policy_lint import Defect, check, model, named

EFFECT = "!some(where (p.eft == deny))"
MATCHER = "m = held(r.sub.roles, p.role)"
MODELS = {
    "no refusals": model(f"&& {EFFECT}", "", "would not beat a permit", "e = some"),
    "priority": model(
        "e = some(where (p.eft == allow)) && " + EFFECT,
        "e = priority(p.eft) || deny",
        "would not beat",
    ),
    "or in effect": model(f"&& {EFFECT}", f"|| {EFFECT}", "would not beat", "e = some"),
    "no section": model(
        "[policy_effect]", "", "This is no definition of [role_definition]", "e = some"
    ),
    "misspelt section": model("[matchers]", "[matcher]", "The section [matcher] is unknown"),
    "capital section": model("[matchers]", "[Matchers]", "one of [request_definition]"),
    "misspelt key": model("r = sub", "q = sub", "r = …"),
    "second matcher": model("m = held", "m2 = held", "no definition of [matchers]"),
    "defined twice": model(
        "[role_definition]",
        "p = id, role\n[role_definition]",
        "is defined on line",
        "p = id, role\n",
    ),
    "last one wins": model("[matchers]", "[matchers]\nm = True", "is defined on line", MATCHER),
    "no equals": model("g = _, _", "g _ _", "no definition of [role_definition]"),
    "empty": model("g = _, _", "g =", "no definition of [role_definition]"),
    "hash in matcher": model(
        " && eval(p.condition)", " # && eval(p.condition)", "comment on a line", MATCHER
    ),
    "columns": model("id, role, action", "id, action, role", "p = id, role, action"),
    "column missing": model(
        ", condition, eft", ", condition", "policy definition is another", "p = id"
    ),
    "token": model("ctx, rel, pair", "ctx, env, rel, pair", "The request token 'env'"),
    "token twice": model("ctx, rel, pair", "ctx, rel, rel, pair", "there twice"),
    "token missing": model("ctx, rel, pair", "ctx, rel", "lacks pair"),
    "roles": model("g = _, _", "g = _, _, _", "role definition is another"),
    "unknown function": model("held(r.sub.roles", "owns(r.sub.roles", "does not use p.role"),
    "matcher syntax": model("m = held", "m = (held", "The matcher cannot be read"),
    "matcher or": model("p.role) && listed", "p.role) || listed", "wider than it reads"),
    "ignores role": model("held(r.sub.roles, p.role) && ", "", "does not use p.role", "m = "),
    "ignores action": model("listed(r.act.name, p.action) && ", "", "use p.action", "m = "),
    "ignores categories": model(
        "listed(r.res.type, p.categories) && ", "", "use p.categories", "m = "
    ),
    "ignores purposes": model(
        "listed(r.pair.purpose, p.purposes) && ", "", "use p.purposes", "m = "
    ),
    "ignores id": model(
        ' && (p.eft == "deny" || p.id == r.pair.rule)', "", "use p.id and p.eft", "m = "
    ),
    "ignores eft": model(
        '(p.eft == "deny" || p.id == r.pair.rule)',
        "p.id == r.pair.rule",
        "use p.id and p.eft",
        "m = ",
    ),
    "ignores condition": model(" && eval(p.condition)", "", "use p.condition", "m = "),
    "condition twice": model(
        " && eval(p.condition)",
        " && eval(p.condition) && eval(p.condition)",
        "p.condition twice",
        "m = ",
    ),
    "condition not evaluated": model(
        "eval(p.condition)", '(p.condition == "True")', "use p.condition", "m = "
    ),
    "more than it may": model(
        "eval(p.condition)", "eval(p.condition) && r.rel.self", "weaken the refusals", "m = "
    ),
    "no plain boolean": model(
        "eval(p.condition)", "eval(p.condition) && r.sub.id", "says more than it may", "m = "
    ),
    "crossed columns": model(
        "listed(r.act.name, p.action)", "listed(r.act.name, p.categories)", "use p.action", "m = "
    ),
    "thai in model": model("m = held", "m\u0e2d = held", "plain letters"),
}


@pytest.mark.parametrize("defect", named(MODELS))
def test_a_model_that_widens_a_rule_stops_the_start(tmp_path: Path, defect: Defect) -> None:
    check(tmp_path, defect)
