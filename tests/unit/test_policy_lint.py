"""A pack with a defect does not start: file, line, what is wrong, what was expected (3.3).

Each defect is one change to a copy of the school pack. ``at`` is a piece of the line that
must be named, as it stands after the change; it is there once.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from authz.errors import PolicyError
from authz.policy.load import load

SCHOOL = Path(__file__).resolve().parents[2] / "policies" / "school"
MODEL, POLICY, CATALOGUE = "model.conf", "policy.csv", "catalogue.toml"
EFFECT = "!some(where (p.eft == deny))"
MATCHER = "m = held(r.sub.roles, p.role)"


class Defect(NamedTuple):
    """``old`` is replaced by ``new``; the error stands at ``at`` and says ``says``."""

    file: str
    old: str
    new: str
    at: str
    says: str


def rule(new: str, says: str, *, old: str = "p, dpo-log, dpo, read, access_log") -> Defect:
    """A defect of the line of ``dpo-log``, or of another one."""
    return Defect(POLICY, old, new, new, says)


def condition(text: str, says: str) -> Defect:
    """A defect in the condition of ``teacher-read``."""
    return Defect(
        POLICY, "service*, r.rel.teaches, allow", f"service*, {text}, allow", "teacher-read", says
    )


def refusal(text: str, says: str) -> Defect:
    """A defect in the condition of ``withdrawn``, a refusal."""
    old = 'r.pair.basis == "consent" && !r.rel.consented && !r.rel.self'
    return Defect(POLICY, old, text, "p, withdrawn", says)


def catalogue(old: str, new: str, says: str, at: str = "") -> Defect:
    return Defect(CATALOGUE, old, new, at or new, says)


def model(old: str, new: str, says: str, at: str = "") -> Defect:
    return Defect(MODEL, old, new, at or new, says)


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
CATALOGUES = {
    "toml": catalogue('about = "people" ', "about = people ", "It is not TOML"),
    "toml end": catalogue(
        'en = "None of the fields asked for may be used."', "en = [", "It is not TOML", "en = ["
    ),
    "table twice": catalogue(
        "[categories.contact]",
        "[categories.identity]",
        "It is not TOML",
        '[categories.identity]\nfields = ["email"',
    ),
    "unknown table": catalogue(
        "[obligations]", "[duties]\nx = 1\n[obligations]", "duties is unknown", "[duties]"
    ),
    "unknown key": catalogue(
        'name = "school"', 'name = "school"\nnmae = 1', "nmae is unknown", "nmae"
    ),
    "roles of people": catalogue(
        'name = "school"', 'name = "school"\nroles = ["x"]', "roles is unknown in [pack]", "roles ="
    ),
    "about": catalogue('about = "people" ', 'about = "persons" ', "one of people, entities"),
    "about missing": catalogue('about = "people" ', "", "one of people, entities", "[pack]"),
    "name a number": catalogue('name = "school"', "name = 3", "3 cannot be a name"),
    "answers": catalogue(
        'name = "school"', 'name = "school"\nanswers = "yes"', "one of plain, explained", "answers"
    ),
    "actions a text": catalogue("actions = [", 'actions = "read" # [', "no list of names"),
    "action twice": catalogue(
        '"export", "disclose"', '"export", "export", "disclose"', "listed twice"
    ),
    "action any": catalogue(
        '"export", "disclose"', '"export", "any", "disclose"', "'any' cannot be a name"
    ),
    "action with |": catalogue(
        '"export", "disclose"', '"export", "a|b", "disclose"', "'a|b' cannot be a name"
    ),
    "fields a number": catalogue(
        'fields = ["given_name", "family_name"]',
        "fields = 3",
        "fields of [categories.identity] is no list",
    ),
    "fields mixed": catalogue('"given_name", "family_name"', '"given_name", 4', "no list of names"),
    "fields missing": catalogue(
        'fields = ["given_name", "family_name"]\n',
        "",
        "fields of [categories.identity]",
        "[categories.identity]",
    ),
    "category no table": catalogue(
        "[categories.identity]",
        "[categories]\nx = 1\n[categories.identity]",
        "[categories.x] is no table",
        "x = 1",
    ),
    "category key": catalogue(
        'th = "ชื่อและนามสกุล"', 'thai = "ชื่อและนามสกุล"', "thai is unknown in [categories.identity]"
    ),
    "category all": catalogue(
        "[categories.identity]",
        '[categories.all]\nfields=["a"]\n[categories.identity]',
        "'all' cannot be a name",
        "[categories.all]",
    ),
    "no Thai title": catalogue('th = "ที่อยู่จัดส่ง"\n', "", "no text in th", "[categories.delivery]"),
    "basis": catalogue('basis = "legal_obligation"', 'basis = "law"', "one of contract"),
    "basis missing": catalogue(
        'basis = "legal_obligation"\n', "", "The basis None", "[purposes.legal_duty]"
    ),
    "clock start": catalogue('starts = "received"', 'starts = "recieved"', "one of cancelled"),
    "clock unit": catalogue(
        'clock = { starts = "received", years = 10 }',
        'clock = { starts = "received", days = 10 }',
        "is not complete",
    ),
    "clock both": catalogue("days = 30 }", "days = 30, years = 1 }", "is not complete"),
    "clock number": catalogue("days = 30 }", 'days = "30" }', "is not complete"),
    "clock truth": catalogue("days = 30 }", "days = true }", "is not complete"),
    "clock negative": catalogue("days = 30 }", "days = -1 }", "from 1 to 36525"),
    "clock too far": catalogue("days = 30 }", "days = 99999999 }", "from 1 to 36525"),
    "clock half": catalogue(
        'starts = "received", years = 10', 'starts = "received"', "is not complete"
    ),
    "clock empty": catalogue(
        '{ starts = "received", years = 10 }', "{}", "The start None", "clock = {}"
    ),
    "clock a list": catalogue(
        '{ starts = "received", years = 10 }', "[]", "is no table", "clock = []"
    ),
    "clock a number": catalogue(
        '{ starts = "received", years = 10 }', "0", "is no table", "clock = 0\n"
    ),
    "needs field": catalogue('"contact(email)"', '"contact(mail)"', "field of contact 'mail'"),
    "needs category": catalogue('"contact(email)"', '"kontact"', "'kontact'"),
    "needs no field": catalogue('"contact(email)"', '"contact()"', "lists no field"),
    "needs unclosed": catalogue('"contact(email)"', '"contact(email"', "not written well"),
    "needs twice": catalogue('"contact(email)"', '"contact(email)", "contact"', "listed twice"),
    "needs a text": catalogue(
        'basis = "legal_obligation"\nneeds = "all but credentials"',
        'basis = "legal_obligation"\nneeds = "everything"',
        "no list of names",
        'needs = "everything"',
    ),
    "needs missing": catalogue(
        'basis = "legal_obligation"\nneeds = "all but credentials"\n',
        'basis = "legal_obligation"\n',
        "needs of [purposes.legal_duty]",
        "[purposes.legal_duty]",
    ),
    "obligation key": catalogue(
        'review = ["school-emergency"]', 'reviews = ["school-emergency"]', "reviews is unknown"
    ),
    "obligation rule": catalogue(
        'review = ["school-emergency"]',
        'review = ["school-emergncy"]',
        "names the rule school-emergncy",
    ),
    "obligation of a refusal": catalogue(
        'review = ["school-emergency"]', 'review = ["custody"]', "names the rule custody"
    ),
    "classes of none": catalogue(
        '"teacher-read", "assistant-read"]', '"teacher-read", "self-read"]', "holds in no class"
    ),
    "notify rule": catalogue(
        'school-reset = ["person"]', 'school-rest = ["person"]', "names the rule school-rest"
    ),
    "notify whom": catalogue(
        'school-reset = ["person"]', 'school-reset = ["persom"]', "one of person, dpo"
    ),
    "notify a text": catalogue(
        'school-reset = ["person"]', 'school-reset = "person"', "no list of names"
    ),
    "reason missing": catalogue(
        "[reasons.no-fields]",
        "[reasons.no-field]",
        "The rule no-fields has no sentence",
        "[reasons.self-read]",
    ),
    "reason of nobody": catalogue(
        "[reasons.no-fields]",
        '[reasons.x]\nth = "ก"\nen = "a"\n[reasons.no-fields]',
        "names the rule x",
        "[reasons.x]",
    ),
    "reason without Thai": catalogue(
        'th = "ไม่มีรายการข้อมูลใดในที่ขอที่อนุญาตให้ใช้ได้"\n', "", "no text in th", "[reasons.no-fields]"
    ),
    "Thai in English": catalogue(
        'th = "ไม่มีรายการข้อมูลใดในที่ขอที่อนุญาตให้ใช้ได้"', 'th = "No."', "a sentence in Thai"
    ),
    "reason empty": catalogue(
        '"None of the fields asked for may be used."', '" "', "no text in en"
    ),
    "reason a number": catalogue(
        '"None of the fields asked for may be used."', "7", "no text in en", "en = 7"
    ),
    "reason no table": catalogue(
        "[reasons.no-fields]",
        "[reasons]\nx = 1\n[reasons.no-fields]",
        "[reasons.x] is no table",
        "x = 1",
    ),
    "third language": catalogue(
        'th = "ที่อยู่จัดส่ง"', 'de = "x"\nth = "ที่อยู่จัดส่ง"', "de is unknown", "de ="
    ),
}
INVISIBLE = {
    f"{name} in {file}": Defect(file, old, f"{old}{character}", old, "the invisible character")
    for file, old in ((POLICY, "p, custody"), (MODEL, "e = some"), (CATALOGUE, "[reasons.custody]"))
    for name, character in {
        "NUL": "\0",
        "bell": "\a",
        "form feed": "\f",
        "lone return": "\rx",
        "NEL": "\x85",
        "line separator": "\u2028",
        "right to left": "\u202e",
        "isolate": "\u2066",
        "byte order mark": "\ufeff",
        "soft hyphen": "\u00ad",
    }.items()
}
TABLES = {
    "word": WORDS,
    "line": LINES,
    "condition": CONDITIONS,
    "unreachable": UNREACHABLE,
    "model": MODELS,
    "catalogue": CATALOGUES,
    "invisible": INVISIBLE,
}
DEFECTS = [
    pytest.param(defect, id=f"{table}: {name}")
    for table, defects in TABLES.items()
    for name, defect in defects.items()
]


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the school pack, to be damaged."""
    return shutil.copytree(SCHOOL, tmp_path / "school")


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_stops_the_start(pack: Path, defect: Defect) -> None:
    path = pack / defect.file
    text = path.read_text("utf-8")
    assert text.count(defect.old) == 1, "the table does not fit the pack"
    text = text.replace(defect.old, defect.new)
    path.write_text(text, "utf-8", newline="")
    assert text.count(defect.at) >= 1, "the line is not there"
    line = text[: text.index(defect.at)].count("\n") + 1
    with pytest.raises(PolicyError) as caught:
        load(pack)
    assert defect.says.lower() in str(caught.value).lower()
    assert caught.value.where == f"{path}:{line}"
    assert "Expected" in caught.value.hint or "xpected" in caught.value.message


