"""The rows of a question's statement, as the frozen values of :mod:`authz.directory.facts`.

The columns are those of :data:`authz.directory.shape.SHAPE`, after the part. An ended row
comes with its end put into its interval, so that nobody can forget to look.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from authz.directory.asking import Reading, Row, day, moment
from authz.directory.facts import (
    Account,
    Assignment,
    Consented,
    Elevated,
    Enrolled,
    Goods,
    HeldRole,
    Link,
    Member,
    Objected,
    OrderTerms,
    Span,
    Terms,
)
from authz.directory.shape import Part

FACT = "fact"
UNBOUNDED = Span()


class Rows:
    """The rows of one question, by part."""

    def __init__(self, rows: Iterable[Row], dialect: str) -> None:
        self._time = moment(dialect)
        self._day = day(dialect)
        self._rows: dict[str, list[Row]] = {}
        self.add(rows)

    def add(self, rows: Iterable[Row]) -> None:
        """Sort these rows in too."""
        for row in rows:
            self._rows.setdefault(row[0], []).append(row)

    def of(self, part: Part) -> list[Row]:
        """The rows of one part."""
        return self._rows.get(part, [])

    def spans(self, part: Part) -> tuple[Span, ...]:
        """The intervals of one part."""
        return tuple(self._span(row) for row in self.of(part))

    def revision(self) -> int:
        """The directory's revision; 0 where nothing was ever put on file."""
        return next((row[12] for row in self.of(Part.REVISION)), 0)

    def account(self, person: str) -> Account | None:
        """The person of that id."""
        time = self._time
        for _, _, who, status, _, _, _, _, ended, first, last, born, _ in self.of(Part.ACCOUNT):
            if who == person:
                return Account(
                    id=who,
                    status=status,
                    birth_date=self._day(born),
                    cancelled_at=time(first),
                    ended_at=time(ended),
                    last_used_at=time(last),
                )
        return None

    def recipients(self) -> frozenset[str]:
        """The kinds of what the subject acts for."""
        return frozenset(row[3] for row in self.of(Part.RECIPIENT))

    def grants(self, person: str) -> tuple[HeldRole, ...]:
        """The roles granted to that person."""
        rows = self.of(Part.GRANT)
        return tuple(HeldRole(row[3], row[4], self._span(row)) for row in rows if row[2] == person)

    def links(self) -> tuple[Link, ...]:
        """The guardianships of the subject for the person."""
        rows = self.of(Part.LINK)
        return tuple(Link(row[3], row[4] == FACT, self._span(row)) for row in rows)

    def memberships(self) -> tuple[Member, ...]:
        """The person's memberships; an organisation that has ended conducts nothing (page 5)."""
        parents: dict[str, str | None] = {row[3]: row[4] for row in self.of(Part.ORGANISATION)}
        return tuple(
            Member(row[3], _above(row[3], parents), self._span(row))
            for row in self.of(Part.MEMBER)
            if row[3] in parents
        )

    def enrolments(self, part: Part) -> tuple[Enrolled, ...]:
        """The enrolments, with the dates that a class's terms lend them (2.4).

        There is a row for each term that the class names: ``c``, and ``who`` if it is known.
        """
        rows: dict[str, list[Row]] = {}
        for row in self.of(part):
            rows.setdefault(row[1], []).append(row)
        return tuple(
            self._dated(of_one)
            for of_one in rows.values()
            if all(known is not None or named is None for _, _, known, _, _, named, *_ in of_one)
        )

    def _dated(self, rows: list[Row]) -> Enrolled:
        _, _, _, role, class_id, named, since, until, ended, *_ = rows[0]
        begin, end = self._time(since), self._time(until)
        if named is not None:
            begins, ends = [row[9] for row in rows], [row[10] for row in rows]
            if begin is None and None not in begins:
                begin = min(map(self._time, begins))
            if end is None and None not in ends:
                end = max(map(self._time, ends))
        return Enrolled(class_id, role, Span(begin, _earlier(end, self._time(ended))))

    def order(self) -> OrderTerms | None:
        """The order named, where it covers the person."""
        rows = self.of(Part.ORDER)
        found = (OrderTerms(frozenset(json.loads(row[3])), self._span(row)) for row in rows)
        return next(found, None)

    def assignment(self, part: Part) -> Assignment | None:
        """The ticket or the case named."""
        return next((Assignment(row[3], self._span(row)) for row in self.of(part)), None)

    def goods(self) -> tuple[Goods, ...]:
        """The person's orders of goods."""
        rows = self.of(Part.GOODS)
        return tuple(Goods(row[1], row[2], self._time(row[9]), self._span(row)) for row in rows)

    def elevations(self) -> tuple[Elevated, ...]:
        """The subject's break-glass grants."""
        rows = self.of(Part.ELEVATION)
        return tuple(Elevated(row[1], row[3], row[4] is not None, self._span(row)) for row in rows)

    def consents(self) -> tuple[Consented, ...]:
        """The person's consents, with what their projects say."""
        rows = self.of(Part.CONSENT)
        return tuple(
            Consented(
                purpose=row[3],
                span=self._span(row),
                project=row[4],
                project_ended_at=self._time(row[9]),
                retention_days=row[12],
            )
            for row in rows
        )

    def objections(self) -> tuple[Objected, ...]:
        """The person's objections."""
        return tuple(Objected(row[3], self._span(row)) for row in self.of(Part.OBJECTION))

    def _span(self, row: Row) -> Span:
        return _span(self._time, *row[6:9])


def terms(row: Row, dialect: str) -> Terms:
    """One contract, of its own statement."""
    purposes, categories, actions, schools, transfer, country, sub_processing, *dates = row
    named = None if schools is None else json.loads(schools)
    return Terms(
        purposes=frozenset(json.loads(purposes)),
        categories={name: tuple(names) for name, names in json.loads(categories).items()},
        actions=frozenset(json.loads(actions)),
        schools=None if named is None else frozenset(named),
        transfer=transfer,
        country=country,
        sub_processing=bool(sub_processing),
        span=_span(moment(dialect), *dates),
    )


def _above(organisation: str, parents: dict[str, str | None]) -> frozenset[str]:
    """The organisation with all living ones above it; a loop ends where it began."""
    chain: list[str] = []
    step: str | None = organisation
    while step in parents and step not in chain:
        chain.append(step)
        step = parents[step]
    return frozenset(chain)


def _span(time: Reading, since: object, until: object, ended: object) -> Span:
    if since is None and until is None and ended is None:
        return UNBOUNDED
    return Span(time(since), _earlier(time(until), time(ended)))


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
