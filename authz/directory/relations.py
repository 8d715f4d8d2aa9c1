"""One question and its facts at one moment: what the relations of 2.4 are tested on.

A de-registered person has no active membership, enrolment or guardianship on either
side; a suspended one keeps them as data subject and loses them all as subject (page 5).
No relation but ``self``, ``minor`` and ``custody_restricted`` holds between a person and
themselves. ``custody_restricted`` stays true of a subject that is not active, because
what protects a child must not end with an account.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authz import clock
from authz.decision.catalogue import Catalogue
from authz.decision.request import Question
from authz.directory import retention
from authz.directory.facts import Elevated, Facts, Link, Place, Span, Terms
from authz.directory.lazy import Lazy
from authz.directory.tested import Relations, settled
from authz.vocabulary import Relation, Role

FULFILLING_DAYS = 90
CARING = frozenset({"parent", "guardian"})
ASSISTING = frozenset({"aide", "proctor"})

NOBODY = frozenset[str]()
PUBLIC, PARENT = Role.PUBLIC.value, Role.PARENT.value
ENROLMENT_ROLES = {
    "student": Role.STUDENT.value,
    "teacher": Role.TEACHER.value,
    "aide": Role.TEACHER_AIDE.value,
    "proctor": Role.TEACHER_AIDE.value,
}


@dataclass(eq=False)  # frozen costs a microsecond, and each serves one decision
class Situation:
    """One question and the facts that bear on it, at one moment; asked by the engine.

    ``same`` says that subject and data subject are one person, ``active`` what
    :meth:`is_active` says, ``known`` the relations tested so far that hold for every purpose.
    """

    question: Question
    facts: Facts
    now: datetime
    place: Place
    catalogue: Catalogue

    def __post_init__(self) -> None:
        """What every decision asks, without the price of asking it by name."""
        request = self.question.request
        self.same = request.subject.type == "user" and request.subject.id == request.resource.id
        self.active = self._is_active(request.subject.type)
        self.known: dict[str, bool] = {}
        self._views: dict[str | None, Relations] = {}

    @property
    def settled(self) -> dict[str, bool]:
        """The relations that no moment changes, kept with the facts."""
        kind = self.question.request.subject.type, self.same
        found = self.facts.settled.get(kind)
        if found is None:
            found = self.facts.settled[kind] = settled(self)
        return found

    def relations(self, purpose: str | None) -> Relations:
        """The relations by name, for a use with this purpose."""
        view = self._views.get(purpose)
        if view is None:
            view = self._views[purpose] = Relations(self, purpose)
        return view

    @property
    def subject_properties(self) -> Mapping[str, Any]:
        """What the store says of a generic subject; it beats what the caller says."""
        sent, stored = self.question.request.subject.properties, self.facts.subject_entity
        return {**sent, **stored} if stored else sent

    @property
    def resource_properties(self) -> Mapping[str, Any]:
        """What the caller says of a resource, which is theirs, beats what is stored (2.1)."""
        sent, stored = self.question.request.resource.properties, self.facts.resource_entity
        return {**stored, **sent} if stored else sent

    def _is_active(self, kind: str) -> bool:
        """Whether the subject is known and neither suspended nor de-registered (2.6).

        A ``service`` is known where it is a member of a recipient and no person; a
        ``user`` is a person. Any other pairing is unknown (2.4).
        """
        facts = self.facts
        if facts.subject_entity is not None:
            return True
        if kind == "user":
            return facts.subject is not None and facts.subject.status == "active"
        return kind == "service" and facts.subject is None and bool(facts.recipients)

    def is_active(self) -> bool:
        """Whether the subject is known and neither suspended nor de-registered (2.6)."""
        return self.active

    def own(self) -> bool:
        """An active subject and their own data."""
        return self.active and self.same

    def others(self) -> bool:
        """An active subject and the data of somebody else."""
        return self.active and not self.same

    @Lazy
    def roles(self) -> frozenset[str]:
        """The roles that the subject holds towards this person (2.4)."""
        if not self.active:
            return NOBODY
        facts, now = self.facts, self.now
        found = {PUBLIC, *facts.recipients}
        for grant in facts.grants:
            if grant.span.covers(now) and self._reaches(grant.role, grant.organisation):
                found.add(grant.role)
        for enrolled in facts.subject_enrolments:
            role = ENROLMENT_ROLES.get(enrolled.role)
            if role is not None and role not in found and enrolled.span.covers(now):
                found.add(role)
        if facts.links and self.guards():
            found.add(PARENT)
        if facts.subject_entity is not None:
            stored = facts.subject_entity.get("roles")
            if isinstance(stored, list):
                found.update(name for name in stored if isinstance(name, str))
        return frozenset(found)

    def _reaches(self, role: str, organisation: str | None) -> bool:
        """A granted role at an organisation reaches members of it or of one below (2.4).

        It never reaches what is shown of all schools at once.
        """
        if role == Role.SCHOOL_ADMIN or organisation is None:
            return True
        if self.catalogue.everywhere(self.question.category):
            return False
        return any(organisation in within for within in self.organisations.values())

    @Lazy
    def organisations(self) -> Mapping[str, frozenset[str]]:
        """The person's active memberships: each organisation with all those above it."""
        person = self.facts.person
        if person is None or not person.registered:
            return {}
        return {m.organisation: m.within for m in self.facts.memberships if m.span.covers(self.now)}

    @Lazy
    def links(self) -> tuple[Link, ...]:
        """The guardianships in force; one recorded as a fact supersedes the roster's (2.4)."""
        subject, person = self.facts.subject, self.facts.person
        if subject is None or person is None or not (subject.registered and person.registered):
            return ()
        if not self.facts.links:
            return ()
        recorded = any(link.recorded for link in self.facts.links)
        return tuple(
            link
            for link in self.facts.links
            if link.span.covers(self.now) and (link.recorded or not recorded)
        )

    def common_classes(self, roles: Collection[str]) -> frozenset[str]:
        """The classes that the subject runs in one of ``roles`` and the person attends (N-21)."""
        person = self.facts.person
        if not self.active or self.same or person is None or not person.registered:
            return frozenset()
        run = {
            e.class_id
            for e in self.facts.subject_enrolments
            if e.role in roles and e.span.covers(self.now)
        }
        attended = {
            e.class_id
            for e in self.facts.person_enrolments
            if e.role == "student" and e.span.covers(self.now)
        }
        named = self.question.class_id
        return frozenset(run & attended if named is None else run & attended & {named})

    def classes(self, relations: frozenset[str]) -> tuple[str, ...]:
        """The classes in which one of these relations holds (2.7)."""
        found: set[str] = set()
        if Relation.TEACHES in relations:
            found |= self.common_classes({"teacher"})
        if Relation.ASSISTS in relations:
            found |= self.common_classes(ASSISTING)
        return tuple(sorted(found))

    def guards(self) -> bool:
        """A guardianship of kind parent or guardian in force (2.4); a relative is none."""
        links = self.links
        return bool(links) and any(link.kind in CARING for link in links)

    def assists(self) -> bool:
        """An aide or proctor of a class that the person attends (N-21)."""
        return bool(self.common_classes(ASSISTING))

    def contracts(self, purpose: str | None) -> list[Terms]:
        """The contracts that cover this use; with no purpose, that of any (2.4, N-24, N-26)."""
        if not self.active or self.same:
            return []
        return [terms for terms in self.facts.contracts if self._covers(terms, purpose)]

    def _covers(self, terms: Terms, purpose: str | None) -> bool:
        action = self.question.action
        return (
            terms.span.covers(self.now)
            and action in terms.actions
            and (action != "disclose" or terms.sub_processing)
            and self.question.category in terms.categories
            and (purpose is None or purpose in terms.purposes)
            and (terms.schools is None or bool(terms.schools & self.organisations.keys()))
            and terms.protects(self.place.country)
        )

    def contract_fields(self, purpose: str | None) -> Collection[str] | None:
        """What the contracts allow together; None where one names no fields (2.4)."""
        named = [terms.categories[self.question.category] for terms in self.contracts(purpose)]
        if not all(named):
            return None
        return frozenset(name for names in named for name in names)

    def ended(self, purpose: str) -> bool:
        """Whether the purpose is past its time; with no clock started it is not (2.3)."""
        if not self.catalogue.purposes[purpose].clock.starts:
            return False
        return any(end <= self.now for end in self.retention_ends(purpose))

    def retention_ends(self, purpose: str) -> list[datetime]:
        """When a use for this purpose is refused for age; empty where no clock started (2.3)."""
        limit = self.catalogue.purposes[purpose].clock
        return retention.ends(limit, self.facts, self.question.record, self.now, self.place.local)

    def consented(self, purpose: str) -> bool:
        """Whether a consent of the person to this purpose is in force (E-03)."""
        return any(consent.in_force(purpose, self.now) for consent in self.facts.consents)

    def objects(self, purpose: str | None) -> bool:
        """Whether the person has objected to this purpose (N-32)."""
        objections = self.facts.objections
        return bool(objections) and any(
            o.purpose == purpose and o.span.covers(self.now) for o in objections
        )

    def fulfils(self) -> bool:
        """An order of goods is theirs to send, until 90 local days after receipt (2.4)."""
        wanted = self.question.record
        return any(
            goods.assignee == self.question.request.subject.id
            and goods.span.covers(self.now)
            and wanted in (None, goods.id)
            and not goods.received_before(self.now, FULFILLING_DAYS, self.place.local)
            for goods in self.facts.goods
        )

    def minor(self) -> bool:
        """Not yet of age on this local day, and not emancipated (2.4, N-22)."""
        person = self.facts.person
        if person is None or person.birth_date is None:
            return False
        of_age = clock.of_age(person.birth_date, self.place.age_of_majority, self.place.local)
        emancipated = self.facts.emancipated
        return self.now < of_age and not (emancipated is not None and emancipated.covers(self.now))

    def administers(self) -> bool:
        """A ``school_admin`` grant at the person's school, or above it (N-20)."""
        above = frozenset[str]().union(*self.organisations.values())
        return any(
            grant.role == Role.SCHOOL_ADMIN
            and grant.organisation in above
            and grant.span.covers(self.now)
            for grant in self.facts.grants
        )

    @property
    def elevations(self) -> tuple[Elevated, ...]:
        """The subject's break-glass grants in force at a school of the person (N-44)."""
        return tuple(
            elevated
            for elevated in self.facts.elevations
            if elevated.school in self.organisations and elevated.span.covers(self.now)
        )

    @property
    def resource_known(self) -> bool:
        """Whether the directory knows the person or the entity that the resource names."""
        return self.facts.person is not None or self.facts.resource_entity is not None

    def any_now(self, spans: Collection[Span]) -> bool:
        """Whether one of these intervals covers this moment."""
        return bool(spans) and any(span.covers(self.now) for span in spans)
