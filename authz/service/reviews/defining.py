"""The definition of a review: put on file, changed before its start, used again (N-46)."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from authz import clock
from authz.errors import NotFoundError
from authz.review import campaign as steps
from authz.review.definition import Definition, check, from_dict
from authz.review.item import RefusedError
from authz.review.tables import ReviewDefinition
from authz.review.words import State, Wrong
from authz.service.database import writing
from authz.service.reviews import reviewers
from authz.service.reviews.campaigns import Bench, Reach, add, change, locked
from authz.service.reviews.records import Actor, needs, new_id, record, text


def define(bench: Bench, definition: Definition, who: Actor, because: str, reach: Reach) -> str:
    """Put a definition on file, and return the id of its first campaign.

    RefusedError where it cannot be; NotFoundError where its organisation is out of reach.
    """
    check(definition)
    needs(because)
    _within(definition.scope.organisation, reach)
    now = text(clock.now())
    with writing(bench.store) as connection:
        _on_file(connection, definition)
        ident = new_id()
        connection.execute(
            insert(ReviewDefinition).values(
                id=ident,
                name=definition.name,
                organisation=definition.scope.organisation,
                members=definition.as_dict(),
                created_at=now,
                created_by=who.id,
                because=because,
            )
        )
        campaign = add(connection, definition, who, because, definition_id=ident)
        after = {"definition": definition.as_dict()}
        record(connection, who, "define", campaign, because=because, detail={"after": after})
    return campaign


def redefine(
    bench: Bench, campaign: str, definition: Definition, who: Actor, because: str, reach: Reach
) -> None:
    """Change a review that was not started; it wants a new preview."""
    check(definition)
    needs(because)
    _within(definition.scope.organisation, reach)
    with writing(bench.store) as connection:
        row = locked(connection, campaign, reach)
        if State(row.state) not in steps.PLANNED:
            raise RefusedError(Wrong.NOT_NOW)
        _on_file(connection, definition)
        change(
            connection,
            campaign,
            name=definition.name,
            organisation=definition.scope.organisation,
            members=definition.as_dict(),
            state=State.DEFINED.value,
        )
        detail = {"before": row.members, "after": definition.as_dict()}
        record(connection, who, "redefine", campaign, because=because, detail=detail)


def again(bench: Bench, definition: str, who: Actor, because: str, reach: Reach) -> str:
    """A further campaign of a definition, to be previewed."""
    needs(because)
    with writing(bench.store) as connection:
        row = connection.execute(
            select(ReviewDefinition.members, ReviewDefinition.organisation).where(
                ReviewDefinition.id == definition
            )
        ).one_or_none()
        if row is None:
            raise NotFoundError("There is no such definition.", where=definition)
        _within(row.organisation, reach)
        found = from_dict(row.members)
        campaign = add(connection, found, who, because, definition_id=definition)
        detail = {"after": {"definition": row.members}}
        record(connection, who, "define", campaign, because=because, detail=detail)
    return campaign


def _within(organisation: str, reach: Reach) -> None:
    if reach is not None and organisation not in reach:
        raise NotFoundError("There is no such organisation.", where=organisation)


def _on_file(connection: Connection, definition: Definition) -> None:
    """RefusedError where a reviewer that is named is nobody who could be asked."""
    people = {*definition.fallbacks, *(stage.named for stage in definition.stages)} - {""}
    if reviewers.able(connection, people, clock.now()) != people:
        raise RefusedError(Wrong.NOT_A_REVIEWER)
