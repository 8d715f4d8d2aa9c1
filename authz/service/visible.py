"""Whom a viewer of the screens may see, as a condition of any statement about people (3.4).

It is the console's decision point that says so. Whoever sees few people is searched for them,
by a statement made for such a viewer; for whoever sees many it is a condition on each person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, Select, exists, select

from authz import clock
from authz.decision.request import Action, Entity, Question, Request, question
from authz.decision.search import Kind
from authz.directory.facts import Place
from authz.service.candidates import People
from authz.service.decide import DecisionPoint
from authz.service.listings import Listings
from authz.service.permitted import permitted
from authz.service.shown import Viewer

FEW: Final = 2000
ACTION, CATEGORY = "read", "person"


@dataclass(frozen=True)
class Visible:
    """Whom one viewer may see; ``few`` are all of them, where they are not many."""

    own: DecisionPoint
    viewer: Viewer
    few: Sequence[str] | None

    @classmethod
    def to(cls, connection: Connection, own: DecisionPoint, viewer: Viewer) -> Visible:
        """Whom that viewer sees now."""
        people = People(own, Kind.RESOURCE, _listings(own.policy.digest, own.place))
        found = people.page(connection, _asked(viewer), clock.now(), "", FEW + 1)
        return cls(own, viewer, found if len(found) <= FEW else None)

    def only(self, statement: Select[Any], person: Any) -> Select[Any]:
        """The statement, with only rows of such people."""
        if self.few is not None:
            return statement.where(person.in_(self.few))
        return permitted(
            statement,
            self.viewer.person,
            ACTION,
            CATEGORY,
            person=person,
            context={"mfa": self.viewer.mfa},
            policy=self.own.policy,
            place=self.own.place,
        )

    def at(self, here: Any, place: Any, person: Any) -> ColumnElement[bool]:
        """That such a person is at the place ``here``; ``place`` is where a person is.

        The places of few people are looked up; of many somebody is found at once.
        """
        if self.few is not None:
            return cast("ColumnElement[bool]", here.in_(self.only(select(place), person)))
        return exists(self.only(select(place).where(place == here), person))


def _asked(viewer: Viewer) -> Question:
    context = {"mfa": True} if viewer.mfa else {}
    resource, subject = Entity(CATEGORY, ""), Entity("user", viewer.person)
    return question(Request(subject, Action(ACTION), resource, context), believes_mfa=True)


@lru_cache(maxsize=8)
def _listings(_digest: str, _place: Place) -> Listings:
    """The statements of one policy, made once."""
    return Listings()
