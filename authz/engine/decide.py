"""One question against one policy and one situation: the whole decision, pure (2.6)."""

from __future__ import annotations

from authz.decision.combine import Decision, combine, refuse, unknown
from authz.decision.request import Question
from authz.engine.match import Matcher, Situation
from authz.engine.policy import Policy


def unknown_word(policy: Policy, question: Question) -> Decision | None:
    """The refusal of a word that the catalogue lacks; no fact is needed for it."""
    reason = unknown(policy.catalogue, question.category, question.action, question.purpose)
    return None if reason is None else refuse(reason)


def decide(policy: Policy, question: Question, situation: Situation) -> Decision:
    """The decision; the service and the policy tests beside a pack both ask here."""
    strange = unknown_word(policy, question)
    return decide_known(policy, question, situation) if strange is None else strange


def decide_known(policy: Policy, question: Question, situation: Situation) -> Decision:
    """The same for a question whose words are known to be the catalogue's."""
    return combine(
        policy.catalogue,
        Matcher(policy, question, situation).findings(),
        category=question.category,
        asked=question.fields,
        class_named=question.class_id is not None,
    )
