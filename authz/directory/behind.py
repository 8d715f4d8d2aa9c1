"""The facts behind each relation and role: which row made it so, or why none did (2.4).

One function for each name of :class:`Relation`, here and in
:mod:`authz.directory.behind_work`. They decide nothing: whether a relation holds is asked
of :mod:`authz.directory.relations` alone. Here each row on file is given the reason why it
counts or does not; ``tests/property`` holds that a relation is true exactly where some fact
of it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from authz import clock
from authz.directory import behind_work as work
from authz.directory import tables as t
from authz.directory.evidence import OnFile, Row, earlier, later, span
from authz.directory.fact import Fact, Obstacle, fact
from authz.directory.facts import Span
from authz.directory.relations import ASSISTING, CARING, ENROLMENT_ROLES, Situation
from authz.vocabulary import GRANTABLE_ROLES, FactState, Relation, Role

Behind = Callable[[Situation, OnFile, str | None], Iterable[Fact]]
GONE = (True, FactState.WITHOUT_EFFECT)


def behind(
    relation: Relation, situation: Situation, on_file: OnFile, purpose: str | None
) -> list[Fact]:
    """The facts that bear on a relation, those that count first."""
    found = list(FACTS[relation](situation, on_file, purpose))
    if relation in BETWEEN:
        found = [_between(situation, each) for each in found]
    return sorted(found, key=lambda each: not each.counts)


def behind_role(role: str, situation: Situation, on_file: OnFile) -> list[Fact]:
    """The facts from which the subject holds a role, or nearly does (2.4)."""
    found = [_active(situation, each) for each in _of_role(role, situation, on_file)]
    return sorted(found, key=lambda each: not each.counts)


def _active(situation: Situation, found: Fact) -> Fact:
    if found.counts and not situation.active:
        return replace(found, state=FactState.ACCOUNT_INACTIVE, counts=False)
    return found


def _between(situation: Situation, found: Fact) -> Fact:
    """Nobody is their own teacher, and whoever is not active is nobody's (2.4)."""
    if found.counts and situation.active and situation.same:
        return replace(found, state=FactState.SAME_PERSON, counts=False)
    return _active(situation, found)


def _of_role(role: str, situation: Situation, on_file: OnFile) -> Iterator[Fact]:
    if role in {Role.PUBLIC, "any"}:
        yield from accounts(situation, on_file)
    elif role == Role.PARENT:
        yield from guardianships(situation, on_file)
    elif role in {Role.PROCESSOR, Role.AUTHORITY}:
        yield from work.memberships_of_recipients(situation, on_file, role)
    else:
        yield from _enrolments(role, situation, on_file)
        yield from grants(situation, on_file, {role}, situation.question.request.subject.id)
        yield from _stored_roles(role, situation)


def _stored_roles(role: str, situation: Situation) -> Iterator[Fact]:
    stored = (situation.facts.subject_entity or {}).get("roles")
    if isinstance(stored, list) and role in stored:
        subject = situation.question.request.subject
        yield fact(situation, "entity", {"id": subject.id}, Span(), type=subject.type)


def _enrolments(role: str, situation: Situation, on_file: OnFile) -> Iterator[Fact]:
    subject = situation.question.request.subject.id
    for row in on_file.of(t.Enrolment):
        if row["person"] == subject and ENROLMENT_ROLES.get(row["role"]) == role:
            dates = on_file.enrolled(row)
            stops = [] if dates else [GONE]
            about = {"class": row["class"], "role": row["role"]}
            yield fact(situation, "enrolment", row, dates or span(row), *stops, **about)


def grants(
    situation: Situation, on_file: OnFile, roles: Collection[str], person: str
) -> Iterator[Fact]:
    """The grants of these roles to a person, and whether they reach whom is asked about."""
    within = frozenset[str]().union(*situation.organisations.values())
    if situation.catalogue.everywhere(situation.question.category):
        within = frozenset()
    own = person == situation.question.request.subject.id
    for row in on_file.of(t.Grant):
        where = row["organisation"]
        if row["person"] == person and row["role"] in roles:
            far = own and row["role"] != Role.SCHOOL_ADMIN and where not in (None, *within)
            yield _grant(
                situation,
                row,
                (on_file.gone(where), FactState.WITHOUT_EFFECT),
                (far, FactState.ELSEWHERE),
            )


