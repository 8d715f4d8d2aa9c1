"""What the person wants or time brings: retention, objection and consent (2.3, 2.6)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Select,
    and_,
    case,
    exists,
    false,
    func,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from authz.directory import tables as t
from authz.directory.conditions import moments
from authz.directory.conditions.view import Sql, View
from authz.directory.tables import UtcTime

EVENT = "event"
LONGEST_DAYS = 3_000_000
"""More days than the calendar has: such data never go."""


class DaysAfter(FunctionElement[Any]):
    """A moment so many days of 24 hours on."""

    type = UtcTime()
    inherit_cache = True


@compiles(DaysAfter, "sqlite")
def _(element: DaysAfter, compiler: SQLCompiler, **kw: Any) -> str:
    """The day is moved and the time of it kept, so that no microsecond is lost."""
    moment, days = (compiler.process(each, **kw) for each in element.clauses)
    return f"(date({moment}, '+' || {days} || ' days') || substr({moment}, 11))"


@compiles(DaysAfter, "postgresql")
def _(element: DaysAfter, compiler: SQLCompiler, **kw: Any) -> str:
    moment, days = (compiler.process(each, **kw) for each in element.clauses)
    return f"({moment} + {days} * INTERVAL '24 hours')"


def retention_ended(v: View, purpose: str | None) -> Sql | None:
    """Whether the purpose is past its time; None where only the decision can tell (2.3)."""
    limit = v.catalogue.purposes[purpose].clock if purpose is not None else None
    if limit is None or not limit.starts:
        return false()
    if limit.starts == "received":
        return _commerce_ended(v, limit.years)
    if limit.starts == "project_ended":
        return _event_ended(v, limit.days) if moments.steady(v.place.local) else None
    if limit.starts == "last_used":
        return v.of_person(lambda p: v.through(p.last_used_at, limit.years))
    return v.of_person(lambda p: _left_too_long_ago(v, p, limit.years))


def _left_too_long_ago(v: View, p: Any, years: int) -> Sql:
    """The clocks of leaving start with cancellation, else with de-registration (page 5)."""
    left = and_(p.cancelled_at.is_(None), p.status == "deregistered", v.through(p.ended_at, years))
    return or_(v.through(p.cancelled_at, years), left)


def _commerce_ended(v: View, years: int) -> Sql:
    """Ten years from the order named, else from the one kept longest; without receipt never."""
    every = _ended_goods(v, years, named=False)
    if v.question.record is None:
        return every
    named = exists(_goods(v, named=True)[0])
    return or_(_ended_goods(v, years, named=True), and_(~named, every))


def _ended_goods(v: View, years: int, *, named: bool) -> Sql:
    some, _ = _goods(v, named=named)
    kept, received = _goods(v, named=named)
    return and_(exists(some), ~exists(kept.where(~v.through(received, years))))


def _goods(v: View, *, named: bool) -> tuple[Select[Any], Any]:
    """The person's orders of goods, and when they were received."""
    p = v.fresh(t.Purchase)
    found = select(p.id).where(p.person == v.person, v.within(p.ordered_at, p.ended_at))
    return (found.where(p.id == v.binds("record")) if named else found), p.received_at


def _event_ended(v: View, default: int) -> Sql:
    """From the project of the consent in force, the one kept longest (E-02)."""
    c, project = v.fresh(t.Consent), v.fresh(t.Project)
    days = func.coalesce(project.retention_days, default)
    # Beyond the calendar there is no such day: the data are kept.
    over = and_(
        project.project_ended_at.is_not(None),
        case((days > LONGEST_DAYS, False), else_=_by_now(v, project.project_ended_at, days)),
    )
    kept = _in_force(v, c, EVENT).outerjoin(project, project.id == c.project)
    return and_(consented(v, EVENT), ~exists(kept.where(or_(project.id.is_(None), ~over))))


def _by_now(v: View, moment: Any, days: Any) -> Sql:
    return func.coalesce(DaysAfter(moment, days) <= v.now, False)


def consented(v: View, purpose: str | None) -> Sql:
    """A consent of the person to this purpose is in force (E-03)."""
    if purpose is None:
        return false()
    return exists(_in_force(v, v.fresh(t.Consent), purpose))


def _in_force(v: View, c: Any, purpose: str) -> Select[Any]:
    return select(c.id).where(
        c.person == v.person,
        c.purpose == purpose,
        v.within(c.given_at, c.withdrawn_at, c.ended_at),
    )


def objected(v: View, purpose: str | None) -> Sql:
    """The person has objected to this purpose (N-32)."""
    if purpose is None:
        return false()
    o = v.fresh(t.Objection)
    return exists(select(o.id).where(o.person == v.person, o.purpose == purpose, v.covers(o)))
