"""What of a decision is fixed before anybody asks: worked out once, then looked up (2.5, 2.6).

Which permits can come into question follows from the action, the category, the purpose and
the roles held; and for each of them what ``r.pair`` says of it, and which fields it leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from authz.decision import fields
from authz.decision.catalogue import Catalogue
from authz.decision.rule import Rule
from authz.engine.narrow import Test, of_relations
from authz.vocabulary import CLASS_RELATIONS, Relation

if TYPE_CHECKING:
    from authz.engine.policy import Compiled


@dataclass(frozen=True, slots=True)
class UnderTest:
    """``r.pair``: the permit and the purpose that a refusal is looked at for."""

    rule: str = ""
    purpose: str = ""
    basis: str = ""
    needed: bool = True
    no_fields: bool = False

    def known(self, action: str, category: str) -> Mapping[str, Any]:
        """What a condition asks and this pair of a question about them tells, by name."""
        return {
            "r_act.name": action,
            "r_res.type": category,
            "r_pair.rule": self.rule,
            "r_pair.purpose": self.purpose,
            "r_pair.basis": self.basis,
            "r_pair.needed": self.needed,
            "r_pair.no_fields": self.no_fields,
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """A permit with the purpose that it would be used for.

    ``left_out`` says that it has none, and can only tell that one was wanted (2.3).
    ``asked`` is what its condition is told of itself; ``pair`` and ``bare`` are what refusals
    are told, with fields left and without. ``own`` and ``others`` are the fields that it
    leaves for a person's own use and for anybody else's, where nothing more cuts them:
    ``contracted`` says that a contract does. ``in_class`` says that it is bound to classes.
    ``test`` is its condition as a function of the relations, where it asks nothing else;
    ``strikes`` and ``strikes_bare`` are so of all refusals of its ``pair`` and ``bare``.
    """

    compiled: Compiled
    purpose: str | None
    left_out: bool
    asked: UnderTest
    pair: UnderTest
    bare: UnderTest
    own: tuple[str, ...]
    others: tuple[str, ...]
    contracted: bool
    in_class: bool
    test: Test | None
    strikes: Test | None
    strikes_bare: Test | None


class Asked(NamedTuple):
    """What is asked, as far as permits are chosen by it; ``roles`` with what they inherit."""

    action: str
    category: str
    purpose: str | None
    roles: frozenset[str]


Strikes = Callable[[str, str, UnderTest], Test | None]


def candidate(
    catalogue: Catalogue, compiled: Compiled, asked: Asked, strikes: Strikes
) -> Candidate | None:
    """The permit as it is looked at for the purpose that the caller gave; none if it serves not.

    ``strikes`` makes the test of the refusals that may strike a pair.
    """
    rule, (action, category, wanted, roles) = compiled.rule, asked
    purpose = wanted or rule.default_purpose
    left_out = bool(catalogue.purposes) and wanted is None and rule.default_purpose is None
    if not left_out and not (rule.purposes is None or purpose in rule.purposes):
        return None
    # With no purpose to test, any of the rule's own lets its condition be asked.
    tested = rule.purposes[0] if left_out and rule.purposes else purpose
    first = UnderTest(rule.id, *about(catalogue, category, tested))
    pair = UnderTest(rule.id, *about(catalogue, category, purpose))
    bare = replace(pair, no_fields=True)
    known = {**first.known(action, category), "r_sub.roles": roles}
    return Candidate(
        compiled=compiled,
        purpose=purpose,
        left_out=left_out,
        asked=first,
        pair=pair,
        bare=bare,
        own=_left(catalogue, rule, category, purpose, own=True),
        others=_left(catalogue, rule, category, purpose, own=False),
        contracted=Relation.CONTRACTED in rule.relations,
        in_class=not CLASS_RELATIONS.isdisjoint(rule.relations),
        test=of_relations(compiled.expression.body, known),
        strikes=strikes(action, category, pair),
        strikes_bare=strikes(action, category, bare),
    )


def about(catalogue: Catalogue, category: str, purpose: str | None) -> tuple[str, str, bool]:
    """What ``r.pair`` says of a purpose: its name, its basis, whether it needs the category."""
    if purpose is None:
        return "", "", True
    known = catalogue.purposes[purpose]
    return purpose, known.basis, category in known.needs


def _left(
    catalogue: Catalogue, rule: Rule, category: str, purpose: str | None, *, own: bool
) -> tuple[str, ...]:
    return fields.allowed(catalogue, rule, category, purpose, own=own, contracted=None, asked=None)
