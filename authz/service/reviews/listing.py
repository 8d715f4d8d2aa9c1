"""What waits for a reviewer, and what is in a campaign: paged in the database, by keyset."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, case, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from authz.directory.tables import Organisation, Person
from authz.errors import MalformedError
from authz.review.tables import Campaign, CampaignItem, Handover, ReviewDefinition
from authz.review.words import ItemState
from authz.service.reviews.campaigns import Reach
from authz.service.reviews.records import text

PAGE: Final = 50
_DIGITS: Final = 10
OPEN: Final = (ItemState.OPEN.value, ItemState.ANSWERED.value)


class Order(StrEnum):
    """How the items of an inbox stand: by whose right it is, by what it opens, or flat."""

    PERSON = "person"
    RESOURCE = "resource"
    FLAT = "flat"


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows; ``after`` asks for those that follow, and is empty after the last."""

    rows: Sequence[Any]
    after: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a review is: all its items, those answered, those flagged and still open."""

    items: int
    answered: int
    done: int
    flagged: int

    @property
    def open(self) -> int:
        """How many have no answer yet."""
        return self.items - self.answered - self.done

    @property
    def percent(self) -> int:
        """Answered of all, in percent."""
        return 100 * (self.items - self.open) // self.items if self.items else 100


def standing_for(connection: Connection, person: str, now: datetime) -> frozenset[str]:
    """The reviewers whose items are somebody's: their own, and of whom they stand in for now."""
    moment = text(now)
    rows = connection.scalars(
        select(Handover.giver).where(
            Handover.taker == person,
            Handover.number.is_(None),
            Handover.since <= moment,
            Handover.until > moment,
        )
    )
    return frozenset({person, *rows})


def _sums() -> list[Any]:
    item = CampaignItem
    return [
        func.count().label("items"),
        func.sum(case((item.state == ItemState.ANSWERED.value, 1), else_=0)).label("answered"),
        func.sum(case((item.state.not_in(OPEN), 1), else_=0)).label("done"),
        func.sum(case((and_(item.flagged, item.state == ItemState.OPEN.value), 1), else_=0)).label(
            "flagged"
        ),
    ]


def inbox(connection: Connection, person: str, now: datetime) -> list[tuple[Any, Progress]]:
    """The reviews in which items wait for a person, the soonest due first."""
    reviewers = standing_for(connection, person, now)
    asked = (
        select(Campaign.id, Campaign.name, Campaign.due_at, Campaign.state, Campaign.trigger)
        .add_columns(*_sums())
        .join(CampaignItem, CampaignItem.campaign == Campaign.id)
        .where(CampaignItem.reviewer.in_(reviewers), Campaign.state.in_(("started", "in_review")))
        .group_by(Campaign.id, Campaign.name, Campaign.due_at, Campaign.state, Campaign.trigger)
        .order_by(Campaign.due_at, Campaign.id)
        .limit(PAGE)
    )
    rows = connection.execute(asked).all()
    return [(row, Progress(row.items, row.answered, row.done, row.flagged)) for row in rows]


def progress(
    connection: Connection, campaign: str, reviewers: Collection[str] | None = None
) -> Progress:
    """How far a campaign is, or the part of these reviewers."""
    asked = select(*_sums()).where(CampaignItem.campaign == campaign)
    if reviewers is not None:
        asked = asked.where(CampaignItem.reviewer.in_(reviewers))
    row = connection.execute(asked).one()
    return Progress(row.items, row.answered or 0, row.done or 0, row.flagged or 0)


def by_reviewer(connection: Connection, campaign: str) -> list[tuple[Any, Progress]]:
    """How far each reviewer of a campaign is."""
    item = CampaignItem
    rows = connection.execute(
        select(item.reviewer, Person.given_name, Person.family_name, *_sums())
        .outerjoin(Person, Person.id == item.reviewer)
        .where(item.campaign == campaign)
        .group_by(item.reviewer, Person.given_name, Person.family_name)
        .order_by(func.count().desc(), item.reviewer)
        .limit(PAGE)
    ).all()
    return [(row, Progress(row.items, row.answered, row.done, row.flagged)) for row in rows]