@pytest.mark.parametrize("file", [MODEL, POLICY, CATALOGUE])
def test_a_missing_file_is_named(pack: Path, file: str) -> None:
    (pack / file).unlink()
    with pytest.raises(PolicyError, match=r"A pack is model\.conf"):
        load(pack)


@pytest.mark.parametrize("file", [MODEL, POLICY, CATALOGUE])
def test_a_folder_in_place_of_a_file_is_named(pack: Path, file: str) -> None:
    (pack / file).unlink()
    (pack / file).mkdir()
    with pytest.raises(PolicyError) as caught:
        load(pack)
    assert caught.value.where == str(pack / file)


@pytest.mark.parametrize("file", [MODEL, POLICY, CATALOGUE])
def test_an_empty_file_is_named(pack: Path, file: str) -> None:
    (pack / file).write_text("")
    with pytest.raises(PolicyError) as caught:
        load(pack)
    assert caught.value.where.startswith(str(pack / file))
    assert caught.value.hint


@pytest.mark.parametrize("file", [MODEL, POLICY, CATALOGUE])
def test_what_is_not_utf8_is_named_with_its_line(pack: Path, file: str) -> None:
    (pack / file).write_bytes(b"# one\n# two \xe0\xb8\n" + (pack / file).read_bytes())
    with pytest.raises(PolicyError, match="not UTF-8") as caught:
        load(pack)
    assert caught.value.where == f"{pack / file}:2"


