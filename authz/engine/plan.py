"""The rules of a question with one of its two people left open, for lists (3.4).

The tree is the one that the decision's own function was compiled from. Everything that the
question says (action, category, purpose, ``r.ctx``) and the pair under test is put in; what
is left is a :class:`Formula` over relations and roles. Permits, purposes and refusals are
combined as in 2.6: somebody is listed where some pair stands. Rules with the obligations
``notify`` or ``review`` are left out: a search must not be a way around them (page 5).
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any as Value
from typing import Final

from authz.decision import fields
from authz.decision.request import Question
from authz.decision.rule import Rule
from authz.engine.decide import unknown_word
from authz.engine.expression import listed
from authz.engine.formula import (
    Contracted,
    Formula,
    Holds,
    Opaque,
    Related,
    both,
    either,
    negated,
)
from authz.engine.policy import Compiled, Policy
from authz.vocabulary import PURPOSE_RELATIONS, Relation

OWN: Final = Related(Relation.SELF)
_COMPARED: Final[Mapping[type[ast.cmpop], Callable[[Value, Value], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda member, whole: member in whole,
    ast.NotIn: lambda member, whole: member not in whole,
}


class _Unknown(Exception):  # noqa: N818 (it is no error: the people decide)
    """A value that the question does not tell."""


def plan(policy: Policy, question: Question) -> tuple[Formula, ...]:
    """One formula for each pair of rule and purpose; one that holds is a pair that stands."""
    if unknown_word(policy, question) is not None:
        return ()
    quiet = policy.without_duties
    found = (_Pair(quiet, question, c, p).stands() for c, p in _candidates(quiet, question))
    return tuple(formula for formula in found if formula is not False)


def _candidates(policy: Policy, question: Question) -> Iterator[tuple[Compiled, str | None]]:
    """The permits about this action and category, each with its purpose (2.6)."""
    for compiled in policy.permits:
        rule = compiled.rule
        purpose = question.purpose or rule.default_purpose
        purposeless = purpose is None and bool(policy.catalogue.purposes)
        serves = rule.purposes is None or purpose in rule.purposes
        if rule.covers(question.action, question.category) and serves and not purposeless:
            yield compiled, purpose


def stands(policy: Policy, question: Question, permit: Compiled, purpose: str | None) -> Formula:
    """What must be so of the two people for this permit to stand; False where nothing can."""
    return _Pair(policy, question, permit, purpose).stands()


@dataclass(frozen=True)
class _Pair:
    """One permit for one purpose, and everything that can strike it."""

    policy: Policy
    question: Question
    permit: Compiled
    purpose: str | None

    def stands(self) -> Formula:
        """The condition holds, a field is left, and no refusal strikes (2.6)."""
        about = self.question.action, self.question.category
        refusals = [c for c in self.policy.refusals if c.rule.covers(*about)]
        return both(
            [
                self._formula(self.permit.expression.tree),
                negated(self._no_fields()),
                *(negated(self._formula(c.expression.tree)) for c in refusals),
            ]
        )

    def _formula(self, node: ast.expr | None) -> Formula:
        """What is left of a part of the matcher."""
        if node is None:
            return Opaque(self.permit.rule.id)
        if isinstance(node, ast.BoolOp):
            parts = [self._formula(part) for part in node.values]
            return both(parts) if isinstance(node.op, ast.And) else either(parts)
        if isinstance(node, ast.UnaryOp):
            return negated(self._formula(node.operand))
        role = _role(node)
        if role is not None:
            return role == "any" or self._held(role)
        try:
            return bool(self._value(node))
        except _Unknown:
            return self._asked(node)

    def _asked(self, node: ast.expr) -> Formula:
        """A part that depends on the people."""
        name = _dotted(node)
        if name.startswith("r_rel."):
            relation = name.removeprefix("r_rel.")
            return (
                Related(relation, self.purpose)
                if relation in PURPOSE_RELATIONS
                else Related(relation)
            )
        if name == "r_res.known":
            return Related(Relation.PERSON_KNOWN)
        if name == "r_pair.no_fields":
            return self._no_fields()
        return Opaque(ast.unparse(node))

    def _held(self, role: str) -> Formula:
        """The role itself, or one that inherits it by the pack's hierarchy."""
        seniors = (senior for senior, below in self.policy.senior.items() if role in below)
        return either(Holds(each) for each in (role, *seniors))

    def _value(self, node: ast.expr) -> Value:
        """What a part is, where the question alone says so."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Call):
            value, names = node.args
            return listed(self._value(value), self._value(names))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            compare = _COMPARED[type(node.ops[0])]
            return compare(self._value(node.left), self._value(node.comparators[0]))
        known = self._known().get(_dotted(node), _Unknown)
        if known is _Unknown:
            raise _Unknown
        return known

    def _known(self) -> dict[str, Value]:
        question, purposes = self.question, self.policy.catalogue.purposes
        known = purposes.get(self.purpose or "")
        return {
            "r_sub.type": question.request.subject.type,
            "r_act.name": question.action,
            "r_res.type": question.category,
            "r_ctx.mfa": question.mfa,
            "r_ctx.justified": question.justified,
            "r_ctx.class_named": question.class_id is not None,
            "r_pair.rule": self.permit.rule.id,
            "r_pair.purpose": self.purpose or "",
            "r_pair.basis": known.basis if known else "",
            "r_pair.needed": question.category in known.needs if known else True,
        }

    def _no_fields(self) -> Formula:
        """Whether the permit leaves no field; their own use is not cut to the purpose (2.7)."""
        if not self.policy.catalogue.fields_of(self.question.category):
            return False
        own, others = (self._leaves(own=own) for own in (True, False))
        if own == others:
            return negated(own)
        return negated(either([both([OWN, own]), both([negated(OWN), others])]))

    def _leaves(self, *, own: bool) -> Formula:
        """Whether a field is left; a contract may still take what the rule gives."""
        rule: Rule = self.permit.rule
        names = fields.allowed(
            self.policy.catalogue,
            rule,
            self.question.category,
            self.purpose,
            own=own,
            contracted=None,
            asked=self.question.fields,
        )
        contracted = bool(names) and Relation.CONTRACTED in rule.relations
        return Contracted(self.purpose, names) if contracted else bool(names)


def _role(node: ast.expr) -> str | None:
    """The role that a part asks for: ``held(r.sub.roles, …)`` or ``… in r.sub.roles``."""
    if isinstance(node, ast.Call) and _dotted(node.args[0]) == "r_sub.roles":
        asked: ast.expr = node.args[1]
    elif (
        isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ast.In)
        and _dotted(node.comparators[0]) == "r_sub.roles"
    ):
        asked = node.left
    else:
        return None
    return str(asked.value) if isinstance(asked, ast.Constant) else None


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
