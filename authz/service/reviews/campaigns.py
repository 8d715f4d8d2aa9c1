"""The rows of campaigns, and where reviews are run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from authz import clock
from authz.directory.facts import Place
from authz.engine.policy import Policy
from authz.errors import NotFoundError
from authz.review.definition import Definition
from authz.review.tables import Campaign
from authz.review.words import State, Trigger
from authz.service.reviews.planning import Ground
from authz.service.reviews.records import Actor, moment, new_id, text

Reach = frozenset[str] | None
"""The organisations whose reviews somebody runs; None is all of them."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where reviews are run: the store, and the policy and place that decisions stand on."""

    store: Engine
    policy: Policy
    place: Place

    def ground(self, now: datetime, last: datetime | None = None) -> Ground:
        """What a plan stands on."""
        return Ground(self.policy, self.place, now, last)


def add(
    connection: Connection,
    definition: Definition,
    who: Actor,
    because: str,
    *,
    definition_id: str = "",
    trigger: Trigger = Trigger.DEFINED,
    cause: str = "",
    state: State = State.DEFINED,
) -> str:
    """Put a new campaign of a definition on file, and return its id."""
    ident = new_id()
    connection.execute(
        insert(Campaign).values(
            id=ident,
            definition=definition_id,
            trigger=trigger.value,
            cause=cause or ident,
            name=definition.name,
            organisation=definition.scope.organisation,
            members=definition.as_dict(),
            state=state.value,
            stage=1,
            items=0,
            created_at=text(clock.now()),
            created_by=who.id,
            because=because,
        )
    )
    return ident


def found(connection: Connection, campaign: str, reach: Reach) -> Any:
    """The campaign's row; NotFoundError where it is not there or out of reach."""
    row = connection.execute(
        select(Campaign.__table__).where(Campaign.id == campaign)
    ).one_or_none()
    if row is None or (reach is not None and row.organisation not in reach):
        raise NotFoundError("There is no such review.", where=campaign)
    return row


def locked(connection: Connection, campaign: str, reach: Reach) -> Any:
    """The same, held until the transaction ends: one step at a time."""
    connection.execute(select(Campaign.id).where(Campaign.id == campaign).with_for_update())
    return found(connection, campaign, reach)


def change(connection: Connection, campaign: str, **values: Any) -> None:
    """Change the row of a campaign."""
    connection.execute(update(Campaign).where(Campaign.id == campaign).values(**values))


def last_started(connection: Connection, row: Any) -> datetime | None:
    """When the campaign before this one of the same definition began."""
    last = connection.scalar(
        select(Campaign.started_at)
        .where(
            Campaign.definition == row.definition,
            Campaign.started_at.is_not(None),
            Campaign.state != State.CANCELLED.value,
        )
        .order_by(Campaign.started_at.desc())
        .limit(1)
    )
    return moment(last) if row.definition else None


def small(
    connection: Connection, definition: Definition, trigger: Trigger, cause: str, because: str
) -> str:
    """A campaign that an event opens, ready to be started in the same transaction."""
    who = Actor("authz", "service")
    return add(
        connection, definition, who, because, trigger=trigger, cause=cause, state=State.PREVIEWED
    )
