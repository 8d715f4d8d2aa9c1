"""Relations by school and class: grants that reach down the tree, and enrolments (2.4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import CTE, Select, and_, exists, func, or_, select

from authz.directory import tables as t
from authz.directory.conditions.among import one_of
from authz.directory.conditions.json import Values
from authz.directory.conditions.people import between, registered
from authz.directory.conditions.view import Id, Sql, View
from authz.vocabulary import GRANTABLE_ROLES, Role

Ids = Select[tuple[str]]


def grants(v: View, role: str | Iterable[str], holder: Id, *, dated: bool = True) -> Select[Any]:
    """Grants of a role that hang on no ended organisation; in force, if ``dated``."""
    g, o = v.fresh(t.Grant), v.fresh(t.Organisation)
    roles = [role] if isinstance(role, str) else role
    found = (
        select(g.organisation)
        .outerjoin(o, o.id == g.organisation)
        .where(g.person == holder, one_of(_by_person(g), roles), o.ended_at.is_(None))
    )
    return found.where(v.covers(g)) if dated else found


def _by_person(g: Any) -> Any:
    """The role, as no index knows it: a person has few grants, a role may have thousands."""
    return g.role.concat("")


def holds_granted(v: View, role: str) -> Sql:
    """A granted role held towards the person; one at an organisation reaches its members (2.4)."""
    found = grants(v, role, v.subject)
    organisation = found.selected_columns[0]
    if role == Role.SCHOOL_ADMIN:
        return exists(found)
    everywhere = exists(found.where(organisation.is_(None)))
    if v.catalogue.everywhere(v.question.category):
        return everywhere
    return or_(everywhere, _reaches(v, role))


def same_school(v: View) -> Sql:
    """A ``school_admin`` grant at the person's school, or above it (N-20)."""
    return between(v, _reaches(v, Role.SCHOOL_ADMIN))


def _reaches(v: View, role: str) -> Sql:
    """A grant in force at an organisation of the person's, or above it."""
    if v.one_subject:
        found = memberships(v)
        organisation = found.selected_columns[0]
        reached = exists(found.where(organisation.in_(below(v, role))))
        # Whether there is such a grant at all is found once, and mostly there is none.
        return and_(exists(grants(v, role, v.subject)), registered(v), reached)
    found = grants(v, role, v.subject)
    return and_(registered(v), exists(found.where(found.selected_columns[0].in_(_above(v)))))


def memberships(v: View) -> Select[Any]:
    """The living organisations that the person belongs to now, if they are registered."""
    m, o = v.fresh(t.Membership), v.fresh(t.Organisation)
    return (
        select(m.organisation)
        .join(o, o.id == m.organisation)
        .where(m.person == v.person, o.ended_at.is_(None), v.covers(m))
    )


def below(v: View, role: str) -> Ids:
    """The organisations that the subject's grants of this role reach, resolved once."""
    if role not in v.once:
        v.once[role] = _below(v, role)
    found: Ids = v.once[role]
    return found


def _below(v: View, role: str) -> Ids:
    o, child = v.fresh(t.Organisation), v.fresh(t.Organisation)
    at = grants(v, role, v.subject)
    reach = select(o.id).where(o.id.in_(at), o.ended_at.is_(None)).cte(recursive=True)
    step = select(child.id).join(reach, child.parent == reach.c.id)
    # UNION, not UNION ALL: a loop in the tree ends by itself.
    reach = reach.union(step.where(child.ended_at.is_(None)))
    return select(reach.c.id)


def _above(v: View) -> Ids:
    """The organisations of the person and all above them, resolved once."""
    if "above" not in v.once:
        v.once["above"] = _ancestors(v)
    found: Ids = v.once["above"]
    return found


def _ancestors(v: View) -> Ids:
    o, parent = v.fresh(t.Organisation), v.fresh(t.Organisation)
    own = select(o.id, o.parent).where(o.id.in_(memberships(v)), o.ended_at.is_(None))
    reach = own.cte(recursive=True)
    step = select(parent.id, parent.parent).join(reach, parent.id == reach.c.parent)
    reach = reach.union(step.where(parent.ended_at.is_(None)))
    return select(reach.c.id)


def elevated(v: View) -> Sql:
    """A break-glass grant in force at a school of the person (N-44)."""
    e = v.fresh(t.Elevation)
    found = select(e.id).where(e.person == v.subject, v.covers(e), e.school.in_(memberships(v)))
    administers = grants(v, Role.SCHOOL_ADMIN, v.subject, dated=False)
    return between(v, and_(exists(administers), registered(v), exists(found)))


