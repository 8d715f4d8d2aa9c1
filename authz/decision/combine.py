"""From what matched to the answer: refusals beat permits, and every answer says why.

The text of 2.6, "How they combine", in its order. Pure and total: the same findings
always give the same decision, whatever their order on the way here. What is made for every
decision is not frozen: that costs a microsecond each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authz.decision.catalogue import Catalogue
from authz.decision.fields import withheld
from authz.decision.rule import Rule
from authz.vocabulary import ObligationId, Reason


@dataclass(slots=True)
class Pair:
    """A permit whose role, action, category and condition hold, with one purpose.

    ``struck`` names the refusals that strike it, in the order of the policy; with none
    it stands. ``classes`` are those that its relation holds in, where it is bound to any.
    """

    rule: Rule
    purpose: str | None
    fields: tuple[str, ...] = ()
    struck: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


@dataclass(slots=True)
class Findings:
    """What the engine found out about one question.

    ``general`` are the refusals that strike without a rule; ``left_out`` says that a rule
    was left out only for want of a default purpose; ``broken`` names rules that could not
    be evaluated; ``refusals`` are all refusals of the pack, in the order of its table.
    """

    pairs: tuple[Pair, ...] = ()
    general: tuple[str, ...] = ()
    left_out: bool = False
    broken: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


@dataclass(slots=True)
class Decision:
    """The answer: permit or refusal, and everything a record must say of it (2.8)."""

    permit: bool
    rules: tuple[str, ...] = ()
    reason: str | None = None
    purpose: str | None = None
    obligations: Mapping[ObligationId, Any] = field(default_factory=dict)


def refuse(reason: str, rules: tuple[str, ...] = ()) -> Decision:
    """A refusal for this reason, struck by these rules."""
    return Decision(permit=False, rules=rules, reason=str(reason))


def unknown(catalogue: Catalogue, category: str, action: str, purpose: str | None) -> str | None:
    """The reason for a word that the catalogue lacks, looked at first, in this order (2.6)."""
    if category not in catalogue.categories:
        return Reason.UNKNOWN_CATEGORY
    if action not in catalogue.actions:
        return Reason.UNKNOWN_ACTION
    if purpose is not None and purpose not in catalogue.purposes:
        return Reason.UNKNOWN_PURPOSE
    return None


def combine(
    catalogue: Catalogue,
    findings: Findings,
    *,
    category: str,
    asked: tuple[str, ...] | None = None,
    class_named: bool = False,
) -> Decision:
    """The decision that follows from the findings; deny by default (N-23)."""
    if findings.broken:
        return refuse(Reason.RULE_ERROR, findings.broken)
    known = catalogue.fields_of(category)
    # A permit that leaves no field has nothing to give, and must not be read as one without a
    # limit, whether or not the pack has a refusal of its own for it (E-01).
    standing = [pair for pair in findings.pairs if not pair.struck and (pair.fields or not known)]
    if standing:
        purpose = standing[0].purpose
        chosen = [pair for pair in standing if pair.purpose == purpose]
        if len(chosen) == 1:
            fields = list(chosen[0].fields)  # in the catalogue's order, as all are (2.7)
        else:
            granted = {name for pair in chosen for name in pair.fields}
            fields = [name for name in known if name in granted]
        return Decision(
            permit=True,
            rules=tuple(pair.rule.id for pair in chosen),
            purpose=purpose,
            obligations=_obligations(catalogue, chosen, fields, asked, class_named=class_named),
        )
    struck = {name for pair in findings.pairs for name in pair.struck}
    if not findings.pairs:
        struck = set(findings.general)
    if struck:
        ordered = tuple(name for name in findings.refusals if name in struck)
        return refuse(ordered[0], ordered)
    return refuse(Reason.PURPOSE_REQUIRED if findings.left_out else Reason.NO_RULE)


def _obligations(
    catalogue: Catalogue,
    chosen: list[Pair],
    fields: list[str],
    asked: tuple[str, ...] | None,
    *,
    class_named: bool,
) -> dict[ObligationId, Any]:
    """What comes with a permit (2.7); members without content are left out (4.3)."""
    table = catalogue.obligations
    rules = [pair.rule.id for pair in chosen]
    found: dict[ObligationId, Any] = {}
    if fields:
        found[ObligationId.FIELDS] = fields
        if asked and (hidden := withheld(asked, fields)):
            found[ObligationId.WITHHELD] = list(hidden)
    if table.some.isdisjoint(rules):
        return found
    in_classes = not class_named and table.classes.issuperset(rules)
    if in_classes and (classes := {c for pair in chosen for c in pair.classes}):
        found[ObligationId.CLASSES] = sorted(classes)
    if table.pseudonymise.issuperset(rules):
        found[ObligationId.PSEUDONYMISE] = True
    if notices := {recipient for rule in rules for recipient in table.notify.get(rule, ())}:
        found[ObligationId.NOTIFY] = sorted(notices)
    if not table.review.isdisjoint(rules):
        found[ObligationId.REVIEW] = True
    return found
