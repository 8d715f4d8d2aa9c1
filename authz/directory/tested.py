"""The relations of 2.4 as named tests, and ``r.rel`` that tests them when they are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from authz.directory.facts import UNREAD
from authz.vocabulary import GRANTABLE_ROLES, PURPOSE_RELATIONS, Relation

if TYPE_CHECKING:
    from authz.directory.relations import Situation


def _between(test: Callable[[Situation], bool]) -> Callable[[Situation, str | None], bool]:
    """A relation of an active subject to somebody else (2.4)."""
    return lambda now, _: now.active and not now.same and test(now)


BETWEEN = frozenset(
    {
        Relation.GUARDIAN,
        Relation.TEACHES,
        Relation.ASSISTS,
        Relation.SAME_SCHOOL,
        Relation.ORDERED,
        Relation.TICKETED,
        Relation.FULFILLING,
        Relation.MENTORS,
        Relation.ON_CASE,
        Relation.ON_RIGHTS_REQUEST,
        Relation.ELEVATED,
    }
)
"""The relations of an active subject to somebody else: nobody has one to themselves."""


TESTS: Mapping[Relation, Callable[[Situation, str | None], bool]] = {
    Relation.SELF: lambda s, _: s.own(),
    Relation.GUARDIAN: _between(lambda s: s.guards()),
    Relation.MINOR: lambda s, _: s.minor(),
    Relation.CUSTODY_RESTRICTED: lambda s, _: (
        s.question.request.subject.type == "user" and s.any_now(s.facts.custody)
    ),
    Relation.TEACHES: _between(lambda s: bool(s.common_classes({"teacher"}))),
    Relation.ASSISTS: _between(lambda s: s.assists()),
    Relation.SAME_SCHOOL: _between(lambda s: s.administers()),
    Relation.CONTRACTED: lambda s, purpose: bool(s.contracts(purpose)),
    Relation.ORDERED: _between(
        lambda s: (
            s.facts.order is not None
            and s.question.category in s.facts.order.categories
            and s.facts.order.span.covers(s.now)
        )
    ),
    Relation.TICKETED: _between(
        lambda s: s.facts.ticket is not None and s.facts.ticket.span.covers(s.now)
    ),
    Relation.FULFILLING: _between(lambda s: s.fulfils()),
    Relation.MENTORS: _between(lambda s: s.any_now(s.facts.mentoring)),
    Relation.ON_CASE: _between(
        lambda s: s.facts.case is not None and s.facts.case.span.covers(s.now)
    ),
    Relation.ON_RIGHTS_REQUEST: _between(
        lambda s: (
            s.facts.case is not None
            and s.facts.case.kind == "rights_request"
            and s.facts.case.span.covers(s.now)
        )
    ),
    Relation.ELEVATED: _between(lambda s: bool(s.elevations)),
    Relation.SUBJECT_ACTIVE: lambda s, _: s.is_active(),
    Relation.PERSON_KNOWN: lambda s, _: s.facts.person is not None,
    Relation.RETENTION_ENDED: lambda s, purpose: purpose is not None and s.ended(purpose),
    Relation.OBJECTED: lambda s, purpose: s.objects(purpose),
    Relation.CONSENTED: lambda s, purpose: purpose is not None and s.consented(purpose),
    Relation.PROCESSING_RESTRICTED: lambda s, _: s.any_now(s.facts.restrictions),
    Relation.HOLDS_GRANTED_ROLE: lambda s, _: any(
        g.role in GRANTABLE_ROLES and g.span.covers(s.now) for g in s.facts.person_grants
    ),
}
"""One test for each name of the vocabulary; an architecture test holds them complete."""


STANDS_ON: Mapping[Relation, str] = {
    Relation.GUARDIAN: "links",
    Relation.CUSTODY_RESTRICTED: "custody",
    Relation.TEACHES: "subject_enrolments",
    Relation.ASSISTS: "subject_enrolments",
    Relation.SAME_SCHOOL: "grants",
    Relation.CONTRACTED: "contracts",
    Relation.ORDERED: "order",
    Relation.TICKETED: "ticket",
    Relation.FULFILLING: "goods",
    Relation.MENTORS: "mentoring",
    Relation.ON_CASE: "case",
    Relation.ON_RIGHTS_REQUEST: "case",
    Relation.ELEVATED: "elevations",
    Relation.OBJECTED: "objections",
    Relation.CONSENTED: "consents",
    Relation.PROCESSING_RESTRICTED: "restrictions",
    Relation.HOLDS_GRANTED_ROLE: "person_grants",
}
"""The facts without any of which a relation never holds."""


def settled(situation: Situation) -> dict[str, bool]:
    """The relations that these facts answer alike at every moment and for every purpose.

    Mostly there is no fact of the kind at all. What was not read is left out: to ask it is
    still an error. A property test holds all of it against :data:`TESTS`.
    """
    facts, others = situation.facts, situation.others()
    found = {
        Relation.SELF.value: situation.own(),
        Relation.SUBJECT_ACTIVE.value: situation.active,
        Relation.PERSON_KNOWN.value: facts.person is not None,
    }
    for relation, name in STANDS_ON.items():
        if (relation in BETWEEN and not others) or not _some(getattr(facts, name)):
            found[relation.value] = False
    return found


def _some(facts: object) -> bool:
    """Whether there may be a fact of a kind."""
    return facts is UNREAD or bool(facts)


class _Tested:
    """One relation as an attribute of :class:`Relations`; tested once, then remembered.

    What does not depend on the purpose is tested once for all purposes of the question.
    """

    def __init__(self, relation: Relation) -> None:
        self.name = relation.value
        self.test = TESTS[relation]
        self.shared = relation not in PURPOSE_RELATIONS

    def __get__(self, view: Relations, owner: type) -> bool:
        if not self.shared:
            answer = self.test(view.situation, view.purpose)
        else:
            known = view.situation.known
            found = known.get(self.name)
            if found is None:
                found = known[self.name] = self.test(view.situation, None)
            answer = found
        view.__dict__[self.name] = answer
        return answer


class Relations:
    """``r.rel``: each relation as an attribute, tested when asked and remembered."""

    def __init__(self, situation: Situation, purpose: str | None) -> None:
        self.situation = situation
        self.purpose = purpose
        self.__dict__.update(situation.settled)


for _relation in Relation:
    setattr(Relations, _relation.value, _Tested(_relation))
