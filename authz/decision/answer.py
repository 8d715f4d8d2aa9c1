"""A decision in AuthZEN's words, for callers and for what-if tools (4.3).

A caller is told no more than they may know, a what-if tool everything (page 5, "Reasons
outward").

No id or time of its own is in an answer, so that the same question gives the same bytes
(3.5). Members without content are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authz.decision.catalogue import Catalogue, Texts
from authz.decision.combine import Decision
from authz.vocabulary import OUTWARD_REASONS, Reason

DEFAULT_LANGUAGE = "en"

SENTENCES: Mapping[Reason, Texts] = {
    Reason.NO_RULE: {
        "th": "ไม่มีกฎข้อใดอนุญาตการใช้นี้",
        "en": "No rule permits this use.",
    },
    Reason.PURPOSE_REQUIRED: {
        "th": "โปรดระบุวัตถุประสงค์ของการใช้ข้อมูล",
        "en": "Say for which purpose the data are to be used (context.purpose).",
    },
    Reason.UNKNOWN_CATEGORY: {
        "th": "ไม่รู้จักประเภทข้อมูลนี้",
        "en": "This kind of data is not in the catalogue (resource.type).",
    },
    Reason.UNKNOWN_ACTION: {
        "th": "ไม่รู้จักการกระทำนี้",
        "en": "This action is not in the catalogue (action.name).",
    },
    Reason.UNKNOWN_PURPOSE: {
        "th": "ไม่รู้จักวัตถุประสงค์นี้",
        "en": "This purpose is not in the catalogue (context.purpose).",
    },
    Reason.RULE_ERROR: {
        "th": "ประเมินกฎข้อหนึ่งไม่ได้ จึงไม่อนุญาต",
        "en": "A rule could not be evaluated, so the answer is no.",
    },
    Reason.REFUSED: {
        "th": "ไม่อนุญาตให้ใช้ข้อมูลนี้",
        "en": "This use is not permitted.",
    },
}


_REASONS: Mapping[str, Reason] = {own.value: own for own in Reason}


def sentence(catalogue: Catalogue, reason: str, language: str = DEFAULT_LANGUAGE) -> str:
    """The sentence of a reason, of the service's own or of a rule of the pack."""
    texts = catalogue.reasons.get(reason) or SENTENCES.get(_own(reason), {})
    return texts.get(language) or texts.get(DEFAULT_LANGUAGE) or reason


def outward(decision: Decision, catalogue: Catalogue, language: str) -> dict[str, Any]:
    """What a caller over HTTP is told: a refusal's code is neutral (4.3)."""
    if catalogue.plain_answers:
        return {"decision": decision.permit}
    if decision.permit:
        return {"decision": True, "context": _permit(decision)}
    own = _own(decision.reason or "")
    code = own if own in OUTWARD_REASONS else Reason.REFUSED
    return {"decision": False, "context": {"reason": _reason(catalogue, code, language)}}


def inward(decision: Decision, catalogue: Catalogue, language: str) -> dict[str, Any]:
    """What a what-if tool is told: the codes and rule ids of the policy (4.3)."""
    if decision.permit:
        return {"decision": True, "context": _permit(decision)}
    context: dict[str, Any] = {"reason": _reason(catalogue, decision.reason or "", language)}
    if decision.rules:
        context["rules"] = list(decision.rules)
    return {"decision": False, "context": context}


def _permit(decision: Decision) -> dict[str, Any]:
    context: dict[str, Any] = {"purpose": decision.purpose} if decision.purpose else {}
    context["rules"] = list(decision.rules)
    if decision.obligations:
        context["obligations"] = obligations(decision)
    return context


def obligations(decision: Decision) -> list[dict[str, Any]]:
    """The obligations, each as its id and value, in the order of the vocabulary."""
    return [{"id": str(name), "value": value} for name, value in decision.obligations.items()]


def _reason(catalogue: Catalogue, code: str, language: str) -> dict[str, str]:
    return {"code": str(code), "text": sentence(catalogue, code, language)}


def _own(reason: str) -> Reason:
    return _REASONS.get(reason, Reason.REFUSED)
