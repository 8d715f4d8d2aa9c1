"""Whom a search finds, page by page: people by SQL, entities and actions one by one (3.4).

Nothing is ever cut silently: where SQL can say only a part of a condition, or nothing of
it, candidates are gone through in batches and decided on, until the page is full or there
are no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final, Protocol

from sqlalchemy import Connection, bindparam, select

from authz.decision.request import Question
from authz.decision.search import Kind
from authz.directory import tables as t
from authz.directory.conditions.view import Given
from authz.directory.facts import Facts
from authz.directory.relations import Situation
from authz.directory.storable import storable
from authz.engine import decide as engine
from authz.service.decide import DecisionPoint
from authz.service.listings import Listings

BATCH: Final = 500


class Candidates(Protocol):
    """Whoever can find a page."""

    def page(
        self, connection: Connection, asked: Question, now: datetime, after: str, many: int
    ) -> list[str]:
        """At most so many ids after this one, in their order."""


@dataclass(frozen=True)
class People:
    """A pack about people: one statement; a decision each where it says too little."""

    point: DecisionPoint
    kind: Kind
    listings: Listings

    def page(
        self, connection: Connection, asked: Question, now: datetime, after: str, many: int
    ) -> list[str]:
        """At most so many ids after this one, in their order."""
        if self.kind is Kind.ACTION:
            return list(islice(_actions(self.point, connection, asked, now, after), many))
        if not _storable(asked) or not many:
            return []
        given = Given(asked, now, self.point.place)
        point = self.point
        made = self.listings.find(connection, point.policy, point.place, self.kind, given)
        if made is None:
            return []
        if made.exact:
            return made.page(connection, given, after, many)

        def batch(last: str) -> list[str]:
            return made.page(connection, given, last, BATCH)

        return list(islice(self._checked(connection, asked, now, after, batch), many))

    def _checked(
        self,
        connection: Connection,
        asked: Question,
        now: datetime,
        after: str,
        batch: Callable[[str], list[str]],
    ) -> Iterator[str]:
        """Of those that SQL finds, those that are permitted."""
        while found := batch(after):
            for ident in found:
                whole = with_part(asked, self.kind, ident)
                if self.point.decide(connection, whole, now).decision.permit:
                    yield ident
            after = found[-1]


@dataclass(frozen=True)
class Entities:
    """A pack about generic entities: each is decided on, as many at a time as fit (3.3)."""

    point: DecisionPoint
    kind: Kind

    def page(
        self, connection: Connection, asked: Question, now: datetime, after: str, many: int
    ) -> list[str]:
        """At most so many ids after this one, in their order."""
        if self.kind is Kind.ACTION:
            found = _actions(self.point, connection, asked, now, after)
        elif _storable(asked):
            found = self._permitted(connection, asked, now, after)
        else:
            return []
        return list(islice(found, many))

    def _permitted(
        self, connection: Connection, asked: Question, now: datetime, after: str
    ) -> Iterator[str]:
        request, place = asked.request, self.point.place
        subjects = self.kind is Kind.SUBJECT
        listed, other = request.resource, request.subject
        if subjects:
            listed, other = other, listed
        known = connection.execute(_ONE, {"type": other.type, "id": other.id}).scalar()
        values = {"type": listed.type, "many": BATCH}
        while rows := connection.execute(_BATCH, {**values, "after": after}).all():
            for ident, properties in rows:
                pair = (properties, known) if subjects else (known, properties)
                facts = Facts(subject_entity=pair[0], resource_entity=pair[1])
                whole = with_part(asked, self.kind, ident)
                situation = Situation(whole, facts, now, place, self.point.policy.catalogue)
                if engine.decide(self.point.policy, whole, situation).permit:
                    yield ident
            after = rows[-1].id


_E = t.Entity.__table__
_LIVING = select(_E.c.id, _E.c.properties).where(_E.c.ended_at.is_(None))
_ONE = (
    select(_E.c.properties)
    .where(_E.c.ended_at.is_(None))
    .where(_E.c.type == bindparam("type"), _E.c.id == bindparam("id"))
)
_BATCH = (
    _LIVING.where(_E.c.type == bindparam("type"), _E.c.id > bindparam("after"))
    .order_by(_E.c.id)
    .limit(bindparam("many"))
)


def _actions(
    point: DecisionPoint, connection: Connection, asked: Question, now: datetime, after: str
) -> Iterator[str]:
    """The actions that are permitted, in the order of the catalogue."""
    names = point.policy.catalogue.actions
    begin = names.index(after) + 1 if after in names else 0
    for name in names[begin:] if _storable(asked) else ():
        whole = with_part(asked, Kind.ACTION, name)
        if point.decide(connection, whole, now).decision.permit:
            yield name


def with_part(asked: Question, kind: Kind, value: str) -> Question:
    """The question with its open part filled in."""
    request = asked.request
    if kind is Kind.ACTION:
        return replace(asked, request=replace(request, action=replace(request.action, name=value)))
    if kind is Kind.SUBJECT:
        part = replace(request.subject, id=value)
        return replace(asked, request=replace(request, subject=part))
    return replace(asked, request=replace(request, resource=replace(request.resource, id=value)))


def _storable(asked: Question) -> bool:
    """Whether the two can be anybody whom a database holds."""
    request = asked.request
    entities = (request.subject, request.resource)
    return all(storable(text) for entity in entities for text in (entity.type, entity.id))
