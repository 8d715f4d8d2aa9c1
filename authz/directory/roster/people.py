"""People: their status, who may open it again, birth dates, and the mass-change guard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    update,
)

from authz.directory.roster import staging, telling
from authz.directory.roster.check import kept_table
from authz.directory.roster.merge import Merge, Stamp
from authz.directory.roster.problems import CAP
from authz.directory.roster.summary import Listing, Tally
from authz.directory.roster.telling import RowChange
from authz.directory.tables import Person
from authz.errors import MassChangeError

ACTIVE, SUSPENDED, DEREGISTERED = "active", "suspended", "deregistered"

MASS_CHANGE_PERCENT = 10
"""A bulk that would end more of its source's people is refused (page 4.2)."""

PERSON = kept_table(Person)

STAGED = select(
    staging.USER.c.id,
    staging.USER.c.given_name,
    staging.USER.c.family_name,
    staging.USER.c.name_order,
    case(
        (staging.USER.c.ended, literal(DEREGISTERED)),
        (staging.USER.c.enabled, literal(ACTIVE)),
        else_=literal(SUSPENDED),
    ).label("status"),
    staging.USER.c.ended,
).subquery("people")


@dataclass(frozen=True, slots=True)
class PeopleMerge(Merge):
    """The merge of people.

    A status that another hand than this source wrote (``recorded_by``: an administrator,
    a fact) is never opened again by the roster; the person is reported as held.
    """

    @property
    def _own(self) -> ColumnElement[bool]:
        return self.kept.c.recorded_by == self.stamp.origin

    @property
    def _gone(self) -> ColumnElement[bool]:
        return self.kept.c.status == DEREGISTERED

    @property
    def _held(self) -> ColumnElement[bool]:
        """Where the status on file stays, although the roster says otherwise."""
        opens = and_(self.kept.c.status == SUSPENDED, self.staged.c.status == ACTIVE)
        return and_(not_(self._own), or_(self._gone, opens))

    def listed(self) -> tuple[Listing, Listing, Listing]:
        """Who will return, is held, or has another name; to be asked before :meth:`run`."""
        renamed = and_(
            self.kept.c.given_name != self.staged.c.given_name,
            self.kept.c.family_name != self.staged.c.family_name,
        )
        return (
            self._listing(and_(self._gone, self._own)),
            self._listing(self._held),
            self._listing(renamed),
        )

    def _listing(self, which: ColumnElement[bool]) -> Listing:
        found = select(self.kept.c.id).where(
            self.kept.c.id == self.staged.c.id, self._mine, not_(self.staged.c.ended), which
        )
        return listing(self.connection, found, self.kept.c.id)

    def _renew_all(self) -> tuple[int, int]:
        again = {"ended_at": null(), "cancelled_at": null(), "recorded_by": self.stamp.origin}
        again["recorded_because"] = literal("registered again")
        returned = self._renew(again, self._gone, self._own)
        status = case((self._held, self.kept.c.status), else_=self.staged.c.status)
        same = self.kept.c.status == status
        kept = {
            "status": status,
            "recorded_by": case((same, self.kept.c.recorded_by), else_=self.stamp.origin),
        }
        names = or_(
            self.kept.c.given_name != self.staged.c.given_name,
            self.kept.c.family_name != self.staged.c.family_name,
        )
        return returned, self._renew(kept, not_(self._gone), or_(names, not_(same)))

    def _ending(self) -> dict[str, Any]:
        # who was suspended by another hand is not active again by leaving and coming back
        suspended = and_(self.kept.c.status == SUSPENDED, not_(self._own))
        return {
            "status": DEREGISTERED,
            "recorded_by": case((suspended, self.kept.c.recorded_by), else_=self.stamp.origin),
            "recorded_because": "no longer in the roster",
        }

    def _fresh(self) -> dict[str, Any]:
        return {"birth_date_from": ""}

    def guard(self) -> None:
        """Refuse a bulk that would end too many of the people of its source (page 4.2)."""
        living = and_(self._mine, not_(self._gone))
        stays = select(self.staged.c.id).where(
            self.staged.c.id == self.kept.c.id, not_(self.staged.c.ended)
        )
        count = select(func.count()).select_from(self.kept).where(living)
        total = self.connection.execute(count).scalar_one()
        ending = self.connection.execute(count.where(not_(stays.exists()))).scalar_one()
        if ending * 100 > total * MASS_CHANGE_PERCENT:
            raise MassChangeError(
                f"This bulk would end {ending} of the {total} people of its source, more than "
                f"{MASS_CHANGE_PERCENT} %; nothing was imported.",
                hint="If that is meant, import it with --allow-mass-change.",
            )


