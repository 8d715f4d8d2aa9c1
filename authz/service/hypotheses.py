"""What could be otherwise about a question: one thing at a time, as other facts or words.

Nothing here says what the answer would be: :mod:`authz.service.changes` asks the decision
again with each, and keeps those that change it. So a hypothesis that leads nowhere costs a
question and is never told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from authz.decision.catalogue import About
from authz.decision.request import Question
from authz.directory import tables as t
from authz.directory.evidence import OnFile
from authz.directory.facts import (
    Account,
    Assignment,
    Consented,
    Elevated,
    Enrolled,
    Facts,
    Goods,
    HeldRole,
    Link,
    OrderTerms,
    Span,
    Terms,
)
from authz.directory.relations import Situation
from authz.engine.explain import Explanation
from authz.vocabulary import GRANTABLE_ROLES, ChangeKind, Relation, Role

EVER = Span()
NAMED = {"ticket": t.Ticket, "order": t.Order, "case": t.Case, "record": t.Purchase}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is otherwise: ``what`` it is, and the ``value`` it has then.

    ``facts`` is None where the words of the question decide which facts are read.
    """

    kind: ChangeKind
    what: str
    value: object
    question: Question
    facts: Facts | None
    at: datetime


def words(situation: Situation, on_file: OnFile) -> Iterator[Change]:
    """Another purpose, a second factor, a justification, a class, a ticket (2.1)."""
    asked = situation.question
    for purpose in situation.catalogue.purposes:
        if purpose != asked.purpose:
            yield _word(situation, "purpose", purpose, replace(asked, purpose=purpose))
    yield _word(situation, "mfa", not asked.mfa, replace(asked, mfa=not asked.mfa))
    given = not asked.justified
    yield _word(situation, "justification", given, replace(asked, justified=given))
    if asked.fields is not None:
        yield _word(situation, "fields", None, replace(asked, fields=None))
    for name in sorted({row["class"] for row in on_file.of(t.Enrolment)} - {asked.class_id}):
        yield _word(situation, "class", name, replace(asked, class_id=name))
    if asked.class_id is not None:
        yield _word(situation, "class", None, replace(asked, class_id=None))
    yield from _named(situation, on_file)


def _named(situation: Situation, on_file: OnFile) -> Iterator[Change]:
    """The ticket, order, case or order of goods on file that the caller did not name."""
    asked = situation.question
    for name, table in NAMED.items():
        for row in on_file.of(table):
            if row["id"] != getattr(asked, name):
                other = _renamed(asked, name, row["id"])
                yield Change(ChangeKind.REQUEST, name, row["id"], other, None, situation.now)


def _renamed(asked: Question, name: str, ident: str) -> Question:
    if name == "ticket":
        return replace(asked, ticket=ident)
    if name == "order":
        return replace(asked, order=ident)
    return replace(asked, case=ident) if name == "case" else replace(asked, record=ident)


def _word(situation: Situation, what: str, value: object, question: Question) -> Change:
    return Change(ChangeKind.REQUEST, what, value, question, situation.facts, situation.now)


def without(situation: Situation, relations: Iterable[str]) -> Iterator[Change]:
    """The facts away on which these relations stand."""
    for relation in relations:
        drop = DROPS.get(Relation(relation))
        if drop is not None:
            facts = drop(situation.facts)
            yield _fact(situation, "without", relation, facts)


def with_more(situation: Situation, found: Explanation) -> Iterator[Change]:
    """A fact more: for each relation that a permit misses, and each role."""
    if situation.catalogue.about is About.ENTITIES:
        yield from _stored(situation, found)
        return
    missing = {
        name for each in found.considered for name, holds in each.relations.items() if not holds
    }
    person = situation.facts.subject is not None
    for relation in Relation:
        if relation in missing and relation in ADDS and (person or relation not in PERSONAL):
            for facts in ADDS[relation](situation):
                yield _fact(situation, "with", relation, facts)
    roles = {each.rule.role for each in found.considered if not each.role_held}
    for role in sorted(roles):
        if role in GRANTABLE_ROLES and person:
            granted = (*situation.facts.grants, HeldRole(role, None, EVER))
            yield _fact(situation, "role", role, replace(situation.facts, grants=granted))
        elif role in {Role.PROCESSOR, Role.AUTHORITY}:
            acting = situation.facts.recipients | {role}
            yield _fact(situation, "role", role, replace(situation.facts, recipients=acting))