def test_a_file_without_end_is_not_read(pack: Path) -> None:
    with (pack / POLICY).open("a") as file:
        file.writelines("# and so on\n" for _ in range(400_000))
    with pytest.raises(PolicyError, match="larger than 4 MiB"):
        load(pack)


def test_no_pack_at_all(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="There is no such policy pack"):
        load(tmp_path / "nowhere")


def test_a_pack_without_a_permit(pack: Path) -> None:
    path = pack / POLICY
    kept = [line for line in path.read_text("utf-8").splitlines() if not line.endswith("allow")]
    path.write_text("\n".join(kept), "utf-8")
    with pytest.raises(PolicyError) as caught:
        load(pack)
    assert str(path) in caught.value.where


def test_windows_lines_and_a_byte_order_mark_change_nothing(pack: Path) -> None:
    before = load(pack)
    for file in (MODEL, POLICY, CATALOGUE):
        text = (pack / file).read_text("utf-8")
        (pack / file).write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    assert load(pack).digest == before.digest


def test_a_continued_matcher_is_read_whole(pack: Path) -> None:
    path = pack / MODEL
    path.write_text(path.read_text().replace(" && eval", " \\\n   && eval"))
    assert len(load(pack).permits) == len(load(SCHOOL).permits)


def test_the_digest_names_the_text(pack: Path) -> None:
    before = load(pack).digest
    with (pack / POLICY).open("a") as file:
        file.write("# a remark\n")
    assert load(pack).digest != before
