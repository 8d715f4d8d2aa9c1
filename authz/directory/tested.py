"""The relations of 2.4 as named tests, and ``r.rel`` that tests them when they are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from authz.vocabulary import GRANTABLE_ROLES, PURPOSE_RELATIONS, Relation

if TYPE_CHECKING:
    from authz.directory.relations import Situation


def _between(test: Callable[[Situation], bool]) -> Callable[[Situation, str | None], bool]:
    """A relation of an active subject to somebody else (2.4)."""
    return lambda now, _: now.others() and test(now)


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


for _relation in Relation:
    setattr(Relations, _relation.value, _Tested(_relation))