def _stored(situation: Situation, found: Explanation) -> Iterator[Change]:
    """A role more among the stored ones of a subject that is no person (3.3)."""
    stored = situation.facts.subject_entity or {}
    held = stored.get("roles")
    roles = held if isinstance(held, list) else []
    for role in sorted({each.rule.role for each in found.considered if not each.role_held}):
        entity = {**stored, "roles": [*roles, role]}
        yield _fact(situation, "role", role, replace(situation.facts, subject_entity=entity))


def otherwise(situation: Situation, found: Explanation) -> Iterator[Change]:
    """What strikes, dropped: each refusal's fact by itself (2.6)."""
    for strike in found.strikes:
        for relation in strike.relations:
            lift = LIFTS.get(Relation(relation))
            if lift is not None:
                facts = lift(situation, strike.purpose)
                yield _fact(situation, "with" if relation in MISSED else "without", relation, facts)


def _fact(situation: Situation, what: str, value: str, facts: Facts) -> Change:
    return Change(ChangeKind.FACT, what, str(value), situation.question, facts, situation.now)


def _lifted_retention(now: Situation, _: str | None) -> Facts:
    """As if the person had not left, and nothing had been received or ended."""
    facts, person = now.facts, now.facts.person
    if person is not None:
        person = replace(person, cancelled_at=None, ended_at=None, last_used_at=None)
    return replace(
        facts,
        person=person,
        goods=tuple(replace(each, received_at=None) for each in facts.goods),
        consents=tuple(replace(each, project_ended_at=None) for each in facts.consents),
    )


def _consent(now: Situation, purpose: str | None) -> Facts:
    return replace(now.facts, consents=(*now.facts.consents, Consented(purpose or "", EVER)))


def _objectionless(now: Situation, purpose: str | None) -> Facts:
    kept = tuple(each for each in now.facts.objections if each.purpose != purpose)
    return replace(now.facts, objections=kept)


LIFTS: Mapping[Relation, Callable[[Situation, str | None], Facts]] = {
    Relation.SUBJECT_ACTIVE: lambda s, _: replace(
        s.facts,
        subject=replace(s.facts.subject or Account(s.question.request.subject.id), status="active"),
    ),
    Relation.CUSTODY_RESTRICTED: lambda s, _: replace(s.facts, custody=()),
    Relation.RETENTION_ENDED: _lifted_retention,
    Relation.OBJECTED: _objectionless,
    Relation.CONSENTED: _consent,
    Relation.PROCESSING_RESTRICTED: lambda s, _: replace(s.facts, restrictions=()),
    Relation.HOLDS_GRANTED_ROLE: lambda s, _: replace(s.facts, person_grants=()),
}
"""What a refusal stands on, away; what it misses, there."""

PERSONAL = frozenset(
    {
        Relation.GUARDIAN,
        Relation.TEACHES,
        Relation.ASSISTS,
        Relation.SAME_SCHOOL,
        Relation.MENTORS,
        Relation.ELEVATED,
    }
)
"""What only a person of the directory can be to another (4.4)."""

MISSED = frozenset({Relation.SUBJECT_ACTIVE, Relation.CONSENTED})
"""The refusals of these strike because something is *not* there."""

