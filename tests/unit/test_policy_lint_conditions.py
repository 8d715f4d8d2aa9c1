"""Defects of the conditions of ``policy.csv`` (3.3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_policy_lint import Defect, check, condition, named, refusal

CONDITIONS = {
    "empty": condition("", "The condition is empty"),
    "syntax": condition("r.rel.teaches &&", "not an expression"),
    "single &": condition("r.rel.teaches & r.rel.assists", "BinOp is not part of the language"),
    "assignment": condition("r.rel.teaches = True", "not an expression"),
    "walrus": condition("(x := True)", "NamedExpr is not part"),
    "call": condition("open(r.sub.id, r.sub.id)", "Only these functions may be called"),
    "method": condition("r.sub.id.strip()", "Only these functions may be called"),
    "eval": condition("eval(p.condition)", "Only these functions"),
    "keyword": condition('listed(r.act.name, text="read")', "not called as it must"),
    "one argument": condition("listed(r.act.name)", "not called as it must"),
    "unquoted": condition("listed(r.act.name, r.res.type)", "needs its names in quotes"),
    "list a number": condition("listed(r.act.name, 3)", "needs its names in quotes"),
    "list a relation": condition('listed(r.rel.teaches, "read")', "listed needs a text"),
    "held of nobody": condition('held(r.sub.id, "dpo")', "held asks for roles"),
    "held what": condition('held(r.sub.roles, "dpoo")', "'dpoo' is nothing that r.sub.roles"),
    "lambda": condition("lambda: True", "Lambda is not part"),
    "dunder": condition("r.rel.__class__", "not to be asked"),
    "private": condition("r.rel._situation", "not to be asked"),
    "subscript": condition('r.rel["teaches"]', "Subscript is not part"),
    "comprehension": condition("[x for x in r.sub.roles]", "is not part of the language"),
    "f-string": condition('r.sub.id == f"x"', "JoinedStr is not part"),
    "bytes": condition('r.sub.id == b"x"', "The constant b'x'"),
    "None": condition("r.sub.id == None", "The constant None"),
    "if": condition("True if r.rel.teaches else True", "IfExp is not part"),
    "arithmetic": condition("2 ** 9 == 512", "BinOp is not part"),
    "attribute of a constant": condition('"x".upper == "X"', "Only names of the request"),
    "unknown token": condition("r.env.teaches", "The name r.env is unknown"),
    "unknown name": condition("teaches", "The name teaches is unknown"),
    "true": condition("true", "The name true is unknown"),
    "column": condition('p.role == "teacher"', "The name p.role is unknown"),
    "second request": condition("r2.rel.teaches", "is unknown"),
    "bare token": condition("r.rel", "r.rel is no value"),
    "too deep member": condition("r.rel.teaches.now", "member of r.rel.teaches"),
    "unknown context": condition("r.ctx.admin", "The member of r.ctx 'admin' is unknown"),
    "permit asks pair": condition('r.pair.purpose == "service"', "Only a refusal may ask"),
    "a text": condition("r.sub.id", "r.sub.id is a text; expected true or false"),
    "a number": condition("1", "1 is a number"),
    "negated text": condition("!r.sub.id", "is a text"),
    "a function": condition("listed", "listed is no value"),
    "text with relation": condition('r.rel.teaches == "true"', "True or false is compared with"),
    "order of booleans": condition("r.rel.teaches > False", "no order"),
    "chain": condition("r.sub.id == r.res.id == r.sub.id", "A comparison has two sides"),
    "part of a text": condition('"a" in r.sub.id', "in looks into what is no list"),
    "constants": condition('"a" == "a"', "Two constants"),
    "unknown action": condition('r.act.name == "raed"', "'raed' is nothing that r.act.name"),
    "unknown listed": condition('listed(r.act.name, "read|exprt")', "'exprt' is nothing"),
    "unknown category": refusal('r.res.type == "credential"', "'credential' is nothing"),
    "unknown basis": refusal('r.pair.basis == "consnet"', "'consnet' is nothing"),
    "unknown purpose": refusal('r.pair.purpose != "legal_claim"', "'legal_claim' is nothing"),
    "unknown rule": refusal('listed(r.pair.rule, "dpo-cas")', "'dpo-cas' is nothing"),
    "refusal as rule": refusal('r.pair.rule == "secret"', "'secret' is nothing"),
    "&& in quotes": condition('r.sub.id == "a&&b"', "Casbin would read"),
    "! in quotes": condition('r.sub.id == "a!b"', "Casbin would read"),
    "r. in quotes": condition('r.sub.id == "r.x"', "Casbin would read"),
    "backslash": condition(r'r.sub.id == "\x41"', "Casbin would read"),
    "wide letters": condition("r.rel.\uff54eaches", "plain letters only"),
    "too long": condition("r.rel.teaches && " * 300 + "True", "longer than 4000"),
    "too deep": condition("!" * 900 + "r.rel.teaches", "nested too deeply"),
    "deep brackets": condition(
        "(" * 150 + "r.rel.teaches" + ")" * 150 + " && " + "!" * 80 + "r.rel.teaches",
        "nested too deeply",
    ),
}


@pytest.mark.parametrize("defect", named(CONDITIONS))
def test_a_condition_that_is_not_plain_stops_the_start(tmp_path: Path, defect: Defect) -> None:
    check(tmp_path, defect)