def listing(connection: Connection, found: Any, order: ColumnElement[Any]) -> Listing:
    """How many rows ``found`` has, and the first of them as text."""
    first: Iterable[Any] = connection.execute(found.order_by(order).limit(CAP))
    texts = tuple(str(row[0]) for row in first)
    if len(texts) < CAP:
        return Listing(len(texts), texts)
    count = select(func.count()).select_from(found.subquery())
    return Listing(connection.execute(count).scalar_one(), texts)


def merge_birth_dates(connection: Connection, stamp: Stamp, *, bulk: bool, first: bool) -> Tally:
    """Birth dates that this source vouches for; one that another vouches for stays (page 5).

    With the ``first`` import of a source its dates are counted and not told one by one.
    """
    new = staging.DEMOGRAPHIC.c
    own = and_(PERSON.c.origin == stamp.origin, PERSON.c.birth_date_from.in_(["", stamp.origin]))
    date = case((new.ended, null()), else_=new.birth_date)
    pair = and_(PERSON.c.id == new.id, own)
    differs = and_(pair, PERSON.c.birth_date.is_distinct_from(date))
    before = connection.execute(
        select(
            func.count(case((and_(PERSON.c.birth_date.is_(None), date.is_not(None)), 1))),
            func.count(case((and_(PERSON.c.birth_date.is_not(None), date.is_(None)), 1))),
            func.count(),
        )
        .select_from(staging.DEMOGRAPHIC.join(PERSON, differs))
    ).one()  # fmt: skip
    added, ended, all_ = before
    vouched = case((date.is_(None), literal("")), else_=literal(stamp.origin))
    if all_ and not first:
        _tell(connection, stamp, select(PERSON.c.id, PERSON.c.birth_date, date.label("new"))
              .select_from(staging.DEMOGRAPHIC.join(PERSON, differs)))  # fmt: skip
    if all_:
        connection.execute(
            update(PERSON).where(differs).values(birth_date=date, birth_date_from=vouched)
        )
    staged = connection.execute(select(func.count()).select_from(staging.DEMOGRAPHIC)).scalar_one()
    absent = _clear_absent(connection, stamp) if bulk else 0
    return Tally(added, all_ - added - ended, ended + absent, 0, staged - all_)


def _clear_absent(connection: Connection, stamp: Stamp) -> int:
    new = staging.DEMOGRAPHIC.c
    there = select(new.id).where(new.id == PERSON.c.id).exists()
    gone = (
        PERSON.c.origin == stamp.origin,
        PERSON.c.birth_date_from == stamp.origin,
        not_(there),
    )
    _tell(connection, stamp, select(PERSON.c.id, PERSON.c.birth_date, null()).where(*gone))
    statement = update(PERSON).where(*gone).values(birth_date=null(), birth_date_from="")
    return connection.execute(statement).rowcount


def _tell(connection: Connection, stamp: Stamp, found: Any) -> None:
    """Tell whose birth date changes: rows of person, old and new date."""
    for person, old, new in connection.execute(found):
        stamp.tell(
            RowChange(
                PERSON.name,
                person,
                telling.CHANGED,
                (person,),
                {"birth_date": old},
                {"birth_date": new},
            )
        )
