"""How far somebody's work in the screens reaches: everywhere, or the schools they administer.

The console's decision says which of the two; the lists are narrowed in the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, true

from authz.decision.request import Action, Entity, Request, question
from authz.directory.conditions.schools import below
from authz.directory.conditions.view import Given, View, values
from authz.service.decide import DecisionPoint
from authz.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose reach it is, and whether it is all schools (N-20)."""

    person: str
    everywhere: bool

    def covers(self, point: DecisionPoint, column: Any, at: datetime) -> ColumnElement[bool]:
        """That an organisation is within reach; what names none is for who reaches everywhere."""
        if self.everywhere:
            return true()
        found: ColumnElement[bool] = column.in_(administered(point, self.person, at))
        return found


def administered(point: DecisionPoint, person: str, at: datetime) -> Select[tuple[str]]:
    """The organisations that the person administers, with those below them (2.4)."""
    asked = question(
        Request(Entity("user", person), Action("read"), Entity("", person, {}), {}),
        believes_mfa=True,
    )
    view = View(
        subject=literal(person),
        person=literal(person),
        kind="user",
        one_subject=True,
        question=asked,
        place=point.place,
        catalogue=point.policy.catalogue,
        binds=values(Given(asked, at, point.place)),
    )
    return below(view, Role.SCHOOL_ADMIN)
