"""Who could have to do with a person at all: everybody whom a row on file links to them (2.4).

For lists that are decided on one by one: these are the candidates, whether or not their link
is in force at the moment, and never an answer. Each relation between two people stands on a
row, so that nobody outside can be permitted by it; rules that ask no relation reach everybody
who holds their role. ``tests/property`` holds that no candidate is missing.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select, true, union
from sqlalchemy.orm import aliased

from authz.directory import tables as t
from authz.vocabulary import Role

RUNNING = ("teacher", "aide", "proctor")


def subjects_of(connection: Connection, person: str, roles: Collection[str]) -> list[str]:
    """The ids of all who could see the person; ``roles`` reach everybody."""
    own = select(t.Membership.organisation).where(t.Membership.person == person)
    found = union(
        select(t.Person.id.label("id")).where(t.Person.id == person),
        select(t.Guardianship.guardian).where(t.Guardianship.student == person),
        select(t.Mentoring.mentor).where(t.Mentoring.person == person),
        select(t.Ticket.assignee).where(t.Ticket.person == person),
        select(t.Purchase.assignee).where(t.Purchase.person == person),
        select(t.Case.assignee).join(t.CasePerson, t.CasePerson.case == t.Case.id)
        .where(t.CasePerson.person == person),
        select(t.Elevation.person).where(t.Elevation.school.in_(own)),
        select(t.Grant.person).where(t.Grant.organisation.in_(_above(own))),
        select(t.Grant.person).where(t.Grant.role.in_(sorted(roles))),
        _classmates(person, "student", RUNNING),
        select(t.RecipientMember.subject).join(t.Contract, _acts(Role.PROCESSOR,
            t.Contract.processor)).where(t.Contract.ended_at.is_(None)),
        select(t.RecipientMember.subject).join(t.Order, _acts(Role.AUTHORITY, t.Order.authority))
        .join(t.OrderPerson, t.OrderPerson.order == t.Order.id)
        .where(t.OrderPerson.person == person),
    )  # fmt: skip
    return sorted(connection.scalars(found))


def people_of(subject: str, *, everybody: bool) -> Any:
    """A condition on :class:`Person`: all whom the subject could see, or all there are."""
    if everybody:
        return true()
    granted = select(t.Grant.organisation).where(t.Grant.person == subject)
    at = select(t.Elevation.school).where(t.Elevation.person == subject)
    below = _below(granted)
    ids = union(
        select(t.Person.id).where(t.Person.id == subject),
        select(t.Guardianship.student).where(t.Guardianship.guardian == subject),
        select(t.Mentoring.person).where(t.Mentoring.mentor == subject),
        select(t.Ticket.person).where(t.Ticket.assignee == subject),
        select(t.Purchase.person).where(t.Purchase.assignee == subject),
        select(t.CasePerson.person).join(t.Case, t.Case.id == t.CasePerson.case)
        .where(t.Case.assignee == subject),
        select(t.Membership.person).where(or_(t.Membership.organisation.in_(below),
            t.Membership.organisation.in_(at))),
        _classmates(subject, RUNNING, ("student",)),
        select(t.OrderPerson.person).join(t.Order, t.Order.id == t.OrderPerson.order)
        .join(t.RecipientMember, _acts(Role.AUTHORITY, t.Order.authority))
        .where(t.RecipientMember.subject == subject),
    )  # fmt: skip
    return t.Person.id.in_(ids)


def processes(connection: Connection, subject: str) -> bool:
    """Whether a contract may lead the subject to everybody."""
    found = select(t.Contract.id).join(
        t.RecipientMember, _acts(Role.PROCESSOR, t.Contract.processor)
    )
    asked = found.where(t.RecipientMember.subject == subject).limit(1)
    return connection.scalar(asked) is not None


def persons_among(connection: Connection, idents: Collection[str]) -> frozenset[str]:
    """Those of the ids that are people of the directory; others act for a recipient."""
    return frozenset(connection.scalars(select(t.Person.id).where(t.Person.id.in_(idents))))


def _acts(kind: Role, recipient: Any) -> Any:
    return and_(t.RecipientMember.kind == kind, t.RecipientMember.recipient == recipient)


def _classmates(one: str, own: str | Collection[str], roles: Collection[str]) -> Select[Any]:
    """Who takes part in a class of somebody's, in one of these roles."""
    mine, theirs = aliased(t.Enrolment), aliased(t.Enrolment)
    held = [own] if isinstance(own, str) else sorted(own)
    return (
        select(theirs.person)
        .join(mine, mine.class_id == theirs.class_id)
        .where(mine.person == one, mine.role.in_(held), theirs.role.in_(sorted(roles)))
    )


def _above(own: Select[Any]) -> Select[Any]:
    """Organisations and all above them; a loop in the tree ends by itself (``UNION``)."""
    parent = aliased(t.Organisation)
    chain = select(t.Organisation.id, t.Organisation.parent).where(t.Organisation.id.in_(own))
    reach = chain.cte("above", recursive=True)
    step = select(parent.id, parent.parent).join(reach, parent.id == reach.c.parent)
    return select(reach.union(step).c.id)


def _below(own: Select[Any]) -> Select[Any]:
    """Organisations and all below them."""
    child = aliased(t.Organisation)
    reach = select(t.Organisation.id).where(t.Organisation.id.in_(own)).cte("below", recursive=True)
    step = select(child.id).join(reach, child.parent == reach.c.id)
    return select(reach.union(step).c.id)
