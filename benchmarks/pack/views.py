"""What a caller must tell an engine that reads no directory: the question, and what is true.

The relations are given as booleans, the roles as a list; finding them is *not* part of the time
of the engines that are told so, and is part of ours.
"""

from __future__ import annotations

from typing import Any

from authz.decision.request import Question
from authz.engine.match import Situation
from authz.engine.policy import Policy
from authz.vocabulary import PURPOSE_RELATIONS
from benchmarks.pack.terms import ASKED

View = dict[str, Any]


def view(policy: Policy, asked: Question, situation: Situation) -> View:
    """The question and its situation, for the rules that can bear on it."""
    rules = policy.applicable(asked.action, asked.category)
    named = {str(name) for name in rules.relations} | {"self"}
    plain = named - PURPOSE_RELATIONS
    known = situation.relations(asked.purpose)
    slots = {c.rule.default_purpose for c in policy.permits} - {None}
    return {
        "action": asked.action,
        "category": asked.category,
        "roles": sorted(policy.closure(situation.roles)),
        "ctx": {
            "mfa": asked.mfa,
            "justified": asked.justified,
            "class_named": asked.class_id is not None,
        },
        "rel": {name: bool(getattr(known, name)) for name in sorted(plain)},
        "views": {
            slot: _purpose(policy, asked, situation, asked.purpose or slot)
            for slot in sorted(name for name in slots if name)
        }
        | (
            {ASKED: _purpose(policy, asked, situation, asked.purpose)}
            if asked.purpose is not None
            else {}
        ),
    }


def _purpose(policy: Policy, asked: Question, situation: Situation, purpose: str) -> View:
    """What is true of a use with this purpose."""
    known, relations = policy.catalogue.purposes[purpose], situation.relations(purpose)
    rules = policy.applicable(asked.action, asked.category)
    named = sorted(str(name) for name in rules.relations & PURPOSE_RELATIONS)
    told = {name: bool(getattr(relations, name)) for name in named}
    return {
        "purpose": purpose,
        "basis": known.basis,
        "needed": asked.category in known.needs,
        **told,
    }
