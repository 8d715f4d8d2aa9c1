"""Which facts a question needs: those that the rules about it can ask (2.4, 3.4).

Derived from the policy: a rule names the relations of its condition, and a relation names
here the parts of the directory that its test looks at. What was not read is marked
:data:`~authz.directory.facts.UNREAD`: a test that looks at more than it names raises, which
refuses the question and says so; it can never permit for want of a fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from authz.directory.shape import Part
from authz.vocabulary import Relation

ALWAYS = (Part.ACCOUNT, Part.RECIPIENT, Part.GRANT, Part.ENROLMENT, Part.LINK)
"""Who the two are, and what roles the subject holds."""
IN_CLASS = frozenset({Part.ENROLMENT, Part.ATTENDANCE})
NEEDS: Mapping[Relation, frozenset[Part]] = {
    Relation.SELF: frozenset(),
    Relation.GUARDIAN: frozenset({Part.LINK}),
    Relation.MINOR: frozenset({Part.EMANCIPATION}),
    Relation.CUSTODY_RESTRICTED: frozenset({Part.CUSTODY}),
    Relation.TEACHES: IN_CLASS,
    Relation.ASSISTS: IN_CLASS,
    Relation.SAME_SCHOOL: frozenset({Part.GRANT, Part.MEMBER}),
    Relation.CONTRACTED: frozenset({Part.CONTRACT, Part.MEMBER}),
    Relation.ORDERED: frozenset({Part.ORDER}),
    Relation.TICKETED: frozenset({Part.TICKET}),
    Relation.FULFILLING: frozenset({Part.GOODS}),
    Relation.MENTORS: frozenset({Part.MENTORING}),
    Relation.ON_CASE: frozenset({Part.CASE}),
    Relation.ON_RIGHTS_REQUEST: frozenset({Part.CASE}),
    Relation.ELEVATED: frozenset({Part.ELEVATION, Part.MEMBER}),
    Relation.SUBJECT_ACTIVE: frozenset(),
    Relation.PERSON_KNOWN: frozenset(),
    Relation.RETENTION_ENDED: frozenset({Part.GOODS, Part.CONSENT}),
    Relation.OBJECTED: frozenset({Part.OBJECTION}),
    Relation.CONSENTED: frozenset({Part.CONSENT}),
    Relation.PROCESSING_RESTRICTED: frozenset({Part.RESTRICTION, Part.ERASURE}),
    Relation.HOLDS_GRANTED_ROLE: frozenset({Part.GRANT}),
}
"""The parts that each relation's test looks at; a test holds it complete."""

Needs = frozenset[Part]
EVERYTHING: Needs = frozenset(ALWAYS).union(*NEEDS.values(), {Part.ATTENDED}) - {Part.ATTENDANCE}
"""All that any relation looks at, and every class of the person: for tools that explain."""


@lru_cache(maxsize=1024)
def needs(relations: frozenset[str]) -> Needs:
    """The parts of the directory that these relations look at, with what roles stand on."""
    return frozenset(ALWAYS).union(*(NEEDS[Relation(name)] for name in relations))


def in_order(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The same parts in the order of the vocabulary, so that each set has one statement."""
    chosen = frozenset(parts)
    return tuple(part for part in Part if part in chosen)