def _grant(situation: Situation, row: Row, *obstacles: Obstacle) -> Fact:
    told = {name: row[name] for name in ("role", "organisation", "granted_by", "reason")}
    return fact(situation, "grant", row, span(row), *obstacles, **told)


def accounts(situation: Situation, on_file: OnFile) -> Iterator[Fact]:
    """The account of the subject, whatever kind it is (2.4)."""
    subject = situation.question.request.subject
    row = on_file.one(t.Person, subject.id)
    if row is not None:
        strange = (subject.type != "user", FactState.OTHER_SUBJECT_TYPE)
        idle = (row["status"] != "active", FactState.ACCOUNT_INACTIVE)
        left = row["ended_at"] if row["status"] == "deregistered" else None
        dates = Span(None, left)
        yield fact(situation, "account", row, dates, strange, idle, status=row["status"])
    elif situation.facts.subject_entity is not None:
        yield fact(situation, "entity", {"id": subject.id}, Span(), type=subject.type)
    else:
        stops = (subject.type != "service", FactState.OTHER_SUBJECT_TYPE)
        for each in work.memberships_of_recipients(situation, on_file, *work.RECIPIENTS):
            blocked = each.counts and stops[0]
            yield replace(each, state=stops[1], counts=False) if blocked else each


def guardianships(situation: Situation, on_file: OnFile) -> Iterator[Fact]:
    """The links of the subject to the person; a recorded one supersedes the roster's (2.4)."""
    rows = on_file.of(t.Guardianship)
    recorded = any(row["origin"] == "fact" for row in rows)
    for row in rows:
        yield fact(
            situation,
            "guardianship",
            row,
            span(row),
            (_left(on_file, row["guardian"], row["student"]), FactState.ACCOUNT_INACTIVE),
            (recorded and row["origin"] != "fact", FactState.SUPERSEDED),
            (row["kind"] not in CARING, FactState.RELATIVE),
            kind=row["kind"],
        )


def _left(on_file: OnFile, *people: str) -> bool:
    found = [on_file.one(t.Person, person) for person in people]
    return any(row is None or row["status"] == "deregistered" for row in found)