def holds_granted_role(v: View) -> Sql:
    """That the person holds a role that somebody granted them (2.6, ``escalation``)."""
    return exists(grants(v, GRANTABLE_ROLES, v.person))


def enrolled(v: View, roles: Collection[str]) -> Sql:
    """That the subject takes part in some class in one of these roles."""
    if v.one_subject:
        return exists(select(_classes(v, v.subject, roles).c.id))
    e, c = v.fresh(t.Enrolment), v.fresh(t.Class)
    found = select(e.id).join(c, c.id == e.class_id)
    begun, lasts = _dates(v, c)
    return exists(
        found.where(e.person == v.subject, _in_force(v, e, roles, begun, lasts), _runs(v, c))
    )


def common_class(v: View, roles: Collection[str]) -> Sql:
    """A class that the subject runs in one of these roles and the person attends (N-21)."""
    other = v.person if v.one_subject else v.subject
    found = other.in_(select(classmates(v, roles).c.person))
    return between(v, and_(found, registered(v)))


def classmates(v: View, roles: Collection[str]) -> CTE:
    """Who is in a class with the one who is a value, for such a role of the subject; once."""
    key = f"classmates {sorted(roles)}"
    if key not in v.once:
        students = ("student",)
        one, mine, theirs = (
            (v.subject, roles, students) if v.one_subject else (v.person, students, roles)
        )
        classes, e = _classes(v, one, mine), v.fresh(t.Enrolment)
        found = (
            select(e.person.label("person"))
            .join(classes, classes.c.id == e.class_id)
            .where(_in_force(v, e, theirs, classes.c.begun, classes.c.lasts))
        )
        if v.question.class_id is not None:
            found = found.where(e.class_id == v.binds("class"))
        v.once[key] = found.cte().prefix_with("MATERIALIZED")
    made: CTE = v.once[key]
    return made


def _classes(v: View, one: Id, roles: Collection[str]) -> CTE:
    """The classes that somebody takes part in, each with its effective dates, found once."""
    key = f"classes {sorted(roles)} {v.one_subject}"
    if key not in v.once:
        e, c = v.fresh(t.Enrolment), v.fresh(t.Class)
        begun, lasts = _dates(v, c)
        found = (
            select(c.id, begun.label("begun"), lasts.label("lasts"))
            .join(e, e.class_id == c.id)
            .where(e.person == one, _in_force(v, e, roles, begun, lasts), _runs(v, c))
        )
        v.once[key] = found.cte().prefix_with("MATERIALIZED")
    made: CTE = v.once[key]
    return made


def _in_force(v: View, e: Any, roles: Collection[str], begun: Any, lasts: Any) -> Sql:
    """An enrolment in force, each missing date taken from the terms of its class (2.4)."""
    return and_(
        one_of(e.role, roles),
        or_(e.ended_at.is_(None), v.now < e.ended_at),
        or_(e.valid_from <= v.now, and_(e.valid_from.is_(None), begun)),
        or_(v.now < e.valid_until, and_(e.valid_until.is_(None), lasts)),
    )


def _dates(v: View, c: Any) -> tuple[Sql, Sql]:
    """Whether a class has begun by its terms, and whether it still lasts."""
    no_terms = func.json_array_length(c.terms) == 0
    begun = or_(
        no_terms, exists(_terms(v, c, lambda s: or_(s.begins.is_(None), s.begins <= v.now)))
    )
    lasts = or_(no_terms, exists(_terms(v, c, lambda s: or_(s.ends.is_(None), v.now < s.ends))))
    return begun, lasts


def _terms(v: View, c: Any, test: Any) -> Select[Any]:
    """The living terms of a class that a test is true of."""
    named, s = Values(c.terms).table_valued("value"), v.fresh(t.Term)
    joined = select(s.id).select_from(named).join(s, s.id == named.c.value)
    return joined.where(s.ended_at.is_(None), test(s)).correlate(c)


def _runs(v: View, c: Any) -> Sql:
    """A class that has not ended, hangs on nothing that has, and whose terms are all known."""
    o, s = v.fresh(t.Organisation), v.fresh(t.Term)
    named = Values(c.terms).table_valued("value")
    living = and_(s.id == named.c.value, s.ended_at.is_(None))
    unknown = select(named.c.value).select_from(named).outerjoin(s, living).where(s.id.is_(None))
    gone = select(o.id).where(o.id == c.organisation, o.ended_at.is_not(None))
    return and_(c.ended_at.is_(None), ~exists(gone), ~exists(unknown.correlate(c)))
