"""A small district to be explained, and what an explanation says of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from authz.decision.request import parse
from authz.service.explain import explained
from authz.vocabulary import Relation
from tests.world import CALLER, NOW, Row, World, point, question

Told = dict[str, Any]


def world() -> World:
    """A small district in which every relation is both true and not."""
    found = World().school("D").school("S1", below="D").school("S2", below="D")
    found.person("kid", "free", born="2012-05-05", at="S1").person("pal", born="2006-11-15")
    found.person("undated").person("mum", "dad", "aunt", "ann", "aide", "boss", "far").person(
        "clerk", at="S1"
    )
    found.people.append({"id": "gone", "status": "deregistered", "ended_at": "2026-01-01"})
    found.people += [{"id": "idle", "status": "suspended"}]
    found.people += [{"id": "left", "cancelled_at": "2020-01-01"}]
    found.term("T", "2026-05-16", "2027-03-31").term("old", "2025-05-16", "2026-03-31")
    found.group("C1", school="S1", terms=["T"]).group("C0", school="S1", terms=["old"])
    for group in ("C0", "C1"):
        found.enrol(group, "student", "kid").enrol(group, "teacher", "ann")
    found.enrol("C1", "aide", "aide").enrol("C0", "proctor", "far")
    found.guardianships.append({"guardian": "dad", "student": "kid", "kind": "parent"})
    found.guardian("dad", "kid", "guardian", until="2026-06-01").guardian("mum", "kid")
    found.guardian("aunt", "kid", "relative").guardian("mum", "undated").guardian("mum", "free")
    found.guardian("mum", "pal").guardian("ann", "free", from_="2027-01-01")
    found.fact("emancipation", person="free", from_="2026-10-01")
    found.fact("custody_restriction", subject="ann", person="kid", from_="2026-02-03", basis="x")
    found.grant("boss", "school_admin", "D", from_="2026-01-01").grant("far", "school_admin", "S2")
    for role in ("support_agent", "order_clerk", "mentor", "dpo", "analyst"):
        found.grant("clerk", role, until="2027-01-01")
    found.fact("processor", id="P", name="P", members=["svc"])
    found.fact("authority", id="A", name="A", members=["court"])
    terms = {"processor": "P", "purposes": ["service"], "actions": ["read"], "schools": "all"}
    place = {"country": "TH", "sub_processing": False, "transfer": "domestic"}
    found.fact("contract", id="K1", categories={"identity": []}, **terms, **place)
    found.fact("contract", id="K2", categories={"contact": ["email"]}, **terms, **place)
    found.fact("contract", id="K3", categories={"identity": []}, **{**terms, "schools": ["S2"]},
               **place)  # fmt: skip
    found.fact("contract", id="K4", categories={"identity": []}, **terms,
               **{**place, "transfer": "none"})  # fmt: skip
    cover = {"authority": "A", "categories": ["identity"]}
    found.fact("order", id="O1", persons=["kid"], **cover)
    found.fact("order", id="O2", persons=["pal"], **cover)
    mine = {"assignee": "clerk"}
    found.fact("ticket", id="K-1", person="kid", opened_at="2026-11-01", **mine)
    found.fact("ticket", id="K-3", person="clerk", opened_at="2026-11-01", **mine)
    shut = {"opened_at": "2026-10-01", "closed_at": "2026-11-01"}
    found.fact("ticket", id="K-2", person="kid", **shut, **mine)
    found.fact("purchase", id="G-1", person="kid", ordered_at="2026-11-01", **mine)
    found.fact("purchase", id="G-2", person="pal", ordered_at="2026-01-01", **mine,
               received_at="2026-02-01")  # fmt: skip
    found.fact("mentoring", mentor="clerk", person="kid", from_="2026-03-01")
    found.fact("mentoring", mentor="clerk", person="pal", until="2026-03-01")
    found.fact("case", id="R", kind="rights_request", persons=["kid"], opened_at="2026-11-01",
               **mine)  # fmt: skip
    found.fact("case", id="I", kind="incident", persons=["kid"], opened_at="2026-11-01", **mine)
    day = {"from_": "2026-11-15", "until": "2026-11-16", "justification": "flood"}
    found.fact("elevation", person="far", school="S1", **day)
    found.fact("elevation", person="boss", school="S2", **day)
    found.fact("consent", person="kid", purpose="marketing", given_at="2026-01-01",
               withdrawn_at="2026-05-01")  # fmt: skip
    found.fact("objection", person="kid", purpose="improvement", from_="2026-04-01")
    found.fact("restriction", person="pal", from_="2026-07-01")
    return found


def ask(who: str, category: str = "identity", person: str = "kid", **more: Any) -> Row:
    kind = "service" if who in {"svc", "court"} else "user"
    action = more.pop("action", "read")
    return question(who, action, category, person, kind=kind, **more)


def explain(store: Engine, *asked: Row, at: datetime = NOW, language: str = "en") -> list[Told]:
    found = explained(point(store), [parse(each) for each in asked], CALLER, at, language)
    return [document for _, document in found]


def told_of(document: Told, relation: Relation) -> Told:
    """What the explanation says of a relation, in the first rule that asks it."""
    for rule in document["context"]["explanation"]["rules"]:
        for each in rule["condition"]["relations"]:
            if each["relation"] == relation:
                found: Told = each
                return found
    raise AssertionError(f"no rule asks {relation}")


def rule_of(document: Told, name: str) -> Told:
    rules = document["context"]["explanation"]["rules"]
    found: Told = next(rule for rule in rules if rule["rule"] == name)
    return found


def changes_of(document: Told) -> list[str]:
    return [each["text"] for each in document["context"]["explanation"]["changes"]]
