"""``authz.permitted``: narrows a query of one's own to the people whom a subject may see.

For an application that shares the directory's database: instead of asking about each row,
it asks for the rows that would be permitted (3.4). As with a search, the result is no permit
and no access: what is shown or changed is evaluated first, and that leaves the record.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVarTuple

from sqlalchemy import Select, false
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import ColumnElement

from authz import clock, config
from authz.decision.request import Action, Entity, Question, Request, question
from authz.directory.conditions.narrowed import Narrowing
from authz.directory.conditions.view import Given, shape
from authz.directory.facts import Place
from authz.engine.plan import plan
from authz.engine.policy import Policy
from authz.errors import PolicyError
from authz.policy.load import load
from authz.recent import Recent
from authz.service import point

MOST: Final = 512
"""How many kinds of questions a process keeps."""
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
    narrowing = _narrowing(known_policy, known_place, asked)
    if not narrowing.formulas:
        return statement.where(false())
    if not narrowing.exact:
        raise PolicyError(
            "The policy has a condition that a query cannot say.", hint="Use a search instead."
        )
    column: Any = getattr(person, "expression", person)
    return statement.where(narrowing.of(column, Given(asked, at or clock.now(), known_place)))


def _narrowing(policy: Policy, place: Place, asked: Question) -> Narrowing:
    """What questions of this shape ask of a person; kept, since it takes milliseconds to make."""
    key = (id(policy), place, shape(asked))
    kept = _kept.get(key)
    if kept is None:
        kept = policy, Narrowing(plan(policy, asked), asked, place, policy.catalogue)
        _kept.keep(key, kept)
    return kept[1]


_kept: Recent[Hashable, tuple[Policy, Narrowing]] = Recent(MOST)
"""With the policy that each is of: as long as it is kept, no other one has its place."""


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