DROPS: Mapping[Relation, Callable[[Facts], Facts]] = {
    Relation.GUARDIAN: lambda f: replace(f, links=()),
    Relation.MINOR: lambda f: replace(f, emancipated=EVER),
    Relation.TEACHES: lambda f: replace(f, person_enrolments=()),
    Relation.ASSISTS: lambda f: replace(f, person_enrolments=()),
    Relation.SAME_SCHOOL: lambda f: replace(f, grants=()),
    Relation.CONTRACTED: lambda f: replace(f, contracts=()),
    Relation.ORDERED: lambda f: replace(f, order=None),
    Relation.TICKETED: lambda f: replace(f, ticket=None),
    Relation.FULFILLING: lambda f: replace(f, goods=()),
    Relation.MENTORS: lambda f: replace(f, mentoring=()),
    Relation.ON_CASE: lambda f: replace(f, case=None),
    Relation.ELEVATED: lambda f: replace(f, elevations=()),
    Relation.CONSENTED: lambda f: replace(f, consents=()),
}
"""What a permit stands on, away."""


def _teaching(role: str) -> Callable[[Situation], Iterator[Facts]]:
    """The subject in a class that the person attends now."""

    def found(now: Situation) -> Iterator[Facts]:
        attended = {
            each.class_id
            for each in now.facts.person_enrolments
            if each.role == "student" and each.span.covers(now.now)
        }
        for name in sorted(attended)[:1]:
            more = (*now.facts.subject_enrolments, Enrolled(name, role, EVER))
            yield replace(now.facts, subject_enrolments=more)

    return found


def _birth_date(now: Situation) -> Iterator[Facts]:
    person = now.facts.person
    if person is not None and person.birth_date is None:
        yield replace(now.facts, person=replace(person, birth_date=now.now.date()))


def _administrator(now: Situation) -> Iterator[Facts]:
    for name in sorted(now.organisations)[:1]:
        more = (*now.facts.grants, HeldRole(Role.SCHOOL_ADMIN, name, EVER))
        yield replace(now.facts, grants=more)


def _elevation(now: Situation) -> Iterator[Facts]:
    for name in sorted(now.organisations)[:1]:
        more = (*now.facts.elevations, Elevated("", name, approved=True, span=EVER))
        yield replace(now.facts, elevations=more)


def _contract(now: Situation) -> Iterator[Facts]:
    asked = now.question
    terms = Terms(
        purposes=frozenset(now.catalogue.purposes),
        categories={asked.category: ()},
        actions=frozenset({asked.action}),
        schools=None,
        transfer="domestic",
        country=now.place.country,
        sub_processing=True,
        span=EVER,
    )
    yield replace(now.facts, contracts=(*now.facts.contracts, terms))


def _goods(now: Situation) -> Iterator[Facts]:
    mine = Goods(now.question.record or "", now.question.request.subject.id, None, EVER)
    yield replace(now.facts, goods=(*now.facts.goods, mine))


def _one(**more: object) -> Callable[[Situation], Iterator[Facts]]:
    return lambda now: iter([replace(now.facts, **more)])  # type: ignore[arg-type]


ADDS: Mapping[Relation, Callable[[Situation], Iterator[Facts]]] = {
    Relation.GUARDIAN: lambda s: iter(
        [replace(s.facts, links=(*s.facts.links, Link("parent", recorded=True, span=EVER)))]
    ),
    Relation.MINOR: _birth_date,
    Relation.TEACHES: _teaching("teacher"),
    Relation.ASSISTS: _teaching("aide"),
    Relation.SAME_SCHOOL: _administrator,
    Relation.CONTRACTED: _contract,
    Relation.ORDERED: lambda s: iter(
        [replace(s.facts, order=OrderTerms(frozenset({s.question.category}), EVER))]
    ),
    Relation.TICKETED: _one(ticket=Assignment("", EVER)),
    Relation.FULFILLING: _goods,
    Relation.MENTORS: _one(mentoring=(EVER,)),
    Relation.ON_CASE: _one(case=Assignment("rights_request", EVER)),
    Relation.ON_RIGHTS_REQUEST: _one(case=Assignment("rights_request", EVER)),
    Relation.ELEVATED: _elevation,
}
"""What a permit misses, there."""