def _minority(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    """Until which day the person is a minor, and what ended that before (N-22)."""
    row = on_file.one(t.Person, situation.question.person)
    if row is None:
        return
    freed = [span(each, end="") for each in on_file.of(t.Emancipation)]
    if row["birth_date"] is None:
        yield fact(situation, "birth_date", row, Span(), (True, FactState.UNKNOWN))
    else:
        day = clock.birthday(row["birth_date"], situation.place.age_of_majority)
        dates = Span(None, clock.midnight(day, situation.place.local))
        stops = (any(each.covers(situation.now) for each in freed), FactState.EMANCIPATED)
        yield fact(situation, "birth_date", row, dates, stops)
    for each in on_file.of(t.Emancipation):
        yield replace(fact(situation, "emancipation", each, span(each, end="")), counts=False)


def _custody(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    strange = situation.question.request.subject.type != "user"
    stops = (strange, FactState.OTHER_SUBJECT_TYPE)
    for row in on_file.of(t.CustodyRestriction):
        yield fact(situation, "custody_restriction", row, span(row), stops, basis=row["basis"])


def _shared_classes(roles: Collection[str]) -> Behind:
    def found(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
        subject, person = situation.question.request.subject.id, situation.question.person
        rows = on_file.of(t.Enrolment)
        run = [row for row in rows if row["person"] == subject and row["role"] in roles]
        for one in run:
            for other in rows:
                taught = other["person"] == person and other["role"] == "student"
                if taught and one["class"] == other["class"]:
                    yield _shared_class(situation, on_file, one, other)

    return found


def _shared_class(situation: Situation, on_file: OnFile, one: Row, other: Row) -> Fact:
    """One class and both enrolments in it, while both are within their dates (N-21)."""
    own, theirs = on_file.enrolled(one), on_file.enrolled(other)
    gone = own is None or theirs is None
    own, theirs = own or span(one), theirs or span(other)
    dates = Span(later(own.since, theirs.since), earlier(own.until, theirs.until))
    return fact(
        situation,
        "class",
        {"id": one["class"], "origin": one["origin"]},
        dates,
        (gone, FactState.WITHOUT_EFFECT),
        (_left(on_file, other["person"]), FactState.ACCOUNT_INACTIVE),
        (
            situation.question.class_id not in (None, one["class"]),
            FactState.OTHER_CLASS,
        ),
        role=one["role"],
        enrolments=[one["id"], other["id"]],
    )


def _school(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    """The grants of ``school_admin``, and the memberships through which they reach (N-20)."""
    subject = situation.question.request.subject.id
    above = frozenset[str]().union(*situation.organisations.values())
    reaching = set()
    for row in on_file.of(t.Grant):
        where = row["organisation"]
        if row["person"] == subject and row["role"] == Role.SCHOOL_ADMIN:
            ended = (on_file.gone(where), FactState.WITHOUT_EFFECT)
            found = _grant(situation, row, ended, (where not in above, FactState.ELSEWHERE))
            reaching |= {where} if found.counts else set()
            yield found
    yield from _members(situation, on_file, reaching)


def _members(situation: Situation, on_file: OnFile, reaching: set[str]) -> Iterator[Fact]:
    left = (_left(on_file, situation.question.person), FactState.ACCOUNT_INACTIVE)
    for row in on_file.of(t.Membership):
        where = row["organisation"]
        ended = (on_file.gone(where), FactState.WITHOUT_EFFECT)
        found = fact(situation, "membership", row, span(row), left, ended, organisation=where)
        leads = bool(situation.organisations.get(where, frozenset()) & reaching)
        yield replace(found, counts=found.counts and leads)


def _self(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    for each in accounts(situation, on_file):
        other = each.counts and not situation.same
        yield replace(each, state=FactState.OTHER_PERSON, counts=False) if other else each


def _person(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    row = on_file.one(t.Person, situation.question.person)
    if row is not None:
        yield fact(situation, "account", row, Span(), status=row["status"])


def _granted(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    for row in on_file.of(t.Grant):
        if row["person"] == situation.question.person and row["role"] in GRANTABLE_ROLES:
            ended = (on_file.gone(row["organisation"]), FactState.WITHOUT_EFFECT)
            yield _grant(situation, row, ended)


FACTS: Mapping[Relation, Behind] = {
    Relation.SELF: _self,
    Relation.GUARDIAN: lambda s, f, _: guardianships(s, f),
    Relation.MINOR: _minority,
    Relation.CUSTODY_RESTRICTED: _custody,
    Relation.TEACHES: _shared_classes({"teacher"}),
    Relation.ASSISTS: _shared_classes(ASSISTING),
    Relation.SAME_SCHOOL: _school,
    Relation.SUBJECT_ACTIVE: lambda s, f, _: accounts(s, f),
    Relation.PERSON_KNOWN: _person,
    Relation.HOLDS_GRANTED_ROLE: _granted,
    **work.FACTS,
}
"""One for each name of the vocabulary; a test holds them complete."""

BETWEEN = frozenset(Relation) - {
    Relation.SELF,
    Relation.MINOR,
    Relation.CUSTODY_RESTRICTED,
    Relation.SUBJECT_ACTIVE,
    Relation.PERSON_KNOWN,
    Relation.RETENTION_ENDED,
    Relation.OBJECTED,
    Relation.CONSENTED,
    Relation.PROCESSING_RESTRICTED,
    Relation.HOLDS_GRANTED_ROLE,
}
"""The relations of an active subject to somebody else (2.4)."""
