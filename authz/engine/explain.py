"""Why a question is answered as it is: each rule about it, and what of it held (3.4).

Nothing is evaluated here by other means than in the decision: every truth below comes from
the compiled rules that :class:`Matcher` asks, once as the question is, and once for each
candidate as if its role were held, so that a condition is told apart from the role before
it. For what-if tools and administrators; a caller of the decision never sees it (page 5).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from authz.decision import fields
from authz.decision.combine import Findings, Pair
from authz.decision.rule import Rule
from authz.engine.match import Matcher, Situation
from authz.engine.policy import Compiled
from authz.vocabulary import Relation

RELATION = "r.rel."
UNDER_TEST = "r.pair"
SCALARS = (str, bool, int, float)


@dataclass(frozen=True, slots=True)
class Cut:
    """Fields that one limit takes away: ``rule``, ``contract``, ``asked`` or ``purpose``."""

    by: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Considered:
    """A permit about the action and category: what it wants, and what was so.

    ``holds`` is whether role, purpose and condition all hold, which is whether the decision
    made a pair of it; ``struck`` are the refusals that then strike it.
    """

    rule: Rule
    purpose: str | None
    role_held: bool
    purpose_fits: bool
    condition_holds: bool
    holds: bool
    struck: tuple[str, ...]
    relations: Mapping[str, bool]
    values: Mapping[str, Any]
    fields: tuple[str, ...] = ()
    cuts: tuple[Cut, ...] = ()


@dataclass(frozen=True, slots=True)
class Strike:
    """A refusal that strikes: the permits that it takes for this purpose, or all of them."""

    rule: Rule
    purpose: str | None
    strikes: tuple[str, ...]
    relations: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every permit about the question, in the order of the policy, and every refusal."""

    considered: tuple[Considered, ...] = ()
    strikes: tuple[Strike, ...] = ()
    left_out: bool = False
    broken: tuple[str, ...] = field(default=())


def explain(matcher: Matcher) -> Explanation:
    """Every permit about this action and category, and every refusal that strikes."""
    findings = matcher.findings()
    return Explanation(
        considered=tuple(_considered(matcher, findings)),
        strikes=tuple(_strikes(matcher, findings)),
        left_out=findings.left_out,
        broken=findings.broken,
    )


class _Holding:
    """The same situation, were the subject to hold these roles."""

    def __init__(self, situation: Situation, roles: frozenset[str]) -> None:
        self.roles = roles
        self._situation = situation

    def __getattr__(self, name: str) -> Any:
        return getattr(self._situation, name)


def _considered(matcher: Matcher, findings: Findings) -> Iterable[Considered]:
    pairs = {pair.rule.id: pair for pair in findings.pairs}
    roles = matcher.policy.closure(matcher.situation.roles)
    for compiled in matcher.candidates():
        rule = compiled.rule
        purpose = matcher.question.purpose or rule.default_purpose
        pair = pairs.get(rule.id)
        fits = _fits(matcher, rule, purpose)
        yield Considered(
            rule=rule,
            purpose=purpose,
            role_held=rule.role == "any" or rule.role in roles,
            purpose_fits=fits,
            condition_holds=_condition_holds(matcher, compiled, fits=fits),
            holds=pair is not None,
            struck=pair.struck if pair else (),
            relations=_relations(matcher, rule, purpose),
            values=_values(matcher, rule),
            fields=pair.fields if pair else (),
            cuts=tuple(_cuts(matcher, pair)) if pair else (),
        )


def _fits(matcher: Matcher, rule: Rule, purpose: str | None) -> bool:
    if purpose is None:
        return not matcher.catalogue.purposes
    return rule.purposes is None or purpose in rule.purposes


def _condition_holds(matcher: Matcher, compiled: Compiled, *, fits: bool) -> bool:
    """Whether the condition holds, whoever asks and for whatever purpose of the rule.

    The rule alone is asked of somebody who holds its role; where the purpose does not fit
    it is left out, as the decision itself does to find ``purpose_required`` (2.6).
    """
    question = matcher.question if fits else replace(matcher.question, purpose=None)
    holding = _Holding(matcher.situation, matcher.situation.roles | {compiled.rule.role})
    alone = replace(matcher.policy, permits=(compiled,), refusals=())
    found = Matcher(alone, question, cast("Situation", holding)).findings()
    return bool(found.pairs) or found.left_out


def _relations(matcher: Matcher, rule: Rule, purpose: str | None) -> dict[str, bool]:
    known = matcher.situation.relations(purpose)
    return {name: bool(getattr(known, name)) for name in Relation if name in rule.relations}


def _values(matcher: Matcher, rule: Rule) -> dict[str, Any]:
    """What else the condition asks of the request; a member that is absent is None."""
    found = {}
    for name in sorted(rule.mentions):
        if name.startswith((RELATION, UNDER_TEST)) or name.count(".") < len(("r", "ctx")):
            continue
        value = _value(matcher, name)
        if isinstance(value, SCALARS) or not value:
            found[name] = value if isinstance(value, SCALARS) else None
    return found


def _value(matcher: Matcher, name: str) -> Any:
    token, *members = name.replace(".", "_", 1).split(".")
    value = matcher.tokens.get(token)
    for member in members:
        value = getattr(value, member, None)
    return value


def _cuts(matcher: Matcher, pair: Pair) -> Iterable[Cut]:
    """What each limit takes away of what those before it left (2.7)."""
    situation, asked = matcher.situation, matcher.question.fields
    contract = (
        situation.contract_fields(pair.purpose) if "contracted" in pair.rule.relations else None
    )
    own = situation.relations(pair.purpose).self
    left = matcher.catalogue.fields_of(matcher.question.category)
    steps: list[tuple[str, bool, Collection[str] | None, Collection[str] | None]] = [
        ("rule", True, None, None),
        ("contract", True, contract, None),
        ("asked", True, contract, asked),
        ("purpose", own, contract, asked),
    ]
    for by, mine, contracted, wanted in steps:
        kept = fields.allowed(
            matcher.catalogue,
            pair.rule,
            matcher.question.category,
            pair.purpose,
            own=mine,
            contracted=contracted,
            asked=wanted,
        )
        gone = tuple(name for name in left if name not in kept)
        left = kept
        if gone:
            yield Cut(by, gone)


def _strikes(matcher: Matcher, findings: Findings) -> Iterable[Strike]:
    struck: dict[tuple[str, str | None], list[str]] = {}
    for pair in findings.pairs:
        for name in pair.struck:
            struck.setdefault((name, pair.purpose), []).append(pair.rule.id)
    for name in findings.general:
        struck[name, matcher.question.purpose] = []
    for compiled in matcher.policy.refusals:
        rule = compiled.rule
        for (name, purpose), permits in struck.items():
            if name == rule.id:
                found = _relations(matcher, rule, purpose)
                yield Strike(rule, purpose, tuple(permits), found)
