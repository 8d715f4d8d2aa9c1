"""``authz.permitted``: narrows a query of one's own to the people whom a subject may see.

For an application that shares the directory's database: instead of asking about each row,
it asks for the rows that would be permitted (3.4). As with a search, the result is no permit
and no access: what is shown or changed is evaluated first, and that leaves the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVarTuple

from sqlalchemy import Select, false, literal
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import ColumnElement

from authz import clock, config
from authz.decision.request import Action, Entity, Question, Request, question
from authz.directory.conditions.render import Renderer
from authz.directory.conditions.sources import ids, sources
from authz.directory.conditions.view import Given, Outer, View, values
from authz.directory.facts import Place
from authz.engine.formula import some
from authz.engine.plan import plan
from authz.engine.policy import Policy
from authz.errors import PolicyError
from authz.policy.load import load
from authz.service import point

Row = TypeVarTuple("Row")
Ids = ColumnElement[Any] | InstrumentedAttribute[Any]


def permitted(  # noqa: PLR0913 (what a question has, by name)
    statement: Select[*Row],
    subject: str,
    action: str,
    category: str,
    *,
    person: Ids,
    purpose: str | None = None,
    subject_type: str = "user",
    properties: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    policy: Policy | None = None,
    place: Place | None = None,
    at: datetime | None = None,
) -> Select[*Row]:
    """The statement, with only the rows whose ``person`` the subject may see.

    ``person`` is a column of the statement that holds ids of people. ``properties`` and
    ``context`` are those of the evaluation; ``purpose`` goes before the context's. The policy
    and the place are those of the settings, the moment is now, unless they are given.

    Rules that notify or need a review are left out (page 5). PolicyError where the pack has a
    condition that SQL cannot say: then ask a search.
    """
    asked = _question(
        Entity(subject_type, subject), action, category, properties or {}, context or {}, purpose
    )
    known_policy, known_place = policy or _settled()[0], place or _settled()[1]
    formulas = plan(known_policy, asked)
    if not formulas:
        return statement.where(false())
    column: Any = getattr(person, "expression", person)
    view = View(
        subject=literal(subject),
        person=Outer(column),
        kind=subject_type,
        one_subject=True,
        question=asked,
        place=known_place,
        catalogue=known_policy.catalogue,
        binds=values(Given(asked, at or clock.now(), known_place)),
    )
    return statement.where(*_conditions(view, formulas, column))


def _conditions(view: View, formulas: Any, column: ColumnElement[Any]) -> list[Any]:
    renderer = Renderer(view)
    found = [renderer.condition(some(formulas))]
    if not renderer.exact:
        raise PolicyError(
            "The policy has a condition that a query cannot say.", hint="Use a search instead."
        )
    atoms = sources(formulas, people=True)
    if atoms:
        found.append(column.in_(ids(view, atoms, people=True)))
    return found


def _question(
    subject: Entity,
    action: str,
    category: str,
    properties: Mapping[str, Any],
    context: Mapping[str, Any],
    purpose: str | None,
) -> Question:
    said = {**context, "purpose": purpose} if purpose is not None else context
    resource = Entity(category, "", properties)
    return question(Request(subject, Action(action), resource, said), believes_mfa=True)


@lru_cache(maxsize=1)
def _settled() -> tuple[Policy, Place]:
    """The policy and the place of the settings, read once."""
    found = config.load()
    return load(found.policy), point.place(found)
