"""Defects of the lines of ``policy.csv`` (3.3)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from authz.policy.load import load
from tests.unit.test_policy_lint import (
    POLICY,
    SCHOOL,
    Defect,
    check,
    condition,
    named,
    refusal,
    rule,
)

LOG = "p, dpo-log, dpo, read, access_log, legal_duty, True, allow"
WORDS = {
    "category": rule("p, dpo-log, dpo, read, access_logs", "one of identity, contact"),
    "field": rule(
        "contact(email fone)|delivery",
        "field of contact 'fone'",
        old="contact(email phone)|interests|delivery",
    ),
    "relation": condition("r.rel.teachs", "The relation 'teachs' is unknown"),
    "action": rule("p, dpo-log, dpo, raed, access_log", "one of read, update, export"),
    "purpose": rule("legal_dutty, True", "one of account, service", old="legal_duty, True"),
    "role": rule("p, dpo-log, dpoo, read", "one of public, student", old="p, dpo-log, dpo, read"),
    "role capital": rule("p, dpo-log, DPO, read", "'DPO'", old="p, dpo-log, dpo, read"),
    "effect Deny": rule("no_fields, Deny", "one of allow, deny", old="no_fields, deny"),
    "effect ALLOW": rule("legal_duty, True, ALLOW", "'ALLOW'", old="legal_duty, True, allow"),
    "effect permit": rule("legal_duty, True, permit", "'permit'", old="legal_duty, True, allow"),
    "no effect": rule("legal_duty, True,", "The effect ''", old="legal_duty, True, allow"),
    "actions all": rule("p, dpo-log, dpo, all, access_log", "The action 'all'"),
    "category twice": rule("p, dpo-log, dpo, read, access_log|access_log", "listed twice"),
    "all but twice": rule(
        "delete, all but credentials|credentials", "listed twice", old="delete, all but credentials"
    ),
    "all but unknown": rule(
        "delete, all but secrets", "'secrets'", old="delete, all but credentials"
    ),
    "no field": rule(
        "contact()|delivery", "lists no field", old="contact(email phone)|interests|delivery"
    ),
    "field twice": rule(
        "contact(email email)|delivery",
        "listed twice",
        old="contact(email phone)|interests|delivery",
    ),
    "after fields": rule(
        "contact(email)x|delivery",
        "not written well",
        old="contact(email phone)|interests|delivery",
    ),
    "blank in list": rule("p, dpo-log, dpo, read, access_log | enquiry", "'access_log '"),
    "thai digit": rule("p, dpo-log, dpo, read, access_log\u0e51", "is unknown"),
}
LINES = {
    "too few columns": rule(
        "p, dpo-log, dpo, read, legal_duty",
        "It has 6 columns",
        old="p, dpo-log, dpo, read, access_log, legal_duty",
    ),
    "too many columns": rule("p, dpo-log, dpo, read, access_log, x", "It has 8 columns"),
    "comma in condition": condition('r.act.name == "a,b"', "no bracket and no comma in quotes"),
    "bracket in quotes": condition('r.sub.id != ")("', "closes what was not opened"),
    "bracket pair in quotes": condition('r.sub.id != "()"', "Casbin splits the line within"),
    "p2": rule("p2, dpo-log", "p (a rule) or g", old="p, dpo-log"),
    "P": rule("P, dpo-log", "'P' is no kind of line", old="p, dpo-log"),
    "permit": rule("permit, dpo-log", "no kind of line", old="p, dpo-log"),
    "r": rule("r, dpo-log", "no kind of line", old="p, dpo-log"),
    "no kind": rule(", p, dpo-log", "'' is no kind of line", old="p, dpo-log"),
    "word alone": rule("hello", "no kind of line", old=LOG),
    "semicolon": rule("; dpo-log", "no kind of line", old=LOG),
    "duplicate id": rule("p, dpo-case, dpo, read, access_log", "The id dpo-case stands on line"),
    "same rule": rule(
        f"{LOG}\np, dpo-log-2, dpo, read, access_log, legal_duty, True, allow",
        "It says the same as the rule on line",
        old=LOG,
    )._replace(at="dpo-log-2"),
    "id capital": rule("p, Dpo-log, dpo, read", "cannot be the id", old="p, dpo-log, dpo, read"),
    "id quoted": rule('p, "dpo-log", dpo', "cannot be the id", old="p, dpo-log, dpo"),
    "id empty": rule("p, , dpo, read", "cannot be the id", old="p, dpo-log, dpo, read"),
    "id any": rule("p, any, dpo, read", "cannot be the id", old="p, dpo-log, dpo, read"),
    "id refused": rule("p, refused, dpo", "no reason of the service", old="p, dpo-log, dpo"),
    "two defaults": rule("account*|support*", "more than one default", old="account|support"),
    "default of a refusal": rule(
        "all, service*, r.rel.custody_restricted",
        "no default purpose",
        old="all, any, r.rel.custody_restricted",
    ),
    "purpose twice": rule(
        "service*|service|support", "listed twice", old="service*|account|support"
    ),
    "fields of a refusal": rule(
        "disclose, credentials(password)",
        "whole categories",
        old="disclose, credentials, any, True",
    )._replace(new="disclose, credentials(password), any, True", at="p, secret"),
    "comment in line": rule(
        "legal_duty, True, allow # why",
        "a comment on a line of its own",
        old="legal_duty, True, allow",
    ),
    "unbalanced )": condition("r.rel.teaches)", "closes what was not opened"),
    "unbalanced (": condition("(r.rel.teaches", "A ( is not closed"),
    "crossed brackets": condition("(r.rel.teaches]", "closes what was not opened"),
    "g columns": rule(f"{LOG}\ng, dpo", "two roles", old=LOG)._replace(at="g, dpo\n"),
    "g unknown": rule(f"{LOG}\ng, dpo, boss", "'boss'", old=LOG)._replace(at="g, dpo, boss"),
    "g itself": rule(f"{LOG}\ng, dpo, dpo", "inherit itself", old=LOG)._replace(at="g, dpo, dpo"),
    "g cycle": rule(f"{LOG}\ng, dpo, analyst\ng, analyst, dpo", "inherit itself", old=LOG)._replace(
        at="g, analyst, dpo"
    ),
    "g twice": rule(f"{LOG}\ng, dpo, analyst\ng, dpo,analyst", "already", old=LOG)._replace(
        at="g, dpo,analyst"
    ),
}
UNREACHABLE = {
    "False": condition("False", "its condition never holds"),
    "contradiction": condition("r.rel.teaches && !r.rel.teaches", "its condition never holds"),
    "self and between": condition("r.rel.self && r.rel.teaches", "its condition never holds"),
    "case": rule(
        "!r.rel.on_case && r.rel.on_rights_request, allow",
        "its condition never holds",
        old='r.rel.on_case && (listed(r.act.name, "read|export") || '
        "r.rel.on_rights_request), allow",
    )._replace(at="p, dpo-case"),
    "always refused": rule("p, dpo-log, dpo, read, credentials", "nobody can reach the rule"),
    "category refused": rule(
        "p, dpo-log, dpo, read, credentials|access_log",
        "with the category credentials it can never stand",
    ),
    "category not needed": rule(
        "dpo, read, access_log, improvement, True",
        "never holds",
        old="dpo, read, access_log, legal_duty, True",
    ),
    "one category not needed": rule(
        "identity|delivery|enquiry, commerce",
        "with the category enquiry",
        old="identity|delivery|purchase, commerce",
    ),
    "one purpose not needed": rule(
        "access_log, legal_duty|marketing",
        "with the purpose marketing",
        old="access_log, legal_duty",
    ),
    "fields not needed": rule(
        "contact(gender)|purchase, commerce",
        "with the category contact",
        old="identity|delivery|purchase, commerce",
    ),
    "two names of one subject": condition('r.sub.id == "a" && "b" == r.sub.id', "never holds"),
    "two types of one subject": condition(
        'r.sub.type == "user" && r.sub.type == "service"', "never holds"
    ),
    "no type of a subject": condition(
        'r.sub.type != "user" && !listed(r.sub.type, "service")', "never holds"
    ),
    "in a list and another": condition('listed(r.sub.id, "a|b") && r.sub.id == "c"', "never holds"),
    "without the role of the rule": condition('!held(r.sub.roles, "teacher")', "never holds"),
    "refusal without its role": rule(
        'p, secret, dpo, read, access_log, any, !held(r.sub.roles, "dpo")',
        "it can strike nothing",
        old="p, secret, any, read|export|disclose, credentials, any, True",
    ),
    "too many parts": condition(
        " && ".join(f'(r.sub.id < "a{n}" || r.sub.id < "b{n}")' for n in range(40))
        + " && r.rel.minor && !r.rel.minor",
        "takes too long to tell",
    ),
    "action not in condition": condition('r.act.name == "update"', "its condition never holds"),
    "one action": rule(
        'p, dpo-log, dpo, read|delete, access_log, legal_duty, r.act.name != "delete", allow',
        "with the action delete",
        old=LOG,
    ),
    "refusal False": refusal("False", "it can strike nothing"),
    "refusal of no permit": rule(
        'disclose, delivery, any, listed(r.pair.rule, "mentor-write")',
        "it can strike nothing",
        old="disclose, credentials, any, True",
    )._replace(at="p, secret"),
    "refusal of another": rule(
        'listed(r.pair.rule, "self-read"), deny',
        "it can strike nothing",
        old='listed(r.pair.rule, "school-maintain|school-reset"), deny',
    )._replace(at="p, escalation"),
    "other purpose": refusal(
        'r.pair.purpose == "event" && r.pair.basis == "contract"', "it can strike nothing"
    ),
}


@pytest.mark.parametrize(
    "text",
    [
        'r.sub.id == "a" || r.sub.id == "b"',
        'r.sub.id == "a" && r.sub.id == r.res.id && r.res.id != "b"',
        'r.sub.id != "a" && r.res.id != "a" && r.sub.id != r.res.id',
        'r.sub.id != r.res.id && r.sub.id == "a"',
        'listed(r.sub.id, "all but a|b") && r.sub.id != "c"',
        'r.sub.id < "b" && r.sub.id == "a"',
        'held(r.sub.roles, "teacher") && !held(r.sub.roles, "dpo")',
        " && ".join(f'(r.sub.id < "a{n}" || r.rel.teaches)' for n in range(40)),
    ],
)
def test_a_rule_that_somebody_can_reach_starts(tmp_path: Path, text: str) -> None:
    """What a name may be is chosen, and of two names each may be what the other is."""
    pack = shutil.copytree(SCHOOL, tmp_path / "school")
    path = pack / POLICY
    old = "service*, r.rel.teaches, allow"
    path.write_text(
        path.read_text("utf-8").replace(old, f"service*, r.rel.teaches && ({text}), allow"), "utf-8"
    )
    load(pack)


@pytest.mark.parametrize("defect", named(WORDS))
def test_a_word_that_is_not_known_stops_the_start(tmp_path: Path, defect: Defect) -> None:
    check(tmp_path, defect)


@pytest.mark.parametrize("defect", named(LINES))
def test_a_line_that_is_not_one_stops_the_start(tmp_path: Path, defect: Defect) -> None:
    check(tmp_path, defect)


@pytest.mark.parametrize("defect", named(UNREACHABLE))
def test_a_rule_that_nobody_can_reach_stops_the_start(tmp_path: Path, defect: Defect) -> None:
    check(tmp_path, defect)
