"""What a case's exact answers are by page 2, 4.3 and 2.8, told from the oracle's answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authz.decision.answer import sentence
from tests.golden.cases import Case, Golden
from tests.oracle.answer import Malformed, answer
from tests.oracle.school import School
from tests.world import policy

OUTWARD = {"purpose_required", "unknown_category", "unknown_action", "unknown_purpose"}  # 4.3
ORDER = ("fields", "withheld", "classes", "pseudonymise", "notify", "review")
ASKED = ("purpose", "ticket", "order", "case")
Row = dict[str, Any]


def of(golden: Golden, school: School, case: Case) -> Row | None:
    """The three answers of a case; None where it is malformed. ValueError where the oracle does
    not say what the case expects."""
    request = case.request
    if not case.asserts_mfa:
        request = {**request, "context": {**request.get("context", {}), "mfa": None}}
    try:
        found = answer(school, request, case.at)
    except Malformed:
        found = {}
    if _said(found) != ("malformed" if case.outcome == "malformed" else case.expect):
        raise ValueError(f"{golden.path.name}: {case.name}: the oracle says {_said(found)!r}")
    if not found:
        return None
    return {
        "outward": _answer(found, case.language, inward=False),
        "inward": _answer(found, case.language, inward=True),
        "record": _record(request, found),
    }


def _said(found: Mapping[str, Any]) -> str:
    if not found:
        return "malformed"
    if found["decision"]:
        return f"permit {', '.join(found['rules'])} for {found['purpose']}"
    return f"refuse {', '.join(found['rules'] or [found['reason']])}"


def _answer(found: Mapping[str, Any], language: str, *, inward: bool) -> Row:
    """4.3: members without content are left out; outward, a refusal's code is neutral."""
    if found["decision"]:
        context = {
            "purpose": found["purpose"],
            "rules": found["rules"],
            "obligations": _obligations(found),
        }
        return {"decision": True, "context": context}
    code = found["reason"] if inward or found["reason"] in OUTWARD else "refused"
    context = {"reason": {"code": code, "text": sentence(policy().catalogue, code, language)}}
    if inward and found["rules"]:
        context["rules"] = found["rules"]
    return {"decision": False, "context": context}


def _obligations(found: Mapping[str, Any]) -> list[Row]:
    told = found["obligations"]
    return [{"id": name, "value": told[name]} for name in ORDER if name in told]


def _record(request: Mapping[str, Any], found: Mapping[str, Any]) -> Row:
    """2.8: who asked, about whom, why, and what came out; ids and names of fields only.

    What is the same in every record of these tests is left to the test.
    """
    context = request.get("context") or {}
    properties = request["resource"].get("properties") or {}
    kept = {name: context[name] for name in ASKED if context.get(name) is not None}
    if context.get("mfa") is True:
        kept["mfa"] = True
    if (context.get("justification") or "").strip():
        kept["justified"] = True
    members = {
        "subject": {name: request["subject"][name] for name in ("type", "id")},
        "action": request["action"]["name"],
        "resource": {name: request["resource"][name] for name in ("type", "id")},
        "properties": {
            name: properties[name]
            for name in ("class", "record", "fields")
            if properties.get(name) is not None
        },
        "context": kept,
        "purpose": found["purpose"] or context.get("purpose"),
        "decision": found["decision"],
        "rules": found["rules"],
        "reason": found["reason"],
        "obligations": _obligations(found),
    }
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}
