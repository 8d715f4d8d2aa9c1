"""Whose data a selection of uses is of, by person, category and school, in constant memory."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, or_, select

from authz.audit import uses
from authz.audit.mentions import LISTED
from authz.audit.uses import Selection
from authz.directory.tables import Membership, Organisation
from authz.service.reports.batches import batched
from authz.service.reports.document import Rows
from authz.vocabulary import ObligationId

BATCH: Final = 500


@dataclass
class Sum:
    """Uses of a category: of how many people, how often."""

    people: int = 0
    times: int = 0
    listed: int = 0
    fields: set[str] = field(default_factory=set)
    first: str = "~"
    last: str = ""

    def add(self, row: OfPerson) -> None:
        """Count one more person."""
        self.people += 1
        self.times += row.times
        self.listed += row.listed
        self.fields.update(row.fields)
        self.first, self.last = min(self.first, row.first), max(self.last, row.last)


@dataclass(frozen=True, slots=True)
class OfPerson:
    """What of one category of one person was used."""

    person: str
    category: str
    fields: tuple[str, ...]
    times: int
    listed: int
    first: str
    last: str


class Found:
    """What a pass over the uses finds: rows of people, and sums that stay small."""

    def __init__(self, connection: Connection, which: Selection) -> None:
        self.connection = connection
        self.which = which
        self.people = Rows()
        self.total = Sum()
        self.categories: dict[str, Sum] = defaultdict(Sum)
        self.schools: dict[tuple[str, str], Sum] = defaultdict(Sum)
        self.names: dict[str, str] = {}

    def read(self) -> None:
        """One statement for the uses, and one for the schools of some hundred people."""
        by_person = _by_person(uses.affected(self.connection, self.which))
        for some in batched(by_person, BATCH):
            schools = self._schools([person for person, _ in some])
            for person, rows in some:
                self._count(rows, schools.get(person, []))
        self._name_schools()

    def _count(self, rows: list[OfPerson], schools: list[str]) -> None:
        whole = Sum()
        for row in rows:
            whole.add(row)
            self.categories[row.category].add(row)
            for school in schools or [""]:
                self.schools[school, row.category].add(row)
            members = (row.person, row.category, row.fields, row.times, row.listed)
            self.people.add((*members, row.first, row.last, schools))
        whole.people = 0
        self.total.people += 1
        self.total.times += whole.times
        self.total.listed += whole.listed
        self.total.first = min(self.total.first, whole.first)
        self.total.last = max(self.total.last, whole.last)

    def _schools(self, people: list[str]) -> dict[str, list[str]]:
        """Where these people belonged in the span of the uses."""
        m = Membership
        begin, end = self.which.since, self.which.until
        within: list[ColumnElement[bool]] = []
        if begin is not None:
            within += [or_(each.is_(None), each > begin) for each in (m.valid_until, m.ended_at)]
        if end is not None:
            within.append(or_(m.valid_from.is_(None), m.valid_from < end))
        found: dict[str, list[str]] = defaultdict(list)
        for person, school in self.connection.execute(
            select(m.person, m.organisation)
            .where(m.person.in_(people), *within)
            .distinct()
            .order_by(m.person, m.organisation)
        ):
            found[person].append(school)
        return found

    def _name_schools(self) -> None:
        wanted = sorted({school for school, _ in self.schools if school})
        for some in batched(wanted, BATCH):
            names = select(Organisation.id, Organisation.name).where(Organisation.id.in_(some))
            self.names |= dict(self.connection.execute(names).all())


def _by_person(rows: Iterable[Any]) -> Iterator[tuple[str, list[OfPerson]]]:
    """The uses of each person in turn, a row for each category."""
    for person, some in groupby(rows, key=lambda row: row[0]):
        yield person, [_one(person, kind, each) for kind, each in groupby(some, key=_category)]


def _category(row: Any) -> str:
    return str(row[1])


def _one(person: str, category: str, rows: Iterable[Any]) -> OfPerson:
    fields: dict[str, None] = {}
    times = listed = 0
    first, last = "~", ""
    for _, _, how, time, body in rows:
        if how == LISTED:
            listed += 1
        else:
            times += 1
            fields |= dict.fromkeys(_fields(body))
        first, last = min(first, time), max(last, time)
    return OfPerson(person, category, tuple(fields), times, listed, first, last)


def _fields(body: bytes) -> list[str]:
    """The fields that a permit allowed, from its record."""
    for duty in json.loads(body).get("obligations", ()):
        if duty.get("id") == ObligationId.FIELDS.value:
            return [str(name) for name in duty.get("value", ())]
    return []
