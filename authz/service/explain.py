"""Why a question is answered as it is, and what would make the answer another (issue 3, 5).

An explanation is a what-if: recorded as such, never an access. It is made in the same
snapshot as the decision and from the same compiled rules, so that the two cannot disagree.
It shows what a decision hides (page 5, "Reasons outward"): who may ask for one is for the
caller of this to look at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from authz.decision.answer import inward, sentence
from authz.decision.catalogue import About
from authz.decision.combine import Decision
from authz.decision.request import Request
from authz.directory import evidence
from authz.directory.evidence import OnFile
from authz.directory.relations import Situation
from authz.engine import decide as engine
from authz.engine.explain import Considered, Explanation, Strike, explain
from authz.engine.match import Matcher
from authz.errors import MalformedError
from authz.service.changes import Changes, changes
from authz.service.decide import DecisionPoint
from authz.service.decided import Caller, Decided
from authz.service.telling import Teller

Document = dict[str, Any]


def explained(
    point: DecisionPoint,
    items: Sequence[Request | MalformedError],
    caller: Caller,
    at: datetime,
    language: str,
    *,
    request_id: str = "",
) -> list[tuple[Decided, Document]]:
    """Each item's decision, and its answer with the explanation; recorded as what-ifs.

    A malformed item has no document.
    """
    documents: list[Document] = []

    def also(connection: Connection, decided: Decided) -> None:
        documents.append(answer(point, connection, decided, language))

    found = point.what_if(items, caller, at, request_id=request_id, also=also)
    return list(zip(found, documents, strict=True))


def answer(
    point: DecisionPoint, connection: Connection, decided: Decided, language: str
) -> Document:
    """The answer of a what-if (4.3), with ``explanation`` in its context."""
    if decided.question is None or decided.situation is None:
        return {}
    told = inward(decided.decision, point.policy.catalogue, language)
    told.setdefault("context", {})["explanation"] = document(
        point, connection, decided.situation, decided.decision, language
    )
    return told


def document(
    point: DecisionPoint,
    connection: Connection,
    situation: Situation,
    decision: Decision,
    language: str,
) -> Document:
    """Every rule about the question, what strikes, and what would change the answer."""
    question = situation.question
    people = point.policy.catalogue.about is About.PEOPLE
    known = engine.unknown_word(point.policy, question) is None
    on_file = evidence.read(connection, question) if people and known else OnFile({})
    found = explain(Matcher(point.policy, question, situation)) if known else Explanation()
    teller = Teller(point.policy, situation, on_file, language)
    near = changes(point, connection, situation, decision, found, on_file) if known else Changes()
    members: Mapping[str, Any] = {
        "at": situation.now.astimezone(situation.place.local).isoformat(),
        "rules": [_rule(teller, each) for each in found.considered],
        "refusals": [_refusal(teller, each) for each in found.strikes],
        "changes": [teller.changed(each, decision) for each in near.found],
        "changes_left_out": near.left_out,
        "broken": list(found.broken),
    }
    optional = {"changes_left_out", "broken"}
    return {name: value for name, value in members.items() if value or name not in optional}


def _rule(teller: Teller, found: Considered) -> Document:
    rule = found.rule
    told: Document = {
        "rule": rule.id,
        "text": sentence(teller.catalogue, rule.id, teller.language),
        "role": teller.role(rule.role, held=found.role_held),
        "purpose": _purpose(teller, found),
        "condition": {
            "text": rule.condition,
            "holds": found.condition_holds,
            "relations": teller.relations(found.relations, found.purpose),
            "values": dict(found.values),
        },
        "holds": found.holds,
        "struck_by": list(found.struck),
        "stands": found.holds and not found.struck,
    }
    if found.holds and teller.catalogue.fields_of(teller.situation.question.category):
        cuts = [{"by": cut.by, "fields": list(cut.names)} for cut in found.cuts]
        told["fields"] = {"allowed": list(found.fields), "cut": cuts}
    return told


def _purpose(teller: Teller, found: Considered) -> Document:
    """The purpose that was taken, whether the rule serves it, and those that it serves."""
    known = teller.catalogue.purposes
    serves = list(known) if found.rule.purposes is None else list(found.rule.purposes)
    return {"taken": found.purpose, "fits": found.purpose_fits, "serves": serves}


def _refusal(teller: Teller, found: Strike) -> Document:
    return {
        "rule": found.rule.id,
        "text": sentence(teller.catalogue, found.rule.id, teller.language),
        "purpose": found.purpose,
        "strikes": list(found.strikes),
        "condition": {
            "text": found.rule.condition,
            "relations": teller.relations(found.relations, found.purpose),
        },
    }