def verdicts(connection: Connection, campaign: str) -> Mapping[str, int]:
    """How many items have which verdict; the open ones under the empty name."""
    rows = connection.execute(
        select(CampaignItem.verdict, func.count().label("number"))
        .where(CampaignItem.campaign == campaign)
        .group_by(CampaignItem.verdict)
    )
    return {row.verdict: row.number for row in rows}


_STUDENT = aliased(Person)
_LISTED = (
    CampaignItem.number, CampaignItem.kind, CampaignItem.holder, CampaignItem.person,
    CampaignItem.organisation, CampaignItem.role, CampaignItem.resource, CampaignItem.rostered,
    CampaignItem.until, CampaignItem.flags, CampaignItem.advice, CampaignItem.advice_reason,
    CampaignItem.last_used, CampaignItem.uses, CampaignItem.reviewer, CampaignItem.state,
    CampaignItem.verdict, CampaignItem.verdict_reason, CampaignItem.facts,
    CampaignItem.remediation, CampaignItem.applied_at, CampaignItem.stage,
)  # fmt: skip


def items(  # noqa: PLR0913 (what a list is asked for, by name)
    connection: Connection,
    campaign: str,
    *,
    reviewers: Collection[str] | None = None,
    order: Order = Order.PERSON,
    state: str = "",
    flagged: bool = False,
    verdict: str = "",
    after: str = "",
    limit: int = PAGE,
) -> Page:
    """A page of items, by holder's name or by what they open."""
    item = CampaignItem
    asked = (
        select(*_LISTED, Organisation.name.label("place"))
        .add_columns(_STUDENT.given_name, _STUDENT.family_name)
        .outerjoin(Organisation, Organisation.id == item.organisation)
        .outerjoin(_STUDENT, _STUDENT.id == item.person)
        .where(item.campaign == campaign)
    )
    if reviewers is not None:
        asked = asked.where(item.reviewer.in_(reviewers))
    if state:
        asked = asked.where(item.state == state)
    if flagged:
        asked = asked.where(item.flagged)
    if verdict:
        asked = asked.where(item.verdict == verdict)
    return _page(connection, asked, order, after, limit)


def _page(connection: Connection, asked: Select[Any], order: Order, after: str, limit: int) -> Page:
    item = CampaignItem
    resource, _, number = after.rpartition("/")
    if after and not (number.isascii() and number.isdigit() and len(number) < _DIGITS):
        raise MalformedError("This is no place in a list.", where="after")
    if order is Order.RESOURCE:
        asked = asked.order_by(item.resource, item.number)
        if after:
            asked = asked.where(tuple_(item.resource, item.number) > (resource, int(number)))
    else:
        asked = asked.order_by(item.number)
        if after:
            asked = asked.where(item.number > int(number))
    rows = connection.execute(asked.limit(limit + 1)).all()
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(shown, f"{shown[-1].resource}/{shown[-1].number}" if more else "")


def campaigns(connection: Connection, reach: Reach, *, after: str = "", limit: int = PAGE) -> Page:
    """The reviews within reach, the newest first."""
    asked = select(
        Campaign.id, Campaign.name, Campaign.state, Campaign.trigger, Campaign.due_at,
        Campaign.items, Campaign.created_at, Campaign.guard, Campaign.definition,
        Organisation.name.label("place"),
    ).outerjoin(Organisation, Organisation.id == Campaign.organisation)  # fmt: skip
    if reach is not None:
        asked = asked.where(Campaign.organisation.in_(reach))
    if after:
        created, _, ident = after.partition("/")
        asked = asked.where(
            or_(
                Campaign.created_at < created,
                and_(Campaign.created_at == created, Campaign.id < ident),
            )
        )
    rows = connection.execute(
        asked.order_by(Campaign.created_at.desc(), Campaign.id.desc()).limit(limit + 1)
    ).all()
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(shown, f"{shown[-1].created_at}/{shown[-1].id}" if more else "")


def definitions(connection: Connection, reach: Reach) -> Sequence[Any]:
    """The definitions within reach, the newest first; as many as a page holds."""
    asked = select(ReviewDefinition.id, ReviewDefinition.name, ReviewDefinition.created_at)
    if reach is not None:
        asked = asked.where(ReviewDefinition.organisation.in_(reach))
    return connection.execute(asked.order_by(ReviewDefinition.created_at.desc()).limit(PAGE)).all()
