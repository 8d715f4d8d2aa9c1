"""Relations that follow from the two people themselves, and from what links them (2.4)."""

from __future__ import annotations

from sqlalchemy import and_, exists, false, or_, select, true

from authz.directory import tables as t
from authz.directory.conditions.among import one_of
from authz.directory.conditions.traces import ACTIVE
from authz.directory.conditions.view import Id, Sql, View
from authz.directory.relations import CARING
from authz.directory.rows import FACT


def known(v: View, ident: Id) -> Sql:
    """That there is a person of this id."""
    p = v.fresh(t.Person)
    return exists(select(p.id).where(p.id == ident))


def registered(v: View) -> Sql:
    """That the person is known and not de-registered (2.4)."""
    return v.of_person(lambda p: p.status != "deregistered")


def person_known(v: View) -> Sql:
    """That there is such a person."""
    return v.of_person(lambda p: p.id.is_not(None))


def active(v: View) -> Sql:
    """A ``user`` is an active person; a ``service`` acts for a recipient and is none (2.6)."""
    if "active" not in v.once:
        v.once["active"] = _active(v)
    found: Sql = v.once["active"]
    return found


def _active(v: View) -> Sql:
    if v.kind == "user" and v.told is not None:
        return true() if v.possible(ACTIVE) else false()
    if v.kind == "user":
        p = v.fresh(t.Person)
        return exists(select(p.id).where(p.id == v.subject, p.status == "active"))
    if v.kind == "service":
        return and_(~known(v, v.subject), acts_for(v))
    return false()


def acts_for(v: View, kind: str | None = None) -> Sql:
    """That the subject is a member of a recipient, of this kind."""
    m, r = v.fresh(t.RecipientMember), v.fresh(t.Recipient)
    found = (
        select(m.subject)
        .join(r, and_(r.kind == m.kind, r.id == m.recipient))
        .where(m.subject == v.subject, r.ended_at.is_(None))
    )
    return exists(found if kind is None else found.where(m.kind == kind))


def same(v: View) -> Sql:
    """Whether subject and data subject are one person."""
    return v.subject == v.person if v.kind == "user" else false()


def between(v: View, test: Sql) -> Sql:
    """A relation of an active subject to somebody else (2.4)."""
    return and_(test, active(v), ~same(v))


def guardian(v: View) -> Sql:
    """A guardianship in force; one recorded as a fact supersedes the roster's of its pair."""
    g, recorded = v.fresh(t.Guardianship), v.fresh(t.Guardianship)
    superseding = select(recorded.id).where(
        recorded.guardian == g.guardian, recorded.student == g.student, recorded.origin == FACT
    )
    link = select(g.id).where(
        one_of(g.kind, CARING), v.covers(g), or_(g.origin == FACT, ~exists(superseding))
    )
    p = v.fresh(t.Person)
    carer = exists(select(p.id).where(p.id == v.subject, p.status != "deregistered"))
    return and_(v.links(link, g.guardian, g.student), carer, registered(v))


def minor(v: View) -> Sql:
    """Not yet of age on this local day, and not emancipated (2.4, N-22)."""
    e = v.fresh(t.Emancipation)
    freed = select(e.person).where(e.person == v.person, v.within(e.valid_from, e.ended_at))
    return and_(
        v.of_person(lambda p: and_(p.birth_date.is_not(None), p.birth_date > v.of_age)),
        ~exists(freed),
    )


def custody_restricted(v: View) -> Sql:
    """A restriction on file that stops the subject towards the person."""
    if v.kind != "user":
        return false()
    c = v.fresh(t.CustodyRestriction)
    return v.links(select(c.id).where(v.covers(c)), c.subject, c.person)


def processing_restricted(v: View) -> Sql:
    """A restriction of processing in force, or an erasure that was approved (N-34, N-35)."""
    r, e = v.fresh(t.Restriction), v.fresh(t.Erasure)
    stopped = select(r.person).where(r.person == v.person, v.covers(r))
    erased = select(e.person).where(
        e.person == v.person, e.approved_at.is_not(None), v.within(e.approved_at, e.ended_at)
    )
    return or_(exists(stopped), exists(erased))
